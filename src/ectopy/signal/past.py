"""What a rhythm model is told of a beat in a stream: what came before, and one interval after.

Beats go in one by one or many at a time, and what comes out is the same. What is kept is the half
hour before, whatever the length of the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.signal.parts import LEAST_BEATS, PART_S
from ectopy.signal.rhythm import (
    LONGEST_S,
    PAST_BEATS,
    SHORTEST_S,
    StretchSoFar,
    log_intervals,
    past_features,
    slow_intervals,
    until,
)
from ectopy.signal.typical import (
    AFTER,
    AROUND,
    BEFORE,
    BLOCK,
    HALF_STEADY,
    BeatInputs,
    local_beat,
    overall_beat,
    p_likeness,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_BEATS = 16
"""The first beats are described together, once so many are known: fewer show no rhythm."""

RENEWED = 60
"""So many beats may pass until the overall typical beat and the slow intervals are made anew."""

MOST_BEATS = 200
"""Beats that the overall typical beat is made of, evenly taken from the late ones."""


class Known(NamedTuple):
    """Beats, row by row.

    Attributes
    ----------
    times_s : ndarray of float64, shape (beats,)
        Ascending times in seconds.
    windows : ndarray of float32, shape (beats, 256)
        Signal around each in mV, at 360 Hz.
    numbers : ndarray of float64, shape (beats, numbers)
        What else is known of each.
    """

    times_s: NDArray[np.float64]
    windows: NDArray[np.float32]
    numbers: NDArray[np.float64]

    def rows(self, rows: slice) -> Known:
        """Take some of the beats."""
        return Known(self.times_s[rows], self.windows[rows], self.numbers[rows])

    def then(self, more: Known) -> Known:
        """Put more beats after these."""
        return Known(
            np.concatenate([self.times_s, more.times_s]),
            np.concatenate([self.windows, more.windows]),
            np.concatenate([self.numbers, more.numbers]),
        )


ROUNDED_S = 0.01
"""More than times of beats are rounded by, in seconds."""


def intervals_after(times_s: NDArray[np.float64], end_s: float) -> NDArray[np.float64]:
    """Intervals to the next beats, as far as they are known.

    Parameters
    ----------
    times_s : ndarray of float64, shape (beats,)
        Ascending times in seconds.
    end_s : float
        Up to which time, but without it, beats are known.

    Returns
    -------
    ndarray of float64, shape (beats,)
        In seconds. After the last beat it is the 4 s that intervals are limited to, if there was no
        beat for so long, and a little more since times are rounded; NaN if not.

    Examples
    --------
    >>> intervals_after(np.array([1.0, 1.75]), 4.0).tolist()
    [0.75, nan]
    """
    if len(times_s) == 0:
        return np.empty(0)
    last = LONGEST_S if end_s - times_s[-1] >= LONGEST_S + ROUNDED_S else np.nan
    return np.append(np.diff(times_s), last)


class PastInputs:
    """Describe one beat after the other to a rhythm model, without looking ahead.

    The features are those of `ectopy.signal.rhythm.past_features`, and the steadiness of the last
    31 P waves. The local typical beat is of the 60 beats before each block of 15; the overall one
    and the slow intervals are of the half hour before each block of 60. The first 16 beats are
    described together; from there up to the 60th, all three are made anew with each beat.

    Examples
    --------
    >>> past = PastInputs()
    >>> windows, times_s = np.zeros((40, 256), np.float32), 0.8 * np.arange(40)
    >>> after_s = np.full(40, 0.8)
    >>> [len(past.push(windows[k], times_s[k], after_s[k])) for k in (slice(10), slice(10, 40))]
    [0, 40]
    """

    def __init__(self) -> None:
        self._early = _nothing(numbers=1)  # of each beat, the interval after it
        self._recent = _Recent()
        self._stretch = StretchSoFar()
        self._count = 0
        self._local = self._overall = np.empty(0, dtype=np.float32)
        self._slow = np.empty(0)

    def push(
        self,
        windows_mv: NDArray[np.float32],
        times_s: NDArray[np.float64],
        after_s: NDArray[np.float64],
    ) -> BeatInputs:
        """Take the next beats, and describe those that can be.

        Parameters
        ----------
        windows_mv : ndarray of float32, shape (beats, 256)
            Windows at 360 Hz around them, in mV.
        times_s : ndarray of float64, shape (beats,)
            Their times in seconds, ascending.
        after_s : ndarray of float64, shape (beats,)
            Intervals to the beats after them in seconds; NaN where that is not known.

        Returns
        -------
        BeatInputs
            Of none of them, of all, or of those that had to wait as well.
        """
        new = Known(times_s, windows_mv, after_s[:, None])
        if self._count == 0:
            new = self._early = self._early.then(new)
            if len(new.times_s) < FIRST_BEATS:
                return _joined([])
        described, start = [], 0
        while start < len(new.times_s):
            stop = start + self._next_run()
            described.append(self._describe(new.rows(slice(start, stop))))
            start = stop
        return _joined(described)

    def finish(self) -> BeatInputs:
        """Describe the beats that were waiting for others; no more will come.

        Raises
        ------
        SignalError
            If there was one beat altogether.
        """
        if self._count or not len(self._early.times_s):
            return _joined([])
        return _joined([self._describe(self._early)])

    def _next_run(self) -> int:
        """Count the next beats that are compared with the same typical beats."""
        if self._count == 0:
            return FIRST_BEATS
        return 1 if self._count < AROUND else BLOCK - self._count % BLOCK

    def _describe(self, new: Known) -> BeatInputs:
        windows = new.windows - new.windows.mean(axis=1, keepdims=True)
        first = self._count == 0
        if first:
            before = log_intervals(new.times_s)
            self._recent.add(new.times_s, windows, before)
            self._renew(local=True, overall=True)
        else:
            times_s = np.concatenate([self._recent.known.times_s[-1:], new.times_s])
            before = log_intervals(times_s)[1:]
            early = self._count < AROUND
            self._renew(early or self._count % BLOCK == 0, early or self._count % RENEWED == 0)
            self._recent.add(new.times_s, windows, before)
        self._count += len(windows)
        known = self._recent.known.rows(slice(-(PAST_BEATS + len(windows)), None))
        known.numbers[-len(windows) :, 1] = p_likeness(windows, self._local)
        steady = np.median(until(known.numbers[:, 1], HALF_STEADY)[-len(windows) :], axis=-1)
        after = np.log(new.numbers[:, 0].clip(SHORTEST_S, LONGEST_S))
        stretches = self._stretch.push(before)
        features = past_features(known.numbers[:, 0], after, self._slow, stretches)
        nowhere = np.zeros(len(windows), np.int64)
        rhythm = np.concatenate([features, steady[:, None].astype(np.float32)], axis=1)
        return BeatInputs(windows, self._overall, nowhere, self._local, nowhere, rhythm)

    def _renew(self, local: bool, overall: bool) -> None:
        """Make the typical beats and the slow intervals anew, of the beats so far."""
        known = self._recent.known
        if local:
            last = known.rows(slice(-AROUND, None))
            beat = local_beat(last.windows, last.numbers[:, 0])
            self._local = (beat - beat.mean())[None]
        if overall:
            since = int(np.searchsorted(known.times_s, known.times_s[-1] - PART_S))
            least = max(0, len(known.times_s) - LEAST_BEATS)
            half_hour = known.rows(slice(min(since, least), None))
            before = half_hour.numbers[:, 0]
            beat = overall_beat(half_hour.windows, before, most=MOST_BEATS)
            self._overall = (beat - beat.mean())[None]
            self._slow = slow_intervals(before)


class _Recent:
    """The beats of the last half hour, at least the last 128, in arrays that are used again.

    The two numbers of each are its log interval and the likeness of its P wave.
    """

    def __init__(self) -> None:
        self._arrays = _nothing(numbers=2)
        self._first = self._stop = 0

    @property
    def known(self) -> Known:
        """The beats, the latest last."""
        return self._arrays.rows(slice(self._first, self._stop))

    def add(
        self,
        times_s: NDArray[np.float64],
        windows: NDArray[np.float32],
        before: NDArray[np.float64],
    ) -> None:
        """Take the next beats and forget what is too old."""
        count = len(times_s)
        if self._stop + count > len(self._arrays.times_s):
            self._make_room(count)
        rows = slice(self._stop, self._stop + count)
        self._arrays.times_s[rows] = times_s
        self._arrays.windows[rows] = windows
        self._arrays.numbers[rows] = before[:, None]
        self._stop += count
        old = int(np.searchsorted(self.known.times_s, times_s[-1] - PART_S))
        self._first = max(self._first, min(self._first + old, self._stop - PAST_BEATS - BLOCK))

    def _make_room(self, count: int) -> None:
        live = self.known
        self._first, self._stop = 0, len(live.times_s)
        self._arrays = live.then(_nothing(numbers=2, rows=self._stop + 2 * count + PAST_BEATS))


def _nothing(*, numbers: int, rows: int = 0) -> Known:
    """Make room for so many beats."""
    windows = np.empty((rows, BEFORE + AFTER), dtype=np.float32)
    return Known(np.empty(rows), windows, np.empty((rows, numbers)))


def _joined(parts: list[BeatInputs]) -> BeatInputs:
    """Put descriptions that have one overall and one local typical beat each after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        shape = np.empty((0, BEFORE + AFTER), dtype=np.float32)
        nowhere = np.empty(0, dtype=np.int64)
        return BeatInputs(shape, shape, nowhere, shape, nowhere, np.empty((0, 0), np.float32))
    piece = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return BeatInputs(
        np.concatenate([part.windows for part in parts]),
        np.concatenate([part.overall for part in parts]),
        piece,
        np.concatenate([part.local for part in parts]),
        piece,
        np.concatenate([part.rhythm for part in parts]),
    )
