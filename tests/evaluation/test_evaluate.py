"""Scoring bundles under protocols, and refusing to where they were trained on the test part."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.beats import CLASSES
from ectopy.data.mitdb import RECORDS
from ectopy.data.protocols import DS1, DS2, get_protocol, load_test
from ectopy.errors import BundleError, ProtocolError
from ectopy.evaluation.evaluate import evaluate, find_leak
from ectopy.evaluation.metrics import score_classes
from ectopy.inference.engine import Classifier
from ectopy.models.bundle import find_bundle

if TYPE_CHECKING:
    from pathlib import Path

LEAK = "it was trained on beats of 22 of the 22 test records (100, 103, 105, ...)"
SCORES = {
    "n", "accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1", "macro_auc", "per_class",
    "confusion_matrix",
}  # fmt: skip
HEAD = {"model", "protocol", "protocol_title", "beats", "leak"}
TAIL = {"params", "weights_sha256", "code_version", "notes"}


@pytest.fixture(scope="module")
def inter(untrained_bundle) -> Path:
    return untrained_bundle("cnn-mlp")


@pytest.fixture(scope="module")
def intra(untrained_bundle, tmp_path_factory) -> Path:
    """The same network, as if it had been trained on beats of all records."""
    folder = tmp_path_factory.mktemp("evaluate") / "intra"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    config = json.loads((folder / "config.json").read_text())
    config["protocol"] = "intra"
    config["training"]["records"] = list(RECORDS)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_bundle_may_be_scored_under_its_own_protocol(inter, intra):
    assert find_leak(find_bundle(inter), get_protocol("inter")) is None
    assert find_leak(find_bundle(intra), get_protocol("intra")) is None


def test_patients_on_both_sides_are_a_leak(inter, intra):
    assert find_leak(find_bundle(intra), get_protocol("inter")) == LEAK
    assert find_leak(find_bundle(inter), get_protocol("intra")) == (
        "it was trained on beats of 22 of the 48 test records (101, 106, 108, ...)"
    )


@pytest.mark.parametrize(
    ("trained", "leak"),
    [
        (["101", "202"], "it was trained on beats of 1 of the 22 test records (202)"),
        (["100", "103", "105"],
         "it was trained on beats of 3 of the 22 test records (100, 103, 105)"),
        (["101", "102"], None),
        ([], None),
    ],
)  # fmt: skip
def test_only_shared_records_are_a_leak(intra, trained, leak):
    bundle = find_bundle(intra)
    training = bundle.config["training"] | {"records": trained}
    other = dataclasses.replace(bundle, config=bundle.config | {"training": training})
    assert find_leak(other, get_protocol("inter")) == leak


def test_a_leak_is_refused(intra, tmp_path):
    with pytest.raises(ProtocolError) as caught:
        evaluate(intra, "inter", folder=tmp_path)  # before any data are read
    assert str(caught.value) == (
        f"cnn-mlp/intra may not be scored under 'inter': {LEAK}; "
        "--allow-leak scores it all the same and says so"
    )


def test_a_leak_that_is_allowed_is_noted(intra, inter, made_up_mitdb):
    results = evaluate(intra, "inter", allow_leak=True, folder=made_up_mitdb)
    assert results["leak"] == LEAK
    honest = evaluate(inter, "inter", allow_leak=True, folder=made_up_mitdb)
    assert honest["leak"] is None
    assert honest["confusion_matrix"] == results["confusion_matrix"]


def test_what_a_result_holds(inter, made_up_mitdb):
    bundle = find_bundle(inter)
    results = evaluate(inter, "inter", folder=made_up_mitdb)
    assert set(results) == HEAD | SCORES | TAIL | {"per_record"}
    assert json.loads(json.dumps(results)) == results
    assert results["model"] == "cnn-mlp/inter"
    assert results["protocol"] == "inter"
    assert results["protocol_title"] == get_protocol("inter").title
    assert results["beats"] == "annotated"
    assert results["leak"] is None
    assert results["params"] == 175_973
    assert results["weights_sha256"] == bundle.weights_sha256
    assert results["code_version"].startswith("0.")
    assert (
        "records 202 and 201 are one subject, on both sides of the split as published"
        in (results["notes"])
    )


@pytest.mark.parametrize("protocol", ["intra", "inter"])
def test_scores_are_those_of_the_test_part(inter, intra, made_up_mitdb, protocol):
    folder = {"intra": intra, "inter": inter}[protocol]
    results = evaluate(folder, protocol, folder=made_up_mitdb)
    test = load_test(protocol, folder=made_up_mitdb)
    probabilities = Classifier(find_bundle(folder)).classify_windows(test.windows)
    expected = score_classes(test.classes, probabilities)
    assert {key: results[key] for key in SCORES} == expected
    assert results["n"] == {"intra": 94, "inter": 330}[protocol]
    records = results["per_record"]
    assert list(records) == sorted(set(test.records))
    assert sum(one["n"] for one in records.values()) == results["n"]
    for c, name in enumerate(CLASSES):
        right = sum(one["right"][name] for one in records.values())
        assert right == results["confusion_matrix"][c][c]
        assert (
            sum(one["true"][name] for one in records.values()) == (results["per_class"][name]["n"])
        )
    one = records[test.records[0]]
    assert one["accuracy"] == pytest.approx(sum(one["right"].values()) / one["n"])


def test_intra_says_what_it_is(intra, made_up_mitdb):
    notes = evaluate(intra, "intra", folder=made_up_mitdb)["notes"]
    assert notes[0].startswith("random split: beats of the same patients are in training and test")
    assert notes[1] == "lead 0 by index, as published: V5 in records 102, 104 and 114"


def test_detected_beats(inter, made_up_mitdb):
    results = evaluate(inter, "inter", beats="detected", folder=made_up_mitdb)
    extra = {
        "reference_beats", "missed", "accuracy_with_missed", "all_records", "records", "finder",
    }  # fmt: skip
    assert set(results) == HEAD | SCORES | TAIL | extra
    assert json.loads(json.dumps(results)) == results
    assert results["beats"] == "detected"
    assert results["finder"]["records_seen"] == []
    assert results["notes"][-1] == "the beat finder was trained on none of these records"
    reference = load_test("inter", folder=made_up_mitdb).counts()
    assert results["reference_beats"] == reference
    n = sum(reference.values())
    missed = sum(results["missed"].values())
    assert results["n"] == n - missed
    # The made-up beats are clear: nearly all are found, and little else.
    assert missed <= 0.05 * n
    assert sum(results["all_records"]["additional"].values()) <= 0.05 * n
    assert results["accuracy_with_missed"] == pytest.approx(
        np.trace(results["confusion_matrix"]) / n
    )
    everything = results["all_records"]
    assert everything["note"] == "every beat of the test records"
    assert everything["reference_beats"] == reference
    assert everything["n"] == results["n"]
    additional = sum(everything["additional"].values())
    assert additional == sum(everything["additional_per_record"].values())
    assert everything["positive_predictivity"] == results["n"] / (results["n"] + additional)


def test_detected_beats_of_the_intra_test_part(intra, made_up_mitdb):
    results = evaluate(intra, "intra", beats="detected", folder=made_up_mitdb)
    test = load_test("intra", folder=made_up_mitdb)
    assert results["reference_beats"] == test.counts()
    assert sum(results["all_records"]["reference_beats"].values()) == 48 * 15
    assert results["all_records"]["note"].startswith("every beat of the records, those of the")


def test_beats_that_are_neither(inter, made_up_mitdb):
    with pytest.raises(ProtocolError) as caught:
        evaluate(inter, "inter", beats="given", folder=made_up_mitdb)
    assert str(caught.value) == "beats = 'given'; expected 'annotated' or 'detected'"


def test_unknown_names(inter, made_up_mitdb):
    with pytest.raises(ProtocolError, match=r"^unknown protocol 'extra'; the protocols are: "):
        evaluate(inter, "extra", folder=made_up_mitdb)
    with pytest.raises(BundleError, match=r"^unknown model 'resnet'; shipped are: "):
        evaluate("resnet", "intra", folder=made_up_mitdb)


@pytest.mark.slow
def test_the_real_database(inter, mitdb_dir):
    results = evaluate(inter, "inter", folder=mitdb_dir)
    assert set(results) == HEAD | SCORES | TAIL | {"per_record"}
    assert {name: one["n"] for name, one in results["per_class"].items()} == {
        "N": 44_259, "S": 1_837, "V": 3_221, "F": 388, "Q": 7,
    }  # fmt: skip
    assert list(results["per_record"]) == list(DS2)
    assert not set(results["per_record"]) & set(DS1)
    assert results["accuracy"] < 0.97  # it has learned nothing


@pytest.mark.slow
def test_the_real_database_with_detected_beats(inter, mitdb_dir):
    results = evaluate(inter, "inter", beats="detected", folder=mitdb_dir)
    n = sum(results["reference_beats"].values())
    assert n == 49_712
    assert sum(results["missed"].values()) <= 0.01 * n
    assert sum(results["all_records"]["additional"].values()) <= 0.02 * n
