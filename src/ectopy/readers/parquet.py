"""Read recordings from Parquet files: a row a sample, a column a lead.

Opening reads the times, if there are any, and little else; row groups are read when a part of them
is asked for, and the last are kept in a temporary file. Needs pyarrow. Format: https://parquet.apache.org.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.clock import Clock
from ectopy.readers.columns import choose_leads, find_time
from ectopy.readers.grid import Gaps, Grid
from ectopy.readers.limits import MOST_LEADS
from ectopy.readers.options import (
    Rate,
    check_plausible,
    given_fs,
    rate_said,
    refuse_whole,
    settle_fs,
    settle_units,
    start_said,
    unit_said,
)
from ectopy.readers.parquet_file import (
    batches,
    describe,
    named_errors,
    numbers,
    seconds,
    wall_clock,
)
from ectopy.readers.source import Source, unique_names
from ectopy.readers.spool import Spool
from ectopy.readers.times import Scale, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from os import PathLike

    from numpy.typing import NDArray

    from ectopy.readers.parquet_file import Described

_MAGIC = b"PAR1"
_BLOCK_ROWS = 200_000
_MOST_VALUES = 500_000_000  # of the leads in a row group, which is kept


def is_parquet(head: bytes) -> bool:
    """Whether the first bytes of a file are those of Parquet, and not of a text that has them."""
    behind = head[4:64]
    binary = any(byte < 32 and byte not in b"\t\n\f\r" for byte in behind)
    return head.startswith(_MAGIC) and (binary or not behind)


@dataclass(frozen=True, eq=False)
class ParquetSource(Source):
    """A recording in a Parquet file.

    Attributes
    ----------
    path : Path
        The file.
    taken : tuple of int
        Its columns that are leads.
    mv_per_unit : tuple of float
        Millivolts per unit of each lead.
    starts : tuple of int
        First row of each block of row groups, and the number of rows.
    groups : tuple of int
        First row group of each block, and the number of row groups.
    gaps : Gaps
        Samples that are missing between rows.
    """

    path: Path = field(default_factory=Path, repr=False)
    taken: tuple[int, ...] = ()
    mv_per_unit: tuple[float, ...] = ()
    starts: tuple[int, ...] = field(default=(0,), repr=False)
    groups: tuple[int, ...] = field(default=(0,), repr=False)
    gaps: Gaps = field(default_factory=Gaps, repr=False)
    _kept: dict[str, tuple[tuple[int, ...], NDArray[np.float32]]] = field(
        default_factory=dict, repr=False
    )

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        start, end = self.gaps.row_of(first), self.gaps.row_of(stop)
        rows = np.empty((end - start, len(columns)), dtype=np.float32)
        for block in range(bisect_right(self.starts, start) - 1, bisect_left(self.starts, end)):
            begin, after = self.starts[block : block + 2]
            low, high = max(start, begin), min(end, after)
            part = self._block(block, columns)
            rows[low - start : high - start] = part[low - begin : high - begin]
        return self.gaps.spread(rows, start, first, stop)

    def _block(self, block: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        """Rows of a block of row groups; the last one that was asked for is kept."""
        key = (block, *columns)
        kept = self._kept.get("last")
        if kept is not None and kept[0] == key:
            return kept[1]
        factors = [self.mv_per_unit[column] for column in columns]
        with named_errors(self.path), Spool(len(columns)) as spool:
            groups = range(*self.groups[block : block + 2])
            for batch in batches(self.path, [self.taken[column] for column in columns], groups):
                values = np.stack([numbers(own) for own in batch], axis=1) * factors
                with np.errstate(over="ignore"):
                    rows = values.astype(np.float32)
                rows[~np.isfinite(rows)] = np.nan
                spool.add(rows)
            if len(spool) != self.starts[block + 1] - self.starts[block]:
                msg = f"{self.path.name} is damaged: a row group lacks rows; get the file again"
                raise RecordingError(msg)
            self._kept["last"] = (key, spool.rows())
        return self._kept["last"][1]


def open_parquet(
    path: str | PathLike[str],
    *,
    fs: float | None = None,
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
) -> ParquetSource:
    """Open a recording in a Parquet file.

    Columns are named and chosen as in `open_text`. The metadata of the file may say the sampling
    frequency (`fs`, `sampling_rate`), the unit (`unit`) and the start (`start`, ISO 8601); so may
    the attributes that pandas keeps, and the metadata of a column its unit. A column of timestamps,
    or of times as `open_text` knows them, tells sampling frequency, start and gaps.

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
    ParquetSource

    Raises
    ------
    RecordingError
        If the file is damaged, has no column of numbers, irregular times, or sampling frequency or
        unit are missing or contradict each other.
    UnsupportedFormat
        If it is no Parquet file.
    LeadNotFound
        If there is no column of a name or number in `columns`.
    MissingExtra
        If pyarrow is not installed.

    Examples
    --------
    >>> source = open_parquet("holter.parquet", fs=250, unit="uV")  # doctest: +SKIP
    """
    path = Path(path)
    given = given_fs(fs)
    with named_errors(path):
        with path.open("rb") as stream:
            head = stream.read(4)
        if not head:
            msg = f"{path.name} is empty; get the file again"
            raise RecordingError(msg)
        if not is_parquet(head):
            msg = f"{path.name} is no Parquet file; export it anew"
            raise UnsupportedFormat(msg)
        return _open(path, describe(path), given, unit, columns)


def _open(
    path: Path,
    described: Described,
    fs: float | None,
    unit: str | float | None,
    wanted: Sequence[str | int] | None,
) -> ParquetSource:
    file, table, starts = path.name, described.columns, described.starts
    time = find_time(table)
    leads = choose_leads(file, table, wanted, time)
    if len(leads) > MOST_LEADS:
        msg = f"{file} has {len(leads)} leads; expected at most {MOST_LEADS}, choose with --column"
        raise RecordingError(msg)
    if starts[-1] < 2:
        msg = f"{file} holds {starts[-1]} rows of samples; a recording has thousands"
        raise RecordingError(msg)
    largest = int(np.diff(starts).max())
    if largest * len(leads) > _MOST_VALUES:
        msg = f"{file} has a row group of {largest} rows; write it anew with smaller ones"
        raise RecordingError(msg)
    names = unique_names([table[number].parts[0] for number in leads])
    said = unit_said(file, described.said)
    own = [said if (known := table[n].mv_per_unit) is None else known for n in leads]
    factors = settle_units(file, unit, names, own)
    refuse_whole(file, factors, [described.is_whole(number) for number in leads])
    rates = [Rate(stated, "in its metadata")] if (stated := rate_said(file, described.said)) else []
    (start, notes), gaps = start_said(described.said), Gaps()
    if time is not None and time not in leads:
        times = _Times(path, described, time, fs or stated)
        rate, gaps = times.grid()
        if times.start is not None:
            start, notes = times.start, {"utc offset": times.offset} if times.offset else {}
        rates += [rate] if rate else []
    groups = _blocks(starts)
    source = ParquetSource(
        name=path.stem,
        fs=settle_fs(file, fs, rates),
        leads=names,
        n_samples=starts[-1] + gaps.total,
        start=start,
        notes=notes,
        path=path,
        taken=tuple(leads),
        mv_per_unit=tuple(1.0 if factor is None else factor for factor in factors),
        starts=tuple(starts[group] for group in groups),
        groups=groups,
        gaps=gaps,
    )
    unknown = [number for number, factor in enumerate(factors) if factor is None]
    if unknown:
        check_plausible(source, unknown, file)
    return source


def _blocks(starts: Sequence[int]) -> tuple[int, ...]:
    """First row group of each block that is read at once, and the number of row groups.

    Where row groups are small, a block is of several: opening a file takes as long as it has many.
    """
    firsts = [0]
    for group in range(1, len(starts) - 1):
        if starts[group] - starts[firsts[-1]] >= _BLOCK_ROWS:
            firsts.append(group)
    return (*firsts, len(starts) - 1)


class _Times:
    """Reads the column of times."""

    def __init__(self, path: Path, described: Described, column: int, fs: float | None) -> None:
        self._path, self._column, self._fs = path, column, fs
        self._name, self._unit = described.columns[column].parts
        self._type = described.types[column]
        self._kind = described.columns[column].kind
        self._clock = Clock(path.name)
        self._scale = Scale(1.0)
        self.start: datetime | None = None
        self.offset: str | None = None

    def grid(self) -> tuple[Rate | None, Gaps]:
        """Read all times, and find sampling frequency, start and gaps."""
        grid: Grid | None = None
        row = 0
        for (batch,) in batches(self._path, [self._column]):
            where = _row_after(row)
            times = self._read(batch, where, is_first=grid is None)
            if grid is None:
                grid = Grid(self._path.name, self._fs, counts=self._scale.counts)
            grid.feed(times, where)
            row += len(times)
        return grid.finish() if grid else (None, Gaps())

    def _read(
        self, batch: Any, where: Callable[[int], str], *, is_first: bool
    ) -> NDArray[np.float64]:
        """Read times in seconds, or in samples where they are counted."""
        if self._kind == "number":
            values = numbers(batch)
            if is_first:
                finite = values[np.isfinite(values)]
                file = self._path.name
                self._scale = scale_of(file, self._name, self._unit, finite, self._fs)
                self.start = self._scale.start(values[0]) if np.isfinite(values[0]) else None
                self.offset = "+00:00" if self.start else None
            return values * self._scale.seconds_per
        if hasattr(self._type, "unit"):
            values = seconds(batch)
            if is_first and np.isfinite(values[0]):
                self.start, self.offset = wall_clock(self._type, float(values[0]))
            return values
        values = self._clock.read([cell or "" for cell in batch.to_pylist()], where)
        self.start, self.offset = self._clock.start, self._clock.zone
        return values


def _row_after(rows: int) -> Callable[[int], str]:
    return lambda row: f"row {rows + row + 1}"
