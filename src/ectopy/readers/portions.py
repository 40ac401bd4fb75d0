"""Samples of one lead as they come in: bytes in portions that end anywhere, numbers out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.text_cells import INFINITE, MISSING, NUMBER, cells, unquoted
from ectopy.readers.text_facts import COMMENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_LINE = 100_000
"""Bytes without a line break that are still taken for text."""

DTYPES = {"int16": "<i2", "float32": "<f4"}
"""Kinds of raw samples, by name."""

_PLAIN = b"0123456789+-.eE\n"
_NAME = re.compile(r"[^\W\d]")


class TextPortions:
    r"""Read lines of text, one sample a line, or one column of a table.

    A blank line is a missing sample, as are `nan`, `NA`, `-` and their like; lines that begin with
    `#` or `%` are left out. The first line may hold names. Cells are parted by tabs, semicolons,
    commas or white space, whichever the first line has; beside tabs or semicolons, numbers may have
    a decimal comma.

    Parameters
    ----------
    column : str or int, optional
        The column by name or number from 0; needed where lines have more cells than one.
    source : str
        What messages call the input.

    Examples
    --------
    >>> text = TextPortions()
    >>> [text.push(b"0.5\n1.").tolist(), text.push(b"5\n\n").tolist()]
    [[0.5], [1.5, nan]]
    """

    def __init__(self, column: str | int | None = None, *, source: str = "standard input") -> None:
        self._column, self._source = column, source
        self._index = column if isinstance(column, int) else 0
        self._separator: str | None = None
        self._rest = b""
        self._line = 0  # lines read so far

    def push(self, data: bytes) -> NDArray[np.float64]:
        """Take the next bytes, and give the samples of the lines that they complete.

        Raises
        ------
        RecordingError
            If a line holds no number, or there is no such column.
        """
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            line = self._line + 1 + (whole + newline).count(b"\n")
            msg = f"{self._source}, line {line}: no line break within {LONGEST_LINE:,} bytes; "
            raise RecordingError(msg + "if it is no text, say --dtype")
        self._rest = rest
        return self._read(whole + newline) if newline else np.empty(0)

    def finish(self) -> NDArray[np.float64]:
        """Give the sample of the last line, where it has no line break."""
        rest, self._rest = self._rest, b""
        return self._read(rest + b"\n") if rest else np.empty(0)

    def _read(self, block: bytes) -> NDArray[np.float64]:
        block = block.replace(b"\r\n", b"\n")
        if self._line == 0:
            block = block.removeprefix(b"\xef\xbb\xbf")
        if self._column is None and not block.translate(None, _PLAIN) and self._line:
            lines = block.split(b"\n")[:-1]
            try:
                values = np.array([line or b"nan" for line in lines]).astype(np.float64)
            except ValueError:
                pass  # said better line by line
            else:
                self._line += len(lines)
                return values
        samples = []
        for line in block.decode(errors="replace").split("\n")[:-1]:
            self._line += 1
            value = self._sample(line.rstrip("\r"))
            if value is not None:
                samples.append(value)
        return np.array(samples, dtype=np.float64)

    def _sample(self, line: str) -> float | None:
        if COMMENT.match(line):
            return None
        if not line.strip():
            return float("nan")
        if self._separator is None:
            self._separator = next((mark for mark in "\t;," if mark in line), " ")
            if self._is_header(self._cells(line)):
                return None
        row = self._cells(line)
        if self._column is None and len(row) > 1:
            msg = f"line {self._line} has {len(row)} cells; say with --column which is the lead"
            raise RecordingError(f"{self._source}, {msg}")
        if self._index >= len(row):
            msg = f"line {self._line} has {len(row)} cells, and so no column {self._index}"
            raise RecordingError(f"{self._source}, {msg} (counted from 0); correct it or --column")
        return self._number(row[self._index])

    def _cells(self, line: str) -> list[str]:
        separator = self._separator or " "
        return cells(unquoted(line.encode(), separator).decode(), separator)

    def _is_header(self, row: list[str]) -> bool:
        """Whether the first line holds names; then the column's is found."""
        if isinstance(self._column, str):
            if self._column not in row:
                msg = f"{self._source} has no column {self._column!r}; its first line has "
                raise RecordingError(msg + ", ".join(repr(name[:30]) for name in row[:20]))
            self._index = row.index(self._column)
            return True
        cell = row[self._index] if self._index < len(row) else ""
        return cell.lower() not in MISSING and _NAME.match(cell) is not None

    def _number(self, cell: str) -> float:
        if NUMBER.fullmatch(cell) and ("," not in cell or self._separator in ("\t", ";")):
            return float(cell.replace(",", "."))
        if cell.lower() in MISSING or INFINITE.fullmatch(cell):
            return float("nan")
        msg = f"{self._source}, line {self._line}: {cell[:20]!r} is no number; correct it, or "
        raise RecordingError(msg + "leave the line or cell empty if the sample is missing")


class RawPortions:
    r"""Read raw little-endian samples.

    Parameters
    ----------
    dtype : {"int16", "float32"}
        Kind of number.
    source : str
        What messages call the input.

    Raises
    ------
    RecordingError
        If there is no such kind.

    Examples
    --------
    >>> raw = RawPortions("int16")
    >>> [raw.push(b"\x01").tolist(), raw.push(b"\x00\xff\xff").tolist()]
    [[], [1.0, -1.0]]
    """

    def __init__(self, dtype: str, *, source: str = "standard input") -> None:
        if dtype not in DTYPES:
            msg = f"dtype {dtype!r} is not known; expected {' or '.join(DTYPES)}, or none for text"
            raise RecordingError(msg)
        self._dtype, self._name, self._source = np.dtype(DTYPES[dtype]), dtype, source
        self._rest = b""

    def push(self, data: bytes) -> NDArray[np.float64]:
        """Take the next bytes, and give the samples that they complete."""
        data = self._rest + data
        whole = len(data) // self._dtype.itemsize * self._dtype.itemsize
        self._rest = data[whole:]
        values = np.frombuffer(data[:whole], dtype=self._dtype).astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return values

    def finish(self) -> NDArray[np.float64]:
        """Say that no more bytes will come.

        Raises
        ------
        RecordingError
            If they end within a sample.
        """
        if self._rest:
            msg = f"{self._source} ends within a sample of {self._name} ({len(self._rest)} of "
            raise RecordingError(f"{msg}{self._dtype.itemsize} bytes); is that its --dtype?")
        return np.empty(0)
