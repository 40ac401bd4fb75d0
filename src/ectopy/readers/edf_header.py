"""EDF, EDF+ and BDF headers: what they say, checked before anything is believed.

The layout is that of B. Kemp et al., "A simple format for exchange of digitized polygraphic
recordings", Electroenceph. clin. Neurophysiol. 82 (1992), of B. Kemp and J. Olivan, "European data
format 'plus' (EDF+)", Clin. Neurophysiol. 114 (2003), and of BioSemi's BDF for samples of 24 bits.
What names the patient or the staff (patient and recording identification) is not looked at, but for
the year and the equipment that EDF+ puts there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.edf_fields import DECIMAL, number, text, whole
from ectopy.readers.edf_signals import read_signals

if TYPE_CHECKING:
    from pathlib import Path

    from ectopy.readers.edf_signals import EDFSignal

FIXED_BYTES = 256
"""Size of the first part of a header, and of the description of each signal."""

_BDF_MAGIC = b"\xffBIOSEMI"
_EDF_MAGIC = b"0       "
# Up to the start date; a table of numbers may begin as EDF does, but has lines.
_NO_LINES = re.compile(rb"[^\r\n]*")
_BEFORE_DATE = slice(0, 168)
_WHEN, _SIZE = slice(168, 184), slice(184, 192)  # date and time, bytes of the header
_WHEN_LIKE = re.compile(rb"\d{1,2}\D\d{1,2}\D\d{2} *\d{1,2}\D\d{1,2}\D\d{2} *")

_DATE = re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{2})")
_TIME = re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{1,2})")
# What stands for a start that is unknown or taken out.
_NO_TIME = ("01.01.85", "00.00.00")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class EDFHeader:
    """What the header of an EDF or BDF file says.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        `"EDF"` or `"BDF"`.
    sample_bytes : int
        Bytes of a sample, 2 or 3.
    n_bytes : int
        Bytes of the header.
    n_records : int or None
        Data records; None where the header does not say.
    record_s : Fraction
        Duration of a data record in seconds; 0 where there are annotations alone.
    has_onsets : bool
        Whether data records say when they begin (EDF+).
    discontinuous : bool
        Whether there may be gaps between data records (EDF+D).
    start : datetime, optional
        When the first data record begins, in whole seconds.
    equipment : str
        Recorder, where EDF+ names one; may be empty.
    signals : tuple of EDFSignal
        All of them.
    """

    path: Path
    kind: str
    sample_bytes: int
    n_bytes: int
    n_records: int | None
    record_s: Fraction
    has_onsets: bool
    discontinuous: bool
    start: datetime | None
    equipment: str
    signals: tuple[EDFSignal, ...]

    @property
    def record_values(self) -> int:
        """Values in a data record, over all signals."""
        return sum(signal.n_samples for signal in self.signals)


def is_header(begin: bytes) -> bool:
    """Whether the first bytes of a file, `FIXED_BYTES` or all there are, are those of EDF or BDF.

    Tables of numbers may begin as EDF does. They have lines; where these are long, numbers stand in
    place of date and time, and what would be the size of the header is none.
    """
    if begin.startswith(_BDF_MAGIC):
        return True
    if not begin.startswith(_EDF_MAGIC) or not _NO_LINES.fullmatch(begin[_BEFORE_DATE]):
        return False
    n_bytes = whole(text(begin[_SIZE]))
    sized = n_bytes is not None and n_bytes > 0 and n_bytes % FIXED_BYTES == 0
    return sized or len(begin) < _SIZE.stop or bool(_WHEN_LIKE.fullmatch(begin[_WHEN]))


def read_header(path: Path) -> EDFHeader:
    """Read and check the header of an EDF or BDF file.

    Raises
    ------
    OSError
        If the file cannot be read.
    RecordingError
        If the header is cut short, or says what cannot be.
    UnsupportedFormat
        If it is no such file.
    """
    with path.open("rb") as stream:
        fixed = stream.read(FIXED_BYTES)
        if not is_header(fixed):
            msg = (
                f"{path} is no EDF or BDF file: it begins with {fixed[:8]!r}; expected '0' and "
                "seven blanks, or BIOSEMI, and a header in one line; convert it to EDF"
            )
            raise UnsupportedFormat(msg)
        if len(fixed) < FIXED_BYTES:
            raise _cut_short(path, len(fixed), FIXED_BYTES)
        n_signals = number(path, "number of signals", fixed[252:256], 1)
        n_bytes = number(path, "size of the header", fixed[184:192], FIXED_BYTES)
        if n_bytes != FIXED_BYTES * (n_signals + 1):
            msg = (
                f"{path.name} says that its header has {n_bytes} bytes; expected "
                f"{FIXED_BYTES * (n_signals + 1)} for {n_signals} signals, get the file again"
            )
            raise RecordingError(msg)
        described = stream.read(n_bytes - FIXED_BYTES)
    if len(described) < n_bytes - FIXED_BYTES:
        raise _cut_short(path, FIXED_BYTES + len(described), n_bytes)
    bdf, identification, reserved = fixed[0] == 0xFF, text(fixed[88:168]), text(fixed[192:236])
    plus = reserved[:4] in ("EDF+", "BDF+")
    return EDFHeader(
        path=path,
        kind="BDF" if bdf else "EDF",
        sample_bytes=3 if bdf else 2,
        n_bytes=n_bytes,
        n_records=_n_records(path, fixed[236:244]),
        record_s=_record_s(path, fixed[244:252]),
        has_onsets=plus,
        discontinuous=reserved[:5] in ("EDF+D", "BDF+D"),
        start=_start(text(fixed[168:176]), text(fixed[176:184]), identification, plus),
        equipment=_equipment(identification) if plus else "",
        signals=read_signals(path, described, n_signals),
    )


def _n_records(path: Path, field: bytes) -> int | None:
    # -1 while the recording goes on.
    n_records = number(path, "number of data records", field, -1)
    return None if n_records == -1 else n_records


def _record_s(path: Path, field: bytes) -> Fraction:
    said = text(field)
    value = Fraction(said) if DECIMAL.fullmatch(said) else Fraction(-1)
    if value < 0:
        msg = (
            f"{path.name}: {said!r} is no duration of a data record; "
            "expected a number of seconds, get the file again"
        )
        raise RecordingError(msg)
    return value


def _start(date: str, time: str, identification: str, plus: bool) -> datetime | None:
    """When the recording starts; None where the header gives no such time, or hides it."""
    day, clock = _DATE.fullmatch(date), _TIME.fullmatch(time)
    hidden = (date, time) == _NO_TIME or (plus and identification.startswith("Startdate X"))
    if day is None or clock is None or hidden:
        return None
    year = int(day[3]) + (1900 if int(day[3]) >= 85 else 2000)
    in_full = re.match(r"Startdate (\d{2})-([A-Z]{3})-(\d{4})\b", identification)
    if plus and in_full and in_full[2] in _MONTHS:
        year = int(in_full[3])
    try:
        hour, minute, second = (int(part) for part in clock.groups())
        return datetime(year, int(day[2]), int(day[1]), hour, minute, second)
    except ValueError:
        return None


def _equipment(identification: str) -> str:
    """Equipment, which is the last of the five parts of an EDF+ recording identification."""
    parts = identification.split(" ")
    known = parts[0] == "Startdate" and len(parts) >= 5 and parts[4] != "X"
    return parts[4].replace("_", " ") if known else ""


def _cut_short(path: Path, held: int, expected: int) -> RecordingError:
    return RecordingError(
        f"{path.name} is cut short: its header has {held} bytes; expected {expected}, "
        "get the file again"
    )
