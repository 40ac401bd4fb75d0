"""Scores of one model over its seeds: mean, standard deviation, interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.evaluation.calibration import classwise_calibration_error, expected_calibration_error
from ectopy.evaluation.intervals import percentile_interval, seed_means
from ectopy.evaluation.metrics import roc_auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.evaluation.panel import Panel

WHOLE = ("accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1")
"""Scores of all beats together that have an interval."""

RATES = ("precision", "recall", "f1")
"""Scores of each class that have an interval."""


def spread(values: Sequence[float | None]) -> dict[str, float | None]:
    """Mean and standard deviation over seeds; None where there is none.

    Parameters
    ----------
    values : sequence of float or None
        One a seed; None or NaN is left out.

    Examples
    --------
    >>> spread([1.0, 3.0])
    {'mean': 2.0, 'sd': 1.4142135623730951}
    >>> spread([1.0])
    {'mean': 1.0, 'sd': None}
    """
    known = [value for value in values if value is not None and not np.isnan(value)]
    return {
        "mean": float(np.mean(known)) if known else None,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
    }


def summarise(panel: Panel, model: str) -> dict[str, Any]:
    """Summarise the scores of one model over its seeds.

    Parameters
    ----------
    panel : Panel
    model : str

    Returns
    -------
    dict
        ``scores`` (accuracy, F1 over all classes, over N S V F, and weighted by beats; macro AUC
        and the calibration errors without intervals), ``per_class``, and ``confusion_matrix``
        summed over seeds.
    """
    rows = panel.models[model]
    drawn = seed_means(panel.drawn, rows)
    aucs = np.array([_aucs(panel, row) for row in rows])
    known = ~np.isnan(aucs).all(axis=0)  # the true classes are the same for every seed
    macro_auc = aucs[:, known].mean(axis=1) if known.any() else np.full(len(rows), np.nan)
    scores = {name: _with_interval(panel.scores[name][rows], drawn[name]) for name in WHOLE}
    scores["macro_auc"] = spread(macro_auc.tolist())
    scores |= _calibration_errors(panel, rows)
    return {
        "scores": scores,
        "per_class": {
            name: {
                "n": int((panel.true == c).sum()),
                **{
                    rate: _with_interval(panel.scores[rate][rows, c], drawn[rate][:, c])
                    for rate in RATES
                },
                "auc": spread(aucs[:, c].tolist()),
            }
            for c, name in enumerate(CLASSES)
        },
        "confusion_matrix": panel.units.observed()[rows].sum(axis=0).astype(int).tolist(),
    }


def _with_interval(
    over_seeds: NDArray[np.float64], drawn: NDArray[np.float64]
) -> dict[str, float | None]:
    return spread(over_seeds.tolist()) | percentile_interval(drawn)._asdict()


def _aucs(panel: Panel, row: int) -> list[float]:
    """Area under the ROC curve of each class against the rest, NaN where there is none."""
    probabilities = panel.probabilities(row)
    areas = (roc_auc(panel.true == c, probabilities[:, c]) for c in range(len(CLASSES)))
    return [np.nan if area is None else area for area in areas]


def _calibration_errors(panel: Panel, rows: Sequence[int]) -> dict[str, Any]:
    """Errors of the certainties before the bundle's temperature, and as the bundle gives them."""
    measures = {"ece": expected_calibration_error, "classwise_ece": classwise_calibration_error}
    unscaled = [panel.unscaled(row) for row in rows]
    as_given = [panel.probabilities(row) for row in rows]
    errors = {}
    for name, measure in measures.items():
        errors[f"{name}_unscaled"] = spread([measure(panel.true, one) for one in unscaled])
        errors[name] = spread([measure(panel.true, one) for one in as_given])
    return errors
