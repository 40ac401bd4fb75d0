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
from ectopy.signal.bands import measure_bands, piece_edges
from ectopy.signal.clipping import RangeEnd
from ectopy.signal.contact import constant_quarters
from ectopy.signal.kept_seconds import KeptSeconds
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

    In memory lie five minutes of the signal, and of many hours a byte for each second; what was
    measured of these is kept in a temporary file.

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
        self._signal = np.empty(self._edge(CHUNK_S + 2 * MARGIN_S) + 1, dtype=np.float32)
        self._held = 0  # samples in it
        self._first = 0  # second that they start with
        self._done = 0  # seconds that have been measured
        self._mains = Mains(self.fs)
        self._seconds = KeptSeconds(self.fs, (RangeEnd(-1.0, self.fs), RangeEnd(1.0, self.fs)))
        self._quality: SecondsQuality | None = None

    def _edge(self, second: int) -> int:
        """Index of the first sample of a second."""
        return ceil(second * self.fs)

    def push(self, block_mv: NDArray[np.floating]) -> None:
        """Take the next samples, shape (samples,); missing ones are NaN."""
        block = np.asarray(block_mv)
        taken = 0
        while taken < len(block):
            stop = self._edge(self._done + CHUNK_S + MARGIN_S) - self._edge(self._first)
            part = block[taken : taken + stop - self._held]
            self._signal[self._held : self._held + len(part)] = part
            self._held += len(part)
            taken += len(part)
            if self._held == stop:
                self._measure(self._done + CHUNK_S)

    def _measure(self, stop: int) -> None:
        """Measure the seconds up to `stop`, and forget the signal that no later one needs."""
        signal, origin, done = self._signal[: self._held], self._edge(self._first), self._done
        edges = piece_edges(self.fs, done, stop, 1) - origin
        quarters = piece_edges(self.fs, done, stop, 4) - origin
        missing, filled = ~np.isfinite(signal), signal
        lost = np.zeros(stop - done, dtype=np.bool_)
        if missing.any():
            counts = np.add.reduceat(missing[: edges[-1]], edges[:-1], dtype=np.int64)
            lost = counts >= MISSING_S * self.fs
            filled = _filled(signal, missing)
        n_seen = _whole_seconds(len(signal) + origin, self.fs) - self._first
        measures = measure_bands(filled, self.fs, self._mains, origin, self._first, n_seen).take(
            slice(done - self._first, stop - self._first)
        )
        own = signal[: edges[-1]]
        self._seconds.add(
            measures,
            lost,
            constant_quarters(own, quarters),
            own[edges[0] :],
            origin + int(edges[0]),
        )
        self._done, self._first = stop, max(0, stop - MARGIN_S)
        kept = signal[self._edge(self._first) - origin :]
        self._signal[: len(kept)] = kept.copy()
        self._held = len(kept)

    def finish(self) -> SecondsQuality:
        """Judge all seconds; no more samples will come."""
        if self._quality is None:
            duration_s = (self._edge(self._first) + self._held) / self.fs
            self._quality = SecondsQuality(self._flags(), duration_s)
        return self._quality

    def _flags(self) -> NDArray[np.uint8]:
        end = self._edge(self._first) + self._held
        whole = _whole_seconds(end, self.fs)
        rest = end - self._edge(whole)
        rest_missing = False
        if rest:
            tail = self._signal[self._held - rest : self._held]
            rest_missing = bool((~np.isfinite(tail)).sum() >= min(MISSING_S * self.fs, rest))
        if whole > self._done:
            self._measure(whole)
        if whole == 0:
            return np.full(int(rest > 0), MISSING * rest_missing, dtype=np.uint8)
        flags = self._seconds.flags()
        if rest:  # a second that was cut short is like the one before it
            last = (flags[-1:] & ~np.uint8(MISSING)) | np.uint8(MISSING * rest_missing)
            flags = np.concatenate([flags, last])
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
