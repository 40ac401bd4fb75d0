"""Heart rate variability against closed forms, made-up series and a peer."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from beat_strings import beats, table

from ectopy.measures.spectrum import band_powers
from ectopy.measures.summary import summarise
from ectopy.measures.variability import MIN_NN, Variability, measure_variability


def of(intervals_s: list[float] | np.ndarray, labels: str | None = None) -> Variability:
    return measure_variability(*beats(labels or "N" * (len(intervals_s) + 1), intervals_s))


def modulated(amplitude_s: float, frequency: float, duration_s: float) -> np.ndarray:
    """Times of beats whose interval swings as a sine of time."""
    times = [0.3]
    while times[-1] < duration_s:
        swing = amplitude_s * np.sin(2 * np.pi * frequency * times[-1])
        times.append(times[-1] + 0.8 + swing)
    return np.array(times)


def test_time_domain_of_two_intervals_in_turn() -> None:
    found = of([0.78, 0.84] * 100)
    n = 200
    assert found.n_nn == n
    assert found.nn_percent == 100.0
    assert found.mean_nn_ms == pytest.approx(810.0)
    assert found.sdnn_ms == pytest.approx(30.0 * np.sqrt(n / (n - 1)))
    assert found.rmssd_ms == pytest.approx(60.0)
    assert found.pnn50_percent == pytest.approx(100 * (n - 1) / n)  # per 100 NN intervals


def test_fifty_milliseconds_do_not_count_however_they_are_rounded() -> None:
    peaks = np.cumsum(np.tile([300, 318], 3000))  # 18 samples at 360 Hz are 50 ms
    found = measure_variability(peaks / 360.0, np.zeros(len(peaks), dtype=np.int8))
    assert found.pnn50_percent == 0.0
    peaks = np.cumsum(np.tile([300, 319], 3000))
    found = measure_variability(peaks / 360.0, np.zeros(len(peaks), dtype=np.int8))
    assert found.pnn50_percent == pytest.approx(100.0, abs=0.1)


def test_only_intervals_between_normal_beats_count() -> None:
    block = "NNNNNNVNNNNN"  # intervals beside V are another length
    gaps = [0.8, 0.8, 0.8, 0.8, 0.8, 0.4, 1.2, 0.8, 0.8, 0.8, 0.8, 0.8] * 30
    found = of(gaps[:-1], block * 30)
    assert found.n_nn == len(gaps) - 1 - 2 * 30
    assert found.mean_nn_ms == pytest.approx(800.0)
    assert found.sdnn_ms == pytest.approx(0.0, abs=1e-6)
    assert found.rmssd_ms == pytest.approx(0.0, abs=1e-6)


def test_differences_are_not_taken_across_what_is_left_out() -> None:
    # Steady at 0.7 s, then, after a V, steady at 0.9 s: no two NN intervals in a row differ.
    labels = "N" * 101 + "V" + "N" * 101
    gaps = [0.7] * 100 + [0.5, 1.1] + [0.9] * 100
    found = of(gaps, labels)
    assert found.sdnn_ms == pytest.approx(100.0, rel=0.01)
    assert found.rmssd_ms == pytest.approx(0.0, abs=1e-6)
    assert found.pnn50_percent == 0.0


@pytest.mark.parametrize("where", ["gap", "unusable beat", "unusable second"])
def test_unusable_and_gaps_part_intervals(where: str) -> None:
    labels, gaps = "N" * 202, [0.7] * 100 + [0.8] + [0.9] * 100
    usable = None
    if where == "gap":
        gaps[100] = 3.5
    elif where == "unusable beat":
        labels = "N" * 100 + "x" + "N" * 101
    else:
        usable = np.ones(300, dtype=bool)
        usable[71] = False
    found = measure_variability(*beats(labels, gaps), usable)
    assert found.n_nn <= 200
    assert found.rmssd_ms == pytest.approx(0.0, abs=1e-6)


def test_few_intervals_have_none() -> None:
    for n in (0, 1, MIN_NN):
        found = of([0.8] * max(n - 1, 0), "N" * n)
        assert found.n_nn == max(n - 1, 0)
        assert found.mean_nn_ms is found.rmssd_ms is found.lf_ms2 is found.pnn50_percent is None
    assert of([0.8] * MIN_NN).mean_nn_ms == pytest.approx(800.0)


def test_no_two_intervals_in_a_row() -> None:
    found = of([0.8, 0.4, 1.2] * 150, "NNV" * 150 + "N")
    assert (found.n_nn, found.rmssd_ms, found.pnn50_percent) == (150, None, 0.0)
    assert found.mean_nn_ms == pytest.approx(800.0)


def test_segments_of_five_minutes() -> None:
    # Eight segments of steady rhythm, in turn 0.6 and 1.0 s, then a minute of another.
    gaps = np.concatenate([np.full(round(300 / rr), rr) for rr in [0.6, 1.0] * 4] + [[0.7] * 85])
    found = of(gaps)
    assert found.segments == 8
    # One interval at each border falls into the next segment.
    assert found.sdann_ms == pytest.approx(np.std([600.0, 1000.0] * 4, ddof=1), rel=0.02)
    assert found.sdnn_index_ms == pytest.approx(0.0, abs=30.0)
    short = of(gaps[: 4 * 400])
    assert (short.segments < 6, short.sdann_ms, short.sdnn_index_ms) == (True, None, None)


@pytest.mark.parametrize(
    ("frequency", "band"), [(0.01, 0), (0.03, 0), (0.06, 1), (0.1, 1), (0.2, 2), (0.3, 2)]
)
def test_power_of_a_sine_is_half_its_amplitude_squared(frequency: float, band: int) -> None:
    times = modulated(0.03, frequency, 1500.0)
    found = measure_variability(times, np.zeros(len(times), dtype=np.int8))
    powers = [found.vlf_ms2, found.lf_ms2, found.hf_ms2]
    assert powers[band] == pytest.approx(450.0, rel=0.03)
    assert sum(p for p in powers if p is not None) == pytest.approx(450.0, rel=0.03)
    assert found.spectral_segments == 5


def test_power_grows_with_the_square_and_not_with_mean_or_length() -> None:
    for amplitude, duration in ((0.02, 600.0), (0.04, 600.0), (0.04, 3600.0)):
        times = modulated(amplitude, 0.25, duration)
        found = measure_variability(times, np.zeros(len(times), dtype=np.int8))
        assert found.hf_ms2 == pytest.approx(1e6 * amplitude**2 / 2, rel=0.04)
        assert found.vlf_ms2 == pytest.approx(0.0, abs=0.5)


def test_a_steady_rhythm_has_no_ratio_of_powers() -> None:
    found = of([0.8] * 1000)
    assert found.lf_ms2 == pytest.approx(0.0, abs=1e-6)
    assert found.lf_hf is None


def test_segments_with_holes_have_no_power() -> None:
    times = modulated(0.03, 0.1, 1500.0)
    whole = 1000 * np.diff(times)
    keep = (times[1:] < 700) | (times[1:] > 706)  # a hole of 6 s in the third segment
    powers = band_powers(times[1:][keep], whole[keep])
    assert len(powers) == 4
    assert powers[:, 1] == pytest.approx(450.0, rel=0.05)
    single = np.ones(len(whole), dtype=bool)
    single[100::40] = single[101::40] = False  # as an ectopic beat every half minute
    powers = band_powers(times[1:][single], whole[single])
    assert len(powers) == 5
    assert powers[:, 1] == pytest.approx(450.0, rel=0.05)
    assert len(band_powers(times[:0], whole[:0])) == 0


def test_powers_of_sparse_segments_are_those_of_each_alone() -> None:
    times = modulated(0.03, 0.1, 60_000.0)  # 200 segments, more than are done at once
    nn_ms = 1000 * np.diff(times)
    keep = (times[1:] // 300) % 3 == 0
    powers = band_powers(times[1:][keep], nn_ms[keep])
    assert len(powers) >= 60
    assert powers[:, 1] == pytest.approx(450.0, rel=0.05)


def test_an_irregular_rhythm_is_said_to_spoil_it() -> None:
    gaps = np.random.default_rng(0).uniform(0.4, 1.1, 1000)
    found = summarise(table("N" * 1001, gaps.tolist()), 800_000).variability
    assert found.irregular_percent == pytest.approx(100.0)
    assert found.note == (
        "irregular rhythm, as in atrial fibrillation, for 100 % of the time: variability then "
        "says little of how the heart rate is regulated"
    )
    assert of([0.8] * 200).note is None
    barely = measure_variability(*beats("N" * 200), irregular_percent=0.2)
    assert barely.note is None


def test_the_time_domain_by_itself_is_that_of_all_and_loads_no_scipy() -> None:
    code = """
import sys
import numpy as np
from ectopy.beats import BeatTable
from ectopy.measures.summary import summarise
peaks = np.cumsum(np.tile([280, 300, 310], 1000))
normal = np.eye(5, dtype=np.float32)[np.zeros(len(peaks), dtype=int)]
summary = summarise(BeatTable(peaks, normal, fs=360.0), n_samples=peaks[-1] + 360)
before = summary.time_variability
loaded = [name for name in sys.modules if name.startswith('scipy')]
whole = summary.variability
same = [name for name in vars(before) if getattr(before, name) == getattr(whole, name)]
print(before.n_nn >= 120, loaded, len(same) == len(vars(before)), whole.lf_ms2 is not None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "[]", "True", "True"]


@pytest.mark.filterwarnings("ignore")  # the peer's own
def test_time_domain_agrees_with_neurokit2() -> None:
    neurokit2 = pytest.importorskip("neurokit2")
    rng = np.random.default_rng(7)
    gaps = np.round(800 + 60 * np.sin(np.arange(4000) / 60) + 20 * rng.standard_normal(4000))
    peaks = np.cumsum(gaps).astype(np.int64)
    theirs = neurokit2.hrv_time(peaks, sampling_rate=1000).iloc[0]
    ours = measure_variability(peaks / 1000.0, np.zeros(len(peaks), dtype=np.int8))
    assert ours.mean_nn_ms == pytest.approx(theirs["HRV_MeanNN"])
    assert ours.sdnn_ms == pytest.approx(theirs["HRV_SDNN"])
    assert ours.rmssd_ms == pytest.approx(theirs["HRV_RMSSD"])
    assert ours.pnn50_percent == pytest.approx(theirs["HRV_pNN50"], abs=0.1)
    assert ours.sdann_ms == pytest.approx(theirs["HRV_SDANN5"], rel=0.05)
    assert ours.sdnn_index_ms == pytest.approx(theirs["HRV_SDNNI5"], rel=0.05)
