"""Finite filters in NumPy: low-pass taps, resampling with them, running means.

SciPy has all of it, but takes as long to load as an hour of signal takes to analyse. Every value is
a sum in one fixed order of its neighbours alone, so a part of a signal gives what the whole gives
there, bit for bit, wherever the part begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)

_AT_ONCE = 1 << 14
"""Values that an operation is given: they stay in the cache, and its call costs little beside."""

_ROWS_AT_ONCE = 1 << 18
"""Values of all phases of a block: these stay in the next cache."""

_MANY_ROWS = 2000
"""From so many outputs of each phase on, it is quicker to work them out phase by phase."""


def low_pass(n_taps: int, cutoff: float, beta: float, up: int = 1) -> NDArray[np.float32]:
    """Design a low-pass filter, a sinc in a Kaiser window, that keeps a constant as it is.

    Parameters
    ----------
    n_taps : int
        Odd, so that the filter has a middle.
    cutoff : float
        Where half the amplitude is left, as a share of half the rate of the taps.
    beta : float
        Shape of the window: more damps better, and cuts less sharply.
    up : int
        As in `resample_fir`: every `up`-th tap makes up a filter of its own, and each has the sum
        1. With sums that differ, an offset would come out as a wave.

    Returns
    -------
    ndarray of float32, shape (n_taps,)

    Examples
    --------
    >>> [round(tap, 3) for tap in low_pass(5, 0.5, 4.0).tolist()]
    [0.0, 0.223, 0.554, 0.223, 0.0]
    """
    from_middle = np.arange(n_taps) - (n_taps - 1) / 2
    taps = np.sinc(cutoff * from_middle) * np.kaiser(n_taps, beta)
    phase = np.arange(n_taps) % up
    taps /= np.bincount(phase, weights=taps)[phase]
    return np.asarray(taps, dtype=np.float32)


def resample_fir(values: NDArray[Real], taps: NDArray[Real], up: int, down: int) -> NDArray[Real]:
    """Change a signal's rate by `up / down`, with a filter at `up` times its rate.

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (samples,)
        At least one, all finite. Beyond either end the filter sees the last sample go on.
    taps : ndarray of the same type, shape (taps,)
        An odd number; the middle one lies on the sample, so that nothing is delayed.
    up, down : int
        Without a common divisor.

    Returns
    -------
    ndarray of the same type, shape (ceil(samples * up / down),)
        The first lies on the first sample.

    Examples
    --------
    >>> taps = np.float32([0.5, 1, 0.5])  # what is between two samples is a line
    >>> resample_fir(np.float32([1, 2, 4]), taps, 2, 1).tolist()
    [1.0, 1.5, 2.0, 3.0, 4.0, 4.0]
    """
    filters = _Phases(taps, up, down)
    rows = -(-len(values) // down)
    out = np.empty((rows, up), dtype=values.dtype)
    one_by_one = rows >= _MANY_ROWS
    step = min(max(_ROWS_AT_ONCE // max(up, down), 1), _AT_ONCE)
    for row in range(0, rows, step):
        block = out[row : row + step]
        first = row * down - filters.ahead
        around = _held(values, first, first + len(block) * down + filters.reach)
        (filters.by_phase if one_by_one else filters.together)(around, block)
    return out.reshape(-1)[: -(-len(values) * up // down)]


class _Phases:
    """A filter of `up` phases, and how a row of one output each comes of `down` samples.

    Row 0 begins with sample 0. Each of its outputs takes in as many samples, `n`, of which the
    oldest is `oldest` samples after the first that a row sees, which is `ahead` before sample 0.
    """

    def __init__(self, taps: NDArray[Any], up: int, down: int) -> None:
        self.down = down
        self.n = -(-len(taps) // up)
        place = np.arange(up) * down + len(taps) // 2  # `up` to a sample
        newest = place // up
        self.ahead = self.n - 1 - int(newest[0])
        self.oldest = newest - newest[0]
        beyond = max(int(newest[-1]) + 1 - down, 0)
        self.reach = -(-(self.ahead + beyond) // down) * down
        whole = np.pad(taps, (0, self.n * up - len(taps))).reshape(self.n, up)
        self.taps = whole[::-1, place % up]  # (n, up), those for the oldest samples first

    def by_phase(self, around: NDArray[Real], out: NDArray[Real]) -> None:
        """Fill rows of outputs, all of one phase after the other."""
        lanes = np.ascontiguousarray(around.reshape(-1, self.down).T)
        total, term = np.empty((2, len(out)), dtype=out.dtype)
        for phase, oldest in enumerate(self.oldest.tolist()):
            for at, tap in enumerate(self.taps[:, phase].tolist(), oldest):
                column, lane = divmod(at, self.down)
                seen = lanes[lane, column : column + len(out)]
                if at == oldest:
                    np.multiply(seen, tap, out=total)
                else:
                    np.add(total, np.multiply(seen, tap, out=term), out=total)
            out[:, phase] = total

    def together(self, around: NDArray[Real], out: NDArray[Real]) -> None:
        """Fill rows of outputs, tap after tap; what comes out is the same."""
        span = int(self.oldest[-1]) + self.n
        seen = sliding_window_view(around, span)[:: self.down][: len(out)]
        seen = np.ascontiguousarray(seen.T)  # (span, rows)
        step = max(1, _AT_ONCE // len(out))
        for first in range(0, len(self.oldest), step):
            oldest = self.oldest[first : first + step]
            taps = self.taps[:, first : first + step, None]
            total = seen[oldest] * taps[0]
            term = np.empty_like(total)
            for at in range(1, self.n):
                # Nothing lies outside, so there is nothing to clip; it saves a copy.
                np.take(seen, oldest + at, axis=0, out=term, mode="clip")
                np.multiply(term, taps[at], out=term)
                np.add(total, term, out=total)
            out[:, first : first + step] = total.T


def running_mean(values: NDArray[Real], n: int) -> NDArray[Real]:
    """Give the mean of the `n` values around each, along the last axis.

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (..., values)
        Beyond either end the last value goes on.
    n : int
        Odd.

    Returns
    -------
    ndarray of the same type and shape
        A value that is not finite, or huge, spoils the means that it is in and no other.

    Examples
    --------
    >>> running_mean(np.float32([0, 3, 6, 0]), 3).tolist()
    [1.0, 3.0, 3.0, 2.0]
    """
    out = np.empty_like(values)
    length, half = values.shape[-1], n // 2
    step = max(_AT_ONCE * length // max(values.size, 1), n)
    for first in range(0, length, step):
        stop = min(first + step, length)
        around = _held(values, first - half, stop + half).astype(np.float64)
        np.divide(_sums(around, n), n, out=out[..., first:stop], casting="same_kind")
    return out


def _sums(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Give the sum of each `n` neighbours: 73 are a 1, an 8 of two 4, and a 64 of two 32."""
    n_out = values.shape[-1] - n + 1
    total, done, power = values[..., :n_out], 1, 1
    while done < n:
        values = values[..., :-power] + values[..., power:]
        power *= 2
        if n & power:
            total = total + values[..., done : done + n_out]
            done += power
    return total


def _held(values: NDArray[Real], first: int, stop: int) -> NDArray[Real]:
    """Take values from `first` up to `stop`, with the last one going on beyond either end."""
    length = values.shape[-1]
    inside = values[..., max(first, 0) : min(stop, length)]
    before, after = max(-first, 0), max(stop - length, 0)
    if not before and not after:
        return inside
    ends = [(0, 0)] * (values.ndim - 1) + [(before, after)]
    return np.pad(inside, ends, mode="edge")
