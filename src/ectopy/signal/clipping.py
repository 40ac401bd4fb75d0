"""Samples stuck at an end of a lead's range, counted while it is read.

What the end of the range is, only the whole recording tells. So what stays at the most extreme
value so far is counted, and forgotten as soon as a more extreme one comes.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.signal.bands import SecondMeasures

STUCK_S = 0.02
"""A lead that keeps its extreme value this long, in seconds, has met the end of its range: the true
extreme of a wave lasts a sample or two."""

STUCK_SAMPLES = 3
"""The least number of samples for that, whatever the sampling frequency."""

AWAY = 0.5
"""How far the end of the range must lie from the lead's usual level, in usual ranges of a second:
the resting level of a signal without noise is an extreme too."""


class RangeEnd:
    """Stretches at the lowest (`sign` -1) or highest (1) value of a lead.

    Parameters
    ----------
    sign : float
    fs : float
        Sampling frequency in Hz.
    """

    def __init__(self, sign: float, fs: float) -> None:
        self.sign, self.fs, self.extreme = sign, fs, -np.inf
        self._shortest = max(STUCK_SAMPLES, ceil(STUCK_S * fs))
        self._stuck: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # seconds, samples
        self._open = 0  # length, up to the shortest, of the stretch at the end of what was seen

    def take(self, samples: NDArray[np.floating], first: int) -> None:
        """Take the next samples, of which the first has index `first`; missing ones are NaN."""
        outward = samples if self.sign > 0 else -samples
        most = float(np.fmax.reduce(outward, initial=-np.inf))
        if most == np.inf:
            outward = np.where(np.isfinite(outward), outward, -np.inf)
            most = float(outward.max())
        if most > self.extreme:
            self.extreme, self._stuck, self._open = most, [], 0
        if most < self.extreme or most == -np.inf:
            self._open = 0
            return
        edges = np.flatnonzero(np.diff(outward == most, prepend=False, append=False))
        starts, stops = edges[::2].copy(), edges[1::2]
        lengths = stops - starts
        if starts[0] == 0 and self._open:
            lengths[0] += self._open
            if self._open < self._shortest:  # not counted yet
                starts[0] -= self._open
        long = lengths >= self._shortest
        self._count(starts[long] + first, stops[long] + first)
        open_end = stops[-1] == len(samples)
        self._open = min(int(lengths[-1]), self._shortest) if open_end else 0

    def _count(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        if len(starts) == 0:
            return
        lengths = stops - starts
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        seconds = ((np.repeat(starts, lengths) + steps) / self.fs).astype(np.int64)
        self._stuck.append(np.unique(seconds, return_counts=True))

    def per_second(self, measures: SecondMeasures, n_seconds: int) -> NDArray[np.int64]:
        """Count the samples that are stuck in each second, shape (n_seconds,)."""
        counts = np.zeros(n_seconds, dtype=np.int64)
        usual = float(np.median(measures.mean))
        distance = self.extreme - self.sign * usual
        if distance < AWAY * float(np.median(measures.high - measures.low)):
            return counts
        for seconds, samples in self._stuck:
            inside = seconds < n_seconds
            counts[seconds[inside]] += samples[inside]
        return counts
