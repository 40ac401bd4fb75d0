"""Recordings of many days: the same numbers as of all at once, in little memory."""

import tracemalloc

import numpy as np
import pytest

from ectopy.beats import CLASSES, BeatTable, BeatTimes
from ectopy.mapped import PIECE
from ectopy.measures.intervals import GAP_S, Intervals
from ectopy.measures.rates import RATE_WINDOW, window_rates_bpm
from ectopy.measures.runs import find_runs
from ectopy.measures.spectrum import BLOCK_S
from ectopy.measures.summary import summarise
from ectopy.measures.variability import LARGE_MS, measure_variability

FS = 360.0
MOST_BYTES = 20e6
TWO_WEEKS = 1_640_000


def random_beats(n: int, seed: int = 0) -> BeatTable:
    """Beats at some 75 a minute with a gap now and then, one in ten of any class."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(230, 330, n)
    steps[rng.integers(0, n, n // 2000)] = round(4 * FS)
    classes = np.where(rng.random(n) < 0.9, 0, rng.integers(0, len(CLASSES), n))
    return BeatTable(np.cumsum(steps), np.eye(len(CLASSES), dtype=np.float32)[classes], FS)


def some_unusable(n_seconds: int) -> np.ndarray:
    usable = np.ones(n_seconds, dtype=bool)
    usable[::1000] = False
    return usable


@pytest.mark.parametrize("n", [0, 1, 2, PIECE, PIECE + 1, 2 * PIECE + 3])
def test_intervals_are_those_of_whole_arrays(n: int) -> None:
    beats = random_beats(n) if n else BeatTable(np.zeros(0, np.int64), np.zeros((0, 5)), FS)
    times, classes = beats.times_s, beats.classes
    usable = some_unusable(int(times[-1]) + 1 if n else 1)
    lost = np.concatenate([[0], np.cumsum(~usable)])
    known = lost[times[1:].astype(int) + 1] == lost[times[:-1].astype(int)]
    rr_s = np.diff(times)
    for given in (times, beats.times):
        intervals = Intervals.between(given, classes, usable)
        assert np.array_equal(intervals.known, known)
        assert np.array_equal(intervals.joined, known & (rr_s <= GAP_S))
        assert intervals.joined_s == pytest.approx(rr_s[intervals.joined].sum(), rel=1e-12)
        assert np.array_equal(intervals.rr_s(slice(None)), rr_s)
        is_v = classes == CLASSES.index("V")
        runs = find_runs(intervals, is_v)
        linked = is_v[1:] & is_v[:-1] & intervals.joined
        assert runs.beats.sum() == is_v.sum()
        assert (runs.beats - 1).sum() == linked.sum()
        assert np.array_equal(runs.duration_s, times[runs.first + runs.beats - 1] - runs.start_s)


def test_window_rates_of_some_beats_are_those_of_all() -> None:
    beats = random_beats(700)
    intervals = Intervals.between(beats.times, beats.classes)
    whole = window_rates_bpm(intervals, slice(None))
    assert np.isnan(whole[:RATE_WINDOW]).all()
    assert np.isfinite(whole[RATE_WINDOW:]).any()
    for edges in ((0, 3), (0, 9), (5, 12), (8, 9), (300, 650), (699, 700), (700, 700), (4, 4)):
        part = window_rates_bpm(intervals, slice(*edges))
        assert np.array_equal(part, whole[slice(*edges)], equal_nan=True)


def test_variability_over_several_blocks_is_that_of_all_intervals() -> None:
    beats = random_beats(130_000, seed=3)
    times, classes = beats.times_s, beats.classes
    assert times[-1] > 3 * BLOCK_S
    found = measure_variability(beats.times, classes)
    rr_ms = 1000 * np.diff(times)
    is_nn = (classes[1:] == 0) & (classes[:-1] == 0) & (rr_ms <= 1000 * GAP_S)
    nn = np.where(is_nn, rr_ms, np.nan)
    steps = np.diff(nn)
    assert found.n_nn == is_nn.sum()
    assert found.mean_nn_ms == pytest.approx(np.nanmean(nn), rel=1e-12)
    assert found.sdnn_ms == pytest.approx(np.nanstd(nn, ddof=1), rel=1e-12)
    assert found.rmssd_ms == pytest.approx(np.sqrt(np.nanmean(steps**2)), rel=1e-12)
    share = 100 * (np.abs(steps) > LARGE_MS).sum() / is_nn.sum()
    assert found.pnn50_percent == pytest.approx(share, rel=1e-12)
    assert found == measure_variability(times, classes)


def test_two_weeks_are_summed_up_in_little_memory() -> None:
    summarise(random_beats(300), 100_000).to_dict()  # loads what is loaded once
    beats = random_beats(TWO_WEEKS)
    beats.classes  # noqa: B018  # a part of the table, made when it is first asked for
    n_samples = int(beats.peaks[-1]) + 100
    usable = some_unusable(int(n_samples / FS) + 1)
    tracemalloc.start()
    try:
        summary = summarise(beats, n_samples, usable_s=usable)
        most = [tracemalloc.get_traced_memory()[1]]
        tracemalloc.reset_peak()
        assert summary.variability.segments > 0
        most.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert max(most) < MOST_BYTES
    assert summary.n_beats == TWO_WEEKS
    assert len(summary.hourly) == np.ceil(n_samples / FS / 3600)


@pytest.mark.parametrize("fs", [128.0, 250.3, 360.0, 1000 / 3])
def test_times_are_found_as_in_an_array(fs: float) -> None:
    peaks = np.cumsum(np.random.default_rng(1).integers(0, 3, 3000))
    times, whole = BeatTimes(peaks, fs), peaks / fs
    edges = np.concatenate([whole, np.nextafter(whole, 0), np.nextafter(whole, 9e9), [-1.0, 1e6]])
    assert np.array_equal(times.searchsorted(edges), np.searchsorted(whole, edges))
    rows = np.array([5, 2999, 0])
    assert np.array_equal(times[rows], whole[rows])
    assert np.array_equal(times[10:20], whole[10:20])
    assert len(times) == 3000
