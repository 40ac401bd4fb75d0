"""What pyarrow gives of a Parquet file, as plain numbers."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, BinaryIO
from zoneinfo import ZoneInfo

import numpy as np

from ectopy.errors import EctopyError, MissingExtra, RecordingError
from ectopy.readers.clock import has_clock, offset_text
from ectopy.readers.columns import Column
from ectopy.readers.options import UNIT_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.readers.columns import Kind

_BATCH_ROWS = 100_000
_BUFFER_BYTES = 1024 * 1024  # without it, whole columns of row groups are in memory
_LOOK_ROWS = 2_000
_MOST_COLUMNS = 4096
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn what pyarrow and the system say into one line.

    Raises
    ------
    RecordingError
        If the file cannot be read or is damaged.
    MissingExtra
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        msg = f"{path.name} needs {error.name}; install it with: pip install 'ectopy[parquet]'"
        raise MissingExtra(msg) from error
    try:
        yield
    except EctopyError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        msg = f"cannot read {path}: {error.strerror or error}; check the file and its permissions"
        raise RecordingError(msg) from error
    except MemoryError as error:
        msg = f"{path} does not fit into memory; write it anew with smaller row groups"
        raise RecordingError(msg) from error
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        msg = f"{path.name} is damaged or cut short; get the file again"
        raise RecordingError(msg) from error


@dataclass(frozen=True)
class Described:
    """What the end of a Parquet file says of it.

    Attributes
    ----------
    columns : tuple of Column
        Of the table.
    types : tuple
        Their types, as pyarrow has them.
    starts : tuple of int
        First row of each row group, and the number of rows.
    said : dict of str to str
        Metadata, its keys in small letters.
    """

    columns: tuple[Column, ...]
    types: tuple[Any, ...]
    starts: tuple[int, ...]
    said: dict[str, str]

    def is_whole(self, column: int) -> bool:
        """Whether a column holds whole numbers."""
        import pyarrow as pa

        return bool(pa.types.is_integer(self.types[column]))


def describe(path: Path) -> Described:
    """Read what a file says of itself, and its first rows to see what text columns hold.

    Raises
    ------
    RecordingError
        If it has far too many columns, or its row groups make no sense.
    """
    import pyarrow.parquet as pq

    with _opened(path) as stream, pq.ParquetFile(stream) as file:
        schema, metadata = file.schema_arrow, file.metadata
        if not 0 < len(schema) <= _MOST_COLUMNS:
            msg = f"{path.name} has {len(schema)} columns; expected one for each lead"
            raise RecordingError(msg)
        counts = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        if min(counts, default=0) < 0 or sum(counts) != metadata.num_rows:
            msg = f"{path.name} is damaged: its row groups do not add up; get the file again"
            raise RecordingError(msg)
    starts = (0, *np.cumsum(counts, dtype=np.int64).tolist())
    columns = []
    for number, entry in enumerate(schema):
        own = _said(entry.metadata or {})
        unit = next((own[key] for key in UNIT_KEYS if key in own), None)
        label = " ".join(entry.name[:100].split())
        columns.append(Column(label, _kind(path, number, entry.type, starts[-1]), unit))
    return Described(tuple(columns), tuple(schema.types), starts, _said(schema.metadata or {}))


def _opened(path: Path) -> BinaryIO:
    """Open a file for pyarrow, which by itself takes no name that is not UTF-8."""
    return path.open("rb")


def _said(metadata: dict[bytes, bytes]) -> dict[str, str]:
    """Metadata as text, with what pandas keeps as attributes of a table."""
    said = {
        key.decode(errors="replace").lower(): value.decode(errors="replace")
        for key, value in metadata.items()
    }
    try:
        attributes = json.loads(said.get("pandas_attrs", "{}"))
    except (ValueError, RecursionError):
        attributes = {}
    if isinstance(attributes, dict):
        said |= {str(key).lower(): str(value) for key, value in attributes.items()}
    return said


def _kind(path: Path, column: int, kind: Any, n_rows: int) -> Kind:
    import pyarrow as pa

    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_duration(kind):
        return "time"
    if types.is_date(kind):
        return "date"
    if n_rows and (types.is_string(kind) or types.is_large_string(kind)):
        (first,) = next(batches(path, [column], rows=_LOOK_ROWS))
        cells = [cell for cell in first.to_pylist() if cell]
        return "time" if cells and all(has_clock(cell) for cell in cells) else "text"
    return "text"


def batches(
    path: Path, columns: Sequence[int], groups: Sequence[int] | None = None, rows: int = _BATCH_ROWS
) -> Iterator[list[Any]]:
    """Read columns, some rows at a time, each as an array of pyarrow.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of int
        Numbers of the columns; their names may be alike.
    groups : sequence of int, optional
        Row groups; all of them unless given.
    rows : int
        Most rows at a time.
    """
    import pyarrow.parquet as pq

    with (
        _opened(path) as stream,
        pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, page_checksum_verification=True) as file,
    ):
        names = file.schema_arrow.names
        wanted = [names[column] for column in columns]
        # Of columns with one name, which one it is.
        ranks = [names[:column].count(names[column]) for column in columns]
        for batch in file.iter_batches(
            batch_size=rows,
            row_groups=None if groups is None else list(groups),
            columns=sorted(set(wanted)),
            use_threads=False,
        ):
            # Columns come in an order of their own.
            places: dict[str, list[int]] = {}
            for place, name in enumerate(batch.schema.names):
                places.setdefault(name, []).append(place)
            if any(len(places.get(name, ())) != names.count(name) for name in wanted):
                msg = f"{path.name} has columns that cannot be told apart; give each its own name"
                raise RecordingError(msg)
            yield [
                batch.column(places[name][rank]) for name, rank in zip(wanted, ranks, strict=True)
            ]


def numbers(array: Any) -> NDArray[np.float64]:
    """Numbers of an array of pyarrow; what is missing is NaN."""
    import pyarrow as pa

    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def seconds(array: Any) -> NDArray[np.float64]:
    """Timestamps or durations of pyarrow in seconds; what is missing is NaN."""
    import pyarrow as pa

    per = _PER_SECOND[array.type.unit]
    whole = array.cast(pa.int64())
    units = whole.fill_null(0).to_numpy(zero_copy_only=False)
    full, part = np.divmod(units, per)
    found = full + part / per
    found[whole.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return np.asarray(found)


def wall_clock(kind: Any, since_1970: float) -> tuple[datetime | None, str | None]:
    """Time on the clock and offset from UTC of a timestamp, where it is one.

    Parameters
    ----------
    kind
        Its type, as pyarrow has it.
    since_1970 : float
        In seconds.
    """
    import pyarrow as pa

    if not pa.types.is_timestamp(kind):
        return None, None
    try:
        moment = datetime(1970, 1, 1) + timedelta(microseconds=round(since_1970 * 1e6))
        if kind.tz is None:
            return moment, None
        local = moment.replace(tzinfo=UTC).astimezone(_zone(kind.tz))
    except OverflowError:
        return None, None
    return local.replace(tzinfo=None), offset_text(local.strftime("%z")[:5])


def _zone(name: str) -> tzinfo:
    """Find a zone by its name or offset; UTC where the system does not know it."""
    try:
        if name[:1] in "+-":
            hours, minutes = name[1:].split(":")
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return timezone(-offset if name[0] == "-" else offset)
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC
