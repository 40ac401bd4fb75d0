"""ROC and precision-recall curves of one class against the rest, on points that models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FALSE_POSITIVE_RATES = np.concatenate([[0.0], np.logspace(-4, 0, 81)])
"""Where ROC curves are read: close together near 0, where good models differ."""

RECALLS = np.linspace(0, 1, 101)
"""Where precision-recall curves are read."""


class Curves(NamedTuple):
    """Curves of one class against the rest.

    Attributes
    ----------
    sensitivity : ndarray of float64, shape (82,)
        The highest that a threshold gives at a false positive rate of at most
        `FALSE_POSITIVE_RATES`.
    precision : ndarray of float64, shape (101,)
        The highest that a threshold gives at a recall of at least `RECALLS`, which is the
        interpolated precision of Manning, Raghavan and Schuetze 2008, Introduction to Information
        Retrieval, section 8.4.
    average_precision : float
        Precision at each positive, averaged: the area under the curve that is not interpolated.
    """

    sensitivity: NDArray[np.float64]
    precision: NDArray[np.float64]
    average_precision: float


def class_curves(positive: NDArray[np.bool_], score: NDArray[np.floating[Any]]) -> Curves | None:
    """Move a threshold through the scores and see what is found, and what is found wrongly.

    Parameters
    ----------
    positive : ndarray of bool, shape (beats,)
        Whether each beat is of the class.
    score : ndarray of float, shape (beats,)
        Probability of the class. Equal ones come together.

    Returns
    -------
    Curves or None
        None where one of the two groups is empty.

    Examples
    --------
    >>> curves = class_curves(np.array([1, 1, 0, 1, 0], bool), np.array([0.9, 0.8, 0.7, 0.6, 0.1]))
    >>> curves.sensitivity[[0, -1]].round(3).tolist(), round(curves.average_precision, 3)
    ([0.667, 1.0], 0.917)
    >>> curves.precision[[0, 60, 100]].tolist()
    [1.0, 1.0, 0.75]
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    levels, place = np.unique(-score, return_inverse=True)  # from the highest score down
    found = np.cumsum(np.bincount(place, weights=positive, minlength=len(levels)))
    false = np.cumsum(np.bincount(place, weights=~positive, minlength=len(levels)))
    recall, precision = found / n_positive, found / (found + false)
    # A threshold above every score finds nothing, and nothing wrongly.
    last = np.searchsorted(false / n_negative, FALSE_POSITIVE_RATES, side="right")
    sensitivity = np.concatenate([[0.0], recall])[last]
    best_from = np.maximum.accumulate(precision[::-1])[::-1]
    return Curves(
        sensitivity=sensitivity,
        precision=best_from[np.searchsorted(recall, RECALLS, side="left")],
        average_precision=float((np.diff(recall, prepend=0) * precision).sum()),
    )
