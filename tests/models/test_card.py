"""Model cards and recorded results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ectopy.errors import OutputError
from ectopy.models.bundle import Bundle, find_bundle, open_bundle
from ectopy.models.card import model_card, results_table
from ectopy.models.contract import InputContract, contract_to_dict
from ectopy.models.results import record_results

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path, sign_bundle) -> Bundle:
    folder = tmp_path / "bundle"
    folder.mkdir()
    config = {
        "format": 1,
        "model": "cnn-mlp",
        "protocol": "intra",
        "settings": {},
        "parameters": 175_973,
        "classes": ["N", "S", "V", "F", "Q"],
        "input": contract_to_dict(InputContract()),
        "training": {
            "database": "mitdb 1.0.0",
            "protocol": "intra",
            "part": "train",
            "records": ["100"],
            "beats": {"N": 1200, "S": 30, "V": 4, "F": 0, "Q": 1},
            "seed": 5,
            "recipe": {"name": "default"},
            "epoch": 12,
            "selected_by": "val_macro_f1",
            "selected_value": 0.91234,
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "model.onnx").write_bytes(b"graph")
    sign_bundle(folder)
    return open_bundle(folder)


def scores(bundle: Bundle, **changes: Any) -> dict[str, Any]:
    one = {"precision": 0.5, "recall": 0.25, "f1": 0.3333, "auc": 0.75, "n": 1234}
    return {
        "protocol": "intra",
        "beats": "annotated",
        "n": 16_418,
        "accuracy": 0.98765,
        "macro_f1": 0.9,
        "macro_f1_nsvf": 0.8,
        "weighted_f1": 0.98,
        "macro_auc": 0.99,
        "per_class": {name: dict(one) for name in "NSVFQ"},
        "confusion_matrix": [[10 * row + column for column in range(5)] for row in range(5)],
        "weights_sha256": bundle.weights_sha256,
    } | changes


def test_a_card_without_results(bundle):
    card = model_card(bundle)
    assert card.startswith("# cnn-mlp/intra\n")
    for text in (
        "175,973 parameters",
        "Windows of 256 samples at 360 Hz, 128 before the peak and 128 from it on",
        "S supraventricular ectopic; V ventricular ectopic",
        "1,235 beats of mitdb 1.0.0, the train part of protocol `intra` "
        "(N 1,200, S 30, V 4, F 0, Q 1)",
        "recipe `default`, seed 5; checkpoint of epoch 12, chosen by val_macro_f1 on the "
        "validation part (0.9123)",
        "Not measured yet: `ectopy evaluate FOLDER --record` with this folder.",
    ):
        assert text in card


def test_a_card_tells_what_probabilities_are(bundle):
    assert "paced or unclassifiable. Probabilities are their softmax, not calibrated." in (
        model_card(bundle)
    )
    table = {"method": "temperature", "temperature": 1.23456, "fitted_on": "validation", "n": 9000}
    calibrated = Bundle(bundle.folder, bundle.config | {"calibration": table})
    assert (
        "softmax of the logits divided by 1.235: calibrated by temperature scaling on the 9,000 "
        "beats of the validation part" in model_card(calibrated)
    )


def test_recorded_results_are_kept_and_shown(bundle):
    results = scores(bundle)
    path = record_results(bundle, results)
    assert path == bundle.folder / "results" / "intra.json"
    assert bundle.results() == results
    card = (bundle.folder / "README.md").read_text()
    assert card == model_card(bundle)
    assert (
        "Protocol `intra`, 16,418 test beats: accuracy 0.9877, macro F1 0.9000 (over N S V F "
        "0.8000), weighted F1 0.9800, macro AUC 0.9900." in card
    )
    assert "Beats of the same patients are in training and test" in card
    assert results_table(results) in card


def test_results_on_detected_beats_stand_beside(bundle):
    path = record_results(bundle, scores(bundle, beats="detected"))
    assert path.name == "intra-detected.json"
    assert bundle.results() is None
    assert "Not measured yet" in (bundle.folder / "README.md").read_text()


def test_results_of_other_weights_are_not_shown(bundle):
    record_results(bundle, scores(bundle, weights_sha256="0" * 64))
    assert "Not measured yet" in model_card(bundle)


def test_table_of_scores(bundle):
    results = scores(bundle)
    results["per_class"]["Q"]["auc"] = None
    lines = results_table(results).splitlines()
    assert lines[0] == (
        "| true | n | precision | recall | F1 | AUC | -> N | -> S | -> V | -> F | -> Q |"
    )
    assert lines[1] == "|---|---|---|---|---|---|---|---|---|---|---|"
    assert lines[3] == (
        "| S | 1,234 | 0.5000 | 0.2500 | 0.3333 | 0.7500 | 10 | 11 | 12 | 13 | 14 |"
    )
    assert lines[6] == "| Q | 1,234 | 0.5000 | 0.2500 | 0.3333 |  | 40 | 41 | 42 | 43 | 44 |"


def classes_of_found_beats(bundle: Bundle, **changes: Any) -> dict[str, Any]:
    rates = {"se": 0.9, "ppv": 0.8, "fpr": 0.0123}
    sums: dict[str, Any] = {
        "gross": {
            "qrs": {"se": 0.99987, "ppv": 0.9},
            "veb": {"tp": 1999, "fn": 1, **rates},
            "sveb": {"tp": 10, "fn": 30, **rates, "se": 0.25},
        },
        "average": {"veb": rates, "sveb": rates | {"ppv": None}},
    }
    bxb = {key: {"sveb": rates | {"ppv": 0.55555}} for key in ("gross", "average")}
    finder = find_bundle("beat-finder")
    return {
        "protocol": "detected",
        "records": ["100", "202", "232"],
        "start_s": 300.0,
        "leak": None,
        **sums,
        "bxb_map": bxb,
        "without": {"202+232": sums | {"bxb_map": bxb}},
        "finder": {"name": finder.full_name, "weights_sha256": finder.weights_sha256},
        "weights_sha256": bundle.weights_sha256,
    } | changes


def test_classes_of_found_beats_are_kept_and_shown(bundle):
    assert "From the raw signal" not in model_card(bundle)
    results = classes_of_found_beats(bundle)
    path = record_results(bundle, results)
    assert path == bundle.folder / "results" / "detected.json"
    assert bundle.results("detected") == results
    card = (bundle.folder / "README.md").read_text()
    assert card == model_card(bundle)
    assert (
        "## From the raw signal\n\nProtocol `detected`: 3 records, beats found by "
        "`beat-finder/inter` (Se 99.99 %, +P 90.00 %), scored" in card
    )
    assert card.endswith(
        "|---|---|---|---|---|---|\n"
        "| all, gross | 2,000 | 90.00 / 80.00 / 1.230 | 40 | 25.00 / 80.00 / 1.230 | "
        "90.00 / 55.55 / 1.230 |\n"
        "| all, mean of the records | 2,000 | 90.00 / 80.00 / 1.230 | 40 | 90.00 / - / 1.230 | "
        "90.00 / 55.55 / 1.230 |\n"
        "| without 202 and 232, gross | 2,000 | 90.00 / 80.00 / 1.230 | 40 | "
        "25.00 / 80.00 / 1.230 | 90.00 / 55.55 / 1.230 |\n"
    )


def test_a_card_says_that_its_results_leak(bundle):
    record_results(bundle, classes_of_found_beats(bundle, leak="it was trained on record 100"))
    assert model_card(bundle).endswith(
        "\n\nIt leaks, so this says nothing of a new patient: it was trained on record 100.\n"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_sha256": "0" * 64},
        {"finder": {"name": "beat-finder/inter", "weights_sha256": "0" * 64}},
        {"finder": {}},
    ],
)
def test_classes_by_other_weights_or_on_beats_of_another_finder_are_not_shown(bundle, changes):
    record_results(bundle, classes_of_found_beats(bundle, **changes))
    assert bundle.results("detected") is None
    assert "From the raw signal" not in model_card(bundle)


def test_a_bundle_that_cannot_be_written_to(bundle):
    (bundle.folder / "results").write_text("in the way")
    with pytest.raises(OutputError) as caught:
        record_results(bundle, scores(bundle))
    assert str(caught.value) == (
        f"cannot write to bundle {str(bundle.folder)!r} (File exists); copy it first"
    )
