from __future__ import annotations

import json

import pytest

from ectopy.data.protocols import DS2
from ectopy.errors import ProtocolError
from ectopy.evaluation.detected import evaluate_detected
from ectopy.models.bundle import find_bundle


def test_a_model_that_classes_beats_is_refused():
    with pytest.raises(
        ProtocolError,
        match=r"^cnn-mlp/intra does not find beats; protocol 'detected' judges what does: "
        r"give beat-finder$",
    ):
        evaluate_detected("cnn-mlp")


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


@pytest.mark.slow
def test_the_kept_results_are_what_the_bundle_does(mitdb_dir):
    kept = find_bundle("beat-finder").results("detected")
    assert kept is not None
    fresh = evaluate_detected("beat-finder", folder=mitdb_dir)["finders"]["beat-finder"]
    known = kept["finders"]["beat-finder"]
    for key in ("gross", "missed", "timing_ms", "made_up", "average"):
        assert fresh[key] == known[key]
