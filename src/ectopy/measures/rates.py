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


def mean_rate_bpm(total_s: float, n: int) -> float | None:
    """Give 60 over the mean of `n` intervals, in seconds; None without one to divide by.

    Examples
    --------
    >>> mean_rate_bpm(0.9 + 1.1, 2), mean_rate_bpm(0.0, 0)
    (60.0, None)
    """
    return 60.0 / (total_s / n) if n and total_s > 0 else None


def window_rates_bpm(intervals: Intervals, beats: slice) -> NDArray[np.float64]:
    """Heart rate of each window of `RATE_WINDOW` consecutive intervals.

    Parameters
    ----------
    intervals : Intervals
    beats : slice
        Rows of the beats that the windows end with.

    Returns
    -------
    ndarray of float64, one value a beat
        60 over the median interval of the window that ends with the beat, in beats per minute: a
        median, so that one missed or one additional beat does not move it. NaN for the first
        `RATE_WINDOW` beats of all, and where the window holds an interval that is not known or
        longer than `ectopy.measures.intervals.GAP_S`.
    """
    first, stop, _ = beats.indices(len(intervals.times_s))
    rates = np.full(max(stop - first, 0), np.nan)
    begin = max(first - RATE_WINDOW, 0)
    part = slice(begin, max(stop - 1, begin))
    if part.stop - begin < RATE_WINDOW:
        return rates
    medians = np.median(sliding_window_view(intervals.rr_s(part), RATE_WINDOW), axis=1)
    whole = sliding_window_view(intervals.joined[part], RATE_WINDOW).all(axis=1) & (medians > 0)
    rates[begin + RATE_WINDOW - first :][whole] = 60.0 / medians[whole]
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
