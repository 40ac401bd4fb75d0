"""Read the signals of WFDB records, part by part.

Opening a record reads its headers and counts its files; samples are decoded where they are asked
for. The formats are those of the WFDB Applications Guide, header(5) and signal(5).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.limits import MAX_FS
from ectopy.readers.source import Source
from ectopy.readers.upsampling import MARGIN, MAX_FACTOR, upsampled
from ectopy.readers.wfdb_files import CHUNK_VALUES
from ectopy.readers.wfdb_header import is_header, read_header
from ectopy.readers.wfdb_paths import header_path
from ectopy.readers.wfdb_record import open_segments
from ectopy.readers.wfdb_samples import missing_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ectopy.readers.wfdb_files import SignalFile
    from ectopy.readers.wfdb_header import Header, Signal
    from ectopy.readers.wfdb_record import Segment
    from ectopy.recording import Recording


def is_wfdb(path: str | PathLike[str]) -> bool:
    """Whether a path means a WFDB record: there is a header whose first line is one.

    Parameters
    ----------
    path : path
        The header, any other file that has the header of its name beside it (whatever that file
        holds), or the record name without a suffix.

    Returns
    -------
    bool
        False as well where there is no such file, or it cannot be read.
    """
    try:
        return is_header(header_path(Path(path)))
    except (RecordingError, OSError):
        return False


def read_record(path: str | PathLike[str]) -> Recording:
    """Read a WFDB record into memory; `open_wfdb` says what is read and what is refused.

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
        As `open_wfdb`, or if the recording does not fit into memory.
    UnsupportedFormat
        As `open_wfdb`.
    """
    with clear_errors(path):
        return open_wfdb(path).recording()


def open_wfdb(path: str | PathLike[str]) -> WFDBSource:
    """Open a WFDB record, to read parts of it.

    Signals that do not measure a voltage (blood pressure, respiration) are left out. Of several
    leads with one name the second becomes `II-2`, and so on; a lead without a name is called by its
    number. Records of several segments are joined; gaps between segments are missing samples.
    Where a frame holds several samples of a lead, the recording has the sampling frequency of the
    lead with most, and leads with fewer are brought to it (see `upsampled`).

    Parameters
    ----------
    path : path
        Any file of the record, or the record name without a suffix.

    Returns
    -------
    WFDBSource

    Raises
    ------
    RecordingError
        If there is no such record, its header is damaged, its signal files are missing, too short
        or outside its folder, no lead measures a voltage, or it promises far more samples than its
        files can hold.
    UnsupportedFormat
        If the file has no WFDB header, or its samples are stored in a way that is not read.
    MissingExtra
        If it is compressed and the package that decodes it cannot be imported.

    Examples
    --------
    >>> source = open_wfdb("mitdb/100")  # doctest: +SKIP
    >>> source.read(3600, 7200, [0]).shape  # doctest: +SKIP
    (3600, 1)
    """
    with clear_errors(path):
        header = read_header(header_path(Path(path)))
        segments, n_frames = open_segments(header)
        rates = _rates(segments)
        per_frame = max(rate for own in rates.values() for rate in own)
        _check_rates(header, rates, per_frame)
        return WFDBSource(
            name=header.path.stem,
            fs=header.fs * per_frame,
            leads=tuple(rates),
            n_samples=n_frames * per_frame,
            start=header.start,
            notes=_notes(header, segments, rates, per_frame),
            segments=tuple(segments),
            starts=tuple(segment.first for segment in segments),
            rates=rates,
            per_frame=per_frame,
        )


@dataclass(frozen=True, eq=False)
class WFDBSource(Source):
    """A WFDB record of which parts are read; made by `open_wfdb`.

    Its files are opened for each part and closed again. What is decoded beside the part itself is
    some 200,000 values at a time, so that memory does not grow with the record.

    Attributes
    ----------
    segments : tuple of Segment
        Stretches of time that hold leads, in order.
    starts : tuple of int
        First frame of each segment.
    rates : dict of str to tuple of int
        Samples in a frame of each lead: more than one number where segments differ in it.
    per_frame : int
        Samples in a frame of the recording.
    """

    segments: tuple[Segment, ...] = field(default=(), repr=False)
    starts: tuple[int, ...] = field(default=(), repr=False)
    rates: dict[str, tuple[int, ...]] = field(default_factory=dict)
    per_frame: int = 1

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        what = f"a part of {self.name!r} ({stop - first} samples)"
        with clear_errors(what, "read it in smaller ones"):
            names = [self.leads[column] for column in columns]
            part = np.empty((stop - first, len(columns)), dtype=np.float32)
            if not self._is_without_gaps(names):
                part[:] = np.nan
            self._place(part, first, names, self.per_frame)
            for column, name in enumerate(names):
                for rate in self.rates[name]:
                    if rate != self.per_frame:
                        self._place_slower(part[:, column], first, name, rate)
        return part

    def _is_without_gaps(self, names: Sequence[str]) -> bool:
        """Whether leads have every sample of the record: then nothing is left of what was there."""
        if len(self.segments) != 1:
            return False
        (segment,) = self.segments
        signals = [segment.part.leads[name].signal for name in names]
        whole = segment.first == 0 and segment.part.n_frames * self.per_frame >= self.n_samples
        return whole and all(s.per_frame == self.per_frame and not s.skew for s in signals)

    def _place(
        self, part: NDArray[np.float32], first: int, names: Sequence[str], rate: int
    ) -> None:
        """Put the samples of leads that have `rate` of them in a frame into their columns.

        Sample `first`, counted at that rate, is the first of the part; what is missing stays NaN.
        """
        stop = first + len(part)
        start_frame, stop_frame = first // rate, -(-stop // rate)
        at = max(bisect_right(self.starts, start_frame) - 1, 0)
        end = bisect_left(self.starts, stop_frame)
        for segment in self.segments[at:end]:
            for file, skew, wanted in _groups(segment, names, rate):
                # A lead's samples may come `skew` frames late in the file.
                ahead = segment.first - skew
                frames = (
                    max(start_frame, segment.first) - ahead,
                    min(min(stop_frame, segment.stop) - ahead, segment.part.n_frames),
                )
                for frame, digital in file.frames(*frames):
                    begin = (frame + ahead) * rate - first
                    for column, place, signal in wanted:
                        values = _millivolts(digital[:, place], signal).reshape(-1)
                        inside = slice(max(-begin, 0), len(part) - begin)
                        own = values[inside]
                        at_sample = max(begin, 0)
                        part[at_sample : at_sample + len(own), column] = own

    def _place_slower(self, column: NDArray[np.float32], first: int, name: str, rate: int) -> None:
        """Put the samples of a lead of a lower sampling frequency where nothing is yet."""
        common = gcd(self.per_frame, rate)
        up, down = self.per_frame // common, rate // common
        margin = -(-MARGIN // rate)  # frames
        stop_frame = -(-(first + len(column)) // self.per_frame)
        step = max(1, CHUNK_VALUES // self.per_frame)
        for start_frame in range(first // self.per_frame, stop_frame, step):
            end_frame = min(start_frame + step, stop_frame)
            n_own = (end_frame - start_frame + 2 * margin) * rate
            own = np.full((n_own, 1), np.nan, dtype=np.float32)
            self._place(own, (start_frame - margin) * rate, [name], rate)
            values = upsampled(own[:, 0], up, down)
            values = values[margin * self.per_frame : -margin * self.per_frame]
            begin = start_frame * self.per_frame - first
            values = values[max(-begin, 0) : len(column) - begin]
            target = column[max(begin, 0) :][: len(values)]
            np.copyto(target, values, where=np.isnan(target))


class _Wanted(NamedTuple):
    """A lead to read: the column it goes to, its place in a frame of its file, and its signal."""

    column: int
    place: slice
    signal: Signal


def _groups(
    segment: Segment, names: Sequence[str], rate: int
) -> Iterator[tuple[SignalFile, int, list[_Wanted]]]:
    """Leads of a segment that are read together: those of one file that come equally late."""
    groups: dict[tuple[SignalFile, int], list[_Wanted]] = {}
    for column, name in enumerate(names):
        lead = segment.part.leads.get(name)
        if lead is not None and lead.signal.per_frame == rate:
            skew = min(lead.signal.skew, segment.part.n_frames)
            wanted = _Wanted(column, lead.file.places[lead.member], lead.signal)
            groups.setdefault((lead.file, skew), []).append(wanted)
    for (file, skew), members in groups.items():
        yield file, skew, members


def _millivolts(digital: NDArray[np.integer], signal: Signal) -> NDArray[np.floating]:
    """Millivolts of one signal, of any shape; as float32 they are the same from either type."""
    scale = signal.mv_per_unit or 1.0
    long = np.dtype(np.float32 if _float32_will_do(digital, signal) else np.float64)
    values: NDArray[np.floating] = digital.astype(long)
    values -= signal.baseline
    values /= signal.gain
    if scale != 1.0:
        values *= scale
    missing = missing_value(signal.format)
    if missing is not None:
        values[digital == missing] = np.nan
    return values


def _float32_will_do(digital: NDArray[np.integer], signal: Signal) -> bool:
    """Whether float32 gives the values that float64, rounded to it in the end, would give.

    It does where what is divided has an exact float32 for a value: a quotient in float64 is long
    enough that rounding twice rounds the same (Figueroa 1995, "When is double rounding
    innocuous?").
    """
    return (
        digital.dtype.itemsize <= 2
        and abs(signal.baseline) < 1 << 23
        and 1e-20 < abs(signal.gain) < 1e20
        and float(np.float32(signal.gain)) == signal.gain
        and (signal.mv_per_unit or 1.0) == 1.0
    )


def _rates(segments: Sequence[Segment]) -> dict[str, tuple[int, ...]]:
    """Count the samples in a frame of each lead, in the order in which the leads appear."""
    rates: dict[str, set[int]] = {}
    for segment in segments:
        for name, lead in segment.part.leads.items():
            rates.setdefault(name, set()).add(lead.signal.per_frame)
    return {name: tuple(sorted(own)) for name, own in rates.items()}


def _check_rates(header: Header, rates: dict[str, tuple[int, ...]], per_frame: int) -> None:
    """Refuse sampling frequencies that cannot be, or that no filter goes between."""
    if header.fs * per_frame > MAX_FS:
        msg = (
            f"{header.path.name} gives a lead {per_frame} samples in each frame, which makes "
            f"{header.fs * per_frame:g} Hz; expected at most {MAX_FS:g} Hz, correct the header"
        )
        raise RecordingError(msg)
    for name, own in rates.items():
        for rate in own:
            if per_frame // gcd(per_frame, rate) > MAX_FACTOR:
                msg = (
                    f"{header.path.name} has lead {name!r} at {header.fs * rate:g} Hz, which cannot"
                    f" be brought to the {header.fs * per_frame:g} Hz of another; expected a ratio "
                    f"of whole numbers up to {MAX_FACTOR}, split the record by sampling frequency"
                )
                raise UnsupportedFormat(msg)


def _notes(
    header: Header,
    segments: Sequence[Segment],
    rates: dict[str, tuple[int, ...]],
    per_frame: int,
) -> dict[str, str]:
    """Say what was not kept as it is in the files."""
    notes = {}
    left_out = list(dict.fromkeys(name for s in segments for name in s.part.left_out))
    if left_out:
        notes["left out"] = f"{', '.join(left_out)}: no voltage"
    slower = [
        f"{name} from {' and '.join(f'{header.fs * rate:g}' for rate in own)} Hz"
        for name, own in rates.items()
        if own != (per_frame,)
    ]
    if slower:
        notes["brought to one fs"] = ", ".join(slower)
    return notes
