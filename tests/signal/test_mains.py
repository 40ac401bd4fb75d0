"""Hum of the mains: found, measured, taken out."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.bands import piece_edges
from ectopy.signal.mains import Mains
from ectopy.simulate import simulate


def taken_out(signal: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    edges = piece_edges(fs, 0, int(len(signal) / fs), 1)
    return Mains(fs).take_out(signal.astype(np.float32), edges)


@pytest.mark.parametrize(("fs", "hz"), [(125, 50), (128.5, 60), (257.3, 60), (360, 50), (1000, 60)])
def test_a_hum_is_measured_and_taken_out(fs, hz):
    ecg = simulate(20, fs=fs, seed=1, mains_mv=0)[0].signal_mv[:, 0]
    hum = 0.3 * np.sin(2 * np.pi * hz * np.arange(len(ecg)) / fs + 1)
    rest, amplitudes = taken_out(ecg + hum, fs)
    np.testing.assert_allclose(amplitudes, 0.3, atol=0.02)
    assert np.abs(rest - ecg)[: int(19 * fs)].max() < 0.05


@pytest.mark.parametrize("fs", [60, 100, 250, 360])
def test_beats_and_noise_are_no_hum(fs):
    rng = np.random.default_rng(0)
    ecg = simulate(60, fs=fs, seed=1, mains_mv=0)[0].signal_mv[:, 0]
    for signal in (ecg, rng.normal(size=60 * fs), np.zeros(60 * fs)):
        rest, amplitudes = taken_out(signal, fs)
        assert (amplitudes > 0).mean() < 0.05
        assert rest.shape == signal.shape


def test_a_signal_without_hum_is_handed_back():
    signal = simulate(10, seed=1, mains_mv=0)[0].signal_mv[:, 0].astype(np.float32)
    assert Mains(360.0).take_out(signal, piece_edges(360.0, 0, 10, 1))[0] is signal


def test_harmonics_count():
    time_s = np.arange(0, 10, 1 / 1000)
    hum = np.sin(2 * np.pi * 50 * time_s) + np.sin(2 * np.pi * 150 * time_s)
    _, amplitudes = taken_out(hum, 1000)
    np.testing.assert_allclose(amplitudes, np.sqrt(2), rtol=1e-3)
