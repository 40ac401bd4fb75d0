"""Runs: ectopic beats of one class that follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.measures.intervals import stretches
from ectopy.measures.pauses import longest_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.intervals import Intervals

RUN_BEATS = 3
"""Beats of the shortest run."""

TACHYCARDIA_BPM = 100.0
"""A run faster than this, in beats per minute, is a tachycardia (Al-Khatib et al. 2018)."""

SUSTAINED_S = 30.0
"""A tachycardia that lasts longer than this, in seconds, is sustained (Al-Khatib et al. 2018)."""


@dataclass(frozen=True, eq=False)
class RunTable:
    """Stretches of beats of one class with no other beat between them, in the order of time.

    Attributes
    ----------
    first : ndarray of int64, shape (runs,)
        Row of each one's first beat.
    beats : ndarray of int64, shape (runs,)
        Number of its beats.
    start_s : ndarray of float64, shape (runs,)
        Time of its first beat in seconds.
    duration_s : ndarray of float64, shape (runs,)
        From its first beat to its last, in seconds; 0 where it is one beat.
    """

    first: NDArray[np.int64]
    beats: NDArray[np.int64]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def rate_bpm(self) -> NDArray[np.float64]:
        """60 over the mean interval within each in seconds; NaN where that is not above 0."""
        rates = np.full(len(self), np.nan)
        has_rate = self.duration_s > 0
        rates[has_rate] = 60.0 * (self.beats[has_rate] - 1) / self.duration_s[has_rate]
        return rates

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> RunTable:
        """Those that a mask, or row numbers, name."""
        return RunTable(
            self.first[mask], self.beats[mask], self.start_s[mask], self.duration_s[mask]
        )

    def to_dict(self) -> list[dict[str, Any]]:
        """Those with most beats, at most `ectopy.measures.pauses.MOST_LISTED`, as plain data."""
        rows = longest_rows(self.beats)
        return [self.row(row) for row in rows.tolist()]

    def row(self, row: int) -> dict[str, Any]:
        """One of them as plain data."""
        beats, duration = int(self.beats[row]), float(self.duration_s[row])
        return {
            "start_s": float(self.start_s[row]),
            "beats": beats,
            "duration_s": duration,
            "rate_bpm": 60.0 * (beats - 1) / duration if duration > 0 else None,
        }


@dataclass(frozen=True)
class Runs:
    """How the beats of one class follow each other.

    A run is a stretch of beats of the class with no other beat, and no interval longer than
    `ectopy.measures.intervals.GAP_S`, between them.

    Attributes
    ----------
    singles : int
        Beats of the class that stand alone.
    couplets : int
        Runs of exactly two beats.
    runs : int
        Runs of three beats or more.
    longest_beats : int
        Beats of the longest run, the earliest of several; 1 where all stand alone, 0 without any.
    longest_start_s : float or None
        Time of its first beat in seconds; None without any beat of the class.
    longest_rate_bpm : float or None
        60 over its mean interval in seconds; None where it is shorter than two beats.
    """

    singles: int
    couplets: int
    runs: int
    longest_beats: int
    longest_start_s: float | None
    longest_rate_bpm: float | None

    @classmethod
    def of(cls, table: RunTable) -> Runs:
        """Count the runs of a table that has those of one beat as well."""
        if len(table) == 0:
            return cls(0, 0, 0, 0, None, None)
        longest = table.row(int(table.beats.argmax()))
        return cls(
            singles=int((table.beats == 1).sum()),
            couplets=int((table.beats == 2).sum()),
            runs=int((table.beats >= RUN_BEATS).sum()),
            longest_beats=longest["beats"],
            longest_start_s=longest["start_s"],
            longest_rate_bpm=longest["rate_bpm"],
        )


def find_runs(intervals: Intervals, is_class: NDArray[np.bool_]) -> RunTable:
    """Find the stretches of beats of one class, single beats among them.

    Parameters
    ----------
    intervals : Intervals
        Between all beats.
    is_class : ndarray of bool, shape (beats,)
        Which beats are of the class.

    Returns
    -------
    RunTable
    """
    linked = is_class[1:] & is_class[:-1] & intervals.joined
    # In a comparison of truths, greater means that the first alone is true.
    first = np.flatnonzero(np.append(is_class[:1], is_class[1:] > linked))
    last = np.flatnonzero(np.append(is_class[:-1] > linked, is_class[-1:]))
    start_s = intervals.times_s[first]
    return RunTable(first, last - first + 1, start_s, intervals.times_s[last] - start_s)


def linked_stretches(
    rows: NDArray[np.int64], linked: NDArray[np.bool_], shortest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Chains of rows, each linked to the next.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    linked : ndarray of bool, shape (n - 1,)
        Whether each row is linked to the one after it.
    shortest : int
        Rows of the shortest chain, at least 2.

    Returns
    -------
    first, last, length : ndarray of int64, shape (chains,)
        First and last row of each chain, and how many it has.
    """
    start, links = stretches(linked)
    is_long = links + 1 >= shortest
    start, links = start[is_long], links[is_long]
    return rows[start], rows[start + links], links + 1
