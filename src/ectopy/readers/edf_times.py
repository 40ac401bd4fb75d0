"""When the data records of an EDF+ file begin, and which follow each other without a gap.

Each record of EDF+ begins its first annotation signal with its onset: the seconds since the start
date and time, a plus sign before them and the bytes 20 20 behind (B. Kemp and J. Olivan, 2003,
section 2.2.4).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ectopy.errors import RecordingError
from ectopy.readers.disk import read_fully

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ectopy.readers.edf_header import EDFHeader
    from ectopy.readers.edf_signals import EDFSignal

_ONSET = re.compile(rb"([+-]\d{1,15}(?:\.\d{0,15})?)\x14\x14")
_ONSET_BYTES = 40

# Steps between records that are off by no more than this many samples are the rounding of onsets,
# or of a recorder's clock.
_TOLERANCE_SAMPLES = 1.5


class Stretch(NamedTuple):
    """Data records without a gap between them.

    Attributes
    ----------
    first, stop : int
        From record `first` of the file up to, but without, `stop`.
    onset_s : float
        When the first begins, in seconds since the start that the header gives.
    """

    first: int
    stop: int
    onset_s: float


def stretches(header: EDFHeader, n_records: int, fs: float) -> tuple[Stretch, ...]:
    """Find the stretches of a file that hold no gap.

    Where the header says that there are none, the last record must begin when it should; only if
    it does not, the onset of every record is read.

    Parameters
    ----------
    header : EDFHeader
        Of a file of any kind.
    n_records : int
        Data records in the file.
    fs : float
        Sampling frequency in Hz that onsets are compared by.

    Returns
    -------
    tuple of Stretch
        In the order of the file.

    Raises
    ------
    OSError
        If the file cannot be read.
    RecordingError
        If records of a file that may have gaps do not say when they begin.
    """
    keeper = next((s for s in header.signals if s.is_annotation and s.n_samples > 0), None)
    tolerance_s = _TOLERANCE_SAMPLES / fs
    if keeper is None or not header.has_onsets:
        if header.discontinuous:
            raise _no_onset(header, 0)
        return (Stretch(0, n_records, 0.0),)
    with header.path.open("rb", buffering=0) as stream:
        if not header.discontinuous:
            ends = [_onset(stream, header, keeper, record) for record in (0, n_records - 1)]
            first, last = ends
            if first is None or last is None:
                return (Stretch(0, n_records, first or 0.0),)
            if abs(last - first - (n_records - 1) * float(header.record_s)) <= tolerance_s:
                return (Stretch(0, n_records, first),)
        return tuple(_without_gaps(stream, header, keeper, n_records, tolerance_s))


def _without_gaps(
    stream: BinaryIO, header: EDFHeader, keeper: EDFSignal, n_records: int, tolerance_s: float
) -> Iterator[Stretch]:
    record_s = float(header.record_s)
    begin, begin_s, before = 0, 0.0, 0.0
    for record in range(n_records):
        onset = _onset(stream, header, keeper, record)
        if onset is None:
            raise _no_onset(header, record)
        if record == 0:
            begin_s = onset
        elif abs(onset - before - record_s) > tolerance_s:
            yield Stretch(begin, record, begin_s)
            begin, begin_s = record, onset
        before = onset
    yield Stretch(begin, n_records, begin_s)


def _onset(stream: BinaryIO, header: EDFHeader, keeper: EDFSignal, record: int) -> float | None:
    value = record * header.record_values + keeper.first
    stream.seek(header.n_bytes + value * header.sample_bytes)
    n_bytes = min(_ONSET_BYTES, keeper.n_samples * header.sample_bytes)
    found = _ONSET.match(read_fully(stream, n_bytes))
    return float(found[1]) if found else None


def _no_onset(header: EDFHeader, record: int) -> RecordingError:
    return RecordingError(
        f"{header.path.name} may have gaps ({header.kind}+D), but its data record {record + 1} "
        "does not say when it begins; expected an annotation such as '+12.5', get the file again"
    )
