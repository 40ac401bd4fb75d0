"""Every second of a lead judged: what is marked, what is not, and that blocks change nothing."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.data.nstdb import load_noise
from ectopy.errors import SignalError
from ectopy.evaluation.noise import calibration_peaks, mix_noise, noise_amplitude
from ectopy.readers import read, read_annotations
from ectopy.signal import kept_rows, kept_seconds
from ectopy.signal.conditioning import resample
from ectopy.signal.seconds import (
    CLIPPED,
    FLAT,
    MAINS,
    MISSING,
    NOISE,
    QualityMeter,
    SecondsQuality,
    measure_seconds,
)
from ectopy.simulate import simulate

RATES = (50.0, 100.0, 128.5, 250.0, 360.0, 1000.0)
DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"


def in_blocks(signal: np.ndarray, fs: float, sizes: list[int]) -> SecondsQuality:
    meter = QualityMeter(fs)
    first = number = 0
    while first < len(signal):
        size = sizes[number % len(sizes)]
        meter.push(signal[first : first + size])
        first, number = first + size, number + 1
    return meter.finish()


def spoiled(fs: float = 250.0) -> np.ndarray:
    """Twelve minutes with everything in it, some of it over the borders of the chunks."""
    signal = simulate(720, fs=fs, seed=3)[0].signal_mv[:, 0].astype(np.float32)
    rng = np.random.default_rng(0)

    def span(start_s: float, stop_s: float) -> slice:
        return slice(round(start_s * fs), round(stop_s * fs))

    signal[span(20.3, 24.9)] = np.nan
    signal[span(295.0, 306.0)] = 0.2
    signal[span(400, 420)] += rng.normal(0, 2, len(signal[span(400, 420)])).astype(np.float32)
    signal[span(599.2, 600.7)] = 4.0
    signal[span(650, 655)] = 5.0 + rng.normal(0, 0.002, len(signal[span(650, 655)]))
    return signal


@pytest.fixture(scope="module")
def everything() -> tuple[np.ndarray, SecondsQuality]:
    signal = spoiled()
    return signal, measure_seconds(signal, 250.0)


def test_everything_is_told_apart(everything):
    flags = everything[1].flags
    assert len(flags) == 720
    assert (flags[21:24] == MISSING).all()
    assert (flags[296:305] & FLAT == FLAT).all()
    assert (flags[402:418] & NOISE == NOISE).all()
    assert (flags[651:654] & FLAT == FLAT).all()
    good = np.r_[0:19, 27:290, 310:395, 425:595, 605:645, 660:720]
    assert not (flags[good] & ~np.uint8(MAINS)).any()


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
def test_blocks_change_nothing(everything, sizes):
    signal, whole = everything
    if max(sizes) < 500:
        sizes = [*sizes, 20_000]
    np.testing.assert_array_equal(in_blocks(signal, 250.0, sizes).flags, whole.flags)


@pytest.mark.parametrize("fs", [50.0, 128.5, 257.3])
@pytest.mark.parametrize("size", [1009, 30_000])
def test_blocks_change_nothing_at_any_fs(fs, size):
    signal = spoiled(fs)[: round(400.4 * fs)]
    np.testing.assert_array_equal(
        in_blocks(signal, fs, [size, 17, 3]).flags, measure_seconds(signal, fs).flags
    )


def test_what_is_judged_in_pieces_is_what_is_judged_at_once(monkeypatch, everything):
    signal, whole = everything
    monkeypatch.setattr(kept_rows, "IN_MEMORY", 1000)
    monkeypatch.setattr(kept_seconds, "PIECE_S", 50)
    monkeypatch.setattr(kept_seconds, "PIECE_OF_MEDIAN_S", 7)
    np.testing.assert_array_equal(measure_seconds(signal, 250.0).flags, whole.flags)


def test_memory_does_not_grow_with_the_lead():
    block = simulate(300, fs=50, seed=1)[0].signal_mv[:, 0]
    peaks = []
    for n_blocks in (100, 400):  # 8 and 33 hours
        tracemalloc.start()
        meter = QualityMeter(50)
        for _ in range(n_blocks):
            meter.push(block)
        assert len(meter.finish()) == 300 * n_blocks
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 5 * 1024 * 1024


def test_single_samples_are_blocks_too():
    signal = spoiled(50.0)[: 50 * 60]
    np.testing.assert_array_equal(
        in_blocks(signal, 50.0, [1]).flags, measure_seconds(signal, 50.0).flags
    )


def test_neither_gain_nor_offset_nor_polarity_matters(everything):
    signal, whole = everything
    for factor, offset in ((0.001, 0.0), (-200.0, 0.0), (1.0, 30.0)):
        flags = measure_seconds(signal * np.float32(factor) + np.float32(offset), 250.0).flags
        assert (flags == whole.flags).mean() > 0.995


@pytest.mark.parametrize("fs", RATES)
def test_what_holds_no_heart_is_marked(fs):
    rng = np.random.default_rng(1)
    n = round(120 * fs)
    time_s = np.arange(n) / fs
    leads = {
        "white": rng.normal(size=n),
        "brown": np.cumsum(rng.normal(size=n)),
        "mains": np.sin(2 * np.pi * 60.02 * time_s) + rng.normal(0, 0.02, n),
        "zero": np.zeros(n),
        "missing": np.full(n, np.nan),
    }
    for name, lead in leads.items():
        assert measure_seconds(lead, fs).usable_percent < 5, name


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("rhythm", ["sinus", "bigeminy", "ventricular run", "paced"])
def test_a_good_lead_is_usable_at_any_fs(fs, rhythm):
    recording, truth = simulate(60, fs=fs, seed=2, rhythm=rhythm)
    quality = measure_seconds(recording.signal_mv[:, 0], fs)
    assert quality.usable.all()
    assert quality.beats_usable(truth.peaks, fs).all()


@pytest.mark.parametrize("rate", [30, 200])
def test_slow_and_fast_hearts_are_no_noise(rate):
    for seed in range(3):
        recording, _ = simulate(60, seed=seed, rhythm="sinus", heart_rate_bpm=rate)
        assert measure_seconds(recording.signal_mv[:, 0], 360).usable.all()


def test_a_flutter_is_no_noise_and_the_beat_of_mains_is_no_flutter():
    fs, rng = 250.0, np.random.default_rng(0)
    time_s = np.arange(0, 60, 1 / fs)
    flutter = np.sin(2 * np.pi * 4.5 * time_s) + 0.3 * np.sin(2 * np.pi * 9 * time_s + 1)
    noisy = flutter + rng.normal(0, 0.05, len(time_s))
    assert measure_seconds(noisy, fs).usable_percent > 95
    ten = np.sin(2 * np.pi * 10 * time_s) + rng.normal(0, 0.05, len(time_s))
    assert measure_seconds(ten, fs).usable_percent < 5


def test_a_standstill_keeps_the_lead_usable():
    signal = simulate(180, seed=1, rhythm="sinus", wander_mv=0.05)[0].signal_mv[:, 0].copy()
    fs = 360
    signal[60 * fs : 80 * fs] = np.random.default_rng(0).normal(0, 0.02, 20 * fs)
    quality = measure_seconds(signal, fs)
    assert quality.usable[62:78].all()


def test_a_rail_with_noise_and_a_dead_amplifier_are_flat():
    signal, fs = simulate(60, seed=1)[0].signal_mv[:, 0].copy(), 360
    rng = np.random.default_rng(0)
    signal[20 * fs : 30 * fs] = 5 + rng.normal(0, 0.004, 10 * fs)
    signal[40 * fs : 50 * fs] = rng.normal(0, 0.0005, 10 * fs)
    flags = measure_seconds(signal, fs).flags
    assert (flags[20:30] & FLAT == FLAT).all()
    assert (flags[40:50] & FLAT == FLAT).all()


def test_clipping_is_told_once_the_range_is_known():
    signal, fs = simulate(60, seed=1)[0].signal_mv[:, 0].copy(), 360
    signal[10 * fs : 10 * fs + 60] = 2.5  # not the end of the range, as comes out later
    signal[30 * fs : 30 * fs + 60] = 3.0
    signal[40 * fs : 40 * fs + 30] = 3.0  # the cut top of one QRS complex
    flags = measure_seconds(signal, fs).flags
    assert np.flatnonzero(flags & CLIPPED).tolist() == [30]


def test_a_few_missing_samples_are_bridged():
    signal, fs = simulate(30, seed=1)[0].signal_mv[:, 0].copy(), 360
    signal[::100] = np.nan
    assert measure_seconds(signal, fs).usable.all()
    signal[3600:3620] = np.inf
    assert np.flatnonzero(measure_seconds(signal, fs).flags & MISSING).tolist() == [10]


@pytest.mark.parametrize("hz", [50, 60])
def test_mains_is_told_and_only_unusable_where_it_buries_the_beats(hz):
    signal, fs = simulate(60, seed=1, mains_mv=0, wander_mv=0)[0].signal_mv[:, 0], 360
    assert not (measure_seconds(signal, fs).flags & MAINS).any()
    hum = np.sin(2 * np.pi * (hz + 0.05) * np.arange(len(signal)) / fs)
    some = measure_seconds(signal + 0.15 * hum, fs)
    assert some.mains_percent > 95
    assert some.usable_percent == 100
    much = measure_seconds(signal + 2 * hum, fs)
    assert much.mains_percent > 95
    assert much.usable_percent == 0


def test_the_last_second_may_be_short():
    signal = np.full(1000, np.nan, dtype=np.float32)
    assert measure_seconds(signal[:25], 250).flags.tolist() == [MISSING]
    assert len(measure_seconds(signal, 250)) == 4
    assert measure_seconds(signal[:1001], 250).flags.tolist() == [MISSING] * 4
    ecg = simulate(10.5, seed=1)[0].signal_mv[:, 0].copy()
    assert measure_seconds(ecg, 360).flags.tolist() == [0] * 11
    ecg[-170:] = np.nan
    assert measure_seconds(ecg, 360).flags.tolist() == [0] * 10 + [MISSING]


def test_nothing_at_all():
    quality = QualityMeter(250).finish()
    assert len(quality) == 0
    assert quality.usable_percent == 100
    assert quality.stretches() == []


@pytest.mark.parametrize("fs", [49.9, 0, -250, np.nan, np.inf])
def test_fs_that_is_too_low(fs):
    with pytest.raises(SignalError, match="quality needs at least 50 Hz"):
        QualityMeter(fs)


def test_hardly_an_annotated_beat_of_the_real_records_is_marked(mitdb_dir):
    marked, total, ventricular = 0, 0, 0
    for record in DS1.split():
        beats = read_annotations(mitdb_dir / record)
        quality = measure_seconds(read(mitdb_dir / record).lead()[1], 360)
        unusable = ~quality.beats_usable(beats.peaks, 360)
        marked, total = marked + int(unusable.sum()), total + len(beats)
        ventricular += int((beats.classes[unusable] == 2).sum())
    assert total == 51_021
    assert marked <= 0.002 * total
    assert ventricular <= 20  # of 3788


def test_ventricular_flutter_is_not_marked(mitdb_dir):
    quality = measure_seconds(read(mitdb_dir / "207").lead()[1], 360)
    # From the annotations "[" and "]" of the record.
    for start_s, stop_s in ((41, 49), (1630, 1650), (1750, 1770)):
        assert quality.usable[start_s:stop_s].mean() > 0.95


@pytest.mark.parametrize(
    ("kind", "snr", "least", "most"),
    [
        ("em", 24, 0, 1), ("em", 0, 75, 100), ("em", -6, 85, 100),
        ("ma", 24, 0, 1), ("ma", 0, 50, 100), ("ma", -6, 60, 100),
    ],
)  # fmt: skip
def test_real_noise_is_marked_where_it_buries_the_beats(data_dir, kind, snr, least, most):
    if not (data_dir / "nstdb" / "em.dat").is_file():
        pytest.skip("no noise database")
    noise = load_noise(kind, "train", data_dir / "nstdb")
    whole = load_noise(kind, "all", data_dir / "nstdb")
    shares = []
    for record in ("118", "119"):
        beats = read_annotations(data_dir / "mitdb" / record)
        signal = mix_noise(
            read(data_dir / "mitdb" / record).lead()[1], 360, calibration_peaks(beats),
            noise.signal_mv[:, :1], 360, snr, start_s=0,
            noise_amplitude_mv=noise_amplitude(whole.signal_mv[:, :1], 360),
        )  # fmt: skip
        shares.append(100 - measure_seconds(signal, 360).usable_percent)
    assert least <= np.mean(shares) <= most


def test_another_fs_gives_the_same_of_a_real_record(mitdb_dir):
    signal = read(mitdb_dir / "203").lead()[1][: 360 * 600]
    own = measure_seconds(signal, 360).usable
    for fs in (128, 250, 1000):
        other = measure_seconds(resample(signal, 360, fs), fs).usable
        assert (own == other[: len(own)]).mean() > 0.98
