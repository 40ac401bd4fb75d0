"""Rhythm features: when a beat comes, against what the recording makes one expect.

Every feature is a logarithm of a ratio of RR intervals, or counts beats, so that nothing depends on
the patient's own heart rate. They are computed from the times of beats alone, before any is
classed, and are the same in training and analysis.

Two kinds of reference stand side by side, because no single one survives every rhythm: medians of
the beats around tell a single early beat, high percentiles tell a run of them, or a rhythm in which
early beats outnumber the normal ones, so that the local median is theirs. Irregularity tells atrial
fibrillation, where a short interval means nothing; over two minutes, and as how many intervals are
like one another, it does so among ectopic beats as well, since fibrillation lasts and leaves no
interval that is the usual one. Stretches of like intervals tell where a run began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ectopy.errors import SignalError
from ectopy.signal.order import median, percentile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RHYTHM_FEATURES: dict[str, str] = {
    "before_to_median": "log of the RR interval before the beat to the median of the 17 around",
    "after_to_median": "log of the RR interval after the beat to the median of the 17 around",
    "before_to_long": "log of the interval before to the 80th percentile of the 61 around",
    "before_to_overall": "log of the interval before to the 80th percentile of the recording",
    "before_to_slow": "log of the interval before to the 92nd percentile of the recording",
    "change": "log of the interval before to the one before that",
    "previous_to_median": "log of the previous beat's interval to the median of the 17 around",
    "next_to_median": "log of the next beat's interval after it to the median of the 17 around",
    "second_previous_to_median": "the same two beats back",
    "median_to_long": "log of the median of 17 to the 80th percentile of the 61 around",
    "irregularity": "median change of the logarithm from beat to beat, 25 around",
    "least_irregularity": "the least of such medians at distances of 1, 2, 3 and 4 beats",
    "irregularity_long": "median change of the logarithm from beat to beat, 121 around",
    "alike": "log of 0.02 more than the share of the 61 intervals around within 8 % of its own",
    "alike_around": "log of 0.02 more than that share's mean over the 61 beats around",
    "pair_to_median": "log of the mean of the intervals before and after to the median",
    "stretch_to_past": "mean of the beat's stretch of like intervals to the 9 before the stretch",
    "stretch_to_future": "mean of the beat's stretch of like intervals to the 9 after the stretch",
    "before_to_past": "log of the interval before to the 9 before the stretch",
    "before_to_future": "log of the interval before to the 9 after the stretch",
    "stretch_length": "log of the stretch's number of beats, halved",
    "stretch_age": "log of how many beats of the stretch came before, halved",
}
"""Names of the features in their order, and what each is."""

SHORTEST_S, LONGEST_S = 0.2, 4.0
"""Intervals are kept within these limits, so that a pause or a double detection is only one."""

HALF_SHORT, HALF_LONG, HALF_IRREGULAR, HALF_VERY_LONG = 8, 30, 12, 60
ALIKE = 0.08
"""Difference of the logarithms of two intervals that are alike, as in sample entropy (Richman and
Moorman 2000, American Journal of Physiology 278, H2039), which counts such pairs."""

LEAST_SHARE = 0.02
"""Added to such shares before their logarithm; with 61 intervals the least share is 1/61."""
STRETCH_STEP = 0.13
"""Change of the logarithm of an interval that begins a new stretch."""

STRETCH_AROUND = 9
LONG_PERCENTILE, SLOW_PERCENTILE = 80.0, 92.0
LAGS = (1, 2, 3, 4)
MIN_BEATS = 2

PAST_BEATS = 128
"""So many beats before one decide what `past_features` says of it; 121 would be enough."""


def log_intervals(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the RR interval before each beat; the first beat gets the median.

    Parameters
    ----------
    times_s : ndarray of float64, shape (beats,)
        Ascending times in seconds.

    Raises
    ------
    SignalError
        If there are fewer than two beats, so that there is no interval.
    """
    if len(times_s) < MIN_BEATS:
        msg = f"{len(times_s)} beat: rhythm needs at least {MIN_BEATS}; give a longer recording"
        raise SignalError(msg)
    intervals = np.log(np.diff(times_s).clip(SHORTEST_S, LONGEST_S))
    return np.concatenate([[np.median(intervals)], intervals])


def rhythm_features(
    times_s: NDArray[np.float64], typical: slice | None = None
) -> NDArray[np.float32]:
    """Compute the rhythm features of every beat.

    Parameters
    ----------
    times_s : ndarray of float64, shape (beats,)
        Ascending times of all beats of the recording in seconds, of whatever class; annotations
        that are no beats have to be left out before.
    typical : slice, optional
        Beats that stand for the recording: those of the part that beats are compared with, where
        some beside it are given as well; all unless given.

    Returns
    -------
    ndarray of float32, shape (beats, features)
        In the order of `RHYTHM_FEATURES`.

    Raises
    ------
    SignalError
        If there are fewer than two beats.

    Notes
    -----
    The features look at beats on both sides, and two (``before_to_overall``, ``before_to_slow``)
    at the whole recording, without labels: fair for the analysis of a recording, not for a stream.

    Examples
    --------
    >>> early = np.array([0.0, 0.8, 1.6, 2.0, 3.2, 4.0])
    >>> list(RHYTHM_FEATURES).index("before_to_median")
    0
    >>> rhythm_features(early)[3, 0].round(2)  # 0.4 s where 0.8 s are usual
    np.float32(-0.69)
    """
    before = log_intervals(times_s)
    middle = np.median(before)
    after = np.concatenate([before[1:], [middle]])
    return _features(
        before,
        after,
        np.concatenate([after[1:], [middle]]),
        slow_intervals(before if typical is None else before[typical]),
        _stretches(before),
        around,
    )


def past_features(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    slow: NDArray[np.float64],
    stretches: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Compute the rhythm features of the latest beats from what came before them.

    These are the features of a stream: the same as those of `rhythm_features`, but that "around"
    means up to the beat at hand, and that of what is to come only the interval after it is known.
    ``next_to_median`` is 0, what it is in a regular rhythm.

    Parameters
    ----------
    before : ndarray of float64, shape (known,)
        Logarithms of the intervals before beats, the latest last: all since the start of the
        recording, or `PAST_BEATS` more than there are rows of `after`.
    after : ndarray of float64, shape (beats,)
        Logarithms of the intervals after the latest beats; NaN where none came, and then the
        interval is taken to be the usual one.
    slow : ndarray of float64, shape (2,)
        What `slow_intervals` gives for the half hour before.
    stretches : ndarray of float64, shape (6, beats)
        What `StretchSoFar` says of them.

    Returns
    -------
    ndarray of float32, shape (beats, features)
        In the order of `RHYTHM_FEATURES`.
    """
    unknown = np.full(len(after), np.nan)
    return _features(before, after, unknown, slow, stretches, until)


def slow_intervals(before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the two percentiles of log intervals that stand for those that are not early."""
    return np.asarray(np.percentile(before, [LONG_PERCENTILE, SLOW_PERCENTILE]))


def _features(
    known: NDArray[np.float64],
    after: NDArray[np.float64],
    following: NDArray[np.float64],
    slow: NDArray[np.float64],
    stretches: NDArray[np.float64],
    near: Callable[[NDArray[np.float64], int], NDArray[np.float64]],
) -> NDArray[np.float32]:
    """Put the features of the last beats of those known together, as many as `after` has."""
    rows = slice(len(known) - len(after), None)
    before = known[rows]
    middle = median(near(known, HALF_SHORT)[rows])
    after = np.where(np.isnan(after), middle, after)
    following = np.where(np.isnan(following), middle, following)
    long = percentile(near(known, HALF_LONG)[rows], LONG_PERCENTILE)

    def irregularity(lag: int, half: int = HALF_IRREGULAR) -> NDArray[np.float64]:
        change = np.abs(known - _shifted(known, lag))
        return median(near(change, half)[rows])

    irregular = np.stack([irregularity(lag) for lag in LAGS])
    alike = (np.abs(near(known, HALF_LONG) - known[:, None]) < ALIKE).mean(axis=-1)
    pair = np.log((np.exp(before) + np.exp(after)) / 2)
    previous = _shifted(known, 1)[rows]
    columns = [
        before - middle,
        after - middle,
        before - long,
        before - slow[0],
        before - slow[1],
        before - previous,
        previous - middle,
        following - middle,
        _shifted(known, 2)[rows] - middle,
        middle - long,
        irregular[0],
        irregular.min(axis=0),
        irregularity(1, HALF_VERY_LONG),
        np.log(alike[rows] + LEAST_SHARE),
        np.log(near(alike, HALF_LONG)[rows].mean(axis=-1) + LEAST_SHARE),
        pair - middle,
        *stretches,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _shifted(values: NDArray[np.float64], beats: int) -> NDArray[np.float64]:
    """Values of the beat so many beats before; the first ones get the first."""
    return np.concatenate([np.full(min(beats, len(values)), values[0]), values[:-beats]])


def around(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Take the values of the beats around each one, mirrored at the ends.

    Parameters
    ----------
    values : ndarray of float64, shape (beats,)
    half : int
        Beats on each side.

    Returns
    -------
    ndarray of float64, shape (beats, 2 * half + 1)
    """
    mode: Literal["reflect", "edge"] = "reflect" if len(values) > half else "edge"
    return sliding_window_view(np.pad(values, half, mode=mode), 2 * half + 1)


def until(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Take the values of the last beats up to each one, mirrored at the start.

    Parameters
    ----------
    values : ndarray of float64, shape (beats,)
    half : int
        Half the beats before, so that there are as many values as `around` takes.

    Returns
    -------
    ndarray of float64, shape (beats, 2 * half + 1)
    """
    # So few that they are mirrored over and over stand for the beats before just as well.
    mode: Literal["reflect", "edge"] = "reflect" if len(values) > 1 else "edge"
    return sliding_window_view(np.pad(values, (2 * half, 0), mode=mode), 2 * half + 1)


def _stretches(before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features of the stretch of like intervals that each beat lies in."""
    n = len(before)
    begins = np.abs(np.diff(before, prepend=before[0])) > STRETCH_STEP
    stretch = np.cumsum(begins)
    starts = np.flatnonzero(np.concatenate([[True], begins[1:]]))
    lengths = np.diff(np.concatenate([starts, [n]]))
    mean = np.add.reduceat(before, starts) / lengths
    past, future = _medians_beside(before, starts, starts + lengths)
    age = np.arange(n) - starts[stretch]
    return _stretch_features(
        before, mean[stretch], past[stretch], future[stretch], lengths[stretch], age
    )


def _stretch_features(
    before: NDArray[np.float64],
    mean: NDArray[np.float64],
    past: NDArray[np.float64],
    future: NDArray[np.float64],
    length: NDArray[np.int64],
    age: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Features of beats from what their stretches are like, shape (6, beats)."""
    return np.stack(
        [
            mean - past,
            mean - future,
            before - past,
            before - future,
            np.minimum(np.log(length), 4.0) / 2,
            np.minimum(np.log1p(age), 4.0) / 2,
        ]
    )


class StretchSoFar:
    """The stretch of like intervals that the latest beat lies in, as far as it has come.

    Its future is taken to be its past, and of the first stretch of all both to be like itself.
    """

    def __init__(self) -> None:
        self._last: list[float] = []  # intervals before this stretch's next beat, 9 at most
        self._past = np.nan
        self._length, self._sum = 0, 0.0

    def push(self, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the log intervals before the next beats, and give their features, (6, beats)."""
        mean, past, length = (np.empty(len(before)) for _ in range(3))
        for row, value in enumerate(before.tolist()):
            if self._last and abs(value - self._last[-1]) > STRETCH_STEP:
                self._past = float(np.median(self._last))
                self._length, self._sum = 0, 0.0
            self._length += 1
            self._sum += value
            self._last = [*self._last[1 - STRETCH_AROUND :], value]
            mean[row], length[row] = self._sum / self._length, self._length
            past[row] = mean[row] if np.isnan(self._past) else self._past
        ages = length.astype(np.int64) - 1
        return _stretch_features(before, mean, past, past, ages + 1, ages)


def _medians_beside(
    before: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median of the beats before each stretch and after it; at the ends, the other side's."""
    wide = np.full(len(before) + 2 * STRETCH_AROUND, np.nan)
    wide[STRETCH_AROUND:-STRETCH_AROUND] = before
    views = sliding_window_view(wide, STRETCH_AROUND)
    ordered = np.sort(views[np.concatenate([starts, ends + STRETCH_AROUND])], axis=-1)
    known = np.isfinite(ordered).sum(axis=-1)
    rows = np.arange(len(ordered))
    middle = (
        ordered[rows, np.maximum((known - 1) // 2, 0)] + ordered[rows, np.maximum(known // 2, 0)]
    ) / 2
    past, future = middle[: len(starts)], middle[len(starts) :]
    own = np.add.reduceat(before, starts) / (ends - starts)
    past = np.where(np.isnan(past), future, past)
    future = np.where(np.isnan(future), past, future)
    return np.where(np.isnan(past), own, past), np.where(np.isnan(future), own, future)
