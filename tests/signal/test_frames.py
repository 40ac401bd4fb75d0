"""Frames: what of a signal they keep, and that nothing far away changes them."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.errors import SignalError
from ectopy.signal.frames import BLOCK, FRAME_HZ, Rate, level_frames, resample_to_frames

RATES = [80, 100, 119.9, 120, 125, 128, 200, 250, 256, 257.3, 360, 499.7, 500, 512, 1000, 2000]


def make_ecg(duration_s: float, fs: float, rr_s: float = 0.8, noise_mv: float = 0.01):
    """QRS complexes of 1 mV every `rr_s` seconds from 0.5 s on, on noise."""
    time_s = np.arange(round(duration_s * fs)) / fs
    from_beat = (time_s - 0.5 + rr_s / 2) % rr_s - rr_s / 2
    ecg = np.exp(-((from_beat / 0.015) ** 2) / 2)
    ecg += np.random.default_rng(0).normal(0, noise_mv, len(time_s))
    return ecg.astype(np.float32)


def make_frames(signal: np.ndarray, fs: float, offset_mv: float = 0.0) -> np.ndarray:
    return level_frames(resample_to_frames(signal, fs, Rate.of(fs), offset_mv))


# --- rates -----------------------------------------------------------------------------------


@given(st.floats(80, 5000) | st.sampled_from(RATES))
def test_rates_are_close_to_120_hz_and_steps_hold_whole_blocks(fs):
    rate = Rate.of(fs)
    assert abs(rate.up / rate.down * fs / FRAME_HZ - 1) <= 0.002
    assert math.gcd(rate.up, rate.down) == 1
    frames = Fraction(rate.up, rate.down) * int(rate.samples_per_step)
    assert frames.denominator == 1
    assert frames % BLOCK == 0
    # Nothing shorter holds whole samples and whole blocks.
    for part in (2, 3, 5, *range(7, 120, 2)):
        assert rate.samples_per_step % part != 0 or (frames / part) % BLOCK != 0


@given(st.integers(80, 5000))
def test_whole_numbers_of_hz_are_met_exactly_with_a_step_of_a_second(fs):
    rate = Rate.of(fs)
    assert Fraction(rate.up, rate.down) == Fraction(120, fs)
    assert rate.samples_per_step == fs


@pytest.mark.parametrize(
    ("fs", "up", "down", "step"),
    [
        (120, 1, 1, 120),
        (360, 1, 3, 360),
        (250, 12, 25, 250),
        (125, 24, 25, 125),
        (512, 15, 64, 512),
        (257.3, 120, 257, 257),
        (119.9, 1, 1, 120),
        (80.3, 88, 59, 885),
    ],
)
def test_rates_of_usual_devices(fs, up, down, step):
    assert Rate.of(fs) == Rate(up, down)
    assert Rate.of(fs).samples_per_step == step


@pytest.mark.parametrize("fs", [0, -360, 79.9, math.nan, math.inf, "360", None])
def test_a_rate_that_is_not_usable(fs):
    message = f"sampling frequency {fs!r} Hz is not usable; beats need at least 80 Hz"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        Rate.of(fs)


# --- resampling ------------------------------------------------------------------------------


@pytest.mark.parametrize("fs", RATES)
def test_frames_cover_the_signal_and_keep_its_times(fs):
    rate = Rate.of(fs)
    n = round(10 * fs) + 1
    frames = resample_to_frames(make_ecg(n / fs, fs, noise_mv=0), fs, rate, 0.0)
    assert frames.dtype == np.float32
    assert len(frames) == math.ceil(Fraction(n * rate.up, rate.down))
    # The beats are half a second after the start and every 0.8 s then.
    highest = np.flatnonzero((frames[1:-1] > frames[:-2]) & (frames[1:-1] >= frames[2:])) + 1
    highest = highest[frames[highest] > 0.5]
    times = highest * rate.down / rate.up / fs
    np.testing.assert_allclose(times, 0.5 + 0.8 * np.arange(12), atol=0.6 / FRAME_HZ)


@pytest.mark.parametrize("fs", [125, 128, 250, 360, 500, 1000])
@pytest.mark.parametrize(("hz", "low", "high"), [(50, 0, 0.01), (60, 0, 0.01), (8, 0.98, 1.01)])
def test_mains_are_gone_and_waves_stay(fs, hz, low, high):
    wave = np.sin(2 * np.pi * hz * np.arange(20 * fs) / fs).astype(np.float32)
    frames = resample_to_frames(wave, fs, Rate.of(fs), 0.0)[240:-240]
    assert low <= math.sqrt(2) * frames.std() <= high


@pytest.mark.parametrize("fs", RATES)
def test_an_offset_stays_an_offset(fs):
    flat = np.full(round(5 * fs), 100.0, dtype=np.float32)
    assert np.abs(resample_to_frames(flat, fs, Rate.of(fs), 100.0)).max() == 0
    # The lead may drift to one later on: no wave may come of it.
    np.testing.assert_allclose(resample_to_frames(flat, fs, Rate.of(fs), 0.0), 100, rtol=1e-6)


# --- baseline and level ------------------------------------------------------------------------


@pytest.mark.parametrize("fs", [125, 250, 360, 500])
def test_neither_gain_nor_offset_matter_and_polarity_only_flips(fs):
    ecg = make_ecg(30, fs)
    frames = make_frames(ecg, fs)
    for gain in (0.2, 5, -1, -1000):
        np.testing.assert_allclose(
            make_frames(np.float32(gain) * ecg, fs), np.sign(gain) * frames, atol=2e-5
        )
    np.testing.assert_allclose(make_frames(ecg + 3, fs, 3.0), frames, atol=1e-4)


def test_a_slow_wave_under_the_beats_is_gone():
    ecg, time_s = make_ecg(60, 360), np.arange(60 * 360) / 360
    wander = 1.5 * np.sin(2 * np.pi * 0.1 * time_s) + 0.05 * time_s
    frames = make_frames(ecg, 360)
    disturbed = make_frames((ecg + wander).astype(np.float32), 360)
    assert np.abs(disturbed - frames)[120:-120].max() < 0.1


def test_a_usual_beat_reaches_1_4_and_an_artefact_is_compressed():
    ecg = make_ecg(60, 360)
    ecg[30 * 360 : 30 * 360 + 36] += 100
    frames = make_frames(ecg, 360)
    of_beats = np.maximum.reduceat(frames, np.arange(0, 25 * 120, 96))
    np.testing.assert_allclose(of_beats[1:-1], np.arcsinh(2), atol=0.1)
    assert 4 < frames.max() < 7


def test_leads_do_not_see_each_other():
    leads = np.stack([make_ecg(20, 120), -3 * make_ecg(20, 120, rr_s=1.1)])
    lost = np.zeros(leads.shape, dtype=bool)
    lost[0, 700:1300] = True
    together = level_frames(leads, lost)
    for one, its_lost, alone in zip(leads, lost, together, strict=True):
        np.testing.assert_array_equal(level_frames(one, its_lost), alone)


def test_the_level_does_not_collapse_in_a_gap():
    frames_mv = make_ecg(120, 120)
    lost = np.zeros(len(frames_mv), dtype=bool)
    lost[40 * 120 : 80 * 120] = True
    frames_mv[lost] = 0
    frames_mv[60 * 120] = 1e-4  # what rounding leaves on a bridged stretch
    frames = level_frames(frames_mv, lost)
    assert np.abs(frames[42 * 120 : 78 * 120]).max() < 1e-2
    # The beats after the gap are as high as those before.
    starts = np.arange(0, len(frames), BLOCK)
    highest = np.maximum.reduceat(frames, starts)
    np.testing.assert_allclose(highest[82:118], highest[2:38].mean(), atol=0.25)


@pytest.mark.parametrize("length_s", [0.5, 2, 3])
def test_the_level_does_not_stay_blind_after_a_burst(length_s):
    ecg = make_ecg(60, 120)
    expected = level_frames(ecg)
    burst = slice(30 * 120, round((30 + length_s) * 120))
    ecg[burst] += np.random.default_rng(1).normal(0, 20, burst.stop - burst.start)
    frames = level_frames(ecg)
    after = slice(burst.stop + 120, None)
    np.testing.assert_allclose(frames[after], expected[after], atol=0.15)


def test_between_beats_without_any_noise_the_level_is_that_of_the_beats():
    # With the flat lines between them marked, as they are in a made-up signal without noise.
    frames_mv = make_ecg(30, 120, rr_s=2, noise_mv=0)
    lost = frames_mv < 1e-6
    frames_mv[lost] = 0
    assert lost.mean() > 0.8
    frames = level_frames(frames_mv, lost)
    highest = np.maximum.reduceat(frames, np.arange(0, len(frames), 2 * BLOCK))
    np.testing.assert_allclose(highest, np.arcsinh(2), atol=0.1)


def test_where_nothing_is_known_nothing_is_seen():
    frames_mv = make_ecg(30, 120)
    frames = level_frames(frames_mv, np.ones(len(frames_mv), dtype=bool))
    assert np.abs(frames).max() < 1e-20


def test_a_constant_gives_zeros():
    assert np.abs(level_frames(np.full(1000, 0.7, dtype=np.float32))).max() == 0


# --- slices ------------------------------------------------------------------------------------

PAST_S, FUTURE_S = 11.8, 3.3


@pytest.mark.parametrize("with_gap", [False, True])
@pytest.mark.parametrize("fs", [120, 125, 250, 257.3, 360, 500])
def test_a_slice_has_the_frames_of_the_whole(fs, with_gap):
    rate = Rate.of(fs)
    step = int(rate.samples_per_step)
    n = round(200 * fs)
    ecg = make_ecg(200, fs, noise_mv=0.05)[:n] * np.linspace(0.2, 3, n, dtype=np.float32)
    lost = np.zeros(len(ecg), dtype=bool)
    if with_gap:  # with a little signal in between
        lost[round(60 * fs) : round(100 * fs)] = True
        lost[round(79.8 * fs) : round(80.2 * fs)] = False
        ecg[lost] = ecg[round(60 * fs)]

    def frames_of(part: slice) -> np.ndarray:
        frames = resample_to_frames(ecg[part], fs, rate, 0.1)
        places = np.arange(len(frames)) * rate.down // rate.up
        return level_frames(frames, lost[part][places] if with_gap else None)

    whole = frames_of(slice(None))
    for first in range(0, n - round(20 * fs), max(step, round(11 * fs) // step * step)):
        last = min(n, first + round(40 * fs))
        part = frames_of(slice(first, last))
        before = first // rate.down * rate.up
        start = 0 if first == 0 else math.ceil(PAST_S * FRAME_HZ)
        stop = len(part) if last == n else len(part) - math.ceil(FUTURE_S * FRAME_HZ)
        np.testing.assert_allclose(
            part[start:stop], whole[before + start : before + stop], atol=1e-6
        )
