"""Which seconds of a lead can be used, and why the others cannot.

A second is judged by what beats need: samples that are there, that move, that are not at the end of
the range, and QRS complexes that stand out of what lies between them (`ectopy.signal.buried`).
Neither gain, offset nor polarity nor, from 50 Hz on, the sampling frequency decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.buried import SecondMeasures, buried, measure_bands, piece_edges
from ectopy.signal.clipping import RangeEnd
from ectopy.signal.contact import constant_quarters, flat_seconds
from ectopy.signal.mains import Mains

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING, FLAT, CLIPPED, NOISE, MAINS = 1, 2, 4, 8, 16
"""Flags of a second; `MAINS` alone leaves it usable."""

REASONS = {MISSING: "missing", FLAT: "flat", CLIPPED: "clipped", NOISE: "noise"}
"""What makes a second unusable, as it is told."""

UNUSABLE_FLAGS = MISSING | FLAT | CLIPPED | NOISE

BEAT_REACH_S = 0.2
"""Seconds on both sides of a beat's peak in which it must be seen: its QRS complex and its foot."""

MISSING_S = 0.05
"""Missing samples of a second, in seconds, that may hide a beat; fewer are bridged."""

CLIPPED_S = 0.1
"""Time at the end of the range that spoils a second: more than the cut top of one QRS complex,
which leaves its width to be seen."""

CHUNK_S = 300
"""Seconds that are measured at a time: always the same ones, whatever the blocks are."""

MARGIN_S = 2
"""Seconds of signal on both sides of a chunk that its measures look at."""


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

    def stretches(self) -> list[Stretch]:
        """Stretches of consecutive unusable seconds, in order."""
        edges = np.flatnonzero(np.diff(~self.usable, prepend=False, append=False))
        if len(edges) == 0:
            return []
        # The space between two stretches is a piece too, so every second piece is one of them.
        found = np.bitwise_or.reduceat(np.append(self.flags, np.uint8(0)), edges)[::2]
        return [
            Stretch(float(start), float(stop), _names(int(flags)))
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
        times_s = np.asarray(peaks) / fs
        first, last = (
            np.floor(times_s + reach).astype(np.int64).clip(0, len(self) - 1)
            for reach in (-BEAT_REACH_S, BEAT_REACH_S)
        )
        return np.asarray(self.usable[first] & self.usable[last])

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


def measure_seconds(signal_mv: NDArray[np.floating], fs: float) -> SecondsQuality:
    """Judge every second of a lead in memory.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead, in millivolts or any other unit; missing samples are NaN.
    fs : float
        Sampling frequency in Hz, at least 50.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> recording, _ = simulate(30, seed=1)
    >>> lead = recording.signal_mv[:, 0].copy()
    >>> lead[3600:5400] = 0
    >>> measure_seconds(lead, recording.fs).stretches()
    [Stretch(start_s=10.0, stop_s=15.0, reasons=('flat',))]
    """
    meter = QualityMeter(fs)
    meter.push(signal_mv)
    return meter.finish()


class QualityMeter:
    """The same for a lead that comes in blocks of any length; the blocks change nothing.

    Of each second some 40 bytes are kept, and of the signal five minutes.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz, at least 50.

    Raises
    ------
    SignalError
        If `fs` is not finite or below 50 Hz.
    """

    def __init__(self, fs: float) -> None:
        if not (np.isfinite(fs) and fs >= 50):
            msg = f"sampling frequency {fs!r} Hz is not usable; quality needs at least 50 Hz"
            raise SignalError(msg)
        self.fs = float(fs)
        self._blocks: list[NDArray[np.float32]] = []
        self._held = 0  # samples in these blocks
        self._first = 0  # second that they start with
        self._done = 0  # seconds that have been measured
        self._mains = Mains(self.fs)
        self._ends = RangeEnd(-1.0, self.fs), RangeEnd(1.0, self.fs)
        self._measures: list[SecondMeasures] = []
        self._missing: list[NDArray[np.bool_]] = []
        self._constant: list[NDArray[np.bool_]] = []

    def _edge(self, second: int) -> int:
        """Index of the first sample of a second."""
        return ceil(second * self.fs)

    def push(self, block_mv: NDArray[np.floating]) -> None:
        """Take the next samples, shape (samples,); missing ones are NaN."""
        block = np.asarray(block_mv, dtype=np.float32)
        taken = 0
        while taken < len(block):
            stop = self._edge(self._done + CHUNK_S + MARGIN_S) - self._edge(self._first)
            part = block[taken : taken + stop - self._held]
            self._blocks.append(part.copy())
            self._held += len(part)
            taken += len(part)
            if self._held == stop:
                self._measure(self._done + CHUNK_S)

    def _measure(self, stop: int) -> None:
        """Measure the seconds up to `stop`, and forget the signal that no later one needs."""
        signal = self._blocks[0] if len(self._blocks) == 1 else np.concatenate(self._blocks)
        origin = self._edge(self._first)
        edges = piece_edges(self.fs, self._done, stop, 1) - origin
        own = signal[: edges[-1]]
        missing = ~np.isfinite(signal)
        if missing.any():
            counts = np.add.reduceat(missing[: edges[-1]], edges[:-1], dtype=np.int64)
            lost = counts >= MISSING_S * self.fs
            filled = _filled(signal, missing)
        else:
            lost, filled = np.zeros(stop - self._done, dtype=np.bool_), signal
        self._missing.append(lost)
        n_seen = _whole_seconds(len(signal) + origin, self.fs) - self._first
        self._measures.append(
            measure_bands(filled, self.fs, self._mains, origin, self._first, n_seen).take(
                slice(self._done - self._first, stop - self._first)
            )
        )
        quarters = piece_edges(self.fs, self._done, stop, 4) - origin
        self._constant.append(constant_quarters(own, quarters))
        for end in self._ends:
            end.take(own[edges[0] :], origin + int(edges[0]))
        self._done = stop
        first = max(0, stop - MARGIN_S)
        kept = signal[self._edge(first) - origin :]
        self._blocks, self._held, self._first = [kept], len(kept), first

    def finish(self) -> SecondsQuality:
        """Judge all seconds; no more samples will come."""
        end = self._edge(self._first) + self._held
        whole = _whole_seconds(end, self.fs)
        rest = end - self._edge(whole)
        rest_missing = False
        if rest:
            tail = np.concatenate(self._blocks)[-rest:]
            rest_missing = bool((~np.isfinite(tail)).sum() >= min(MISSING_S * self.fs, rest))
        if whole > self._done:
            self._measure(whole)
        if whole == 0:
            return SecondsQuality(np.full(rest > 0, MISSING * rest_missing, dtype=np.uint8))
        flags = self._flags()
        if rest:  # a second that was cut short is like the one before it
            last = (flags[-1:] & ~np.uint8(MISSING)) | np.uint8(MISSING * rest_missing)
            flags = np.concatenate([flags, last])
        return SecondsQuality(flags)

    def _flags(self) -> NDArray[np.uint8]:
        measures = SecondMeasures.join(self._measures)
        missing = np.concatenate(self._missing)
        flat = flat_seconds(measures, np.concatenate(self._constant))
        clipped = np.zeros(len(missing), dtype=np.int64)
        for end in self._ends:
            clipped += end.per_second(measures, len(missing))
        found = {
            MISSING: missing,
            FLAT: flat & ~missing,
            CLIPPED: clipped >= CLIPPED_S * self.fs,
            NOISE: buried(measures, ~(missing | flat)),
            MAINS: (measures.hum > 0) & ~(missing | flat),
        }
        flags = np.zeros(len(missing), dtype=np.uint8)
        for flag, seconds in found.items():
            flags |= np.where(seconds, np.uint8(flag), np.uint8(0))
        return flags


def _whole_seconds(n_samples: int, fs: float) -> int:
    """How many whole seconds there are in so many samples."""
    count = int(n_samples / fs) + 1
    while ceil(count * fs) > n_samples:
        count -= 1
    return count


def _filled(signal: NDArray[np.float32], missing: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Bridge missing samples by straight lines; zeros where there is nothing else."""
    if missing.all():
        return np.zeros_like(signal)
    filled = signal.copy()
    known = np.flatnonzero(~missing)
    filled[missing] = np.interp(np.flatnonzero(missing), known, signal[known])
    return filled


def _neighbours(values: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the values before and after each; False beyond the ends."""
    padded = np.concatenate([[False], values, [False]])
    return padded[:-2], padded[2:]


def _names(flags: int) -> tuple[str, ...]:
    return tuple(reason for flag, reason in REASONS.items() if flags & flag)
