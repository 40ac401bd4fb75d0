"""Whether two models differ by more than chance: McNemar's test, sign flips, Holm's correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.errors import RunError
from ectopy.evaluation.metrics import matrix_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FLIPS = 10_000
"""Random flips, where there are too many to try them all."""

EXACT_UNITS = 12
"""Up to so many records every flip is tried: 4,096 of them."""

SEED = 30_000
"""Of the flips; fixed, so that the same predictions give the same p."""


class McNemar(NamedTuple):
    """Beats that one of two models has right and the other wrong.

    Attributes
    ----------
    only_first, only_second : int
        Beats that only this model has right.
    p : float
        Two-sided; 1 where the models have the same beats right.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(right_first: NDArray[np.bool_], right_second: NDArray[np.bool_]) -> McNemar:
    """Compare how often two models are right on the same beats.

    Only the beats on which they differ speak: if the models were equally good, each of these would
    be as likely to be the first one's as the second one's (McNemar 1947, Psychometrika 12:153-157).
    The p is the exact one of the binomial distribution at any number of beats, so that it needs
    neither an approximation nor its continuity correction.

    Beats are taken as independent. Those of one patient are not, so that the p is too small where
    patients, and not beats, are what a result shall hold for.

    Parameters
    ----------
    right_first, right_second : ndarray of bool, shape (beats,)
        Whether each model has the beat right; of several seeds, `majority_right`.

    Raises
    ------
    RunError
        If the two are not about the same number of beats.

    Examples
    --------
    >>> mcnemar(np.array([1, 1, 1, 1, 0], bool), np.array([0, 0, 0, 1, 0], bool))
    McNemar(only_first=3, only_second=0, p=0.25)
    """
    from scipy.stats import binomtest

    if right_first.shape != right_second.shape:
        msg = f"cannot pair {right_first.shape} beats with {right_second.shape}; "
        raise RunError(msg + "give both models' answers to the same beats")
    only_first = int((right_first & ~right_second).sum())
    only_second = int((right_second & ~right_first).sum())
    n = only_first + only_second
    p = float(binomtest(only_first, n).pvalue) if n else 1.0
    return McNemar(only_first, only_second, p)


def majority_right(
    true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Whether more than half of a model's seeds have a beat right.

    A beat counts once, however many seeds there are: pooling the seeds would make beats look like
    many more than they are, and every p too small.

    Parameters
    ----------
    true : ndarray of int, shape (beats,)
    predicted : ndarray of int, shape (seeds, beats)

    Returns
    -------
    ndarray of bool, shape (beats,)
        An even number of seeds that is divided has not got the beat right.

    Examples
    --------
    >>> majority_right(np.array([0, 2]), np.array([[0, 2], [0, 0], [1, 0]])).tolist()
    [True, False]
    """
    right: NDArray[np.bool_] = 2 * (predicted == true).sum(axis=0) > len(predicted)
    return right


def sign_flip_p(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    *,
    flips: int = FLIPS,
    seed: int = SEED,
) -> dict[str, Any]:
    """Test whether two models differ, patient by patient.

    If they did not, it would be chance which of the two gave which answers to a patient's beats. So
    the models swap their whole confusion matrices of a record, or do not, record by record, and
    the difference of their scores is compared with what it is under all swaps (up to `EXACT_UNITS`
    records) or under `flips` random ones. The observed one counts among the latter, so that no p is
    0 (Phipson and Smyth 2010, Stat Appl Genet Mol Biol 9:39; for permuting per-unit contributions
    to F1: Yeh 2000, COLING, 947-953).

    Parameters
    ----------
    first, second : ndarray of float, shape (records, 5, 5)
        Confusion matrix of each record, the mean over a model's seeds.
    flips : int
        Number of random flips.
    seed : int
        Of the random flips.

    Returns
    -------
    dict
        ``exact``, ``flips`` (how many were tried), and by score, as
        `ectopy.evaluation.metrics.matrix_scores` names them, the two-sided ``p``: a float, or for
        scores of classes a list of five; None where a class does not occur.

    Raises
    ------
    RunError
        If the models have not the same records, or there is none.

    Examples
    --------
    >>> good, bad = np.zeros((2, 3, 5, 5))
    >>> good[:, 0, 0], bad[:, 0, 0], bad[:, 0, 1] = 10, 9, 1
    >>> sign_flip_p(good, bad)["p"]["accuracy"]  # 2 of the 8 ways to swap are as extreme
    0.25
    """
    if first.shape != second.shape or not len(first):
        msg = f"cannot pair records of shape {first.shape} with {second.shape}; "
        raise RunError(msg + "give both models' answers to the same records")
    n = len(first)
    exact = n <= EXACT_UNITS
    if exact:
        swaps = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        swaps = np.random.default_rng(seed).integers(0, 2, (flips, n))
        swaps = np.vstack([np.zeros((1, n), dtype=swaps.dtype), swaps])  # the observed one first
    change = (second - first).reshape(n, -1).astype(np.float64)
    moved = (swaps @ change).reshape(-1, *first.shape[1:])
    scores_first = matrix_scores(first.sum(axis=0) + moved)
    scores_second = matrix_scores(second.sum(axis=0) - moved)
    p = {name: _share_as_far(scores_first[name] - scores_second[name]) for name in scores_first}
    return {"exact": exact, "flips": len(swaps), "p": p}


def _share_as_far(differences: NDArray[np.float64]) -> Any:
    """Share of the differences as far from 0 as the first one; of each column, where several."""
    # Sums in another order may differ in the last digits from what is in truth the same.
    as_far = np.abs(differences) >= np.abs(differences[0]) - 1e-12
    shares = np.where(np.isnan(differences[0]), np.nan, as_far.mean(axis=0))
    plain = [None if np.isnan(share) else float(share) for share in np.atleast_1d(shares)]
    return plain if shares.ndim else plain[0]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p values for their number (Holm 1979, Scand J Statist 6:65-70).

    The chance that any of them falls below a level although nothing differs is then at most that
    level.

    Parameters
    ----------
    p_values : sequence of float or None
        None, where a test could not be made, is not counted.

    Examples
    --------
    >>> holm([0.01, None, 0.5, 0.02])
    [0.03, None, 0.5, 0.04]
    """
    known = sorted((p, row) for row, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, row) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        corrected[row] = largest
    return corrected
