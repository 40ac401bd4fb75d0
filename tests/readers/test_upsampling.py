"""Leads brought to a higher sampling frequency."""

from __future__ import annotations

from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ectopy.readers.upsampling import MARGIN, REACH, _filter, upsampled

RATIOS = [(2, 1), (4, 1), (3, 2), (5, 4), (64, 25), (1000, 999)]


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_given_samples_stay_as_they_are(up, down):
    values = np.random.default_rng(1).normal(size=6 * down).astype(np.float32)
    out = upsampled(values, up, down)
    assert out.dtype == np.float32
    assert out.shape == (6 * up,)
    np.testing.assert_allclose(out[::up], values[::down], rtol=1e-6)


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_it_is_the_filter_of_scipy(up, down):
    values = np.random.default_rng(1).normal(size=6 * down).astype(np.float32)
    taps = _filter(up) / up
    expected = resample_poly(values.astype(np.float64), up, down, window=taps, padtype="edge")
    np.testing.assert_allclose(upsampled(values, up, down), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_a_constant_stays_constant(up, down):
    values = np.full(3 * down, 1.25, dtype=np.float32)
    np.testing.assert_allclose(upsampled(values, up, down), 1.25, rtol=1e-6)


@pytest.mark.parametrize(("up", "down"), [(2, 1), (4, 1), (3, 2), (64, 25)])
@pytest.mark.parametrize("hz", [1, 10, 40])
def test_a_wave_is_the_same_wave_at_the_same_time(up, down, hz):
    fs, n = 125 * down, 500 * down
    wave = np.sin(2 * np.pi * hz * down * np.arange(n) / fs + 0.3).astype(np.float32)
    out = upsampled(wave, up, down)
    expected = np.sin(2 * np.pi * hz * down * np.arange(len(out)) / (125 * up) + 0.3)
    inside = slice(REACH * up, -REACH * up)
    np.testing.assert_allclose(out[inside], expected[inside], atol=5e-3)


def test_missing_samples_stay_missing_up_to_the_next_given_one():
    values = np.array([1, np.nan, np.nan, 1, 1, np.nan], dtype=np.float32)
    out = upsampled(values, 3, 1)
    assert np.isnan(out).tolist() == np.repeat(np.isnan(values), 3).tolist()
    np.testing.assert_allclose(out[[0, 1, 2, 9, 12]], 1, rtol=1e-6)
    assert np.isnan(upsampled(np.full(4, np.nan, dtype=np.float32), 3, 2)).all()


def test_nothing_beside_a_gap_rings():
    values = np.full(100, 5, dtype=np.float32)
    values[40:60] = np.nan
    out = upsampled(values, 4, 1)
    np.testing.assert_allclose(out[~np.isnan(out)], 5, rtol=1e-6)


@settings(deadline=None, max_examples=80)
@given(
    up=st.integers(2, 12),
    down=st.integers(1, 11),
    seed=st.integers(0, 2**32 - 1),
    share_missing=st.sampled_from([0, 0.05, 0.5, 0.95]),
    data=st.data(),
)
def test_a_part_with_its_margin_is_a_slice_of_the_whole(up, down, seed, share_missing, data):
    down = min(down, up - 1)
    up, down = up // gcd(up, down), down // gcd(up, down)
    random = np.random.default_rng(seed)
    blocks = 120 // down
    values = random.normal(size=blocks * down).astype(np.float32)
    values[random.random(len(values)) < share_missing] = np.nan
    whole = upsampled(values, up, down)
    first = data.draw(st.integers(0, blocks - 1))
    stop = data.draw(st.integers(first + 1, blocks))
    margin = -(-MARGIN // down)
    padded = np.pad(values, margin * down, constant_values=np.nan)
    part = upsampled(padded[first * down : (stop + 2 * margin) * down], up, down)
    part = part[margin * up : -margin * up]
    np.testing.assert_array_equal(part, whole[first * up : stop * up])
