"""Strips of rhythm put after one another in one recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.grid import MOST_MISSING_S, Gaps
from ectopy.readers.source import unique_names
from ectopy.readers.spool import SpooledSource

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SHORTEST_S = 1e-6  # of a sampling interval
# Values that missing leads and strips may add, as many as the reader of WFDB allows.
_ADDED_PER_VALUE = 20
_ADDED_ALWAYS = 24 * 3600 * 360 * 2


@dataclass
class Strip:
    """Leads over a stretch of time.

    Attributes
    ----------
    start : datetime, optional
        Wall-clock time of the first sample, without a zone.
    offset_s : float, optional
        Time of the first sample since `low`, where there is no `start`.
    low : datetime, optional
        When the series of the strip begins.
    increment_s : float, optional
        Sampling interval.
    leads : list of (str, ndarray of float32)
        Name and samples, in millivolts, of each lead.
    """

    start: datetime | None = None
    offset_s: float | None = None
    increment_s: float | None = None
    low: datetime | None = None
    leads: list[tuple[str, NDArray[np.float32]]] = field(default_factory=list)

    @property
    def n_samples(self) -> int:
        """Samples of the first lead."""
        return len(self.leads[0][1])

    @property
    def begin(self) -> datetime | None:
        """Wall-clock time of the first sample, however it is said."""
        if self.start is None and self.low is not None:
            return self.low + timedelta(seconds=self.offset_s or 0.0)
        return self.start


def join_strips(path: Path, strips: list[Strip], notes: dict[str, str]) -> SpooledSource:
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
    increments = [strip.increment_s or 0.0 for strip in strips]
    if min(increments) < _SHORTEST_S or max(increments) > min(increments) * (1 + 1e-6):
        shown = ", ".join(f"{increment:g}" for increment in sorted(set(increments)))
        msg = f"{file} has sampling intervals of {shown} s; expected one for all strips"
        raise RecordingError(msg)
    for strip in strips:
        lengths = {len(values) for _, values in strip.leads}
        if len(lengths) > 1:
            msg = f"{file} has leads of {min(lengths)} and of {max(lengths)} samples at the same "
            raise RecordingError(msg + "time; get the file again")
    fs = round(1 / increments[0], 6)
    whole = round(fs)
    fs = float(whole) if abs(fs - whole) < 1e-6 * fs else fs
    times = _times(file, strips)
    order = sorted(range(len(strips)), key=lambda number: times[number])
    strips, times = [strips[n] for n in order], [times[n] for n in order]
    ends = np.cumsum([strip.n_samples for strip in strips])
    between = [
        round((later - before) * fs) - strip.n_samples
        for before, later, strip in zip(times, times[1:], strips, strict=False)
    ]
    if min(between, default=0) < 0 or sum(between) > MOST_MISSING_S * fs:
        msg = f"{file} has strips of rhythm at the same time, or over a day apart; part the file"
        raise RecordingError(msg)
    named = [dict(zip(unique_names([n for n, _ in s.leads]), s.leads, strict=True)) for s in strips]
    leads = tuple(dict.fromkeys(name for strip in named for name in strip))
    n_rows = int(ends[-1])
    held = sum(strip.n_samples * len(strip.leads) for strip in strips)
    if n_rows < 2:
        msg = f"{file} holds {n_rows} samples of a lead; a recording has thousands"
        raise RecordingError(msg)
    if n_rows * len(leads) > _ADDED_PER_VALUE * held + _ADDED_ALWAYS:
        msg = f"{file} holds {n_rows} samples of {len(leads)} leads, of which {held} are given; "
        raise RecordingError(msg + "a recording has the same leads throughout")
    rows = np.full((n_rows, len(leads)), np.nan, dtype=np.float32)
    for own, end in zip(named, ends, strict=True):
        for name, (_, values) in own.items():
            rows[end - len(values) : end, leads.index(name)] = values
    apart = np.array(between, dtype=np.int64)
    gaps = Gaps(ends[:-1][apart > 0], np.cumsum(apart)[apart > 0])
    return SpooledSource(
        name=path.stem,
        fs=fs,
        leads=leads,
        n_samples=n_rows + gaps.total,
        start=strips[0].begin,
        notes=notes,
        rows=rows,
        gaps=gaps,
    )


def _times(file: str, strips: list[Strip]) -> list[float]:
    """When each strip begins, in seconds since a common point."""
    begins = [strip.begin for strip in strips]
    if len(strips) == 1:
        return [0.0]
    first = next((begin for begin in begins if begin is not None), None)
    if first is not None and None not in begins:
        return [(begin - first).total_seconds() for begin in begins if begin is not None]
    offsets = [strip.offset_s for strip in strips]
    if None in offsets:
        msg = f"{file} has {len(strips)} strips of rhythm and does not say when each begins"
        raise RecordingError(msg + "; part the file")
    return [offset for offset in offsets if offset is not None]
