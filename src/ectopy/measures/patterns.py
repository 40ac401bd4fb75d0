"""Patterns of ectopic beats: couplets, triplets, tachycardias, bigeminy and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.measures.intervals import TIE_S, Intervals
from ectopy.measures.runs import (
    RUN_BEATS,
    SUSTAINED_S,
    TACHYCARDIA_BPM,
    RunTable,
    find_runs,
    linked_stretches,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.intervals import Times

GEMINY_BEATS = 3
"""Ectopic beats of the shortest episode of bigeminy, trigeminy or quadrigeminy.

No guideline gives a number; this is the number of a run, so that two single beats that happen to be
two apart are not called a rhythm.
"""

_BASIC = [CLASSES.index("N"), CLASSES.index("Q")]  # the rhythm that ectopic beats interrupt


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes in which every second, third or fourth beat is a single ectopic one.

    Attributes
    ----------
    first : ndarray of int64, shape (episodes,)
        Row of the first ectopic beat of each.
    beats : ndarray of int64, shape (episodes,)
        Number of its ectopic beats.
    start_s, stop_s : ndarray of float64, shape (episodes,)
        Time of its first and its last ectopic beat in seconds.
    """

    first: NDArray[np.int64]
    beats: NDArray[np.int64]
    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    def to_dict(self) -> dict[str, Any]:
        """How many, how long in all, and the longest, as plain data."""
        longest = int(self.beats.argmax()) if len(self) else None
        return {
            "episodes": len(self),
            "beats": int(self.beats.sum()),
            "total_s": float((self.stop_s - self.start_s).sum()),
            "longest_beats": 0 if longest is None else int(self.beats[longest]),
            "longest_start_s": None if longest is None else float(self.start_s[longest]),
        }


@dataclass(frozen=True, eq=False)
class Patterns:
    """How the ectopic beats of one class come.

    Attributes
    ----------
    stretches : RunTable
        Single beats, couplets and runs: every beat of the class is in one.
    bigeminy, trigeminy, quadrigeminy : Episodes
        Where one, two or three other beats lie between each single ectopic beat and the next.
    """

    stretches: RunTable
    bigeminy: Episodes
    trigeminy: Episodes
    quadrigeminy: Episodes

    @property
    def singles(self) -> RunTable:
        """Beats that stand alone."""
        return self.stretches.where(self.stretches.beats == 1)

    @property
    def couplets(self) -> RunTable:
        """Pairs."""
        return self.stretches.where(self.stretches.beats == 2)

    @property
    def runs(self) -> RunTable:
        """Runs of `ectopy.measures.runs.RUN_BEATS` beats or more."""
        return self.stretches.where(self.stretches.beats >= RUN_BEATS)

    @property
    def tachycardias(self) -> RunTable:
        """Runs faster than `ectopy.measures.runs.TACHYCARDIA_BPM`."""
        return self.runs.where(_is_fast(self.runs))

    @property
    def fastest(self) -> int | None:
        """Row of the fastest run in `runs`, the earliest of several; None without a rate."""
        rates = self.runs.rate_bpm
        return int(np.nanargmax(rates)) if np.isfinite(rates).any() else None

    @property
    def longest(self) -> int | None:
        """Row of the run with most beats in `runs`, the earliest of several; None without any."""
        return int(self.runs.beats.argmax()) if len(self.runs) else None

    def to_dict(self) -> dict[str, Any]:
        """Give the counts, and the runs with most beats, as plain data."""
        runs, fast = self.runs, self.tachycardias
        longest, fastest = self.longest, self.fastest
        return {
            "singles": len(self.singles),
            "couplets": len(self.couplets),
            "triplets": int((runs.beats == RUN_BEATS).sum()),
            "runs": len(runs),
            "beats_in_runs": int(runs.beats.sum()),
            "longest_run": None if longest is None else runs.row(longest),
            "fastest_run": None if fastest is None else runs.row(fastest),
            "tachycardias": len(fast),
            "sustained_tachycardias": int((fast.duration_s > SUSTAINED_S + TIE_S).sum()),
            "slow_runs": len(runs) - len(fast),
            "bigeminy": self.bigeminy.to_dict(),
            "trigeminy": self.trigeminy.to_dict(),
            "quadrigeminy": self.quadrigeminy.to_dict(),
            "run_list": runs.to_dict(),
        }


def find_patterns(
    times_s: Times,
    classes: NDArray[np.int8],
    name: str,
    usable_s: NDArray[np.bool_] | None = None,
) -> Patterns:
    """Find the patterns of one class of ectopic beats.

    A beat of another class, one that could not be classed, an unusable second, and an interval
    longer than `ectopy.measures.intervals.GAP_S` end whatever they fall into.

    Parameters
    ----------
    times_s, classes, usable_s
        As in `ectopy.measures.intervals.Intervals.between`.
    name : str
        The class: one of `ectopy.beats.CLASSES`.

    Examples
    --------
    >>> labels = "NVNVNVNVVV"
    >>> classes = np.array([CLASSES.index(label) for label in labels], dtype=np.int8)
    >>> patterns = find_patterns(0.5 * np.arange(10), classes, "V")
    >>> len(patterns.singles), len(patterns.tachycardias), patterns.bigeminy.beats.tolist()
    (3, 1, [3])
    """
    intervals = Intervals.between(times_s, classes, usable_s)
    table = find_runs(intervals, classes == CLASSES.index(name))
    return Patterns(table, *_gemini(intervals, classes, table.first[table.beats == 1]))


def _is_fast(runs: RunTable) -> NDArray[np.bool_]:
    # Beats 600 ms apart are 100 a minute and no tachycardia, however the division is rounded.
    return runs.rate_bpm > TACHYCARDIA_BPM + 1e-6


def _gemini(
    intervals: Intervals, classes: NDArray[np.int8], singles: NDArray[np.int64]
) -> list[Episodes]:
    """Episodes of bigeminy, trigeminy and quadrigeminy of single ectopic beats in these rows."""
    before, between = singles[:-1], np.diff(singles) - 1
    episodes = []
    for period in (2, 3, 4):
        linked = between == period - 1
        rows = before[linked]
        pure = intervals.joined[rows]
        for step in range(1, period):
            pure &= np.isin(classes[rows + step], _BASIC) & intervals.joined[rows + step]
        linked[linked] = pure
        first, last, beats = linked_stretches(singles, linked, GEMINY_BEATS)
        times_s = intervals.times_s
        episodes.append(Episodes(first, beats, times_s[first], times_s[last]))
    return episodes
