"""Read Holter recordings in the standard format of the ISHNE, part by part.

The layout is that of F. Badilini, "The ISHNE Holter standard output file format", Annals of
Noninvasive Electrocardiology 3 (1998): a magic number, a checksum, a header of 512 bytes and one of
any length, and 16-bit samples, one of each lead after another. All numbers begin with their lowest
byte. What names the patient (name, number, sex, race, birth date, pacemaker) is not looked at.
"""

from __future__ import annotations

from binascii import crc_hqx
from datetime import datetime
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.disk import existing_file, first_bytes, one_line
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.frames import Channel, FrameSource
from ectopy.readers.source import unique_names

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

_MAGIC = b"ISHNE1.0"
_ANNOTATION_MAGIC = b"ANN  1.0"
_HEADER_BYTES = 522
_CHECKED_FROM = 10  # bytes: what the checksum is of begins behind magic number and checksum
_MAX_LEADS = 12
_MISSING = -(2**15)
# Numbers of the standard that mean "absent".
_ABSENT = -9

# Fields that are read, with the bytes between them passed over.
_FIELDS = Struct("<8sH 4x i 4x i 112x 3h 6x 3h h 12h 12h 12h 2x 40s h")

# Lead codes 2 to 19; 0 is unknown and 1 a bipolar lead without a name.
_LEADS = {2: "X", 3: "Y", 4: "Z", 5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF"}
_LEADS |= {10 + number: f"V{number}" for number in range(1, 7)} | {17: "ES", 18: "AS", 19: "AI"}
_QUALITIES = {
    2: "intermittent noise",
    3: "frequent noise",
    4: "intermittent disconnect",
    5: "frequent disconnect",
}

# The second header holds whatever a maker likes; one larger than this is not summed up.
_MOST_CHECKED = 16_000_000


class _Header(NamedTuple):
    """What the header says, as it is stored."""

    checksum: int
    n_samples: int
    begin: int
    date: tuple[int, ...]
    time: tuple[int, ...]
    n_leads: int
    codes: tuple[int, ...]
    qualities: tuple[int, ...]
    resolutions_nv: tuple[int, ...]
    recorder: bytes
    fs: int


def is_ishne(path: str | PathLike[str]) -> bool:
    """Whether a file is one of the ISHNE's formats, told by how it begins and not by its name.

    Parameters
    ----------
    path : path

    Returns
    -------
    bool
        True for annotation files too, which `open_ishne` refuses. False as well where there is no
        such file, or it cannot be read.
    """
    begin = first_bytes(path, _HEADER_BYTES)
    # Text may begin like that; a header has high bytes of small numbers, which are zero.
    binary = b"\0" in begin or len(begin) <= _CHECKED_FROM
    return begin.startswith((_MAGIC, _ANNOTATION_MAGIC)) and binary


def open_ishne(path: str | PathLike[str]) -> FrameSource:
    """Open a Holter recording of the ISHNE's standard format, to read parts of it.

    Leads have the names of the standard's codes; one without a name is called by its number, and of
    several with one name the second becomes `II-2`, and so on. The lowest value of 16 bits, -32768,
    is a missing sample. A header that does not match its checksum is read, because some writers
    leave it out or compute it in other ways, but `notes` say so.

    Some writers count the samples of all leads together where the standard counts those of one; it
    is what the file holds that tells, and `notes` say so.

    Parameters
    ----------
    path : path
        The file, with any suffix.

    Returns
    -------
    FrameSource

    Raises
    ------
    RecordingError
        If there is no such file, it is damaged, or promises more than it holds.
    UnsupportedFormat
        If it is another kind of file, annotations of the ISHNE among them.

    Examples
    --------
    >>> source = open_ishne("holter.ecg")  # doctest: +SKIP
    >>> source.leads, source.duration_s  # doctest: +SKIP
    (('X', 'Y', 'Z'), 86400.0)
    """
    with clear_errors(path):
        found = existing_file(path)
        header = _read_header(found)
        n_samples = _count_samples(found, header)
        names = [_LEADS.get(code, "") for code in header.codes[: header.n_leads]]
        return FrameSource(
            name=found.stem,
            fs=float(header.fs),
            leads=unique_names(names),
            n_samples=n_samples,
            start=_start(header),
            notes=_notes(found, header, unique_names(names), n_samples),
            path=found,
            begin=header.begin,
            frame_values=header.n_leads,
            dtype="<i2",
            channels=tuple(
                Channel(place, gain=1e-6 * resolution_nv, missing=_MISSING)
                for place, resolution_nv in enumerate(header.resolutions_nv[: header.n_leads])
            ),
        )


def _read_header(path: Path) -> _Header:
    with path.open("rb") as stream:
        begin = stream.read(_HEADER_BYTES)
    if begin.startswith(_ANNOTATION_MAGIC):
        msg = f"{path.name} holds annotations of the ISHNE and no signal; open the .ecg file beside"
        raise UnsupportedFormat(msg)
    if not begin.startswith(_MAGIC):
        msg = (
            f"{path} is no ISHNE Holter file: it begins with {begin[:8]!r}; expected 'ISHNE1.0', "
            "export it in the ISHNE's standard format"
        )
        raise UnsupportedFormat(msg)
    if len(begin) < _HEADER_BYTES:
        msg = (
            f"{path.name} is cut short: its header has {len(begin)} bytes; expected "
            f"{_HEADER_BYTES}, get the file again"
        )
        raise RecordingError(msg)
    values = _FIELDS.unpack_from(begin)
    header = _Header(
        checksum=values[1],
        n_samples=values[2],
        begin=values[3],
        date=values[4:7],
        time=values[7:10],
        n_leads=values[10],
        codes=values[11:23],
        qualities=values[23:35],
        resolutions_nv=values[35:47],
        recorder=values[47],
        fs=values[48],
    )
    _check(path, header)
    return header


def _check(path: Path, header: _Header) -> None:
    """Refuse numbers that cannot be."""
    wrong = ""
    if not 1 <= header.n_leads <= _MAX_LEADS:
        wrong = f"{header.n_leads} leads; expected 1 to {_MAX_LEADS}"
    elif header.fs <= 0:
        wrong = f"a sampling frequency of {header.fs} Hz; expected more than 0"
    elif header.begin < _HEADER_BYTES:
        wrong = f"samples from byte {header.begin} on; expected them behind byte {_HEADER_BYTES}"
    elif header.n_samples < 0 and header.n_samples != _ABSENT:
        wrong = f"{header.n_samples} samples; expected at least 1"
    for number, resolution_nv in enumerate(header.resolutions_nv[: max(header.n_leads, 0)], 1):
        if not wrong and resolution_nv <= 0:
            wrong = f"a resolution of {resolution_nv} nV for lead {number}; expected more than 0"
    if wrong:
        raise RecordingError(f"{path.name} says that it has {wrong}, get the file again")


def _count_samples(path: Path, header: _Header) -> int:
    """Count the samples of each lead, all of which the file must hold."""
    n_values = max(0, path.stat().st_size - header.begin) // 2
    held, promised = n_values // header.n_leads, header.n_samples
    if promised in (0, _ABSENT):
        promised = held
    elif promised > held and promised == held * header.n_leads:
        promised = held  # samples of all leads
    if held < promised:
        msg = (
            f"{path.name} is cut short: it holds {held} samples of each of {header.n_leads} leads, "
            f"but its header promises {promised}; get the file again"
        )
        raise RecordingError(msg)
    if promised == 0:
        raise RecordingError(f"{path.name} holds no samples; there is nothing to read")
    return promised


def _start(header: _Header) -> datetime | None:
    """When the recording starts; None where the header gives no such time."""
    day, month, year = header.date
    hour, minute, second = header.time
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def _notes(path: Path, header: _Header, leads: tuple[str, ...], n_samples: int) -> dict[str, str]:
    """Name the recorder, and say what is to be known of leads and header."""
    notes = {}
    recorder = one_line(header.recorder.split(b"\0")[0].decode("latin-1"))
    if recorder:
        notes["device"] = recorder
    poor = [
        f"{lead}: {_QUALITIES[quality]}"
        for lead, quality in zip(leads, header.qualities, strict=False)
        if quality in _QUALITIES
    ]
    if poor:
        notes["quality"] = ", ".join(poor)
    if header.n_samples > n_samples:
        notes["length"] = "the header counts the samples of all leads, or the file is cut short"
    if header.checksum and header.begin <= _MOST_CHECKED:
        checked = first_bytes(path, header.begin)[_CHECKED_FROM:]
        if crc_hqx(checked, 0xFFFF) != header.checksum:
            notes["checksum"] = "the header does not match its checksum and may be damaged"
    return notes
