"""What is in files of NumPy, counted before it is read."""

from __future__ import annotations

import io
import lzma
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from math import prod
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.options import (
    FS_KEYS,
    START_KEYS,
    UNIT_KEYS,
    rate_said,
    start_said,
    unit_said,
)
from ectopy.readers.spool import map_stream

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

_SIGNAL_KEYS = (
    "signal", "ecg", "signal_mv", "ecg_mv", "signals", "ecgs", "p_signal", "data", "x", "val",
)  # fmt: skip
_LEAD_KEYS = ("leads", "lead_names", "sig_name", "channels", "channel_names", "ch_names", "names")

_BESIDE = (*FS_KEYS, *_LEAD_KEYS, *UNIT_KEYS, *START_KEYS)

_LONGEST = 2**63 - 1  # of an axis
_MOST_MEMBERS = 100
_SMALL = 1_000_000  # bytes of a member that holds names or a number
# Noise hardly compresses, but flat stretches do: so much a member may be when taken out.
_ALWAYS = 500_000_000
_PER_BYTE = 100


# RuntimeError: encrypted, or packed in an unknown way; ValueError and LookupError: made-up numbers.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, LookupError,
)  # fmt: skip


@dataclass
class Held:
    """What a file holds.

    Attributes
    ----------
    array : ndarray
        Of the samples, as it is in the file.
    fs : float, optional
        Sampling frequency in Hz.
    leads : tuple of str
        Names, as many as the file gives.
    units : tuple of str
        Units of voltage: none, one for all, or one each.
    start : datetime, optional
        Wall-clock time of the first sample, without a zone.
    notes : dict of str to str
        The offset of `start` from UTC, where the file says it.
    """

    array: NDArray[Any]
    fs: float | None = None
    leads: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    start: datetime | None = None
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Header:
    """What the header of an array promises."""

    shape: tuple[int, ...]
    order: Literal["C", "F"]
    dtype: np.dtype[Any]
    offset: int

    @property
    def n_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def _header(file: str, stream: IO[bytes], n_bytes: int) -> _Header:
    """Read a header, and refuse what is no array of numbers or names or promises too much."""
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of headers that Python 2 wrote
            shape, fortran, dtype = read(stream)
    except OSError:
        raise
    # A header is Python text; what can go wrong with made-up ones has no end.
    except Exception as error:
        msg = f"{file} has a damaged header, or none that is read; save the array again"
        raise RecordingError(msg) from error
    if dtype.hasobject:
        msg = (
            f"{file} holds Python objects, which are not read because that can run any code; "
            "save an array of numbers"
        )
        raise RecordingError(msg)
    if any(isinstance(length, bool) for length in shape):  # a whole number to Python
        msg = f"{file} has a damaged header: its shape is {shape}; save the array again"
        raise RecordingError(msg)
    header = _Header(shape, "F" if fortran else "C", dtype, stream.tell())
    held = max(0, n_bytes - header.offset)
    if not all(0 <= length <= _LONGEST for length in shape) or header.n_bytes > held:
        msg = (
            f"{file} promises an array of {_spelled(shape)} of {dtype.itemsize} bytes each, but "
            f"holds {held} bytes; get the file again"
        )
        raise RecordingError(msg)
    return header


def _spelled(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:.6g}" if length > _LONGEST else str(length) for length in shape)


def _check_numbers(file: str, header: _Header) -> None:
    if header.dtype.kind not in "fiu":
        msg = f"{file} holds an array of {header.dtype}; expected real numbers"
        raise RecordingError(msg)
    if header.n_bytes == 0:
        msg = f"{file} holds an array of shape {header.shape}; there is nothing to read"
        raise RecordingError(msg)


def mapped(path: Path) -> NDArray[Any]:
    """Map the array of a `.npy` file into memory.

    Raises
    ------
    RecordingError
        If it is damaged, cut short, or no array of numbers.
    """
    with path.open("rb") as stream:
        header = _header(path.name, stream, path.stat().st_size)
        _check_numbers(path.name, header)
        held: NDArray[Any] = np.memmap(
            stream, header.dtype, "r", header.offset, header.shape, header.order
        )
        return held


def from_zip(path: Path) -> Held:
    """Read `.npz`: the array of samples, and what stands beside it.

    Raises
    ------
    RecordingError
        If it is damaged, or has no array of samples.
    UnsupportedFormat
        If it is a zip of something else.
    """
    file = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy").lower(): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            if not members or len(members) > _MOST_MEMBERS:
                msg = f"{file} is a zip of {len(members)} arrays, no recording; save one as .npz"
                raise UnsupportedFormat(msg)
            name = _signal_name(file, members)
            held = Held(_signal(file, archive, name, members[name]))
            if name.endswith("_mv"):
                held.units = ("mV",)
            found = {key: _small(file, archive, members[key]) for key in _BESIDE if key in members}
    except _DAMAGED as error:
        msg = f"{file} is damaged or packed in an unknown way; get the file again"
        raise RecordingError(msg) from error
    held.leads = next((_texts(found[key]) for key in _LEAD_KEYS if key in found), ())
    held.units = next((_texts(found[key]) for key in UNIT_KEYS if key in found), held.units)
    said = {key: ", ".join(_texts(found[key])) for key in FS_KEYS if key in found}
    held.fs = rate_said(file, said)
    if len(held.units) == 1:
        unit_said(file, {"unit": held.units[0]})
    started = {key: "".join(_texts(found[key])[:1]) for key in START_KEYS if key in found}
    held.start, held.notes = start_said(started)
    return held


def _signal_name(file: str, members: dict[str, zipfile.ZipInfo]) -> str:
    """Find the array of samples by its name, or because it is the only one that may be it."""
    name = next((key for key in _SIGNAL_KEYS if key in members), None)
    if name is None:
        others = set(members).difference(_BESIDE)
        if len(others) != 1:
            shown = ", ".join(sorted(members))[:100]
            msg = f"{file} holds the arrays {shown}; call the one of samples 'signal'"
            raise RecordingError(msg)
        name = others.pop()
    return name


def _signal(file: str, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Take the array of samples out of an archive."""
    with archive.open(info) as stream:
        header = _header(f"{file}, {name!r}", stream, info.file_size)
        _check_numbers(f"{file}, {name!r}", header)
        if header.n_bytes > _ALWAYS + _PER_BYTE * info.compress_size:
            msg = (
                f"{file} packs {header.n_bytes} bytes into {info.compress_size}, as no ECG can be; "
                "save it with numpy.save if it is one"
            )
            raise RecordingError(msg)
        return map_stream(stream, header.n_bytes, header.dtype, header.shape, header.order)


def _small(file: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Read an array of a few names or numbers."""
    if info.file_size > _SMALL:
        msg = f"{file}: {info.filename!r} is far too large for what it is called; leave it out"
        raise RecordingError(msg)
    with archive.open(info) as stream:
        stored = stream.read(_SMALL + 1)
    header = _header(f"{file}, {info.filename!r}", io.BytesIO(stored), len(stored))
    if header.dtype.kind not in "fiuUSM":
        msg = f"{file}: {info.filename!r} holds {header.dtype}; expected names or numbers"
        raise RecordingError(msg)
    if header.n_bytes == 0:
        return np.empty(0, "U1")
    return np.frombuffer(stored, header.dtype, prod(header.shape), header.offset)


def _texts(values: NDArray[Any]) -> tuple[str, ...]:
    if values.dtype.kind == "M":
        values = np.datetime_as_string(values)
    return tuple(
        value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for value in values.ravel().tolist()
    )
