"""The inference engine: windows in, probabilities out."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest

from ectopy.data.mitdb import load
from ectopy.errors import BundleError
from ectopy.evaluation.calibration import apply_temperature
from ectopy.inference.engine import BATCH, Classifier, softmax
from ectopy.models.bundle import find_bundle
from ectopy.signal.conditioning import resample, rescale_peaks
from ectopy.signal.windows import cut_windows, zscore
from ectopy.simulate import simulate


@pytest.fixture(scope="module")
def classifier(untrained_bundle) -> Classifier:
    return Classifier(untrained_bundle("cnn-mlp"), threads=1)


@pytest.fixture(scope="module")
def lead(made_up_mitdb) -> tuple[np.ndarray, np.ndarray]:
    """Signal and peaks of one made-up record."""
    recording, beats = load("100", made_up_mitdb)
    return recording.lead()[1], beats.peaks


def windows(n: int) -> np.ndarray:
    return np.random.default_rng(n).standard_normal((n, 256)).astype(np.float32)


def test_a_bundle_and_its_folder_are_the_same(classifier, untrained_bundle):
    other = Classifier(find_bundle(untrained_bundle("cnn-mlp")))
    x = windows(5)
    np.testing.assert_allclose(classifier.logits(x), other.logits(x), atol=1e-6)
    assert classifier.bundle.full_name == "cnn-mlp/inter"


@pytest.mark.parametrize("n", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH + 5])
def test_batches_do_not_show(classifier, n):
    x = windows(n)
    together = classifier.logits(x)
    assert together.dtype == np.float32
    assert together.shape == (n, 5)
    for rows in (slice(0, 1), slice(n // 2, n // 2 + 3), slice(n - 1, n)):
        np.testing.assert_allclose(classifier.logits(x[rows]), together[rows], atol=1e-5)


def test_no_beats(classifier, lead):
    none = np.empty(0, dtype=np.int64)
    assert classifier.logits(np.empty((0, 256), dtype=np.float32)).shape == (0, 5)
    assert classifier.classify_windows(np.empty((0, 256), dtype=np.float32)).shape == (0, 5)
    found = classifier.classify(lead[0], 360.0, none)
    assert found.shape == (0, 5)
    assert found.dtype == np.float32


def test_rows_are_probabilities(classifier):
    found = classifier.classify_windows(windows(40) * 3 + 1)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.std(axis=0).max() > 1e-3


def test_windows_are_normalised(classifier):
    x = windows(9)
    expected = softmax(classifier.logits(zscore(x)))
    np.testing.assert_array_equal(classifier.classify_windows(x), expected)
    np.testing.assert_allclose(classifier.classify_windows(5 * x - 2), expected, atol=1e-4)


def test_a_lead_is_cut_as_in_training(classifier, lead):
    signal, peaks = lead
    expected = classifier.classify_windows(cut_windows(signal, peaks, 128, 128))
    np.testing.assert_array_equal(classifier.classify(signal, 360.0, peaks), expected)


def test_more_beats_than_a_batch(classifier, lead):
    signal, peaks = np.tile(lead[0], 20), lead[1]
    many = np.concatenate([peaks + i * len(lead[0]) for i in range(20)])
    assert len(many) > 2 * BATCH
    found = classifier.classify(signal, 360.0, many)
    expected = classifier.classify_windows(cut_windows(signal, many, 128, 128))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("fs", [250.0, 500.0, 257.3])
def test_another_sampling_frequency_gives_the_same_probabilities(classifier, lead, fs):
    signal, peaks = lead
    resampled = resample(signal, 360.0, fs)
    moved = rescale_peaks(peaks, 360.0, fs, len(resampled))
    expected = classifier.classify(signal, 360.0, peaks)
    # The first and the last window reach beyond the ends, where resampling shows.
    found = classifier.classify(resampled, fs, moved)
    difference = np.abs(found - expected)[1:-1]
    unresampled = classifier.classify(resampled, 360.0, moved)
    wrong = np.abs(unresampled - expected)[1:-1]
    assert difference.mean() < 0.02
    assert wrong.mean() > 2 * difference.mean()


def test_missing_samples_are_bridged(classifier, lead):
    signal, peaks = lead
    line = signal.copy()
    line[700:720] = np.interp(np.arange(700, 720), [699, 720], signal[[699, 720]])
    gaps = signal.copy()
    gaps[700:720] = np.nan
    np.testing.assert_allclose(
        classifier.classify(gaps, 360.0, peaks), classifier.classify(line, 360.0, peaks), atol=1e-5
    )
    assert np.isnan(gaps[700:720]).all()  # the caller's signal is as it was


def test_beats_that_are_given_where_there_is_no_signal(classifier):
    found = classifier.classify(np.full(500, np.nan, dtype=np.float32), 360.0, np.array([200]))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_a_damaged_graph(untrained_bundle, sign_bundle, tmp_path, content):
    folder = tmp_path / "copy"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    path = folder / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    sign_bundle(folder)
    with pytest.raises(BundleError) as caught:
        Classifier(folder)
    message = str(caught.value)
    assert message.startswith(f"{str(path)!r} is not a usable ONNX model (")
    assert message.endswith("); fetch the bundle again")
    assert "\n" not in message


def test_a_graph_of_another_window(untrained_bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    config = json.loads((folder / "config.json").read_text())
    config["input"]["before"] = 64
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        BundleError, match=r"takes inputs of shape \[\[1, 256\]\], its contract says"
    ):
        Classifier(folder)


def test_softmax():
    logits = np.random.default_rng(0).normal(0, 5, (20, 5)).astype(np.float32)
    expected = np.exp(logits.astype(np.float64))
    expected /= expected.sum(axis=1, keepdims=True)
    found = softmax(logits)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_bundle_s_temperature_is_in_its_probabilities(classifier, calibrated_bundle, lead):
    calibrated = Classifier(calibrated_bundle, threads=1)
    x = windows(60)
    np.testing.assert_array_equal(calibrated.logits(x), classifier.logits(x))
    plain, found = classifier.classify_windows(x), calibrated.classify_windows(x)
    np.testing.assert_allclose(found, apply_temperature(plain, 2.5), atol=1e-5)
    assert found.max(axis=1).mean() < plain.max(axis=1).mean() - 0.01
    assert np.array_equal(found.argmax(axis=1), plain.argmax(axis=1))
    signal, peaks = lead
    np.testing.assert_allclose(
        calibrated.classify(signal, 360.0, peaks),
        apply_temperature(classifier.classify(signal, 360.0, peaks), 2.5),
        atol=1e-5,
    )


@pytest.mark.parametrize("temperature", [1e-30, 0.05, 0.7, 1.3, 20.0, 1e30])
def test_no_temperature_changes_a_class(temperature):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 5, (20_000, 5)).astype(np.float32)
    # Two that are nearly the same, in either order.
    logits[:10_000, 3] = logits[:10_000, 1] + rng.normal(0, 1e-3, 10_000).astype(np.float32)
    found = softmax(logits, temperature)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(found.argmax(axis=1), logits.argmax(axis=1))


def test_temperature_1_is_plain_softmax():
    logits = np.random.default_rng(3).normal(0, 5, (50, 5)).astype(np.float32)
    assert np.array_equal(softmax(logits, 1.0), softmax(logits))


def test_softmax_of_large_logits():
    found = softmax(np.array([[1e4, 0.0, -1e4]], dtype=np.float32))
    assert found.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize("model", ["cnn-mlp", "rhythm-kan"])
def test_threads_change_nothing(model):
    recording, marks = simulate(700, seed=3, rhythm="mixed")
    signal = np.ascontiguousarray(recording.signal_mv[:, 0])
    assert len(marks.peaks) > 5 * BATCH
    one, *others = (
        Classifier(model, threads=threads).classify(signal, recording.fs, marks.peaks)
        for threads in (1, 2, 3, 50)
    )
    for found in others:
        np.testing.assert_array_equal(found, one)


def test_batches_are_worked_on_at_the_same_time(classifier, monkeypatch):
    together = threading.Barrier(2, timeout=20)  # which one thread alone would wait for in vain
    run = Classifier._run

    def waiting(self: Classifier, *parts: np.ndarray) -> np.ndarray:
        together.wait()
        return run(self, *parts)

    monkeypatch.setattr(Classifier, "_run", waiting)
    assert Classifier(classifier.bundle, threads=2).logits(windows(2 * BATCH)).shape[0] == 2 * BATCH
