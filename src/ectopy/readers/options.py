"""What a file may leave open and a user may say: sampling frequency and unit.

Where a file says it too, both have to agree: a wrong frequency or gain spoils every result without
a trace, so that nothing is overruled in silence.
"""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.limits import MAX_FS
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ectopy.readers.source import Source

PLAUSIBLE_MV = (0.05, 20.0)
"""Peak to peak within two seconds, which hold a beat, of a signal that can be taken as mV."""

FS_KEYS = ("fs", "sampling_rate", "sampling_frequency", "sample_rate", "samplingrate", "sfreq")
"""Names under which files keep a sampling frequency in Hz, in small letters."""

UNIT_KEYS = ("units", "unit")
"""Names under which files keep a unit, in small letters."""

START_KEYS = ("start", "start_time", "starttime", "recording_start", "base_datetime")
"""Names under which files keep the wall-clock time of the first sample, in small letters."""

_COUNTS_PER_MV = (1e-6, 1e9)  # of any converter, and of floating point numbers in nV to kV
_WINDOW_S = 2.0
_WINDOWS = 40  # looked at, spread evenly over the recording


class Rate(NamedTuple):
    """A sampling frequency and where it comes from."""

    fs: float
    origin: str
    tolerance: float = 1e-6  # relative


def given_unit(unit: str | float | None) -> float | None:
    """Millivolts per unit of what a user says, which is a voltage unit or the counts per mV.

    Raises
    ------
    RecordingError
        If it is neither.
    """
    if unit is None:
        return None
    if isinstance(unit, str) and (named := mv_per_unit(unit)) is not None:
        return named
    try:
        counts = float(unit)
    except (TypeError, ValueError):
        counts = 0.0
    if isinstance(unit, bool) or not _COUNTS_PER_MV[0] <= counts <= _COUNTS_PER_MV[1]:
        msg = f"unit {unit!r} is not known; give mV, uV, V or the ADC counts per mV, such as 200"
        raise RecordingError(msg)
    return 1 / counts


def given_fs(fs: float | None) -> float | None:
    """Check a sampling frequency that a user says.

    Raises
    ------
    RecordingError
        If it is no number of Hz above 0.
    """
    if fs is None:
        return None
    try:
        value = float(fs)
    except (TypeError, ValueError):
        value = 0.0
    if isinstance(fs, bool) or not isfinite(value) or value <= 0:
        msg = f"sampling frequency {fs!r} is not usable; expected a number of Hz above 0"
        raise RecordingError(msg)
    return value


def settle_fs(file: str, given: float | None, rates: Sequence[Rate]) -> float:
    """Choose the sampling frequency of a file in Hz: as given, else as its first source says.

    Raises
    ------
    RecordingError
        If there is none, two of them differ, or it is above `MAX_FS`.
    """
    known = [Rate(given, "given with --fs")] if given is not None else []
    known += rates
    if not known:
        msg = f"{file} does not say its sampling frequency; give it in Hz with --fs"
        raise RecordingError(msg)
    for number, one in enumerate(known):
        for other in known[number + 1 :]:
            if abs(one.fs - other.fs) > max(one.tolerance, other.tolerance) * other.fs:
                msg = (
                    f"{file}: the sampling frequency {one.fs:g} Hz {one.origin} is not the "
                    f"{other.fs:g} Hz {other.origin}; leave --fs out or correct what is wrong"
                )
                raise RecordingError(msg)
    fs, origin, _ = known[0]
    if fs > MAX_FS:
        msg = (
            f"{file}: the sampling frequency {fs:g} Hz {origin} is beyond any ECG; expected at "
            f"most {MAX_FS:g} Hz, correct it"
        )
        raise RecordingError(msg)
    return fs


def settle_units(
    file: str, given: str | float | None, leads: Sequence[str], own: Sequence[float | None]
) -> list[float | None]:
    """Millivolts per unit of each lead; None where neither the file nor the user says it.

    Raises
    ------
    RecordingError
        If what the user says is no unit, or differs from what the file says.
    """
    wanted = given_unit(given)
    if wanted is None:
        return list(own)
    for lead, factor in zip(leads, own, strict=True):
        if factor is not None and abs(factor - wanted) > 1e-6 * wanted:
            name = next(unit for unit, known in _NAMES.items() if known == factor)
            msg = (
                f"{file}: the unit {given!r} given with --unit is not the {name} that the file "
                f"gives for {lead!r}; leave --unit out or correct what is wrong"
            )
            raise RecordingError(msg)
    return [wanted] * len(own)


_NAMES = {"mV": 1.0, "uV": 1e-3, "V": 1e3, "nV": 1e-6}


def rate_said(file: str, said: Mapping[str, str]) -> float | None:
    """Find the sampling frequency in Hz that named values of a file say, if they do.

    Raises
    ------
    RecordingError
        If it is no number above 0.
    """
    for key in FS_KEYS:
        if key in said:
            try:
                fs = float(said[key])
            except ValueError:
                fs = 0.0
            if not 0 < fs < float("inf"):
                msg = f"{file} says {key} = {said[key][:40]!r}; expected one number of Hz above 0"
                raise RecordingError(msg)
            return fs
    return None


def unit_said(file: str, said: Mapping[str, str]) -> float | None:
    """Find the millivolts per unit that named values of a file say, if they do.

    Raises
    ------
    RecordingError
        If it is no unit of voltage.
    """
    unit = next((said[key] for key in UNIT_KEYS if key in said), None)
    if unit is None:
        return None
    if mv_per_unit(unit) is None:
        msg = f"{file} says that its unit is {unit[:40]!r}; expected mV, uV or V"
        raise RecordingError(msg)
    return mv_per_unit(unit)


def start_said(said: Mapping[str, str]) -> tuple[datetime | None, dict[str, str]]:
    """Find the start that named values of a file say as ISO 8601, and its note of the zone.

    Returns
    -------
    start : datetime or None
        On the wall clock, without a zone; None where the file says none that is understood.
    notes : dict of str to str
        The offset from UTC, where the file says it.

    Examples
    --------
    >>> start_said({"start": "2020-05-04T10:11:12+02:00"})
    (datetime.datetime(2020, 5, 4, 10, 11, 12), {'utc offset': '+02:00'})
    """
    text = next((said[key] for key in START_KEYS if key in said), "")
    try:
        start = datetime.fromisoformat(text.strip())
    except ValueError:
        return None, {}
    zone = start.strftime("%z")
    return start.replace(tzinfo=None), {"utc offset": f"{zone[:3]}:{zone[3:5]}"} if zone else {}


def refuse_whole(file: str, factors: Sequence[float | None], whole: Sequence[bool]) -> None:
    """Refuse leads of whole numbers without a unit: they are counts of some converter.

    Raises
    ------
    RecordingError
        If there are any.
    """
    if any(is_whole and factor is None for is_whole, factor in zip(whole, factors, strict=True)):
        msg = (
            f"{file} holds whole numbers of unknown size; give the ADC counts per mV with --unit, "
            "such as 200, or their unit"
        )
        raise RecordingError(msg)


def check_plausible(source: Source, columns: Sequence[int], file: str) -> None:
    """Refuse leads without a unit whose numbers cannot be millivolts.

    Peak to peak within two seconds, which is the height of a beat, in the middle of all windows
    and leads looked at, must lie within `PLAUSIBLE_MV`.

    Raises
    ------
    RecordingError
        If it does not.
    """
    length = min(source.n_samples, max(2, round(_WINDOW_S * source.fs)))
    starts = np.unique(np.linspace(0, source.n_samples - length, _WINDOWS).astype(np.int64))
    spreads = np.full((len(starts), len(columns)), np.nan)
    for number, first in enumerate(starts.tolist()):
        part = source.read(first, first + length, columns)
        for column in range(part.shape[1]):
            values = part[:, column][np.isfinite(part[:, column])]
            if len(values):
                spreads[number, column] = float(values.max()) - float(values.min())
    seen = spreads[np.isfinite(spreads)]
    alive = seen[seen > 0]
    middle = float(np.median(alive)) if len(alive) else 0.0
    low, high = PLAUSIBLE_MV
    if not low <= middle <= high:
        what = f"span {middle:.3g} within two seconds" if len(alive) else "do not change at all"
        msg = (
            f"{file} does not say its unit, and its values {what}, where {low:g} to {high:g} "
            "would be expected of mV; give mV, uV, V or the ADC counts per mV with --unit"
        )
        raise RecordingError(msg)
