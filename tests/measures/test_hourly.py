"""A recording hour by hour, and that it adds up to the whole."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from beat_strings import beats, table
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.measures.hourly import count_hours
from ectopy.measures.pauses import find_pauses
from ectopy.measures.summary import summarise


def test_beats_belong_to_the_hour_that_they_are_in() -> None:
    times = np.array([10.0, 3599.9, 3600.0, 3601.0, 7300.0])
    hours = count_hours(times, np.array([0, 2, 1, -1, 2], dtype=np.int8), 7500.0)
    assert hours.start_s.tolist() == [0.0, 3600.0, 7200.0]
    assert hours.stop_s.tolist() == [3600.0, 7200.0, 7500.0]
    assert hours.counts.tolist() == [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]]
    assert hours.unusable.tolist() == [0, 1, 0]


def test_what_lies_between_two_beats_belongs_to_the_later_ones_hour() -> None:
    times = np.array([3595.0, 3596.0, 3601.0, 3601.5, 3602.0, 3602.5])
    hours = count_hours(times, np.array([0, 0, 2, 2, 2, 0], dtype=np.int8), 5000.0)
    assert hours.pauses.tolist() == [0, 1]
    assert hours.v_runs.tolist() == [0, 1]
    assert hours.heart_rate_mean_bpm.tolist() == pytest.approx([60.0, 120.0])


def test_rates_of_each_hour() -> None:
    gaps = [1.0] * 3600 + [0.5] * 3600
    hours = count_hours(*beats("N" * 7201, gaps), 5401.0)
    assert hours.heart_rate_min_bpm.tolist() == pytest.approx([60.0, 60.0])
    assert hours.heart_rate_mean_bpm.tolist() == pytest.approx([60.0, 120.0], rel=1e-3)
    assert hours.heart_rate_max_bpm.tolist() == pytest.approx([60.0, 120.0])


def test_clock_and_usable_seconds() -> None:
    usable = np.ones(4500, dtype=bool)
    usable[:900] = usable[4050:] = False
    hours = count_hours(
        *beats("NN"), 4500.0, start=datetime(2024, 3, 1, 22, 15, 3), usable_s=usable
    )
    assert hours.clock == ["2024-03-01T22:15:03", "2024-03-01T23:15:03"]
    assert hours.usable_percent.tolist() == [75.0, 50.0]
    row = count_hours(*beats("NN"), 100.0).to_dict()[0]
    assert row["clock"] is None
    assert np.isnan(row["usable_percent"])


def test_an_empty_recording_has_one_hour() -> None:
    hours = count_hours(*beats(""), 0.0)
    assert (len(hours), hours.counts.sum()) == (1, 0)
    assert np.isnan(hours.heart_rate_mean_bpm).all()


@settings(deadline=None, max_examples=40)
@given(
    st.text("NNNVVSFQ", min_size=1, max_size=80),
    st.lists(st.sampled_from([0.4, 0.9, 2.4, 3.5, 800.0]), min_size=79, max_size=79),
)
def test_hours_add_up_to_the_recording(labels: str, gaps: list[float]) -> None:
    made = table(labels, gaps[: len(labels) - 1])
    summary = summarise(made, int(made.peaks[-1]) + 500)
    hours = summary.hourly
    assert hours.counts.sum(axis=0).tolist() == list(summary.counts.values())
    assert hours.pauses.sum() == summary.pauses
    assert hours.v_runs.sum() == summary.v_runs.runs
    assert hours.s_runs.sum() == summary.s_runs.runs
    low, high = hours.heart_rate_min_bpm, hours.heart_rate_max_bpm
    if summary.heart_rate_min_bpm is None:
        assert np.isnan(low).all()
    else:
        assert np.nanmin(low) == summary.heart_rate_min_bpm
        assert np.nanmax(high) == summary.heart_rate_max_bpm


def test_pauses_of_hours_are_those_of_the_list() -> None:
    rng = np.random.default_rng(4)
    times, classes = beats("N" * 4000, rng.choice([0.8, 2.5], 3999).tolist())
    listed = find_pauses(times, classes)
    hours = count_hours(times, classes, times[-1] + 1)
    assert hours.pauses.sum() == len(listed) > 0
