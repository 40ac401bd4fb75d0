"""Data records of EDF and BDF files: samples of some signals, read a stretch at a time.

A data record holds, one after another, the samples that each signal has in its duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.disk import read_fully

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from ectopy.readers.edf_signals import EDFSignal

CHUNK_VALUES = 200_000
"""Values (a value is one sample of one signal) read at a time: the memory beside the result."""


@dataclass(frozen=True, eq=False)
class Records:
    """Consecutive data records of a file.

    Attributes
    ----------
    path : Path
        The file.
    begin : int
        Where in it the first of them begins, in bytes.
    n_records : int
        Their number.
    n_values : int
        Values in each, over all signals.
    sample_bytes : int
        Bytes of a value, 2 or 3.
    """

    path: Path
    begin: int
    n_records: int
    n_values: int
    sample_bytes: int

    def part(self, first: int, stop: int) -> Records:
        """Return records `first` up to, but without, `stop` of these."""
        begin = self.begin + first * self.n_values * self.sample_bytes
        return Records(self.path, begin, stop - first, self.n_values, self.sample_bytes)

    def samples(
        self, signals: Sequence[EDFSignal], first: int, stop: int
    ) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Read some signals, which have equally many samples in a record.

        Parameters
        ----------
        signals : sequence of EDFSignal
            At least one.
        first, stop : int
            From sample `first` of each up to, but without, `stop`.

        Yields
        ------
        start : int
            First sample of the stretch.
        values : ndarray of int32, shape (samples, signals)
            Digital values.

        Raises
        ------
        OSError
            If the file cannot be read.
        RecordingError
            If it no longer holds these samples.
        """
        if first >= stop:
            return
        rate = signals[0].n_samples
        with self.path.open("rb", buffering=0) as stream:
            if self.n_values > CHUNK_VALUES:
                yield from self._within_records(stream, signals, first, stop)
                return
            step = CHUNK_VALUES // self.n_values
            stop_record = -(-stop // rate)
            for record in range(first // rate, stop_record, step):
                n = min(step, stop_record - record)
                rows = self._values(stream, record * self.n_values, n * self.n_values)
                rows = rows.reshape(n, self.n_values)
                own = [rows[:, s.first : s.first + rate].reshape(-1) for s in signals]
                start = record * rate
                inside = slice(max(first - start, 0), stop - start)
                yield max(first, start), np.stack([values[inside] for values in own], axis=1)

    def _within_records(
        self, stream: BinaryIO, signals: Sequence[EDFSignal], first: int, stop: int
    ) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Read as `samples` does where a single record is too large to be read whole."""
        rate = signals[0].n_samples
        step = max(1, CHUNK_VALUES // len(signals))
        at = first
        while at < stop:
            record, within = divmod(at, rate)
            n = min(step, rate - within, stop - at)
            begin = record * self.n_values + within
            own = [self._values(stream, begin + signal.first, n) for signal in signals]
            yield at, np.stack(own, axis=1)
            at += n

    def _values(self, stream: BinaryIO, first: int, n_values: int) -> NDArray[np.int32]:
        stream.seek(self.begin + first * self.sample_bytes)
        raw = read_fully(stream, n_values * self.sample_bytes)
        if len(raw) < n_values * self.sample_bytes:
            msg = (
                f"{self.path.name} no longer holds all the data records that it held when it was "
                "opened; get the file again"
            )
            raise RecordingError(msg)
        if self.sample_bytes == 2:
            return np.frombuffer(raw, dtype="<i2").astype(np.int32)
        # Three bytes go into the upper ones of a number of four, whose sign is then theirs.
        wide = np.zeros((n_values, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
        return np.asarray(wide.view("<i4").reshape(-1) >> 8, dtype=np.int32)
