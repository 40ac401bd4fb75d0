"""Heart rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.intervals import Intervals

RATE_WINDOW = 8
"""Intervals in each window whose median gives the lowest and the highest heart rate."""

_BLOCK = 65_536


def mean_rate_bpm(rr_s: NDArray[np.float64]) -> float | None:
    """Give 60 over the mean interval in seconds; None without an interval to divide by.

    Examples
    --------
    >>> mean_rate_bpm(np.array([0.9, 1.1])), mean_rate_bpm(np.array([]))
    (60.0, None)
    """
    mean = float(rr_s.mean()) if len(rr_s) else 0.0
    return 60.0 / mean if mean > 0 else None


def window_rates_bpm(intervals: Intervals) -> NDArray[np.float64]:
    """Heart rate of each window of `RATE_WINDOW` consecutive intervals.

    Parameters
    ----------
    intervals : Intervals

    Returns
    -------
    ndarray of float64, shape (beats,)
        60 over the median interval of the window that ends with the beat, in beats per minute: a
        median, so that one missed or one additional beat does not move it. NaN for the first
        `RATE_WINDOW` beats, and where the window holds an interval that is not known or longer
        than `ectopy.measures.intervals.GAP_S`.
    """
    rates = np.full(len(intervals.times_s), np.nan)
    rr_s, joined = intervals.rr_s, intervals.joined
    for first in range(0, len(rr_s) - RATE_WINDOW + 1, _BLOCK):
        part = slice(first, first + _BLOCK + RATE_WINDOW - 1)
        medians = np.median(sliding_window_view(rr_s[part], RATE_WINDOW), axis=1)
        whole = sliding_window_view(joined[part], RATE_WINDOW).all(axis=1) & (medians > 0)
        ends = first + RATE_WINDOW + np.flatnonzero(whole)
        rates[ends] = 60.0 / medians[whole]
    return rates


def extremes(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Lowest and highest of the values that are no NaN; None and None where all are.

    Examples
    --------
    >>> extremes(np.array([np.nan, 80.0, 62.0]))
    (62.0, 80.0)
    """
    values = values[~np.isnan(values)]
    return (float(values.min()), float(values.max())) if len(values) else (None, None)
