"""What a WFDB record is made of, checked before a sample is read: its segments and their leads.

Every byte that a header promises is counted, so that a damaged or made-up header ends in one clear
line and not in a huge allocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.disk import one_line
from ectopy.readers.wfdb_files import signal_files
from ectopy.readers.wfdb_header import read_header
from ectopy.readers.wfdb_paths import inside_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ectopy.readers.wfdb_files import SignalFile
    from ectopy.readers.wfdb_header import Header, Signal

# Gaps between segments are filled with missing samples, a segment may be listed again, a lead may
# be brought to a higher sampling frequency, and a compressed file may hold a flat line; none of
# these costs a byte of file. So a header may add, to each byte of its signal files, this many
# values (a value is one sample of one lead),
_ADDED_PER_BYTE = 20
# and one day of two leads at 360 Hz (250 MB in memory) however small the files are,
_ADDED_ALWAYS = 1 * 24 * 3600 * 360 * 2
# but never more than 14 such days. Beyond that it is no recording but a mistake.
_ADDED_AT_MOST = 14 * _ADDED_ALWAYS


@dataclass(frozen=True, eq=False)
class Lead:
    """A signal that measures a voltage, and where its samples are.

    Attributes
    ----------
    file : SignalFile
        The file that holds it.
    member : int
        Its place among the signals of the file.
    signal : Signal
        What the header says of it.
    """

    file: SignalFile
    member: int
    signal: Signal


@dataclass(frozen=True, eq=False)
class Part:
    """An ordinary record, alone or as a segment of another, whose files are counted.

    Attributes
    ----------
    files : tuple of SignalFile
        All its signal files.
    leads : mapping of str to Lead
        Its leads by name, no two alike.
    left_out : tuple of str
        Names of the signals that are no leads.
    n_frames : int
        Frames of the record.
    """

    files: tuple[SignalFile, ...]
    leads: Mapping[str, Lead]
    left_out: tuple[str, ...]
    n_frames: int


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of a record's time that is read from one part.

    Attributes
    ----------
    first, stop : int
        From the record's frame `first` up to, but without, `stop`; frame `first` is the part's
        frame 0.
    part : Part
        What is read.
    """

    first: int
    stop: int
    part: Part


def count_frames(header: Header) -> int:
    """Count the frames that the files of a record hold.

    Raises
    ------
    OSError
        If a file cannot be read.
    RecordingError
        If that is none, or fewer than the header promises.
    """
    if header.segments:
        return sum(length for _, length in header.segments)
    return _count_frames(header, signal_files(header))


def samples_per_frame(header: Header) -> int:
    """Count the samples in a frame of the lead that has most; 1 if there is no lead.

    Raises
    ------
    OSError
        If the header of a segment cannot be read.
    RecordingError
        If the header of a segment is missing or damaged.
    """
    if header.segments:
        parts = [_segment_header(header, name) for name in _lengths(header)]
    else:
        parts = [header]
    signals = (signal for part in parts for signal in part.signals)
    return max((s.per_frame for s in signals if s.mv_per_unit is not None), default=1)


def open_segments(header: Header) -> tuple[list[Segment], int]:
    """Open the parts of a record, one or several, and count what they hold.

    Parameters
    ----------
    header : Header
        Of an ordinary record or one of several segments.

    Returns
    -------
    segments : list of Segment
        In the order of time; without those that are gaps or hold no lead.
    n_frames : int
        Frames of the whole record.

    Raises
    ------
    OSError
        If a file cannot be read.
    RecordingError
        If files are missing, too short or outside the folder, no lead measures a voltage, or far
        more samples are promised than the files can hold.
    UnsupportedFormat
        If a segment has segments itself.
    """
    if header.segments:
        n_frames = count_frames(header)
        if header.n_samples not in (None, n_frames):
            msg = (
                f"{header.path.name} promises {header.n_samples} samples, but its segments add up "
                f"to {n_frames}; get the header again"
            )
            raise RecordingError(msg)
        parts = {
            name: _open_segment(header, name, length) for name, length in _lengths(header).items()
        }
        if not any(part.leads for part in parts.values()):
            raise _no_voltage(header)
    else:
        part = _open_part(header)
        parts, n_frames = {"": part}, part.n_frames
    _check_size(header, parts.values(), n_frames)
    segments, first = [], 0
    for name, length in header.segments or (("", n_frames),):
        if length > 0 and name in parts and parts[name].leads:
            segments.append(Segment(first, first + length, parts[name]))
        first += length
    return segments, n_frames


def _lengths(header: Header) -> dict[str, int]:
    """Longest stretch that is read of each segment's record."""
    lengths: dict[str, int] = {}
    for name, length in header.segments:
        # A segment of length zero only lays out the leads, and "~" is a gap.
        if name != "~" and length > 0:
            lengths[name] = max(length, lengths.get(name, 0))
    return lengths


def _segment_header(header: Header, name: str) -> Header:
    own = read_header(inside_folder(header.path, f"{name}.hea"))
    if own.segments:
        msg = f"{header.path.name} has the segment {name}, which has segments itself; read that one"
        raise UnsupportedFormat(msg)
    return own


def _open_segment(header: Header, name: str, length: int) -> Part:
    """Open one segment, which must fit the record it is part of."""
    own = _segment_header(header, name)
    files = signal_files(own)
    held = _count_frames(own, files)
    if own.fs != header.fs or held < length:
        msg = (
            f"{header.path.name} promises {length} samples at {header.fs:g} Hz in the segment "
            f"{name}, which holds {held} at {own.fs:g} Hz; get the record again"
        )
        raise RecordingError(msg)
    return _part(own, files, held)


def _open_part(header: Header) -> Part:
    """Open a record of one segment."""
    if all(signal.mv_per_unit is None for signal in header.signals):
        raise _no_voltage(header)
    files = signal_files(header)
    return _part(header, files, _count_frames(header, files))


def _part(header: Header, files: tuple[SignalFile, ...], n_frames: int) -> Part:
    where = {
        id(signal): (file, member) for file in files for member, signal in enumerate(file.signals)
    }
    leads: dict[str, Lead] = {}
    left_out: list[str] = []
    taken: set[str] = set()
    for number, signal in enumerate(header.signals, start=1):
        if signal.mv_per_unit is None:
            left_out.append(signal.name or f"signal {number}")
            continue
        name = wanted = one_line(signal.name) or f"lead {number}"
        copy = 1
        while name.lower() in taken:
            copy += 1
            name = f"{wanted}-{copy}"
        taken.add(name.lower())
        leads[name] = Lead(*where[id(signal)], signal)
    return Part(files, leads, tuple(left_out), n_frames)


def _count_frames(header: Header, files: Iterable[SignalFile]) -> int:
    held = []
    for file in files:
        held.append(file.held())
        if header.n_samples is not None and held[-1] < header.n_samples:
            msg = (
                f"{file.path.name} is cut short: it holds {held[-1]} samples of each signal, but "
                f"{header.path.name} promises {header.n_samples}; get the file again"
            )
            raise RecordingError(msg)
    n_frames = min(held) if header.n_samples is None else header.n_samples
    if n_frames == 0:
        msg = f"{header.path} describes a record without samples; there is nothing to read"
        raise RecordingError(msg)
    return n_frames


def _check_size(header: Header, parts: Iterable[Part], n_frames: int) -> None:
    """Refuse a record of far more values than its files can hold, before any memory is asked for.

    No format that is not compressed stores a sample in less than a byte.
    """
    parts = list(parts)
    names = {name for part in parts for name in part.leads}
    most = max(lead.signal.per_frame for part in parts for lead in part.leads.values())
    n_values = n_frames * most * len(names)
    files = {file.path: file for part in parts for file in part.files}
    n_bytes = sum(file.n_bytes() for file in files.values())
    added = min(_ADDED_AT_MOST, _ADDED_ALWAYS + _ADDED_PER_BYTE * n_bytes)
    if n_values > n_bytes + added:
        has = ("its segments have files", "gaps and repeated segments")
        if not header.segments:
            has = ("it has files", "lengths and samples per frame")
        msg = (
            f"{header.path.name} describes {n_values} samples over all leads, but {has[0]} of only "
            f"{n_bytes} bytes; check its {has[1]}"
        )
        raise RecordingError(msg)


def _no_voltage(header: Header) -> RecordingError:
    return RecordingError(
        f"{header.path.name} describes no signal in mV, uV or V; "
        "an ECG lead must give its voltage unit"
    )
