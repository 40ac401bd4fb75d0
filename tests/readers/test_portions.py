"""Samples from bytes as they come: however the bytes are cut, and what is no sample."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import RecordingError
from ectopy.readers.portions import LONGEST_LINE, RawPortions, TextPortions

NAN = float("nan")


def read(text: str | bytes, column: str | int | None = None, size: int = 10**6) -> list[float]:
    data = text.encode() if isinstance(text, str) else text
    portions = TextPortions(column)
    out = [portions.push(data[k : k + size]) for k in range(0, len(data), size)]
    return np.concatenate([*out, portions.finish()]).tolist()


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("1.5\n-2\n.5e1\n", None, [1.5, -2, 5]),
        ("1.5\n2", None, [1.5, 2]),  # no line break at the end
        ("1\r\n2\r\n", None, [1, 2]),
        ("\ufeff1\n2\n", None, [1, 2]),
        ("ecg_mv\n1\n2\n", None, [1, 2]),
        ("# made by a device\n1\n% more\n2\n", None, [1, 2]),
        ("1\n\nnan\nNA\n-\ninf\n2\n", None, [1, NAN, NAN, NAN, NAN, NAN, 2]),
        (" 1 \n  2\n", None, [1, 2]),
        ("t,ecg\n0,1.5\n1,2.5\n", "ecg", [1.5, 2.5]),
        ("t,ecg\n0,1.5\n1,2.5\n", 1, [1.5, 2.5]),
        ("0,1.5\n1,\n2,nan\n\n", 1, [1.5, NAN, NAN, NAN]),
        ('"t";"ecg";\n"0";"1,5";\n', "ecg", [1.5]),
        ("0\t1,5\n1\t2,5\n", 1, [1.5, 2.5]),
        ("0  1.5\n1 2.5\n", 1, [1.5, 2.5]),
        ("", None, []),
        ("\n", None, [NAN]),
    ],
)
def test_lines(text, column, expected):
    for size in (1, 2, 7, 10**6):
        np.testing.assert_array_equal(read(text, column, size), expected)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-10, 10)), max_size=40),
    size=st.integers(1, 60),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_however_the_bytes_are_cut(values, size, newline):
    text = "".join(("" if value is None else repr(value)) + newline for value in values)
    expected = [NAN if value is None else value for value in values]
    np.testing.assert_array_equal(read(text, None, size), expected)


def test_a_line_is_read_as_soon_as_it_is_whole():
    portions = TextPortions()
    found = [portions.push(part).tolist() for part in (b"1\n2", b".5", b"\n3\n", b"")]
    assert found == [[1], [], [2.5, 3], []]
    assert portions.finish().tolist() == []


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "1\n2\nhello_world_how_are_you\n",
            None,
            "standard input, line 3: 'hello_world_how_are_' is no number; correct it, or leave the "
            "line or cell empty if the sample is missing",
        ),
        ("1\n1_0\n", None, "standard input, line 2: '1_0' is no number; "),
        ("1\n0,5\n", None, "standard input, line 2: '0,5' is no number; "),
        ("1\n0x10\n", None, "standard input, line 2: '0x10' is no number; "),
        ("1.2.3\n", None, "standard input, line 1: '1.2.3' is no number; "),
        ("1\n2\n1.2.3\n", None, "standard input, line 3: '1.2.3' is no number; "),
        ("ecg\nII\n", None, "standard input, line 2: 'II' is no number; "),
        ("0,1\n", None, "standard input, line 1 has 2 cells; say with --column which is the lead"),
        ("0,1\n5\n", 1, "standard input, line 2 has 1 cells, and so no column 1 (counted from 0)"),
        ("0;1\n0;x\n", 1, "standard input, line 2: 'x' is no number; "),
        ("0,1\n", "II", "standard input has no column 'II'; its first line has '0', '1'"),
        ("x" * (LONGEST_LINE + 1), None, "standard input, line 1: no line break within 100,000 "),
        ("1\n" + "x" * (LONGEST_LINE + 1), None, "standard input, line 2: no line break within "),
    ],
)
def test_what_is_no_sample(text, column, message):
    for size in (5, 10**6):
        with pytest.raises(RecordingError, match=f"^{re.escape(message)}") as caught:
            read(text, column, size)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [("int16", [0, -1, 32767, -32768]), ("float32", [0.5, -1.25, NAN, 3e-3])],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_raw_samples(dtype, values, size):
    data = np.array(values, dtype={"int16": "<i2", "float32": "<f4"}[dtype])
    raw = RawPortions(dtype)
    content = data.tobytes()
    out = [raw.push(content[k : k + size]) for k in range(0, len(content), size)]
    found = np.concatenate([*out, raw.finish()])
    np.testing.assert_array_equal(found, data.astype(np.float64))


def test_infinite_raw_samples_are_missing():
    found = RawPortions("float32").push(np.array([np.inf, 1], dtype="<f4").tobytes())
    np.testing.assert_array_equal(found, [NAN, 1])


def test_raw_samples_that_end_within_one():
    raw = RawPortions("float32")
    raw.push(b"\0" * 7)
    message = "standard input ends within a sample of float32 (3 of 4 bytes); is that its --dtype?"
    with pytest.raises(RecordingError, match=f"^{re.escape(message)}$"):
        raw.finish()


def test_a_kind_that_is_not_known():
    message = "dtype 'int8' is not known; expected int16 or float32, or none for text"
    with pytest.raises(RecordingError, match=f"^{re.escape(message)}$"):
        RawPortions("int8")
