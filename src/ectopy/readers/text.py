"""Read tables of samples as text: CSV and its relatives.

How a table is written (encoding, separator, decimal mark, names, units, times) is found from its
first lines; see `text_layout`. The whole file is read once, in blocks, because text cannot be read
from the middle; its samples then lie in a temporary file (see `spool`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.clock import Clock, date_of
from ectopy.readers.columns import choose_leads, find_time
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.grid import Gaps, Grid
from ectopy.readers.options import (
    Rate,
    check_plausible,
    given_fs,
    refuse_whole,
    settle_fs,
    settle_units,
)
from ectopy.readers.source import unique_names
from ectopy.readers.spool import Spool, SpooledSource
from ectopy.readers.text_bytes import blocks, is_text, read_head
from ectopy.readers.text_cells import Cells
from ectopy.readers.text_layout import find_layout
from ectopy.readers.times import Scale, is_count_name, scale_of
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from os import PathLike

    from ectopy.readers.text_facts import Facts
    from ectopy.readers.text_layout import Layout

__all__ = ["is_text", "open_text"]

# Where nothing names the columns, so many rows must rise evenly for a column to be the time.
_EVEN_ROWS = 8


def open_text(
    path: str | PathLike[str],
    *,
    fs: float | None = None,
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
) -> SpooledSource:
    """Open a table of samples as text, a row a sample.

    Understood as they are: UTF-8, UTF-16 and Latin-1; commas, semicolons, tabs, bars and spaces
    between cells; decimal points and commas; names above the columns, with units (`ECG [mV]`,
    `ecg_uV`, a line of units); lines of comment; a column of times or of sample numbers; exports
    of ECG from an Apple Watch; tables of PhysioNet. Empty cells, `nan`, `NA` and `-` are missing
    samples. Columns that are neither called like leads nor given in a unit of voltage are left out
    where others are.

    Steps in the times that are whole multiples of the sampling interval are gaps, of missing
    samples; they may add up to a day.

    Parameters
    ----------
    path : path
        The file.
    fs : float, optional
        Sampling frequency in Hz, where the file does not say it.
    unit : str or float, optional
        "mV", "uV", "V" or the ADC counts per mV, where the file does not say it. Without either,
        numbers with fractions are mV if their size makes that plausible.
    columns : sequence of str or int, optional
        The columns that are leads, by name or number from 0.

    Returns
    -------
    SpooledSource
        The start of the recording is where date-times, an epoch (in UTC then) or the lines before
        the table say it. Patient's name and birth date are not kept.

    Raises
    ------
    RecordingError
        If the file cannot be read or is no table of numbers, a row is damaged, times are irregular,
        sampling frequency or unit are missing or contradict each other.
    UnsupportedFormat
        If it holds no text.
    LeadNotFound
        If there is no column of a name or number in `columns`.

    Examples
    --------
    >>> source = open_text("holter.csv", fs=250, unit="uV")  # doctest: +SKIP
    >>> source.leads, source.read(0, 1000).shape  # doctest: +SKIP
    (('II', 'V5'), (1000, 2))
    """
    path = Path(path)
    with clear_errors(path):
        return _Reading(path, given_fs(fs), unit, columns).source()


class _Reading:
    """One pass over a file."""

    def __init__(
        self,
        path: Path,
        fs: float | None,
        unit: str | float | None,
        wanted: Sequence[str | int] | None,
    ) -> None:
        self._path, self._file, self._fs = path, path.name, fs
        text, whole = read_head(path)
        self._layout: Layout
        self._facts: Facts
        self._layout, self._facts = find_layout(self._file, text, whole=whole)
        columns = self._layout.columns
        self._time = find_time(columns, self._layout.is_steady)
        if self._time is None:
            self._time = _even_time(self._layout)
        self._leads = choose_leads(self._file, columns, wanted, self._time)
        if self._time in self._leads:
            self._time = None
        self._times = self._read_as()
        if self._times is None or (isinstance(self._times, Scale) and self._times.counts):
            settle_fs(self._file, fs, self._stated())  # which need not wait for the last row
        self._names = self._lead_names()
        self._mv = settle_units(self._file, unit, self._names, self._units())
        self._whole = True  # as long as no number has a fraction
        self._start: datetime | None = self._facts.start
        self._notes = dict(self._facts.notes)

    def source(self) -> SpooledSource:
        with Spool(len(self._leads)) as spool:
            rate, gaps = self._fill(spool)
            rows = spool.rows()
        n_samples = len(rows) + gaps.total
        if len(rows) < 2:
            msg = f"{self._file} holds {len(rows)} row of samples; a recording has thousands"
            raise RecordingError(msg)
        source = SpooledSource(
            name=self._path.stem,
            fs=settle_fs(self._file, self._fs, [*self._stated(), *([rate] if rate else [])]),
            leads=self._names,
            n_samples=n_samples,
            start=self._start,
            notes=self._notes,
            rows=rows,
            gaps=gaps,
        )
        unknown = [number for number, factor in enumerate(self._mv) if factor is None]
        if unknown:
            refuse_whole(self._file, self._mv, [self._whole] * len(self._mv))
            check_plausible(source, unknown, self._file)
        return source

    def _lead_names(self) -> tuple[str, ...]:
        names = [self._layout.columns[number].parts[0] for number in self._leads]
        if len(names) == 1 and not names[0]:
            names = [self._facts.lead or ""]
        return unique_names(names)

    def _units(self) -> list[float | None]:
        """Millivolts per unit of each lead, as far as the file says."""
        own = [self._layout.columns[number].mv_per_unit for number in self._leads]
        stated = mv_per_unit(self._facts.unit or "")
        return [stated if factor is None else factor for factor in own]

    def _stated(self) -> list[Rate]:
        return [Rate(self._facts.fs, "in its header")] if self._facts.fs else []

    def _fill(self, spool: Spool) -> tuple[Rate | None, Gaps]:
        """Read all rows."""
        times = self._times
        numbers = [*self._leads]
        text = None
        if isinstance(times, Clock):
            text = self._time
        elif times is not None and self._time is not None:
            numbers.append(self._time)
        cells = Cells(
            self._file, self._layout.separator, len(self._layout.columns), tuple(numbers), text
        )
        factors = np.array([1.0 if factor is None else factor for factor in self._mv])
        known_fs = self._fs or self._facts.fs
        grid = Grid(self._file, known_fs, counts=isinstance(times, Scale) and times.counts)
        first = True
        for line, block in self._rows():
            values, stamps = cells.read(block, line)
            where = _where(cells, block, line)
            if isinstance(times, Clock):
                grid.feed(times.read(stamps, where), where)
            elif times is not None and len(values):
                grid.feed(values[:, -1] * times.seconds_per, where)
            if first and len(values):
                self._open(times, values[0, -1])
                first = False
            own = values[:, : len(self._leads)]
            self._whole &= bool(np.all((own == np.rint(own)) | ~np.isfinite(own)))
            rows = own * factors
            rows[~np.isfinite(rows)] = np.nan
            with np.errstate(over="ignore"):
                spool.add(rows.astype(np.float32))
        return grid.finish()

    def _read_as(self) -> Clock | Scale | None:
        """How the column of times is read, if there is one."""
        if self._time is None:
            return None
        column = self._layout.columns[self._time]
        if column.kind == "time":
            days = (number for number, c in enumerate(self._layout.columns) if c.kind == "date")
            day = next(days, None)
            return Clock(self._file, None if day is None else date_of(self._layout.rows[0][day]))
        name, unit = column.parts
        values = self._layout.numbers(self._time)
        named = any(other.label for other in self._layout.columns)
        if named and is_count_name(column.label) and not (np.diff(values) == 1).any():
            return None  # it numbers something else
        return scale_of(self._file, name, unit, values, self._fs or self._facts.fs)

    def _open(self, times: Clock | Scale | None, first: float) -> None:
        """Keep start and zone, which the first row may tell."""
        if isinstance(times, Clock):
            self._start = times.start or self._start
            if times.zone:
                self._notes["utc offset"] = times.zone
        elif isinstance(times, Scale) and (start := times.start(first)):
            self._start = start
            self._notes["utc offset"] = "+00:00"

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        """Blocks of the file from the first row on."""
        for line, block in blocks(self._path):
            skipped = self._layout.first + 1 - line
            if skipped > 0:
                lines = block.split(b"\n", skipped)
                if len(lines) <= skipped:
                    continue
                yield line + skipped, lines[-1]
            else:
                yield line, block


def _where(cells: Cells, block: bytes, line: int) -> Callable[[int], str]:
    return lambda row: f"line {cells.row_line(block, line, row)}"


def _even_time(layout: Layout) -> int | None:
    """Give the number of the first column if it rises evenly, as times do and ECG never does."""
    if len(layout.columns) < 2 or any(column.label for column in layout.columns):
        return None
    values = layout.numbers(0)
    if layout.columns[0].kind != "number" or len(values) < max(_EVEN_ROWS, len(layout.rows) - 1):
        return None
    steps = np.diff(values)
    middle = float(np.median(steps))
    # What is rounded to milliseconds rises unevenly, but it rises.
    even = np.abs(steps - middle) <= max(0.5 * middle, 0.0)
    return 0 if middle > 0 and (steps > 0).all() and even.mean() >= 0.9 else None
