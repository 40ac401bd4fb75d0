"""Cells of dates and times of day, as seconds.

Understood are ISO 8601 date-times, dates with a time of day as German programs write them, and a
time of day alone (`10:15:00.004`, or minutes and seconds as PhysioNet writes them, `0:00.004`).
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_DAY_S = 86_400.0

_CELL = re.compile(
    r"(?:(?P<year>\d{4})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)"
    r"|(?P<day2>\d\d?)\.(?P<month2>\d\d?)\.(?P<year2>\d{4})"
    r"|(?P<unclear>\d\d?/\d\d?/\d{4}))?"  # 03/04/2020 is a day in March or in April
    r"(?:(?:^|[T ]\s*)"
    r"(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d\d?):(?P<seconds>\d\d?(?:[.,]\d+)?)"
    r"\s*(?P<half>[AaPp][Mm])?"
    r"\s*(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?")


# Such patterns take the square of the length of a cell to find that it is none.
_LONGEST_CELL = 64


def _matched(cell: str) -> re.Match[str] | None:
    return _CELL.fullmatch(cell) if len(cell) <= _LONGEST_CELL else None


def is_time_text(cell: str) -> bool:
    """Whether a cell is a date, a clock or both."""
    return bool(cell) and _matched(cell) is not None


def has_clock(cell: str) -> bool:
    """Whether a cell holds a time of day, with or without a date."""
    found = _matched(cell)
    return found is not None and found["minutes"] is not None


class Clock:
    """Reads cells of dates and clocks as seconds, block by block.

    Parameters
    ----------
    file : str
        For messages.
    day : date, optional
        Date of the first cell, where another column tells it.

    Attributes
    ----------
    start : datetime, optional
        Wall-clock time of the first cell, without a zone, once a date is known.
    zone : str, optional
        Offset of that time from UTC, where the cells give it.
    """

    def __init__(self, file: str, day: date | None = None) -> None:
        self._file, self._day = file, day
        self._last: float | None = None
        self._dated = False
        self._turn = 0.0  # midnights passed, in seconds
        self.start: datetime | None = None
        self.zone: str | None = None

    def read(self, cells: Sequence[str], where: Callable[[int], str]) -> NDArray[np.float64]:
        """Read the next cells.

        Parameters
        ----------
        cells : sequence of str
            As they are in the file, without spaces around them.
        where : callable
            Says where the row of an index into `cells` stands, such as "line 7".

        Returns
        -------
        ndarray of float64
            Seconds since a fixed point.

        Raises
        ------
        RecordingError
            If a cell is no date or clock.
        """
        if not len(cells):
            return np.empty(0)
        seconds = self._fast(cells)
        if seconds is None:
            seconds = np.array([self._one(cell, where, row) for row, cell in enumerate(cells)])
        if self._last is None:
            self._open(cells[0], float(seconds[0]))
        if not self._dated:
            falls = np.diff(seconds, prepend=seconds[0] if self._last is None else self._last)
            midnights = np.cumsum(falls < -_DAY_S / 2) * _DAY_S
            self._last = float(seconds[-1])
            seconds = seconds + self._turn + midnights
            self._turn += float(midnights[-1])
        else:
            self._last = float(seconds[-1])
        return seconds

    def _fast(self, cells: Sequence[str]) -> NDArray[np.float64] | None:
        """Read ISO 8601 in one go; None where it is something else."""
        if _ISO.match(cells[0]) is None:
            return None
        import pandas as pd

        try:
            stamps = pd.to_datetime(pd.Series(cells), format="ISO8601", utc=True, errors="raise")
        except (ValueError, OverflowError):
            return None
        nanoseconds = stamps.to_numpy(dtype="datetime64[ns]").astype(np.int64)
        if (nanoseconds == np.iinfo(np.int64).min).any():
            return None
        whole, part = np.divmod(nanoseconds, 1_000_000_000)
        return np.asarray(whole.astype(np.float64) + part / 1e9)

    def _one(self, cell: str, where: Callable[[int], str], row: int) -> float:
        match = _matched(cell) if isinstance(cell, str) else None
        if match is not None and match["minutes"] and bool(_date(match)) == bool(_year(match)):
            return self._seconds(match)
        shown = f"{cell[:20]!r}" if isinstance(cell, str) and cell else "an empty cell"
        msg = (
            f"{self._file}, {where(row)}: {shown} is no time of day; correct it, or leave out "
            "the time column and give --fs"
        )
        raise RecordingError(msg)

    @staticmethod
    def _seconds(match: re.Match[str]) -> float:
        seconds = float(match["seconds"].replace(",", ".")) + 60 * int(match["minutes"])
        hours = int(match["hours"] or 0)
        if match["half"]:
            hours = hours % 12 + (12 if match["half"].lower() == "pm" else 0)
        seconds += 3600 * hours
        day = _date(match)
        if day is not None:
            seconds += (day - date(1970, 1, 1)).days * _DAY_S
        if match["zone"]:
            seconds -= _offset(match["zone"]).total_seconds()
        return seconds

    def _open(self, cell: str, seconds: float) -> None:
        """Keep what the first cell says of start and zone."""
        match = _matched(cell)
        day = _date(match) if match else None
        self._dated = day is not None
        if match and match["zone"]:
            self.zone = offset_text(match["zone"])
        if day is not None:
            shift = _offset(self.zone) if self.zone else timedelta()
            with suppress(OverflowError, ValueError, OSError):  # before year 1, after year 9999
                self.start = (datetime.fromtimestamp(seconds, UTC) + shift).replace(tzinfo=None)
        elif self._day is not None and 0 <= seconds < _DAY_S:
            self.start = datetime.combine(self._day, datetime.min.time())
            self.start += timedelta(seconds=seconds)


def date_of(cell: str) -> date | None:
    """Day of a cell that is a date, if it is clear which."""
    match = _matched(cell)
    return _date(match) if match else None


def offset_text(zone: str) -> str:
    """Spell an offset from UTC as ISO 8601 does, such as +02:00 for +0200 and +00:00 for Z."""
    if zone in "Zz":
        return "+00:00"
    digits = zone[1:].replace(":", "")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _year(match: re.Match[str]) -> str | None:
    return match["year"] or match["year2"]


def _date(match: re.Match[str]) -> date | None:
    year = _year(match)
    if year is None:
        return None
    try:
        return date(
            int(year), int(match["month"] or match["month2"]), int(match["day"] or match["day2"])
        )
    except ValueError:
        return None


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
