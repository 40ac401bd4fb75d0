"""Read the ECG leads of EDF, EDF+ and BDF files, part by part.

Opening a file reads its header and counts its data records; samples are read where they are asked
for. `edf_header` names the sources of the format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import edf_header
from ectopy.readers.disk import existing_file, first_bytes
from ectopy.readers.ecg_labels import lead_name, pick_ecg
from ectopy.readers.edf_header import read_header
from ectopy.readers.edf_records import CHUNK_VALUES, Records
from ectopy.readers.edf_times import Stretch, stretches
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.limits import MAX_FS
from ectopy.readers.source import Source, unique_names
from ectopy.readers.upsampling import MARGIN, MAX_FACTOR, upsampled
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from os import PathLike

    from numpy.typing import NDArray

    from ectopy.readers.edf_header import EDFHeader
    from ectopy.readers.edf_signals import EDFSignal

_SHOWN_PARTS = 4
_SHOWN_SIGNALS = 6


def is_edf(path: str | PathLike[str]) -> bool:
    """Whether a file is EDF, EDF+ or BDF, told by how it begins and not by its name.

    Parameters
    ----------
    path : path

    Returns
    -------
    bool
        False as well where there is no such file, or it cannot be read.
    """
    return edf_header.is_header(first_bytes(path, edf_header.FIXED_BYTES))


def open_edf(path: str | PathLike[str], part: int | None = None) -> EDFSource:
    """Open an EDF, EDF+ or BDF file, to read parts of it.

    ECG leads are the signals in mV, uV or V that are labelled as such; where no label says ECG or
    names a lead, all voltages whose label says nothing else. Others are left out. Of several
    leads with one name the second becomes `II-2`, and so on. The recording has the sampling
    frequency of the lead with the highest, and slower leads are brought to it (see `upsampled`).
    EDF has no value for missing samples, so that none is NaN.

    Parameters
    ----------
    path : path
        The file, with any suffix.
    part : int, optional
        Of a discontinuous file (EDF+D) the stretch without gaps to open, from 1 on. Such a file is
        never read across a gap.

    Returns
    -------
    EDFSource

    Raises
    ------
    RecordingError
        If there is no such file, its header is damaged or promises more than the file holds, no
        signal is an ECG lead, or there are gaps and `part` is not given or not there.
    UnsupportedFormat
        If the file is none of these, or has leads of sampling frequencies too far apart.

    Examples
    --------
    >>> source = open_edf("night.edf")  # doctest: +SKIP
    >>> source.read(2560, 5120, [0]).shape  # doctest: +SKIP
    (2560, 1)
    """
    with clear_errors(path):
        header = read_header(existing_file(path))
        signals, left_out = _ecg_leads(header)
        n_records = _count_records(header)
        per_record = max(signal.n_samples for signal in signals.values())
        fs = _sampling_frequency(header, signals, per_record)
        found = stretches(header, n_records, fs)
        stretch = _chosen(header, found, part)
    records = Records(
        header.path, header.n_bytes, n_records, header.record_values, header.sample_bytes
    )
    return EDFSource(
        name=header.path.stem if len(found) == 1 else f"{header.path.stem}-part{part}",
        fs=fs,
        leads=tuple(signals),
        n_samples=(stretch.stop - stretch.first) * per_record,
        start=_start(header, stretch),
        notes=_notes(header, signals, left_out, per_record),
        records=records.part(stretch.first, stretch.stop),
        signals=tuple(signals.values()),
        scales=tuple(signal.scale(header.path.name) for signal in signals.values()),
        per_record=per_record,
    )


@dataclass(frozen=True, eq=False)
class EDFSource(Source):
    """ECG leads of an EDF, EDF+ or BDF file, of which parts are read; made by `open_edf`.

    The file is opened for each part and closed again. What is read beside the part itself is some
    200,000 values at a time, so that memory does not grow with the file.

    Attributes
    ----------
    records : Records
        The data records, without a gap.
    signals : tuple of EDFSignal
        Signal of each lead.
    scales : tuple of (float, float)
        Gain and offset of each lead, in millivolts.
    per_record : int
        Samples of the recording in a data record.
    """

    records: Records = field(default=Records(Path(), 0, 0, 1, 2), repr=False)
    signals: tuple[EDFSignal, ...] = field(default=(), repr=False)
    scales: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    per_record: int = 1

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        what = f"a part of {self.name!r} ({stop - first} samples)"
        with clear_errors(what, "read it in smaller ones"):
            part = np.empty((stop - first, len(columns)), dtype=np.float32)
            rates = [self.signals[column].n_samples for column in columns]
            own = [place for place, rate in enumerate(rates) if rate == self.per_record]
            if own:
                self._place(part, first, own, [columns[place] for place in own])
            for place, column in enumerate(columns):
                if rates[place] != self.per_record:
                    self._place_slower(part[:, place], first, column)
        return part

    def _place(
        self, part: NDArray[np.float32], first: int, places: Sequence[int], leads: Sequence[int]
    ) -> None:
        """Put leads of one sampling frequency, from their sample `first` on, into columns."""
        signals = [self.signals[lead] for lead in leads]
        gains, offsets = np.array([self.scales[lead] for lead in leads]).T
        for start, digital in self.records.samples(signals, first, first + len(part)):
            values = digital * gains + offsets
            part[start - first : start - first + len(values), places] = values

    def _place_slower(self, column: NDArray[np.float32], first: int, lead: int) -> None:
        """Put a lead of a lower sampling frequency into a column, brought to that of the others."""
        rate = self.signals[lead].n_samples
        common = gcd(self.per_record, rate)
        up, down = self.per_record // common, rate // common
        n_own = self.records.n_records * rate
        # Blocks of `up` samples here are `down` there; those around the part have a say in it.
        margin = -(-MARGIN // down)
        step = max(1, CHUNK_VALUES // up)
        stop_block = -(-(first + len(column)) // up)
        for block in range(first // up, stop_block, step):
            end = min(block + step, stop_block)
            begin = (block - margin) * down
            own = np.full(((end - block + 2 * margin) * down, 1), np.nan, dtype=np.float32)
            inside = slice(max(-begin, 0), n_own - begin)
            self._place(own[inside], max(begin, 0), [0], [lead])
            values = upsampled(own[:, 0], up, down)[margin * up : -margin * up]
            at = block * up - first
            values = values[max(-at, 0) : len(column) - at]
            column[max(at, 0) : max(at, 0) + len(values)] = values


def _ecg_leads(header: EDFHeader) -> tuple[dict[str, EDFSignal], tuple[str, ...]]:
    """Choose the ECG leads, by name, and say of other signals why they are none."""
    signals = [signal for signal in header.signals if not signal.is_annotation]
    voltages = [s for s in signals if mv_per_unit(s.unit) is not None and s.n_samples > 0]
    chosen = [voltages[index] for index in pick_ecg([s.label for s in voltages])]
    if not chosen:
        has = ", ".join(f"{s.label!r} in {s.unit or 'no unit'}" for s in signals[:_SHOWN_SIGNALS])
        if len(signals) > _SHOWN_SIGNALS:
            has += f" and {len(signals) - _SHOWN_SIGNALS} more"
        msg = (
            f"{header.path.name} holds no ECG lead: it has {has or 'annotations alone'}; "
            "expected a signal in mV, uV or V that is labelled as ECG, correct the labels or units"
        )
        raise RecordingError(msg)
    left_out = tuple(
        f"{s.label or s.number} ({'no ECG' if s in voltages else 'no voltage'})"
        for s in signals
        if s not in chosen
    )
    names = unique_names([lead_name(signal.label) for signal in chosen])
    return dict(zip(names, chosen, strict=True)), left_out


def _count_records(header: EDFHeader) -> int:
    """Count the data records, all of which the file must hold."""
    if header.record_s == 0:
        msg = (
            f"{header.path.name} gives its data records no duration, but has signals; "
            "expected a number of seconds above 0, get the file again"
        )
        raise RecordingError(msg)
    record_bytes = header.record_values * header.sample_bytes
    held = (header.path.stat().st_size - header.n_bytes) // record_bytes
    if header.n_records is not None and held < header.n_records:
        msg = (
            f"{header.path.name} is cut short: it holds {held} data records of {record_bytes} "
            f"bytes, but its header promises {header.n_records}; get the file again"
        )
        raise RecordingError(msg)
    n_records = held if header.n_records is None else header.n_records
    if n_records == 0:
        msg = f"{header.path.name} holds no data record; there is nothing to read"
        raise RecordingError(msg)
    return n_records


def _sampling_frequency(header: EDFHeader, signals: dict[str, EDFSignal], per_record: int) -> float:
    """Highest sampling frequency, which all leads must be fit to be brought to."""
    fs = per_record / header.record_s
    if fs > MAX_FS:
        msg = (
            f"{header.path.name} gives a lead {per_record} samples in {float(header.record_s):g} s;"
            f" expected at most {MAX_FS:g} Hz, correct the header"
        )
        raise RecordingError(msg)
    for name, signal in signals.items():
        if per_record // gcd(per_record, signal.n_samples) > MAX_FACTOR:
            msg = (
                f"{header.path.name} has lead {name!r} at "
                f"{float(signal.n_samples / header.record_s):g} Hz, which cannot be brought to the "
                f"{float(fs):g} Hz of another; expected a ratio of whole numbers up to {MAX_FACTOR}"
                ", split the file by sampling frequency"
            )
            raise UnsupportedFormat(msg)
    return float(fs)


def _chosen(header: EDFHeader, found: Sequence[Stretch], part: int | None) -> Stretch:
    """Stretch that is asked for."""
    if part is None and len(found) == 1:
        return found[0]
    if part is not None and 1 <= part <= len(found):
        return found[part - 1]
    if len(found) == 1:
        msg = f"{header.path.name} has no gaps, and so no part {part}; leave the part out"
        raise RecordingError(msg)
    record_s = float(header.record_s)
    shown = [
        f"{number} from {s.onset_s:g} s to {s.onset_s + (s.stop - s.first) * record_s:g} s"
        for number, s in enumerate(found[:_SHOWN_PARTS], start=1)
    ]
    parts = ", ".join(shown) + (", ..." if len(found) > _SHOWN_PARTS else "")
    asked = "has gaps" if part is None else f"has no part {part}"
    msg = (
        f"{header.path.name} {asked}: of its {len(found)} parts without gaps, {parts}; "
        "open one of them by its number (--part 1, or part=1), or split the file"
    )
    raise RecordingError(msg)


def _start(header: EDFHeader, stretch: Stretch) -> datetime | None:
    try:
        return header.start and header.start + timedelta(seconds=stretch.onset_s)
    except OverflowError:
        return None


def _notes(
    header: EDFHeader, signals: dict[str, EDFSignal], left_out: Sequence[str], per_record: int
) -> dict[str, str]:
    """Name the recorder, and say what was not kept as it is in the file."""
    notes = {}
    if header.equipment:
        notes["device"] = header.equipment
    if left_out:
        notes["left out"] = ", ".join(left_out)
    slower = [
        f"{name} from {float(signal.n_samples / header.record_s):g} Hz"
        for name, signal in signals.items()
        if signal.n_samples != per_record
    ]
    if slower:
        notes["brought to one fs"] = ", ".join(slower)
    return notes
