"""Pairing found beats with reference beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MATCH_WINDOW_S = 0.150
"""Largest distance of a pair in seconds (ANSI/AAMI EC57, match window of the beat comparison)."""


def match_beats(
    reference: NDArray[np.int64], found: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair beats one to one: each with the other's nearest, within a tolerance.

    Parameters
    ----------
    reference, found : ndarray of int64, shapes (m,) and (n,)
        Sample indices, ascending.
    tolerance : float
        Largest distance of a pair in samples.

    Returns
    -------
    reference_rows, found_rows : ndarray of int64, shape (pairs,)
        Rows of the two that belong together.

    Examples
    --------
    >>> match_beats(np.array([100, 200, 300]), np.array([103, 190, 205, 400]), 20)
    (array([0, 1]), array([0, 2]))
    """
    if len(reference) == 0 or len(found) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    to_found = _nearest(reference, found)
    to_reference = _nearest(found, reference)
    rows = np.arange(len(reference))
    mutual = to_reference[to_found] == rows
    close = np.abs(found[to_found] - reference) <= tolerance
    kept = rows[mutual & close]
    return kept, to_found[kept]


def _nearest(points: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of `among` that lies nearest to each point; the earlier one of two."""
    after = np.searchsorted(among, points).clip(0, len(among) - 1)
    before = (after - 1).clip(0)
    nearer_before = np.abs(points - among[before]) <= np.abs(among[after] - points)
    return np.where(nearer_before, before, after)
