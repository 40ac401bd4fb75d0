"""Noise at a level: amplitudes by hand, and the mixture against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.beats import ReferenceBeats
from ectopy.errors import SignalError
from ectopy.evaluation.noise import (
    calibration_peaks,
    mix_noise,
    noise_amplitude,
    noise_gains,
    qrs_amplitude,
)

FS = 100


def spikes(n_samples: int, heights: dict[int, float]) -> np.ndarray:
    signal = np.zeros((n_samples, 1))
    for at, height in heights.items():
        signal[at] = height
    return signal


def clean(seconds: int, leads: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Two leads with a beat each second, the second lead of three times the height."""
    time_s = np.arange(seconds * FS) / FS
    beat = np.exp(-(((time_s % 1.0 - 0.5) / 0.03) ** 2))
    return np.stack([beat * 3**lead for lead in range(leads)], axis=1), np.arange(50, len(beat), FS)


def test_calibration_is_on_all_but_ventricular_and_fusion_beats():
    symbols = list("NLRBAaJSejnQ/fVEFr+~")
    beats = ReferenceBeats.from_annotations(np.arange(len(symbols)), symbols)
    chosen = beats.symbols[np.isin(beats.peaks, calibration_peaks(beats))]
    assert "".join(chosen) == "NLRAaJSejQ/f"


def test_qrs_amplitude_is_the_range_within_50_ms():
    peaks = np.array([100])
    assert qrs_amplitude(spikes(200, {95: 2.0, 105: -1.0}), FS, peaks).tolist() == [3.0]
    assert qrs_amplitude(spikes(200, {94: 9.0, 95: 2.0, 106: -9.0}), FS, peaks).tolist() == [2.0]
    # 18 samples at 360 Hz, and at 250 Hz 12.5, rounded up.
    assert qrs_amplitude(spikes(200, {118: 2.0, 119: 9.0}), 360, peaks).tolist() == [2.0]
    assert qrs_amplitude(spikes(200, {113: 2.0, 114: 9.0}), 250, peaks).tolist() == [2.0]


def test_qrs_amplitude_leaves_out_a_twentieth_at_each_end():
    peaks = np.arange(20, 20 * 41, 20)
    heights = dict(
        zip(peaks.tolist(), [1000.0, 900.0, 1e-3, 1e-3, *[2.0] * 18, *[4.0] * 18], strict=True)
    )
    assert qrs_amplitude(spikes(900, heights), FS, peaks).tolist() == [3.0]


def test_qrs_amplitude_is_of_the_first_300_beats():
    peaks = np.arange(20, 20 * 321, 20)
    heights = {int(at): 1.0 if row < 300 else 50.0 for row, at in enumerate(peaks)}
    assert qrs_amplitude(spikes(7000, heights), FS, peaks).tolist() == [1.0]


def test_beats_at_the_ends_and_in_gaps_are_passed_over():
    signal = spikes(300, {2: 9.0, 100: 1.0, 298: 9.0})
    signal[200] = np.nan
    assert qrs_amplitude(signal, FS, np.array([2, 100, 199, 298])).tolist() == [1.0]


def test_noise_amplitude_ignores_what_changes_from_second_to_second():
    # A square wave of 0.5 mV about a level that jumps by 3 mV each second.
    wave = 0.5 * (-1.0) ** np.arange(1000) + 3.0 * (np.arange(1000) // FS)
    assert noise_amplitude(wave.reshape(-1, 1), FS).tolist() == pytest.approx([0.5])


def test_noise_amplitude_is_trimmed_and_of_the_first_300_seconds():
    sign = (-1.0) ** np.arange(FS)
    levels = [*[100.0] * 15, *[0.0] * 15, *[1.0] * 135, *[3.0] * 135, *[50.0] * 40]
    noise = np.concatenate([level * sign for level in levels]).reshape(-1, 1)
    assert noise_amplitude(noise, FS).tolist() == pytest.approx([2.0])


def test_gain_of_a_known_ratio():
    # P = 2 mV gives a power of 0.5; noise of 0.5 mV times sqrt(2) gives the same.
    assert noise_gains(np.array([2.0]), np.array([0.5]), 0.0) == pytest.approx([np.sqrt(2)])
    assert noise_gains(np.array([2.0]), np.array([0.5]), 20.0) == pytest.approx([np.sqrt(2) / 10])
    assert noise_gains(np.array([2.0]), np.array([0.5]), -6.0) == pytest.approx(
        [np.sqrt(2) * 10**0.3]
    )


def plain_mixture(signal, noise, gains, changes, first):
    """Add noise sample by sample with offsets that let no gain change make a step.

    `changes` maps a sample to whether there is noise from it on.
    """
    mixed = np.empty_like(signal)
    offset, gain, at = 0.0, np.zeros(len(gains)), first - 1
    for sample in range(len(signal)):
        if sample in changes:
            new = gains if changes[sample] else np.zeros(len(gains))
            offset = offset + (gain - new) * noise[at]
            gain = new
        after = (first + sample) % len(noise)
        if after == 0:  # the noise starts over, without a step
            offset = offset + gain * (noise[at] - noise[0])
        at = after
        mixed[sample] = signal[sample] + gain * noise[at] + offset
    return mixed


@pytest.mark.parametrize(
    ("schedule", "minutes"), [("continuous", {1}), ("alternating", {1: True, 3: False, 5: True})]
)
@pytest.mark.parametrize("offset_s", [0, 7])
def test_mixture_against_a_plain_loop(schedule, minutes, offset_s):
    signal, peaks = clean(6 * 60)
    rng = np.random.default_rng(5)
    noise = np.cumsum(rng.standard_normal((90 * FS, 2)), axis=0) + 40
    gains = noise_gains(qrs_amplitude(signal, FS, peaks), noise_amplitude(noise, FS), 6.0)
    changes = {minute * 60 * FS: on for minute, on in dict.fromkeys(minutes, True).items()} | (
        {m * 60 * FS: on for m, on in minutes.items()} if isinstance(minutes, dict) else {}
    )
    mixed = mix_noise(
        signal,
        FS,
        peaks,
        noise,
        FS,
        6.0,
        schedule=schedule,
        start_s=60,
        noise_offset_s=offset_s,
    )
    expected = plain_mixture(signal, noise, gains, changes, offset_s * FS)
    assert mixed.dtype == np.float32
    assert np.abs(mixed - expected).max() < 1e-3
    assert (mixed[: 60 * FS] == signal[: 60 * FS].astype(np.float32)).all()
    assert np.abs(mixed[60 * FS :] - signal[60 * FS :]).max() > 1.0


@pytest.mark.parametrize("snr_db", [24.0, 0.0, -6.0])
def test_the_ratio_is_what_was_asked_for_in_each_lead(snr_db):
    signal, peaks = clean(400)
    noise = np.random.default_rng(2).standard_normal((400 * FS, 1)) * [[0.2, 5.0]]
    added = mix_noise(signal, FS, peaks, noise, FS, snr_db, start_s=0) - signal
    powers = qrs_amplitude(signal, FS, peaks) ** 2 / 8, noise_amplitude(added, FS) ** 2
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx([snr_db, snr_db], abs=0.01)


def test_calibration_on_other_noise():
    signal, peaks = clean(20)
    noise = np.random.default_rng(3).standard_normal((20 * FS, 2))
    options = {"start_s": 0, "noise_amplitude_mv": 2 * noise_amplitude(noise, FS)}
    softer = mix_noise(signal, FS, peaks, noise, FS, 0.0, **options) - signal
    usual = mix_noise(signal, FS, peaks, noise, FS, 0.0, start_s=0) - signal
    assert softer == pytest.approx(usual / 2, abs=1e-5)


def test_one_lead_stays_one_dimensional_and_channels_come_in_turn():
    signal, peaks = clean(20, leads=3)
    noise = np.random.default_rng(4).standard_normal((20 * FS, 2))
    together = mix_noise(signal, FS, peaks, noise, FS, 3.0, start_s=5)
    for lead, channel in enumerate([0, 1, 0]):
        alone = mix_noise(signal[:, lead], FS, peaks, noise[:, channel], FS, 3.0, start_s=5)
        assert alone.shape == (20 * FS,)
        assert (alone == together[:, lead]).all()


def test_noise_of_another_sampling_frequency_is_resampled():
    signal, peaks = clean(60, leads=1)
    hum = np.sin(2 * np.pi * 7 * np.arange(60 * 360) / 360)
    added = mix_noise(signal, FS, peaks, hum, 360, 0.0, start_s=0) - signal
    spectrum = np.abs(np.fft.rfft(added[:, 0]))
    assert np.fft.rfftfreq(60 * FS, 1 / FS)[spectrum[1:].argmax() + 1] == pytest.approx(7.0)


def test_missing_samples_stay_missing():
    signal, peaks = clean(20, leads=1)
    signal[777] = np.nan
    noise = np.random.default_rng(6).standard_normal(20 * FS)
    mixed = mix_noise(signal, FS, peaks, noise, FS, 3.0, start_s=5)
    assert np.flatnonzero(np.isnan(mixed)).tolist() == [777]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"schedule": "at night"},
            "unknown schedule 'at night'; choose one of: continuous, alternating",
        ),
        (
            {"peaks": np.empty(0, np.int64)},
            "there are no beats to measure the signal by; give the reference beats' peaks",
        ),
        (
            {"noise_mv": np.ones(FS - 1)},
            "there are no seconds of noise; give noise longer than a second",
        ),
        (
            {"noise_mv": np.ones(10 * FS)},
            "amplitudes are [0.0] mV; each must be above 0 to be scaled by",
        ),
    ],
)
def test_what_cannot_be_mixed(change, message):
    signal, peaks = clean(10, leads=1)
    options = {"peaks": peaks, "noise_mv": np.random.default_rng(0).standard_normal(500)} | change
    with pytest.raises(SignalError) as error:
        mix_noise(signal, FS, noise_fs=FS, snr_db=6.0, **options)
    assert str(error.value) == message
