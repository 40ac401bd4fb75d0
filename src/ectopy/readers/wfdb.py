"""Read the signals of WFDB records.

Every byte that a header promises is counted before a sample is read, so that a damaged or made-up
header ends in one clear line and not in a huge allocation.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.wfdb_header import inside_folder, read_header
from ectopy.readers.wfdb_samples import FORMATS
from ectopy.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ectopy.readers.wfdb_header import Header, Signal

# Gaps between segments are filled with missing samples, and a segment may be listed again; neither
# costs a byte of file. So a header may add, to each byte of its signal files, this many values (a
# value is one sample of one lead),
_ADDED_PER_BYTE = 20
# and one day of two leads at 360 Hz (250 MB in memory) however small the files are,
_ADDED_ALWAYS = 1 * 24 * 3600 * 360 * 2
# but never more than 14 such days. Beyond that it is no recording but a mistake.
_ADDED_AT_MOST = 14 * _ADDED_ALWAYS

# Samples decoded at a time, which bounds the memory beside the result. A multiple of every
# format's group, whatever the number of samples in a frame.
_CHUNK_FRAMES = 6
_CHUNK_SAMPLES = 600_000


def read_record(path: str | PathLike[str]) -> Recording:
    """Read a WFDB record.

    Leads that do not measure a voltage (blood pressure, respiration) are left out. Where a signal
    has several samples a frame their mean is taken, as WFDB's own tools do. Of several leads with
    one name the second becomes `II-2`, and so on; a lead without a name is called by its number.
    Records of several segments are joined; gaps between segments are missing samples.

    Parameters
    ----------
    path : path
        Any file of the record, or the record name without a suffix.

    Returns
    -------
    Recording

    Raises
    ------
    RecordingError
        If there is no such record, its header is damaged, its signal files are missing, too short
        or outside its folder, or no lead measures a voltage.
    UnsupportedFormat
        If the file has no WFDB header, or its samples are stored in a format that is not read.
    """
    try:
        header = read_header(_header_path(Path(path)))
        return _read_segments(header) if header.segments else _read_signals(header)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror or error}; check the file and its permissions"
        raise RecordingError(msg) from error
    except MemoryError as error:
        msg = f"{path} does not fit into memory; cut it into shorter recordings"
        raise RecordingError(msg) from error


def record_length(header: Header) -> int:
    """Count the samples of each signal that the files of a record hold.

    Raises
    ------
    RecordingError
        If that is none, or fewer than the header promises.
    """
    if header.segments:
        return sum(length for _, length in header.segments)
    held = []
    for file, indices in _files(header).items():
        signals = [header.signals[index] for index in indices]
        n_bytes = file.stat().st_size - signals[0].offset
        held.append(FORMATS[signals[0].format].samples_in(n_bytes) // _frame_size(signals))
        if header.n_samples is not None and held[-1] < header.n_samples:
            msg = (
                f"{file.name} is cut short: it holds {held[-1]} samples of each signal, but "
                f"{header.path.name} promises {header.n_samples}; get the file again"
            )
            raise RecordingError(msg)
    n_samples = min(held) if header.n_samples is None else header.n_samples
    if n_samples == 0:
        msg = f"{header.path} describes a record without samples; there is nothing to read"
        raise RecordingError(msg)
    return n_samples


def _header_path(path: Path) -> Path:
    """Header of the record that a path means."""
    if path.name:
        for header in (path.with_name(path.name + ".hea"), path.with_suffix(".hea")):
            if header.is_file():
                return header
    if path.is_dir():
        msg = f"{path} is a folder; name one recording in it, such as {path / '100.hea'}"
        raise RecordingError(msg)
    if path.is_file():
        msg = (
            f"{path} is not read: it has no WFDB header {path.with_suffix('.hea').name} beside it, "
            "and no other format is known; convert the recording to WFDB"
        )
        raise UnsupportedFormat(msg)
    header_name = path.name if path.suffix == ".hea" else f"{path.name}.hea"
    msg = f"there is no recording {path}: no file {header_name}; check the name and the folder"
    raise RecordingError(msg)


def _read_signals(header: Header) -> Recording:
    """Read a record of one segment."""
    leads = _leads(header)
    if not leads:
        raise _no_voltage(header)
    n_samples = record_length(header)
    columns = {index: column for column, index in enumerate(leads)}
    signal_mv = np.empty((n_samples, len(leads)), dtype=np.float32)
    for file, indices in _files(header).items():
        if columns.keys().isdisjoint(indices):
            continue
        signals = [header.signals[index] for index in indices]
        ends = np.cumsum([signal.per_frame for signal in signals]).tolist()
        for start, frames in _frames(file, signals, n_samples):
            for index, signal, end in zip(indices, signals, ends, strict=True):
                if index in columns:
                    values = _millivolts(frames[:, end - signal.per_frame : end], signal)
                    signal_mv[start : start + len(values), columns[index]] = values
    for index, column in columns.items():
        late = min(header.signals[index].skew, n_samples)
        if late:
            signal_mv[: n_samples - late, column] = signal_mv[late:, column].copy()
            signal_mv[n_samples - late :, column] = np.nan
    return Recording(
        signal_mv=signal_mv,
        fs=header.fs,
        leads=tuple(leads.values()),
        name=header.path.stem,
        start=header.start,
    )


def _read_segments(header: Header) -> Recording:
    """Read a record of several segments, which may hold different leads."""
    total = record_length(header)
    if header.n_samples not in (None, total):
        msg = (
            f"{header.path.name} promises {header.n_samples} samples, but its segments add up to "
            f"{total}; get the header again"
        )
        raise RecordingError(msg)
    # A segment of length zero only lays out the leads, and "~" is a gap.
    lengths: dict[str, int] = {}
    for name, length in header.segments:
        if name != "~" and length > 0:
            lengths[name] = max(length, lengths.get(name, 0))
    parts = {name: _segment(header, name, length) for name, length in lengths.items()}
    leads = {name: tuple(_leads(part).values()) for name, part in parts.items()}
    names = list(dict.fromkeys(name for own in leads.values() for name in own))
    if not names:
        raise _no_voltage(header)
    _check_size(header, parts.values(), total * len(names))
    signal_mv = np.full((total, len(names)), np.nan, dtype=np.float32)
    start = 0
    for name, length in header.segments:
        if length > 0 and leads.get(name):
            columns = [names.index(lead) for lead in leads[name]]
            own = _read_signals(parts[name]).signal_mv
            signal_mv[start : start + length, columns] = own[:length]
        start += length
    return Recording(
        signal_mv=signal_mv,
        fs=header.fs,
        leads=tuple(names),
        name=header.path.stem,
        start=header.start,
    )


def _check_size(header: Header, parts: Iterable[Header], n_values: int) -> None:
    """Refuse a record of far more values than its files can hold, before any memory is asked for.

    No format stores a sample in less than a byte.
    """
    n_bytes = sum(file.stat().st_size for file in {file for part in parts for file in _files(part)})
    added = min(_ADDED_AT_MOST, _ADDED_ALWAYS + _ADDED_PER_BYTE * n_bytes)
    if n_values > n_bytes + added:
        msg = (
            f"{header.path.name} describes {n_values} samples over all leads, but its segments "
            f"have files of only {n_bytes} bytes; check its gaps and repeated segments"
        )
        raise RecordingError(msg)


def _segment(header: Header, name: str, length: int) -> Header:
    """Header of one segment, which must fit the record it is part of."""
    part = read_header(inside_folder(header.path, f"{name}.hea"))
    if part.segments:
        msg = f"{header.path.name} has the segment {name}, which has segments itself; read that one"
        raise UnsupportedFormat(msg)
    held = record_length(part)
    if part.fs != header.fs or held < length:
        msg = (
            f"{header.path.name} promises {length} samples at {header.fs:g} Hz in the segment "
            f"{name}, which holds {held} at {part.fs:g} Hz; get the record again"
        )
        raise RecordingError(msg)
    return part


def _leads(header: Header) -> dict[int, str]:
    """Index and unique name of each signal that is a voltage."""
    leads: dict[int, str] = {}
    taken: set[str] = set()
    for index, signal in enumerate(header.signals):
        if signal.mv_per_unit is None:
            continue
        name = wanted = signal.name or f"lead {index + 1}"
        copy = 1
        while name.lower() in taken:
            copy += 1
            name = f"{wanted}-{copy}"
        taken.add(name.lower())
        leads[index] = name
    return leads


def _no_voltage(header: Header) -> RecordingError:
    return RecordingError(
        f"{header.path.name} describes no signal in mV, uV or V; "
        "an ECG lead must give its voltage unit"
    )


def _files(header: Header) -> dict[Path, list[int]]:
    """Signal files of a record, and the indices of the signals in each."""
    files: dict[Path, list[int]] = {}
    for index, signal in enumerate(header.signals):
        members = files.setdefault(inside_folder(header.path, signal.file), [])
        members.append(index)
        if signal.format != header.signals[members[0]].format:
            msg = f"{header.path.name} gives two formats for the file {signal.file!r}; correct it"
            raise RecordingError(msg)
    return files


def _frame_size(signals: Sequence[Signal]) -> int:
    return sum(signal.per_frame for signal in signals)


def _frames(
    file: Path, signals: Sequence[Signal], n_frames: int
) -> Iterator[tuple[int, NDArray[np.integer]]]:
    """Digital values of a file, chunk by chunk: first frame, values of shape (frames, samples)."""
    form = FORMATS[signals[0].format]
    size = _frame_size(signals)
    chunk = _CHUNK_FRAMES * max(1, _CHUNK_SAMPLES // (_CHUNK_FRAMES * size))
    before = np.repeat([signal.initial for signal in signals], [s.per_frame for s in signals])
    with file.open("rb") as stream:
        stream.seek(signals[0].offset)
        for start in range(0, n_frames, chunk):
            n_values = min(chunk, n_frames - start) * size
            raw = np.frombuffer(stream.read(form.bytes_for(n_values)), dtype=np.uint8)
            values = form.samples(raw, n_values).reshape(-1, size)
            if signals[0].format == "8":
                values = _summed(values, signals, before)
                before = values[-1]
            yield start, values


def _summed(
    steps: NDArray[np.integer], signals: Sequence[Signal], before: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Values from their differences; `before` is the frame before the first."""
    values = np.empty(steps.shape, dtype=np.int64)
    end = 0
    for signal in signals:
        first, end = end, end + signal.per_frame
        own = steps[:, first:end]
        values[:, first:end] = (own.ravel().cumsum(dtype=np.int64) + before[end - 1]).reshape(
            own.shape
        )
    return values


def _millivolts(digital: NDArray[np.integer], signal: Signal) -> NDArray[np.float64]:
    """Millivolts of one signal, one value a frame; shape (frames, samples) in, (frames,) out."""
    values = (digital - np.float64(signal.baseline)) / signal.gain * (signal.mv_per_unit or 1.0)
    missing = FORMATS[signal.format].missing
    if missing is not None:
        values[digital == missing] = np.nan
    return np.asarray(values[:, 0] if signal.per_frame == 1 else values.mean(axis=1))
