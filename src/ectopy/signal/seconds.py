"""Which seconds of a lead can be used, and why the others cannot.

A second is judged by what beats need: samples that are there, that move, that are not at the end of
the range, and QRS complexes that stand out of what lies between them (`ectopy.signal.buried`).
Neither gain, offset nor polarity nor, from 50 Hz on, the sampling frequency decides.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.bands import SecondMeasures, measure_bands, piece_edges
from ectopy.signal.buried import buried
from ectopy.signal.clipping import RangeEnd
from ectopy.signal.contact import constant_quarters, flat_seconds
from ectopy.signal.mains import Mains
from ectopy.signal.second_flags import (
    CLIPPED,
    FLAT,
    MAINS,
    MISSING,
    NOISE,
    SecondsQuality,
    Stretch,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CLIPPED",
    "FLAT",
    "MAINS",
    "MISSING",
    "NOISE",
    "QualityMeter",
    "SecondsQuality",
    "Stretch",
    "measure_seconds",
]

MISSING_S = 0.05
"""Missing samples of a second, in seconds, that may hide a beat; fewer are bridged."""

CLIPPED_S = 0.1
"""Time at the end of the range that spoils a second: more than the cut top of one QRS complex,
which leaves its width to be seen."""

CHUNK_S = 300
"""Seconds that are measured at a time: always the same ones, whatever the blocks are."""

MARGIN_S = 2
"""Seconds of signal on both sides of a chunk that its measures look at."""


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
            return SecondsQuality(np.full(int(rest > 0), MISSING * rest_missing, dtype=np.uint8))
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
