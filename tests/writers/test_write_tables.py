"""CSV and JSON files."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ectopy.analysis import BEAT_COLUMNS
from ectopy.writers import write_csv, write_json
from ectopy.writers.tables import NOTE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]


def strict(text: str) -> Any:
    """Parse JSON as RFC 8259 has it: no NaN and no infinity."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_csv_byte_for_byte(make_analysis: Make, tmp_path: Path) -> None:
    path = write_csv(make_analysis("NV", peaks=[50, 300]), tmp_path)
    assert path == tmp_path / "r1.csv"
    assert path.read_bytes() == (
        b"beat,sample,time_s,rr_s,class,confidence,p_N,p_S,p_V,p_F,p_Q\r\n"
        b"0,50,0.2,,N,0.8,0.8,0.05,0.05,0.05,0.05\r\n"
        b"1,300,1.2,1.0,V,0.8,0.05,0.05,0.8,0.05,0.05\r\n"
    )


def test_csv_reads_back_to_six_digits(make_analysis: Make, tmp_path: Path) -> None:
    analysis = make_analysis("NSVFQNNN", fs=360.0)
    with write_csv(analysis, tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    beats = analysis.beats
    assert [int(row["sample"]) for row in rows] == beats.peaks.tolist()
    assert [row["class"] for row in rows] == list("NSVFQNNN")
    np.testing.assert_allclose([float(row["time_s"]) for row in rows], beats.times_s, atol=5e-7)
    np.testing.assert_allclose([float(row["rr_s"]) for row in rows[1:]], beats.rr_s[1:], atol=5e-7)
    read = np.array([[float(row[f"p_{name}"]) for name in "NSVFQ"] for row in rows])
    np.testing.assert_allclose(read, beats.probabilities, rtol=1e-5)


def test_csv_without_beats_is_its_header(make_analysis: Make, tmp_path: Path) -> None:
    assert write_csv(make_analysis(""), tmp_path).read_text().split() == [",".join(BEAT_COLUMNS)]


def test_json_holds_everything_but_the_signal(make_analysis: Make, tmp_path: Path) -> None:
    analysis = make_analysis("NSVFQ", recording="心电", warnings=("beware",))
    path = write_json(analysis, tmp_path)
    assert path == tmp_path / "心电.json"
    content = strict(path.read_text(encoding="ascii"))
    assert content["schema_version"] == 1
    assert {key: content[key] for key in analysis.to_dict()} == analysis.to_dict()
    assert set(content) - set(analysis.to_dict()) == {"schema_version", "note"}


def test_json_says_once_what_it_is_not(make_analysis: Make, tmp_path: Path) -> None:
    text = write_json(make_analysis(), tmp_path).read_text()
    assert "not a medical device" in NOTE
    assert text.count("not a medical device") == 1


def test_json_has_one_line_a_beat(make_analysis: Make, tmp_path: Path) -> None:
    for labels in ("NV", "NV" * 10):
        text = write_json(make_analysis(labels), tmp_path).read_text()
        assert text.split('\n  "beats": [')[1].count("\n") == len(labels) + 3


@pytest.mark.parametrize("labels", ["", "V", "NV"])
def test_json_of_few_beats_is_strict(make_analysis: Make, tmp_path: Path, labels: str) -> None:
    content = strict(write_json(make_analysis(labels), tmp_path).read_text())
    assert [row["class"] for row in content["beats"]] == list(labels)


def test_json_of_what_is_not_finite_is_null(make_analysis: Make, tmp_path: Path) -> None:
    model = {"name": "m", "measured": {"macro_f1": float("nan"), "loss": float("inf")}}
    content = strict(write_json(make_analysis("N", model=model), tmp_path).read_text())
    assert content["model"]["measured"] == {"macro_f1": None, "loss": None}


def test_an_unusable_beat_has_a_place_but_no_class(make_analysis: Make, tmp_path: Path) -> None:
    analysis = make_analysis("NV", peaks=[50, 300], unusable=(1,))
    last = write_csv(analysis, tmp_path).read_text().splitlines()[-1]
    assert last == "1,300,1.2,1.0,unusable,,,,,,"
    row = strict(write_json(analysis, tmp_path).read_text())["beats"][1]
    assert (row["class"], row["confidence"], row["p_V"]) == ("unusable", None, None)
