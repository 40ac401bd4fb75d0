"""Measuring in turn, and keeping what was measured."""

from __future__ import annotations

import csv

import pytest
from keeping import keep, load
from measuring import interleaved, ratios, spread
from settings import command_line, settings_of


def test_contestants_take_turns():
    calls: list[str] = []
    contestants = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = interleaved(contestants, 3, repeats=2)
    assert "".join(calls) == "ab" + 3 * "aabb"
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}
    assert all(value >= 0 for values in seconds.values() for value in values)


def test_ratios_are_those_of_the_rounds():
    found = ratios({"a": [2.0, 6.0, 1.0], "b": [1.0, 2.0, 4.0]}, "b")
    assert found == {"a": 2.0, "b": 1.0}  # of 2, 3 and 0.25; medians alone would say 1
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "least": 1.0, "most": 3.0}


def test_results_are_read_back(tmp_path):
    rows = [{"model": "a, b", "ms": 0.5}, {"model": "c", "ms": 2.0}]
    keep("tried", rows, folder=tmp_path / "new", note="why")
    found = load("tried", tmp_path / "new")
    assert found is not None
    assert (found["benchmark"], found["note"], found["rows"]) == ("tried", "why", rows)
    assert found["machine"]["cores"] >= 1
    assert "numpy" in found["versions"]
    with (tmp_path / "new" / "tried.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{k: str(v) for k, v in row.items()} for row in rows]
    assert load("never", tmp_path) is None


def test_what_is_no_number_is_not_kept(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        keep("tried", [{"ms": float("nan")}], folder=tmp_path)


def test_a_long_run_changes_its_own_settings():
    short, long = settings_of("roofline"), settings_of("roofline", long=True)
    assert short["models"] == long["models"]
    assert long["rounds"] > short["rounds"] >= 7
    assert "long" not in short


def test_short_and_long_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        command_line("text").parse_args(["--short", "--long"])
    assert "not allowed with" in capsys.readouterr().err
