"""A recording hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.measures.intervals import Intervals
from ectopy.measures.pauses import pause_rows
from ectopy.measures.rates import extremes, mean_rate_bpm, window_rates_bpm
from ectopy.measures.runs import RUN_BEATS, find_runs

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from ectopy.measures.intervals import Times

HOUR_S = 3600.0


@dataclass(frozen=True, eq=False)
class Hourly:
    """Each hour of a recording, counted from its start; the last may be shorter.

    What lies between two beats belongs to the hour of the later one, a run to that of its first.

    Attributes
    ----------
    start_s, stop_s : ndarray of float64, shape (hours,)
        When each hour begins and ends, in seconds from the start of the recording.
    start : datetime or None
        Wall-clock time of the first sample, where the recording gives one.
    counts : ndarray of int64, shape (hours, 5)
        Beats of each class, in the order of `ectopy.beats.CLASSES`.
    unusable : ndarray of int64, shape (hours,)
        Beats that could not be classed.
    usable_percent : ndarray of float64, shape (hours,)
        Seconds that can be used, per 100; NaN where no mask was given.
    heart_rate_min_bpm, heart_rate_mean_bpm, heart_rate_max_bpm : ndarray of float64, (hours,)
        As in `ectopy.Summary`; NaN where an hour has none.
    pauses, v_runs, s_runs : ndarray of int64, shape (hours,)
        Pauses longer than `ectopy.measures.pauses.PAUSE_S`, and runs of class V and of class S.
    """

    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    start: datetime | None
    counts: NDArray[np.int64]
    unusable: NDArray[np.int64]
    usable_percent: NDArray[np.float64]
    heart_rate_min_bpm: NDArray[np.float64]
    heart_rate_mean_bpm: NDArray[np.float64]
    heart_rate_max_bpm: NDArray[np.float64]
    pauses: NDArray[np.int64]
    v_runs: NDArray[np.int64]
    s_runs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def clock(self) -> list[str | None]:
        """Wall-clock time at which each hour begins, ISO 8601; None where it is not known."""
        if self.start is None:
            return [None] * len(self)
        return [(self.start + timedelta(seconds=s)).isoformat() for s in self.start_s.tolist()]

    def to_dict(self) -> list[dict[str, Any]]:
        """One dict an hour, as plain data."""
        rates = ("heart_rate_min_bpm", "heart_rate_mean_bpm", "heart_rate_max_bpm")
        names = ("unusable", "usable_percent", *rates, "pauses", "v_runs", "s_runs")
        columns = [getattr(self, name).tolist() for name in names]
        return [
            {
                "start_s": self.start_s[hour].item(),
                "stop_s": self.stop_s[hour].item(),
                "clock": clock,
                "beats": int(self.counts[hour].sum()),
                "counts": dict(zip(CLASSES, self.counts[hour].tolist(), strict=True)),
            }
            | {name: column[hour] for name, column in zip(names, columns, strict=True)}
            for hour, clock in enumerate(self.clock)
        ]


def count_hours(
    times_s: Times,
    classes: NDArray[np.int8],
    duration_s: float,
    *,
    start: datetime | None = None,
    usable_s: NDArray[np.bool_] | None = None,
) -> Hourly:
    """Count beats, rates, pauses and runs hour by hour.

    Parameters
    ----------
    times_s, classes, usable_s
        As in `ectopy.measures.intervals.Intervals.between`.
    duration_s : float
        Length of the recording in seconds.
    start : datetime, optional
        Wall-clock time of the first sample.

    Examples
    --------
    >>> times = np.array([10.0, 11.0, 3700.0])
    >>> hours = count_hours(times, np.array([0, 2, 0], dtype=np.int8), 3710.0)
    >>> hours.counts[:, 0].tolist(), hours.stop_s.tolist()
    ([1, 1], [3600.0, 3710.0])
    """
    n_hours = max(1, int(np.ceil(duration_s / HOUR_S)))
    intervals = Intervals.between(times_s, classes, usable_s)
    # Both ends of each hour among the beats; what comes after the last end is in the last hour.
    rows = times_s.searchsorted(HOUR_S * np.arange(n_hours + 1))
    rows[-1] = len(times_s)
    rates = _rates(intervals, rows)
    counts = np.stack(
        [np.bincount(classes[a:b] + 1, minlength=len(CLASSES) + 1) for a, b in _pairs(rows)]
    )
    v_runs, s_runs = (
        _count_runs(intervals, classes == CLASSES.index(name), rows) for name in ("V", "S")
    )
    starts = HOUR_S * np.arange(n_hours, dtype=np.float64)
    return Hourly(
        start_s=starts,
        stop_s=np.minimum(starts + HOUR_S, max(duration_s, 0.0)),
        start=start,
        counts=counts[:, 1:],
        unusable=counts[:, 0],
        usable_percent=_usable_percent(usable_s, n_hours),
        heart_rate_min_bpm=rates[:, 0],
        heart_rate_mean_bpm=rates[:, 1],
        heart_rate_max_bpm=rates[:, 2],
        pauses=np.diff(np.searchsorted(pause_rows(intervals) + 1, rows)),
        v_runs=v_runs,
        s_runs=s_runs,
    )


def _pairs(rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    return list(pairwise(rows.tolist()))


def _rates(intervals: Intervals, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lowest, mean and highest rate of each hour; NaN where there is none."""
    rates = []
    for first, last in _pairs(rows):
        # The interval that ends with beat i is row i - 1 of the intervals.
        part = slice(max(first - 1, 0), max(last - 1, 0))
        known = intervals.rr_s(part)[intervals.joined[part]]
        mean = mean_rate_bpm(float(known.sum()), len(known))
        low, high = extremes(window_rates_bpm(intervals, slice(first, last)))
        rates.append((low, mean, high))
    return np.array(rates, dtype=np.float64)


def _count_runs(
    intervals: Intervals, is_class: NDArray[np.bool_], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    table = find_runs(intervals, is_class)
    first = table.first[table.beats >= RUN_BEATS]
    return np.diff(np.searchsorted(first, rows))


def _usable_percent(usable_s: NDArray[np.bool_] | None, n_hours: int) -> NDArray[np.float64]:
    percent = np.full(n_hours, np.nan)
    if usable_s is not None:
        for hour in range(n_hours):
            part = usable_s[int(hour * HOUR_S) : int((hour + 1) * HOUR_S)]
            percent[hour] = 100.0 * part.mean() if len(part) else np.nan
    return percent
