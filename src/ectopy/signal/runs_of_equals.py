"""Runs of equal samples in a block of a lead: flat stretches, and waves cut at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = 8
"""A long run holds at least so many of the samples that are looked at first."""

_FIRST = 64  # samples in which the first run mostly ends


def long_runs(
    block: NDArray[np.floating], shortest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of at least so many equal samples.

    Only a few samples, evenly spaced, are looked at where there is no such run: all of those that
    it would hold were equal.

    Parameters
    ----------
    block : ndarray of float, shape (samples,)
        NaN equals nothing.
    shortest : int
        At least 2.

    Returns
    -------
    starts, stops : ndarray of int64, shape (runs,)

    Examples
    --------
    >>> starts, stops = long_runs(np.array([1.0, 1, 1, 2, 3, 3]), 2)
    >>> starts.tolist(), stops.tolist()
    ([0, 4], [3, 6])
    """
    step = max(1, shortest // GRID)
    starts, stops = _runs(block[::step])
    if not (stops - starts >= max(2, shortest // step)).any():
        return starts[:0], stops[:0]
    if step > 1:
        starts, stops = _runs(block)
    long = stops - starts >= shortest
    return starts[long], stops[long]


def _runs(values: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of two or more equal values."""
    same = np.zeros(len(values) + 1, dtype=np.bool_)
    np.equal(values[1:], values[:-1], out=same[1:-1])
    edges = np.flatnonzero(same[1:] != same[:-1])
    return edges[::2], edges[1::2] + 1


def runs_at(
    block: NDArray[np.floating], value: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of samples of one value, single ones too.

    Returns
    -------
    starts, stops : ndarray of int64, shape (runs,)
    """
    places = np.flatnonzero(block == value)
    if len(places) == 0:
        return places, places
    borders = np.flatnonzero(np.diff(places) != 1)
    starts = places[np.concatenate([[0], borders + 1])]
    stops = places[np.concatenate([borders, [len(places) - 1]])] + 1
    return starts, stops


def first_run(block: NDArray[np.floating]) -> int:
    """Length of the run that a block starts with, at least 1; of NaN it is 1.

    Examples
    --------
    >>> first_run(np.array([2.0, 2, 3, 2]))
    2
    """
    for size in (_FIRST, len(block)):
        other = block[:size] != block[0]
        place = int(other.argmax())
        if other[place]:
            return max(place, 1)
    return len(block)
