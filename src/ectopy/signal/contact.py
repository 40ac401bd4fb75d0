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


def half_flat(constant: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark seconds of which at least half is part of a line of one value.

    Parameters
    ----------
    constant : ndarray of bool, shape (4 * seconds,)
        As `constant_quarters` gives it. Half a second beside a second decides as well.

    Returns
    -------
    ndarray of bool, shape (seconds,)
        Lines are `QUARTERS` quarters long or more.
    """
    edges = np.flatnonzero(np.diff(constant, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    line = np.zeros(len(constant), dtype=np.bool_)
    line[constant] = np.repeat(lengths >= QUARTERS, lengths)
    return np.asarray(line.reshape(-1, 4).sum(axis=1) >= 2)


def flat_seconds(
    measures: SecondMeasures, still: NDArray[np.bool_], level: float, span: float
) -> NDArray[np.bool_]:
    """Mark seconds without contact.

    Parameters
    ----------
    measures : SecondMeasures
    still : ndarray of bool, shape (seconds,)
        As `half_flat` gives it.
    level, span : float
        Median of the means and of the ranges of all the lead's other seconds; NaN without any.

    Returns
    -------
    ndarray of bool, shape (seconds,)
        Half of the second is still, or the whole of it is quieter than skin can be.
    """
    ranges = measures.high - measures.low
    off = np.abs(measures.mean - level) >= OFF * span
    return np.asarray(still | (ranges < QUIET * span) | (off & (ranges < QUIET_OFF * span)))
