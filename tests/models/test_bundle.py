"""Bundles on disk: finding them, and what is said of damaged ones."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from ectopy.errors import BundleError
from ectopy.models.bundle import (
    DEFAULT_MODEL,
    DEFAULT_PROTOCOL,
    find_bundle,
    open_bundle,
    shipped_bundles,
)
from ectopy.models.contract import InputContract, contract_to_dict

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: dict[str, Any] = {
    "format": 1,
    "model": "cnn-mlp",
    "protocol": "inter",
    "settings": {},
    "parameters": 175_973,
    "classes": ["N", "S", "V", "F", "Q"],
    "input": contract_to_dict(InputContract()),
    "training": {"records": ["101"]},
    "files": {
        "model.safetensors": hashlib.sha256(b"weights").hexdigest(),
        "model.onnx": hashlib.sha256(b"graph").hexdigest(),
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle with everything but a working network."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "model.onnx").write_bytes(b"graph")
    write(folder, CONFIG)
    return folder


def write(folder: Path, config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def error_of(name: str | Path, protocol: str | None = None) -> str:
    with pytest.raises(BundleError) as caught:
        find_bundle(name, protocol)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_bundle(folder):
    bundle = find_bundle(str(folder))
    assert bundle.folder == folder
    assert bundle.full_name == "cnn-mlp/inter"
    assert bundle.protocol == "inter"
    assert bundle.n_parameters == 175_973
    assert bundle.weights_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert bundle.contract == InputContract()
    assert open_bundle(folder) == bundle


def test_the_default_is_shipped():
    assert find_bundle(DEFAULT_MODEL).full_name == f"{DEFAULT_MODEL}/{DEFAULT_PROTOCOL}"
    assert find_bundle(f"{DEFAULT_MODEL}/{DEFAULT_PROTOCOL}").full_name in shipped_bundles()


@pytest.mark.parametrize("name", ["resnet", "resnet/intra", "cnn-mlp/", "no/such/folder"])
def test_an_unknown_model(name):
    shipped = ", ".join(shipped_bundles())
    assert error_of(name) == (
        f"unknown model {name!r}; shipped are: {shipped}; or give a bundle's folder"
    )


def test_a_folder_without_a_bundle(tmp_path):
    assert error_of(tmp_path).startswith(f"unknown model {str(tmp_path)!r}; shipped are: ")


def test_a_protocol_that_is_not_shipped():
    shipped = ", ".join(name for name in shipped_bundles() if name.startswith("cnn-mlp/"))
    assert error_of("cnn-mlp", "nightly") == (
        f"no shipped bundle 'cnn-mlp/nightly'; 'cnn-mlp' is shipped as: {shipped}; "
        "name one of these, or give a trained bundle's folder"
    )


@pytest.mark.parametrize("text", ["", "{", "\x00", '{"format": 1'])
def test_a_damaged_configuration(folder, text):
    (folder / "config.json").write_text(text)
    message = error_of(folder)
    assert message.startswith(f"bundle {str(folder)!r} has no readable config.json (")
    assert message.endswith("); train it again")


@pytest.mark.parametrize(
    "key",
    ["classes", "files", "format", "input", "model", "parameters", "protocol", "training"],
)
def test_a_configuration_that_lacks_something(folder, key):
    write(folder, {name: value for name, value in CONFIG.items() if name != key})
    assert error_of(folder) == (
        f"bundle {str(folder)!r}: config.json lacks {key!r}; train it again"
    )


def test_a_configuration_that_is_a_list(folder):
    write(folder, [CONFIG])
    assert error_of(folder) == (
        f"bundle {str(folder)!r}: config.json lacks 'files'; train it again"
    )


@pytest.mark.parametrize("found", [2, 0, "1", None])
def test_another_format(folder, found):
    write(folder, CONFIG | {"format": found})
    assert error_of(folder) == (
        f"bundle {str(folder)!r} has format {found!r}, expected 1; "
        "use the version of ectopy that wrote it"
    )


def test_other_classes(folder):
    write(folder, CONFIG | {"classes": ["N", "V", "S", "F", "Q"]})
    assert error_of(folder) == (
        f"bundle {str(folder)!r} has classes ['N', 'V', 'S', 'F', 'Q'], "
        "expected ['N', 'S', 'V', 'F', 'Q']; train it with this version of ectopy"
    )


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    assert error_of(folder) == f"bundle {str(folder)!r} lacks {name}; copy the whole folder"


def test_an_input_contract_from_the_future(folder):
    write(folder, CONFIG | {"input": CONFIG["input"] | {"tempo": 3, "sex": "f"}})
    bundle = find_bundle(folder)
    with pytest.raises(BundleError) as caught:
        _ = bundle.contract
    assert str(caught.value) == "input contract has an unknown entry 'sex'; update ectopy"


def test_the_input_contract_survives_json():
    contract = InputContract(fs=250.0, lead_by="index", lead_preference=("V5",))
    table = json.loads(json.dumps(contract_to_dict(contract)))
    assert InputContract.from_dict(table) == contract


def test_the_input_contract_states_everything():
    assert set(contract_to_dict(InputContract())) == {
        "fs", "before", "after", "unit", "filter", "normalisation", "edges", "fiducial",
        "lead_by", "lead_preference", "rhythm_features", "typical_beats",
    }  # fmt: skip


def test_results_of_these_weights_and_of_others(folder):
    bundle = find_bundle(folder)
    assert bundle.results() is None
    (folder / "results").mkdir()
    results = {"accuracy": 0.9, "weights_sha256": bundle.weights_sha256}
    (folder / "results" / "inter.json").write_text(json.dumps(results))
    assert bundle.results() == results
    assert bundle.results("inter") == results
    assert bundle.results("intra") is None
    later = b"weights of a later training"
    (folder / "model.safetensors").write_bytes(later)
    files = CONFIG["files"] | {"model.safetensors": hashlib.sha256(later).hexdigest()}
    write(folder, CONFIG | {"files": files})
    assert open_bundle(folder).results() is None


def test_damaged_results(folder):
    (folder / "results").mkdir()
    (folder / "results" / "inter.json").write_text("{")
    with pytest.raises(BundleError, match=r"are damaged .*; delete the file or measure again"):
        find_bundle(folder).results()


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx"])
def test_a_file_of_another_bundle(folder, name):
    (folder / name).write_bytes(b"of another bundle")
    assert error_of(folder) == (
        f"{name} of bundle {str(folder)!r} is not the one its config.json names; "
        "copy the whole folder again"
    )


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("filter", "band-pass 0.5-40 Hz", "'none'"),
        ("unit", "uV", "'mV'"),
        ("edges", "zeros", "'end samples repeated'"),
        ("lead_by", "luck", "'index' or 'name'"),
        ("fs", "360", "a number above 0"),
        ("fs", 0, "a number above 0"),
        ("before", 1.5, "a whole number above 0"),
        ("after", 0, "a whole number above 0"),
    ],
)
def test_a_contract_that_inference_would_not_keep(name, found, expected):
    with pytest.raises(BundleError) as caught:
        InputContract.from_dict(CONFIG["input"] | {name: found})
    assert str(caught.value) == (
        f"input contract asks for {name} = {found!r}, this version of ectopy does {expected}; "
        "update ectopy or train the model again"
    )


def test_unknown_rhythm_features_are_refused():
    with pytest.raises(BundleError, match=r"asks for rhythm_features = \('rr',\)"):
        InputContract.from_dict(CONFIG["input"] | {"rhythm_features": ["rr"]})


def test_a_name_that_no_file_system_takes():
    assert error_of("x" * 300).startswith("unknown model 'xxx")


def test_shipped_names_are_full_names():
    assert shipped_bundles() == sorted(shipped_bundles())
    assert all(re.fullmatch(r"[a-z-]+/[a-z]+", name) for name in shipped_bundles())
