"""Singles, couplets, runs, bigeminy and its kin."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from beat_strings import beats
from hypothesis import given
from hypothesis import strategies as st

from ectopy.measures.patterns import Patterns, find_patterns
from ectopy.measures.runs import Runs


def patterns(labels: str, intervals_s: Any = 0.8, name: str = "V") -> Patterns:
    return find_patterns(*beats(labels, intervals_s), name)


def test_singles_couplets_triplets_and_runs() -> None:
    found = patterns("VNVVNVVVNVVVVN").to_dict()
    assert [found[key] for key in ("singles", "couplets", "triplets", "runs", "beats_in_runs")] == [
        1, 1, 1, 2, 7,
    ]  # fmt: skip
    assert found["longest_run"]["beats"] == 4
    assert found["longest_run"]["start_s"] == pytest.approx(0.5 + 9 * 0.8)
    assert [run["beats"] for run in found["run_list"]] == [3, 4]


def test_runs_are_rows_of_the_beats() -> None:
    runs = patterns("NVVVNNVVVV", 0.5).runs
    assert runs.first.tolist() == [1, 6]
    assert runs.duration_s.tolist() == pytest.approx([1.0, 1.5])
    assert runs.rate_bpm.tolist() == pytest.approx([120.0, 120.0])


def test_the_interval_before_a_run_is_not_in_its_rate() -> None:
    found = patterns("NVVV", [0.3, 0.5, 0.5]).to_dict()
    assert found["fastest_run"]["rate_bpm"] == pytest.approx(120.0)


def test_a_tachycardia_is_faster_than_100_a_minute() -> None:
    for times_from in (0.5, 86_400.1, 1_000_000.3):  # however the division is rounded
        times, classes = beats("VVVNVVVV", 0.6)
        found = find_patterns(times + times_from, classes, "V").to_dict()
        assert (found["tachycardias"], found["slow_runs"]) == (0, 2)
    found = patterns("VVVNVVVV", [0.6, 0.6, 0.6, 0.6, 0.59, 0.59, 0.59]).to_dict()
    assert (found["tachycardias"], found["slow_runs"]) == (1, 1)
    assert found["fastest_run"]["beats"] == 4


def test_a_sustained_tachycardia_lasts_longer_than_30_seconds() -> None:
    assert patterns("V" * 61, 0.5).to_dict()["sustained_tachycardias"] == 0  # 30 s
    assert patterns("V" * 62, 0.5).to_dict()["sustained_tachycardias"] == 1
    assert patterns("V" * 62, 0.7).to_dict()["sustained_tachycardias"] == 0  # slow


@pytest.mark.parametrize("between", ["VVVVxVVVV", "VVVV VVVV"])
def test_an_unusable_beat_and_a_gap_end_a_run(between: str) -> None:
    labels = between.replace(" ", "")
    gaps = np.full(len(labels) - 1, 0.5)
    if " " in between:
        gaps[3] = 3.01
    assert patterns(labels, gaps).runs.beats.tolist() == [4, 4]


def test_an_unusable_second_ends_a_run_and_an_episode() -> None:
    usable = np.ones(60, dtype=bool)
    usable[4] = False
    times, classes = beats("V" * 12, 0.9)
    assert find_patterns(times, classes, "V", usable).runs.beats.tolist() == [4, 7]
    times, classes = beats("NVNVNVNVNVNVN", 0.9)
    assert len(find_patterns(times, classes, "V").bigeminy) == 1
    assert find_patterns(times, classes, "V", usable).bigeminy.beats.tolist() == [4]


def test_beats_on_one_sample_have_no_rate() -> None:
    found = patterns("VVV", 0.0).to_dict()
    assert found["longest_run"]["rate_bpm"] is None
    assert (found["fastest_run"], found["tachycardias"], found["slow_runs"]) == (None, 0, 1)


@pytest.mark.parametrize(
    ("labels", "bigeminy", "trigeminy", "quadrigeminy"),
    [
        ("NVNVN", [], [], []),
        ("NVNVNVN", [3], [], []),
        ("QVQVQVNV", [4], [], []),
        ("NVNVNVNVVNVNVNV", [3, 3], [], []),  # a couplet is no part of it
        ("NVNVSVNVN", [], [], []),  # S is no beat of the basic rhythm
        ("NVNVFVNVN", [], [], []),
        ("VNNVNNV", [], [3], []),
        ("VNNVNNVNVNV", [3], [3], []),  # one beat ends an episode and begins the next
        ("VNNNVNNNVNNNV", [], [], [4]),
        ("VVNVVNVV", [], [], []),
    ],
)
def test_bigeminy_and_its_kin(
    labels: str, bigeminy: list[int], trigeminy: list[int], quadrigeminy: list[int]
) -> None:
    found = patterns(labels)
    assert found.bigeminy.beats.tolist() == bigeminy
    assert found.trigeminy.beats.tolist() == trigeminy
    assert found.quadrigeminy.beats.tolist() == quadrigeminy


def test_an_episode_lasts_from_first_to_last_ectopic_beat() -> None:
    found = patterns("NNVNVNVNNNSNSNSNS").bigeminy
    assert (found.first.tolist(), found.start_s.tolist()) == ([2], [2.1])
    assert found.to_dict() == {
        "episodes": 1,
        "beats": 3,
        "total_s": pytest.approx(3.2),
        "longest_beats": 3,
        "longest_start_s": pytest.approx(2.1),
    }
    assert patterns("NNVNVNVNNNSNSNSNS", name="S").bigeminy.beats.tolist() == [4]


def test_nothing_without_beats_of_the_class() -> None:
    for labels in ("", "N", "NNNN", "x"):
        found = patterns(labels).to_dict()
        assert found["longest_run"] is found["fastest_run"] is None
        assert found["bigeminy"]["longest_start_s"] is None
        assert not found["singles"] + found["runs"] + found["bigeminy"]["episodes"]


@given(st.text("NVSFQx", max_size=60), st.sampled_from("VS"))
def test_every_beat_of_the_class_is_in_one_stretch(labels: str, name: str) -> None:
    found = patterns(labels, name=name)
    lengths = [len(list(group)) for label, group in groupby(labels) if label == name]
    assert found.stretches.beats.tolist() == lengths
    content = found.to_dict()
    assert content["singles"] + 2 * content["couplets"] + content["beats_in_runs"] == labels.count(
        name
    )
    assert content["tachycardias"] + content["slow_runs"] == content["runs"]
    runs = Runs.of(found.stretches)
    assert (runs.singles, runs.couplets, runs.runs) == tuple(
        content[key] for key in ("singles", "couplets", "runs")
    )


@given(st.text("NV", max_size=60))
def test_bigeminy_agrees_with_a_search_in_the_text(labels: str) -> None:
    single = "(?<!V)V(?!V)"
    for period, name in ((2, "bigeminy"), (3, "trigeminy"), (4, "quadrigeminy")):
        rest = "N" * (period - 1)
        matches = re.finditer(f"(?=({single}(?:{rest}{single}){{2,}}))", labels)
        lengths: list[tuple[int, int]] = []
        for match in matches:
            begin, end = match.span(1)
            if not lengths or begin > lengths[-1][1] - 1:
                lengths.append((begin, end))
        found = getattr(patterns(labels), name)
        assert found.first.tolist() == [begin for begin, _ in lengths]
        assert found.beats.tolist() == [(end - begin - 1) // period + 1 for begin, end in lengths]
