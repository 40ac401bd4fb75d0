"""How simulated beats look, measured on the clean signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ectopy.simulate import simulate

CLEAN = {"noise_mv": 0.0, "wander_mv": 0.0, "mains_mv": 0.0}
FS = 1000.0
BEFORE, AFTER = 350, 500  # samples around a peak
EVERY_CLASS = {"s_share": 0.1, "v_share": 0.1, "f_share": 0.1, "paced_share": 0.15}
UPRIGHT_SEEDS = (1, 2, 3, 4, 5, 6)  # patients whose first ventricular focus is upright in MLII


def beats_of(symbol: str, duration_s: float = 300, **settings: Any) -> np.ndarray:
    """Stretches of clean signal around the beats of one symbol, shape (beats, samples, leads)."""
    recording, truth = simulate(duration_s, FS, **{**CLEAN, **settings})
    peaks = truth.peaks[truth.symbols == symbol]
    inside = (peaks >= BEFORE) & (peaks < recording.n_samples - AFTER)
    return np.stack([recording.signal_mv[p - BEFORE : p + AFTER] for p in peaks[inside]])


def typical(symbol: str, **settings: Any) -> np.ndarray:
    return np.median(beats_of(symbol, **settings), axis=0)


def mixture(symbol: str, seed: int) -> np.ndarray:
    return typical(symbol, seed=seed, rhythm="sinus", **EVERY_CLASS)


def span_s(beat: np.ndarray, level: float) -> float:
    """Time for which the QRS of a beat stays above a share of its peak, around the peak."""
    low = np.flatnonzero(beat / beat[BEFORE] < level) - BEFORE
    return float(low[low > 0].min() - low[low < 0].max()) / FS


@pytest.mark.parametrize("seed", range(8))
def test_ventricular_qrs_is_wide(seed: int) -> None:
    # Median beats of the MIT-BIH records measured the same way: N 0.022 to 0.064 s, V 0.061 to
    # 0.164 s.
    normal, ventricular = (span_s(mixture(s, seed)[:, 0], 0.2) for s in "NV")
    assert 0.022 < normal < 0.064
    assert 0.08 < ventricular < 0.164
    assert ventricular > 2 * normal


@pytest.mark.parametrize("seed", range(8))
def test_supraventricular_qrs_is_that_of_normal_beats(seed: int) -> None:
    normal, atrial = (mixture(s, seed)[BEFORE - 50 : BEFORE + 60, 0] for s in "NA")
    assert np.corrcoef(normal, atrial)[0, 1] > 0.99


@pytest.mark.parametrize("seed", UPRIGHT_SEEDS)
def test_fusion_lies_between_its_parents(seed: int) -> None:
    normal, ventricular, fusion = (mixture(s, seed)[:, 0] for s in "NVF")
    spans = [span_s(beat, 0.5) for beat in (normal, fusion, ventricular)]
    assert spans == sorted(spans)
    # The blend of both beats that comes closest has a share of each.
    inside = slice(BEFORE - 60, BEFORE + 400)
    parents = np.stack([normal, ventricular], axis=1)[inside]
    shares = np.linalg.lstsq(parents, fusion[inside], rcond=None)[0]
    assert np.all(shares > 0.2)
    assert np.all(shares < 0.8)


def test_p_wave_of_a_fusion_beat_comes_closer_to_its_qrs() -> None:
    def p_at_s(symbol: str) -> float:
        before = mixture(symbol, 3)[BEFORE - 220 : BEFORE - 70, 0]
        return float(before.argmax()) / FS

    assert 0.015 < p_at_s("F") - p_at_s("N") < 0.07


@pytest.mark.parametrize("seed", range(8))
def test_t_wave_against_a_ventricular_qrs(seed: int) -> None:
    beat = mixture("V", seed)
    for lead in range(2):
        qrs = beat[BEFORE - 20 : BEFORE + 40, lead]
        qrs_sign = np.sign(qrs[np.abs(qrs).argmax()])
        t = beat[BEFORE + 150 : BEFORE + 350, lead]
        assert np.sign(t[np.abs(t).argmax()]) == -qrs_sign


@pytest.mark.parametrize("seed", range(8))
def test_amplitudes_are_those_of_an_ecg(seed: int) -> None:
    beat = typical("N", seed=seed, rhythm="sinus")[:, 0]
    assert 0.6 < beat[BEFORE] < 2.5
    assert 0.05 < beat[BEFORE - 220 : BEFORE - 80].max() < 0.35  # P
    assert 0.08 < beat[BEFORE + 150 : BEFORE + 400].max() < 0.9  # T


def test_p_wave_before_conducted_beats_only() -> None:
    before = slice(BEFORE - 220, BEFORE - 80)

    def height(beats: np.ndarray) -> float:
        stretch = beats[:, before, 0]
        return float(np.median(stretch.max(axis=1) - np.median(stretch[:, -5:], axis=1)))

    slow = {"heart_rate_bpm": 50, "seed": 6}
    conducted = height(beats_of("N", rhythm="sinus", **slow))
    ectopic = height(beats_of("V", rhythm="bigeminy", **slow))
    paced = height(beats_of("/", rhythm="paced", **slow))
    assert conducted > 0.06
    assert ectopic < 0.4 * conducted
    assert paced < 0.2 * conducted


def test_ectopic_p_wave_is_inverted_in_part_of_the_patients() -> None:
    before = slice(BEFORE - 190, BEFORE - 80)
    inverted = 0
    for seed in range(12):
        settings = {"seed": seed, "rhythm": "sinus", "s_share": 0.1, "heart_rate_bpm": 45}
        sinus, ectopic = (typical(s, **settings)[before, 0] for s in "NA")
        assert sinus.min() - sinus[-1] > -0.02
        inverted += bool(ectopic.min() - ectopic[-1] < -0.02)
    assert 3 <= inverted <= 10


def test_fibrillation_has_no_p_wave_but_waves_of_4_to_8_hz() -> None:
    recording, truth = simulate(
        120, FS, seed=4, rhythm="atrial fibrillation", heart_rate_bpm=40, **CLEAN
    )
    beats = beats_of("N", 120, seed=4, rhythm="atrial fibrillation", heart_rate_bpm=40)
    sinus = typical("N", seed=4, rhythm="sinus", heart_rate_bpm=40)
    before = slice(BEFORE - 220, BEFORE - 80)
    assert np.ptp(np.mean(beats, axis=0)[before, 0]) < 0.4 * np.ptp(sinus[before, 0])
    # Between the end of T and the next QRS nothing but fibrillation is left.
    gaps = [
        recording.signal_mv[a + 550 : a + 550 + 512, 1]
        for a, b in zip(truth.peaks[:-1], truth.peaks[1:], strict=True)
        if b - a > 550 + 512 + 60
    ]
    assert len(gaps) > 10
    power = np.mean([np.abs(np.fft.rfft(g - g.mean(), 4096)) ** 2 for g in gaps], axis=0)
    assert 4 < np.fft.rfftfreq(4096, 1 / FS)[power.argmax()] < 8


@pytest.mark.parametrize("seed", range(4))
def test_paced_beats_begin_with_a_narrow_spike(seed: int) -> None:
    from scipy.signal import find_peaks, peak_widths

    fs = 4000.0
    recording, truth = simulate(20, fs, seed=seed, rhythm="paced", **CLEAN)
    for peak in truth.peaks[2:-2]:
        ahead = recording.signal_mv[peak - 200 : peak - 48, 0]  # 50 to 12 ms ahead
        found, _ = find_peaks(ahead, prominence=0.15)
        assert len(found) == 1
        width_s = peak_widths(ahead, found, rel_height=0.5)[0][0] / fs
        assert 0.001 < width_s < 0.0045
    beat = typical("/", seed=seed, rhythm="paced")[:, 0]
    end = beat[BEFORE : BEFORE + 200]
    assert 70 < end.argmin() < 120  # a wide QRS: its second half ends 0.12 s behind the first
    assert end.min() < -0.5 * beat[BEFORE]


def test_qt_interval_grows_with_the_cube_root_of_rr() -> None:
    def t_peak_s(bpm: float) -> float:
        beat = typical("N", seed=7, rhythm="sinus", heart_rate_bpm=bpm)[:, 0]
        return float(beat[BEFORE + 150 : BEFORE + 450].argmax() + 150) / FS

    assert t_peak_s(50) / t_peak_s(100) == pytest.approx(2 ** (1 / 3), rel=0.05)


@pytest.mark.parametrize("fs", [200.0, 360.0, 1000.0])
@pytest.mark.parametrize("seed", range(4))
def test_peaks_are_the_extremum_of_the_qrs_in_the_first_lead(seed: int, fs: float) -> None:
    recording, truth = simulate(600, fs, seed=seed, **CLEAN)
    signal = np.abs(recording.signal_mv[:, 0])
    reach = round(0.012 * fs)
    assert set(truth.symbols.tolist()) == {"N", "A", "V", "F", "/"}
    off = np.array([signal[p - reach : p + reach + 1].argmax() - reach for p in truth.peaks[1:-1]])
    # The T wave of the beat before can tilt a wide QRS so that its top moves by a few ms.
    assert np.all(np.abs(off) <= max(1, 0.004 * fs))
    assert np.mean(np.abs(off) <= 1) > 0.98


def test_amplitude_follows_breathing() -> None:
    recording, truth = simulate(300, seed=3, rhythm="sinus", heart_rate_bpm=100, **CLEAN)
    heights = recording.signal_mv[truth.peaks, 0]
    power = np.abs(np.fft.rfft(heights - heights.mean())) ** 2
    hz = np.fft.rfftfreq(len(heights), 60 / 100)
    assert 0.17 < hz[power.argmax()] < 0.31


def test_no_two_beats_are_equal() -> None:
    beats = beats_of("N", rhythm="sinus")[:, :, 0]
    qrs = beats[:, BEFORE - 40 : BEFORE + 50]
    likeness = np.corrcoef(qrs)
    assert likeness.min() > 0.97
    assert np.all(np.ptp(qrs, axis=0) > 0)


def test_patients_differ() -> None:
    beats = [typical("V", seed=seed, rhythm="bigeminy")[:, 0] for seed in range(12)]
    upright = [beat[BEFORE] > 0 for beat in beats]
    assert any(upright)
    assert not all(upright)


def test_some_patients_have_two_ventricular_foci() -> None:
    two = 0
    for seed in range(8):
        heights = beats_of("V", rhythm="sinus", v_share=0.2, seed=seed)[:, BEFORE, 0]
        two += bool(heights.min() < 0 < heights.max())
    assert 1 <= two <= 7
