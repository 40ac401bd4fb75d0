"""Multiplex groups of DICOM waveforms: what they say, and where in the file their samples are.

The module is that of DICOM PS3.3, C.10.9 (Waveform); a multiplex group is an item of the Waveform
Sequence: channels that are sampled together. pydicom parses the elements. Samples are not read: it
is kept where they are.
"""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from ectopy.errors import EctopyError, MissingExtra, RecordingError, UnsupportedFormat
from ectopy.readers.dicom_channels import DICOMChannel, read_channels
from ectopy.readers.disk import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSequence
    from pathlib import Path
    from typing import BinaryIO

    from pydicom.dataset import Dataset

PREAMBLE_BYTES = 132
"""Size of what comes before the elements: 128 bytes of anything, and `DICM`."""

_WAVEFORM_SEQUENCE = 0x54000100
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF

# Elements that are looked at; nothing else leaves the file, above all nothing of the patient.
_META = {0x00020010: "TransferSyntaxUID"}
_FACTS = {
    0x00080016: "SOPClassUID",
    0x0008002A: "AcquisitionDateTime",
    0x00080070: "Manufacturer",
    0x00081090: "ManufacturerModelName",
}
_WAVEFORM_DATA, _PADDING_VALUE = 0x54001010, 0x5400100A
_GROUP = {
    0x00181068: "MultiplexGroupTimeOffset",
    0x003A0005: "NumberOfWaveformChannels",
    0x003A0010: "NumberOfWaveformSamples",
    0x003A001A: "SamplingFrequency",
    0x003A0020: "MultiplexGroupLabel",
    0x003A0200: "ChannelDefinitionSequence",
    0x54001004: "WaveformBitsAllocated",
    0x54001006: "WaveformSampleInterpretation",
    _PADDING_VALUE: "WaveformPaddingValue",
    _WAVEFORM_DATA: "WaveformData",
}

# Elements larger than this stay in the file: samples, that is.
_MOST_READ = 1_000_000

_QUIET = Lock()


class _Syntax(NamedTuple):
    implicit: bool
    little: bool


_SYNTAXES = {
    "1.2.840.10008.1.2": _Syntax(implicit=True, little=True),
    "1.2.840.10008.1.2.1": _Syntax(implicit=False, little=True),
    "1.2.840.10008.1.2.2": _Syntax(implicit=False, little=False),
}

_DTYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}


@dataclass(frozen=True)
class Group:
    """A multiplex group, as the file describes it; nothing is checked yet.

    Attributes
    ----------
    label : str
        Such as `RHYTHM`; may be empty.
    n_samples, n_channels : int
        Samples of each channel, and their number; -1 where it is not given.
    fs : float
        Sampling frequency in Hz; 0 where it is not given.
    offset_s : float
        When it begins, in seconds since the start of the recording.
    dtype : str
        Type of a sample with its byte order, as NumPy spells it; empty where it is none that is
        read.
    coding : str
        Bits and interpretation of a sample, for messages.
    begin, n_bytes : int
        Where in the file the samples begin, and how many bytes they take; 0 where there are none.
    padding : bytes
        What stands for a missing sample; may be empty.
    channels : tuple of DICOMChannel
    """

    label: str
    n_samples: int
    n_channels: int
    fs: float
    offset_s: float
    dtype: str
    coding: str
    begin: int
    n_bytes: int
    padding: bytes
    channels: tuple[DICOMChannel, ...]


class Waveforms(NamedTuple):
    """What a file says, as text, and its multiplex groups."""

    facts: dict[str, str]
    groups: tuple[Group, ...]


class _Bounded:
    """A file that never reads more than it holds, so that a wrong length allocates nothing."""

    def __init__(self, stream: BinaryIO, size: int, name: str) -> None:
        self._stream, self.size, self.name = stream, size, name
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, n_bytes: int = -1) -> bytes:
        """Read so many bytes, or all."""
        rest = max(0, self.size - self.tell())
        return self._stream.read(rest if n_bytes < 0 else min(n_bytes, rest))


def read_waveforms(path: Path) -> Waveforms:
    """Read what a DICOM file says of its waveforms.

    Raises
    ------
    MissingExtra
        If pydicom is not installed.
    OSError
        If the file cannot be read.
    RecordingError
        If the file is damaged.
    UnsupportedFormat
        If it is encoded in a way that is not read.
    """
    try:
        from pydicom.filereader import read_dataset
    except ImportError as error:
        msg = "DICOM files need pydicom; install it with: pip install 'ectopy[dicom]'"
        raise MissingExtra(msg) from error

    with path.open("rb") as stream, _clear_parsing(path):
        bounded = _Bounded(stream, path.stat().st_size, path.name)
        # pydicom reads, seeks and tells, and nothing else.
        file: BinaryIO = bounded  # type: ignore[assignment]
        file.seek(PREAMBLE_BYTES)
        meta = read_dataset(
            file,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, _vr, _length: tag >= 0x00030000,
            defer_size=_MOST_READ,
            specific_tags=list(_META),
        )
        syntax = _syntax(path, str(meta.get("TransferSyntaxUID", "")))
        dataset = read_dataset(
            file,
            syntax.implicit,
            syntax.little,
            stop_when=lambda tag, _vr, _length: tag >= _WAVEFORM_SEQUENCE,
            defer_size=_MOST_READ,
            specific_tags=list(_FACTS),
        )
        facts = {name: one_line(str(dataset.get(name) or "")) for name in _FACTS.values()}
        encoding = dataset.original_character_set
        items = _items(path, file, bounded.size, syntax, encoding)
        groups = tuple(_group(item, syntax) for item in items)
    return Waveforms(facts, groups)


def _syntax(path: Path, uid: str) -> _Syntax:
    if uid not in _SYNTAXES:
        msg = (
            f"{path.name} has the transfer syntax {uid or 'none'!r}, which is not read; convert it "
            "to Explicit VR Little Endian, for instance with dcmconv of DCMTK"
        )
        raise UnsupportedFormat(msg)
    return _SYNTAXES[uid]


def _items(
    path: Path, file: BinaryIO, size: int, syntax: _Syntax, encoding: str | MutableSequence[str]
) -> Iterator[Dataset]:
    """Multiplex groups, from where the Waveform Sequence begins on; none if something else does."""
    from pydicom.filereader import read_dataset

    order = "<" if syntax.little else ">"
    head = file.read(8)
    if len(head) < 8 or _tag(head, order) != _WAVEFORM_SEQUENCE:
        return
    length = struct.unpack(order + "L", head[4:] if syntax.implicit else file.read(4))[0]
    end = None if length == _UNDEFINED else file.tell() + length
    while end is None or file.tell() < end:
        head = file.read(8)
        if len(head) < 8 or (end or 0) > size:
            msg = f"{path.name} is cut short within its waveforms; get the file again"
            raise RecordingError(msg)
        tag, length = _tag(head, order), struct.unpack(order + "L", head[4:])[0]
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise _damaged(path, f"element {tag:08X} in place of a multiplex group")
        begin = file.tell()
        yield read_dataset(
            file,
            syntax.implicit,
            syntax.little,
            bytelength=None if length == _UNDEFINED else length,
            defer_size=_MOST_READ,
            parent_encoding=encoding,
            specific_tags=list(_GROUP),
            at_top_level=False,
        )
        if length != _UNDEFINED:
            file.seek(begin + length)


def _tag(head: bytes, order: str) -> int:
    group, element = struct.unpack(order + "HH", head[:4])
    return int(group << 16 | element)


def _group(item: Dataset, syntax: _Syntax) -> Group:
    bits = int(item.get("WaveformBitsAllocated") or 0)
    interpretation = str(item.get("WaveformSampleInterpretation") or "")
    dtype = _DTYPES.get((bits, interpretation), "")
    # As they are in the file: pydicom would take them for what they need not be.
    data = item.get_item(_WAVEFORM_DATA, keep_deferred=True) if _WAVEFORM_DATA in item else None
    padding = item.get_item(_PADDING_VALUE, keep_deferred=True) if _PADDING_VALUE in item else None
    begin, n_bytes = getattr(data, "value_tell", 0) or 0, getattr(data, "length", 0) or 0
    value = getattr(padding, "value", b"")
    return Group(
        label=one_line(str(item.get("MultiplexGroupLabel") or "")),
        n_samples=_whole(item.get("NumberOfWaveformSamples")),
        n_channels=_whole(item.get("NumberOfWaveformChannels")),
        fs=float(item.get("SamplingFrequency") or 0.0),
        offset_s=float(item.get("MultiplexGroupTimeOffset") or 0.0) / 1000.0,
        dtype=("<" if syntax.little else ">") + dtype if dtype else "",
        coding=f"{bits} bits, {interpretation or 'not said how'}",
        begin=0 if n_bytes == _UNDEFINED else begin,
        n_bytes=0 if n_bytes == _UNDEFINED else n_bytes,
        padding=value if isinstance(value, bytes) else b"",
        channels=read_channels(item.get("ChannelDefinitionSequence") or ()),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


@contextmanager
def _clear_parsing(path: Path) -> Iterator[None]:
    """Turn whatever pydicom makes of damaged elements into one error, and keep it from warning."""
    try:
        # One at a time: what catches warnings is shared by all threads.
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (EctopyError, MemoryError):
        raise
    except Exception as error:  # there is no end to what it may be
        raise _damaged(
            path, f"elements that pydicom cannot read ({type(error).__name__})"
        ) from error


def _damaged(path: Path, what: str) -> RecordingError:
    return RecordingError(f"{path.name} is damaged: it has {what}; get the file again")
