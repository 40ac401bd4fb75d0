"""Samples of files that cannot be read from the middle, kept where they can."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from ectopy.errors import RecordingError
from ectopy.mapped import release
from ectopy.readers.grid import Gaps
from ectopy.readers.source import Source

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import DTypeLike, NDArray

_COPIED = 4 * 1024 * 1024  # bytes at a time


class Spool:
    """Rows of samples, written block by block to a temporary file and mapped into memory.

    A day of ECG takes some hundred MB, which memory then need not hold: the system keeps of it
    what is in use. The file has no name where the system allows that, and is gone when nothing
    reads it any more, however the program ends.

    Parameters
    ----------
    n_columns : int
        Samples in a row.
    dtype
        Of a sample.
    """

    def __init__(self, n_columns: int, dtype: DTypeLike = np.float32) -> None:
        self._n_columns = n_columns
        self._dtype = np.dtype(dtype)
        self._n_rows = 0
        self._file = tempfile.TemporaryFile(prefix="ectopy-")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Spool:
        """Use it in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; what `rows` gave stays readable."""
        self._file.close()

    def __len__(self) -> int:
        """Rows so far."""
        return self._n_rows

    def add(self, rows: NDArray[Any]) -> None:
        """Append rows, of shape (rows, columns).

        Raises
        ------
        RecordingError
            If there is no room for them.
        """
        try:
            self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).tobytes())
        except OSError as error:
            msg = (
                f"no room for the samples in {tempfile.gettempdir()} ({error.strerror}); free some "
                "or set TMPDIR to a folder with room"
            )
            raise RecordingError(msg) from error
        self._n_rows += len(rows)

    def rows(self) -> NDArray[Any]:
        """All rows, of shape (rows, columns), read from the file as they are used."""
        if not self._n_rows:
            return np.empty((0, self._n_columns), self._dtype)
        self._file.flush()
        shape = (self._n_rows, self._n_columns)
        return np.memmap(self._file, dtype=self._dtype, mode="r", shape=shape)


def map_stream(
    stream: IO[bytes],
    n_bytes: int,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    order: Literal["C", "F"],
) -> NDArray[Any]:
    """Copy the next bytes of a stream to a temporary file, and map them as an array.

    Parameters
    ----------
    stream : binary file
        Cannot be read from the middle, or is packed.
    n_bytes : int
        Bytes of the array, not too many.
    dtype, shape, order
        Of the array.

    Raises
    ------
    EOFError
        If the stream ends before.
    """
    with tempfile.TemporaryFile(prefix="ectopy-") as file:
        left = n_bytes
        while left:
            block = stream.read(min(left, _COPIED))
            if not block:
                raise EOFError
            file.write(block)
            left -= len(block)
        stream.read(1)  # at its end a stream checks the sum of what it gave
        file.flush()
        return np.memmap(file, dtype=dtype, mode="r", shape=shape, order=order)


@dataclass(frozen=True, eq=False)
class SpooledSource(Source):
    """A recording whose samples are in a temporary file, or in memory.

    Attributes
    ----------
    rows : ndarray of float32, shape (rows, leads)
        In millivolts, without the samples that are missing between rows.
    gaps : Gaps
        Where those are.
    """

    rows: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 0), np.float32), repr=False
    )
    gaps: Gaps = field(default_factory=Gaps, repr=False)

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        start, end = self.gaps.row_of(first), self.gaps.row_of(stop)
        rows = np.asarray(self.rows[start:end][:, list(columns)], dtype=np.float32)
        release(self.rows)
        return self.gaps.spread(rows, start, first, stop)
