"""Rows of numbers kept for later: a few of them in memory, many in a temporary file."""

from __future__ import annotations

import tempfile
import weakref
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.mapped import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

IN_MEMORY = 2 * 1024 * 1024
"""Bytes that are kept in memory; with more, all of them move to a file without a name."""


class KeptRows:
    """Rows that are added at the end and read again, any of them, piece by piece.

    Parameters
    ----------
    n_columns : int
        Numbers in a row, kept as float32.

    Examples
    --------
    >>> rows = KeptRows(2)
    >>> rows.add(np.array([[1, 2], [3, 4], [5, 6]]))
    >>> [(own, seen[:, 0].tolist()) for own, seen in rows.around(2, 1)]
    [(slice(0, 2, None), [1.0, 3.0, 5.0]), (slice(2, 3, None), [3.0, 5.0])]
    """

    def __init__(self, n_columns: int) -> None:
        self._n_columns, self._n_rows = n_columns, 0
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="ectopy-")  # noqa: SIM115 - kept open
        self._close = weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        """Rows so far."""
        return self._n_rows

    def add(self, rows: NDArray[np.floating]) -> None:
        """Append rows, shape (rows, columns).

        Raises
        ------
        SignalError
            If there is no room for a temporary file.
        """
        try:
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows, dtype=np.float32).tobytes())
        except OSError as error:
            msg = (
                f"no room for the measures of a long lead ({error.strerror}); free some or set "
                "TMPDIR to a folder with room"
            )
            raise SignalError(msg) from error
        self._n_rows += len(rows)

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Read some rows, shape (stop - first, columns)."""
        row = 4 * self._n_columns
        self._file.seek(first * row)
        values = np.frombuffer(self._file.read((stop - first) * row), dtype=np.float32)
        return values.reshape(-1, self._n_columns)

    def around(self, size: int, beside: int = 0) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Give pieces of so many rows, each with some rows on both sides that it looks at.

        Yields
        ------
        own : slice
            The rows of the piece.
        seen : ndarray of float32, shape (rows, columns)
            These, and up to `beside` before and after them: the first is
            `max(0, own.start - beside)`.
        """
        for own in pieces(self._n_rows, size):
            first, stop = max(0, own.start - beside), min(self._n_rows, own.stop + beside)
            yield own, self.read(first, stop)

    def close(self) -> None:
        """Forget them all."""
        self._close()
        self._n_rows = 0
