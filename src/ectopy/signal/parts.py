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
    n = len(times_s)
    if n == 0:
        return []
    count = max(1, int((times_s[-1] - LEAST_S) // PART_S) + 1)
    borders = np.searchsorted(times_s, PART_S * np.arange(1, count))
    edges = np.concatenate([[0], borders, [n]])
    return [
        Part(slice(begin, end), slice(max(0, begin - BESIDE), min(n, end + BESIDE)))
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if end > begin
    ]
