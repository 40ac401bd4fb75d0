"""What is measured of each second."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.bands import BLOCK_HZ, SecondMeasures, measure_bands, piece_edges
from ectopy.signal.mains import Mains


def measures(signal: np.ndarray, fs: float) -> SecondMeasures:
    n_seconds = int(len(signal) / fs)
    return measure_bands(signal.astype(np.float32), fs, Mains(fs), 0, 0, n_seconds)


@pytest.mark.parametrize("fs", [50.0, 90.1, 128.1, 257.3, 360.0, 333.3333])
@pytest.mark.parametrize("pieces", [1, 4, BLOCK_HZ])
def test_pieces_fill_their_seconds(fs, pieces):
    seconds = piece_edges(fs, 7, 1007, 1)
    edges = piece_edges(fs, 7, 1007, pieces)
    assert seconds.tolist() == np.ceil(np.arange(7, 1008) * fs).tolist()
    np.testing.assert_array_equal(edges[::pieces], seconds)
    assert (np.diff(edges) >= 1).all()
    assert np.ptp(np.diff(edges)) <= 2


@pytest.mark.parametrize("fs", [100.0, 257.3, 360.0])
@pytest.mark.parametrize(("hz", "loudest"), [(3.0, "slow"), (10.0, "qrs"), (19.0, "upper")])
def test_each_band_hears_its_own(fs, hz, loudest):
    wave = np.sin(2 * np.pi * hz * np.arange(round(20 * fs)) / fs)
    found = measures(wave, fs)
    levels = {name: float(np.median(getattr(found, name))) for name in ("slow", "qrs", "upper")}
    assert max(levels, key=levels.__getitem__) == loudest
    assert levels[loudest] > 0.4


def test_regularity_of_a_wave_and_of_noise():
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * 5 * np.arange(7200) / 360)
    assert measures(wave, 360.0).regular[1:-1].min() > 0.95
    assert np.quantile(measures(rng.normal(size=36_000), 360.0).regular, 0.9) < 0.45


def test_range_and_mean_are_the_signals_own():
    signal = 100 + np.sin(np.arange(1000) / 7)
    found = measures(signal, 250.0)
    seconds = signal.reshape(4, 250).astype(np.float32)
    np.testing.assert_array_equal(found.low, seconds.min(axis=1))
    np.testing.assert_array_equal(found.high, seconds.max(axis=1))
    np.testing.assert_allclose(found.mean, seconds.mean(axis=1), rtol=1e-4)
