"""RR intervals, and which of them are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    times_s : ndarray of float64, shape (beats,)
        Time of each beat from the start of the recording in seconds, ascending.
    rr_s : ndarray of float64, shape (beats - 1,)
        Interval between each beat and the next in seconds.
    known : ndarray of bool, shape (beats - 1,)
        Whether both beats have a class and no unusable second lies between them.
    """

    times_s: NDArray[np.float64]
    rr_s: NDArray[np.float64]
    known: NDArray[np.bool_]

    @classmethod
    def between(
        cls,
        times_s: NDArray[np.float64],
        classes: NDArray[np.int8],
        usable_s: NDArray[np.bool_] | None = None,
    ) -> Intervals:
        """Take the intervals between beats.

        Parameters
        ----------
        times_s : ndarray of float64, shape (beats,)
            Time of each beat from the start of the recording in seconds, ascending.
        classes : ndarray of int8, shape (beats,)
            Index of each beat's class into `ectopy.beats.CLASSES`; below 0 where the signal is too
            poor to tell.
        usable_s : ndarray of bool, shape (seconds,), optional
            Whether each second of the recording can be used. Seconds that are not in it can.

        Examples
        --------
        >>> times, usable = np.array([0.2, 1.2, 4.2]), np.array([True, True, True, False])
        >>> Intervals.between(times, np.zeros(3, dtype=np.int8), usable).known.tolist()
        [True, False]
        """
        known = (classes[1:] >= 0) & (classes[:-1] >= 0)
        if usable_s is not None and len(usable_s) and not usable_s.all():
            lost = np.concatenate([[0], np.cumsum(~usable_s)])
            second = np.clip(times_s.astype(np.int64), 0, len(usable_s))
            until = np.minimum(second[1:] + 1, len(usable_s))
            known &= lost[until] == lost[second[:-1]]
        return cls(times_s, np.diff(times_s), known)

    @property
    def joined(self) -> NDArray[np.bool_]:
        """Whether an interval is known and no longer than `GAP_S`: its beats follow each other."""
        return self.known & (self.rr_s <= GAP_S + TIE_S)


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
