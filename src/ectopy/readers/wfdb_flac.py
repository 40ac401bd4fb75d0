"""Signal files of WFDB records that are compressed with FLAC: formats 508, 516 and 524.

Each signal of the record is a channel of one FLAC stream, as in the WFDB library and the `wfdb`
package, of which those with several samples a frame must all have equally many. The stream is
decoded by libsndfile, which finds any sample of it without decoding what lies before.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.errors import MissingExtra, RecordingError, UnsupportedFormat
from ectopy.readers.wfdb_files import SignalFile
from ectopy.readers.wfdb_samples import FLAC_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray
    from soundfile import SoundFile

# Bits of a sample in each kind of stream, and how far to the left libsndfile puts them.
_BITS = {"PCM_S8": (8, "int16", 8), "PCM_16": (16, "int16", 0), "PCM_24": (24, "int32", 8)}

# A stream whose encoder did not know its length; libsndfile then gives the largest number it has.
_LENGTH_UNKNOWN = 2**62


class _Nameless:
    """A file that does not tell its name, of which soundfile takes some for another format."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


@dataclass(frozen=True, eq=False)
class FlacFile(SignalFile):
    """A signal file that is compressed with FLAC."""

    def held(self) -> int:
        """Count the whole frames, as `SignalFile.held` does.

        The stream says how many; that it does not end sooner is seen by decoding the last of them.
        """
        with self._stream() as stream:
            self._check(stream)
            n_samples = int(stream.frames) - self.signals[0].offset
            if n_samples > 0:
                stream.seek(stream.frames - 1)
                stream.read(1, dtype="int16")
        return max(n_samples, 0) // self.signals[0].per_frame

    def frames(self, first: int, stop: int) -> Iterator[tuple[int, NDArray[np.integer]]]:
        """Read some frames, as `SignalFile.frames` does."""
        if first >= stop:
            return
        with self._stream() as stream:
            self._check(stream)
            stream.seek(self.signals[0].offset + first * self.signals[0].per_frame)
            for start in range(first, stop, self.chunk):
                yield start, self._values(stream, start, min(start + self.chunk, stop))

    @contextmanager
    def _stream(self) -> Iterator[SoundFile]:
        """Open the stream; what goes wrong while it is open is told in one clear line."""
        try:
            import soundfile
        except (ImportError, OSError) as error:
            msg = f"{self.path.name} is compressed with FLAC, but soundfile cannot be imported"
            raise MissingExtra(f"{msg}; install it with: pip install soundfile") from error
        with self.path.open("rb") as file:
            if file.read(4) != b"fLaC":
                raise self._not_as_promised("is no FLAC file")
            file.seek(0)
            try:
                with soundfile.SoundFile(_Nameless(file)) as stream:
                    yield stream
            except soundfile.SoundFileError as error:
                msg = f"{self.path.name} is damaged or cut short: its FLAC stream cannot be decoded"
                raise RecordingError(f"{msg}; get the file again") from error

    def _check(self, stream: SoundFile) -> None:
        """Refuse a stream that does not hold what the header says."""
        rates = {signal.per_frame for signal in self.signals}
        if len(rates) > 1:
            raise self._not_as_promised("cannot hold signals of unlike sampling frequencies")
        if stream.channels != len(self.signals):
            raise self._not_as_promised(
                f"has {stream.channels} channels for {len(self.signals)} signals"
            )
        bits = _BITS.get(stream.subtype, (0,))[0]
        if not 0 < bits <= FLAC_BITS[self.format]:
            raise self._not_as_promised(f"has samples of kind {stream.subtype}")
        if stream.frames >= _LENGTH_UNKNOWN:
            msg = f"{self.path.name} does not say how many samples it holds"
            raise RecordingError(f"{msg}; compress it again, from a file")

    def _values(self, stream: SoundFile, first: int, stop: int) -> NDArray[np.integer]:
        """Values of the frames that come next; shape (frames, size)."""
        _, kind, shift = _BITS[stream.subtype]
        n_samples = (stop - first) * self.signals[0].per_frame
        samples: NDArray[np.integer] = stream.read(n_samples, dtype=kind, always_2d=True)
        if len(samples) < n_samples:
            raise self.shrunk(first, stop)
        samples >>= shift
        in_frames = samples.reshape(stop - first, -1, len(self.signals))
        return in_frames.transpose(0, 2, 1).reshape(stop - first, self.size)

    def _not_as_promised(self, found: str) -> UnsupportedFormat:
        return UnsupportedFormat(
            f"{self.path.name} {found}, but {self.header} gives it the format {self.format}; "
            "get both files again"
        )
