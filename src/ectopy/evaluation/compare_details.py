"""What a comparison shows of each model beyond its scores: curves, certainty, epochs, records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.evaluation.calibration import REFERRED, reliability, risk_coverage
from ectopy.evaluation.compare_scores import spread
from ectopy.evaluation.curves import FALSE_POSITIVE_RATES, RECALLS, class_curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.evaluation.curves import Curves
    from ectopy.evaluation.panel import Panel
    from ectopy.evaluation.runs import RunResult

DRAWN_REFERRED = np.linspace(0, 0.2, 81)
"""Shares of beats left to a human at which the curve is kept."""

EPOCH_MEASURES = ("train_loss", "val_loss", "val_macro_f1")
"""What is kept of each epoch."""


def calibration(panel: Panel, model: str) -> dict[str, Any]:
    """Reliability of a model's certainties, the beats of all its seeds together.

    Returns
    -------
    dict
        ``temperature`` (mean and standard deviation) and two tables, ``unscaled``, before the
        temperature, and ``as_given``, as the bundle gives the probabilities, from the least certain
        beats to the most: ``n``, ``confidence``, ``accuracy``.
    """
    rows = panel.models[model]
    right = (panel.predicted[rows] == panel.true).ravel()
    unscaled = np.concatenate([panel.unscaled(row).max(axis=1) for row in rows])
    as_given = np.concatenate([panel.probabilities(row).max(axis=1) for row in rows])
    return {
        "temperature": spread([panel.runs[row].temperature for row in rows]),
        "unscaled": [one._asdict() for one in reliability(right, unscaled)],
        "as_given": [one._asdict() for one in reliability(right, as_given)],
    }


def referral(panel: Panel, model: str) -> dict[str, Any]:
    """Error rate of the rest once the least certain beats are left to a human.

    Returns
    -------
    dict
        ``referred`` and ``errors`` (mean and standard deviation over seeds) at some shares, the
        ``area`` under the whole curve, and ``curve`` (``referred``, ``error``), the mean over
        seeds. Certainties are those that the bundle gives.
    """
    right = panel.predicted == panel.true
    curves = [
        risk_coverage(right[row], panel.probabilities(row).max(axis=1))
        for row in panel.models[model]
    ]
    drawn = [np.mean([curve.at(share) for curve in curves]) for share in DRAWN_REFERRED]
    return {
        "referred": list(REFERRED),
        "errors": [spread([curve.at(share) for curve in curves]) for share in REFERRED],
        "area": spread([curve.area for curve in curves]),
        "curve": {"referred": _short(DRAWN_REFERRED), "error": _short(np.array(drawn))},
    }


def class_curve_means(panel: Panel, model: str) -> dict[str, Any]:
    """ROC and precision-recall curves of each class against the rest, the mean over seeds.

    Returns
    -------
    dict
        ``false_positive_rate`` and ``recall``, the points; by class ``sensitivity`` and
        ``precision`` there, and ``average_precision``, or None where the class does not occur.
    """
    rows = panel.models[model]
    probabilities = [panel.probabilities(row) for row in rows]
    return {
        "false_positive_rate": _short(FALSE_POSITIVE_RATES),
        "recall": _short(RECALLS),
        "classes": {
            name: _mean_curves([class_curves(panel.true == c, one[:, c]) for one in probabilities])
            for c, name in enumerate(CLASSES)
        },
    }


def _mean_curves(curves: Sequence[Curves | None]) -> dict[str, Any] | None:
    known = [one for one in curves if one is not None]
    if not known:
        return None
    return {
        "sensitivity": _short(np.mean([one.sensitivity for one in known], axis=0)),
        "precision": _short(np.mean([one.precision for one in known], axis=0)),
        "average_precision": spread([one.average_precision for one in known]),
    }


def epoch_means(runs: Sequence[RunResult]) -> list[dict[str, Any]]:
    """Training curves over seeds, epoch by epoch.

    Parameters
    ----------
    runs : sequence of RunResult
        The seeds of one model.

    Returns
    -------
    list of dict
        ``epoch``, ``seeds`` (how many got there), and for each of `EPOCH_MEASURES` ``mean``,
        ``low`` and ``high``, the range over the seeds; None where nothing was noted.
    """
    by_epoch: dict[int, list[dict[str, float]]] = {}
    for run in runs:
        for number, row in enumerate(run.epochs, start=1):
            by_epoch.setdefault(int(row.get("epoch", number)), []).append(row)
    return [
        {
            "epoch": epoch,
            "seeds": len(rows),
            **{name: _range([row.get(name) for row in rows]) for name in EPOCH_MEASURES},
        }
        for epoch, rows in sorted(by_epoch.items())
    ]


def _range(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    return {"mean": float(np.mean(known)), "low": min(known), "high": max(known)}


def per_record(panel: Panel, model: str) -> dict[str, Any]:
    """Beats of each class found, missed and made up in each record, the mean over seeds.

    Returns
    -------
    dict
        By record, then by class: ``n``, ``found`` (called so), ``missed`` (called something else)
        and ``false`` (others called so); ``n`` is a count, the others are means.
    """
    rows = panel.models[model]
    # Records are the units of the bootstrap, in the same order as np.unique gives them.
    matrices = panel.units.matrices[rows].astype(np.float64).mean(axis=0)
    table: dict[str, Any] = {}
    for name, matrix in zip(np.unique(panel.records), matrices, strict=True):
        found = matrix.diagonal()
        n, called = matrix.sum(axis=1), matrix.sum(axis=0)
        table[str(name)] = {
            one: {
                "n": round(float(n[c])),
                "found": float(found[c]),
                "missed": float(n[c] - found[c]),
                "false": float(called[c] - found[c]),
            }
            for c, one in enumerate(CLASSES)
        }
    return table


def _short(values: NDArray[np.floating[Any]]) -> list[float]:
    """Six digits, which is more than a figure shows."""
    return [round(float(value), 6) for value in values]
