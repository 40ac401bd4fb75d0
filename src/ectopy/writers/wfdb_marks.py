"""Write WFDB annotation files piece by piece, of any length.

The format is that of the WFDB Applications Guide, annot(5), byte for byte as wfdb writes it (tested
against it), which takes all marks at once, and a dozen times as long for a day.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CODES = {"N": 1, "V": 5, "F": 6, "A": 8, "S": 9, "/": 12, "Q": 13, "~": 14, '"': 22, "?": 30}
"""Annotation code of each symbol that is written here."""

_SKIP, _TEXT = 59, 63
_LONGEST_STEP = 1023  # samples since the mark before that fit into its own word
_LONGEST_SKIP = 0x7FFFFFFF
_MOST_TEXT = 255  # bytes

# How wfdb ends what describes a file: a skip of -1 and an empty mark one sample on.
_END_OF_DESCRIPTION = np.array([_SKIP << 10, 0xFFFF, 0xFFFF, 1], dtype="<u2").tobytes()


class MarkWriter:
    """Marks of one annotation file, in the order of time.

    Parameters
    ----------
    file : binary file
        Open for writing, at its start.
    fs : float
        Sampling frequency in Hz that samples are counted at.
    """

    def __init__(self, file: IO[bytes], fs: float) -> None:
        self._file = file
        self._last = 0
        told = int(fs) if round(fs, 8) == int(fs) else fs
        file.write(np.uint16(CODES['"'] << 10).tobytes())
        file.write(_text(f"## time resolution: {told}"))
        file.write(_END_OF_DESCRIPTION)

    def add(
        self,
        samples: NDArray[np.int64],
        codes: NDArray[np.uint8],
        notes: Mapping[int, str] | None = None,
    ) -> None:
        """Append marks.

        Parameters
        ----------
        samples : ndarray of int64, shape (marks,)
            Ascending, from the last mark before on.
        codes : ndarray of uint8, shape (marks,)
            Values of `CODES`.
        notes : mapping of int to str, optional
            Text of some marks, by row; at most 255 bytes are kept.
        """
        if len(samples) == 0:
            return
        notes = notes or {}
        steps = np.diff(samples, prepend=self._last)
        self._last = int(samples[-1])
        texts = {row: _text(note) for row, note in notes.items()}
        whole, rest = np.divmod(steps, _LONGEST_SKIP)
        skips = whole + (rest > _LONGEST_STEP)
        lengths = 3 * skips + 1
        for row, text in texts.items():
            lengths[row] += len(text) // 2
        starts = np.cumsum(lengths) - lengths
        words = np.zeros(int(lengths.sum()), dtype="<u2")
        for turn in range(int(skips.max())):
            rows = np.flatnonzero(skips > turn)
            skipped = np.minimum(steps[rows], _LONGEST_SKIP)
            at = starts[rows] + 3 * turn
            words[at] = _SKIP << 10
            words[at + 1] = skipped >> 16
            words[at + 2] = skipped & 0xFFFF
            steps[rows] -= skipped
        own = starts + 3 * skips
        words[own] = (codes.astype(np.int64) << 10) | steps
        for row, text in texts.items():
            begin = int(own[row]) + 1
            words[begin : begin + len(text) // 2] = np.frombuffer(text, dtype="<u2")
        self._file.write(words.tobytes())

    def close(self) -> None:
        """Write the end of the file; it stays open."""
        self._file.write(b"\0\0")


def _text(note: str) -> bytes:
    """Words of a mark's text: its length, itself, and a zero where it is odd."""
    letters = note.encode("ascii", "replace")[:_MOST_TEXT]
    return np.uint16(_TEXT << 10 | len(letters)).tobytes() + letters + b"\0" * (len(letters) % 2)
