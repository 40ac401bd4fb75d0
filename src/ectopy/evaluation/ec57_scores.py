"""What a beat-by-beat matrix says: sensitivity, positive predictivity, false positive rate.

Rows of a matrix are the classes of the reference, columns those of the test annotations, both in
the order N S V F Q O X. O and X stand for no beat at all: X where the other file could not be read
there, O everywhere else.

QRS scores take a beat as found whatever its class. Those for ventricular (VEB) and supraventricular
(SVEB) ectopic beats follow the rules of EC57 on beats that nobody can class with confidence: a
fusion beat (F) or an unclassifiable one (Q) that is called V is no false positive, and a beat of
class Q that is called S is none either. Neither is counted as a true negative then. A false
positive rate is that of beats which are not of the class, found beats without a counterpart
among them. (bxb(1) and "Evaluating ECG Analyzers", both in the WFDB Applications Guide.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ROWS = ("N", "S", "V", "F", "Q", "O", "X")
"""Classes of the reference, one a row of every matrix."""

COLUMNS = ("n", "s", "v", "f", "q", "o", "x")
"""Classes of the test annotations, one a column of every matrix."""

RATES = {"qrs": ("se", "ppv"), "veb": ("se", "ppv", "fpr"), "sveb": ("se", "ppv", "fpr")}
"""The rates of each group of scores."""

_FOUND, _NOT_THERE = "NSVFQ", "OX"


def scores_of_matrix(matrix: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Score a beat-by-beat matrix.

    Parameters
    ----------
    matrix : ndarray of int64, shape (7, 7)
        Beats of each pair of classes, see `ROWS` and `COLUMNS`.

    Returns
    -------
    dict
        `qrs`, `veb` and `sveb`, each with the counts `tp`, `fn` and `fp` (and `tn`, but for
        `qrs`), the sensitivity `se`, the positive predictivity `ppv` (+P), and, but for `qrs`, the
        false positive rate `fpr`. Rates lie between 0 and 1, and are None where nothing could be
        counted.

    Examples
    --------
    >>> matrix = np.zeros((7, 7), dtype=np.int64)
    >>> matrix[0, 0], matrix[2, 2], matrix[2, 5] = 90, 9, 1
    >>> scores_of_matrix(matrix)["veb"]
    {'tp': 9, 'fn': 1, 'fp': 0, 'tn': 90, 'se': 0.9, 'ppv': 1.0, 'fpr': 0.0}
    """

    def count(rows: str, columns: str) -> int:
        chosen = np.ix_([ROWS.index(r) for r in rows], [COLUMNS.index(c.lower()) for c in columns])
        return int(matrix[chosen].sum())

    qrs = {
        "tp": count(_FOUND, _FOUND),
        "fn": count(_FOUND, _NOT_THERE),
        "fp": count(_NOT_THERE, _FOUND),
    }
    return {
        "qrs": _with_rates(qrs),
        "veb": _with_rates(_ectopic(count, "V", excused="FQ")),
        "sveb": _with_rates(_ectopic(count, "S", excused="Q")),
    }


def _ectopic(count: Callable[[str, str], int], name: str, *, excused: str) -> dict[str, int]:
    """Count for the class `name`; taking one of the `excused` classes for it is no fault."""
    others = "".join(ROWS).replace(name, "")
    answers = _FOUND.replace(name, "")
    return {
        "tp": count(name, name),
        "fn": count(name, answers + _NOT_THERE),
        "fp": count("".join(row for row in others if row not in excused), name),
        "tn": count(others, answers),
    }


def _with_rates(counts: dict[str, int]) -> dict[str, Any]:
    tp, fn, fp, tn = (counts.get(key) for key in ("tp", "fn", "fp", "tn"))
    rates = {"se": _ratio(tp, fn), "ppv": _ratio(tp, fp)}
    if tn is not None:
        rates["fpr"] = _ratio(fp, tn)
    return {**counts, **rates}


def _ratio(part: int | None, rest: int | None) -> float | None:
    """Share of `part` in both together; None where there is neither."""
    part, rest = part or 0, rest or 0
    return part / (part + rest) if part + rest else None


def sumstats_sveb_ppv(matrix: NDArray[np.int64]) -> float | None:
    """Positive predictivity for SVEB as `sumstats` of WFDB has it in its gross and average lines.

    There, unlike in the lines of `bxb` that it sums up, a fusion beat that is called S is no false
    positive.
    """
    without_fusion = matrix.copy()
    without_fusion[ROWS.index("F")] = 0
    ppv: float | None = scores_of_matrix(without_fusion)["sveb"]["ppv"]
    return ppv


def gross(matrices: Sequence[NDArray[np.int64]]) -> dict[str, dict[str, Any]]:
    """Score all records as one: every beat weighs the same.

    Returns
    -------
    dict
        As `scores_of_matrix` gives; `sveb` has the positive predictivity as `sumstats` of WFDB
        reckons it as well, as `ppv_sumstats`, see `sumstats_sveb_ppv`.
    """
    pooled = np.sum(matrices, axis=0)
    scores = scores_of_matrix(pooled)
    scores["sveb"]["ppv_sumstats"] = sumstats_sveb_ppv(pooled)
    return scores


def average(
    matrices: Sequence[NDArray[np.int64]],
) -> tuple[dict[str, dict[str, float | None]], dict[str, dict[str, int]]]:
    """Average each rate over the records: every record weighs the same.

    A record in which a rate is undefined takes no part in the average of that rate, as in
    `sumstats` of WFDB.

    Returns
    -------
    averages : dict
        `qrs`, `veb` and `sveb`, each with its rates; None where no record has the rate. `sveb`
        has `ppv_sumstats` as well, see `sumstats_sveb_ppv`.
    records : dict
        The same with the number of records that took part.
    """
    means: dict[str, dict[str, float | None]] = {}
    numbers: dict[str, dict[str, int]] = {}
    scored = [scores_of_matrix(matrix) for matrix in matrices]
    for group, rates in RATES.items():
        columns = {rate: [scores[group][rate] for scores in scored] for rate in rates}
        if group == "sveb":
            columns["ppv_sumstats"] = [sumstats_sveb_ppv(matrix) for matrix in matrices]
        defined = {
            rate: [value for value in values if value is not None]
            for rate, values in columns.items()
        }
        means[group] = {
            rate: float(np.mean(values)) if values else None for rate, values in defined.items()
        }
        numbers[group] = {rate: len(values) for rate, values in defined.items()}
    return means, numbers
