"""The screen for atrial fibrillation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from beat_strings import beats
from scipy.signal import lfilter

from ectopy.measures import fibrillation
from ectopy.measures.fibrillation import (
    MIN_INTERVALS,
    SMOOTHING,
    find_irregular,
    screen_fibrillation,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def sinus(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Intervals of sinus rhythm with breathing, in seconds."""
    rng = np.random.default_rng(seed)
    return 0.85 + 0.02 * np.sin(0.9 * np.arange(n)) + 0.005 * rng.standard_normal(n)


def wild(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Intervals without order, in seconds."""
    return np.random.default_rng(seed).uniform(0.4, 1.1, n)


def test_an_episode_begins_and_ends_where_the_rhythm_changes() -> None:
    gaps = np.concatenate([sinus(300), wild(400), sinus(300, 1)])
    times, classes = beats("N" * 1001, gaps)
    screen = screen_fibrillation(times, classes)
    assert len(screen) == 1
    assert screen.start_s[0] == pytest.approx(times[300], abs=30)
    assert screen.stop_s[0] == pytest.approx(times[700], abs=30)
    true = 100 * (times[700] - times[300]) / (times[-1] - times[0])
    assert screen.burden_percent == pytest.approx(true, abs=8)
    assert screen.screened_s == pytest.approx(times[-1] - times[0])


def test_sinus_rhythm_is_regular() -> None:
    assert len(screen_fibrillation(*beats("N" * 1001, sinus(1000)))) == 0


@pytest.mark.parametrize(("early", "late"), [(0.55, 1.15), (0.5, 0.85)])
def test_bigeminy_is_no_fibrillation_with_and_without_its_classes(
    early: float, late: float
) -> None:
    gaps = np.tile([early, late], 300)
    for labels in ("NV" * 300 + "N", "NS" * 300 + "N", "N" * 601):
        assert len(screen_fibrillation(*beats(labels, gaps))) == 0


def test_frequent_ectopic_beats_are_none_once_they_have_a_class() -> None:
    rng = np.random.default_rng(3)
    gaps, labels = sinus(1200), np.full(1201, "N")
    ectopic = np.flatnonzero(rng.random(1199) < 0.5) + 1
    labels[ectopic] = "V"
    gaps[ectopic - 1] *= rng.uniform(0.5, 0.8, len(ectopic))
    gaps[ectopic] *= rng.uniform(1.1, 1.5, len(ectopic))
    known = screen_fibrillation(*beats("".join(labels), gaps))
    unknown = screen_fibrillation(*beats("N" * 1201, gaps))
    assert len(known) == 0
    assert unknown.burden_percent is not None
    assert unknown.burden_percent > 50  # what the classes are for


def test_fibrillation_with_ventricular_beats_is_one_episode() -> None:
    labels = np.full(801, "N")
    labels[7::13] = "V"
    screen = screen_fibrillation(*beats("".join(labels), wild(800)))
    assert len(screen) == 1
    assert screen.burden_percent == pytest.approx(100.0)


def test_a_gap_an_unusable_beat_and_second_end_an_episode() -> None:
    gaps = wild(800)
    gaps[400] = 20.0
    assert len(screen_fibrillation(*beats("N" * 801, gaps))) == 2
    labels = "N" * 400 + "x" + "N" * 400
    assert len(screen_fibrillation(*beats(labels, wild(800)))) == 2
    times, classes = beats("N" * 801, wild(800))
    usable = np.ones(int(times[-1]) + 1, dtype=bool)
    usable[300] = False
    screen = screen_fibrillation(times, classes, usable)
    assert len(screen) == 2
    assert screen.screened_s == pytest.approx(times[-1] - times[0], abs=4)


def test_episodes_last_thirty_seconds() -> None:
    gaps = np.concatenate([sinus(300), wild(600), sinus(300, 1)])
    lengths = [0.0]
    for n in range(40, 261, 10):
        part = np.concatenate([gaps[:300], gaps[300 : 300 + n], gaps[-300:]])
        screen = screen_fibrillation(*beats("N" * (n + 601), part))
        lengths.extend((screen.stop_s - screen.start_s).tolist())
    assert min(lengths[1:]) >= 30.0


def test_too_few_intervals_say_nothing() -> None:
    for n in (0, 1, 2, MIN_INTERVALS):
        screen = screen_fibrillation(*beats("N" * n))
        assert (screen.burden_percent, len(screen)) == (None, 0)
        assert screen.to_dict()["longest_s"] is None
    assert screen_fibrillation(*beats("N" * (MIN_INTERVALS + 1))).burden_percent == 0.0
    assert screen_fibrillation(*beats("Q" * 500)).burden_percent is None  # paced


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rr_s = np.concatenate([sinus(2500), wild(2500), sinus(2503, 2)])
    whole = find_irregular(rr_s)
    monkeypatch.setattr(fibrillation, "_BLOCK", 600)
    assert 2000 < whole.sum() < 3000
    assert find_irregular(rr_s).tolist() == whole.tolist()
    for n in (600, 601, 607, 1201):  # a last block of few intervals
        assert len(find_irregular(rr_s[:n])) == n


@pytest.mark.parametrize("n", [8, 49, 50, 1000, 30_000])
def test_averages_are_those_of_a_recursive_filter(n: int) -> None:
    values = wild(n)
    expected = values
    for _ in range(2):
        begin = (1 - SMOOTHING) * expected[: round(1 / SMOOTHING)].mean()
        expected, _ = lfilter([SMOOTHING], [1, SMOOTHING - 1], expected, zi=[begin])
        expected = expected[::-1]
    found = fibrillation._average(values)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_plain_data() -> None:
    content = screen_fibrillation(*beats("N" * 501, wild(500))).to_dict()
    assert content["episodes"] == len(content["episode_list"]) == 1
    assert content["longest_start_s"] == content["episode_list"][0]["start_s"]
    assert content["longest_s"] == pytest.approx(content["screened_s"])


@pytest.mark.parametrize(
    ("record", "low", "high"), [("201", 25, 47), ("106", 0, 0), ("119", 0, 0), ("223", 0, 0)]
)
def test_records_of_ds1(mitdb_dir: Path, record: str, low: float, high: float) -> None:
    """Ratchet: 46 % of the beats of 201 are in fibrillation, none of the others, of much ectopy."""
    from ectopy.readers import read_annotations

    marks = read_annotations(mitdb_dir / record, "atr")
    screen = screen_fibrillation(marks.peaks / 360.0, marks.classes)
    assert screen.burden_percent is not None
    assert low <= screen.burden_percent <= high
