"""The weights that come with the package: whole, small, and measured."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

from ectopy.beats import CLASSES
from ectopy.data.protocols import PACED, PROTOCOLS
from ectopy.errors import BundleError
from ectopy.evaluation.evaluate import evaluate
from ectopy.models import ECGCNN, MODELS
from ectopy.models.bundle import find_bundle, shipped_bundles
from ectopy.models.card import model_card
from ectopy.models.saving import load_finder, load_model, onnx_difference

WEIGHTS = Path(str(resources.files("ectopy"))) / "weights"

shipped = pytest.mark.parametrize("name", shipped_bundles())
class_beats = pytest.mark.parametrize(
    "name", [name for name in shipped_bundles() if not find_bundle(name).finds]
)


def test_both_models_of_the_comparison_are_shipped():
    assert {"cnn-mlp/intra", "cnn-kan/intra"} <= set(shipped_bundles())


def test_only_small_plain_files_are_shipped():
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert files
    assert [str(path) for path in files if path.stat().st_size > 5_000_000] == []
    kinds = {".safetensors", ".onnx", ".json", ".md"}
    assert [str(path) for path in files if path.suffix not in kinds] == []
    in_a_bundle = {file for name in shipped_bundles() for file in (WEIGHTS / name).rglob("*")}
    assert [str(path) for path in files if path not in in_a_bundle] == []


def test_from_pretrained_by_name():
    model = ECGCNN.from_pretrained("cnn-mlp")
    assert isinstance(model, ECGCNN)
    assert not model.training
    assert model(torch.zeros(2, 1, 256)).shape == (2, 5)


@class_beats
def test_configuration_is_complete_and_true(name):
    bundle = find_bundle(name)
    config, training = bundle.config, bundle.config["training"]
    assert bundle.full_name == name
    rhythm = bundle.contract.reads_rhythm
    assert set(training) == {
        "database", "protocol", "part", "records", "beats", "seed", "recipe", "epoch",
        "selected_by", "selected_value", *(["held_out"] if rhythm else []),
    }  # fmt: skip
    protocol = PROTOCOLS[bundle.protocol]
    assert training["protocol"] == bundle.protocol
    assert set(training["beats"]) == set(CLASSES)
    assert 0 < training["epoch"] <= training["recipe"]["max_epochs"]
    if rhythm and bundle.protocol == "inter":  # its recipe was chosen on patients held out in turn
        assert training["part"] == "train, with the paced records"
        assert training["records"] == [*protocol.train_records, *PACED]
        assert training["epoch"] == training["recipe"]["max_epochs"]
        assert training["selected_value"] is None
    else:
        assert training["part"] == "train"
        assert training["records"] == list(protocol.train_records)
        assert 0 < training["selected_value"] <= 1
    assert not training.get("held_out")
    assert config["code_version"]
    assert (bundle.contract.before, bundle.contract.after) == (128, 128)
    assert bundle.contract.fs == 360
    assert bundle.contract.lead_by == protocol.lead_by
    model = load_model(name)
    assert type(model) is MODELS[config["model"]]
    assert sum(p.numel() for p in model.parameters()) == bundle.n_parameters
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())


@class_beats
def test_graph_and_weights_are_the_same_model(name):
    contract = find_bundle(name).contract
    assert onnx_difference(load_model(name), WEIGHTS / name / "model.onnx", contract) <= 1e-4


def test_the_finder_is_shipped_and_true():
    bundle = find_bundle("beat-finder")
    assert bundle.full_name == "beat-finder/inter"
    training = bundle.config["training"]
    assert training["records"] == [*PROTOCOLS["inter"].train_records, *PACED]
    assert training["held_out"] == []
    assert training["epoch"] == training["recipe"]["max_epochs"]
    assert bundle.finder_contract.threshold == training["recipe"]["threshold"]
    network = load_finder()
    assert sum(p.numel() for p in network.parameters()) == bundle.n_parameters <= 25_000
    graph = WEIGHTS / "beat-finder/inter/model.onnx"
    assert onnx_difference(network, graph, bundle.finder_contract) <= 1e-4
    results = bundle.results("detected")
    assert results is not None
    assert results["leak"] is None
    assert results["finders"]["beat-finder"]["records"] == list(PROTOCOLS["inter"].test_records)
    with pytest.raises(BundleError, match=r"^cnn-mlp/inter classes beats and does not find them"):
        load_finder("cnn-mlp")


@class_beats
def test_every_result_belongs_to_these_weights(name):
    bundle = find_bundle(name)
    assert bundle.results() is not None, f"run: ectopy evaluate {name}"
    digest = hashlib.sha256((WEIGHTS / name / "model.safetensors").read_bytes()).hexdigest()
    for path in (WEIGHTS / name / "results").iterdir():
        results = json.loads(path.read_text())
        assert results["weights_sha256"] == digest, path
        if path.name == "seeds.json":
            assert results["seed"] in results["seeds"]
            assert results["protocol"] == bundle.protocol
            continue
        assert results["model"] == name
        assert results["params"] == bundle.n_parameters
        matrix = np.array(results["confusion_matrix"])
        if results["protocol"] == "detected":  # there, n has the beats that were not found as well
            assert results["leak"] is None, path
            assert results["records"] == list(PROTOCOLS["inter"].test_records)
            matrix = np.array(results["matrix"])[: len(CLASSES)]
        else:
            assert results["accuracy"] == pytest.approx(matrix.trace() / matrix.sum())
        assert matrix.sum() == results["n"]
        counts = {c: results["per_class"][c]["n"] for c in CLASSES}
        assert list(counts.values()) == matrix.sum(axis=1).tolist()


@shipped
def test_card_is_up_to_date(name):
    assert (WEIGHTS / name / "README.md").read_text() == model_card(find_bundle(name))


@pytest.mark.slow
@class_beats
def test_recorded_results_can_be_measured_again(name, mitdb_dir):
    recorded = find_bundle(name).results()
    assert recorded is not None
    measured = evaluate(name, recorded["protocol"], folder=mitdb_dir)
    # Another processor may round a logit otherwise: one beat in ten thousand at the most.
    moved = np.abs(np.subtract(recorded["confusion_matrix"], measured["confusion_matrix"])).sum()
    assert moved / 2 <= recorded["n"] / 10_000
    assert measured["macro_f1"] == pytest.approx(recorded["macro_f1"], abs=2e-3)
