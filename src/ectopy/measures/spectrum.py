"""Power of heart rate variability in frequency bands, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.measures.intervals import GAP_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    # When NN intervals end, in seconds, and how long they are, in milliseconds.
    Stretch: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

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

BLOCK_S = _SEGMENTS_AT_ONCE * SEGMENT_S
"""Seconds to look at together: 8 hours."""


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

    def during(start_s: float, stop_s: float) -> Stretch:
        rows = slice(*np.searchsorted(ends_s, [start_s, stop_s]))
        return ends_s[rows], nn_ms[rows]

    return block_powers(during, n_blocks(ends_s[-1] if len(ends_s) else 0.0))


def n_blocks(duration_s: float) -> int:
    """Blocks of `BLOCK_S` in a recording whose last beat is at `duration_s`."""
    return int(duration_s / BLOCK_S) + 1


def block_powers(during: Callable[[float, float], Stretch], blocks: int) -> NDArray[np.float64]:
    """Do as `band_powers` with NN intervals that are never at hand all at once.

    Parameters
    ----------
    during : callable
        Gives those that end from one time up to another, in seconds, as `band_powers` takes them.
    blocks : int
        How many blocks of `BLOCK_S` the recording has.
    """
    segments = np.flatnonzero(_are_filled(during, blocks))
    powers = [np.zeros((0, len(BANDS_HZ)))]
    for block in range(blocks):
        # Segments that lie together are done together: the spline runs through all between them.
        mine = segments[segments // _SEGMENTS_AT_ONCE == block]
        if len(mine):
            powers.append(_powers(during, mine))
    return np.concatenate(powers)


def _are_filled(during: Callable[[float, float], Stretch], blocks: int) -> NDArray[np.bool_]:
    """Say of each segment whether NN intervals fill it, without a long hole."""
    covered = np.zeros((blocks, _SEGMENTS_AT_ONCE))
    holes, last = [], np.full(1, np.nan)
    for block in range(blocks):
        ends_s, nn_ms = during(block * BLOCK_S, (block + 1) * BLOCK_S)
        nn_s = nn_ms / 1000.0
        inside = (ends_s / SEGMENT_S).astype(np.int64) - block * _SEGMENTS_AT_ONCE
        inside = inside.clip(0, _SEGMENTS_AT_ONCE - 1)
        covered[block] = np.bincount(inside, weights=nn_s, minlength=_SEGMENTS_AT_ONCE)
        before = np.concatenate([last, ends_s])
        is_hole = np.diff(before) - nn_s > LONGEST_HOLE_S
        # From the last NN interval before a hole to the first after it, and where that one ends.
        edges = before[:-1], ends_s - nn_s, ends_s
        holes.append(np.stack([edge[is_hole] for edge in edges]))
        last = before[-1:]
    filled = covered.ravel() >= COVERED * SEGMENT_S
    start, stop, after = np.concatenate(holes, axis=1)
    # As far as a hole lies in the segment where it begins, or in that where it ends.
    first, last_one = (start / SEGMENT_S).astype(np.int64), (after / SEGMENT_S).astype(np.int64)
    filled[first[np.minimum(stop, SEGMENT_S * (first + 1)) - start > LONGEST_HOLE_S]] = False
    filled[last_one[stop - np.maximum(start, SEGMENT_S * last_one) > LONGEST_HOLE_S]] = False
    return filled


def _powers(
    during: Callable[[float, float], Stretch], segments: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Powers in some segments; shape (segments, bands)."""
    from scipy.interpolate import CubicSpline

    n = round(SEGMENT_S * FS)
    grid = (SEGMENT_S * segments)[:, np.newaxis] + np.arange(n) / FS  # (segments, samples)
    times, values = during(grid[0, 0] - 20.0, grid[-1, -1] + 20.0)
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
