"""Tables that are damaged or say too little, and the two ways of reading cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import APPLE, APPLE_GERMAN, refusal

from ectopy.errors import EctopyError, LeadNotFound, RecordingError, UnsupportedFormat
from ectopy.readers import text_bytes
from ectopy.readers.text import open_text
from ectopy.readers.text_cells import Cells

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def refused(tmp_path: Path):
    def write(text: str | bytes, kind: type[Exception] = RecordingError, **options: Any) -> str:
        path = tmp_path / "rec.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return refusal(open_text, path, kind, **options)

    return write


TABLE = "time,II\n" + "".join(f"{n / 250:.3f},{n % 9 / 10}\n" for n in range(200))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rec.csv is empty; get the file again"),
        (" \n\n", "rec.csv is empty; get the file again"),
        ("hello\nworld\n", "rec.csv has no rows of numbers; expected a table with a row a sample"),
        ("II [mV]\n1\n", "rec.csv holds 1 row of samples; a recording has thousands"),
        (
            TABLE.replace("0.100,0.7", "0.100,abc"),
            "rec.csv, line 27, column 2: 'abc' is no number; correct it, or leave the cell empty "
            "if the sample is missing",
        ),
        (
            "time,II\n0,abc\n0.004,1\n",
            "rec.csv, line 2, column 2: 'abc' is no number; correct it, or leave the cell empty if "
            "the sample is missing",
        ),
        (
            TABLE.replace("0.100,0.7", "0.100,0.7,0.8"),
            "rec.csv, line 27 has 3 cells where 2 are expected; correct it, or get the file again "
            "if it is cut short",
        ),
        (
            TABLE + "0.800",
            "rec.csv, line 202 has 1 cells where 2 are expected; correct it, or get the file again "
            "if it is cut short",
        ),
        (
            TABLE + "\x000.800,1\n",
            "rec.csv, line 202 holds binary data; the file is damaged, get it again",
        ),
        (
            "1,2," * 200 + "\n" + "3,4," * 200 + "\n",
            "rec.csv has rows of 401 cells; expected a row a sample and at most 256 columns: "
            "transpose it",
        ),
        (
            "time,label\n0,N\n0.004,N\n0.008,V\n0.012,N\n",
            "rec.csv has no column of numbers that may be an ECG lead; name one with --column",
        ),
    ],
)
def test_damaged_tables(refused, monkeypatch, text, message):
    # A table is known by its head; what follows is read later.
    monkeypatch.setattr(text_bytes, "HEAD_BYTES", 2000)
    assert refused(text, fs=250) == message


def test_binary_data_by_the_name_of_a_table(refused):
    assert refused(b"\x00\x01\x02PK" * 100, UnsupportedFormat) == (
        "rec.csv holds binary data, not text; export it anew as a table"
    )


def test_a_line_without_end(refused):
    text = "II\n1\n2\n" + "1" * 3_000_000
    assert refused(text, fs=250) == (
        "rec.csv, line 4 is over a megabyte long; expected a row a sample"
    )


@pytest.mark.parametrize("path", ["nothing.csv", "."])
def test_no_file(tmp_path, path):
    assert refusal(open_text, tmp_path / path).startswith("cannot read ")


def test_a_unit_is_needed(refused):
    for text, what in (
        ("II\n" + "0\n5\n900.5\n-99.5\n" * 500, "span 1e+03 within two seconds"),
        ("II\n" + "0\n0.001\n" * 500, "span 0.001 within two seconds"),
        ("II\n" + "0.5\n" * 500, "do not change at all"),
    ):
        assert refused(text, fs=250) == (
            f"rec.csv does not say its unit, and its values {what}, where 0.05 to 20 would be "
            "expected of mV; give mV, uV, V or the ADC counts per mV with --unit"
        )


def test_whole_numbers_need_a_unit(refused):
    assert refused("I,II\n" + "0,1\n5,2\n-3,0\n" * 500, fs=250) == (
        "rec.csv holds whole numbers of unknown size; give the ADC counts per mV with --unit, such "
        "as 200, or their unit"
    )


def test_a_sampling_frequency_is_needed(refused):
    assert refused("II [mV]\n1\n2\n") == (
        "rec.csv does not say its sampling frequency; give it in Hz with --fs"
    )


@pytest.mark.parametrize("unit", ["mmHg", "", 0, -1, float("nan"), True, "-200", 1e-9, "1e300"])
def test_units_that_are_none(refused, unit):
    assert refused("II\n1\n2\n", fs=250, unit=unit) == (
        f"unit {unit!r} is not known; give mV, uV, V or the ADC counts per mV, such as 200"
    )


@pytest.mark.parametrize("fs", [0, -1, float("nan"), float("inf"), "fast", True])
def test_frequencies_that_are_none(refused, fs):
    assert refused("II\n1\n2\n", fs=fs) == (
        f"sampling frequency {fs!r} is not usable; expected a number of Hz above 0"
    )


def test_units_that_differ(refused):
    assert refused("II [uV]\n1\n2\n", fs=250, unit="mV") == (
        "rec.csv: the unit 'mV' given with --unit is not the uV that the file gives for 'II'; "
        "leave --unit out or correct what is wrong"
    )


def test_units_that_agree(tmp_path):
    path = tmp_path / "rec.csv"
    path.write_text("II [uV]\n1\n2\n")
    assert open_text(path, fs=250, unit=1000).read()[0, 0] == np.float32(1e-3)


@pytest.mark.parametrize(
    ("columns", "kind", "message"),
    [
        (["V1"], LeadNotFound, "rec.csv has no column 'V1'; it has: time, II"),
        ([2], LeadNotFound, "rec.csv has no column 2; its columns are 0 to 1"),
        (["7"], LeadNotFound, "rec.csv has no column 7; its columns are 0 to 1"),
        ([0.5], LeadNotFound, "rec.csv has no column 0.5; its columns are 0 to 1"),
        ([True], LeadNotFound, "rec.csv has no column True; its columns are 0 to 1"),
        ([-1], LeadNotFound, "rec.csv has no column -1; its columns are 0 to 1"),
        ([], RecordingError, "rec.csv: columns [] name none, or one twice; name each lead once"),
        (
            ["II", 1],
            RecordingError,
            "rec.csv: columns ['II', 1] name none, or one twice; name each lead once",
        ),
    ],
)
def test_columns_that_are_not_there(refused, columns, kind, message):
    assert refused("time,II\n0,1\n0.004,2\n", kind, columns=columns) == message


def test_a_column_that_holds_no_numbers(refused):
    text = "time,label\n0,N\n0.004,N\n0.008,V\n"
    assert refused(text, columns=["label"]) == (
        "rec.csv: column 1 holds no numbers; choose one that does"
    )


def test_no_room_for_the_samples(refused, monkeypatch):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr("ectopy.readers.spool.tempfile.TemporaryFile", lambda **_: Full())
    assert "no room for the samples" in refused(TABLE, unit="mV")


@pytest.mark.parametrize("text", [APPLE, APPLE_GERMAN + '"-48,673"\n"1,5"\n12\n', TABLE])
def test_files_that_are_cut_anywhere(tmp_path, text):
    path = tmp_path / "rec.csv"
    whole = text.encode()
    path.write_bytes(whole)
    full = open_text(path)
    read = 0
    for cut in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:cut])
        try:
            source = open_text(path)
        except EctopyError as error:
            message = str(error)
            assert "\n" not in message
            assert not any(secret in message for secret in ("Jane", "Doe", "1952"))
        else:
            read += 1
            assert source.n_samples <= full.n_samples
            same = source.n_samples - 1  # the last number may be cut
            np.testing.assert_array_equal(source.read(0, same), full.read(0, same))
    assert read > 0


CELLS = st.sampled_from(
    ["1", "-2", "0.5", ".5", "5.", "1e-3", "1E5", "nan", "NA", "", "-", "inf", "-inf", "1,5", "abc",
     "1_000", "0x1A", "1e", "e5", "--1", "+3", "1 2", "True", "false", "1.2.3", "1e400", "1e 5",
     "1e+99999999999", "9" * 400, "Infinity", " 1 ", "1;2", '"1"', "'2'", "1.5f", "\u00bd"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4),
    separator=st.sampled_from([",", ";", "\t", "|", " ", ""]),
    n_columns=st.integers(1, 3),
    decimal=st.sampled_from(["", ".", ","]),
)
def test_the_fast_way_reads_what_the_slow_one_reads(rows, separator, n_columns, decimal):
    if not separator:
        rows, n_columns = [row[:1] for row in rows], 1
    if decimal == separator:
        decimal = ""
    block = "".join(separator.join(row) + "\n" for row in rows).encode()
    answers = []
    for fast in (True, False):
        reader = Cells("x", separator, n_columns, tuple(range(n_columns)), None, decimal)
        if not fast:
            reader._fast = lambda *_: None
        try:
            answers.append(reader.read(block, 1)[0])
        except RecordingError as error:
            answers.append(str(error))
    if isinstance(answers[1], str):
        assert answers[0] == answers[1]
    else:
        np.testing.assert_allclose(answers[0], answers[1], rtol=1e-14)


def test_blocks_without_surprises_go_the_fast_way(monkeypatch):
    reader = Cells("x", ";", 3, (1, 2), 0)
    monkeypatch.setattr(reader, "_slow", None)
    values, text = reader.read(b"10:00;1,5;-2\n10:01;NA;1e3\n", 1)
    assert text == ["10:00", "10:01"]
    np.testing.assert_array_equal(values, [[1.5, -2], [np.nan, 1000]])
