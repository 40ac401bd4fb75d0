"""`ectopy.analyze`: from a signal to classed beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import ectopy
from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import BundleError, LeadNotFound, RecordingError, SignalError
from ectopy.inference.doubts import doubts
from ectopy.inference.truth import compare_with_truth
from ectopy.models.bundle import find_bundle, shipped_bundles
from ectopy.signal.conditioning import resample, rescale_peaks
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

    from ectopy.beats import ReferenceBeats
    from ectopy.recording import Recording


@pytest.fixture(scope="module")
def simulated() -> tuple[Recording, ReferenceBeats]:
    return simulate(60, seed=5, paced_share=0.0)  # paced beats the default model does not know


def test_finds_and_classes_simulated_beats(simulated):
    recording, truth = simulated
    analysis = ectopy.analyze(recording)
    score = compare_with_truth(analysis, truth)
    assert score.found_share >= 0.99
    assert score.right_share >= 0.9
    assert analysis.lead == "MLII"
    assert analysis.beat_source == "detected"
    assert analysis.summary.duration_s == 60
    assert analysis.signal_mv.shape == (60 * 360,)


def test_array_and_recording_give_the_same(simulated):
    recording, _ = simulated
    one = ectopy.analyze(recording)
    other = ectopy.analyze(recording.signal_mv[:, 0], fs=recording.fs)
    np.testing.assert_array_equal(one.beats.peaks, other.beats.peaks)
    np.testing.assert_array_equal(one.beats.probabilities, other.beats.probabilities)


@pytest.mark.parametrize("fs", [125, 250, 500, 1000])
def test_other_sampling_frequencies_give_the_same_classes(simulated, fs):
    recording, truth = simulated
    signal = resample(recording.signal_mv[:, 0], 360, fs)
    peaks = rescale_peaks(truth.peaks, 360, fs, len(signal))
    one = ectopy.analyze(recording, beats=truth.peaks)
    other = ectopy.analyze(signal, fs=fs, beats=peaks)
    assert (one.beats.classes == other.beats.classes).mean() >= 0.97


def test_given_peaks_are_kept(simulated):
    recording, truth = simulated
    analysis = ectopy.analyze(recording, beats=truth.peaks)
    np.testing.assert_array_equal(analysis.beats.peaks, truth.peaks)
    assert analysis.beat_source == "annotated"


def test_given_peaks_are_classed_where_none_could_be_found(simulated):
    recording, truth = simulated
    signal = resample(recording.signal_mv[:, 0], 360, 60)
    peaks = rescale_peaks(truth.peaks, 360, 60, len(signal))
    assert len(ectopy.analyze(signal, fs=60, beats=peaks).beats) == len(truth)


def test_gain_does_not_change_the_classes(simulated):
    recording, truth = simulated
    signal = recording.signal_mv[:, 0]
    one = ectopy.analyze(signal, fs=360, beats=truth.peaks)
    other = ectopy.analyze(signal * 5, fs=360, beats=truth.peaks)
    np.testing.assert_array_equal(one.beats.classes, other.beats.classes)


def test_missing_samples_are_bridged_and_told(simulated):
    recording, _ = simulated
    signal = recording.signal_mv[:, 0].copy()
    signal[5000:5400] = np.nan
    analysis = ectopy.analyze(signal, fs=360)
    assert np.isfinite(analysis.beats.probabilities).all()
    assert len(analysis.warnings) == 1
    assert "misses 1.9 % of its samples" in analysis.warnings[0]


def test_other_model_by_name_and_folder(simulated):
    recording, truth = simulated
    by_name = ectopy.analyze(recording, model="cnn-kan/intra", beats=truth.peaks)
    folder = ectopy.models.bundle.find_bundle("cnn-kan/intra").folder
    by_folder = ectopy.analyze(recording, model=folder, beats=truth.peaks)
    assert by_name.model["name"] == "cnn-kan/intra"
    np.testing.assert_array_equal(by_name.beats.probabilities, by_folder.beats.probabilities)


def test_measured_accuracy_is_the_recorded_one(simulated):
    analysis = ectopy.analyze(simulated[0])
    results = ectopy.models.bundle.find_bundle(DEFAULT_MODEL).results()
    assert results is not None
    assert analysis.model["measured"]["accuracy"] == results["accuracy"]
    assert analysis.model["measured"]["note"] == (
        "patients of the test beats were not in training, but for the one of record 202"
    )
    random_split = ectopy.analyze(simulated[0], model="cnn-mlp/intra").model["measured"]["note"]
    assert random_split == "patients of the test beats were also in training"


def test_the_model_says_how_it_does_on_each_class_and_where_its_limits_are(simulated):
    bundle = ectopy.models.bundle.find_bundle(DEFAULT_MODEL)
    model = ectopy.analyze(simulated[0]).model
    results, detected = bundle.results(), bundle.results("detected")
    assert set(model["measured"]["per_class"]) == {"N", "S", "V", "F", "Q"}
    for name, one in model["measured"]["per_class"].items():
        wanted = results["per_class"][name]
        assert one == {"n": wanted["n"], "se": wanted["recall"], "ppv": wanted["precision"]}
    assert model["from_signal"]["records"] == 22
    assert model["from_signal"]["veb"]["se"] == detected["gross"]["veb"]["se"]
    card = (bundle.folder / "README.md").read_text()
    assert " ".join(model["limits"]) in card
    assert model["certainty"] in card
    assert ectopy.analyze(simulated[0], model="cnn-mlp/intra").model["from_signal"] is None
    gross = find_bundle("beat-finder").results("detected")["finders"]["beat-finder"]["gross"]
    assert model["finder"]["measured"]["se"] == gross["se"]


def test_what_was_asked_for_is_kept_without_folders(simulated, tmp_path):
    recording, truth = simulated
    path = tmp_path / "my rec.csv"
    np.savetxt(path, recording.signal_mv[:3600, 0], fmt="%.3f", header="II", comments="")
    folder = find_bundle("cnn-kan/intra").folder
    analysis = ectopy.analyze(path, fs=360, unit="mV", model=folder)
    assert analysis.settings == {
        "source": "my rec.csv", "model": "cnn-kan/intra", "beats": "detected",
        "fs": 360, "unit": "mV", "leads": ["II"], "notes": analysis.settings["notes"],
    }  # fmt: skip
    assert str(tmp_path) not in str(analysis.to_dict(beats=False))
    given = ectopy.analyze(recording, beats=truth.peaks).settings
    assert (given["source"], given["beats"]) == ("in memory", "given as sample indices")
    assert "annotator" not in given


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda s: ectopy.analyze(s),
            RecordingError,
            "a signal in memory does not say its sampling frequency; give fs in Hz",
        ),
        (
            lambda s: ectopy.analyze(s, fs=0),
            SignalError,
            "fs = 0 Hz is no sampling frequency; give it in Hz, above 0",
        ),
        (
            lambda s: ectopy.analyze(s, fs="360"),
            SignalError,
            "fs = '360' Hz is no sampling frequency; give it in Hz, above 0",
        ),
        (
            lambda s: ectopy.analyze(s, fs=20, beats=np.array([100, 200])),
            SignalError,
            "fs = 20 Hz is too low to see a beat's shape; at least 50 Hz are needed",
        ),
        (
            lambda s: ectopy.analyze(np.stack([s, s]), fs=360),
            SignalError,
            "signal of shape (2, 21600) has more leads than samples; "
            "expected (samples, leads): transpose it",
        ),
        (
            lambda s: ectopy.analyze(s[:, None, None], fs=360),
            SignalError,
            "signal of shape (21600, 1, 1); expected (samples,) or (samples, leads), in mV",
        ),
        (
            lambda s: ectopy.analyze(["a", "b"], fs=360),
            SignalError,
            "the signal is not numeric (could not convert string to float: 'a'); "
            "give millivolts as an array of numbers",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, lead="V1"),
            LeadNotFound,
            "no lead 'V1' in this recording; it has: lead1",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, beats="guessed"),
            RecordingError,
            "beats = 'guessed'; expected 'detected', 'annotated' or an array of sample indices",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, beats="annotated"),
            RecordingError,
            "annotated beats are read from a file beside the recording; give its path",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, beats=np.array([100, 50])),
            RecordingError,
            "beats must ascend within 0..21599, the samples of the recording",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, beats=np.array([100])),
            SignalError,
            "only 1 beat in lead 'lead1' of 'signal' (60.0 s); "
            "at least 2 are needed: try --lead or a longer part",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, model="cnn-none"),
            BundleError,
            f"unknown model 'cnn-none'; shipped are: {', '.join(shipped_bundles())}; "
            "or give a bundle's folder",
        ),
        (
            lambda s: ectopy.analyze(s, fs=360, model="beat-finder"),
            BundleError,
            "beat-finder/inter finds beats and does not class them; "
            f"give a model that does, such as {DEFAULT_MODEL!r}",
        ),
        (
            lambda s: ectopy.analyze(s, fs=60),
            SignalError,
            "sampling frequency 60.0 Hz is not usable; beats need at least 80 Hz",
        ),
    ],
)
def test_bad_input_is_one_clear_line(simulated, call, error, text):
    with pytest.raises(error) as caught:
        call(simulated[0].signal_mv[:, 0])
    assert str(caught.value) == text


def test_unsigned_peaks_that_descend_are_refused(simulated):
    with pytest.raises(RecordingError, match="beats must ascend within"):
        ectopy.analyze(simulated[0], beats=np.array([5000, 3000, 1000], dtype=np.uint64))


def test_an_inverted_lead_is_doubted(mitdb_dir: Path):
    recording = ectopy.read(mitdb_dir / "100")
    upright = ectopy.analyze(recording.signal_mv[:100_000, 0], fs=360, model="cnn-mlp/intra")
    inverted = ectopy.analyze(-recording.signal_mv[:100_000, 0], fs=360, model="cnn-mlp/intra")
    assert upright.warnings == ()
    assert len(inverted.warnings) == 1
    assert inverted.warnings[0].startswith("the model is unsure of these beats (median confidence")


def test_a_rhythm_model_takes_a_lead_upside_down(mitdb_dir: Path):
    recording = ectopy.read(mitdb_dir / "119")
    lead, beats = recording.signal_mv[:300_000, 0], ectopy.read_annotations(mitdb_dir / "119")
    peaks = beats.peaks[beats.peaks < 299_000]
    upright, inverted = (ectopy.analyze(s, fs=360, beats=peaks) for s in (lead, -lead))
    assert upright.warnings == inverted.warnings == ()
    assert (upright.beats.classes == inverted.beats.classes).mean() > 0.99
    assert (upright.beats.classes == beats.classes[: len(peaks)]).mean() > 0.97


@pytest.mark.parametrize(
    ("model", "text"),
    [("rhythm-mlp", "it may never have met such a rhythm"), ("cnn-mlp", "are the electrodes rev")],
)
def test_an_unsure_model_is_told(simulated, model, text):
    unsure = np.tile(np.array([[0.6, 0.1, 0.1, 0.1, 0.1]], np.float32), (50, 1))
    (doubt,) = doubts(find_bundle(model), simulated[0], 0, unsure, np.ones(50, bool))
    assert doubt.startswith("the model is unsure of these beats (median confidence 0.60): " + text)
    sure = np.tile(np.array([[0.95, 0.05, 0, 0, 0]], np.float32), (50, 1))
    assert doubts(find_bundle(model), simulated[0], 0, sure, np.ones(50, bool)) == []


def test_a_recording_of_the_training_part_is_told(mitdb_dir: Path):
    seen = ectopy.analyze(mitdb_dir / "114", lead="V5", model="cnn-mlp/intra").warnings
    assert list(seen) == [
        "cnn-mlp/intra was trained on beats of MIT-BIH record 114, lead V5: "
        "its classes here look better than they would on another recording",
    ]
    other = ectopy.analyze(mitdb_dir / "114", model="cnn-mlp/intra").warnings
    assert other == (
        "cnn-mlp/intra was trained on beats of MIT-BIH record 114, lead V5: "
        "it has seen this patient, but never this lead",
    )


def test_fs_beside_a_recording_is_refused(simulated):
    with pytest.raises(RecordingError, match="but the recording states its own; leave fs out"):
        ectopy.analyze(simulated[0], fs=250)


@pytest.mark.parametrize(
    "signal",
    [np.full(7200, np.nan), np.zeros(7200), np.full(7200, 0.3)],
    ids=["missing", "zero", "constant"],
)
def test_a_dead_signal_is_refused(signal):
    with pytest.raises(SignalError) as caught:
        ectopy.analyze(signal, fs=360)
    assert "\n" not in str(caught.value)


def test_real_bigeminy(mitdb_dir: Path):
    analysis = ectopy.analyze(mitdb_dir / "119")
    assert analysis.beats.counts()["V"] > 400  # 444 annotated
    assert analysis.summary.v_burden_percent == pytest.approx(22.3, abs=1.5)


def test_record_without_mlii(mitdb_dir: Path):
    assert ectopy.analyze(mitdb_dir / "102").lead == "V5"
    assert ectopy.analyze(mitdb_dir / "114").lead == "MLII"
