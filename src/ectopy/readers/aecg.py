"""Read annotated ECG of HL7 (aECG), the XML format of the FDA for ECG of trials.

Only the rhythm is read: time and leads of each sequence set of each series whose code is RHYTHM.
Averaged beats and annotations are left out, and of the patient nothing is read at all. Documents
that declare entities or a type are refused, so that a small file stays small. Format: HL7 aECG
Implementation Guide, final of 21 March 2005.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.options import mv_per_unit
from ectopy.readers.strips import Strip, join_strips
from ectopy.readers.text_bytes import encoding_of

if TYPE_CHECKING:
    from os import PathLike
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from ectopy.readers.spool import SpooledSource

_ROOT = re.compile(r"<(?:[\w.-]+:)?AnnotatedECG[\s>/]")
_LEAD = "MDC_ECG_LEAD_"
_SECONDS_PER = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "ns": 1e-9, "min": 60.0}
_STAMP = re.compile(r"(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6})\d*)?([+-]\d{4})?")
_DEEPEST = 100  # elements within each other; a document has some fifteen
_PIECE = 1_000_000  # characters of digits that are parted at a time
_SHOWN = 20
_NOTES = {"manufacturerModelName": "device", "softwareName": "software"}


def is_aecg(head: bytes) -> bool:
    """Whether the first bytes of a file, a few kB, are those of an annotated ECG."""
    encoding, mark = encoding_of(head)
    text = head[mark:].decode(encoding, errors="replace")
    return text.lstrip().startswith("<") and _ROOT.search(text) is not None


def open_aecg(path: str | PathLike[str]) -> SpooledSource:
    """Open an annotated ECG.

    Several strips of rhythm are put after one another; the time between them, up to a day in all,
    is missing samples, and so are leads that a strip lacks.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    SpooledSource
        In memory. Its notes are device and software, as the series name them.

    Raises
    ------
    RecordingError
        If the document is damaged or cut short, declares entities, has no rhythm in volts, leads
        of different lengths, or strips of different sampling frequencies or at the same time.
    UnsupportedFormat
        If it is no annotated ECG.

    Examples
    --------
    >>> open_aecg("trial/ecg-0001.xml").leads  # doctest: +SKIP
    ('I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6')
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(8192)
        if not head:
            msg = f"{path.name} is empty; get the file again"
            raise RecordingError(msg)
        if not is_aecg(head):
            msg = f"{path.name} is no annotated ECG: it does not begin with <AnnotatedECG>"
            raise UnsupportedFormat(msg + "; export it anew as HL7 aECG")
        return _Document(path).source()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror or error}; check the file and its permissions"
        raise RecordingError(msg) from error
    except OverflowError as error:
        msg = f"{path.name} has times that no recording has; correct them"
        raise RecordingError(msg) from error
    except MemoryError as error:
        msg = f"{path} does not fit into memory; cut it into shorter recordings"
        raise RecordingError(msg) from error


@dataclass
class _Sequence:
    """What is said within one element `sequence`."""

    code: str = ""
    head: datetime | None = None
    head_s: float | None = None
    increment_s: float | None = None
    origin: tuple[float, str] = (0.0, "")
    scale: tuple[float, str] = (1.0, "")
    digits: NDArray[np.float64] | None = None


class _Document:
    """Reads a document element by element, and lets go of each."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, path.name
        self._strips: list[Strip] = []
        self._series: list[Strip] = []  # of the series that is being read
        self._code = ""
        self._low: datetime | None = None
        self._strip, self._sequence = Strip(), _Sequence()
        self._notes: dict[str, str] = {}

    def source(self) -> SpooledSource:
        """Read the document."""
        self._walk()
        if not self._strips:
            msg = f"{self._file} has no rhythm in volts; only series with the code RHYTHM are read"
            raise RecordingError(msg)
        return join_strips(self._path, self._strips, self._notes)

    def _walk(self) -> None:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, iterparse

        elements: list[Element] = []
        names: list[str] = []
        try:
            for event, element in iterparse(str(self._path), ("start", "end"), forbid_dtd=True):
                if event == "start":
                    elements.append(element)
                    names.append(element.tag.rpartition("}")[2])
                    if len(names) > _DEEPEST:
                        msg = f"{self._file} has elements {_DEEPEST} deep; it is no annotated ECG"
                        raise RecordingError(msg)
                    continue
                self._end(names, element)
                elements.pop()
                names.pop()
                if elements:
                    elements[-1].remove(element)
        except DefusedXmlException as error:
            msg = f"{self._file} declares entities or a document type; remove them"
            raise RecordingError(msg) from error
        except (ParseError, ValueError, LookupError) as error:
            msg = f"{self._file} is damaged or cut short ({error}); get the file again"
            raise RecordingError(msg) from error

    def _end(self, names: list[str], element: Element) -> None:
        """Keep what an element says that has just ended."""
        if "series" not in names or "derivedSeries" in names:
            return
        name, within = names[-1], names[-2]
        if name == "sequence":
            self._end_sequence()
        elif name == "sequenceSet":
            if self._strip.leads:
                self._series.append(self._strip)
            self._strip = Strip()
        elif name == "series":
            if self._code == "RHYTHM":
                for strip in self._series:
                    strip.low = self._low
                self._strips += self._series
            self._series, self._code, self._low = [], "", None
        elif name == "code" and within == "sequence":
            self._sequence.code = element.get("code", "")
        elif name == "code" and within == "series":
            self._code = element.get("code", "")
        elif within == "value" and names[-3] == "sequence":
            self._keep(name, element)
        elif name in ("low", "center") and names[-3:-1] == ["series", "effectiveTime"]:
            self._low = _moment(element.get("value", "")) or self._low
        elif name in _NOTES and within == "manufacturedSeriesDevice" and element.text:
            self._notes[_NOTES[name]] = " ".join(element.text.split())[:100]

    def _keep(self, name: str, element: Element) -> None:
        """Keep a part of the value of a sequence."""
        sequence = self._sequence
        value, unit = element.get("value", ""), element.get("unit", "")
        if name == "digits":
            if not sequence.code.startswith("TIME"):
                sequence.digits = self._digits(element.text or "")
        elif name == "head":
            sequence.head = _moment(value)
            if unit in _SECONDS_PER:
                sequence.head_s = self._number(name, value) * _SECONDS_PER[unit]
        elif name == "increment":
            if unit not in _SECONDS_PER:
                msg = f"{self._file} gives its sampling interval in {unit[:_SHOWN]!r}; expected s"
                raise RecordingError(msg)
            sequence.increment_s = self._number(name, value) * _SECONDS_PER[unit]
        elif name in ("origin", "scale"):
            setattr(sequence, name, (self._number(name, value), unit))

    def _end_sequence(self) -> None:
        sequence, self._sequence = self._sequence, _Sequence()
        if sequence.increment_s is not None:
            self._strip.increment_s = sequence.increment_s
            self._strip.start, self._strip.offset_s = sequence.head, sequence.head_s
        elif sequence.digits is not None:
            (scale, unit), (origin, origin_unit) = sequence.scale, sequence.origin
            factor = mv_per_unit(unit)
            origin_factor = mv_per_unit(origin_unit) if origin else 0.0
            if factor is None or origin_factor is None:
                if sequence.code.startswith(_LEAD):
                    msg = f"{self._file}: {sequence.code[:40]} is in {unit[:_SHOWN]!r}, no voltage"
                    raise RecordingError(msg + "; expected uV or mV")
                return
            values = sequence.digits * (scale * factor) + origin * origin_factor
            with np.errstate(over="ignore"):
                mv = values.astype(np.float32)
            mv[~np.isfinite(mv)] = np.nan
            self._strip.leads.append((_lead_name(sequence.code), mv))

    def _number(self, name: str, value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            msg = f"{self._file}: the {name} {value[:_SHOWN]!r} is no number; correct it"
            raise RecordingError(msg)
        return number

    def _digits(self, text: str) -> NDArray[np.float64]:
        """Numbers between white space, a piece at a time: as objects they are many times larger."""
        pieces, place = [np.empty(0)], 0
        while place < len(text):
            end = place + _PIECE
            while end < len(text) and not text[end].isspace():
                end += 1
            words = text[place:end].split()
            try:
                pieces.append(np.array([float(word) for word in words], dtype=np.float64))
            except ValueError as error:
                word = next(word for word in words if not _is_number(word))
                msg = f"{self._file}: {word[:_SHOWN]!r} among the samples is no number; correct it"
                raise RecordingError(msg) from error
            place = end
        return np.concatenate(pieces)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _lead_name(code: str) -> str:
    """Name of a lead as it is written: `MDC_ECG_LEAD_AVR` is aVR.

    Examples
    --------
    >>> _lead_name("MDC_ECG_LEAD_AVR"), _lead_name("MDC_ECG_LEAD_V1")
    ('aVR', 'V1')
    """
    name = code.removeprefix(_LEAD)
    return f"a{name[1:]}" if name in ("AVR", "AVL", "AVF") else name


def _moment(stamp: str) -> datetime | None:
    """Wall-clock time of a time stamp of HL7, such as 20021122091000.000-0500."""
    found = _STAMP.fullmatch(stamp.strip())
    if found is None:
        return None
    day, hour, minute, second, part, _ = found.groups("0")
    try:
        start = datetime.fromisoformat(day)
        start = start.replace(hour=int(hour), minute=int(minute), second=int(second))
    except ValueError:
        return None
    return start.replace(microsecond=int(part.ljust(6, "0")))
