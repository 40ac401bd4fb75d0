"""The document of an annotated ECG, element by element."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any
from xml.sax.handler import ContentHandler

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.aecg_values import LEAD_CODE, is_number, lead_name, moment
from ectopy.readers.limits import MOST_LEADS
from ectopy.readers.spool import Spool
from ectopy.readers.strips import Lead, Moment, Strip
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from xml.sax.xmlreader import AttributesImpl

_SECONDS_PER = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6, "ns": 1e-9, "min": 60.0}
_DEEPEST = 100  # elements within each other; a document has some fifteen
_PIECE = 1_000_000  # characters of digits that are parted at a time
_LONGEST_TAG = 1_000_000  # bytes, which a parser looks through again with every piece
_LONGEST = 100  # characters of a number, or of a note
_SHOWN = 20
_NOTES = {"manufacturerModelName": "device", "softwareName": "software"}


@dataclass
class _Sequence:
    """What is said within one element `sequence`; its samples are rows of the spool."""

    code: str = ""
    head: Moment | None = None
    head_s: float | None = None
    increment_s: float | None = None
    origin: tuple[float, str] = (0.0, "")
    scale: tuple[float, str] = (1.0, "")
    rows: slice | None = None


@dataclass
class _Found:
    """A strip whose samples are still rows of the spool."""

    strip: Strip = field(default_factory=Strip)
    leads: list[tuple[_Sequence, float, float]] = field(default_factory=list)


class Document(ContentHandler):
    """Reads a document in pieces, and keeps its samples in a temporary file.

    Nothing else of it is kept but times, codes of leads, and the names of device and software, so
    that memory does not grow with the document.

    Parameters
    ----------
    file : str
        For messages.
    """

    def __init__(self, file: str) -> None:
        from defusedxml.sax import make_parser

        super().__init__()
        self._file = file
        self._spool = Spool(1, np.float64)
        self._names: list[str] = []
        self._text: list[str] = []
        self._n_text = 0
        self._unread = 0  # bytes since the last element or text
        self._strips: list[_Found] = []
        self._series: list[_Found] = []  # of the series that is being read
        self._code = ""
        self._low: Moment | None = None
        self._found, self._sequence = _Found(), _Sequence()
        self._notes: dict[str, str] = {}
        self._parser: Any = make_parser()
        self._parser.forbid_dtd = True
        self._parser.setContentHandler(self)

    def __enter__(self) -> Document:
        """Use it in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the temporary file; leads stay readable."""
        self._spool.__exit__(kind, error, trace)

    def feed(self, piece: bytes) -> None:
        """Read the next bytes.

        Raises
        ------
        RecordingError
            If they are not well formed, declare entities, or hold words where numbers belong.
        """
        self._unread += len(piece)
        with self._clear():
            self._parser.feed(piece)
        if self._unread > _LONGEST_TAG:
            msg = f"{self._file} has a tag or a comment of over a megabyte; it is no annotated ECG"
            raise RecordingError(f"{msg}, get the file again")

    def finish(self) -> tuple[list[Strip], dict[str, str]]:
        """Give the strips, and notes of device and software.

        Raises
        ------
        RecordingError
            If the document is cut short.
        """
        with self._clear():
            self._parser.close()
        values = self._spool.rows()[:, 0]
        for found in self._strips:
            for sequence, per, origin in found.leads:
                lead = Lead(values[sequence.rows], per, origin)
                found.strip.leads.append((lead_name(sequence.code), lead))
        return [found.strip for found in self._strips], self._notes

    @contextmanager
    def _clear(self) -> Iterator[None]:
        from xml.sax import SAXException, SAXParseException

        from defusedxml.common import DefusedXmlException

        try:
            yield
        except DefusedXmlException as error:
            msg = f"{self._file} declares entities or a document type; remove them"
            raise RecordingError(msg) from error
        except SAXParseException as error:
            what = f"line {error.getLineNumber()}: {error.getMessage()}"
            msg = f"{self._file} is damaged or cut short ({what}); get the file again"
            raise RecordingError(msg) from error
        except (SAXException, ValueError, LookupError) as error:  # such as unknown encodings
            msg = f"{self._file} is damaged, or in an unknown encoding; get the file again"
            raise RecordingError(msg) from error

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - of SAX
        """Note the attributes of an element that begins."""
        self._unread = 0
        names = self._names
        names.append(name.rpartition(":")[2])
        if len(names) > _DEEPEST:
            msg = f"{self._file} has elements {_DEEPEST} deep; it is no annotated ECG"
            raise RecordingError(msg)
        if not self._within_series():
            return
        tag, within = names[-1], names[-2]
        if within == "digits":
            msg = f"{self._file} has an element {tag[:_SHOWN]!r} among the samples; remove it"
            raise RecordingError(msg)
        self._text, self._n_text = [], 0
        if tag == "digits":
            self._sequence.rows = slice(len(self._spool), len(self._spool))
        elif tag == "code" and within == "sequence":
            self._sequence.code = attrs.get("code", "")[:_LONGEST]
        elif tag == "code" and within == "series":
            self._code = attrs.get("code", "")
        elif within == "value" and names[-3] == "sequence":
            self._keep(tag, attrs.get("value", ""), attrs.get("unit", ""))
        elif tag in ("low", "center") and names[-3:-1] == ["series", "effectiveTime"]:
            self._low = moment(attrs.get("value", "")) or self._low

    def characters(self, content: str) -> None:
        """Keep text where it is samples or a note."""
        self._unread = 0
        if not self._within_series():
            return
        if self._is_samples():
            self._text.append(content)
            self._n_text += len(content)
            if self._n_text > _PIECE:
                self._take("".join(self._text))
        elif self._names[-1] in _NOTES and self._n_text < _LONGEST:
            self._text.append(content)
            self._n_text += len(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 - of SAX
        """Keep what an element says that has just ended."""
        names = self._names
        if self._within_series():
            tag = names[-1]
            if self._is_samples():
                self._take("".join(self._text), last=True)
            elif tag == "sequence":
                self._end_sequence()
            elif tag == "sequenceSet":
                if self._found.leads:
                    self._series.append(self._found)
                self._found = _Found()
            elif tag == "series":
                self._end_series()
            elif tag in _NOTES and names[-2] == "manufacturedSeriesDevice" and self._text:
                self._notes[_NOTES[tag]] = " ".join("".join(self._text).split())[:_LONGEST]
        names.pop()

    def _within_series(self) -> bool:
        return "series" in self._names and "derivedSeries" not in self._names

    def _is_samples(self) -> bool:
        return self._names[-3:] == ["sequence", "value", "digits"] and not (
            self._sequence.code.startswith("TIME")
        )

    def _keep(self, tag: str, value: str, unit: str) -> None:
        """Keep a part of the value of a sequence."""
        sequence = self._sequence
        if tag == "head":
            sequence.head = moment(value)
            if unit in _SECONDS_PER:
                sequence.head_s = self._number(tag, value) * _SECONDS_PER[unit]
        elif tag == "increment":
            if unit not in _SECONDS_PER:
                msg = f"{self._file} gives its sampling interval in {unit[:_SHOWN]!r}; expected s"
                raise RecordingError(msg + ", correct it")
            sequence.increment_s = self._number(tag, value) * _SECONDS_PER[unit]
        elif tag in ("origin", "scale"):
            setattr(sequence, tag, (self._number(tag, value), unit))

    def _end_sequence(self) -> None:
        sequence, self._sequence = self._sequence, _Sequence()
        strip = self._found.strip
        if sequence.increment_s is not None:
            strip.increment_s = sequence.increment_s
            strip.start, strip.offset_s = sequence.head, sequence.head_s
        elif sequence.rows is not None and not sequence.code.startswith("TIME"):
            (scale, unit), (origin, origin_unit) = sequence.scale, sequence.origin
            factor = mv_per_unit(unit)
            origin_factor = mv_per_unit(origin_unit) if origin else 0.0
            if factor is None or origin_factor is None:
                if sequence.code.startswith(LEAD_CODE):
                    wrong = unit if factor is None else origin_unit
                    msg = f"{self._file}: {sequence.code[:40]} is in {wrong[:_SHOWN]!r}, no voltage"
                    raise RecordingError(msg + "; expected uV or mV")
                return
            self._found.leads.append((sequence, scale * factor, origin * origin_factor))
            if len(self._found.leads) > MOST_LEADS:
                msg = f"{self._file} has over {MOST_LEADS} leads in a strip; it is no recording"
                raise RecordingError(msg + ", get the file again")

    def _end_series(self) -> None:
        if self._code == "RHYTHM":
            for found in self._series:
                found.strip.low = self._low
            self._strips += self._series
        self._series, self._code, self._low = [], "", None

    def _number(self, tag: str, value: str) -> float:
        number = float(value) if is_number(value) else float("nan")
        if not isfinite(number):
            msg = f"{self._file}: the {tag} {value[:_SHOWN]!r} is no number; correct it"
            raise RecordingError(msg)
        return number

    def _take(self, text: str, *, last: bool = False) -> None:
        """Put samples between white space into the spool; the last may go on in the next piece."""
        words = text.split()
        rest = words.pop() if words and not last and not text[-1].isspace() else ""
        self._text, self._n_text = [rest], len(rest)
        wrong = [rest] if len(rest) > _LONGEST else [word for word in words if not is_number(word)]
        if wrong:
            msg = f"{self._file}: {wrong[0][:_SHOWN]!r} among the samples is no number; correct it"
            raise RecordingError(msg)
        values = np.array([float(word) for word in words], dtype=np.float64)
        self._spool.add(values.reshape(-1, 1))
        begin = self._sequence.rows.start if self._sequence.rows else 0
        self._sequence.rows = slice(begin, len(self._spool))
