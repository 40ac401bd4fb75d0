"""Recordings whose samples lie in one file frame by frame: one of each channel, then the next.

Holter files of ISHNE and waveforms of DICOM are stored like that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.disk import read_fully
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.source import Source

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

CHUNK_VALUES = 200_000
"""Values (a value is one sample of one channel) read at a time: the memory beside the result."""


class Channel(NamedTuple):
    """How the digital values of a lead become millivolts.

    Attributes
    ----------
    place : int
        Its place in a frame.
    gain, offset : float
        `digital * gain + offset` is in millivolts.
    missing : int, optional
        The digital value that stands for a missing sample.
    """

    place: int
    gain: float
    offset: float = 0.0
    missing: int | None = None


@dataclass(frozen=True, eq=False)
class FrameSource(Source):
    """A recording of which frames are read.

    The file is opened for each part and closed again. What is read beside the part itself is some
    200,000 values at a time, so that memory does not grow with the file.

    Attributes
    ----------
    path : Path
        The file.
    begin : int
        Where in it the first frame begins, in bytes.
    frame_values : int
        Values in a frame, over all channels.
    dtype : str
        Type of a value, with its byte order, as NumPy spells it.
    channels : tuple of Channel
        Channel of each lead.
    """

    path: Path = field(default=Path(), repr=False)
    begin: int = field(default=0, repr=False)
    frame_values: int = field(default=1, repr=False)
    dtype: str = field(default="<i2", repr=False)
    channels: tuple[Channel, ...] = field(default=(), repr=False)

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        channels = [self.channels[column] for column in columns]
        places = [channel.place for channel in channels]
        gains = np.array([channel.gain for channel in channels], dtype=np.float64)
        offsets = np.array([channel.offset for channel in channels], dtype=np.float64)
        step = max(1, CHUNK_VALUES // self.frame_values)
        what = f"a part of {self.name!r} ({stop - first} samples)"
        with clear_errors(what, "read it in smaller ones"):
            part = np.empty((stop - first, len(columns)), dtype=np.float32)
            with self.path.open("rb", buffering=0) as stream:
                for start in range(first, stop, step):
                    n_frames = min(step, stop - start)
                    frames = self._frames(stream, start, n_frames)[:, places]
                    values = frames * gains + offsets
                    for column, channel in enumerate(channels):
                        if channel.missing is not None:
                            values[frames[:, column] == channel.missing, column] = np.nan
                    part[start - first : start - first + n_frames] = values
        return part

    def _frames(self, stream: BinaryIO, first: int, n_frames: int) -> NDArray[np.integer]:
        dtype = np.dtype(self.dtype)
        frame_bytes = self.frame_values * dtype.itemsize
        stream.seek(self.begin + first * frame_bytes)
        raw = read_fully(stream, n_frames * frame_bytes)
        if len(raw) < n_frames * frame_bytes:
            msg = (
                f"{self.path.name} no longer holds samples {first} to {first + n_frames} of each "
                "lead, as it did when it was opened; get the file again"
            )
            raise RecordingError(msg)
        frames: NDArray[np.integer] = np.frombuffer(raw, dtype).reshape(n_frames, -1)
        return frames
