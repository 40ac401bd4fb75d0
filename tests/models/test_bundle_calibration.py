"""What a bundle says of its certainties, and what is refused."""

from __future__ import annotations

import json
import shutil

import pytest

from ectopy.errors import BundleError
from ectopy.models.bundle import find_bundle
from ectopy.models.calibration import Calibration
from ectopy.models.saving import load_model, save_bundle

TABLE = {"method": "temperature", "temperature": 1.25, "fitted_on": "validation", "n": 90}


def test_it_survives_a_configuration():
    calibration = Calibration(1.25, "validation", 90)
    assert calibration.to_dict() == TABLE
    assert Calibration.from_dict(json.loads(json.dumps(TABLE))) == calibration


def test_a_bundle_keeps_what_it_was_saved_with(untrained_bundle, tmp_path):
    older = find_bundle(untrained_bundle("cnn-mlp"))
    assert older.calibration is None
    assert older.temperature == 1
    folder = save_bundle(
        load_model(older.folder),
        tmp_path / "bundle",
        protocol="inter",
        settings={},
        contract=older.contract,
        training=older.config["training"],
        calibration=Calibration(0.75, "validation", 90),
    )
    bundle = find_bundle(folder)
    assert bundle.config["calibration"] == TABLE | {"temperature": 0.75}
    assert bundle.temperature == 0.75
    assert bundle.weights_sha256 == older.weights_sha256  # it is no part of the weights


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(
            ({"temperature": value}, f"temperature = {value!r}, expected a finite number above 0")
            for value in (0, 0.0, -1.5, "1.5", None, True, float("nan"), float("inf"), [1.5])
        ),
        ({"method": "isotonic"}, "method = 'isotonic', expected 'temperature'"),
        ({"n": 0}, "n = 0, expected a whole number above 0"),
        ({"n": 9.5}, "n = 9.5, expected a whole number above 0"),
        ({"fitted_on": None}, "fitted_on = None, expected the name of a part"),
        (
            {"bias": 1},
            "entries ['bias', 'fitted_on', 'method', 'n', 'temperature'], expected fitted_on, "
            "method, n, temperature",
        ),
    ],
)
def test_what_inference_would_not_apply_is_refused_on_opening(
    calibrated_bundle, tmp_path, changes, reason
):
    folder = tmp_path / "bundle"
    shutil.copytree(calibrated_bundle, folder)
    config = json.loads((folder / "config.json").read_text())
    config["calibration"] |= changes
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError) as caught:
        find_bundle(folder)
    assert str(caught.value) == (
        f"calibration has {reason}; update ectopy or train the model again"
    )


@pytest.mark.parametrize("table", [1.5, [], {}])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(BundleError, match=r"^calibration has entries .*, expected fitted_on, meth"):
        Calibration.from_dict(table)
