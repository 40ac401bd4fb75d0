"""`ectopy train`: what its help names; what it does is tested with training."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ectopy.cli import app
from ectopy.errors import EctopyError


@pytest.fixture(scope="module")
def shown() -> str:
    result = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    return " ".join(result.output.replace("│", " ").split())


def test_help_names_every_model(shown):
    from ectopy.models import MODELS
    from ectopy.models.bundle import FINDER

    for name in (*MODELS, FINDER):
        assert name in shown


def test_recipes_that_help_names_are_shipped(shown):
    from ectopy.training.recipe_files import shipped

    named = [name for name in shipped() if name in shown]
    assert {"cnn-intra", "baseline"} < set(named)
    assert any(name.startswith("rhythm-") for name in named)


def test_help_says_who_may_hold_patients_out(shown):
    assert "for the beat finder, and under inter for the rhythm models" in shown
    assert "--folds" in shown


def test_folds_of_a_model_that_is_not_judged_so(tmp_path):
    words = ["train", "cnn-mlp", "--out", str(tmp_path / "out"), "--folds", "--protocol", "inter"]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, EctopyError)
    assert str(result.exception).startswith("--folds judges rhythm models under 'inter', not 'cnn")
    assert not (tmp_path / "out").exists()
