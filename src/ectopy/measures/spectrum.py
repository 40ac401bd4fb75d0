"""Power of heart rate variability in frequency bands, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.measures.intervals import GAP_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEGMENT_S = 300.0
"""Length of a segment in seconds, as the Task Force (1996) recommends for short-term spectra."""

BANDS_HZ = ((0.0033, 0.04), (0.04, 0.15), (0.15, 0.4))
"""Very low, low and high frequency (Task Force 1996, table 2); upper ends belong to the next band.

What is slower than a period a segment, 0.0033 Hz, cannot be seen in it.
"""

COVERED = 0.9
"""Share of a segment that its NN intervals have to fill."""

LONGEST_HOLE_S = 5.0
"""Longest time without NN interval in a segment, in seconds: the spline is a guess there."""

FS = 4.0
"""Samples a second that the intervals are brought to: ten times the highest frequency."""

_SEGMENTS_AT_ONCE = 96


def band_powers(ends_s: NDArray[np.float64], nn_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power in each of `BANDS_HZ` in each segment of 5 minutes that is filled enough.

    The NN intervals, each at the time of the beat that ends it, are joined by a cubic spline, taken
    at 4 Hz, freed of their straight line and given a Hann window; their periodogram is summed over
    each band.

    Parameters
    ----------
    ends_s : ndarray of float64, shape (intervals,)
        Time of the beat that ends each NN interval in seconds, ascending.
    nn_ms : ndarray of float64, shape (intervals,)
        NN intervals in milliseconds, above 0.

    Returns
    -------
    ndarray of float64, shape (segments, 3)
        Power in ms², one row a segment that counts.

    Examples
    --------
    >>> ends = 0.8 * np.arange(1, 376)
    >>> powers = band_powers(ends, 800 + 30 * np.sin(2 * np.pi * 0.1 * ends))
    >>> powers.round().tolist()
    [[0.0, 450.0, 0.0]]
    """
    segments = _filled_segments(ends_s, nn_ms)
    # Segments that lie together are done together: the spline runs through all that is between.
    blocks = np.split(segments, np.flatnonzero(np.diff(segments // _SEGMENTS_AT_ONCE)) + 1)
    powers = [_powers(ends_s, nn_ms, block) for block in blocks if len(block)]
    return np.concatenate([np.zeros((0, len(BANDS_HZ))), *powers])


def _filled_segments(ends_s: NDArray[np.float64], nn_ms: NDArray[np.float64]) -> NDArray[np.int64]:
    if len(ends_s) == 0:
        return np.zeros(0, dtype=np.int64)
    segment = (ends_s / SEGMENT_S).astype(np.int64)
    n_segments = int(segment[-1]) + 1
    covered = np.bincount(segment, weights=nn_ms / 1000.0, minlength=n_segments)
    filled = covered >= COVERED * SEGMENT_S
    # From the last NN interval before a hole to the first after it, as far as in either segment.
    before = np.flatnonzero(np.diff(ends_s) - nn_ms[1:] / 1000.0 > LONGEST_HOLE_S)
    first, last = segment[before], segment[before + 1]
    start, stop = ends_s[before], ends_s[before + 1] - nn_ms[before + 1] / 1000.0
    filled[first[np.minimum(stop, SEGMENT_S * (first + 1)) - start > LONGEST_HOLE_S]] = False
    filled[last[stop - np.maximum(start, SEGMENT_S * last) > LONGEST_HOLE_S]] = False
    return np.flatnonzero(filled)


def _powers(
    ends_s: NDArray[np.float64], nn_ms: NDArray[np.float64], segments: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Powers in some segments; shape (segments, bands)."""
    from scipy.interpolate import CubicSpline

    n = round(SEGMENT_S * FS)
    grid = (SEGMENT_S * segments)[:, np.newaxis] + np.arange(n) / FS  # (segments, samples)
    around = np.searchsorted(ends_s, [grid[0, 0] - 20.0, grid[-1, -1] + 20.0])
    times, values = ends_s[slice(*around)], nn_ms[slice(*around)]
    samples = CubicSpline(times, values)(_held(grid, times))
    position = np.arange(n) - (n - 1) / 2
    slope = samples @ position / (position @ position)
    samples -= samples.mean(axis=1, keepdims=True) + slope[:, np.newaxis] * position
    window = np.hanning(n + 1)[:-1]
    spectrum = np.abs(np.fft.rfft(samples * window, axis=1)) ** 2
    density = 2.0 * spectrum / (FS * (window**2).sum())  # ms²/Hz, one-sided
    frequencies = np.arange(density.shape[1]) * FS / n
    in_band = [(frequencies >= low) & (frequencies < high) for low, high in BANDS_HZ]
    return np.stack([density[:, band].sum(axis=1) for band in in_band], axis=1) * FS / n


def _held(grid: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time at which to take the spline for each of the grid: the nearest interval's in a hole."""
    grid = np.clip(grid, times[0], times[-1])
    after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    low, high = times[after - 1], times[after]
    nearest = np.where(grid - low < high - grid, low, high)
    return np.where(high - low > LONGEST_HOLE_S + GAP_S, nearest, grid)
