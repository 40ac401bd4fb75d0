from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ectopy.data.protocols import DS2
from ectopy.errors import ProtocolError
from ectopy.evaluation.detected import detected_bundle, evaluate_detected
from ectopy.models.bundle import find_bundle


def test_a_model_that_classes_beats_is_judged_on_patients_it_has_not_seen():
    with pytest.raises(
        ProtocolError,
        match=r"^cnn-mlp/intra may not be judged on these records: it was trained on beats of 22 "
        r"of the 22 test records \(100, 103, 105, ...\); --allow-leak judges it all the same and "
        r"says so$",
    ):
        evaluate_detected("cnn-mlp/intra")


@pytest.mark.parametrize("asked", ["peers", "noise", "forms"])
def test_a_model_that_classes_beats_has_no_peers_among_finders(asked):
    with pytest.raises(
        ProtocolError,
        match=r"^--peers, --noise, --forms and --figure judge what finds beats, and cnn-mlp/intra "
        r"classes them; leave them out$",
    ):
        evaluate_detected("cnn-mlp/intra", allow_leak=True, **{asked: True})


def test_which_bundle_a_name_means(untrained_bundle, tmp_path, monkeypatch):
    trained = untrained_bundle("cnn-mlp")
    assert detected_bundle("cnn-mlp").full_name == "cnn-mlp/inter"
    assert detected_bundle("beat-finder").full_name == "beat-finder/inter"
    assert detected_bundle(trained).folder == trained
    monkeypatch.setattr("ectopy.models.bundle._shipped_root", lambda: tmp_path)
    for protocol in ("inter", "intra"):
        shutil.copytree(trained, tmp_path / "cnn-mlp" / protocol)
    assert detected_bundle("cnn-mlp").folder == tmp_path / "cnn-mlp" / "inter"
    assert detected_bundle("cnn-mlp/intra").folder == tmp_path / "cnn-mlp" / "intra"
    # A bundle's folder goes before a name.
    shutil.copytree(trained, tmp_path / "here" / "cnn-mlp")
    monkeypatch.chdir(tmp_path / "here")
    assert detected_bundle("cnn-mlp").folder == Path("cnn-mlp")


def test_records_trained_on_are_refused():
    with pytest.raises(
        ProtocolError,
        match=r"^beat-finder/inter may not be judged on these records: it was trained on records "
        r"101, 102; --allow-leak judges it all the same and says so$",
    ):
        evaluate_detected("beat-finder", records=["100", "101", "102"])


def test_no_test_patient_was_trained_on():
    training = find_bundle("beat-finder").config["training"]
    assert not set(DS2) & set(training["records"])


def test_one_record(mitdb_dir):
    results = evaluate_detected("beat-finder", records=["119"], allow_leak=True, folder=mitdb_dir)
    assert results["leak"] == "it was trained on records 119"
    one = results["finders"]["beat-finder"]
    assert one["gross"]["tp"] + one["gross"]["fn"] == sum(r["of"] for r in one["missed"].values())
    assert one["gross"]["se"] > 0.999
    assert one["missed"]["V"]["of"] > 300
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_one_record_classed(mitdb_dir):
    results = evaluate_detected("cnn-mlp/intra", records=["232"], allow_leak=True, folder=mitdb_dir)
    assert results["leak"] == "it was trained on beats of 1 of the 1 test records (232)"
    assert results["protocol_title"].startswith(
        "beats found in the raw signal of 1 chosen records and classed"
    )
    assert results["missed"]["S"]["of"] > 1000
    assert results["gross"]["qrs"]["se"] > 0.99
    assert results["notes"][3] == "record 232 holds 100% of the S beats that are scored"
    assert json.loads(json.dumps(results, allow_nan=False)) == results


@pytest.mark.slow
def test_the_kept_results_are_what_the_bundle_does(mitdb_dir):
    kept = find_bundle("beat-finder").results("detected")
    assert kept is not None
    fresh = evaluate_detected("beat-finder", folder=mitdb_dir)["finders"]["beat-finder"]
    known = kept["finders"]["beat-finder"]
    for key in ("gross", "missed", "timing_ms", "made_up", "average"):
        assert fresh[key] == known[key]
