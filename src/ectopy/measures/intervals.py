"""RR intervals, and which of them are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.mapped import pieces

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from ectopy.beats import BeatTimes

    Times: TypeAlias = NDArray[np.float64] | BeatTimes

GAP_S = 3.0
"""An interval longer than this, in seconds, says nothing about the heart rate and ends a run.

It is a long pause, or a stretch in which no beat could be found.
"""

TIE_S = 1e-6
"""Intervals are compared to this, in seconds, since times in seconds are rounded."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals between neighbouring beats.

    Attributes
    ----------
    times_s : ndarray of float64, shape (beats,), or BeatTimes
        Time of each beat from the start of the recording in seconds, ascending.
    known : ndarray of bool, shape (beats - 1,)
        Whether both beats have a class and no unusable second lies between them.
    joined : ndarray of bool, shape (beats - 1,)
        Whether an interval is known and no longer than `GAP_S`: its beats follow each other.
    joined_s : float
        Sum of the joined intervals in seconds.
    """

    times_s: Times
    known: NDArray[np.bool_]
    joined: NDArray[np.bool_]
    joined_s: float

    def __len__(self) -> int:
        return len(self.known)

    @classmethod
    def between(
        cls,
        times_s: Times,
        classes: NDArray[np.int8],
        usable_s: NDArray[np.bool_] | None = None,
    ) -> Intervals:
        """Take the intervals between beats.

        Parameters
        ----------
        times_s : ndarray of float64, shape (beats,), or BeatTimes
            Time of each beat from the start of the recording in seconds, ascending.
        classes : ndarray of int8, shape (beats,)
            Index of each beat's class into `ectopy.beats.CLASSES`; below 0 where the signal is too
            poor to tell.
        usable_s : ndarray of bool, shape (seconds,), optional
            Whether each second of the recording can be used. Seconds that are not in it can.

        Examples
        --------
        >>> times, usable = np.array([0.2, 1.2, 4.2]), np.array([True, True, True, False])
        >>> intervals = Intervals.between(times, np.zeros(3, dtype=np.int8), usable)
        >>> intervals.known.tolist(), intervals.rr_s(slice(0, 2)).tolist()
        ([True, False], [1.0, 3.0])
        """
        known = (classes[1:] >= 0) & (classes[:-1] >= 0)
        joined, joined_s = np.zeros_like(known), 0.0
        all_usable = usable_s is None or usable_s.all()
        for rows in pieces(len(known)):
            times = times_s[rows.start : rows.stop + 1]
            if usable_s is not None and not all_usable:
                known[rows] &= _usable_between(times, usable_s)
            rr_s = np.diff(times)
            joined[rows] = known[rows] & (rr_s <= GAP_S + TIE_S)
            joined_s += float(rr_s[joined[rows]].sum())
        return cls(times_s, known, joined, joined_s)

    def rr_s(self, rows: slice) -> NDArray[np.float64]:
        """Give some of the intervals in seconds: row i lies between beat i and the next."""
        first, stop, _ = rows.indices(len(self))
        rr_s: NDArray[np.float64] = np.diff(self.times_s[first : max(first, stop) + 1])
        return rr_s

    def normal(self, classes: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Say of each interval whether it joins two beats of class N and is above 0."""
        is_normal = classes == CLASSES.index("N")
        is_nn: NDArray[np.bool_] = self.joined & is_normal[1:] & is_normal[:-1]
        for rows in pieces(len(self)):
            is_nn[rows] &= self.rr_s(rows) > 0
        return is_nn


def _usable_between(times_s: NDArray[np.float64], usable_s: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each interval between some beats whether all seconds that it touches can be used."""
    second = np.clip(times_s.astype(np.int64), 0, len(usable_s))
    after = np.minimum(second + 1, len(usable_s))
    seen = ~usable_s[second[0] : after[-1]]
    lost = np.concatenate([[0], np.cumsum(seen, dtype=np.int32)])
    clear: NDArray[np.bool_] = lost[after[1:] - second[0]] == lost[second[:-1] - second[0]]
    return clear


def stretches(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row and number of rows of each stretch of true rows.

    Examples
    --------
    >>> first, rows = stretches(np.array([True, True, False, True]))
    >>> first.tolist(), rows.tolist()
    ([0, 3], [2, 1])
    """
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges[::2], edges[1::2] - edges[::2]
