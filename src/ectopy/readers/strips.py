"""Strips of rhythm put after one another in one recording."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.grid import MOST_MISSING_S
from ectopy.readers.limits import MAX_FS, MOST_LEADS
from ectopy.readers.source import Source, unique_names

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_ROUNDED_S = 2e-3  # by which strips may overlap because times are written in ms


@dataclass(frozen=True, eq=False)
class Lead:
    """Samples of a lead within a strip, as they are in the file.

    Attributes
    ----------
    values : ndarray of float64, shape (samples,)
        Without unit.
    mv_per_unit, origin_mv : float
        Samples in millivolts are ``values * mv_per_unit + origin_mv``.
    """

    values: NDArray[np.float64]
    mv_per_unit: float
    origin_mv: float

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Read samples in millivolts; missing ones are NaN."""
        with np.errstate(over="ignore", invalid="ignore"):
            exact = self.values[first:stop] * self.mv_per_unit + self.origin_mv
            mv = exact.astype(np.float32)
        mv[~np.isfinite(mv)] = np.nan
        return mv


@dataclass(frozen=True)
class Moment:
    """A time on the wall clock.

    Attributes
    ----------
    wall : datetime
        Without a zone.
    utc_offset : timedelta, optional
        How much the wall clock is ahead of UTC.
    """

    wall: datetime
    utc_offset: timedelta | None = None


@dataclass
class Strip:
    """Leads over a stretch of time.

    Attributes
    ----------
    increment_s : float, optional
        Sampling interval.
    start : Moment, optional
        Of the first sample.
    offset_s : float, optional
        Time of the first sample since `low`, where there is no `start`.
    low : Moment, optional
        When the series of the strip begins.
    leads : list of (str, Lead)
        Name and samples of each lead.
    first : int
        Sample of the recording that is the first of the strip, once that is known.
    """

    increment_s: float | None = None
    start: Moment | None = None
    offset_s: float | None = None
    low: Moment | None = None
    leads: list[tuple[str, Lead]] = field(default_factory=list)
    first: int = 0

    @property
    def n_samples(self) -> int:
        """Samples of each lead."""
        return len(self.leads[0][1].values)

    @property
    def begin(self) -> Moment | None:
        """When the first sample was taken, however it is said."""
        if self.start is None and self.low is not None:
            after = timedelta(seconds=self.offset_s or 0.0)
            return Moment(self.low.wall + after, self.low.utc_offset)
        return self.start


@dataclass(frozen=True, eq=False)
class StripSource(Source):
    """A recording of one or more strips.

    Attributes
    ----------
    strips : tuple of (int, int, dict of str to Lead)
        First sample, the one after the last, and leads of each, in order of time.
    """

    strips: tuple[tuple[int, int, dict[str, Lead]], ...] = field(default=(), repr=False)

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        part = np.full((stop - first, len(columns)), np.nan, dtype=np.float32)
        at = bisect_right(self.strips, first, key=lambda strip: strip[1])
        for begin, end, leads in self.strips[at:]:
            if begin >= stop:
                break
            low, high = max(first, begin), min(stop, end)
            for place, column in enumerate(columns):
                lead = leads.get(self.leads[column])
                if lead is not None:
                    part[low - first : high - first, place] = lead.read(low - begin, high - begin)
        return part


def join_strips(path: Path, strips: list[Strip], notes: dict[str, str]) -> StripSource:
    """Put strips after one another.

    Parameters
    ----------
    path : Path
        The file they are from.
    strips : list of Strip
        At least one, each with a lead.
    notes : dict of str to str
        For the source.

    Raises
    ------
    RecordingError
        If leads of a strip differ in length, strips in their sampling interval, or strips lie at
        the same time, more than a day apart, or nowhere.
    """
    file = path.name
    fs = _fs(file, strips)
    for strip in strips:
        lengths = {len(lead.values) for _, lead in strip.leads}
        if len(lengths) > 1:
            msg = f"{file} has leads of {min(lengths)} and of {max(lengths)} samples at the same "
            raise RecordingError(msg + "time; expected equal numbers, get the file again")
    strips = _in_order(file, strips, fs)
    placed = []
    for strip in strips:
        names = unique_names([name for name, _ in strip.leads])
        own = dict(zip(names, (lead for _, lead in strip.leads), strict=True))
        placed.append((strip.first, strip.first + strip.n_samples, own))
    leads = tuple(dict.fromkeys(name for _, _, own in placed for name in own))
    n_samples = placed[-1][1]
    if n_samples < 2:
        msg = f"{file} holds {n_samples} samples of a lead; a recording has thousands"
        raise RecordingError(msg)
    if len(leads) > MOST_LEADS:
        msg = f"{file} has {len(leads)} leads; expected at most {MOST_LEADS}, part the file"
        raise RecordingError(msg)
    begin = strips[0].begin
    if begin is not None and begin.utc_offset is not None:
        notes = notes | {"utc offset": _offset(begin.utc_offset)}
    return StripSource(
        name=path.stem,
        fs=fs,
        leads=leads,
        n_samples=n_samples,
        start=begin.wall if begin else None,
        notes=notes,
        strips=tuple(placed),
    )


def _fs(file: str, strips: list[Strip]) -> float:
    """Find the sampling frequency in Hz of all strips."""
    increments = [strip.increment_s for strip in strips]
    known = [one for one in increments if one is not None]
    if len(known) < len(increments):
        msg = f"{file} does not give the sampling interval of all its leads; get the file again"
        raise RecordingError(msg)
    low, high = min(known), max(known)
    if not (low > 0 and isfinite(1 / low) and 1 / low <= MAX_FS * (1 + 1e-9)):
        msg = f"{file} has a sampling interval of {low:g} s; expected at least {1 / MAX_FS:g} s"
        raise RecordingError(msg + ", correct it")
    if high > low * (1 + 1e-6):
        msg = f"{file} has sampling intervals from {low:g} to {high:g} s; expected one, part it"
        raise RecordingError(msg)
    fs = round(1 / low, 6) or 1 / low
    whole = round(fs)
    return float(whole) if abs(fs - whole) < 1e-6 * fs else fs


def _in_order(file: str, strips: list[Strip], fs: float) -> list[Strip]:
    """Put strips in order of time, and number their first samples."""
    times = _times(file, strips)
    order = sorted(range(len(strips)), key=lambda number: times[number])
    missing = 0.0
    end, earliest = 0, times[order[0]]
    for number in order:
        strip = strips[number]
        strip.first = round((times[number] - earliest) * fs)
        if 0 < end - strip.first <= _ROUNDED_S * fs:
            strip.first = end
        missing += strip.first - end
        if strip.first < end or missing > MOST_MISSING_S * fs:
            where = "at the same time" if strip.first < end else "over a day apart"
            msg = f"{file} has strips of rhythm {where}; expected one after the other, part it"
            raise RecordingError(msg)
        end = strip.first + strip.n_samples
    return [strips[number] for number in order]


def _times(file: str, strips: list[Strip]) -> list[float]:
    """When each strip begins, in seconds since a common point."""
    begins = [strip.begin for strip in strips]
    if len(strips) == 1:
        return [0.0]
    known = [begin for begin in begins if begin is not None]
    if len(known) == len(strips):
        zoned = all(begin.utc_offset is not None for begin in known)
        shifts = [begin.utc_offset or timedelta() if zoned else timedelta() for begin in known]
        first = known[0].wall - shifts[0]
        return [
            (begin.wall - shift - first).total_seconds()
            for begin, shift in zip(known, shifts, strict=True)
        ]
    offsets = [strip.offset_s for strip in strips]
    if None in offsets:
        msg = f"{file} has {len(strips)} strips of rhythm and does not say when each begins"
        raise RecordingError(msg + "; part the file")
    return [offset for offset in offsets if offset is not None]


def _offset(ahead: timedelta) -> str:
    minutes = round(ahead.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
