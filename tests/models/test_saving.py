"""Writing bundles and reading them back."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import BundleError
from ectopy.models import create_model
from ectopy.models.bundle import find_bundle
from ectopy.models.card import model_card
from ectopy.models.contract import FinderContract, InputContract
from ectopy.models.registry import create_finder
from ectopy.models.saving import (
    load_model,
    network_state,
    onnx_difference,
    save_bundle,
)

FILES = {"README.md", "config.json", "model.onnx", "model.safetensors"}


def test_what_a_bundle_holds(untrained_bundle):
    folder = untrained_bundle("cnn-kan")
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
    bundle = find_bundle(folder)
    assert set(bundle.config) == {
        "format", "model", "protocol", "settings", "parameters", "multiply_adds", "classes",
        "input", "training", "files", "code_version",
    }  # fmt: skip
    assert bundle.n_parameters == 285_280
    assert (folder / "README.md").read_text() == model_card(bundle)


def test_everyone_may_read_a_bundle(untrained_bundle):
    folder = untrained_bundle("cnn-mlp")
    assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o444 != 0o444] == []


def test_weights_that_do_not_load(untrained_bundle, sign_bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (b"", whole[:1000], b"x" * 2000):
        (folder / "model.safetensors").write_bytes(damaged)
        sign_bundle(folder)
        with pytest.raises(BundleError) as caught:
            load_model(folder)
        assert str(caught.value).startswith(f"weights of bundle {str(folder)!r} do not load: ")
        assert str(caught.value).endswith("; fetch them again")


def test_weights_of_another_size(untrained_bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(untrained_bundle("cnn-kan"), folder)
    config = json.loads((folder / "config.json").read_text())
    config["settings"] = {"intervals": 9}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match=r"size mismatch for kan_head\.kan1\.spline_weight"):
        load_model(folder)


def test_a_graph_of_other_weights_is_noticed(untrained_bundle):
    folder = untrained_bundle("cnn-mlp")
    model = load_model(folder)
    assert onnx_difference(model, folder / "model.onnx", InputContract(), 256) <= 1e-4
    with torch.no_grad():
        model.classifier[8].bias += 0.01
    difference = onnx_difference(model, folder / "model.onnx", InputContract(), 256)
    assert difference == pytest.approx(0.01, abs=1e-4)


def test_a_diverged_model_is_refused_and_the_older_bundle_stays(untrained_bundle, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    model = create_model("cnn-mlp").eval()
    with torch.no_grad():
        model.classifier[0].weight.fill_(torch.nan)
    with pytest.raises(BundleError) as caught:
        save_bundle(
            model,
            folder,
            protocol="inter",
            settings={},
            contract=InputContract(),
            training=find_bundle(folder).config["training"],
        )
    assert str(caught.value) == (
        "ONNX outputs of cnn-mlp differ by nan from PyTorch's, expected at most 0.0001; "
        "report this with your torch and onnxruntime versions"
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_model_that_finds_beats_is_not_one_that_classes_them(tmp_path):
    model = create_finder({"width": 4, "dilations": [1]}).eval()
    training = {
        "database": "made up", "protocol": "inter", "part": "train", "records": ["101"],
        "held_out": ["106"], "beats": 3, "seed": 0, "recipe": {"name": "none"}, "epoch": 1,
        "selected_by": "val_error", "selected_value": 0.25,
    }  # fmt: skip
    folder = save_bundle(
        model,
        tmp_path / "finder",
        protocol="inter",
        settings={"width": 4, "dilations": [1]},
        contract=FinderContract(),
        training=training,
    )
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "README.md").read_text() == model_card(find_bundle(folder))
    with pytest.raises(BundleError) as caught:
        load_model(folder)
    assert str(caught.value) == (
        "beat-finder/inter finds beats and does not class them; give a model that does, "
        f"such as {DEFAULT_MODEL!r}"
    )


def test_a_diverged_finder_is_refused(tmp_path):
    model = create_finder({"width": 4, "dilations": [1]}).eval()
    with torch.no_grad():
        model.out.bias.fill_(torch.nan)
    with pytest.raises(BundleError) as caught:
        save_bundle(
            model,
            tmp_path / "finder",
            protocol="inter",
            settings={},
            contract=FinderContract(),
            training={},
        )
    assert str(caught.value) == (
        "ONNX outputs of beat-finder differ by nan from PyTorch's, expected at most 0.0001; "
        "report this with your torch and onnxruntime versions"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_network_within_a_checkpoint():
    state = {"network.out.bias": torch.zeros(2), "loss.weight": torch.ones(5)}
    found = network_state({"state_dict": state, "epoch": 3})
    assert list(found) == ["out.bias"]
    assert torch.equal(found["out.bias"], torch.zeros(2))
