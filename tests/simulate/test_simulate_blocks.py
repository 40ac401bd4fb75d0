"""Whole recordings, streams of blocks, and what they have in common."""

from __future__ import annotations

import tracemalloc
from itertools import islice

import numpy as np
import pytest

from ectopy.simulate import Block, Simulation, demo, simulate, stream

CLEAN = {"noise_mv": 0.0, "wander_mv": 0.0, "mains_mv": 0.0}
NOISY = Simulation(seed=11, noise_mv=0.05, dropouts_per_hour=100)


def joined(blocks: list[Block]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.concatenate([b.signal_mv for b in blocks]),
        np.concatenate([b.beats.peaks for b in blocks]),
        np.concatenate([b.beats.symbols for b in blocks]),
    )


def test_recording_says_what_it_is() -> None:
    recording, truth = simulate(60.5, 250, seed=2)
    assert recording.signal_mv.shape == (15125, 2)
    assert recording.signal_mv.dtype == np.float32
    assert np.all(np.isfinite(recording.signal_mv))
    assert (recording.fs, recording.leads, recording.name) == (250.0, ("MLII", "V1"), "simulated")
    assert truth.peaks.dtype == np.int64
    assert truth.classes.dtype == np.int8
    assert np.all(np.diff(truth.peaks) > 0)
    assert truth.peaks[0] >= 0
    assert truth.peaks[-1] < recording.n_samples


@pytest.mark.parametrize("block_s", [0.31, 10.0, 30.0, 47.3, 500.0])
def test_blocks_joined_are_the_whole_recording(block_s: float) -> None:
    blocks = list(stream(NOISY, 123.4, block_s))
    signal, peaks, symbols = joined(blocks)
    recording, truth = simulate(123.4, seed=11, noise_mv=0.05, dropouts_per_hour=100)
    np.testing.assert_array_equal(signal, recording.signal_mv)
    np.testing.assert_array_equal(peaks, truth.peaks)
    np.testing.assert_array_equal(symbols, truth.symbols)
    assert {len(b.signal_mv) for b in blocks[:-1]} <= {round(block_s * 360)}
    for block in blocks:
        inside = block.beats.peaks - block.offset
        assert np.all((inside >= 0) & (inside < len(block.signal_mv)))
        assert len(block.episodes) == len(block.beats)
        assert len(block.dropped) == len(block.signal_mv)


@pytest.mark.parametrize("page_s", [7.0, 11.3])
def test_beats_at_the_border_of_a_page_are_complete(
    page_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"seed": 5, "rhythm": "atrial fibrillation", "v_share": 0.1, "wander_mv": 0.1}
    quiet = {"noise_mv": 0.0, "dropouts_per_hour": 200}
    recording, truth = simulate(120, 200, **settings, **quiet)
    monkeypatch.setattr("ectopy.simulate.blocks.PAGE_S", page_s)
    again, truth_again = simulate(120, 200, **settings, **quiet)
    np.testing.assert_allclose(again.signal_mv, recording.signal_mv, atol=1e-5)
    np.testing.assert_array_equal(again.signal_mv.shape, recording.signal_mv.shape)
    np.testing.assert_array_equal(truth_again.peaks, truth.peaks)


def test_a_longer_recording_begins_with_the_shorter_one() -> None:
    short, short_truth = simulate(45, seed=6)
    long, long_truth = simulate(100, seed=6)
    np.testing.assert_array_equal(long.signal_mv[: short.n_samples], short.signal_mv)
    np.testing.assert_array_equal(long_truth.peaks[: len(short_truth)], short_truth.peaks)


def test_the_same_seed_gives_the_same_recording_and_another_does_not() -> None:
    first, truth = simulate(30, seed=1)
    again, truth_again = simulate(30, seed=1)
    other, truth_other = simulate(30, seed=2)
    np.testing.assert_array_equal(first.signal_mv, again.signal_mv)
    np.testing.assert_array_equal(truth.symbols, truth_again.symbols)
    assert not np.allclose(first.signal_mv, other.signal_mv, atol=0.1)
    assert truth.peaks.tolist() != truth_other.peaks.tolist()


@pytest.mark.parametrize("fs", [50.0, 128.0, 250.0, 257.3, 1000.0, 2000.0])
def test_another_sampling_frequency_samples_the_same_beats(fs: float) -> None:
    recording, truth = simulate(180, fs, seed=9, **CLEAN)
    reference, expected = simulate(180, 360.0, seed=9, **CLEAN)
    assert truth.symbols.tolist() == expected.symbols.tolist()
    np.testing.assert_allclose(
        truth.peaks / fs, expected.peaks / 360.0, rtol=0, atol=0.5 / fs + 0.5 / 360.0 + 1e-9
    )
    # And the same signal, which is what its value at the beats and at rest says.
    if fs > 360:
        times_s = np.arange(reference.n_samples) / 360.0
        places_s = np.arange(recording.n_samples) / fs
        signal = np.interp(times_s, places_s, recording.signal_mv[:, 0])
        unpaced = np.ones(len(times_s), dtype=bool)
        for peak in expected.peaks[expected.symbols == "/"]:
            unpaced[max(0, peak - 15) : peak] = False  # the spike is blunter at a lower rate
        np.testing.assert_allclose(
            signal[unpaced], reference.signal_mv[unpaced, 0], atol=0.03, rtol=0
        )


def test_an_endless_stream_does_not_end() -> None:
    blocks = list(islice(stream(Simulation(fs=100)), 20))
    assert [b.offset for b in blocks] == [1000 * i for i in range(20)]
    assert joined(blocks)[0].shape == (20_000, 2)


def test_a_long_stream_takes_no_more_memory_than_a_short_one() -> None:
    blocks = stream(Simulation(fs=50, dropouts_per_hour=60, seed=1), block_s=60)
    for _ in islice(blocks, 10):  # for caches to fill
        pass
    tracemalloc.start()
    try:
        for _ in islice(blocks, 10):
            pass
        early, _ = tracemalloc.get_traced_memory()
        for _ in islice(blocks, 3 * 60):  # three hours
            pass
        late, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late - early < 200_000
    assert peak < 5_000_000  # three hours of signal alone would be 4.3 MB, its truth apart


def test_demo_is_a_recording_of_360_hz() -> None:
    recording, truth = demo(60)
    assert (recording.name, recording.fs, recording.n_samples) == ("demo", 360.0, 21_600)
    assert len(truth) > 50


@pytest.mark.parametrize("seed", range(4))
def test_a_beat_finder_finds_the_beats_of_clean_sinus_rhythm(seed: int) -> None:
    import sleepecg

    recording, truth = simulate(300, seed=seed, rhythm="sinus", **CLEAN)
    found = sleepecg.detect_heartbeats(recording.signal_mv[:, 0].astype(np.float64), 360)
    nearest_s = np.abs(found[:, None] - truth.peaks).min(axis=0) / 360
    assert np.mean(nearest_s < 0.05) >= 0.99
    assert len(found) <= 1.01 * len(truth)
