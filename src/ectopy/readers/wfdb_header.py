"""WFDB header files: what they say, checked before anything is believed.

The syntax is that of the WFDB Applications Guide, header(5). Unlike the `wfdb` package this reader
accepts record and signal file names with spaces, dots and letters beyond ASCII. Info strings, the
comments that may hold age, sex and diagnoses, are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.limits import MAX_FS
from ectopy.readers.voltage import mv_per_unit
from ectopy.readers.wfdb_samples import READ_FORMATS

if TYPE_CHECKING:
    from pathlib import Path

# A header has one short line a signal or segment; anything larger is another kind of file.
_MAX_HEADER_BYTES = 10_000_000

_MOST_SIGNALS = 4096
_LONGEST_LINE = 4096  # characters; patterns take the square of its length where it is all blanks

_DEFAULT_FS = 250.0
_DEFAULT_GAIN = 200.0

# Highest gain, and 1 over the lowest: all that a header can promise stays a number.
_MAX_GAIN = 1e15

# Numbers of more digits than these are no numbers of samples, bytes or signals.
_WHOLE = r"\d{1,15}"

_AFTER_NAME = (
    rf"(?:/(?P<n_segments>{_WHOLE}))?\s+(?P<n_signals>{_WHOLE})"
    rf"(?:\s+(?P<fs>[-+.\deE]{{1,20}})(?:/\S*)?(?:\s+(?P<n_samples>{_WHOLE})"
    r"(?:\s+(?P<time>[\d:.]+)(?:\s+(?P<date>\d+/\d+/\d+))?)?)?)?\s*"
)
_RECORD_LINE = re.compile(r"\S+?" + _AFTER_NAME)
_REST_OF_RECORD_LINE = re.compile(_AFTER_NAME)
_SIGNAL_LINE = (
    rf"(?P<file>FILE)\s+(?P<format>FORMAT)(?:x(?P<per_frame>{_WHOLE}))?(?::(?P<skew>{_WHOLE}))?"
    rf"(?:\+(?P<offset>{_WHOLE}))?(?:\s+(?P<rest>.*))?"
)
# A name may hold spaces as long as no part of it looks like a format; other formats are looked for
# only to name them in a message.
_KNOWN_SIGNAL = re.compile(
    _SIGNAL_LINE.replace("FILE", ".+?").replace("FORMAT", "|".join(READ_FORMATS))
)
_ANY_SIGNAL = re.compile(_SIGNAL_LINE.replace("FILE", r"\S+").replace("FORMAT", _WHOLE))
_SEGMENT_LINE = re.compile(rf"(?P<name>.+?)\s+(?P<length>{_WHOLE})")
_GAIN = re.compile(rf"(?P<gain>[-+.\deE]+)(?:\((?P<baseline>-?{_WHOLE})\))?(?:/(?P<units>\S+))?")


@dataclass(frozen=True)
class Signal:
    """One signal line of a header.

    Attributes
    ----------
    file : str
        Name of the file that holds the samples, in the header's folder.
    format : str
        Its sample format, one of `READ_FORMATS`.
    per_frame : int
        Samples of this signal in each frame.
    skew : int
        Frames by which this signal's samples come late in the file.
    offset : int
        Bytes of the file to skip; samples of each signal where it is compressed.
    gain : float
        Digital units per physical unit.
    baseline : int
        Digital value of physical zero.
    mv_per_unit : float or None
        Millivolts per physical unit; None where it is not a voltage.
    initial : int
        Value before the first sample, for the format that stores differences.
    name : str
        Lead name; may be empty.
    """

    file: str
    format: str
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    mv_per_unit: float | None
    initial: int
    name: str


@dataclass(frozen=True)
class Header:
    """What a header file says.

    Attributes
    ----------
    path : Path
        The header file.
    fs : float
        Frames per second.
    n_samples : int or None
        Frames; None where the header does not say.
    signals : tuple of Signal
        Empty for a record of several segments.
    segments : tuple of (str, int)
        Record name and number of frames of each segment; empty for an ordinary record.
    start : datetime, optional
        When the first sample was taken.
    """

    path: Path
    fs: float
    n_samples: int | None
    signals: tuple[Signal, ...]
    segments: tuple[tuple[str, int], ...]
    start: datetime | None


def read_header(path: Path) -> Header:
    """Read and check a WFDB header file.

    Parameters
    ----------
    path : Path
        The `.hea` file.

    Raises
    ------
    RecordingError
        If the file is not a header, or says what cannot be.
    UnsupportedFormat
        If samples are stored in a format that is not read.
    """
    lines = _lines(path)
    found = _record_line(path, lines[0])
    if found is None:
        raise _not_a_header(path, lines[0])
    fs = _number(found["fs"] or str(_DEFAULT_FS))
    if fs is None or not 0 < fs <= MAX_FS:
        msg = (
            f"{path.name}: sampling frequency {found['fs']} Hz is not usable; "
            f"expected more than 0 and at most {MAX_FS:g} Hz"
        )
        raise RecordingError(msg)
    n_signals, n_segments = int(found["n_signals"]), int(found["n_segments"] or 0)
    if n_signals == 0:
        msg = f"{path.name} describes a record without signals; there is nothing to read"
        raise RecordingError(msg)
    n_lines = n_segments or n_signals
    if len(lines) <= n_lines:
        what = "segments" if n_segments else "signals"
        msg = (
            f"{path.name} promises {n_lines} {what} but describes {len(lines) - 1}; "
            "the header is cut short, get it again"
        )
        raise RecordingError(msg)
    if n_signals > _MOST_SIGNALS:
        msg = (
            f"{path.name} promises {n_signals} signals; expected at most {_MOST_SIGNALS}, correct "
            "the header"
        )
        raise RecordingError(msg)
    described = lines[1 : n_lines + 1]
    return Header(
        path=path,
        fs=fs,
        # A length of zero means that it is not known, see header(5).
        n_samples=int(found["n_samples"] or 0) or None,
        signals=() if n_segments else tuple(_signal(path, line) for line in described),
        segments=tuple(_segment(path, line) for line in described) if n_segments else (),
        start=_start(found["time"], found["date"]),
    )


def is_header(path: Path) -> bool:
    """Whether a file begins as a WFDB header does.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        return _record_line(path, _lines(path)[0]) is not None
    except RecordingError:
        return False


def _record_line(path: Path, line: str) -> re.Match[str] | None:
    # The name, which may hold spaces, is repeated in the header, but files are often renamed
    # without it.
    if line.startswith(path.stem):
        found = _REST_OF_RECORD_LINE.fullmatch(line, len(path.stem))
        if found is not None:
            return found
    return _RECORD_LINE.fullmatch(line)


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > _MAX_HEADER_BYTES:
        raise _not_a_header(path, f"{path.stat().st_size} bytes")
    content = path.read_bytes()
    if b"\0" in content:
        raise _not_a_header(path, "binary data")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise _not_a_header(path, "nothing")
    longest = max(lines, key=len)
    if len(longest) > _LONGEST_LINE:
        raise _not_a_header(path, longest)
    return lines


def _signal(path: Path, line: str) -> Signal:
    found = _KNOWN_SIGNAL.fullmatch(line) or _ANY_SIGNAL.fullmatch(line)
    if found is None:
        raise _not_a_header(path, line)
    if found["format"] not in READ_FORMATS:
        msg = (
            f"{path.name}: signal format {found['format']} is not supported; "
            f"convert the record to one of {', '.join(READ_FORMATS)}, "
            "for instance with xform of WFDB"
        )
        raise UnsupportedFormat(msg)
    # Gain, resolution, zero, initial value, checksum, block size, description.
    fields = (found["rest"] or "").split(maxsplit=6)
    gain_field = _GAIN.fullmatch(fields[0]) if fields else None
    gain = _number(gain_field["gain"]) if gain_field else _DEFAULT_GAIN
    numbers = [_whole(text) for text in fields[1:6]] + [0] * 5
    per_frame = int(found["per_frame"] or 1)
    if (fields and gain_field is None) or gain is None or None in numbers or per_frame == 0:
        raise _not_a_header(path, line)
    if gain and not 1 / _MAX_GAIN <= abs(gain) <= _MAX_GAIN:
        msg = (
            f"{path.name}: gain {gain:g} is not usable; expected 1e-15 to 1e15, correct the header"
        )
        raise RecordingError(msg)
    zero, initial = int(numbers[1] or 0), int(numbers[2] or 0)
    baseline = gain_field["baseline"] if gain_field else None
    units = (gain_field["units"] if gain_field else None) or "mV"
    return Signal(
        file=found["file"],
        format=found["format"],
        per_frame=per_frame,
        skew=int(found["skew"] or 0),
        offset=int(found["offset"] or 0),
        gain=gain or _DEFAULT_GAIN,
        baseline=zero if baseline is None else int(baseline),
        mv_per_unit=mv_per_unit(units),
        initial=initial,
        name=fields[6].strip() if len(fields) > 6 else "",
    )


def _segment(path: Path, line: str) -> tuple[str, int]:
    found = _SEGMENT_LINE.fullmatch(line)
    if found is None:
        raise _not_a_header(path, line)
    return found["name"], int(found["length"])


def _start(time: str | None, date: str | None) -> datetime | None:
    """When the record starts; None where the header gives no day, or one that never was."""
    if time is None or date is None:
        return None
    try:
        day = datetime.strptime(date, "%d/%m/%Y")
        # Hours and minutes may be left out.
        hours, minutes, seconds = ([0.0, 0.0] + [float(part) for part in time.split(":")])[-3:]
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    """Return the finite number that a text spells, if it does."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(rf"[-+]?{_WHOLE}", text) else None


def _not_a_header(path: Path, found: str) -> RecordingError:
    shown = found if len(found) <= 40 else found[:37] + "..."
    return RecordingError(
        f"{path} is not a WFDB header: cannot make sense of {shown!r}; "
        "expected lines such as '100 2 360 650000'"
    )
