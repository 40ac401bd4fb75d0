"""Scores of a classification, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

NSVF = [CLASSES.index(name) for name in "NSVF"]


def confusion_matrix(
    true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Count beats by true and predicted class.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (beats,)
        Indices into `ectopy.beats.CLASSES`.

    Returns
    -------
    ndarray of int64, shape (5, 5)
        Rows are true, columns predicted classes.
    """
    n = len(CLASSES)
    pairs = true.astype(np.int64) * n + predicted
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.floating[Any]]) -> float | None:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    Computed from ranks (Hanley and McNeil 1982, Radiology 143:29-36).

    Parameters
    ----------
    positive : ndarray of bool, shape (beats,)
    score : ndarray of float, shape (beats,)

    Returns
    -------
    float or None
        None where one of the two groups is empty.
    """
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = rankdata(score)
    wins = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(wins / (n_positive * n_negative))


def _ratio(part: NDArray[np.integer[Any]], whole: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Element-wise share, 0 where there is nothing to share."""
    out = np.zeros(len(part))
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def score_classes(
    true: NDArray[np.integer[Any]],
    probabilities: NDArray[np.floating[Any]],
    *,
    with_auc: bool = True,
) -> dict[str, Any]:
    """Score a classification.

    Parameters
    ----------
    true : ndarray of int, shape (beats,)
        True classes as indices into `ectopy.beats.CLASSES`.
    probabilities : ndarray of float, shape (beats, 5)
    with_auc : bool
        Whether to compute areas under the ROC curve, the slow part.

    Returns
    -------
    dict
        ``n``, ``accuracy``, ``macro_f1`` (mean over the five classes), ``macro_f1_nsvf`` (without
        Q), ``weighted_f1`` (by true beats), ``macro_auc`` (one against the rest, mean over
        the classes that occur), ``per_class`` with precision, recall, f1, auc and n of each, and
        ``confusion_matrix``. A ratio over nothing is 0, as in scikit-learn with
        ``zero_division=0``.
    """
    matrix = confusion_matrix(true, probabilities.argmax(axis=1))
    hits, n_true, n_predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = _ratio(hits, n_predicted), _ratio(hits, n_true)
    f1 = _ratio(2 * hits, n_true + n_predicted)
    n = int(n_true.sum())
    aucs = [
        roc_auc(true == c, probabilities[:, c]) if with_auc else None for c in range(len(CLASSES))
    ]
    known = [auc for auc in aucs if auc is not None]
    return {
        "n": n,
        "accuracy": float(hits.sum() / n) if n else 0.0,
        "macro_f1": float(f1.mean()),
        "macro_f1_nsvf": float(f1[NSVF].mean()),
        "weighted_f1": float((f1 * n_true).sum() / n) if n else 0.0,
        "macro_auc": float(np.mean(known)) if known else None,
        "per_class": {
            name: {
                "precision": float(precision[c]),
                "recall": float(recall[c]),
                "f1": float(f1[c]),
                "auc": aucs[c],
                "n": int(n_true[c]),
            }
            for c, name in enumerate(CLASSES)
        },
        "confusion_matrix": matrix.tolist(),
    }


def matrix_scores(matrices: NDArray[np.integer[Any] | np.floating[Any]]) -> dict[str, Any]:
    """Score a stack of confusion matrices at once.

    A class without a true beat has no scores and takes no part in a macro F1; a ratio over nothing
    is 0 otherwise. Where every class occurs, the scores are those of `score_classes`.

    Parameters
    ----------
    matrices : ndarray, shape (..., 5, 5)
        Counts, or mean counts; rows are true, columns predicted classes.

    Returns
    -------
    dict
        ``accuracy``, ``macro_f1``, ``macro_f1_nsvf`` and ``weighted_f1`` of shape (...), and
        ``precision``, ``recall`` and ``f1`` of shape (..., 5); NaN where there is no score.

    Examples
    --------
    >>> scores = matrix_scores(np.diag([6, 2, 0, 0, 0]) + np.eye(5, k=1)[None] * [0, 2, 0, 0, 0])
    >>> scores["accuracy"].tolist(), scores["f1"].round(3).tolist()
    ([0.8], [[0.857, 0.667, nan, nan, nan]])
    """
    counts = np.asarray(matrices, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    n_true, n_predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    n = n_true.sum(axis=-1)
    occurs = n_true > 0
    f1 = _share(2 * hits, n_true + n_predicted, occurs)
    return {
        "accuracy": _share(hits.sum(axis=-1), n, n > 0),
        "macro_f1": _mean_known(f1),
        "macro_f1_nsvf": _mean_known(f1[..., NSVF]),
        "weighted_f1": _share(np.nansum(f1 * n_true, axis=-1), n, n > 0),
        "precision": _share(hits, n_predicted, occurs),
        "recall": _share(hits, n_true, occurs),
        "f1": f1,
    }


def _share(
    part: NDArray[np.float64], whole: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Element-wise share: NaN where not known, 0 where there is nothing to share."""
    out = np.where(known, 0.0, np.nan)
    np.divide(part, whole, out=out, where=known & (whole > 0))
    return out


def _mean_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis of what is no NaN; NaN where all are."""
    known = ~np.isnan(values)
    return _share(
        np.nansum(values, axis=-1), known.sum(axis=-1) * 1.0, np.asarray(known.any(axis=-1))
    )
