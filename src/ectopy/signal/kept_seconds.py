"""What was measured of each second of a lead, and its judgement once the lead is over.

How much a lead usually moves, and at what level, only the whole of it tells. So the measures of all
seconds are kept, in a file where they are many, and judged piece by piece.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.bands import SecondMeasures, piece_edges
from ectopy.signal.buried import BESIDE_S, buried
from ectopy.signal.contact import flat_seconds, half_flat
from ectopy.signal.kept_rows import KeptRows
from ectopy.signal.order import long_median
from ectopy.signal.second_flags import CLIPPED, FLAT, MAINS, MISSING, NOISE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ectopy.signal.clipping import RangeEnd

CLIPPED_S = 0.1
"""Time at the end of the range that spoils a second: more than the cut top of one QRS complex,
which leaves its width to be seen."""

PIECE_S = 6000
"""Seconds that are judged at a time; whole blocks of those that `buried` looks at."""

PIECE_OF_MEDIAN_S = 32_768
"""Seconds that are counted at a time for a median."""

_STATE = len(fields(SecondMeasures))
"""Column of what is missing and constant; the next two count samples at the ends of the range."""
_BITS = np.array([1, 2, 3, 4])  # of the quarters, in the state; bit 0: missing


class KeptSeconds:
    """The seconds of a lead, added in order.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    ends : sequence of RangeEnd
        The two ends of the range, which go on with the lead.
    """

    def __init__(self, fs: float, ends: Sequence[RangeEnd]) -> None:
        self._fs, self._ends = fs, ends
        self._rows = KeptRows(_STATE + 3)
        self._last = np.zeros((0, _STATE + 3), dtype=np.float32)

    def add(
        self,
        measures: SecondMeasures,
        missing: NDArray[np.bool_],
        constant: NDArray[np.bool_],
        samples: NDArray[np.float32],
        first: int,
    ) -> None:
        """Add seconds.

        Parameters
        ----------
        measures : SecondMeasures
        missing : ndarray of bool, shape (seconds,)
            Seconds that miss too much.
        constant : ndarray of bool, shape (4 * seconds,)
            As `constant_quarters` gives it.
        samples : ndarray of float32, shape (samples,)
            The signal of these seconds, with its missing samples.
        first : int
            Index of the first of these samples.
        """
        rows = np.zeros((len(missing), _STATE + 3), dtype=np.float32)
        for column, field in enumerate(fields(SecondMeasures)):
            rows[:, column] = getattr(measures, field.name)
        rows[:, _STATE] = missing + (constant.reshape(-1, 4) << _BITS).sum(axis=1)
        done = len(self._rows) + len(self._last)
        for end, column in zip(self._ends, range(_STATE + 1, _STATE + 3), strict=True):
            seconds, counts = end.take(samples, first)
            before = seconds < done
            if before.any() and len(self._last):
                self._last[-1, column] += counts[before].sum()
            inside = ~before & (seconds < done + len(rows))
            rows[seconds[inside] - done, column] = counts[inside]
        self._rows.add(self._last)
        self._last = rows

    def flags(self) -> NDArray[np.uint8]:
        """Judge all seconds, shape (seconds,), and forget them."""
        self._rows.add(self._last)
        level, span = self._usual(moving=False)
        away = [end.is_away(level, span) for end in self._ends]
        level, span = self._usual(moving=True)
        flags = np.zeros(len(self._rows), dtype=np.uint8)
        for own, rows in self._rows.around(PIECE_S, BESIDE_S):
            first = max(0, own.start - BESIDE_S)
            clipped = self._stuck(rows, first, away) >= CLIPPED_S * self._fs
            flags[own] = _judge(rows, clipped, level, span)[own.start - first : own.stop - first]
        self._rows.close()
        return flags

    def _usual(self, *, moving: bool) -> tuple[float, float]:
        """Median of the means and of the ranges of all seconds, or of those that are not still."""

        def values(*, spans: bool) -> Iterator[NDArray[np.float32]]:
            for own, rows in self._rows.around(PIECE_OF_MEDIAN_S, 1):
                first = max(0, own.start - 1)
                measures = _measures(rows)
                found = measures.high - measures.low if spans else measures.mean
                if moving:
                    found = np.where(half_flat(_constant(rows)), np.float32(np.nan), found)
                yield found[own.start - first : own.stop - first]

        return float(long_median(lambda: values(spans=False))), float(
            long_median(lambda: values(spans=True))
        )

    def _stuck(
        self, rows: NDArray[np.float32], first: int, away: list[bool]
    ) -> NDArray[np.float32]:
        """Count the samples of each second that are stuck at an end of the range."""
        starts = piece_edges(self._fs, first, first + len(rows), 1)[:-1]
        counts = np.zeros(len(rows), dtype=np.float32)
        for end, is_away, stuck in zip(self._ends, away, rows[:, _STATE + 1 :].T, strict=True):
            if is_away:
                counts += np.where(starts >= end.since, stuck, 0)
        return counts


def _measures(rows: NDArray[np.float32]) -> SecondMeasures:
    return SecondMeasures(*rows[:, :_STATE].T)


def _constant(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    state = rows[:, _STATE].astype(np.int64)
    return np.asarray((state[:, None] >> _BITS & 1).ravel() != 0)


def _judge(
    rows: NDArray[np.float32], clipped: NDArray[np.bool_], level: float, span: float
) -> NDArray[np.uint8]:
    """Give the flags of seconds, shape (seconds,), wrong only near the ends of the rows."""
    measures = _measures(rows)
    missing = rows[:, _STATE].astype(np.int64) % 2 == 1
    flat = flat_seconds(measures, half_flat(_constant(rows)), level, span)
    found = {
        MISSING: missing,
        FLAT: flat & ~missing,
        CLIPPED: clipped,
        NOISE: buried(measures, ~(missing | flat)),
        MAINS: (measures.hum > 0) & ~(missing | flat),
    }
    flags = np.zeros(len(missing), dtype=np.uint8)
    for flag, seconds in found.items():
        flags |= np.where(seconds, np.uint8(flag), np.uint8(0))
    return flags
