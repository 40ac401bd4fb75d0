"""How a table is written: separator, first row, names and kinds of its columns.

Found by trying every separator on the first lines. The right one is that under which most lines
are rows of numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.clock import has_clock, is_time_text
from ectopy.readers.columns import PATIENT_WORDS, Column
from ectopy.readers.text_cells import INFINITE, MISSING, NUMBER, cells, is_skipped, unquoted
from ectopy.readers.text_facts import COMMENT, read_facts
from ectopy.readers.times import is_count_name, is_time_name, words
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.readers.columns import Kind
    from ectopy.readers.text_facts import Facts

_SEPARATORS = (";", "\t", "|", ",", " ", "")
_LINES = 2000  # looked at
_MOST_COLUMNS = 256
_TIME_UNITS = {
    "s",
    "sec",
    "seconds",
    "ms",
    "us",
    "ns",
    "hh:mm:ss.mmm",
    "hh:mm:ss",
    "samples",
    "bpm",
}
_LONGEST_LABEL = 100  # characters
# Rows with a number and a word that make a table; lines before a table may have both, too.
_LABELLED_ROWS = 3


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    separator : str
        Between cells; " " is any white space, and "" parts nothing.
    columns : tuple of Column
        Of the whole table.
    first : int
        Index of the line that is the first row.
    rows : list of list of str
        Cells of the first rows.
    """

    separator: str
    columns: tuple[Column, ...]
    first: int
    rows: list[list[str]]

    def numbers(self, column: int) -> NDArray[np.float64]:
        """First numbers of a column; those that are missing or no numbers are left out."""
        found = [row[column] for row in self.rows if NUMBER.fullmatch(row[column])]
        values = [float(cell.replace(",", ".")) for cell in found]
        return np.array([value for value in values if isfinite(value)])

    def is_steady(self, column: int) -> bool:
        """Whether most cells of a column differ from the one above, in the first rows."""
        pairs = list(pairwise(row[column] for row in self.rows))
        return sum(above != below for above, below in pairs) > len(pairs) / 2


def find_layout(file: str, text: str, *, whole: bool) -> tuple[Layout, Facts]:
    r"""Find how a table is written, and what the lines before it say.

    Parameters
    ----------
    file : str
        For messages.
    text : str
        The beginning of the file, with ``\n`` between lines.
    whole : bool
        Whether that is all of it.

    Raises
    ------
    RecordingError
        If there are no rows of numbers, or a row is as long as a recording.
    """
    lines = text.split("\n")
    lines = lines[:_LINES] if whole else lines[: min(_LINES, max(1, len(lines) - 1))]
    tables = {separator: _Table.of(text, len(lines), separator) for separator in _SEPARATORS}
    best = max(tables.values(), key=lambda table: table.score)
    if not best.score[1]:
        msg = f"{file} has no rows of numbers; expected a table with a row a sample"
        raise RecordingError(msg)
    if best.separator in (",", ""):
        facts = read_facts(lines[: tables[""].first()])
        best = _one_or_two(tables[","], tables[""], best, facts)
    if best.width > _MOST_COLUMNS:
        msg = (
            f"{file} has rows of {best.width} cells; expected a row a sample and at most "
            f"{_MOST_COLUMNS} columns: transpose it"
        )
        raise RecordingError(msg)
    first = best.first()
    named = best.header(file, first, read_facts(lines[:first]), lines)
    facts = read_facts(["" if i in named.lines else line for i, line in enumerate(lines[:first])])
    columns = tuple(
        Column(label[:_LONGEST_LABEL], kind, unit)
        for label, kind, unit in zip(named.labels, best.kinds(), named.units, strict=True)
    )
    rows = [row for row in best.rows[first:] if len(row) == best.width]
    return Layout(best.separator, columns, first, rows), facts


@dataclass(frozen=True)
class _Table:
    """Lines as cells under one separator; lines that are skipped have none."""

    separator: str
    rows: list[list[str]]
    width: int
    score: tuple[int, int, int]

    @classmethod
    def of(cls, text: str, n_lines: int, separator: str) -> _Table:
        lines = unquoted(text.encode(), separator).decode().split("\n")[:n_lines]
        rows = [[] if is_skipped(line, separator) else cells(line, separator) for line in lines]
        kinds = [[_kind(cell) for cell in row] for row in rows]
        good = Counter(len(k) for k in kinds if "n" in k and "w" not in k)
        fair = Counter(len(k) for k in kinds if "n" in k)
        # Without a row of numbers alone, a column of labels may stand beside them.
        if (not good and max(fair.values(), default=0) < _LABELLED_ROWS) or (
            separator and max(fair, default=0) < 2
        ):
            return cls(separator, rows, 0, (0, 0, 0))
        width = max(good or fair, key=lambda n: (good[n], fair[n], n))
        n_cells = sum(sum(k != "w" for k in row) for row in kinds if len(row) == width)
        return cls(separator, rows, width, (good[width], fair[width], n_cells))

    def _is_row(self, row: list[str], kinds: Sequence[Kind]) -> bool:
        found = [_kind(cell) for cell in row]
        return (
            len(row) == self.width
            and "n" in found
            and all(
                kind == "text" or own == "m" or own == ("t" if kind in ("time", "date") else "n")
                for kind, own in zip(kinds, found, strict=True)
            )
        )

    def kinds(self) -> list[Kind]:
        """Tell what most cells of each column are, in rows with a number."""
        rows = [[_kind(cell) for cell in row] for row in self.rows if len(row) == self.width]
        rows = [row for row in rows if "n" in row]
        kinds: list[Kind] = []
        for number in range(self.width):
            count = Counter(row[number] for row in rows)
            if count["w"] > count["n"] + count["t"]:
                kinds.append("text")
            elif count["t"] > count["n"]:
                timed = any(has_clock(row[number]) for row in self.rows if len(row) == self.width)
                kinds.append("time" if timed else "date")
            else:
                kinds.append("number" if count["n"] else "empty")
        return kinds

    def first(self) -> int:
        """Index of the first row, after all names."""
        kinds = self.kinds()
        rows = [index for index, row in enumerate(self.rows) if self._is_row(row, kinds)]
        numbered = [str(number) for number in range(self.width)]
        if self.width > 2 and len(rows) > 1 and self.rows[rows[0]] == numbered:
            # The numbers of the columns are names, if the row below is of fractions.
            names = all("." in cell or "," in cell for cell in self.rows[rows[1]])
            return rows[names]
        return rows[0] if rows else len(self.rows)

    def header(self, file: str, first: int, facts: Facts, lines: Sequence[str]) -> _Header:
        """Labels and units of the columns, from the lines before the first row."""
        nothing = _Header([""] * self.width, [None] * self.width, frozenset())
        above = [i for i in range(first) if self.rows[i]]
        if not above or any(line.strip() for line in lines[above[-1] + 1 : first]):
            return self._commented(first, lines) or nothing
        row = self._fitted(self._joined(above[-1], lines))
        if row is None or self._tells_a_fact(row, told=above[-1] in facts.lines):
            return nothing
        kinds = [_kind(cell) for cell in row]
        if kinds[0] in "nt" and "w" in kinds:
            column = kinds.index("w")
            msg = (
                f"{file}, line {above[-1] + 1}, column {column + 1}: {row[column][:20]!r} is no "
                "number; correct it, or leave the cell empty if the sample is missing"
            )
            raise RecordingError(msg)
        if "t" in kinds or ("n" in kinds and "w" in kinds and not _is_known(row[0])):
            return nothing
        if len(above) > 1 and all(_is_unit(cell) for cell in row):
            names = self._fitted(self.rows[above[-2]])
            if names is not None and not self._tells_a_fact(names, told=False):
                return _Header(names, [cell or None for cell in row], frozenset(above[-2:]))
        return _Header(row, nothing.units, frozenset(above[-1:]))

    def _fitted(self, row: list[str]) -> list[str] | None:
        """Make a row of names as long as the rows of numbers, if it can be."""
        while len(row) > self.width and not row[-1]:
            row = row[:-1]
        missing = self.width - len(row)
        if missing < 0 or missing > 1 or (missing and self.width < 3):
            return None
        return row + [""] * missing

    def _tells_a_fact(self, row: list[str], *, told: bool) -> bool:
        """Whether a line is no header but says something of recording or patient."""
        if self.width == 1:
            # A line of several words above a single column may be a title, or the patient's name.
            return (
                told
                or any(char in row[0] for char in ",;:=\t|")
                or not PATIENT_WORDS.isdisjoint(words(row[0]))
                or (len(row[0].split()) > 1 and not _is_known(row[0]))
            )
        if not PATIENT_WORDS.isdisjoint(words(row[0])):
            return self.width == 2 or not any(_is_known(cell) for cell in row[1:])
        return told and not _is_known(row[0])

    def _joined(self, index: int, lines: Sequence[str]) -> list[str]:
        """Cells of a line of names; between white space, a unit in brackets belongs to its name."""
        if self.separator != " ":
            return self.rows[index]
        line = re.sub(r"(?<!\s)\s+(?=[\[(])", "", lines[index])
        return cells(unquoted(line.encode(), " ").decode(), " ")

    def _commented(self, first: int, lines: Sequence[str]) -> _Header | None:
        """Names in a comment right before the first row, as NumPy writes them."""
        index = max((i for i in range(first) if lines[i].strip()), default=0)
        if COMMENT.match(lines[index]) is None:
            return None
        line = COMMENT.sub("", lines[index], count=1).lstrip("#%/ ")
        row = cells(unquoted(line.encode(), self.separator).decode(), self.separator)
        if len(row) != self.width or self._tells_a_fact(row, told=False):
            return None
        if self.width == 1 and not Column(row[0], "number").is_named_as_lead:
            return None  # a word of comment
        if any(_kind(cell) not in "wm" for cell in row):
            return None
        return _Header(row, [None] * self.width, frozenset([index]))


class _Header(NamedTuple):
    labels: list[str]
    units: list[str | None]
    lines: frozenset[int]


def _kind(cell: str) -> str:
    """Tell what a cell is: "n" a number, "m" missing, "t" a date or clock, "w" a word."""
    if NUMBER.fullmatch(cell):
        return "n"
    if cell.lower() in MISSING or INFINITE.fullmatch(cell):
        return "m"
    return "t" if is_time_text(cell) else "w"


def _is_known(cell: str) -> bool:
    """Whether a cell is the name of a time, a number of samples or a lead."""
    name = cell[:_LONGEST_LABEL]
    return is_time_name(name) or is_count_name(name) or Column(name, "text").looks_like_a_lead


def _is_unit(cell: str) -> bool:
    low = cell.lower().strip("[]()")
    return mv_per_unit(low) is not None or not low or low in _TIME_UNITS


def _one_or_two(two: _Table, one: _Table, best: _Table, facts: Facts) -> _Table:
    """Decide what `0,5` is: two cells, or one number with a decimal comma."""
    if two.width != 2 or not one.score[0]:
        return best
    last = max((i for i in range(one.first()) if two.rows[i]), default=None)
    if last is not None and len(two.rows[last]) == 2 and last not in facts.lines:
        return two
    if facts.is_export:
        return one
    pairs = [row for row in two.rows[one.first() :] if len(row) == 2]
    firsts = [row[0] for row in pairs]
    if any(not NUMBER.fullmatch(cell) or "." in cell for cell in firsts):
        return two
    if any(not row[1].isdecimal() for row in pairs):
        return two
    steps = np.diff([float(cell) for cell in firsts])
    if len(steps) > 1 and steps[0] > 0 and (steps == steps[0]).all():
        return two
    zero = any(len(row[1]) > 1 and row[1].startswith("0") for row in pairs)
    return one if zero or "-0" in firsts else two
