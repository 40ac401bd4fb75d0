"""Samples stuck at an end of a lead's range, counted while it is read.

What the end of the range is, only the whole recording tells. So what stays at the most extreme
value so far is counted, and forgotten as soon as a more extreme one comes.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.runs_of_equals import runs_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

    Attributes
    ----------
    extreme : float
        The most extreme value so far, outward: times `sign`.
    since : int
        Index of the first of the samples with which it came. What was counted before them no
        longer holds.
    """

    def __init__(self, sign: float, fs: float) -> None:
        self.sign, self.fs, self.extreme, self.since = sign, fs, -np.inf, 0
        self._shortest = max(STUCK_SAMPLES, ceil(STUCK_S * fs))
        self._open = 0  # length, up to the shortest, of the stretch at the end of what was seen

    def take(
        self, samples: NDArray[np.floating], first: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Take the next samples, of which the first has index `first`; missing ones are NaN.

        Returns
        -------
        seconds, counts : ndarray of int64, shape (seconds,)
            Seconds in which samples are stuck, and how many more of them are now known. A stretch
            that goes over the border may add some to the second before.
        """
        most = _outermost(samples, self.sign)
        if most > self.extreme:
            self.extreme, self.since, self._open = most, first, 0
        if most < self.extreme or most == -np.inf:
            self._open = 0
            return _NOTHING, _NOTHING
        starts, stops = runs_at(samples, self.sign * most)
        lengths = stops - starts
        if starts[0] == 0 and self._open:
            lengths[0] += self._open
            if self._open < self._shortest:  # not counted yet
                starts[0] -= self._open
        long = lengths >= self._shortest
        open_end = stops[-1] == len(samples)
        self._open = min(int(lengths[-1]), self._shortest) if open_end else 0
        return self._count(starts[long] + first, stops[long] + first)

    def _count(
        self, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        lengths = stops - starts
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        seconds = ((np.repeat(starts, lengths) + steps) / self.fs).astype(np.int64)
        return np.unique(seconds, return_counts=True)

    def is_away(self, level: float, span: float) -> bool:
        """Whether the end of the range is no resting level.

        Parameters
        ----------
        level, span : float
            The lead's usual mean and range of a second.
        """
        return bool(self.extreme - self.sign * level >= AWAY * span)


def _outermost(samples: NDArray[np.floating], sign: float) -> float:
    """Largest sample, times the sign; missing ones are left out."""
    reduce = np.fmax.reduce if sign > 0 else np.fmin.reduce
    most = sign * float(reduce(samples, initial=-sign * np.inf))
    if most == np.inf:
        most = sign * float(reduce(samples[np.isfinite(samples)], initial=-sign * np.inf))
    return most


_NOTHING = np.zeros(0, dtype=np.int64)
