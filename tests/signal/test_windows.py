"""Windows around beats."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.windows import FLAT_MV, cut_windows, window_fits, zscore


def test_which_windows_fit():
    peaks = np.array([0, 127, 128, 500, 870, 871, 872, 999])
    fits = window_fits(peaks, 1000, 128, 128)
    assert fits.dtype == bool
    # The last sample that a window may use is n - 2: the published rule is strict.
    assert peaks[fits].tolist() == [128, 500, 870, 871]


def test_sides_may_differ():
    fits = window_fits(np.array([9, 10, 969, 970]), 1000, 10, 30)
    assert fits.tolist() == [False, True, True, False]


def test_no_beats():
    none = np.empty(0, dtype=np.int64)
    assert window_fits(none, 1000, 128, 128).shape == (0,)
    assert cut_windows(np.zeros(1000, dtype=np.float32), none, 128, 128).shape == (0, 256)
    assert zscore(np.empty((0, 256), dtype=np.float32)).shape == (0, 256)


@pytest.mark.parametrize(("before", "after"), [(128, 128), (40, 90), (1, 1), (300, 5)])
def test_windows_are_those_of_a_padded_signal(before, after):
    signal = np.random.default_rng(1).standard_normal(1000).astype(np.float32)
    peaks = np.array([0, 3, 127, 128, 500, 871, 872, 998, 999])
    padded = np.pad(signal, 400, mode="edge")
    expected = np.stack([padded[p + 400 - before : p + 400 + after] for p in peaks])
    found = cut_windows(signal, peaks, before, after)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_the_peak_lies_at_before():
    signal = np.zeros(600, dtype=np.float32)
    signal[300] = 1
    assert cut_windows(signal, np.array([300]), 128, 100)[0].argmax() == 128


def test_windows_are_copies():
    signal = np.zeros(600, dtype=np.float32)
    windows = cut_windows(signal, np.array([200, 210]), 128, 128)
    windows += 1
    assert not signal.any()


def test_a_recording_shorter_than_a_window():
    windows = cut_windows(np.array([1, 2, 3], dtype=np.float32), np.array([1]), 4, 4)
    assert windows.tolist() == [[1, 1, 1, 1, 2, 3, 3, 3]]


def test_zscore():
    windows = np.random.default_rng(2).normal(3, 7, (50, 256)).astype(np.float32)
    z = zscore(windows)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=1), 1, atol=1e-5)
    expected = (windows - windows.mean(1, keepdims=True)) / windows.std(1, keepdims=True)
    np.testing.assert_allclose(z, expected, atol=1e-5)


def test_zscore_forgets_gain_and_offset():
    windows = np.random.default_rng(3).standard_normal((5, 256)).astype(np.float32)
    np.testing.assert_allclose(zscore(windows * 4 - 9), zscore(windows), atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1.0, -250.0])
def test_a_flat_window_becomes_zeros(level):
    assert not zscore(np.full((2, 256), level, dtype=np.float32)).any()


def test_a_window_flatter_than_any_beat_becomes_zeros():
    wave = np.sqrt(2) * np.sin(np.arange(256) * np.pi / 16).astype(np.float32)[None]
    assert not zscore(0.9 * FLAT_MV * wave).any()
    np.testing.assert_allclose(zscore(1.1 * FLAT_MV * wave), wave, atol=1e-3)


def test_one_flat_window_leaves_the_others_alone():
    windows = np.random.default_rng(4).standard_normal((3, 256)).astype(np.float32)
    windows[1] = 2.5
    z = zscore(windows)
    assert not z[1].any()
    np.testing.assert_array_equal(z[[0, 2]], zscore(windows[[0, 2]]))
