"""Medians and percentiles of many short series at once: NumPy's own values, several times as fast.

NumPy finds a median by partitioning, one series after the other; sorting whole series is done with
the processor's vector instructions. Of few values in each of many series that lie side by side, the
median comes out of a network of comparisons, each of which is done for all series at once.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating[Any])

MOST_IN_NETWORK = 64
"""Values of a series up to which a network needs fewer passes than sorting."""

ROW = 16_384
"""Series that a network works on at a time: their values stay in the processor's cache."""


def median(values: NDArray[Real], axis: int = -1) -> NDArray[Real]:
    """Median along an axis, as `numpy.median` gives it; there must be no NaN.

    Parameters
    ----------
    values : ndarray of float, at least one along `axis`
    axis : int

    Returns
    -------
    ndarray of the same type, without that axis

    Examples
    --------
    >>> median(np.array([[3.0, 1.0, 2.0], [4.0, 8.0, 4.0]])).tolist()
    [2.0, 4.0]
    """
    n = values.shape[axis]
    if axis == -2 and n <= MOST_IN_NETWORK:
        return _by_network(values)
    # In rows, whatever the axis: along another one each series would be gathered by itself.
    ordered = np.array(np.moveaxis(values, axis, -1), order="C")
    ordered.sort(axis=-1)
    upper = np.asarray(ordered[..., n // 2], dtype=values.dtype)
    if n % 2:
        return upper
    return np.asarray((ordered[..., n // 2 - 1] + upper) / 2, dtype=values.dtype)


def _by_network(values: NDArray[Real]) -> NDArray[Real]:
    """Median along the last axis but one."""
    *outer, n, width = values.shape
    stack = values.reshape(-1, n, width)
    found = np.empty((len(stack), width), dtype=values.dtype)
    at_once = max(1, ROW // max(1, width))
    for first in range(0, len(stack), at_once):
        part = stack[first : first + at_once]
        rows = list(part.swapaxes(0, 1).copy().reshape(n, -1))
        spare = np.empty_like(rows[0])
        for low, high, needs_low, needs_high in median_network(n):
            one, other = rows[low], rows[high]
            if needs_low and needs_high:
                np.minimum(one, other, out=spare)
                np.maximum(one, other, out=other)
                rows[low], spare = spare, one
            elif needs_low:
                np.minimum(one, other, out=one)
            else:
                np.maximum(one, other, out=other)
        middle = rows[n // 2] if n % 2 else (rows[n // 2 - 1] + rows[n // 2]) / 2
        found[first : first + at_once] = middle.reshape(-1, width)
    return found.reshape(*outer, width)


@lru_cache
def median_network(n: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """Give comparisons that bring the middle of `n` values to its place.

    They are those of Batcher's odd-even merge sort (1968; Knuth, The Art of Computer Programming,
    volume 3, section 5.2.2, algorithm M) which the middle depends on.

    Returns
    -------
    tuple of (int, int, bool, bool)
        Two places in order, the lower value of which goes to the first and the higher to the
        second, and whether either is needed.

    Examples
    --------
    >>> median_network(2)
    ((0, 1, True, True),)
    """
    comparisons = []
    size = 1
    while size < n:
        apart = size
        while apart >= 1:
            for start in range(apart % size, n - apart, 2 * apart):
                comparisons += [
                    (low, low + apart)
                    for low in range(start, min(start + apart, n - apart))
                    if low // (2 * size) == (low + apart) // (2 * size)
                ]
            apart //= 2
        size *= 2
    needed = {n // 2} if n % 2 else {n // 2 - 1, n // 2}
    kept = []
    for low, high in reversed(comparisons):
        if low in needed or high in needed:
            kept.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(kept))


def percentile(values: NDArray[Real], percent: float) -> NDArray[Real]:
    """Percentile along the last axis, as `numpy.percentile` gives it; there must be no NaN.

    Parameters
    ----------
    values : ndarray of float, shape (..., n)
    percent : float
        From 0 to 100; between two values the straight line is taken.

    Returns
    -------
    ndarray of the same type, without that axis

    Examples
    --------
    >>> float(percentile(np.arange(5.0), 80))
    3.2
    """
    ordered = np.sort(values, axis=-1)
    place = percent / 100 * (ordered.shape[-1] - 1)
    below = floor(place)
    part = place - below
    low, high = ordered[..., below], ordered[..., min(below + 1, ordered.shape[-1] - 1)]
    # From the nearer end, as NumPy does, so that rounding is the same.
    between = low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)
    return np.asarray(between, dtype=values.dtype)


def long_median(pieces: Callable[[], Iterable[NDArray[np.float32]]]) -> np.float32:
    """Median of a series too long for memory, as `numpy.nanmedian` gives it.

    The pieces are gone through twice: once to count the values by the upper half of their bits, in
    which numbers are ordered as in the whole, and once those of the median by the lower half.

    Parameters
    ----------
    pieces : callable
        Gives the pieces, ndarrays of float32, shape (values,), from the start each time. NaN is
        left out.

    Returns
    -------
    float32
        NaN where there is nothing.

    Examples
    --------
    >>> series = np.array([4, np.nan, 1, 2, 8], dtype=np.float32)
    >>> float(long_median(lambda: [series[:2], series[2:]]))
    3.0
    """
    upper = np.zeros(_HALF, dtype=np.int64)
    for piece in pieces():
        upper += np.bincount(_ordered_bits(piece) >> 16, minlength=_HALF)
    below = np.cumsum(upper)
    n = int(below[-1])
    if n == 0:
        return np.float32(np.nan)
    ranks = [(n - 1) // 2, n // 2]  # of the two in the middle
    halves = [int(np.searchsorted(below, rank, side="right")) for rank in ranks]
    lower = {half: np.zeros(_HALF, dtype=np.int64) for half in halves}
    for piece in pieces():
        bits = _ordered_bits(piece)
        for half, counts in lower.items():
            counts += np.bincount(bits[bits >> 16 == half] & (_HALF - 1), minlength=_HALF)
    found = []
    for rank, half in zip(ranks, halves, strict=True):
        own = rank - int(below[half] - upper[half])
        found.append(half << 16 | int(np.searchsorted(np.cumsum(lower[half]), own, side="right")))
    low, high = _from_ordered_bits(np.array(found, dtype=np.uint32))
    return np.float32(low if low == high else (low + high) / np.float32(2))


_HALF = 1 << 16
_SIGN = np.uint32(1 << 31)


def _ordered_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Give whole numbers in the order of the values, NaN left out."""
    bits = np.ascontiguousarray(values[~np.isnan(values)]).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _from_ordered_bits(bits: NDArray[np.uint32]) -> NDArray[np.float32]:
    return np.where(bits & _SIGN, bits ^ _SIGN, ~bits).view(np.float32)
