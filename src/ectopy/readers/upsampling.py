"""Bring a lead to a higher sampling frequency, part by part.

The filter is a windowed sinc (Kaiser), as of F. Harris, "On the use of windows for harmonic
analysis with the discrete Fourier transform", Proc. IEEE 66 (1978), that reaches `REACH` samples to
either side. It leaves the given samples as they are and keeps a constant a constant. As it is
finite, parts that are read with a margin equal slices of the whole, bit for bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.fir import resample_fir

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 10
"""Samples to either side that the filter looks at."""

MARGIN = 2 * REACH + 1
"""Samples to either side of a part that have a say in it: where some of those that the filter looks
at are missing, others as far from them stand in."""

MAX_FACTOR = 1000
"""Highest numerator of the ratio of two sampling frequencies; it bounds the size of the filter."""

_KAISER_BETA = 5.0


def upsampled(values: NDArray[np.float32], up: int, down: int) -> NDArray[np.float32]:
    """Bring samples to `up / down` times their sampling frequency.

    Parameters
    ----------
    values : ndarray of float32, shape (samples,)
        In any unit; missing samples are NaN. A multiple of `down` samples, the first of which lies
        on the first that is returned.
    up, down : int
        Without a common divisor, `up` above `down` and at most `MAX_FACTOR`.

    Returns
    -------
    ndarray of float32, shape (samples * up / down,)
        NaN from a missing sample on up to the next given one. Beyond a missing sample, and beyond
        either end, the filter sees the nearest given sample go on.

    Examples
    --------
    >>> upsampled(np.float32([2, 2, np.nan, 2]), 2, 1).tolist()
    [2.0, 2.0, 2.0, 2.0, nan, nan, 2.0, 2.0]
    """
    out = resample_fir(_held(values), _filter(up), up, down).astype(np.float32)
    out[np.isnan(values)[np.arange(len(out)) * down // up]] = np.nan
    return out


@lru_cache(maxsize=8)
def _filter(up: int) -> NDArray[np.float64]:
    """Taps at `up` times the given frequency."""
    steps = np.arange(-REACH * up, REACH * up + 1)
    taps = np.sinc(steps / up) * np.kaiser(len(steps), _KAISER_BETA)
    taps[(steps % up == 0) & (steps != 0)] = 0.0  # as they are, but for rounding
    for phase in range(up):
        taps[phase::up] /= taps[phase::up].sum()
    return taps


def _held(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Given samples, and in place of each missing one the nearest given one.

    That is less than `REACH` away wherever the outcome matters: next to no given sample the
    output is missing as well.
    """
    missing = np.isnan(values)
    index = np.arange(len(values))
    far = 2 * len(values)
    left = np.maximum.accumulate(np.where(missing, -far, index))
    right = np.minimum.accumulate(np.where(missing, far, index)[::-1])[::-1]
    nearest = np.where(index - left <= right - index, left, right)
    return np.asarray(values[np.clip(nearest, 0, len(values) - 1)], dtype=np.float64)
