"""Flags of a lead's seconds, and what can be used by them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.mapped import pieces, release

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING, FLAT, CLIPPED, NOISE, MAINS = 1, 2, 4, 8, 16
"""Flags of a second; `MAINS` alone leaves it usable."""

REASONS = {MISSING: "missing", FLAT: "flat", CLIPPED: "clipped", NOISE: "noise"}
"""What makes a second unusable, as it is told."""

UNUSABLE_FLAGS = MISSING | FLAT | CLIPPED | NOISE

BEAT_REACH_S = 0.2
"""Seconds on both sides of a beat's peak in which it must be seen: its QRS complex and its foot."""

PIECE_BEATS = 65_536
"""Beats that are looked at together: of a long recording they lie in a file."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive seconds that cannot be used.

    Attributes
    ----------
    start_s, stop_s : float
        From the start of the recording, in seconds.
    reasons : tuple of str
        Of `REASONS`, those of any of its seconds.
    """

    start_s: float
    stop_s: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SecondsQuality:
    """What is wrong with each second of a lead.

    Attributes
    ----------
    flags : ndarray of uint8, shape (seconds,)
        Sums of `MISSING`, `FLAT`, `CLIPPED`, `NOISE` and `MAINS`; 0 for a good second. The last
        second may be shorter.
    duration_s : float
        Length of the lead, beyond which no stretch reaches.

    Examples
    --------
    >>> quality = SecondsQuality(np.array([0, 0, 8, 9, 8, 0, 16, 8, 0, 0], dtype=np.uint8))
    >>> quality.usable.tolist()
    [True, True, False, False, False, True, True, True, True, True]
    >>> quality.stretches()
    [Stretch(start_s=2.0, stop_s=5.0, reasons=('missing', 'noise'))]
    >>> quality.beats_usable(np.array([150, 250]), fs=100).tolist()
    [True, False]
    """

    flags: NDArray[np.uint8]
    duration_s: float = math.inf

    def __len__(self) -> int:
        return len(self.flags)

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each second can be used, shape (seconds,).

        One second of noise between two good ones is let pass, since a beat or two are still seen
        in the signal around; one good second between two bad ones is not.
        """
        bad = (self.flags & UNUSABLE_FLAGS) != 0
        before, after = _neighbours(bad)
        bad = bad & ~((self.flags & UNUSABLE_FLAGS == NOISE) & ~before & ~after)
        before, after = _neighbours(bad)
        return np.asarray(~(bad | (before & after)))

    @property
    def usable_percent(self) -> float:
        """Usable seconds per 100; 100 where there is none."""
        return 100.0 * float(self.usable.mean()) if len(self) else 100.0

    @property
    def reason_percents(self) -> dict[str, float]:
        """Unusable seconds per 100 that have each reason, the frequent first; none left out twice.

        A second with several reasons counts for the first of them in the order of `REASONS`.
        """
        left = ~self.usable
        shares = {}
        for flag, reason in REASONS.items():
            has = left & ((self.flags & flag) != 0)
            shares[reason] = 100.0 * float(has.sum()) / max(len(self), 1)
            left = left & ~has
        shares[REASONS[NOISE]] += 100.0 * float(left.sum()) / max(len(self), 1)
        found = {reason: share for reason, share in shares.items() if share > 0}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    @property
    def mains_percent(self) -> float:
        """Seconds per 100 with mains hum."""
        return 100.0 * float(((self.flags & MAINS) != 0).mean()) if len(self) else 0.0

    def text(self) -> str:
        """Say in a few words how much can be used, and why the rest cannot.

        Examples
        --------
        >>> SecondsQuality(np.array([0] * 96 + [8] * 3 + [1], dtype=np.uint8)).text()
        '96.0 % (noise 3.0 %, missing 1.0 %)'
        """
        reasons = ", ".join(f"{name} {share:.1f} %" for name, share in self.reason_percents.items())
        return f"{self.usable_percent:.1f} %" + (f" ({reasons})" if reasons else "")

    def stretches(self) -> list[Stretch]:
        """Stretches of consecutive unusable seconds, in order."""
        edges = np.flatnonzero(np.diff(~self.usable, prepend=False, append=False))
        if len(edges) == 0:
            return []
        # The space between two stretches is a piece too, so every second piece is one of them.
        found = np.bitwise_or.reduceat(np.append(self.flags, np.uint8(0)), edges)[::2]
        return [
            Stretch(float(start), min(float(stop), self.duration_s), _names(int(flags)))
            for start, stop, flags in zip(edges[::2], edges[1::2], found, strict=True)
        ]

    def beats_usable(self, peaks: NDArray[np.int64], fs: float) -> NDArray[np.bool_]:
        """Whether each beat can be used: all seconds that it reaches into can.

        Parameters
        ----------
        peaks : ndarray of int64, shape (beats,)
            Sample indices.
        fs : float
            Sampling frequency in Hz.

        Returns
        -------
        ndarray of bool, shape (beats,)
        """
        if len(self) == 0:
            return np.ones(len(peaks), dtype=np.bool_)
        usable = np.empty(len(peaks), dtype=np.bool_)
        for piece in pieces(len(peaks), PIECE_BEATS):
            times_s = np.asarray(peaks[piece]) / fs
            first, last = (
                np.floor(times_s + reach).astype(np.int64).clip(0, len(self) - 1)
                for reach in (-BEAT_REACH_S, BEAT_REACH_S)
            )
            usable[piece] = self.usable[first] & self.usable[last]
            release(peaks)
        return usable

    def to_dict(self) -> dict[str, Any]:
        """Give plain data for JSON: percents with three decimals, and the stretches."""
        return {
            "usable_percent": round(self.usable_percent, 3),
            "unusable_percents": {k: round(v, 3) for k, v in self.reason_percents.items()},
            "mains_percent": round(self.mains_percent, 3),
            "unusable_stretches": [
                {"start_s": one.start_s, "stop_s": one.stop_s, "reasons": list(one.reasons)}
                for one in self.stretches()
            ],
        }


def _neighbours(values: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the values before and after each; False beyond the ends."""
    padded = np.concatenate([[False], values, [False]])
    return padded[:-2], padded[2:]


def _names(flags: int) -> tuple[str, ...]:
    return tuple(reason for flag, reason in REASONS.items() if flags & flag)
