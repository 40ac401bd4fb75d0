"""Annotation files written piece by piece, against what wfdb writes at once."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.writers.wfdb_marks import CODES, MarkWriter

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index")

MARKS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1100), st.integers(0, 2**24), st.just(2**31 + 5)),
        st.sampled_from(sorted(CODES)),
        st.one_of(st.just(""), st.text(st.characters(codec="ascii", min_codepoint=32), max_size=9)),
    ),
    min_size=1,
    max_size=30,
)


def written(marks: list[tuple[int, str, str]], fs: float, portions: int) -> bytes:
    samples = np.cumsum([step for step, _, _ in marks])
    codes = np.array([CODES[symbol] for _, symbol, _ in marks], dtype=np.uint8)
    file = io.BytesIO()
    writer = MarkWriter(file, fs)
    for rows in np.array_split(np.arange(len(marks)), portions):
        notes = {i: marks[row][2] for i, row in enumerate(rows.tolist()) if marks[row][2]}
        writer.add(samples[rows], codes[rows], notes)
    writer.close()
    return file.getvalue()


@settings(deadline=None)
@given(MARKS, st.sampled_from([360.0, 128.5, 1000 / 3]), st.integers(1, 4))
def test_the_bytes_are_those_of_wfdb(
    marks: list[tuple[int, str, str]], fs: float, portions: int
) -> None:
    import wfdb

    with TemporaryDirectory() as folder:
        wfdb.wrann(
            "r",
            "x",
            np.cumsum([step for step, _, _ in marks]),
            symbol=[symbol for _, symbol, _ in marks],
            aux_note=[note for _, _, note in marks],
            fs=fs,
            write_dir=folder,
        )
        expected = (Path(folder) / "r.x").read_bytes()
    assert written(marks, fs, portions) == expected


def test_a_text_is_kept_to_what_the_format_holds() -> None:
    content = written([(0, '"', "é" + "x" * 400)], 250.0, 1)
    assert content.endswith(b"\xff\xfc?" + b"x" * 254 + b"\0" + b"\0\0")
