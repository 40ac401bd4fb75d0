"""Signal files of WFDB records: what they hold is counted, and read frame by frame.

A frame is what a file holds of one step of the record's time: the samples of all its signals, of
each one or several. The layout is that of the WFDB Applications Guide, signal(5) and header(5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.wfdb_paths import inside_folder
from ectopy.readers.wfdb_samples import FLAC_BITS, FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.readers.wfdb_header import Header, Signal

CHUNK_VALUES = 200_000
"""Values (a value is one sample of one signal) decoded at a time: the memory beside the result.
More of them take longer, because they no longer fit into the processor's cache."""


@dataclass(frozen=True, eq=False)
class SignalFile:
    """A file of samples that are packed, but not compressed.

    Attributes
    ----------
    path : Path
        The file.
    header : str
        Name of the header that describes it, for messages.
    signals : tuple of Signal
        The signals whose samples it holds, in their order in a frame.
    """

    path: Path
    header: str
    signals: tuple[Signal, ...]

    @property
    def format(self) -> str:
        """Sample format of all its signals, one of `READ_FORMATS`."""
        return self.signals[0].format

    @cached_property
    def size(self) -> int:
        """Values in a frame."""
        return sum(signal.per_frame for signal in self.signals)

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """Where in a frame the samples of each signal are."""
        ends = list(accumulate(signal.per_frame for signal in self.signals))
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @property
    def chunk(self) -> int:
        """Frames decoded at a time."""
        return max(1, CHUNK_VALUES // self.size)

    def n_bytes(self) -> int:
        """Size of the file now."""
        return self.path.stat().st_size

    def held(self) -> int:
        """Count the whole frames that the file holds now.

        Raises
        ------
        OSError
            If the file cannot be read.
        RecordingError
            If it is not what its format says.
        """
        n_bytes = self.n_bytes() - self.signals[0].offset
        return FORMATS[self.format].samples_in(n_bytes) // self.size

    def frames(self, first: int, stop: int) -> Iterator[tuple[int, NDArray[np.integer]]]:
        """Read some frames, a chunk at a time, so that memory stays small.

        Parameters
        ----------
        first, stop : int
            From frame `first` of the file up to, but without, `stop`.

        Yields
        ------
        start : int
            First frame of the chunk.
        values : ndarray of int, shape (frames, size)
            Digital values.

        Raises
        ------
        OSError
            If the file cannot be read.
        RecordingError
            If it no longer holds these frames, or they are damaged.
        """
        for start in range(first, stop, self.chunk):
            yield start, self._decoded(start, min(start + self.chunk, stop))

    def _decoded(self, first: int, stop: int) -> NDArray[np.integer]:
        """Values of the frames as they are stored; shape (frames, size)."""
        form = FORMATS[self.format]
        n_values = (stop - first) * self.size
        # Samples are packed in groups, and a frame may begin in the middle of one.
        group, ahead = divmod(first * self.size, form.group)
        with self.path.open("rb") as stream:
            stream.seek(self.signals[0].offset + form.bytes_for(group * form.group))
            raw = np.frombuffer(stream.read(form.bytes_for(ahead + n_values)), dtype=np.uint8)
        if form.samples_in(len(raw)) < ahead + n_values:
            raise self.shrunk(first, stop)
        return form.samples(raw, ahead + n_values)[ahead:].reshape(-1, self.size)

    def shrunk(self, first: int, stop: int) -> RecordingError:
        """Return the error for a file that lost frames since it was opened."""
        return RecordingError(
            f"{self.path.name} no longer holds samples {first} to {stop} of each signal, as it did "
            "when it was opened; get the file again"
        )


@dataclass(frozen=True, eq=False)
class DifferenceFile(SignalFile):
    """A file of format 8, which stores the difference of each sample to the one before.

    Such a file can only be decoded from its start on. So the sums are kept at the border of every
    chunk that was passed: the first part from far inside costs a pass over all that lies before
    it, others at most that of the chunks not passed yet.

    Attributes
    ----------
    sums : dict
        Value of each signal before the first frame of a chunk, by the number of the chunk. It is
        only ever filled, always with the same numbers, so that threads may share it.
    """

    sums: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def frames(self, first: int, stop: int) -> Iterator[tuple[int, NDArray[np.integer]]]:
        """Read some frames, as `SignalFile.frames` does."""
        if first >= stop:
            return
        initial = np.array([signal.initial for signal in self.signals], dtype=np.int64)
        self.sums.setdefault(0, initial)
        wanted = first // self.chunk
        number = next(known for known in range(wanted, -1, -1) if known in self.sums)
        while number * self.chunk < stop:
            start = number * self.chunk
            end = min(start + self.chunk, stop)
            steps = self._decoded(start, end)
            if number < wanted:
                totals = [steps[:, place].sum(dtype=np.int64) for place in self.places]
                last = self.sums[number] + np.array(totals)
            else:
                values = self._summed(steps, self.sums[number])
                last = values[-1, [place.stop - 1 for place in self.places]]
                skipped = max(first - start, 0)
                yield start + skipped, values[skipped:]
            if end == start + self.chunk:
                self.sums[number + 1] = last
            number += 1

    def _summed(self, steps: NDArray[np.integer], before: NDArray[np.int64]) -> NDArray[np.int64]:
        """Values from their differences and the value of each signal before the first of them."""
        values = np.empty(steps.shape, dtype=np.int64)
        for place, value in zip(self.places, before, strict=True):
            own = steps[:, place]
            values[:, place] = (own.ravel().cumsum(dtype=np.int64) + value).reshape(own.shape)
        return values


def signal_files(header: Header) -> tuple[SignalFile, ...]:
    """Find the signal files of an ordinary record; the signals of each lie together in it.

    Raises
    ------
    RecordingError
        If a file is missing, outside the folder, or given two formats.
    """
    members: dict[Path, list[Signal]] = {}
    paths: dict[str, Path] = {}
    for signal in header.signals:
        if signal.file not in paths:
            paths[signal.file] = inside_folder(header.path, signal.file)
        own = members.setdefault(paths[signal.file], [])
        own.append(signal)
        if signal.format != own[0].format:
            msg = f"{header.path.name} gives two formats for the file {signal.file!r}; correct it"
            raise RecordingError(msg)
    return tuple(_opened(path, header.path.name, tuple(own)) for path, own in members.items())


def _opened(path: Path, header: str, signals: tuple[Signal, ...]) -> SignalFile:
    if signals[0].format in FLAC_BITS:
        from ectopy.readers.wfdb_flac import FlacFile

        return FlacFile(path, header, signals)
    return (DifferenceFile if signals[0].format == "8" else SignalFile)(path, header, signals)
