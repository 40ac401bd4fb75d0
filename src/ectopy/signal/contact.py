"""Seconds in which a lead has no contact: it does not move at all, or rests far off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.signal.bands import SecondMeasures

QUARTERS = 3
"""Consecutive quarters of a second of one value that are no signal: even a standstill of the heart
shows noise of the skin and the amplifier. A flat line of a second holds three whole ones."""

QUIET = 0.005
"""Range of a second, in usual ranges of the lead, below which no skin is quiet: less than the step
of the MIT-BIH database's converter, 5 of 1500 microvolts."""

QUIET_OFF = 0.03
"""The same for a second at another level than the lead's: an amplifier at its rail has noise of its
own. A standstill of the heart keeps the level."""

OFF = 1.0
"""How far off such a level is, in usual ranges of a second."""


def constant_quarters(samples: NDArray[np.floating], edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each quarter of a second keeps one value, shape (quarters,).

    Parameters
    ----------
    samples : ndarray of float, shape (samples,)
        Missing ones are NaN, and make no quarter constant.
    edges : ndarray of int64, shape (quarters + 1,)
        Where quarters start; the last one is where the last quarter ends.
    """
    inside = samples[: edges[-1]]
    return np.asarray(
        np.maximum.reduceat(inside, edges[:-1]) == np.minimum.reduceat(inside, edges[:-1])
    )


def flat_seconds(measures: SecondMeasures, constant: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark seconds without contact.

    Parameters
    ----------
    measures : SecondMeasures
    constant : ndarray of bool, shape (4 * seconds,)
        As `constant_quarters` gives it.

    Returns
    -------
    ndarray of bool, shape (seconds,)
        At least half of the second is part of a line of one value of `QUARTERS` quarters or more,
        or the whole of it is quieter than skin can be.
    """
    edges = np.flatnonzero(np.diff(constant, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    line = np.zeros(len(constant), dtype=np.bool_)
    line[constant] = np.repeat(lengths >= QUARTERS, lengths)
    ranges = measures.high - measures.low
    half_flat: NDArray[np.bool_] = line.reshape(-1, 4).sum(axis=1) >= 2
    moving = ~half_flat
    if not moving.any():
        return half_flat
    usual, level = np.median(ranges[moving]), np.median(measures.mean[moving])
    off = np.abs(measures.mean - level) >= OFF * usual
    return np.asarray(half_flat | (ranges < QUIET * usual) | (off & (ranges < QUIET_OFF * usual)))
