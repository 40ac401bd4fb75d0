"""Whether a model is as sure as it is right, and what is left to do where it is not sure.

The certainty of an answer is the probability of the class it gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BINS = 15
"""Of reliability, as Guo et al. 2017 have it."""

REFERRED = (0.0, 0.01, 0.02, 0.05, 0.1)
"""Shares of the beats, the least certain ones, that a human is left to look at."""

_TEMPERATURES = (0.05, 20.0)
"""Where a temperature is sought; what is wanted of a trained network is near 1."""

_LEAST = 2.0**-25
"""What stands for a probability of 0 before its logarithm: half the smallest float16."""


class Bin(NamedTuple):
    """Beats of about the same certainty.

    Attributes
    ----------
    n : int
    confidence : float
        Mean of their certainties.
    accuracy : float
        Share of them that is right.
    """

    n: int
    confidence: float
    accuracy: float


def fit_temperature(logits: NDArray[np.floating[Any]], true: NDArray[np.integer[Any]]) -> float:
    """Fit the one number by which logits are divided so that certainties become honest.

    It minimises the negative log-likelihood (Guo, Pleiss, Sun, Weinberger 2017, ICML, section 4.2),
    and does not change which class is given. Fit it on validation beats, never on test beats.

    Parameters
    ----------
    logits : ndarray of float, shape (beats, 5)
    true : ndarray of int, shape (beats,)
        True classes as indices into `ectopy.beats.CLASSES`.

    Returns
    -------
    float
        Above 1 where the network is too sure; within 0.05 and 20.

    Raises
    ------
    RunError
        If there are no beats, or logits that are not finite.

    Examples
    --------
    >>> logits = np.array([[4.0, 0, 0, 0, 0]] * 4)  # 93 % sure, but right in 3 of 4
    >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 2)
    1.61
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    if not len(true) or len(logits) != len(true) or not np.isfinite(logits).all():
        msg = (
            f"cannot fit a temperature to logits of shape {logits.shape} and {len(true)} classes; "
        )
        raise RunError(msg + "give one row of finite logits a beat")
    exact = logits.astype(np.float64)
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(exact / np.exp(log_temperature), axis=1)
        return float(-log_p[rows, true].mean())

    bounds = tuple(np.log(_TEMPERATURES))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def apply_temperature(
    probabilities: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.float64]:
    """Give the probabilities that the same logits have at another temperature.

    Parameters
    ----------
    probabilities : ndarray of float, shape (beats, 5)
        Softmax of the logits; a 0 is taken for half of the smallest float16.
    temperature : float
        As `fit_temperature` gives it.

    Examples
    --------
    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    from scipy.special import softmax

    logits = np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
    return np.asarray(softmax(logits / temperature, axis=1), dtype=np.float64)


def reliability(
    right: NDArray[np.bool_], confidence: NDArray[np.floating[Any]], bins: int = BINS
) -> list[Bin]:
    """Group answers by certainty and see how many of each group are right.

    Groups are of about equal size (Nguyen and O'Connor 2015, EMNLP, section 3.1), not of equal
    width: nearly all beats are near certainty 1, and groups of equal width would hold either nearly
    all of them or a handful. Equal certainties stay in one group, so that the order of beats does
    not matter; so there may be fewer groups than asked for.

    Parameters
    ----------
    right : ndarray of bool, shape (beats,)
        Whether each answer is right.
    confidence : ndarray of float, shape (beats,)
        Its certainty.
    bins : int
        Number of groups.

    Returns
    -------
    list of Bin
        From the least to the most certain.

    Raises
    ------
    RunError
        If there are no beats or no groups.

    Examples
    --------
    >>> right = np.array([False, True, True, True])
    >>> [one.n for one in reliability(right, np.array([0.5, 0.7, 0.9, 0.9]), bins=2)]
    [2, 2]
    """
    if not len(right) or bins < 1:
        msg = f"cannot put {len(right)} beats into {bins} bins; give 1 beat and 1 bin or more"
        raise RunError(msg)
    sure = confidence.astype(np.float64)
    # The certainty of the last beat of each group, in order: group k is (edge k - 1, edge k].
    last = np.ceil(np.arange(1, bins + 1) * len(sure) / bins).astype(int) - 1
    edges = np.unique(np.sort(sure)[last])
    group = np.searchsorted(edges, sure, side="left")
    n = np.bincount(group, minlength=len(edges))
    sums = np.bincount(group, weights=sure), np.bincount(group, weights=right)
    return [
        Bin(int(n[k]), float(sums[0][k] / n[k]), float(sums[1][k] / n[k]))
        for k in range(len(edges))
    ]


def calibration_error(table: Sequence[Bin]) -> float:
    """Sum up a reliability table: mean distance of certainty and accuracy, by beats.

    This is the expected calibration error (Naeini, Cooper, Hauskrecht 2015, AAAI; Guo et al. 2017,
    equation 3).

    Examples
    --------
    >>> round(calibration_error([Bin(1, 0.6, 0.0), Bin(3, 0.9, 1.0)]), 3)
    0.225
    """
    n = sum(one.n for one in table)
    return sum(one.n * abs(one.accuracy - one.confidence) for one in table) / n


def expected_calibration_error(
    true: NDArray[np.integer[Any]], probabilities: NDArray[np.floating[Any]], bins: int = BINS
) -> float:
    """How far the certainty of the given class is from how often it is right, on average.

    Parameters
    ----------
    true : ndarray of int, shape (beats,)
    probabilities : ndarray of float, shape (beats, 5)
    bins : int
        See `reliability`.

    Examples
    --------
    >>> sure = np.array([[0.9, 0.1, 0, 0, 0]] * 4)  # 90 % sure, right in 3 of 4
    >>> round(expected_calibration_error(np.array([0, 0, 0, 1]), sure), 3)
    0.15
    """
    right = probabilities.argmax(axis=1) == true
    return calibration_error(reliability(right, probabilities.max(axis=1), bins))


def classwise_calibration_error(
    true: NDArray[np.integer[Any]], probabilities: NDArray[np.floating[Any]], bins: int = BINS
) -> float:
    """Do the same for the probability of each class, and average over the classes that occur.

    Rare classes weigh as much as others here (Kull et al. 2019, NeurIPS, section 2).

    Parameters
    ----------
    true, probabilities, bins
        As in `expected_calibration_error`.
    """
    errors = [
        calibration_error(reliability(true == c, probabilities[:, c], bins))
        for c in range(probabilities.shape[1])
        if (true == c).any()
    ]
    if not errors:
        msg = "cannot judge the certainty of answers to no beats; give 1 or more"
        raise RunError(msg)
    return float(np.mean(errors))


class RiskCoverage(NamedTuple):
    """What is wrong among the answers that are kept, as the least certain are given up.

    Attributes
    ----------
    errors : ndarray of float64, shape (beats,)
        Share of wrong answers among the k + 1 most certain ones.
    area : float
        Their mean: 0 is perfect, the plain error rate is what guessing the certainty gives.
    """

    errors: NDArray[np.float64]
    area: float

    def at(self, referred: float) -> float:
        """Error rate of the others once a share of the beats, the least certain, is left out."""
        n = len(self.errors)
        kept = n - round(referred * n)
        return float(self.errors[kept - 1]) if kept else 0.0


def risk_coverage(right: NDArray[np.bool_], confidence: NDArray[np.floating[Any]]) -> RiskCoverage:
    """Rank answers by certainty and see what is wrong among the most certain.

    Beats of equal certainty count as if in random order: each has the mean error of them all
    (Geifman and El-Yaniv 2017, NeurIPS; the area as in Geifman et al. 2019, ICLR).

    Parameters
    ----------
    right : ndarray of bool, shape (beats,)
    confidence : ndarray of float, shape (beats,)

    Raises
    ------
    RunError
        If there are no beats.

    Examples
    --------
    >>> curve = risk_coverage(np.array([True, True, True, False]), np.array([0.9, 0.8, 0.7, 0.6]))
    >>> curve.at(0), curve.at(0.25), curve.area
    (0.25, 0.0, 0.0625)
    """
    if not len(right):
        msg = "cannot rank the answers to no beats; give 1 or more"
        raise RunError(msg)
    levels, group = np.unique(-confidence.astype(np.float64), return_inverse=True)
    n = np.bincount(group, minlength=len(levels))
    wrong = np.bincount(group, weights=~right) / n
    errors = np.cumsum(np.repeat(wrong, n)) / np.arange(1, len(right) + 1)
    return RiskCoverage(errors, float(errors.mean()))
