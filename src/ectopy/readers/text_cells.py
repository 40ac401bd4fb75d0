"""Lines of a table to numbers: a fast way for blocks without surprises, and a slow one for others.

The slow one decides what is a number and names what is not; the fast one only takes blocks that
both read alike.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.text_facts import COMMENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = {"", "nan", "-nan", "na", "n/a", "null", "none", "-", "--", "?"}
"""Cells of missing samples, in small letters."""

_SPELLED = sorted({form for m in MISSING for form in (m, m.upper(), m.title(), m.capitalize())})
_SPELLED += ["NaN"]
NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
"""A number with a point or a comma."""

INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
"""An infinite number, which stands for a missing sample as well."""

# What the fast parser takes for numbers against all sense, or crashes on: huge exponents, spaces
# after the e, truth values.
_ODD = (b"\x1f", b"rue", b"RUE", b"alse", b"ALSE")
_ODD_EXPONENT = re.compile(rb"[\d.,][eE][+-]?(?:\d{5}|[^+\-\d])")

_QUOTED = re.compile(rb'"([^"\n]*)"')
_SINGLE = re.compile(rb"'([^'\n]*)'")
_COMMENT_LINE = re.compile(rb"^[ \t]*(?:#|%|//)[^\n]*\n?", re.MULTILINE)


def unquoted(block: bytes, separator: str) -> bytes:
    """Take quotation marks off; a separator within them becomes a point or an underscore.

    That makes `"0,5","0,6"` the numbers 0.5 and 0.6.
    """
    inner = b"_" if separator == " " else b"."
    for mark, pattern in ((b'"', _QUOTED), (b"'", _SINGLE)):
        if mark not in block:
            continue
        if separator:
            block = pattern.sub(
                lambda found: found[1].strip().replace(separator.encode(), inner), block
            )
        block = block.replace(mark, b"")
    return block


def cells(line: str, separator: str) -> list[str]:
    """Part a line without quotation marks; " " is any white space and "" parts nothing."""
    if separator == " ":
        return line.split()
    return [cell.strip() for cell in line.split(separator)] if separator else [line.strip()]


def is_skipped(line: str, separator: str) -> bool:
    """Whether a line is blank or a comment; one of tabs alone may be a row without samples."""
    return not line.strip(" " if separator == "\t" else None) or COMMENT.match(line) is not None


@dataclass
class Cells:
    """Reads blocks of lines.

    Attributes
    ----------
    file : str
        For messages.
    separator : str
        Between cells, as for `cells`.
    n_columns : int
        Cells in each line.
    numbers : tuple of int
        Columns whose numbers are wanted.
    text : int, optional
        A column whose text is wanted.
    decimal : str
        "." or ","; empty as long as no number had either.
    """

    file: str
    separator: str
    n_columns: int
    numbers: tuple[int, ...]
    text: int | None = None
    decimal: str = ""

    def read(self, block: bytes, line: int) -> tuple[NDArray[np.float64], list[str]]:
        """Read a block.

        Parameters
        ----------
        block : bytes
            Whole lines in UTF-8.
        line : int
            Number of its first line in the file.

        Returns
        -------
        values : ndarray of float64, shape (rows, numbers)
            NaN where a cell says that there is none.
        text : list of str
            Cells of the column `text`; empty where none is wanted.

        Raises
        ------
        RecordingError
            If a line has more or fewer cells, or a word where a number belongs.
        """
        block = unquoted(block, self.separator)
        for decimal in (self.decimal,) if self.decimal else (".", ","):
            found = None if decimal == self.separator else self._fast(block, decimal)
            if found is not None:
                if not self.decimal and self.text is None and decimal.encode() in block:
                    self.decimal = decimal
                return found
        return self._slow(block, line)

    def row_line(self, block: bytes, line: int, row: int) -> int:
        """Line in the file of a row of a block that begins at `line`."""
        for number, text in enumerate(block.decode(errors="replace").split("\n"), start=line):
            if not is_skipped(text, self.separator):
                row -= 1
                if row < 0:
                    return number
        return line

    def _fast(self, block: bytes, decimal: str) -> tuple[NDArray[np.float64], list[str]] | None:
        import pandas as pd

        if any(mark in block for mark in (b"#", b"%", b"//")):
            block = _COMMENT_LINE.sub(b"", block)
        odd = any(mark in block for mark in _ODD) or (
            (b"e" in block or b"E" in block) and _ODD_EXPONENT.search(block)
        )
        n_rows = 0 if odd else self._even_rows(block)
        if not n_rows:
            return None
        kinds: dict[int, type] = dict.fromkeys(self.numbers, np.float64)
        if self.text is not None:
            kinds[self.text] = str
        try:
            table = pd.read_csv(
                io.BytesIO(block),
                sep={" ": r"\s+", "": "\x1f"}.get(self.separator, self.separator),
                header=None,
                usecols=sorted(kinds),
                dtype=kinds,
                decimal=decimal,
                na_values=_SPELLED,
                keep_default_na=False,
                skipinitialspace=True,
                quoting=3,  # none
                low_memory=False,
                encoding_errors="replace",
            )
        except (ValueError, OverflowError):  # a word, and what pandas makes of odd files
            return None
        if len(table) != n_rows:
            return None
        values = np.empty((n_rows, len(self.numbers)))
        for place, column in enumerate(self.numbers):
            values[:, place] = table[column].to_numpy()
        text = [] if self.text is None else table[self.text].tolist()
        if any(not isinstance(cell, str) for cell in text):
            return None
        return values, [cell.strip() for cell in text]

    def _even_rows(self, block: bytes) -> int:
        """Count the rows if all have the right number of cells, else 0."""
        chars = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(chars == 10)
        if not len(ends):
            return 0
        starts = np.concatenate([[0], ends[:-1] + 1])
        filled = ends > starts
        starts, ends = starts[filled], ends[filled]
        if self.separator == " ":
            spaces = chars <= 32
            marks = np.flatnonzero(~spaces & np.concatenate([[True], spaces[:-1]]))
            each = self.n_columns
        else:
            marks = np.flatnonzero(chars == ord(self.separator)) if self.separator else starts[:0]
            each = self.n_columns - 1
        if len(marks) != each * len(starts):
            return 0
        if each:
            table = marks.reshape(-1, each)
            if (table[:, 0] < starts).any() or (table[:, -1] >= ends).any():
                return 0
        return len(starts)

    def _slow(self, block: bytes, line: int) -> tuple[NDArray[np.float64], list[str]]:
        rows: list[list[float]] = []
        texts: list[str] = []
        for number, raw in enumerate(block.decode(errors="replace").split("\n"), start=line):
            if is_skipped(raw, self.separator):
                continue
            row = cells(raw, self.separator)
            if len(row) != self.n_columns:
                self._ragged(row, number)
            rows.append([self._number(row[column], column, number) for column in self.numbers])
            if self.text is not None:
                texts.append(row[self.text])
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.numbers)), texts

    def _number(self, cell: str, column: int, line: int) -> float:
        if NUMBER.fullmatch(cell):
            if not self.decimal and ("," in cell or "." in cell):
                self.decimal = "," if "," in cell else "."
            other = "." if self.decimal == "," else ","
            if other not in cell:
                return float(cell.replace(",", "."))
        elif cell.lower() in MISSING:
            return float("nan")
        elif INFINITE.fullmatch(cell):
            return float(cell)
        msg = (
            f"{self.file}, line {line}, column {column + 1}: {cell[:20]!r} is no number; correct "
            "it, or leave the cell empty if the sample is missing"
        )
        raise RecordingError(msg)

    def _ragged(self, row: list[str], line: int) -> NoReturn:
        msg = (
            f"{self.file}, line {line} has {len(row)} cells where {self.n_columns} are expected; "
            "correct it, or get the file again if it is cut short"
        )
        raise RecordingError(msg)
