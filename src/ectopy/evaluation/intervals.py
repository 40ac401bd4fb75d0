"""How far a score would swing on other beats, or on other patients: the bootstrap.

What is drawn anew is a unit: a beat under a random split, a record under a patient-wise one, since
beats of one patient are alike and count for less than as many strangers' beats would. Every model
and every seed is scored on the same draw, so that differences are paired, and the scores of a
model's seeds are averaged within a draw. So an interval is about the test beats or patients; how
far training seeds lie apart is told by the standard deviation over seeds.

Percentile intervals: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import RunError
from ectopy.evaluation.metrics import matrix_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
SEED = 20_000
"""Of the draws; fixed, so that the same predictions give the same intervals."""

_N = len(CLASSES)
_CHUNK = 500
"""Draws multiplied out at a time, which keeps the memory of many runs small."""


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn anew, and what every run makes of it.

    Attributes
    ----------
    kind : {"beats", "records"}
    counts : ndarray of int64, shape (units,)
        How often each unit occurs in the test part.
    matrices : ndarray of float32, shape (runs, units, 5, 5)
        Confusion matrix of each run on one occurrence of each unit.
    """

    kind: str
    counts: NDArray[np.int64]
    matrices: NDArray[np.float32]

    def observed(self) -> NDArray[np.float64]:
        """Confusion matrix of each run on the whole test part, shape (runs, 5, 5)."""
        counts = self.counts.astype(np.float64)
        return np.asarray(np.einsum("u,ruij->rij", counts, self.matrices), dtype=np.float64)


class Interval(NamedTuple):
    """A range of percentiles; None where no draw has a score."""

    low: float | None
    high: float | None


def beat_units(true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]) -> Units:
    """Make every beat a unit.

    Beats of one true class that every run classes alike are one unit that occurs several times:
    drawing its number from a multinomial distribution is drawing beats, at a fraction of the cost.

    Parameters
    ----------
    true : ndarray of int, shape (beats,)
        True classes.
    predicted : ndarray of int, shape (runs, beats)
        Classes given by each run.

    Raises
    ------
    RunError
        If there is no beat or no run, or the shapes do not go together.
    """
    _check(true, predicted)
    answers = np.vstack([true[None], predicted]).astype(np.int8)
    distinct, counts = np.unique(answers, axis=1, return_counts=True)
    matrices = np.zeros((len(predicted), len(counts), _N, _N), dtype=np.float32)
    runs, units = np.indices(distinct[1:].shape)
    matrices[runs, units, distinct[0][None], distinct[1:]] = 1
    return Units("beats", counts.astype(np.int64), matrices)


def record_units(
    true: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    records: NDArray[np.str_],
) -> Units:
    """Make every record, and with it every patient, a unit.

    Parameters
    ----------
    true, predicted
        As in `beat_units`.
    records : ndarray of str, shape (beats,)
        Record of each beat.

    Raises
    ------
    RunError
        As `beat_units` does.
    """
    _check(true, predicted)
    _, record = np.unique(records, return_inverse=True)
    n_records = int(record.max()) + 1
    place = record.astype(np.int64) * _N + true
    cells = n_records * _N * _N
    counted = [np.bincount(place * _N + one, minlength=cells) for one in predicted]
    matrices = np.array(counted, dtype=np.float32).reshape(len(predicted), n_records, _N, _N)
    return Units("records", np.ones(n_records, dtype=np.int64), matrices)


def _check(true: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]) -> None:
    if not len(true) or predicted.ndim != 2 or predicted.shape != (len(predicted), len(true)):
        msg = f"cannot draw from {len(true)} beats and predictions of shape {predicted.shape}; "
        raise RunError(msg + "give one row a run and one column a beat")
    if not len(predicted):
        msg = "there is no run to draw for; give one or more"
        raise RunError(msg)


def resample(units: Units, *, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float32]:
    """Draw the test part anew, as many units as it has, many times.

    Parameters
    ----------
    units : Units
    resamples : int
        Number of draws.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray of float32, shape (resamples, runs, 5, 5)
        Confusion matrix of each run on each draw.

    Raises
    ------
    RunError
        If there is to be no draw.

    Examples
    --------
    >>> units = beat_units(np.array([0, 0, 2]), np.array([[0, 2, 2]]))
    >>> resample(units, resamples=4).sum(axis=(2, 3)).tolist()
    [[3.0], [3.0], [3.0], [3.0]]
    """
    if resamples < 1:
        msg = f"cannot work with {resamples} resamples; give 1 or more, such as {RESAMPLES}"
        raise RunError(msg)
    n = int(units.counts.sum())
    runs = len(units.matrices)
    # float32 holds counts up to 16 million exactly, and is twice as fast.
    flat = units.matrices.transpose(1, 0, 2, 3).reshape(len(units.counts), -1)
    rng = np.random.default_rng(seed)
    parts = [
        rng.multinomial(n, units.counts / n, size=min(_CHUNK, resamples - start)).astype(np.float32)
        @ flat
        for start in range(0, resamples, _CHUNK)
    ]
    return np.concatenate(parts).reshape(resamples, runs, _N, _N)


def seed_means(scores: dict[str, Any], runs: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """Average the scores of some runs, draw by draw.

    Parameters
    ----------
    scores : dict of str to ndarray, shape (resamples, runs, ...)
        As `ectopy.evaluation.metrics.matrix_scores` gives of what `resample` gives.
    runs : sequence of int
        The seeds of one model.

    Returns
    -------
    dict of str to ndarray, shape (resamples, ...)
        NaN where a draw has no beat of the class.
    """
    return {name: values[:, list(runs)].mean(axis=1) for name, values in scores.items()}


def percentile_interval(values: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """Range that the middle share of the draws lies in.

    Parameters
    ----------
    values : ndarray of float, shape (resamples,)
        Score of each draw; NaN, where a draw has none, is left out.
    level : float
        Share of the draws inside.

    Examples
    --------
    >>> [round(end, 3) for end in percentile_interval(np.arange(41.0))]
    [1.0, 39.0]
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(None, None)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def bootstrap_p(differences: NDArray[np.float64]) -> float | None:
    """Two-sided p of a difference: the smallest level at which its percentile interval excludes 0.

    Parameters
    ----------
    differences : ndarray of float, shape (resamples,)
        Paired differences, draw by draw; NaN is left out.

    Returns
    -------
    float or None
        At least 2 / (resamples + 1), since what was observed counts as a draw (Davison and Hinkley
        1997, Bootstrap Methods and their Application, section 4.2); None where there is no draw.

    Examples
    --------
    >>> bootstrap_p(np.array([0.1] * 18 + [-0.1]))
    0.2
    """
    known = differences[~np.isnan(differences)]
    if not len(known):
        return None
    tail = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (1 + tail) / (len(known) + 1))


def bootstrap_scores(
    units: Units, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, NDArray[np.float64]]:
    """Score every run on every draw.

    Parameters
    ----------
    units, resamples, seed
        As in `resample`.

    Returns
    -------
    dict of str to ndarray, shape (resamples, runs) or (resamples, runs, 5)
        As `ectopy.evaluation.metrics.matrix_scores` names them.

    Examples
    --------
    >>> true = np.repeat([0, 1], [90, 10])
    >>> drawn = bootstrap_scores(beat_units(true, np.zeros((1, 100), dtype=int)))
    >>> low, high = percentile_interval(drawn["accuracy"][:, 0])
    >>> 0.82 < low < 0.86 and 0.94 < high < 0.97
    True
    """
    return matrix_scores(resample(units, resamples=resamples, seed=seed))
