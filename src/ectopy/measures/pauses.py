"""Pauses: when no beat came for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.mapped import pieces
from ectopy.measures.intervals import TIE_S, Intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.intervals import Times

PAUSE_S = 2.0
"""An interval between two beats that is longer than this, in seconds, counts as a pause."""

LONG_PAUSE_S = 3.0
"""A pause of at least this length, in seconds, is counted by itself too."""

MOST_LISTED = 100
"""Pauses, runs and episodes that plain data list, the longest ones; arrays hold all of them."""


@dataclass(frozen=True, eq=False)
class Pauses:
    """The pauses of a recording, in the order of time.

    Attributes
    ----------
    start_s : ndarray of float64, shape (pauses,)
        Time of the beat before each, in seconds.
    length_s : ndarray of float64, shape (pauses,)
        Time to the beat after it.
    """

    start_s: NDArray[np.float64]
    length_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def n_long(self) -> int:
        """Pauses of `LONG_PAUSE_S` or more."""
        return int((self.length_s >= LONG_PAUSE_S - TIE_S).sum())

    @property
    def longest(self) -> int | None:
        """Row of the longest pause, the earliest of several; None without any."""
        return int(self.length_s.argmax()) if len(self) else None

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the longest `MOST_LISTED`, in the order of time, as plain data."""
        rows = longest_rows(self.length_s)
        return [
            {"start_s": start, "length_s": length}
            for start, length in zip(
                self.start_s[rows].tolist(), self.length_s[rows].tolist(), strict=True
            )
        ]


def find_pauses(
    times_s: Times,
    classes: NDArray[np.int8],
    usable_s: NDArray[np.bool_] | None = None,
) -> Pauses:
    """Find every interval longer than `PAUSE_S`.

    An interval counts only if both its beats could be classed and no unusable second lies between
    them. Where no mask is given, a stretch in which beats were there but were not found is a pause
    too.

    Parameters
    ----------
    times_s, classes, usable_s
        As in `ectopy.measures.intervals.Intervals.between`.

    Examples
    --------
    >>> pauses = find_pauses(np.array([0.5, 1.5, 4.0]), np.zeros(3, dtype=np.int8))
    >>> pauses.to_dict()
    [{'start_s': 1.5, 'length_s': 2.5}]
    """
    intervals = Intervals.between(times_s, classes, usable_s)
    rows = pause_rows(intervals)
    start_s = times_s[rows]
    return Pauses(start_s=start_s, length_s=times_s[rows + 1] - start_s)


def pause_rows(intervals: Intervals) -> NDArray[np.int64]:
    """Rows of the intervals that are pauses."""
    found = [np.zeros(0, dtype=np.int64)]
    for rows in pieces(len(intervals)):
        long = intervals.rr_s(rows) > PAUSE_S + TIE_S
        found.append(rows.start + np.flatnonzero(intervals.known[rows] & long))
    return np.concatenate(found)


def longest_rows(lengths: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the `MOST_LISTED` greatest lengths, ascending; earlier rows first among equals."""
    if len(lengths) <= MOST_LISTED:
        return np.arange(len(lengths))
    return np.sort(np.argsort(-lengths, kind="stable")[:MOST_LISTED])
