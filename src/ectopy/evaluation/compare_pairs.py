"""Differences of two models on the same beats: how large, how sure, after how many tests."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import RunError
from ectopy.evaluation.intervals import bootstrap_p, percentile_interval, seed_means
from ectopy.evaluation.significance import holm, majority_right, mcnemar, sign_flip_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ectopy.evaluation.panel import Panel

NAMED_PAIRS = (("cnn-kan", "cnn-mlp"), ("rhythm-kan", "rhythm-mlp"))
"""The same encoder with one head and the other: what comes first, and with this sign."""

COMPARED = ("accuracy", "macro_f1", "macro_f1_nsvf", *(f"f1_{name}" for name in CLASSES))
"""Scores whose differences are given; ``f1_S`` is the F1 of class S."""


def compare_pairs(
    panel: Panel, pairs: Sequence[tuple[str, str]] | None = None
) -> list[dict[str, Any]]:
    """Compare models two at a time.

    Parameters
    ----------
    panel : Panel
    pairs : sequence of (str, str), optional
        The first minus the second. All pairs there are unless given.

    Returns
    -------
    list of dict
        One a pair: ``first``, ``second`` and ``differences``, by score of `COMPARED`: ``point``
        (of the means over seeds), ``low``, ``high`` and ``p`` of the paired bootstrap. Over beats
        also ``mcnemar``; over records each difference also has ``p_flip``, of swaps by record, and
        ``flips`` says how many were tried. Every ``p`` has a corrected ``p_holm`` beside it.

    Raises
    ------
    RunError
        If a pair names a model that is not there, or one model twice.
    """
    chosen = _all_pairs(panel.models) if pairs is None else list(pairs)
    for pair in chosen:
        unknown = [name for name in pair if name not in panel.models]
        if unknown:
            msg = f"there is no run of {unknown[0]!r} to compare; there are runs of: "
            raise RunError(msg + ", ".join(panel.models))
        if pair[0] == pair[1]:
            msg = f"cannot compare {pair[0]!r} with itself; name two models"
            raise RunError(msg)
    comparisons = [_compare(panel, first, second) for first, second in chosen]
    differences = [one["differences"][key] for one in comparisons for key in COMPARED]
    _correct(differences, "p")
    _correct(differences, "p_flip")
    _correct([one["mcnemar"] for one in comparisons if "mcnemar" in one], "p")
    return comparisons


def multiplicity(comparisons: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Say how many tests there are, and what was done about it."""
    n_pairs, n_scores = len(comparisons), len(COMPARED)
    return {
        "pairs": n_pairs,
        "scores": n_scores,
        "tests": n_pairs * n_scores,
        "method": (
            f"Holm, within each kind of test: over {n_pairs} x {n_scores} differences, and over "
            f"{n_pairs} McNemar tests where there are any"
        ),
    }


def _all_pairs(models: Iterable[str]) -> list[tuple[str, str]]:
    """Every pair once, those of `NAMED_PAIRS` first and with their sign."""
    names = list(models)
    named = [pair for pair in NAMED_PAIRS if set(pair) <= set(names)]
    others = combinations(names, 2)
    return named + [pair for pair in others if pair not in named and pair[::-1] not in named]


def _compare(panel: Panel, first: str, second: str) -> dict[str, Any]:
    rows = panel.models[first], panel.models[second]
    point = [_flat({k: v[None] for k, v in panel.scores.items()}, one) for one in rows]
    drawn = [_flat(panel.drawn, one) for one in rows]
    differences: dict[str, Any] = {}
    for key in COMPARED:
        shifts = drawn[0][key] - drawn[1][key]
        observed = float(point[0][key][0] - point[1][key][0])
        differences[key] = {
            "point": None if np.isnan(observed) else observed,
            **percentile_interval(shifts)._asdict(),
            "p": bootstrap_p(shifts),
        }
    compared: dict[str, Any] = {"first": first, "second": second, "differences": differences}
    if panel.unit == "beats":
        right = [majority_right(panel.true, panel.predicted[one]) for one in rows]
        return compared | {"mcnemar": mcnemar(*right)._asdict()}
    matrices = [panel.units.matrices[one].astype(np.float64).mean(axis=0) for one in rows]
    swapped = sign_flip_p(*matrices)
    for key in COMPARED:
        of_class = key.startswith("f1_")
        p = swapped["p"]["f1"][CLASSES.index(key[-1])] if of_class else swapped["p"][key]
        differences[key]["p_flip"] = p
    return compared | {"flips": swapped["flips"], "flips_exact": swapped["exact"]}


def _flat(
    scores: dict[str, NDArray[np.float64]], rows: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """Mean over seeds of each score of `COMPARED`, draw by draw."""
    means = seed_means(scores, rows)
    flat = {key: means[key] for key in COMPARED if key in means}
    return flat | {f"f1_{name}": means["f1"][:, c] for c, name in enumerate(CLASSES)}


def _correct(tests: Sequence[dict[str, Any]], key: str) -> None:
    """Put the corrected p beside each p of one kind of test."""
    made = [test for test in tests if key in test]
    for test, corrected in zip(made, holm([test[key] for test in made]), strict=True):
        test[f"{key}_holm"] = corrected
