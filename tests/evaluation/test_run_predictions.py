"""Predictions that evaluation keeps: those that the scores are of, with the run's own epochs."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from ectopy.data.protocols import load_test
from ectopy.errors import ProtocolError, RunError
from ectopy.evaluation.calibration import apply_temperature
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.evaluate import evaluate
from ectopy.evaluation.run_predictions import read_epochs
from ectopy.evaluation.runs import RunResult
from ectopy.inference.engine import Classifier
from ectopy.models.bundle import find_bundle

TABLE = """epoch,step,train_loss,val_accuracy,val_loss,val_macro_f1
1,10,0.5,0.9,0.4,0.7
2,20,0.3,0.95,0.25,0.8
"""


@pytest.fixture
def run_folder(untrained_bundle, tmp_path):
    """A run's folder as training leaves it: bundle and logs side by side."""
    shutil.copytree(untrained_bundle("cnn-mlp"), tmp_path / "run" / "bundle")
    (tmp_path / "run" / "logs").mkdir()
    (tmp_path / "run" / "logs" / "metrics.csv").write_text(TABLE)
    return tmp_path / "run"


def test_what_is_kept_is_what_was_scored(run_folder, made_up_mitdb, tmp_path):
    kept = tmp_path / "kept" / "cnn-mlp" / "seed0"
    bundle = run_folder / "bundle"
    results = evaluate(bundle, "inter", folder=made_up_mitdb, predictions=kept)
    run = RunResult.load(kept)
    test = load_test("inter", folder=made_up_mitdb)
    expected = Classifier(find_bundle(bundle)).classify_windows(test.windows)
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-3)
    assert np.array_equal(run.predicted, expected.argmax(axis=1))
    assert np.array_equal(run.classes, test.classes)
    assert np.array_equal(run.records, test.records)
    assert np.array_equal(run.peaks, test.peaks)
    assert (run.model, run.protocol, run.seed) == ("cnn-mlp", "inter", 0)
    assert (run.parameters, run.weights_sha256) == (175_973, results["weights_sha256"])
    assert run.multiply_adds == find_bundle(bundle).multiply_adds == 6_127_936
    assert (run.selected_by, run.selected_value) == ("val_loss", 0.0)
    assert [row["val_macro_f1"] for row in run.epochs] == [0.7, 0.8]
    compared = compare_runs([run], resamples=20)["models"]["cnn-mlp"]
    assert compared["scores"]["macro_f1"]["mean"] == pytest.approx(results["macro_f1"])
    assert compared["scores"]["accuracy"]["mean"] == pytest.approx(results["accuracy"])


def test_what_is_kept_of_a_calibrated_bundle_is_calibrated(
    calibrated_bundle, untrained_bundle, made_up_mitdb, tmp_path
):
    results = [
        evaluate(bundle, "inter", folder=made_up_mitdb, predictions=tmp_path / name)
        for name, bundle in {
            "plain": untrained_bundle("cnn-mlp"),
            "calibrated": calibrated_bundle,
        }.items()
    ]
    plain, calibrated = (RunResult.load(tmp_path / name) for name in ("plain", "calibrated"))
    assert (plain.temperature, calibrated.temperature) == (1.0, 2.5)
    assert np.array_equal(plain.predicted, calibrated.predicted)
    expected = apply_temperature(plain.probabilities, 2.5)
    np.testing.assert_allclose(calibrated.probabilities, expected, atol=1e-3)
    assert results[0]["confusion_matrix"] == results[1]["confusion_matrix"]
    one = compare_runs([calibrated], resamples=20)["models"]["cnn-mlp"]["scores"]
    other = compare_runs([plain], resamples=20)["models"]["cnn-mlp"]["scores"]
    assert one["ece_unscaled"]["mean"] == pytest.approx(other["ece"]["mean"], abs=2e-3)
    assert one["macro_auc"]["mean"] == pytest.approx(results[1]["macro_auc"], abs=1e-3)


def test_a_bundle_away_from_its_run_has_no_epochs(untrained_bundle, made_up_mitdb, tmp_path):
    evaluate(
        untrained_bundle("cnn-kan"), "inter", folder=made_up_mitdb, predictions=tmp_path / "kept"
    )
    assert RunResult.load(tmp_path / "kept").epochs == ()


@pytest.mark.parametrize(
    "given", [{"beats": "detected"}, {"allow_leak": True, "protocol": "intra"}]
)
def test_nothing_is_kept_of_what_cannot_be_compared(
    given, untrained_bundle, made_up_mitdb, tmp_path
):
    settings = {"protocol": "inter", **given}
    with pytest.raises(ProtocolError, match=r"^predictions are kept for comparing models on"):
        evaluate(
            untrained_bundle("cnn-mlp"),
            folder=made_up_mitdb,
            predictions=tmp_path / "kept",
            **settings,
        )
    assert not (tmp_path / "kept").exists()


def test_a_damaged_table_of_epochs(tmp_path):
    file = tmp_path / "metrics.csv"
    assert read_epochs(file) == ()
    file.write_text("epoch,train_loss\n1,much\n")
    with pytest.raises(
        RunError, match=r"^the run's table of epochs '.*' cannot be read \(could not"
    ):
        read_epochs(file)
    file.write_text("epoch,train_loss,val_loss\n1,0.5,\n")
    assert read_epochs(file) == ({"epoch": 1.0, "train_loss": 0.5},)
