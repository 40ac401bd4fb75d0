"""Recipes judged by patients held out in turn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_rhythm_job import RECIPE, tiny

from ectopy.data.protocols import DS1, DS1_FOLDS, PACED
from ectopy.errors import RecipeError
from ectopy.models.bundle import find_bundle
from ectopy.training import folds as module
from ectopy.training import rhythm_beats
from ectopy.training.folds import _f1, _summary, cross_validate


def test_every_patient_of_ds1_is_held_out_once():
    assert sorted(record for fold in DS1_FOLDS for record in fold) == sorted(DS1)
    assert len(DS1_FOLDS) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "intra"},
        {"hold_out": ("101",)},
        {"model": "cnn-mlp"},
        {"model": "beat-finder"},
    ],
)
def test_what_is_not_judged_in_turn(made_up_mitdb, tmp_path, changes):
    settings = replace(tiny(tmp_path, made_up_mitdb), **changes)
    with pytest.raises(RecipeError) as caught:
        cross_validate(settings)
    assert str(caught.value) == (
        f"--folds judges rhythm models under 'inter', not {settings.model!r} under "
        f"{settings.protocol!r}; leave --folds or --hold-out out"
    )
    assert not settings.out.exists()


def test_f1_by_hand():
    true, found = np.array([0, 1, 1, 1, 2]), np.array([1, 1, 1, 0, 2])
    assert _f1(true, found, 1) == pytest.approx(2 * 2 / (3 + 3))
    assert _f1(true, found, 2) == 1
    assert _f1(true, found, 4) == 0


def test_summary_counts_each_record():
    classes = np.array([0, 1, 1, 2, 0, 0, 4, 4])
    found = np.array([0, 1, 0, 2, 1, 0, 4, 2])
    logits = (3 * np.eye(5)[found]).astype(np.float32)
    summary = _summary(logits, classes, np.array(["101"] * 4 + ["106"] * 2 + ["102"] * 2))
    assert summary["n"] == 6
    assert summary["per_record"] == {
        "101": {
            "S": {"n": 2, "right": 1, "false": 0},
            "V": {"n": 1, "right": 1, "false": 0},
            "F": {"n": 0, "right": 0, "false": 0},
            "Q": {"n": 0, "right": 0, "false": 0},
        },
        "102": {
            "S": {"n": 0, "right": 0, "false": 0},
            "V": {"n": 0, "right": 0, "false": 1},
            "F": {"n": 0, "right": 0, "false": 0},
            "Q": {"n": 2, "right": 1, "false": 0},
        },
        "106": {
            "S": {"n": 0, "right": 0, "false": 1},
            "V": {"n": 0, "right": 0, "false": 0},
            "F": {"n": 0, "right": 0, "false": 0},
            "Q": {"n": 0, "right": 0, "false": 0},
        },
    }
    assert summary["per_class"]["V"]["f1"] == 1  # the paced record's false one is not counted
    assert summary["per_class"]["S"]["f1"] == pytest.approx(0.5)
    assert summary["temperature"] > 0
    json.dumps(summary)


@pytest.mark.slow
def test_five_runs_and_what_they_say(made_up_mitdb: Path, tmp_path: Path, monkeypatch):
    # The made-up records have one paced beat each; some are to be made of them, too.
    monkeypatch.setattr(rhythm_beats, "LEAST", 1)
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 1")
    settings = tiny(tmp_path, made_up_mitdb, text)
    result = cross_validate(settings)
    assert json.loads((settings.out / "folds.json").read_text()) == result
    assert result["n"] == 22 * 15
    assert set(result["per_record"]) == {*DS1, *PACED}
    assert {key: set(value) for key, value in result["made_up"].items()} == {
        "all": {"f1_S", "f1_V", "f1_Q"},
        "mostly_s": {"f1_S", "f1_V", "f1_Q"},
    }
    for number, group in enumerate(DS1_FOLDS, start=1):
        fold = (*group, *PACED[number - 1 : number])
        training = find_bundle(settings.out / f"fold{number}" / "bundle").config["training"]
        assert training["held_out"] == sorted(fold)
        assert not set(fold) & set(training["records"])
    monkeypatch.setattr(module, "train", lambda *_: pytest.fail("it was trained"))
    assert cross_validate(settings) == result  # all are there
    with pytest.raises(RecipeError, match=r"has another model, seed or recipe; judge it with the"):
        cross_validate(replace(settings, seed=4))
