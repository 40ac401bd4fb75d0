"""Half hours: the parts of a long recording that are classed one after the other.

What is typical of a patient changes over a day, with posture, rate and electrodes, so that rhythm
and shape of a beat are compared with its own half hour. Each part is worked on with some beats on
both sides, and with nothing else: whether a recording is read whole, in slices or as a stream, what
is said of a beat is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PART_S = 1800.0
"""Length in seconds: that of the records of the MIT-BIH Arrhythmia Database, trained on."""

LEAST_S = 900.0
"""A rest at the end that is shorter, in seconds, belongs to the part before it."""

BESIDE = 128
"""Beats on each side that are looked at as well: the longest reach of a feature is 60."""

LEAST_BEATS = 60
"""With fewer beats of its own, as in a pause, a part is compared with those beside it too."""


class Part(NamedTuple):
    """Rows of the beats of one part, and of all beats that are looked at for it."""

    own: slice
    seen: slice

    def of_seen(self) -> Part:
        """Give the same part by rows of the beats that are seen for it."""
        return Part(self.inner, slice(0, self.seen.stop - self.seen.start))

    @property
    def inner(self) -> slice:
        """Its own beats among those that are seen."""
        return slice(self.own.start - self.seen.start, self.own.stop - self.seen.start)

    @property
    def typical(self) -> slice:
        """Those of the beats seen that say what is typical: its own, or all where they are few."""
        if self.own.stop - self.own.start < LEAST_BEATS:
            return slice(0, self.seen.stop - self.seen.start)
        return self.inner


def parts(times_s: NDArray[np.float64]) -> list[Part]:
    """Divide the beats of a recording into half hours.

    Parameters
    ----------
    times_s : ndarray of float64, shape (beats,)
        Ascending times in seconds from the start of the recording.

    Returns
    -------
    list of Part
        In order; half hours without a beat are left out, and there is none without beats.
    """
    growing = GrowingParts()
    return [*growing.add(times_s), *growing.finish()]


class GrowingParts:
    """The same while beats are still being found: each part as soon as none to come can change it.

    In memory lie the times of the beats of an hour or so.
    """

    def __init__(self) -> None:
        self._times = np.empty(0)
        self._first = 0  # row of the first of them
        self._begin = 0  # row that the next part begins with
        self._number = 0  # half hours that have been divided off

    @property
    def needed(self) -> int:
        """First row that a part to come may look at."""
        return max(0, self._begin - BESIDE)

    def add(self, times_s: NDArray[np.float64]) -> list[Part]:
        """Take the times of the next beats, and give the parts that are complete."""
        self._times = np.concatenate([self._times, times_s])
        found: list[Part] = []
        while len(self._times):
            end, known = self._row_at(self._number + 1), self._first + len(self._times)
            # A short rest may still turn out to belong to it, or beats to lie beside it.
            if self._number + 1 >= _count(self._times[-1]) or known < end + BESIDE:
                break
            found += self._divide_off(end, known)
        kept = self.needed - self._first
        self._times, self._first = self._times[kept:], self.needed
        return found

    def finish(self) -> list[Part]:
        """Give the rest; no more beats will come."""
        found: list[Part] = []
        known = self._first + len(self._times)
        count = _count(self._times[-1]) if len(self._times) else 0
        while self._number < count:
            last = self._number + 1 == count
            found += self._divide_off(known if last else self._row_at(self._number + 1), known)
        return found

    def _row_at(self, number: int) -> int:
        """First row that is not before the start of a half hour."""
        return self._first + int(np.searchsorted(self._times, PART_S * number))

    def _divide_off(self, end: int, known: int) -> list[Part]:
        begin, self._begin, self._number = self._begin, end, self._number + 1
        seen = slice(max(0, begin - BESIDE), min(known, end + BESIDE))
        return [Part(slice(begin, end), seen)] if end > begin else []


def _count(last_s: float) -> int:
    """Count the half hours of beats up to the last one."""
    return max(1, int((last_s - LEAST_S) // PART_S) + 1)
