"""Columns of times as numbers: seconds, milliseconds and finer, Unix epochs, numbers of samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SECONDS_PER = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sekunden": 1.0,
    "ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "millisecond": 1e-3,
    "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "usec": 1e-6, "microseconds": 1e-6,
    "ns": 1e-9, "nsec": 1e-9, "nanoseconds": 1e-9,
    "min": 60.0, "minutes": 60.0, "minuten": 60.0,
    "h": 3600.0, "hours": 3600.0, "stunden": 3600.0,
}  # fmt: skip
_TIME_WORDS = {
    "time", "times", "timestamp", "timestamps", "datetime", "date", "clock", "epoch", "unix", "ts",
    "zeit", "uhrzeit", "zeitstempel", "datum", "temps", "tiempo", "tempo", "hora", "heure", "tijd",
    "sec", "secs", "second", "seconds", "sekunden", "msec", "millis", "milliseconds",
    "millisecond", "microseconds", "nanoseconds",
}  # fmt: skip
_TIME_NAMES = {"t", "s", "ms", "us", "ns"}  # only where there is no other word
_COUNT_WORDS = {
    "sample", "samples", "index", "idx", "number", "no", "nr", "n", "row", "unnamed", "level",
}  # fmt: skip
_COUNT_WORDS_OF_PANDAS = {"unnamed", "level"}  # Unnamed: 0, __index_level_0__
# Frequencies of ECG, and what tells seconds from milliseconds: the bounds are 1000 apart.
_SLOWEST, _FASTEST = 25.0, 25_000.0
# Unix seconds from 2001 to 2128; no time since the start of a recording is as large, but that since
# 2000, which some sensors count, is smaller for long.
_EPOCH_S = (1e9, 5e9)
_MOST = 1e20  # beyond any time in nanoseconds


def words(name: str) -> list[str]:
    """Split a column's name into its words, in small letters."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[^\W\d_]+", spaced.lower())


def is_time_name(name: str) -> bool:
    """Whether a column is a time, by its name."""
    found = set(words(name))
    return bool(found) and (not _TIME_WORDS.isdisjoint(found) or found <= _TIME_NAMES)


def is_count_name(name: str) -> bool:
    """Whether a column numbers samples, by its name."""
    found = set(words(name))
    if any(char.isdigit() for char in name) and found.isdisjoint(_COUNT_WORDS_OF_PANDAS):
        return False
    return found <= _COUNT_WORDS if found else not any(char.isalnum() for char in name)


@dataclass(frozen=True)
class Scale:
    """What the numbers of a time column count.

    Attributes
    ----------
    seconds_per : float
        Seconds per unit; 1 where samples are counted.
    counts : bool
        Whether samples are counted.
    epoch : bool
        Whether the origin is 1970-01-01 UTC.
    """

    seconds_per: float
    counts: bool = False
    epoch: bool = False

    def start(self, first: float) -> datetime | None:
        """Wall-clock time (UTC) of the first number, where the column tells it."""
        if not self.epoch:
            return None
        return datetime(1970, 1, 1) + timedelta(seconds=first * self.seconds_per)


def scale_of(
    file: str, name: str, unit: str | None, values: NDArray[np.float64], fs: float | None
) -> Scale:
    """Find what a time column counts, from its name, its unit and its first numbers.

    Without a unit, seconds, milliseconds and so on are told apart by what gives a sampling
    frequency from 25 Hz to 25 kHz, of which there is never more than one.

    Parameters
    ----------
    file, name : str
        File and column.
    unit : str, optional
        The unit that the file gives.
    values : ndarray of float64
        Its first numbers.
    fs : float, optional
        Sampling frequency in Hz that is known from elsewhere.

    Raises
    ------
    RecordingError
        If it could be more than one thing, or none.
    """
    values = values[np.abs(values) < _MOST]
    steps = np.diff(values)
    step = float(np.median(steps)) if len(steps) else 0.0
    size = float(np.abs(values).max()) if len(values) else 0.0
    named = [unit.strip().lower()] if unit else []
    for word in [*named, *reversed(words(name))]:
        if word in _SECONDS_PER:
            per = _SECONDS_PER[word]
            return Scale(per, epoch=_EPOCH_S[0] <= size * per <= _EPOCH_S[1])
    for per in (1.0, 1e-3, 1e-6, 1e-9):
        if _EPOCH_S[0] <= size * per <= _EPOCH_S[1]:
            return Scale(per, epoch=True)
    if is_count_name(name) and step == 1:
        return Scale(1.0, counts=True)
    if step == 1 and (steps == np.rint(steps)).all():
        if fs is None:
            msg = (
                f"{file}: column {name!r} rises by 1, which may be samples or milliseconds; "
                "give the sampling frequency with --fs"
            )
            raise RecordingError(msg)
        return Scale(1e-3) if abs(fs - 1000) < 1 else Scale(1.0, counts=True)
    for per in (1.0, 1e-3, 1e-6, 1e-9):
        if step > 0 and _SLOWEST <= 1 / (step * per) < _FASTEST:
            return Scale(per)
    if step == 0 and fs is not None:
        return Scale(1.0)
    msg = (
        f"{file}: column {name!r} rises by {step:g} a row, which is no usual sampling interval in "
        "s, ms or finer; name its unit in the header, such as 'time [ms]'"
    )
    raise RecordingError(msg)
