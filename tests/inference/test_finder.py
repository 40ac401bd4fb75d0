"""The shipped beat finder on made-up signals, whose beats are known, and on real ones."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

import ectopy
from ectopy.beats import CLASSES
from ectopy.data.protocols import DS1, DS2
from ectopy.errors import BundleError, SignalError
from ectopy.inference.finder import BeatFinder, detect_beats, shipped_finder
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.readers import read, read_annotations
from ectopy.signal.conditioning import resample
from ectopy.signal.matching import MATCH_WINDOW_S, match_beats
from ectopy.simulate import Simulation, dropouts, simulate

FS = 250


@pytest.fixture(scope="module")
def finder() -> BeatFinder:
    return BeatFinder()


@pytest.fixture(scope="module")
def simulated() -> tuple[np.ndarray, np.ndarray]:
    """Five minutes with beats of every class, and where they are."""
    recording, truth = simulate(300, fs=FS, seed=3, dropouts_per_hour=0)
    return recording.signal_mv[:, 0], truth.peaks


def make_ecg(
    beat_times_s: np.ndarray, duration_s: float, fs: float = FS, noise_mv: float = 0.02
) -> np.ndarray:
    """Beats with a P wave, a sharp QRS complex of 1 mV and a T wave, on noise and wander."""
    time_s = np.arange(round(duration_s * fs)) / fs
    ecg = np.random.default_rng(0).normal(0, noise_mv, len(time_s)) if noise_mv else 0 * time_s
    ecg += 0.3 * np.sin(2 * np.pi * 0.2 * time_s) * (noise_mv > 0)
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
    intervals = random.uniform(0.85, 1.15, size=int(2 * duration_s / mean_rr_s)) * mean_rr_s
    times = 0.5 + intervals.cumsum() - intervals[0]
    return times[times < duration_s - 0.3]


def miss_and_add(truth: np.ndarray, found: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Beats that were not found, and what was found beside beats."""
    rows, found_rows = match_beats(truth, found, MATCH_WINDOW_S * fs)
    return np.delete(truth, rows), np.delete(found, found_rows)


def same_beats(one: np.ndarray, other: np.ndarray, tolerance: float) -> None:
    assert len(one) == len(other)
    np.testing.assert_allclose(one, other, atol=tolerance)


# --- every beat, at its place --------------------------------------------------------------------


@pytest.mark.parametrize("fs", [80, 128, 250, 257.3, 360, 500, 1000])
@pytest.mark.parametrize("rr_s", [0.4, 0.8, 1.6])
def test_every_beat_is_found_at_its_peak(fs, rr_s):
    times = beat_times(60, rr_s)
    found = detect_beats(make_ecg(times, 60, fs), fs)
    assert found.dtype == np.int64
    same_beats(found / fs, times, 0.02)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rhythm", ["mixed", "bigeminy", "atrial fibrillation", "ventricular run"])
def test_simulated_beats_of_every_rhythm_are_found(finder, seed, rhythm):
    recording, truth = simulate(120, fs=360, seed=seed, rhythm=rhythm, dropouts_per_hour=0)
    for lead in recording.signal_mv.T:
        missed, added = miss_and_add(truth.peaks, finder.find(lead, 360).peaks, 360)
        assert len(missed) + len(added) <= 0.01 * len(truth)


def test_confidences_reach_from_the_threshold_to_one(finder, simulated):
    lead, _ = simulated
    disturbed = lead + np.random.default_rng(0).normal(0, 0.15, len(lead)).astype(np.float32)
    for signal in (lead, disturbed):
        found = finder.find(signal, FS)
        assert len(found) == len(found.peaks) == len(found.confidences)
        assert found.confidences.dtype == np.float32
        assert found.confidences.min() >= finder.contract.threshold
        assert found.confidences.max() <= 1
    # It knows what it does: noise makes it less sure.
    assert finder.find(lead, FS).confidences.mean() > found.confidences.mean()


def test_beats_are_200_ms_apart_whatever_the_signal_is(finder):
    random = np.random.default_rng(3)
    noise = random.normal(0, 1, 120 * FS) * random.uniform(0, 3, 120).repeat(FS)
    for signal in (noise, noise.cumsum(), np.sin(2 * np.pi * 9 * np.arange(120 * FS) / FS)):
        found = finder.find(signal, FS).peaks
        assert (np.diff(found) >= finder.contract.refractory_s * FS).all()
        assert ((found >= 0) & (found < len(signal))).all()


@pytest.mark.parametrize("fs", [80, 128, 250, 257.3, 1000])
@pytest.mark.parametrize("duration_s", [1.0, 1.5, 2.0, 3.1])
def test_short_signals(duration_s, fs):
    times = np.arange(0.5, duration_s - 0.2, 0.8)
    ecg = make_ecg(times, np.ceil(duration_s * fs) / fs, fs)
    missed, added = miss_and_add(times, detect_beats(ecg, fs) / fs, 0.2)
    assert len(added) == 0
    assert len(missed) == 0


class InsistentFinder(BeatFinder):
    """Is sure of a beat at these places, counted in steps, whatever the signal is."""

    def __init__(self, places: list[float]) -> None:
        super().__init__(threads=1)
        self.places = np.array(places)

    def _run(self, frames: np.ndarray) -> np.ndarray:
        steps = np.arange(-(-len(frames) // 4))
        away = self.places - steps[:, None]
        nearest = away[steps, np.abs(away).argmin(axis=1)]
        return np.stack([np.where(np.abs(nearest) < 1.5, 9, -9), nearest]).astype(np.float32)


@pytest.mark.parametrize("rest", [0.6, 0.3, 0.0, -0.3])
def test_no_beat_lies_beyond_the_last_sample(rest):
    # Of 1201 samples at 120 Hz the last step holds one.
    signal = np.random.default_rng(0).normal(0, 1, 1201)
    found = InsistentFinder([100, 299 + (4 + rest) / 4]).find(signal, 120)
    assert found.peaks.tolist() == [400, 1200]


def test_no_beat_lies_where_there_is_no_signal_however_sure_it_is():
    signal = np.random.default_rng(0).normal(0, 1, 1200)
    signal[390:410], signal[490:520], signal[600:604] = np.nan, 0.5, np.nan
    found = InsistentFinder([50, 100, 125, 150.5, 200]).find(signal, 120)
    assert found.peaks.tolist() == [200, 602, 800]


# --- what does not matter ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fs", "slice_s"), [(FS, 1.0), (FS, 37.7), (257.3, 0.1), (257.3, 7.3), (257.3, 150.0)]
)
def test_slices_and_threads_change_no_beat(simulated, finder, fs, slice_s):
    lead = simulated[0].copy()
    lead[100 * FS : 135 * FS] = np.nan  # longer than the level looks back
    lead[120 * FS : round(120.45 * FS)] = simulated[0][120 * FS : round(120.45 * FS)]
    lead[200 * FS : 203 * FS] = 4.0
    expected = finder.find(lead, fs, slice_s=1e6)
    assert len(expected) > 250
    for threads in (1, 2):
        found = BeatFinder(finder.bundle, threads=threads).find(lead, fs, slice_s=slice_s)
        np.testing.assert_array_equal(found.peaks, expected.peaks)
        np.testing.assert_allclose(found.confidences, expected.confidences, atol=1e-4)


@pytest.mark.parametrize("shift", range(-12, 13, 4))
def test_a_beat_on_the_border_of_two_slices_is_neither_lost_nor_doubled(finder, shift):
    times = np.arange(0.6, 119.5, 0.8)
    times += 60 + shift / FS - times[np.abs(times - 60).argmin()]
    ecg = make_ecg(times, 120)
    assert len(finder.find(ecg, FS, slice_s=60)) == len(times)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: 0.2 * x,
        lambda x: 5 * x,
        lambda x: 1000 * x,
        lambda x: 0.001 * x,
        lambda x: x + np.float32(100),
        lambda x: x.astype(np.float64),
        lambda x: x[::-1][::-1],
    ],
    ids=["x 0.2", "x 5", "x 1000", "x 0.001", "+ 100 mV", "float64", "strides"],
)
def test_neither_gain_nor_offset_nor_type_matter(finder, simulated, change):
    lead, _ = simulated
    same_beats(finder.find(change(lead), FS).peaks, finder.find(lead, FS).peaks, 1)


def test_an_inverted_lead_has_the_same_beats(finder, simulated):
    lead, _ = simulated
    same_beats(finder.find(-lead, FS).peaks, finder.find(lead, FS).peaks, 0.02 * FS)


@pytest.mark.parametrize("fs", [125, 360, 500, 1000])
def test_another_sampling_frequency_has_the_same_beats(finder, simulated, fs):
    lead, _ = simulated
    found = finder.find(resample(lead, FS, fs), fs).peaks / fs
    same_beats(found, finder.find(lead, FS).peaks / FS, 0.02)


@pytest.mark.parametrize(
    "added",
    [
        lambda t: 100 * t / t[-1],
        lambda t: 2 * np.sin(2 * np.pi * 0.15 * t),
        lambda t: 2 * np.sin(2 * np.pi * 50 * t),
        lambda t: 2 * np.sin(2 * np.pi * 60 * t),
    ],
    ids=["drift", "breathing", "50 Hz", "60 Hz"],
)
def test_wander_and_mains_change_no_beat(finder, simulated, added):
    lead, _ = simulated
    disturbed = lead + added(np.arange(len(lead)) / FS).astype(np.float32)
    same_beats(finder.find(disturbed, FS).peaks, finder.find(lead, FS).peaks, 0.012 * FS)


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_beats_are_found_where_the_gain_changes_for_good(finder, simulated, factor):
    lead, truth = simulated[0].copy(), simulated[1]
    lead[150 * FS :] *= factor
    missed, added = miss_and_add(truth, finder.find(lead, FS).peaks, FS)
    assert len(missed) + len(added) <= 3


# --- gaps, lost contacts, spikes and steps -------------------------------------------------------


def test_nothing_is_found_in_gaps_and_flat_stretches(finder):
    times = beat_times(120)
    ecg = make_ecg(times, 120)
    ecg[20 * FS : 45 * FS] = np.nan
    ecg[60 * FS : 85 * FS] = 0.123
    found = finder.find(ecg, FS).peaks / FS
    borders = np.array([20, 45, 60, 85])
    known = ((times < 20) | (times > 45)) & ((times < 60) | (times > 85))
    # Beats that a border cuts in two may be found or not; all others are, from the first on.
    cut = np.abs(times[:, None] - borders).min(axis=1) < 0.4
    missed, added = miss_and_add(times[known], found, 1)
    assert np.isin(missed, times[cut]).all()
    assert (np.abs(added[:, None] - times[cut]).min(axis=1, initial=9) < 0.4).all()
    assert not ((found[:, None] > borders[::2]) & (found[:, None] < borders[1::2])).any()


@pytest.mark.parametrize("rail", [np.nan, 0.0, 5.0, -10.0])
@pytest.mark.parametrize(("start_s", "stop_s"), [(0, 30), (90, 120), (40, 70)])
def test_a_lead_that_is_off(finder, start_s, stop_s, rail):
    times = beat_times(120)
    ecg = make_ecg(times, 120)
    ecg[start_s * FS : stop_s * FS] = rail
    missed, added = miss_and_add(times, finder.find(ecg, FS).peaks / FS, 1)
    assert ((missed > start_s - 0.4) & (missed < stop_s + 0.4)).all()
    assert len(added) == 0


@pytest.mark.parametrize("level", [np.nan, -5.0, 0.0, 15.0])
@pytest.mark.parametrize("length_s", [0.2, 0.5, 3.0])
def test_no_beat_lies_in_a_gap_or_at_the_step_beside_it(finder, simulated, level, length_s):
    lead, truth = simulated[0].copy(), simulated[1]
    # Half way between two beats, so that none is cut in two.
    starts = (truth[10:-20:10] + truth[11:-19:10]) // 2
    gaps = starts[:, None] + np.arange(round(length_s * FS))
    lead[gaps] = level
    found = finder.find(lead, FS).peaks
    assert not np.isin(found, gaps).any()
    missed, added = miss_and_add(truth, found, FS)
    assert np.isin(missed, gaps).all()
    assert len(added) <= 1  # of a beat cut in two by the end of a gap, the half is one


@pytest.mark.parametrize("seed", range(3))
def test_lost_contacts_make_no_beats(finder, seed):
    settings = {"fs": FS, "seed": seed, "dropouts_per_hour": 60.0}
    recording, truth = simulate(600, **settings)
    spans = dropouts(Simulation(**settings), 600) * FS
    assert len(spans) >= 5
    found = finder.find(recording.signal_mv[:, 0], FS).peaks
    assert not ((found[:, None] > spans[:, 0]) & (found[:, None] < spans[:, 1])).any()
    missed, added = miss_and_add(truth.peaks, found, FS)
    assert len(added) <= 1
    # Beats cut in two by the border, or under the drop-out, cannot be found.
    near = (missed[:, None] > spans[:, 0] - 0.2 * FS) & (missed[:, None] < spans[:, 1] + 0.2 * FS)
    assert (~near.any(axis=1)).sum() <= 1


def test_a_few_missing_samples_do_no_harm(finder, simulated):
    lead, _ = simulated
    expected = finder.find(lead, FS).peaks
    holes = lead.copy()
    holes[np.random.default_rng(2).random(len(lead)) < 0.05] = np.nan
    same_beats(finder.find(holes, FS).peaks, expected, 2)
    on_peaks = lead.copy()
    on_peaks[expected] = np.inf
    same_beats(finder.find(on_peaks, FS).peaks, expected, 0.02 * FS)


def test_steps_and_spikes_cost_no_more_than_the_beats_they_hide(finder, simulated):
    lead, truth = simulated
    places = np.arange(10 * FS, 290 * FS, 10 * FS)
    stepped, spiked = lead.copy(), lead.copy()
    for place, height in zip(places, np.resize([3, -2, 5, -4], len(places)), strict=True):
        stepped[place:] += height
        spiked[place : place + 2] += 3 * height
    for signal in (stepped, spiked):
        missed, added = miss_and_add(truth, finder.find(signal, FS).peaks, FS)
        for other in (missed, added):
            assert (np.abs(other[:, None] - places).min(axis=1, initial=10**6) < 0.6 * FS).all()
            assert len(other) <= 8


def test_after_a_burst_beats_are_found_again_within_two_seconds(finder, simulated):
    lead, truth = simulated[0].copy(), simulated[1]
    lead[100 * FS : 103 * FS] += np.random.default_rng(0).normal(0, 30, 3 * FS)
    missed, added = miss_and_add(truth, finder.find(lead, FS).peaks, FS)
    for other in (missed, added):
        assert ((other > 99 * FS) & (other < 105 * FS)).all()


# --- where there are no beats --------------------------------------------------------------------


@pytest.mark.parametrize("fs", [100, 125, 360])
def test_no_beats_are_an_empty_array(fs):
    time_s = np.arange(30 * fs) / fs
    for signal in (
        5 + np.sin(2 * np.pi * 0.1 * time_s),
        np.append(np.zeros(20 * fs), 1.0),
        np.repeat(np.arange(20.0) % 3, fs),
        np.where(time_s < 15, 0.0, 1.0),
    ):
        found = detect_beats(signal, fs)
        assert found.dtype == np.int64
        assert found.shape == (0,)


def test_beats_on_a_line_without_any_noise_are_found():
    # All that lies between them is flat, and most of every second.
    for rr_s in (0.8, 1.2, 1.9):
        times = np.arange(1, 59, rr_s)
        ecg = make_ecg(times, 60, noise_mv=0)
        ecg[np.abs(ecg) < 1e-3] = 0
        same_beats(detect_beats(ecg, FS) / FS, times, 0.02)


# --- what is refused -----------------------------------------------------------------------------


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
        (np.full(500, np.inf), FS, "all 500 samples are missing; choose another lead"),
        (np.full(500, 0.25), FS, "the signal is constant at 0.25 mV; choose another lead"),
        (
            np.where(np.arange(500) % 7, 0.25, np.nan),
            FS,
            "the signal is constant at 0.25 mV; choose another lead",
        ),
        (
            np.where(np.arange(500) % 7, 0.25, np.inf),
            FS,
            "the signal is constant at 0.25 mV; choose another lead",
        ),
        (
            ["a", "b"],
            FS,
            "the signal is not numeric (could not convert string to float: 'a'); "
            "give millivolts as an array of numbers",
        ),
        (
            [[1.0], [2.0, 3.0]],
            FS,
            "the signal is not numeric (setting an array element with a sequence. The requested "
            "array has an inhomogeneous shape after 1 dimensions. The detected shape was (2,) + "
            "inhomogeneous part.); give millivolts as an array of numbers",
        ),
        *(
            (
                np.arange(500.0),
                fs,
                f"sampling frequency {fs!r} Hz is not usable; beats need at least 80 Hz",
            )
            for fs in (79.9, 0, -250, np.nan, np.inf, "250", None)
        ),
    ],
)
def test_what_no_beats_can_be_sought_in(signal, fs, message):
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        detect_beats(signal, fs)


def test_a_model_that_classes_beats_finds_none():
    message = (
        "cnn-mlp/intra classes beats and does not find them; "
        "give 'beat-finder' or the folder of one that was trained"
    )
    with pytest.raises(BundleError, match=f"^{re.escape(message)}$"):
        BeatFinder("cnn-mlp/intra")


@pytest.fixture
def another(tmp_path) -> Bundle:
    folder = shutil.copytree(find_bundle("beat-finder").folder, tmp_path / "another")
    return Bundle(folder, find_bundle("beat-finder").config)


def test_a_graph_of_another_model_is_refused(another):
    shutil.copy(find_bundle("cnn-mlp").folder / "model.onnx", another.folder)
    with pytest.raises(BundleError) as error:
        BeatFinder(another)
    assert re.fullmatch(
        r"the graph of beat-finder/inter takes \['\w+', 1, 256\], expected \(leads, frames\); "
        "fetch the bundle again",
        str(error.value),
    )


def test_a_damaged_graph_is_refused(another):
    (another.folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"is not a usable ONNX model .*fetch the bundle again$"):
        BeatFinder(another)


# --- one way in ----------------------------------------------------------------------------------


def test_the_public_function_is_the_shipped_finder(finder, simulated):
    lead, _ = simulated
    assert ectopy.detect_beats is detect_beats
    assert shipped_finder() is shipped_finder()
    assert shipped_finder().bundle.full_name == "beat-finder/inter"
    np.testing.assert_array_equal(detect_beats(lead, FS), finder.find(lead, FS).peaks)


def test_a_finder_is_named_by_name_folder_or_bundle(finder, simulated):
    lead = simulated[0][: 20 * FS]
    expected = finder.find(lead, FS).peaks
    for model in ("beat-finder/inter", finder.bundle.folder, finder.bundle):
        np.testing.assert_array_equal(BeatFinder(model).find(lead, FS).peaks, expected)


def test_the_shipped_finder_has_seen_no_test_patient(finder):
    assert set(finder.bundle.config["training"]["records"]).isdisjoint(DS2)


# --- where the heart stands still ----------------------------------------------------------------

# Levelled by the noise itself, noise is hard to tell from a signal. What the finder made up of it
# when it was made, in beats a minute, as an upper limit.
MOST_IN_NOISE = 45


@pytest.mark.parametrize("fs", [125, 360, 1000])
def test_noise_has_few_beats(finder, fs):
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(0, 1, 60 * fs)
        assert len(finder.find(noise, fs)) <= MOST_IN_NOISE
        assert len(finder.find(noise.cumsum(), fs)) <= MOST_IN_NOISE / 3


@pytest.mark.parametrize("sd_mv", [0.001, 0.03])
@pytest.mark.parametrize(("start_s", "stop_s"), [(0, 40), (90, 210), (260, 300)])
def test_a_standstill_has_few_beats_and_costs_none(finder, simulated, start_s, stop_s, sd_mv):
    lead, truth = simulated[0].copy(), simulated[1]
    where = slice(start_s * FS, stop_s * FS)
    noise = np.random.default_rng(0).normal(0, sd_mv, where.stop - where.start)
    lead[where] = np.median(lead) + noise
    found = finder.find(lead, FS).peaks
    beating = (truth < where.start - 0.3 * FS) | (truth > where.stop + 0.3 * FS)
    missed, added = miss_and_add(truth[beating], found, FS)
    assert len(missed) <= 3
    assert ((added > where.start - 0.3 * FS) & (added < where.stop + 0.3 * FS)).all()
    assert len(added) <= MOST_IN_NOISE * (stop_s - start_s) / 60


# --- real records --------------------------------------------------------------------------------

# What the finder did when it was made, as upper limits: it may get better, not worse. It was
# trained on these records, so this says nothing of how good it is on others.
# Record: V beats missed, beats missed, beats made up, 95th percentile of the timing error in ms.
KNOWN = {
    "108": (0, 11, 11, 34),
    "119": (0, 0, 0, 6),
    "201": (0, 0, 0, 12),
    "203": (4, 15, 9, 17),
    "208": (2, 8, 2, 14),
    "230": (0, 0, 0, 6),
}


@pytest.mark.parametrize("record", KNOWN)
def test_real_records_do_not_get_worse(finder, mitdb_dir, record):
    recording, truth = read(mitdb_dir / record), read_annotations(mitdb_dir / record)
    found = finder.find(recording.lead()[1], 360).peaks
    rows, found_rows = match_beats(truth.peaks, found, 54)
    late_ms = np.percentile(np.abs(truth.peaks[rows] - found[found_rows]), 95) / 0.36
    missed = np.delete(truth.classes, rows)
    ventricular, most_missed, most_added, latest_ms = KNOWN[record]
    assert (missed == CLASSES.index("V")).sum() <= ventricular
    assert len(missed) <= most_missed
    assert len(found) - len(rows) <= most_added
    assert late_ms <= latest_ms


@pytest.mark.slow
def test_the_training_records_do_not_get_worse(finder, mitdb_dir):
    missed, added = np.zeros(5, int), {}
    for record in DS1:
        recording, truth = read(mitdb_dir / record), read_annotations(mitdb_dir / record)
        found = finder.find(recording.lead()[1], 360).peaks
        rows, _ = match_beats(truth.peaks, found, 54)
        missed += np.bincount(np.delete(truth.classes, rows), minlength=5)
        added[record] = len(found) - len(rows)
    flutter = added.pop("207")  # minutes of ventricular flutter, whose waves are not annotated
    assert missed.sum() <= 52  # of 51,021
    assert missed[CLASSES.index("V")] <= 6  # of 3,788
    assert sum(added.values()) <= 25
    assert flutter <= 125


@pytest.fixture(scope="module", params=["119", "201", "208"])
def real(request, finder, mitdb_dir) -> tuple[np.ndarray, np.ndarray]:
    """A lead and what is found in it."""
    lead = read(mitdb_dir / request.param).lead()[1]
    return lead, finder.find(lead, 360).peaks


def share_found_again(expected: np.ndarray, found: np.ndarray, tolerance: float) -> float:
    """Of the beats of both, those that have one of the other within this."""
    pairs = len(match_beats(expected, found, tolerance)[0])
    return pairs / max(len(expected), len(found))


@pytest.mark.slow
def test_a_real_record_in_other_forms_has_the_same_beats(finder, real):
    lead, expected = real
    for same in (0.2 * lead, 5 * lead, lead + np.float32(100)):
        assert share_found_again(expected, finder.find(same, 360).peaks, 1) == 1
    np.testing.assert_array_equal(finder.find(lead, 360, slice_s=45).peaks, expected)
    np.testing.assert_array_equal(finder.find(lead, 360, slice_s=7).peaks, expected)
    assert share_found_again(expected, finder.find(-lead, 360).peaks, 0.06 * 360) >= 0.999
    for fs in (125, 250, 500, 1000):
        found = finder.find(resample(lead, 360, fs), fs).peaks * 360 / fs
        # Where fusion beats have two peaks, the place may jump from one to the other.
        assert share_found_again(expected, found, 0.020 * 360) >= 0.999


@pytest.mark.slow
@pytest.mark.parametrize("level", [np.nan, 3.0])
def test_gaps_in_a_real_record(finder, real, level):
    lead, expected = real
    lead, lost = lead.copy(), np.zeros(len(lead), dtype=bool)
    random = np.random.default_rng(1)
    for start in random.integers(3600, len(lead) - 3600, 60):
        lost[start : start + int(random.uniform(0.5, 8) * 360)] = True
    lead[lost] = level
    found = finder.find(lead, 360).peaks
    assert not lost[found].any()
    missed, added = miss_and_add(expected[~lost[expected]], found, 360)
    edges = np.flatnonzero(np.diff(lost))
    for other, most in ((missed, 3), (added, 20)):  # of beats that a border cuts in two
        assert len(other) <= most
        assert (np.abs(other[:, None] - edges).min(axis=1, initial=10**6) < 0.4 * 360).all()


@pytest.mark.slow
@pytest.mark.parametrize("sd_mv", [0.002, 0.01, 0.03])
def test_a_standstill_in_a_real_record(finder, real, sd_mv):
    lead, expected = real
    still = slice(300 * 360, 340 * 360)
    lead = lead.copy()
    lead[still] = np.median(lead) + np.random.default_rng(0).normal(0, sd_mv, 40 * 360)
    found = finder.find(lead, 360).peaks
    assert ((found > still.start) & (found < still.stop)).sum() <= MOST_IN_NOISE * 40 / 60
    beating = [p[(p < still.start - 144) | (p > still.stop + 144)] for p in (expected, found)]
    assert share_found_again(*beating, 0.06 * 360) >= 0.998


@pytest.mark.parametrize("slice_s", [0.0, -1.0, float("nan"), float("inf")])
def test_slices_have_a_length(simulated, finder, slice_s):
    message = f"^slice_s = {slice_s!r}; expected a number of seconds above 0$"
    with pytest.raises(SignalError, match=message):
        finder.find(simulated[0], FS, slice_s=slice_s)


def test_one_bad_sample_changes_little(simulated, finder):
    expected = finder.find(simulated[0], FS).peaks
    broken = simulated[0].copy()
    broken[0] = 1e8
    found = finder.find(broken, FS).peaks
    assert np.isin(expected[expected > 20 * FS], found).mean() > 0.999


def test_masked_samples_are_missing(simulated, finder):
    lead = simulated[0].copy()
    lead[20 * FS : 25 * FS] = np.nan
    masked = np.ma.masked_invalid(lead)
    np.testing.assert_array_equal(finder.find(masked, FS).peaks, finder.find(lead, FS).peaks)
