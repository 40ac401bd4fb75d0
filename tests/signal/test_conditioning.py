"""Bridging gaps and changing the sampling frequency."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import SignalError
from ectopy.signal.conditioning import fill_missing, resample, rescale_peaks


def test_gaps_become_straight_lines_and_edges_are_held():
    signal = np.array([np.nan, 2.0, np.nan, np.nan, 5.0, np.inf], dtype=np.float32)
    filled, missing = fill_missing(signal)
    assert filled.tolist() == [2.0, 2.0, 3.0, 4.0, 5.0, 5.0]
    assert filled.dtype == np.float32
    assert missing.tolist() == [True, False, True, True, False, True]
    assert np.isnan(signal[0])  # the input is left alone


def test_a_signal_without_gaps_is_not_copied():
    signal = np.arange(5, dtype=np.float32)
    filled, missing = fill_missing(signal)
    assert filled is signal
    assert not missing.any()


def test_nothing_but_gaps_is_refused():
    with pytest.raises(SignalError, match=r"^all 3 samples are missing; choose another lead$"):
        fill_missing(np.full(3, np.nan))


def test_several_leads_are_refused():
    expected = "expected one lead with shape (samples,), got shape (5, 2); pass one column"
    with pytest.raises(SignalError, match=f"^{re.escape(expected)}$"):
        fill_missing(np.zeros((5, 2)))


def test_equal_frequencies_change_nothing():
    signal = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert resample(signal, 360, 360.0) is signal


@pytest.mark.parametrize("fs", [128, 250, 257.3, 500, 1000])
@pytest.mark.parametrize("to_fs", [128, 360])
def test_a_slow_wave_keeps_its_shape_and_its_place(fs, to_fs):
    def wave(rate: float) -> np.ndarray:
        time_s = np.arange(0, 20, 1 / rate)
        return 0.5 + np.sin(2 * np.pi * 7 * time_s) + 0.2 * np.cos(2 * np.pi * 23 * time_s)

    expected = wave(to_fs)
    found = resample(wave(fs), fs, to_fs)
    assert found.dtype == np.float32
    n = min(len(found), len(expected))
    assert abs(len(found) - len(expected)) <= 1
    inner = slice(to_fs // 4, n - to_fs // 4)
    np.testing.assert_allclose(found[inner], expected[inner], atol=0.01)


@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_an_offset_does_not_ring_at_the_edges(offset):
    signal = offset + np.linspace(0, 1, 500)
    found = resample(signal, 250, 360)
    np.testing.assert_allclose(found, offset + np.linspace(0, 1, 720), atol=0.01)


@pytest.mark.parametrize("fs", [100, 125, 250, 257.3, 500, 1000])
def test_an_offset_stays_the_same_from_sample_to_sample(fs):
    """As the filter of `resample_poly` does not keep it, to a thousandth."""
    signal = np.zeros(3000)
    signal[:1400] = 7.0  # with a median of 0
    held = resample(signal, fs, 360)[: int(1300 * 360 / fs)]
    np.testing.assert_allclose(held, 7, atol=1e-5)


def test_but_for_that_it_is_the_filter_of_scipy():
    from scipy.signal import resample_poly

    signal = np.random.default_rng(1).normal(0, 1, 900).astype(np.float32)
    expected = resample_poly(signal, 36, 25, padtype="edge")
    np.testing.assert_allclose(resample(signal, 250, 360), expected, atol=0.01)


def test_frequencies_above_the_new_limit_are_removed():
    time_s = np.arange(0, 10, 1 / 1000)
    assert np.abs(resample(np.sin(2 * np.pi * 200 * time_s), 1000, 128)[50:-50]).max() < 0.02


def test_leads_are_resampled_side_by_side():
    signal = np.random.default_rng(0).normal(size=(900, 2)).astype(np.float32)
    both = resample(signal, 250, 360)
    np.testing.assert_allclose(both[:, 1], resample(signal[:, 1], 250, 360), atol=1e-6)


@pytest.mark.parametrize("fs", [128.0, 250.0, 257.3, 500.0, 199.999])
def test_peaks_stay_on_their_waves_for_24_hours(fs):
    # One pulse at the end of each of the last seconds of a day. Only these are resampled, at the
    # place that whole ratios give them, for a day of signal takes long.
    n_samples = int(24 * 3600 * fs)
    peaks = np.array([n_samples - int(k * fs) for k in (5, 4, 3)])
    rescaled = rescale_peaks(peaks, fs, 360, 24 * 3600 * 361)
    # A day later the error against the true time is far below one heart beat ...
    assert np.abs(rescaled / 360 - peaks / fs).max() < 0.5
    # ... and none of it lies between peaks and signal, which share one ratio.
    lead = np.zeros(int(600 * fs), dtype=np.float32)
    near = np.array([int(599 * fs), int(300 * fs)])
    lead[near] = 1.0
    resampled = resample(lead, fs, 360)
    for peak in rescale_peaks(near, fs, 360, len(resampled)):
        around = resampled[peak - 5 : peak + 6]
        assert abs(int(around.argmax()) - 5) <= 1


@pytest.mark.slow
def test_a_day_of_signal_does_not_drift():
    fs = 257.3
    lead = np.zeros(int(24 * 3600 * fs), dtype=np.float32)
    peaks = np.array([1000, len(lead) // 2, len(lead) - 1000])
    lead[peaks] = 1.0
    resampled = resample(lead, fs, 360)
    for peak, true_s in zip(rescale_peaks(peaks, fs, 360, len(resampled)), peaks / fs, strict=True):
        assert abs(int(resampled[peak - 5 : peak + 6].argmax()) - 5) <= 1
        assert abs(peak / 360 - true_s) <= 1 / 360


@given(
    peaks=st.lists(st.integers(0, 10**8), max_size=20),
    fs=st.sampled_from([100.0, 128.0, 250.0, 257.3, 500.0, 1000.0]),
)
@settings(max_examples=50, deadline=None)
def test_there_and_back_is_within_half_a_sample_of_the_coarser(peaks, fs):
    peaks = np.unique(np.array(peaks, dtype=np.int64))
    there = rescale_peaks(peaks, fs, 360, 10**10)
    back = rescale_peaks(there, 360, fs, 10**10)
    assert there.dtype == np.int64
    assert np.abs(back - peaks).max(initial=0) <= max(1, fs / 360 / 2 + 0.5)


def test_peaks_stay_inside_the_resampled_signal():
    assert rescale_peaks(np.array([0, 999]), 250, 360, 1400).tolist() == [0, 1399]


@pytest.mark.parametrize("rate", [0, -360, np.nan, np.inf])
def test_an_unusable_frequency(rate):
    expected = f"sampling frequency {rate!r} Hz is not usable; expected a positive number"
    for fs, to_fs in ((rate, 360), (360, rate)):
        with pytest.raises(SignalError, match=f"^{re.escape(expected)}$"):
            resample(np.zeros(10), fs, to_fs)
        with pytest.raises(SignalError, match=f"^{re.escape(expected)}$"):
            rescale_peaks(np.array([1]), fs, to_fs, 10)


def test_an_absurd_ratio():
    with pytest.raises(
        SignalError,
        match=r"^cannot resample from 0\.001 to 360 Hz; check both sampling frequencies$",
    ):
        resample(np.zeros(10), 0.001, 360)


def test_missing_samples_must_be_filled_first():
    with pytest.raises(
        SignalError,
        match=r"^cannot resample a signal with missing samples; call fill_missing first$",
    ):
        resample(np.array([0.0, np.nan, 1.0]), 250, 360)


def test_an_empty_signal():
    with pytest.raises(SignalError, match=r"^cannot resample an empty signal of shape \(0,\);"):
        resample(np.zeros(0), 250, 360)
