"""The summary of an analysis, and its plain data."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.analysis import BEAT_COLUMNS, Analysis, Runs, beat_rows, summarise
from ectopy.beats import CLASSES, BeatTable, ReferenceBeats
from ectopy.signal.second_flags import SecondsQuality

if TYPE_CHECKING:
    from pathlib import Path

FS = 100.0


def table(labels: str, intervals_s: list[float] | float = 1.0, first_s: float = 0.5) -> BeatTable:
    """Beats of these classes, so many seconds apart."""
    gaps = np.broadcast_to(intervals_s, max(len(labels) - 1, 0))
    times = np.concatenate([[first_s], first_s + np.cumsum(gaps)])[: len(labels)]
    probabilities = np.full((len(labels), 5), 0.05, dtype=np.float32)
    probabilities[np.arange(len(labels)), [CLASSES.index(label) for label in labels]] = 0.8
    return BeatTable(np.round(times * FS).astype(np.int64), probabilities, FS)


def analysis(beats: BeatTable, **changes: Any) -> Analysis:
    content: dict[str, Any] = {
        "recording": "r1",
        "fs": beats.fs,
        "n_samples": 1000,
        "start": None,
        "lead": "MLII",
        "signal_mv": np.zeros(1000, dtype=np.float32),
        "beats": beats,
        "beat_source": "detected",
        "model": {"name": "m"},
        "reference": None,
        "warnings": (),
        "version": "0.0",
    }
    return Analysis(**{**content, **changes})


def test_counts_burden_and_duration() -> None:
    summary = summarise(table("NNSVVFQNNN"), n_samples=1234)
    assert summary.duration_s == 12.34
    assert summary.n_beats == 10
    assert summary.counts == {"N": 5, "S": 1, "V": 2, "F": 1, "Q": 1}
    assert summary.v_burden_percent == 20.0
    assert summary.s_burden_percent == 10.0
    assert summary.ectopic_burden_percent == 40.0


def test_runs_count_singles_couplets_and_runs_and_describe_the_longest() -> None:
    labels = "NVNVVNVVVVNNVVVV"
    summary = summarise(table(labels, [0.5 if label == "V" else 1.0 for label in labels[1:]]), 2000)
    # The first run of four starts with the beat of index 6.
    assert summary.v_runs == Runs(
        singles=1,
        couplets=1,
        runs=2,
        longest_beats=4,
        longest_start_s=pytest.approx(4.5),
        longest_rate_bpm=pytest.approx(120.0),
    )
    assert summary.s_runs == Runs(0, 0, 0, 0, None, None)


def test_a_gap_ends_a_run_and_three_seconds_do_not() -> None:
    assert summarise(table("VVVV", [0.5, 3.01, 0.5]), 1000).v_runs.couplets == 2
    assert summarise(table("VVVV", [0.5, 3.0, 0.5]), 1000).v_runs.longest_beats == 4


def test_a_single_ectopic_beat_has_a_place_but_no_rate() -> None:
    runs = summarise(table("NNSN"), 1000).s_runs
    assert runs == Runs(1, 0, 0, 1, 2.5, None)


def test_heart_rate_extremes_are_medians_of_eight_intervals() -> None:
    summary = summarise(table("N" * 41, [1.0] * 20 + [0.5] * 20), 4000)
    assert summary.heart_rate_min_bpm == pytest.approx(60.0)
    assert summary.heart_rate_max_bpm == pytest.approx(120.0)
    assert summary.heart_rate_mean_bpm == pytest.approx(80.0)


def test_a_missed_and_an_additional_beat_move_no_extreme() -> None:
    summary = summarise(
        table("N" * 25, [1.0] * 8 + [2.0] + [1.0] * 7 + [0.3, 0.7] + [1.0] * 6), 3000
    )
    assert summary.heart_rate_min_bpm == pytest.approx(60.0)
    assert summary.heart_rate_max_bpm == pytest.approx(60.0)


def test_gaps_count_as_pauses_but_not_into_the_rate() -> None:
    summary = summarise(table("N" * 19, [0.5] * 9 + [60.0] + [0.5] * 8), 10_000)
    assert summary.heart_rate_mean_bpm == pytest.approx(120.0)
    assert summary.heart_rate_min_bpm == pytest.approx(120.0)
    assert (summary.pauses, summary.longest_pause_s) == (1, pytest.approx(60.0))
    assert summary.longest_pause_start_s == pytest.approx(5.0)


def test_two_seconds_are_no_pause() -> None:
    summary = summarise(table("NNNN", [2.0, 2.01, 2.5]), 1000)
    assert (summary.pauses, summary.longest_pause_s) == (2, pytest.approx(2.5))
    none = summarise(table("NN", 2.0), 1000)
    assert (none.pauses, none.longest_pause_s, none.longest_pause_start_s) == (0, None, None)


def test_fewer_than_eight_intervals_have_no_extremes() -> None:
    summary = summarise(table("N" * 8), 1000)
    assert summary.heart_rate_mean_bpm == pytest.approx(60.0)
    assert summary.heart_rate_min_bpm is None
    assert summary.heart_rate_max_bpm is None


@pytest.mark.parametrize(
    ("labels", "rate", "burden"), [("", None, None), ("V", None, 100.0), ("NV", 60.0, 50.0)]
)
def test_no_one_and_two_beats(labels: str, rate: float | None, burden: float | None) -> None:
    result = analysis(table(labels))
    assert result.summary.heart_rate_mean_bpm == rate
    assert result.summary.v_burden_percent == burden
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert len(json.loads(text)["beats"]) == len(labels)


def test_beats_on_one_sample_break_nothing() -> None:
    summary = summarise(table("V" * 10, 0.0), 1000)
    assert summary.heart_rate_mean_bpm is None
    assert summary.heart_rate_max_bpm is None
    assert summary.v_runs.longest_beats == 10
    assert summary.v_runs.longest_rate_bpm is None


@settings(deadline=None)
@given(st.text("NVSQ", max_size=40))
def test_runs_agree_with_counting_by_hand(labels: str) -> None:
    lengths = [len(list(group)) for label, group in groupby(labels) if label == "V"]
    runs = summarise(table(labels), 5000).v_runs
    assert runs.singles == lengths.count(1)
    assert runs.couplets == lengths.count(2)
    assert runs.runs == sum(n > 2 for n in lengths)
    assert runs.longest_beats == max(lengths, default=0)


def test_plain_data_has_these_keys() -> None:
    content = analysis(table("NV")).to_dict()
    assert list(content) == [
        "recording",
        "start",
        "fs_hz",
        "n_samples",
        "lead",
        "beat_source",
        "model",
        "ectopy_version",
        "warnings",
        "settings",
        "summary",
        "quality",
        "reference",
        "beats",
    ]
    assert list(content["summary"]) == [
        "duration_s",
        "n_beats",
        "counts",
        "heart_rate_mean_bpm",
        "heart_rate_min_bpm",
        "heart_rate_max_bpm",
        "v_burden_percent",
        "s_burden_percent",
        "ectopic_burden_percent",
        "v_runs",
        "s_runs",
        "pauses",
        "longest_pause_s",
        "longest_pause_start_s",
        "long_pauses",
        "n_unusable",
        "usable_percent",
        "pause_list",
        "v_patterns",
        "s_patterns",
        "fibrillation",
        "hourly",
        "variability",
    ]
    assert content["summary"]["v_runs"] == {
        "singles": 1,
        "couplets": 0,
        "runs": 0,
        "longest_beats": 1,
        "longest_start_s": 1.5,
        "longest_rate_bpm": None,
    }
    assert "beats" not in analysis(table("NV")).to_dict(beats=False)


def test_summary_numbers_have_three_decimals() -> None:
    content = summarise(table("NVN", [0.7, 0.7]), 1000).to_dict()
    assert content["heart_rate_mean_bpm"] == 85.714
    assert content["v_burden_percent"] == 33.333


def test_plain_data_turns_arrays_dates_and_nan_into_json() -> None:
    peaks = np.array([50, 150], dtype=np.int64)
    result = analysis(
        table("NN"),
        start=datetime(2024, 3, 1, 22, 15, 3),
        model={"measured": {"accuracy": np.float64("nan"), "n": np.int64(7), "folds": (1, 2)}},
        reference=ReferenceBeats.from_annotations(peaks, ["L", "V"]),
        warnings=("short",),
    )
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert content["start"] == "2024-03-01T22:15:03"
    assert content["model"] == {"measured": {"accuracy": None, "n": 7, "folds": [1, 2]}}
    assert content["warnings"] == ["short"]
    assert content["reference"] == {
        "n_beats": 2,
        "counts": {"N": 1, "S": 0, "V": 1, "F": 0, "Q": 0},
        "samples": [50, 150],
        "symbols": ["L", "V"],
    }
    assert "samples" not in result.to_dict(beats=False)["reference"]


def test_rows_of_beats() -> None:
    probabilities = np.array([[0.9, 0.1, 0, 0, 0], [1 / 3, 0, 2 / 3, 0, 0]], dtype=np.float32)
    rows = beat_rows(BeatTable(np.array([120, 481]), probabilities, 360.0))
    assert [tuple(row) for row in rows] == [BEAT_COLUMNS, BEAT_COLUMNS]
    assert list(rows[0].values()) == [0, 120, 0.333333, None, "N", 0.9, 0.9, 0.1, 0.0, 0.0, 0.0]
    assert rows[1]["rr_s"] == 1.002778
    assert rows[1]["class"] == "V"
    assert rows[1]["p_N"] == 0.333333
    assert rows[1]["confidence"] == rows[1]["p_V"] == 0.666667


# pandas 3.1 warns while wfdb 4.3 is imported.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index")
def test_summary_of_a_real_recording(mitdb_dir: Path) -> None:
    import wfdb

    marks = wfdb.rdann(str(mitdb_dir / "119"), "atr")
    beats = ReferenceBeats.from_annotations(marks.sample, marks.symbol)
    one_hot = np.eye(5, dtype=np.float32)[beats.classes]
    summary = summarise(BeatTable(beats.peaks, one_hot, 360.0), 650_000)
    # The database's own directory lists 1543 normal and 444 ventricular beats for record 119.
    assert summary.counts == {"N": 1543, "S": 0, "V": 444, "F": 0, "Q": 0}
    assert summary.v_runs.singles == 444
    assert summary.heart_rate_mean_bpm == pytest.approx(66.1, abs=0.1)


def unusable(beats: BeatTable, *rows: int) -> BeatTable:
    usable = np.ones(len(beats), dtype=np.bool_)
    usable[list(rows)] = False
    return BeatTable(beats.peaks, beats.probabilities, beats.fs, usable)


def test_unusable_beats_are_counted_apart() -> None:
    summary = summarise(unusable(table("NVNVNNSN"), 1, 5), 1000)
    assert (summary.n_beats, summary.n_unusable) == (6, 2)
    assert summary.counts == {"N": 4, "S": 1, "V": 1, "F": 0, "Q": 0}
    assert summary.v_burden_percent == pytest.approx(100 / 6)
    assert summary.ectopic_burden_percent == pytest.approx(200 / 6)


def test_an_unusable_beat_ends_a_run() -> None:
    whole = table("NVVVVVN", 0.5)
    assert summarise(whole, 1000).v_runs.longest_beats == 5
    runs = summarise(unusable(whole, 3), 1000).v_runs
    assert (runs.singles, runs.couplets, runs.runs) == (0, 2, 0)


def test_intervals_of_unusable_beats_are_no_pauses_and_no_rates() -> None:
    beats = table("N" * 25, [1.0] * 10 + [2.5] + [1.0] * 3 + [2.2] + [1.0] * 9)
    summary = summarise(unusable(beats, 10), 3000)
    assert (summary.pauses, summary.longest_pause_s) == (1, pytest.approx(2.2))
    assert summary.longest_pause_start_s == pytest.approx(16.0)
    assert summary.heart_rate_mean_bpm == pytest.approx(60 * 22 / (21 + 2.2))


def test_an_interval_over_an_unusable_second_is_no_pause() -> None:
    beats = table("NVVN", [0.5, 2.9, 0.5])  # at 0.5, 1.0, 3.9 and 4.4 s
    whole = summarise(beats, 600)
    assert (whole.pauses, whole.v_runs.couplets) == (1, 1)
    flags = np.array([0, 0, 2, 0, 0, 0], dtype=np.uint8)
    summary = summarise(beats, 600, usable_s=SecondsQuality(flags).usable)
    assert (summary.pauses, summary.longest_pause_s) == (0, None)
    assert (summary.v_runs.couplets, summary.v_runs.singles) == (0, 2)
    assert summary.usable_percent == pytest.approx(100 * 5 / 6)
    assert summarise(beats, 600, usable_s=np.ones(6, dtype=np.bool_)).pauses == 1


def test_nothing_usable() -> None:
    summary = summarise(unusable(table("NV"), 0, 1), 1000)
    assert summary.counts == dict.fromkeys(CLASSES, 0)
    assert summary.v_burden_percent is None
    assert summary.heart_rate_mean_bpm is None
    assert summary.v_runs == Runs(0, 0, 0, 0, None, None)


def test_quality_is_plain_data_too() -> None:
    quality = SecondsQuality(np.array([0, 8, 8, 0], dtype=np.uint8))
    content = json.loads(json.dumps(analysis(table("NN"), quality=quality).to_dict()))
    assert content["quality"]["unusable_stretches"] == [
        {"start_s": 1.0, "stop_s": 3.0, "reasons": ["noise"]}
    ]
    assert content["summary"]["usable_percent"] == 50.0
    assert analysis(table("NN")).to_dict()["quality"] is None


def test_a_row_of_an_unusable_beat_has_no_probabilities() -> None:
    rows = beat_rows(unusable(table("NV"), 1))
    assert rows[0]["p_N"] == 0.8
    assert list(rows[1].values())[4:] == ["unusable", None, None, None, None, None, None]
    assert rows[1]["rr_s"] == 1.0
