"""Recordings in Parquet files, and files that are damaged or say too little."""

from __future__ import annotations

import io
import sys
import tracemalloc
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import check_parts, either_or, refusal

from ectopy.errors import LeadNotFound, MissingExtra, RecordingError, UnsupportedFormat
from ectopy.readers.parquet import is_parquet, open_parquet

if TYPE_CHECKING:
    from pathlib import Path

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N = 3000
SIGNAL = np.random.default_rng(1).normal(0, 0.4, (N, 2))
MV = SIGNAL.astype(np.float32)


@pytest.fixture
def write(tmp_path: Path):
    def written(
        columns: dict[str, Any], metadata: dict[str, str] | None = None, rows: int = 700
    ) -> Path:
        table = pa.table(columns).replace_schema_metadata(metadata)
        pq.write_table(table, tmp_path / "rec.parquet", row_group_size=rows)
        return tmp_path / "rec.parquet"

    return written


def leads(**more: Any) -> dict[str, Any]:
    return more | {"II": SIGNAL[:, 0], "V1": SIGNAL[:, 1]}


def test_leads(write):
    source = open_parquet(write(leads()), fs=250, unit="mV")
    assert (source.name, source.fs, source.leads) == ("rec", 250.0, ("II", "V1"))
    assert (source.start, source.notes) == (None, {})
    np.testing.assert_array_equal(source.read(), MV)
    check_parts(source)


def test_what_the_metadata_say(write):
    said = {"FS": "250.0", "unit": "uV", "start": "2020-05-04T10:11:12", "patient": "Jane Doe"}
    source = open_parquet(write({"ecg": SIGNAL[:, 0] * 1000}, said))
    assert (source.fs, source.start) == (250.0, datetime(2020, 5, 4, 10, 11, 12))
    np.testing.assert_allclose(source.read(), MV[:, :1], rtol=1e-6)
    assert "Jane" not in repr(vars(source))


def test_units_of_columns(tmp_path):
    fields = [
        pa.field("II", pa.float64(), metadata={"unit": "uV"}),
        pa.field("ABP", pa.float64(), metadata={"unit": "mmHg"}),
        pa.field("V1 [V]", pa.float64()),
    ]
    table = pa.table([SIGNAL[:, 0], SIGNAL[:, 0], SIGNAL[:, 1]], schema=pa.schema(fields))
    pq.write_table(table, tmp_path / "rec.parquet")
    source = open_parquet(tmp_path / "rec.parquet", fs=250)
    assert source.leads == ("II", "V1")
    np.testing.assert_allclose(source.read(), SIGNAL * [1e-3, 1e3], rtol=1e-6)


@pytest.mark.parametrize(
    "kind", [pa.float16(), pa.float32(), pa.int8(), pa.int16(), pa.uint16(), pa.int64()]
)
def test_numbers_of_any_type(write, kind):
    counts = pa.array(np.arange(100).astype(np.float16), pa.float16()).cast(kind)
    source = open_parquet(write({"II": counts}), fs=250, unit=200)
    np.testing.assert_array_equal(source.read()[:, 0], (np.arange(100) / 200).astype(np.float32))


def test_decimals_and_missing_samples(write):
    source = open_parquet(
        write(
            {
                "I": pa.array([Decimal("0.5"), None, Decimal("-1.25")]),
                "II": pa.array([None, 7, 8], pa.int16()),
                "III": [np.inf, np.nan, 1e300],
            },
        ),
        fs=250,
        unit="mV",
    )
    nan = np.nan
    expected = [[0.5, nan, nan], [nan, 7, nan], [-1.25, 8, nan]]
    np.testing.assert_array_equal(source.read(), np.array(expected, np.float32))


def test_names(write, tmp_path):
    columns = [SIGNAL[:, 0], SIGNAL[:, 1], SIGNAL[:, 0], SIGNAL[:, 1]]
    table = pa.table(columns, names=["II", "II", "V1\n Größe ", "II-2"])
    pq.write_table(table, tmp_path / "rec.parquet")
    source = open_parquet(tmp_path / "rec.parquet", fs=250, columns=[0, 1, 2, 3])
    assert source.leads == ("II", "II-2", "V1 Größe", "II-2-2")
    np.testing.assert_array_equal(source.read(), MV[:, [0, 1, 0, 1]])


@pytest.mark.parametrize("names", [["V1", "II"], ["b", "a"], ["b", "a", "b", "A"], ["a.b", "a"]])
def test_leads_are_not_mixed_up(tmp_path, names):
    values = np.random.default_rng(2).normal(0, 0.4, (900, len(names)))
    table = pa.table(list(values.T), names=names)
    pq.write_table(table, tmp_path / "rec.parquet")
    source = open_parquet(tmp_path / "rec.parquet", fs=250, unit="mV")
    np.testing.assert_array_equal(source.read(), values.astype(np.float32))
    for column in range(len(names)):
        part = source.read(0, 900, [column])[:, 0]
        np.testing.assert_array_equal(part, values[:, column].astype(np.float32))


def test_columns_that_are_asked_for(write):
    path = write(leads(resp=SIGNAL[:, 1] + 1, name=["Jane"] * N))
    assert open_parquet(path, fs=250).leads == ("II", "V1")
    source = open_parquet(path, fs=250, unit="mV", columns=["v1", "resp"])
    assert source.leads == ("V1", "resp")
    expected = np.stack([SIGNAL[:, 1], SIGNAL[:, 1] + 1], axis=1).astype(np.float32)
    np.testing.assert_array_equal(source.read(), expected)
    message = "rec.parquet has no column 'aVR'; it has: resp, II, V1"
    assert refusal(open_parquet, path, LeadNotFound, columns=["aVR"]) == message
    message = "rec.parquet: column 1 holds no numbers; choose one that does"
    assert refusal(open_parquet, path, columns=["name"]) == message


START = datetime(2020, 5, 4, 10, 11, 12, 4000)
SECONDS = np.arange(N) / 250
ISO = [(START + timedelta(milliseconds=4 * n)).isoformat() for n in range(N)]


@pytest.mark.parametrize(
    ("name", "times", "start"),
    [
        ("time", SECONDS, None),
        ("t [ms]", (SECONDS * 1000).round().astype(int), None),
        ("timestamp", (1588587072.004 + SECONDS), START),
        ("timestamp", 1588587072004 + 4 * np.arange(N), START),
        ("when", pa.array([START + timedelta(milliseconds=4 * n) for n in range(N)]), START),
        ("when", pa.array((SECONDS * 1e9).round().astype("m8[ns]")), None),
        ("when", ISO, START),
    ],
)
def test_times(write, name, times, start):
    source = open_parquet(write(leads(**{name: times})), unit="mV")
    assert (source.fs, source.leads, source.n_samples) == (250.0, ("II", "V1"), N)
    assert source.start == start
    np.testing.assert_array_equal(source.read(), MV)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "+02:00", "UTC"])
def test_an_index_of_pandas(tmp_path, zone):
    index = pd.date_range("2020-05-04 10:00", periods=N, freq="4ms", tz=zone, name="time")
    frame = pd.DataFrame({"II": SIGNAL[:, 0]}, index=index)
    frame.attrs = {"unit": "mV", "sampling_rate": 250}
    frame.to_parquet(tmp_path / "rec.parquet")
    source = open_parquet(tmp_path / "rec.parquet")
    assert (source.fs, source.start) == (250.0, datetime(2020, 5, 4, 10))
    assert source.notes == {"utc offset": "+00:00" if zone == "UTC" else "+02:00"}
    frame.reset_index(drop=True).iloc[::2].to_parquet(tmp_path / "rec.parquet")
    assert open_parquet(tmp_path / "rec.parquet").leads == ("II",)


@pytest.mark.parametrize("missing", [[5], [3, 4, 5, 699, 700, 701, 2998], range(100, 2900)])
def test_gaps_are_missing_samples(write, missing):
    kept = np.setdiff1d(np.arange(N), missing)
    source = open_parquet(write({"time": SECONDS[kept], "II": SIGNAL[kept, 0]}), unit="mV")
    expected = MV[:, :1].copy()
    expected[list(missing)] = np.nan
    np.testing.assert_array_equal(source.read(), expected)
    check_parts(source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({5: 0.0161}, ", row 6: the time rises by 0.0001 s, which is no multiple of 0.0039"),
        ({900: 0.0}, ", row 901: the time does not rise (by -3.596 s)"),
        ({900: np.nan}, ", row 901: there is no time; add it or leave out the time column"),
    ],
)
def test_times_that_are_not_regular(write, change, message):
    times = SECONDS.copy()
    for row, value in change.items():
        times[row] = value
    assert refusal(open_parquet, write(leads(time=times))).startswith("rec.parquet" + message)


@pytest.mark.parametrize(
    ("columns", "metadata", "options", "message"),
    [
        (leads(), {}, {}, " does not say its sampling frequency; give it in Hz with --fs"),
        (leads(), {"fs": "250"}, {"fs": 360}, ": the sampling frequency 360 Hz given with --fs is"),
        (leads(), {"fs": "fast"}, {}, " says fs = 'fast'; expected one number of Hz above 0"),
        (leads(), {"fs": "1e7"}, {}, ": the sampling frequency 1e+07 Hz in its metadata is beyond"),
        (leads(), {"unit": "ells"}, {"fs": 250}, " says that its unit is 'ells'; expected mV, uV"),
        (leads(), {"unit": "mV"}, {"fs": 250, "unit": "V"}, ": the unit 'V' given with --unit is"),
        ({"II": [1, 2, 3]}, {}, {"fs": 250}, " holds whole numbers of unknown size; give the ADC"),
        ({"II": SIGNAL[:, 0] * 1e3}, {}, {"fs": 250}, " does not say its unit, and its values"),
        ({"II": [0.5]}, {}, {"fs": 250}, " holds 1 rows of samples; a recording has thousands"),
        ({"II": pa.array([], pa.float64())}, {}, {"fs": 250}, " holds 0 rows of samples; a record"),
        ({"II": ["a", "b"]}, {}, {"fs": 250}, " has no column of numbers that may be an ECG lead"),
        ({"II": [[0.5, 1], [1, 2]]}, {}, {"fs": 250}, " has no column of numbers that may be an E"),
        ({"patient": [0.5, 1]}, {}, {"fs": 250}, " has no column of numbers that may be an ECG le"),
    ],
)  # fmt: skip
def test_what_is_refused(write, columns, metadata, options, message):
    said = refusal(open_parquet, write(columns, metadata), **options)
    assert said.startswith("rec.parquet" + message)


def test_far_too_much(write, monkeypatch):
    columns = {f"{number}": [0.5, 1.0] for number in range(4100)}
    assert "has 4100 columns; expected one for each" in refusal(open_parquet, write(columns), fs=1)
    columns = {f"{number}": [0.5, 1.0] for number in range(300)}
    assert "has 300 leads; expected at most 256" in refusal(open_parquet, write(columns), fs=1)
    monkeypatch.setattr("ectopy.readers.parquet._MOST_VALUES", 1000)
    message = "rec.parquet has a row group of 700 rows; write it anew with smaller ones"
    assert refusal(open_parquet, write(leads()), fs=250) == message


def test_parts_cost_no_memory(tmp_path):
    path = tmp_path / "rec.parquet"
    schema = pa.schema([("II", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(8):
            writer.write_table(pa.table({"II": np.tile(SIGNAL[:, 0], 400)}, schema=schema))
    tracemalloc.start()
    source = open_parquet(path, fs=250, unit="mV")
    for first in (9_000_000, 0, 9_597_000):
        np.testing.assert_array_equal(source.read(first, first + N), MV[:, :1])
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.parametrize("rows", [1, 7, 100, 3000])
@pytest.mark.parametrize("block", [1, 10, 100, 10_000])
def test_row_groups_of_any_size(write, monkeypatch, rows, block):
    monkeypatch.setattr("ectopy.readers.parquet._BLOCK_ROWS", block)
    path = write({"II": SIGNAL[:60, 0], "V1": SIGNAL[:60, 1]}, rows=rows)
    source = open_parquet(path, fs=250, unit="mV")
    np.testing.assert_array_equal(source.read(), MV[:60])
    assert source.read(60, 60).shape == source.read(5, 5).shape == (0, 2)
    check_parts(source)


def test_pyarrow_is_an_extra(write, monkeypatch):
    path = write(leads())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = "rec.parquet needs pyarrow; install it with: pip install 'ectopy[parquet]'"
    assert refusal(open_parquet, path, MissingExtra, fs=250) == message


def test_files_that_are_cut_anywhere(write):
    path = write(leads())
    whole = path.read_bytes()
    for length in [*range(40), *range(40, len(whole), 997), *range(len(whole) - 40, len(whole))]:
        path.write_bytes(whole[:length])
        refusal(open_parquet, path, UnsupportedFormat if 0 < length < 4 else RecordingError, fs=250)


SMALL = io.BytesIO()
pq.write_table(pa.table({"time": SECONDS[:50], "II": SIGNAL[:50, 0]}), SMALL, row_group_size=20)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    places=st.lists(st.tuples(st.integers(4, 2000), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damage_gives_one_line(tmp_path, places):
    data = bytearray(SMALL.getvalue())
    for place, value in places:
        data[-place % len(data)] = value
    path = tmp_path / "rec.parquet"
    path.write_bytes(data)
    either_or(open_parquet, path, unit="mV")


@pytest.mark.parametrize("content", [b"", b"time,II\n0,1\n", b"<svg/>", b"\x93NUMPY", bytes(500)])
def test_files_of_other_formats(tmp_path, content):
    assert not is_parquet(content)
    path = tmp_path / "rec.parquet"
    path.write_bytes(content)
    refusal(open_parquet, path, UnsupportedFormat if content else RecordingError, fs=250)


def test_files_are_known_by_their_content(write, tmp_path):
    assert is_parquet(write(leads()).read_bytes()[:64])
    assert refusal(open_parquet, tmp_path / "none.parquet", fs=250).startswith("cannot read ")
    assert refusal(open_parquet, tmp_path, fs=250).startswith("cannot read ")
