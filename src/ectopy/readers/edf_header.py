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
from math import isfinite
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.disk import one_line
from ectopy.readers.limits import MAX_MV
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from pathlib import Path

FIXED_BYTES = 256
"""Size of the first part of a header, and of the description of each signal."""

_BDF_MAGIC = b"\xffBIOSEMI"
_EDF_MAGIC = b"0       "
# Up to the start date; a table of numbers may begin as EDF does, but has lines.
_NO_LINES = re.compile(rb"[^\r\n]*")
_BEFORE_DATE = slice(0, 168)

_SIGNAL_FIELDS = {
    "label": 16,
    "transducer": 80,
    "unit": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "prefilter": 80,
    "n_samples": 8,
    "reserved": 32,
}

_WHOLE = re.compile(r"[-+]?\d{1,8}(?:\.0*)?")
_DECIMAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")
_DATE = re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{2})")
_TIME = re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{1,2})")
# What stands for a start that is unknown or taken out.
_NO_TIME = ("01.01.85", "00.00.00")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class EDFSignal:
    """What the header says of one signal; checked by `scale` only, as not every signal is read.

    Attributes
    ----------
    number : int
        Its place in the file, from 1 on.
    label, unit : str
        As they are in the file.
    ranges : tuple of str
        Physical minimum and maximum, digital minimum and maximum.
    n_samples : int
        Samples in a data record.
    first : int
        Place of the first of these in a data record, in samples.
    """

    number: int
    label: str
    unit: str
    ranges: tuple[str, str, str, str]
    n_samples: int
    first: int

    @property
    def is_annotation(self) -> bool:
        """Whether it holds times and texts in place of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")

    def scale(self, file: str) -> tuple[float, float]:
        """Gain and offset of its samples: `digital * gain + offset` is in millivolts.

        Raises
        ------
        RecordingError
            If its ranges are no numbers, or empty.
        """
        low, high = (_decimal(text) for text in self.ranges[:2])
        digital_low, digital_high = (_whole(text) for text in self.ranges[2:])
        to_mv = mv_per_unit(self.unit)
        if (
            low is not None
            and high is not None
            and digital_low is not None
            and digital_high is not None
            and to_mv is not None
            and low != high
            and max(abs(low), abs(high)) * to_mv <= MAX_MV
            and digital_low < digital_high
        ):
            gain = (high - low) / (digital_high - digital_low)
            return gain * to_mv, (low - gain * digital_low) * to_mv
        msg = (
            f"{file}: signal {self.label!r} has the range {' to '.join(self.ranges[:2])} "
            f"{self.unit} for digital values {' to '.join(self.ranges[2:])}; expected two "
            "different numbers and two ascending whole numbers, correct the header"
        )
        raise RecordingError(msg)


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
    """Whether the first 184 bytes of a file are those of an EDF or BDF file."""
    if begin.startswith(_BDF_MAGIC):
        return True
    return begin.startswith(_EDF_MAGIC) and bool(_NO_LINES.fullmatch(begin[_BEFORE_DATE]))


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
        n_signals = _number(path, "number of signals", fixed[252:256], 1)
        n_bytes = _number(path, "size of the header", fixed[184:192], FIXED_BYTES)
        if n_bytes != FIXED_BYTES * (n_signals + 1):
            msg = (
                f"{path.name} says that its header has {n_bytes} bytes; expected "
                f"{FIXED_BYTES * (n_signals + 1)} for {n_signals} signals, get the file again"
            )
            raise RecordingError(msg)
        described = stream.read(n_bytes - FIXED_BYTES)
    if len(described) < n_bytes - FIXED_BYTES:
        raise _cut_short(path, FIXED_BYTES + len(described), n_bytes)
    bdf, identification, reserved = fixed[0] == 0xFF, _text(fixed[88:168]), _text(fixed[192:236])
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
        start=_start(_text(fixed[168:176]), _text(fixed[176:184]), identification, plus),
        equipment=_equipment(identification) if plus else "",
        signals=_signals(path, described, n_signals),
    )


def _signals(path: Path, described: bytes, n_signals: int) -> tuple[EDFSignal, ...]:
    columns, at = {}, 0
    for name, width in _SIGNAL_FIELDS.items():
        ends = range(at + width, at + width * n_signals + 1, width)
        columns[name] = [described[end - width : end] for end in ends]
        at += width * n_signals
    ranges = ("physical_min", "physical_max", "digital_min", "digital_max")
    signals, first = [], 0
    for i in range(n_signals):
        label = _text(columns["label"][i])
        what = f"samples in a record of signal {i + 1} ({label!r})"
        n_samples = _number(path, what, columns["n_samples"][i], 0)
        low, high, digital_low, digital_high = (_text(columns[name][i]) for name in ranges)
        signal = EDFSignal(
            i + 1,
            label,
            _text(columns["unit"][i]),
            (low, high, digital_low, digital_high),
            n_samples,
            first,
        )
        signals.append(signal)
        first += n_samples
    return tuple(signals)


def _n_records(path: Path, field: bytes) -> int | None:
    # -1 while the recording goes on.
    n_records = _number(path, "number of data records", field, -1)
    return None if n_records == -1 else n_records


def _record_s(path: Path, field: bytes) -> Fraction:
    text = _text(field)
    value = Fraction(text) if _DECIMAL.fullmatch(text) else Fraction(-1)
    if value < 0:
        msg = (
            f"{path.name}: {text!r} is no duration of a data record; "
            "expected a number of seconds, get the file again"
        )
        raise RecordingError(msg)
    return value


def _number(path: Path, what: str, field: bytes, least: int) -> int:
    """Whole number of a field, which is at least so much."""
    text = _text(field)
    value = _whole(text)
    if value is None or value < least:
        msg = f"{path.name}: {text!r} is no {what}; expected a whole number of at least {least}"
        raise RecordingError(msg + ", get the file again")
    return value


def _whole(text: str) -> int | None:
    return int(text.split(".")[0]) if _WHOLE.fullmatch(text) else None


def _decimal(text: str) -> float | None:
    value = float(text) if _DECIMAL.fullmatch(text) else float("nan")
    return value if isfinite(value) else None


def _text(field: bytes) -> str:
    """Text of a field: ASCII, or what writers put in its place, in one line."""
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:
        text = field.decode("latin-1")
    return one_line(text)


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
