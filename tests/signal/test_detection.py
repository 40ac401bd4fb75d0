"""Finding beats on made-up signals, whose beats are known, and on real ones."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.readers import read, read_annotations
from ectopy.signal.conditioning import resample
from ectopy.signal.detection import detect_beats, refine_peaks

FS = 250.0


def make_ecg(
    beat_times_s: np.ndarray, duration_s: float, fs: float = FS, noise_mv: float = 0.02
) -> np.ndarray:
    """Beats with a P wave, a sharp QRS complex of 1 mV and a T wave, on noise and wander."""
    time_s = np.arange(0, duration_s, 1 / fs)
    ecg = np.random.default_rng(0).normal(0, noise_mv, len(time_s))
    ecg += 0.3 * np.sin(2 * np.pi * 0.2 * time_s)
    for beat in beat_times_s:
        # Nothing of a beat is left half a second away.
        near = slice(max(0, int((beat - 0.5) * fs)), max(0, int((beat + 0.5) * fs)))
        for delay, width, height in (
            (-0.16, 0.025, 0.12),
            (-0.025, 0.008, -0.15),
            (0, 0.01, 1.0),
            (0.028, 0.009, -0.25),
            (0.25, 0.045, 0.3),
        ):
            ecg[near] += height * np.exp(-(((time_s[near] - beat - delay) / width) ** 2) / 2)
    return ecg.astype(np.float32)


def beat_times(duration_s: float, mean_rr_s: float = 0.8) -> np.ndarray:
    random = np.random.default_rng(1)
    intervals = random.uniform(0.7, 1.3, size=int(2 * duration_s / mean_rr_s)) * mean_rr_s
    times = 0.5 + intervals.cumsum()
    return times[times < duration_s - 0.3]


def counts(found: np.ndarray, true: np.ndarray, tolerance: float) -> tuple[int, int]:
    """Beats missed and beats made up; every beat is the nearest of at most one other."""
    missed = sum(np.abs(found - peak).min(initial=10**9) > tolerance for peak in true)
    made_up = sum(np.abs(true - peak).min(initial=10**9) > tolerance for peak in found)
    return int(missed), int(made_up)


@pytest.mark.parametrize("fs", [50.0, 128.0, 250.0, 257.3, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("rr_s", [0.4, 0.8, 1.6, 2.5])
def test_every_beat_is_found_at_its_peak(fs, rr_s):
    times = beat_times(60, rr_s)
    found = detect_beats(make_ecg(times, 60, fs), fs)
    true = np.round(times * fs).astype(np.int64)
    assert found.dtype == np.int64
    assert len(found) == len(true)
    assert np.abs(found - true).max() <= max(1, 0.008 * fs)


def test_neither_polarity_nor_gain_nor_offset_matter():
    ecg = make_ecg(beat_times(60), 60, noise_mv=0.08)
    expected = detect_beats(ecg, FS)
    for changed in (-ecg, 0.001 * ecg, 1000 * ecg, ecg + 3, ecg.astype(np.float64)):
        np.testing.assert_array_equal(detect_beats(changed, FS), expected)


@pytest.mark.parametrize("slice_s", [0.0, 20.0, 37.7, 150.0])
def test_slices_give_the_beats_of_one_pass(slice_s):
    ecg = make_ecg(beat_times(600), 600, noise_mv=0.1)
    expected = detect_beats(ecg, FS, slice_s=1e9)
    np.testing.assert_array_equal(detect_beats(ecg, FS, slice_s=slice_s), expected)


@pytest.mark.parametrize("shift", range(-12, 13, 3))
def test_a_beat_on_the_border_of_two_slices_is_neither_lost_nor_doubled(shift):
    # Slices of 60 s, so that one border lies at 60 s.
    times = np.arange(0.6, 119.5, 0.8)
    times += 60 + shift / FS - times[np.abs(times - 60).argmin()]
    ecg = make_ecg(times, 120)
    assert len(detect_beats(ecg, FS, slice_s=60)) == len(times)


@pytest.mark.parametrize("duration_s", [1.0, 1.5, 2.0, 3.1])
def test_short_signals(duration_s):
    times = np.arange(0.5, duration_s - 0.2, 0.8)
    found = detect_beats(make_ecg(times, duration_s), FS)
    np.testing.assert_allclose(found / FS, times, atol=0.008)


def test_nothing_is_found_in_gaps_and_flat_stretches():
    times = beat_times(120)
    ecg = make_ecg(times, 120)
    ecg[int(20 * FS) : int(45 * FS)] = np.nan
    ecg[int(60 * FS) : int(85 * FS)] = 0.123
    found = detect_beats(ecg, FS) / FS
    known = ((times < 20) | (times > 45)) & ((times < 60) | (times > 85))
    assert not ((found > 20.1) & (found < 44.9)).any()
    assert not ((found > 60.1) & (found < 84.9)).any()
    # Beats that the border cuts in two may be found or not.
    whole = known & (np.abs(times[:, None] - [20, 45, 60, 85]).min(axis=1) > 0.4)
    assert counts(found, times[whole], 0.02)[0] == 0
    assert counts(found, times[known], 0.02)[1] <= 4


@pytest.mark.parametrize("where", [slice(0, 30), slice(90, 120)])
def test_a_lead_that_is_off_at_one_end(where):
    times = beat_times(120)
    ecg = make_ecg(times, 120)
    off = slice(int(where.start * FS), int(where.stop * FS))
    ecg[off] = 0.0
    found = detect_beats(ecg, FS) / FS
    inside = (times > where.stop + 0.4) | (times < where.start - 0.4)
    assert counts(found, times[inside], 0.02)[0] == 0
    assert not ((found > where.start + 0.1) & (found < where.stop - 0.1)).any()


def test_single_missing_samples_do_no_harm():
    times = beat_times(60)
    ecg = make_ecg(times, 60)
    expected = detect_beats(ecg, FS)
    ecg[np.random.default_rng(2).random(len(ecg)) < 0.05] = np.nan
    found = detect_beats(ecg, FS)
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() <= 2


def test_a_flat_signal_with_one_step_has_no_beat_away_from_the_step():
    step = np.zeros(5000, dtype=np.float32)
    step[2500:] = 1.0
    assert np.abs(detect_beats(step, FS) - 2500).max(initial=0) < 0.5 * FS


@pytest.mark.parametrize(
    "signal",
    [
        np.linspace(0, 1, 5000),
        5 + np.sin(2 * np.pi * 0.1 * np.arange(5000) / FS),
        np.append(np.zeros(2000), 1.0),
    ],
    ids=["ramp", "wander", "last sample"],
)
def test_no_beats_are_an_empty_array(signal):
    found = detect_beats(signal, FS)
    assert found.dtype == np.int64
    assert found.shape == (0,)


# --- refining --------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("error", [-20, -7, 0, 13, 24])
def test_peaks_move_to_the_largest_deflection(sign, error):
    times = np.arange(0.5, 29, 0.8)
    true = np.round(times * FS).astype(np.int64)
    found = refine_peaks(sign * make_ecg(times, 30), FS, true + error)
    assert np.abs(found - true).max() <= 1


def test_refined_peaks_are_at_least_200_ms_apart_and_the_stronger_stays():
    true = np.array([500, 700])
    ecg = make_ecg(true / FS, 6)
    found = refine_peaks(ecg, FS, np.array([485, 490, 500, 520, 700]))
    assert np.abs(found - true).max() <= 1
    ecg[530] += 0.4  # a spike 120 ms after the first beat
    found = refine_peaks(ecg, FS, np.array([500, 530, 700]))
    assert np.abs(found - true).max() <= 1


def test_a_chain_of_close_peaks_loses_only_the_weak_ones():
    ecg = np.zeros(2500, dtype=np.float32)
    for place, height in ((1000, 1.0), (1035, 0.5), (1070, 0.8)):
        ecg += height * np.exp(-(((np.arange(2500) - place) / 3.0) ** 2))
    found = refine_peaks(ecg, FS, np.array([1000, 1035, 1070]))
    assert np.abs(found - [1000, 1070]).max() <= 1


def test_refining_again_changes_nothing():
    ecg = make_ecg(beat_times(60), 60, noise_mv=0.1)
    peaks = detect_beats(ecg, FS)
    np.testing.assert_array_equal(refine_peaks(ecg, FS, peaks), peaks)


def test_peaks_at_the_edges_stay_inside():
    ecg = make_ecg(np.array([0.0, 2.0, 4.0]), 4.0)
    found = refine_peaks(ecg, FS, np.array([0, 500, 999]))
    assert found[0] >= 0
    assert found[-1] <= 999


def test_no_peaks_stay_no_peaks():
    found = refine_peaks(make_ecg(beat_times(10), 10), FS, np.array([], dtype=np.int64))
    assert found.shape == (0,)
    assert found.dtype == np.int64


@pytest.mark.parametrize("peak", [-1, 2500])
def test_peaks_outside_the_signal_are_refused(peak):
    message = f"peak {peak} lies outside the signal of 2500 samples; check its fs"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        refine_peaks(make_ecg(beat_times(10), 10), FS, np.array([peak]))


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "fs", "message"),
    [
        (
            np.zeros((1000, 2)),
            FS,
            "expected one lead with shape (samples,), got shape (1000, 2); pass one column",
        ),
        (
            np.arange(249.0),
            FS,
            "a signal of 249 samples at 250 Hz is too short; beats need at least 1 s",
        ),
        (np.zeros(0), FS, "a signal of 0 samples at 250 Hz is too short; beats need at least 1 s"),
        (np.full(500, np.nan), FS, "all 500 samples are missing; choose another lead"),
        (np.full(500, 0.25), FS, "the signal is constant at 0.25 mV; choose another lead"),
        (
            np.arange(500.0),
            49.9,
            "sampling frequency 49.9 Hz is not usable; beats need at least 50 Hz",
        ),
        (np.arange(500.0), 0, "sampling frequency 0 Hz is not usable; beats need at least 50 Hz"),
        (
            np.arange(500.0),
            np.nan,
            "sampling frequency nan Hz is not usable; beats need at least 50 Hz",
        ),
        (
            np.arange(500.0),
            np.inf,
            "sampling frequency inf Hz is not usable; beats need at least 50 Hz",
        ),
    ],
)
def test_what_no_beats_can_be_sought_in(signal, fs, message):
    for call in (detect_beats, lambda x, rate: refine_peaks(x, rate, np.array([1]))):
        with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
            call(signal, fs)


# --- real records --------------------------------------------------------------------------------

# What the detector did when it was made, as upper limits: it may get better, not worse.
# Record: beats missed, beats made up, 95th percentile of the timing error in ms.
KNOWN = {
    "100": (0, 0, 3),
    "114": (2, 8, 3),
    "119": (0, 2, 6),
    "203": (45, 25, 15),
    "208": (15, 10, 30),
    "228": (55, 20, 3),
}


@pytest.mark.parametrize("record", KNOWN)
def test_real_records_do_not_get_worse(mitdb_dir, record):
    recording, truth = read(mitdb_dir / record), read_annotations(mitdb_dir / record)
    found = detect_beats(recording.lead()[1], recording.fs)
    missed, made_up = counts(found, truth.peaks, 0.150 * recording.fs)
    nearest = np.abs(found[:, None] - truth.peaks).min(axis=1)
    late_ms = 1000 * np.percentile(nearest[nearest <= 54], 95) / recording.fs
    most_missed, most_made_up, latest_ms = KNOWN[record]
    assert missed <= most_missed
    assert made_up <= most_made_up
    assert late_ms <= latest_ms


def test_slices_and_rates_hardly_matter_on_a_real_record(mitdb_dir):
    recording = read(mitdb_dir / "203")
    lead = recording.lead()[1]
    expected = detect_beats(lead, 360, slice_s=1e9)
    np.testing.assert_array_equal(detect_beats(lead, 360, slice_s=45), expected)
    at_250 = detect_beats(resample(lead, 360, 250), 250) * 360 / 250
    missed, made_up = counts(at_250, expected, 54)
    assert missed + made_up < 0.01 * len(expected)


@pytest.mark.slow
def test_the_whole_database_does_not_get_worse(mitdb_dir):
    missed, total, made_up = np.zeros(5, int), np.zeros(5, int), 0
    for header in sorted(mitdb_dir.glob("*.hea")):
        recording, truth = read(header), read_annotations(header)
        found = detect_beats(recording.lead()[1], recording.fs)
        distance = np.abs(found[:, None] - truth.peaks)
        is_missed = distance.min(axis=0) > 54
        missed += np.bincount(truth.classes[is_missed], minlength=5)
        total += np.bincount(truth.classes, minlength=5)
        made_up += int((distance.min(axis=1) > 54).sum())
    assert len(found) > 0
    assert missed.sum() <= 0.0020 * total.sum()
    assert made_up <= 0.0075 * total.sum()  # 207 has minutes of flutter, which is not annotated
    assert missed[2] <= 0.007 * total[2]
