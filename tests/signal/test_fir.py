"""Finite filters: equal to SciPy's, and the same wherever a part of a signal begins."""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve1d, uniform_filter1d
from scipy.signal import firwin, resample_poly

from ectopy.signal import fir
from ectopy.signal.fir import low_pass, resample_fir, running_mean

RATIOS = [(1, 3), (12, 25), (3, 25), (15, 16), (36, 25), (45, 16), (2, 1), (120, 257), (97, 89)]
AWKWARD = (3600, 2573)


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n).astype(np.float32)


def taps_for(up: int, down: int) -> np.ndarray:
    rate = max(up, down)
    return low_pass(20 * rate + 1, 1 / rate, 5.0, up)


def by_scipy(values: np.ndarray, taps: Any, up: int, down: int) -> np.ndarray:
    return resample_poly(values, up, down, window=taps / np.float32(up), padtype="edge")


# --- taps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "cutoff", "beta"), [(45, 0.2, 4.5), (41, 0.5, 5.0), (3, 0.9, 0.0)])
def test_taps_are_those_of_scipy(n, cutoff, beta):
    taps = low_pass(n, cutoff, beta)
    assert taps.dtype == np.float32
    np.testing.assert_allclose(taps, firwin(n, cutoff, window=("kaiser", beta)), atol=1e-7)


@pytest.mark.parametrize("up", [2, 7, 120])
def test_taps_of_every_phase_keep_a_constant(up):
    n = 20 * up + 1
    taps = low_pass(n, 1 / up, 5.0, up)
    sums = [taps[phase::up].sum(dtype=np.float64) for phase in range(up)]
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    # Nothing but that is done to them.
    np.testing.assert_allclose(taps, up * firwin(n, 1 / up, window=("kaiser", 5.0)), atol=2e-3)


# --- resampling ------------------------------------------------------------------------------


@pytest.mark.parametrize(("up", "down"), [*RATIOS, AWKWARD])
@pytest.mark.parametrize("n", [1, 2, 5, 19, 20, 21, 257, 5000])
def test_resampling_is_that_of_scipy(up, down, n):
    values, taps = noise(n), taps_for(up, down)
    found = resample_fir(values, taps, up, down)
    assert found.dtype == np.float32
    assert found.shape == (-(-n * up // down),)
    np.testing.assert_allclose(found, by_scipy(values, taps, up, down), atol=2e-6)


@pytest.mark.parametrize(("up", "down"), [(1, 3), (12, 25), (36, 25)])
def test_many_samples_are_resampled_as_by_scipy_too(up, down):
    values, taps = noise(300_000), taps_for(up, down)
    expected = by_scipy(values, taps, up, down)
    np.testing.assert_allclose(resample_fir(values, taps, up, down), expected, atol=2e-6)


@pytest.mark.parametrize("n", [1, 7, 8, 500, 50_000])
def test_a_filter_without_another_rate_is_a_convolution(n):
    values, taps = noise(n), low_pass(15, 0.6, 4.5)
    expected = convolve1d(values, taps, mode="nearest")
    np.testing.assert_allclose(resample_fir(values, taps, 1, 1), expected, atol=2e-6)


@pytest.mark.parametrize(("up", "down"), [(1, 3), (36, 25), (7, 1), (1, 1)])
def test_a_filter_of_a_single_tap_takes_samples(up, down):
    values = noise(40)
    found = resample_fir(values, np.ones(1, dtype=np.float32), up, down)
    expected = np.zeros(40 * up, dtype=np.float32)
    expected[::up] = values
    np.testing.assert_array_equal(found, expected[::down])


def test_double_precision_stays_double_precision():
    values, taps = noise(900).astype(np.float64), taps_for(36, 25).astype(np.float64)
    found = resample_fir(values, taps, 36, 25)
    assert found.dtype == np.float64
    expected = resample_poly(values, 36, 25, window=taps / 36, padtype="edge")
    np.testing.assert_allclose(found, expected, atol=1e-13)


@settings(deadline=None, max_examples=150)
@given(
    up=st.integers(1, 40),
    down=st.integers(1, 40),
    n=st.integers(1, 400),
    n_taps=st.integers(0, 60).map(lambda half: 2 * half + 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_ratio_any_length_and_any_filter(up, down, n, n_taps, seed):
    up, down = up // gcd(up, down), down // gcd(up, down)
    values, taps = noise(n, seed), noise(n_taps, seed + 1) / np.float32(8)
    found = resample_fir(values, taps, up, down)
    if up == down:
        expected = np.correlate(np.pad(values, n_taps // 2, mode="edge"), taps[::-1], "valid")
    else:
        expected = by_scipy(values, taps, up, down)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(
    ratio=st.sampled_from(RATIOS),
    first=st.integers(0, 40),
    rows=st.integers(1, 60),
    at_once=st.sampled_from([1, 50, 5000]),
    many=st.sampled_from([0, 30, 10**9]),
)
def test_a_part_is_a_slice_of_the_whole_however_it_is_worked_out(ratio, first, rows, at_once, many):
    up, down = ratio
    values, taps = noise(160 * down), taps_for(up, down)
    whole = resample_fir(values, taps, up, down)
    margin = -(-10 * max(up, down) // up // down) + 1  # rows
    first, stop = first + margin, first + margin + rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fir, "_AT_ONCE", at_once)
        patch.setattr(fir, "_ROWS_AT_ONCE", at_once * 4)
        patch.setattr(fir, "_MANY_ROWS", many)
        np.testing.assert_array_equal(resample_fir(values, taps, up, down), whole)
        part = values[(first - margin) * down : (stop + margin) * down]
        found = resample_fir(part, taps, up, down)
    found = found[margin * up : (margin + rows) * up]
    np.testing.assert_array_equal(found, whole[first * up : stop * up])


def test_samples_need_not_lie_side_by_side():
    leads, taps = noise(9000).reshape(-1, 3), taps_for(1, 3)
    expected = resample_fir(leads[:, 1].copy(), taps, 1, 3)
    np.testing.assert_array_equal(resample_fir(leads[:, 1], taps, 1, 3), expected)
    np.testing.assert_array_equal(leads.reshape(-1), noise(9000))  # nor is anything changed


# --- running means -----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 3, 15, 73, 127])
@pytest.mark.parametrize("n", [1, 2, 36, 73, 1000, 50_000])
def test_running_means_are_those_of_scipy(width, n):
    values = noise(n) + np.float32(3)
    found = running_mean(values, width)
    assert found.dtype == np.float32
    expected = uniform_filter1d(values, width, mode="nearest")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_leads_have_running_means_of_their_own():
    leads = noise(60_000).reshape(2, 3, -1)
    found = running_mean(leads, 73)
    for one, its in zip(leads.reshape(6, -1), found.reshape(6, -1), strict=True):
        np.testing.assert_array_equal(running_mean(one, 73), its)


@given(first=st.integers(0, 900), n=st.integers(1, 300), at_once=st.sampled_from([1, 100, 10**6]))
@settings(deadline=None)
def test_running_means_of_a_part_are_those_of_the_whole(first, n, at_once):
    values = noise(1300)
    whole = running_mean(values, 73)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fir, "_AT_ONCE", at_once)
        part = running_mean(values[first : first + n + 72], 73)
    np.testing.assert_array_equal(part[36:-36], whole[first + 36 : first + 36 + len(part) - 72])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_spoiled_value_spoils_its_surroundings_alone(bad):
    values = noise(1000)
    expected = running_mean(values, 73)
    values[500] = bad
    found = running_mean(values, 73)
    inside = np.abs(np.arange(1000) - 500) <= 36
    np.testing.assert_array_equal(found[~inside], expected[~inside])
    assert not (np.abs(found[inside]) < 1e20).any()


def test_the_mean_of_a_constant_is_that_constant():
    values = np.full(100_000, 0.7, dtype=np.float32)
    np.testing.assert_array_equal(running_mean(values, 73), values)
