"""Medians and percentiles are NumPy's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.order import (
    MOST_IN_NETWORK,
    ROW,
    long_median,
    median,
    median_network,
    percentile,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 17, 24, 61, 121, 1000])
def test_they_are_those_of_numpy(dtype, n):
    rng = np.random.default_rng(n)
    values = rng.normal(0, 1, (40, n, 3)).astype(dtype)
    values[:10] = np.round(values[:10])  # ties
    found = median(values, axis=-2)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.median(values, axis=-2))
    last = np.swapaxes(values, 1, 2)
    np.testing.assert_array_equal(median(last), np.median(last, axis=-1))
    for percent in (0.0, 20.0, 80.0, 92.0, 99.5, 100.0):
        expected = np.percentile(last, percent, axis=-1)
        np.testing.assert_array_equal(percentile(last, percent), expected)


def test_what_is_given_is_left_as_it_was():
    values = np.array([3.0, 1.0, 2.0])
    assert (float(median(values)), float(percentile(values, 50))) == (2.0, 2.0)
    assert values.tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 10, 1001, 1002])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_a_median_in_pieces_is_that_of_the_whole(n, scale):
    rng = np.random.default_rng(n)
    for decimals in (0, 1, 6):  # with many ties, and with few
        series = (scale * np.round(rng.normal(0, 2, n), decimals)).astype(np.float32)
        series[rng.random(n) < 0.1] = np.nan
        cuts = np.sort(rng.integers(0, n + 1, 3))
        found = long_median(lambda: np.split(series, cuts))  # noqa: B023
        known = series[~np.isnan(series)]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.median(known) if len(known) else np.nan)


def test_the_median_of_nothing():
    assert np.isnan(long_median(list))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 9, 12])
def test_a_network_finds_the_middle_of_whatever_there_is(n):
    # What orders all sequences of zeros and ones orders all sequences (Knuth, section 5.3.4).
    values = np.array(list(np.ndindex(*([2] * n))), dtype=np.float32).T[None]
    np.testing.assert_array_equal(median(values, axis=-2), np.median(values, axis=-2))


@pytest.mark.parametrize("n", range(1, MOST_IN_NETWORK + 3))
def test_networks_of_any_size(n):
    values = np.random.default_rng(n).normal(0, 1, (3, n, 257)).astype(np.float32)
    kept = values.copy()
    np.testing.assert_array_equal(median(values, axis=-2), np.median(values, axis=-2))
    np.testing.assert_array_equal(values, kept)
    comparisons = len(median_network(n))
    assert n < 2 or n - 1 <= comparisons <= n * n.bit_length() ** 2


def test_more_series_than_are_worked_on_at_a_time():
    values = np.random.default_rng(1).normal(0, 1, (130, 4, 300)).astype(np.float32)
    assert values[:, 0].size > 2 * ROW
    np.testing.assert_array_equal(median(values, axis=-2), np.median(values, axis=-2))
