"""What is in a simulated recording beside beats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ectopy.simulate import Simulation, dropouts, simulate, stream

CLEAN = {"noise_mv": 0.0, "wander_mv": 0.0, "mains_mv": 0.0}


def added(fs: float = 360.0, duration_s: float = 600, **settings: Any) -> np.ndarray:
    """What a noise setting adds to the clean signal, in mV."""
    noisy, truth = simulate(duration_s, fs, seed=1, **{**CLEAN, **settings})
    clean, clean_truth = simulate(duration_s, fs, seed=1, **CLEAN)
    np.testing.assert_array_equal(truth.peaks, clean_truth.peaks)
    np.testing.assert_array_equal(truth.symbols, clean_truth.symbols)
    return np.asarray(noisy.signal_mv - clean.signal_mv)


def spectrum(x: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(x), 1 / fs), np.abs(np.fft.rfft(x)) ** 2


@pytest.mark.parametrize("fs", [100.0, 360.0])
def test_noise_has_the_level_asked_for(fs: float) -> None:
    noise = added(fs, noise_mv=0.05)
    assert np.std(noise, axis=0) == pytest.approx([0.05, 0.05], rel=0.1)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.05


def test_noise_swells_and_ebbs() -> None:
    noise = added(noise_mv=0.05)[:, 0]
    levels = noise.reshape(-1, 360).std(axis=1)
    assert levels.max() > 1.8 * levels.min()


def test_noise_falls_off_towards_high_frequencies() -> None:
    hz, power = spectrum(added(noise_mv=0.05)[:, 0], 360.0)
    assert power[(hz > 5) & (hz < 20)].mean() > 4 * power[(hz > 120) & (hz < 180)].mean()


def test_wander_is_slow_and_has_the_level_asked_for() -> None:
    wander = added(wander_mv=0.3)
    assert np.std(wander, axis=0) == pytest.approx([0.3, 0.3], rel=0.15)
    hz, power = spectrum(wander[:, 0], 360.0)
    assert power[hz < 0.6].sum() > 0.999 * power.sum()


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 16.7])
def test_mains_hum_is_a_line_at_its_frequency(mains_hz: float) -> None:
    hum = added(mains_mv=0.1, mains_hz=mains_hz)
    assert np.ptp(hum[:, 0]) == pytest.approx(0.2, rel=0.02)
    hz, power = spectrum(hum[:, 0], 360.0)
    assert hz[power.argmax()] == pytest.approx(mains_hz, abs=0.01)
    assert power[np.abs(hz - mains_hz) < 0.5].sum() > 0.99 * power.sum()


def test_mains_hum_above_half_the_sampling_frequency_is_left_out() -> None:
    assert not added(fs=100.0, mains_mv=0.1, mains_hz=50.0).any()


def test_without_noise_the_signal_is_smooth() -> None:
    recording, _ = simulate(300, 1000.0, seed=2, rhythm="sinus", v_share=0.1, **CLEAN)
    bend = np.abs(np.diff(recording.signal_mv, n=2, axis=0))
    # A Gaussian of height 2.5 mV and 8 ms bends by at most 2.5 / 64 mV per ms squared.
    assert bend.max() < 2.5 / 64
    noisy, _ = simulate(300, 1000.0, seed=2, rhythm="sinus", v_share=0.1, noise_mv=0.05)
    assert np.abs(np.diff(noisy.signal_mv, n=2, axis=0)).max() > 2.5 / 64


@pytest.fixture(scope="module")
def interrupted() -> dict[str, Any]:
    settings = Simulation(seed=8, rhythm="sinus", dropouts_per_hour=120)
    blocks = list(stream(settings, 3600))
    return {
        "signal": np.concatenate([b.signal_mv for b in blocks]),
        "dropped": np.concatenate([b.dropped for b in blocks]),
        "peaks": np.concatenate([b.beats.peaks for b in blocks]),
        "spans": dropouts(settings, 3600),
        "whole": simulate(3600, seed=8, rhythm="sinus"),
    }


def test_dropouts_are_as_many_as_asked_for(interrupted: dict[str, Any]) -> None:
    spans = interrupted["spans"]
    assert len(spans) == pytest.approx(120, rel=0.25)
    assert np.all(spans[1:, 0] >= spans[:-1, 1])
    lengths = spans[:-1, 1] - spans[:-1, 0]
    assert lengths.min() >= 0.5
    assert lengths.max() <= 6


def test_dropout_lists_and_masks_agree(interrupted: dict[str, Any]) -> None:
    mask = np.zeros_like(interrupted["dropped"])
    for start_s, end_s in interrupted["spans"]:
        mask[int(np.ceil(start_s * 360)) : int(np.ceil(end_s * 360))] = True
    np.testing.assert_array_equal(interrupted["dropped"], mask)


def test_signal_lies_flat_in_a_dropout_and_recovers(interrupted: dict[str, Any]) -> None:
    signal, whole = interrupted["signal"], interrupted["whole"][0].signal_mv
    levels = set()
    for start_s, end_s in interrupted["spans"]:
        first, stop = int(np.ceil(start_s * 360)), int(np.ceil(end_s * 360))
        assert len(np.unique(signal[first:stop])) == 1
        levels.add(float(signal[first, 0]))
    assert levels == {0.0, 5.0, -5.0}
    alone = [
        end
        for (_, end), (following, _) in zip(
            interrupted["spans"][:-1], interrupted["spans"][1:], strict=True
        )
        if following - end > 5
    ]
    for end_s in alone:
        at = int(np.ceil(end_s * 360))
        assert np.abs(signal[at] - whole[at]).min() > 0.4
        later = slice(at + 4 * 360, at + 5 * 360 - 1)
        np.testing.assert_array_equal(signal[later], whole[later])


def test_beats_under_a_dropout_stay_in_the_truth(interrupted: dict[str, Any]) -> None:
    np.testing.assert_array_equal(interrupted["peaks"], interrupted["whole"][1].peaks)
    assert interrupted["dropped"][interrupted["peaks"]].sum() > 50


def test_no_dropouts_unless_asked_for() -> None:
    assert dropouts(Simulation(), 3600).shape == (0, 2)
    assert not any(block.dropped.any() for block in stream(Simulation(), 60))
