"""Runs of a comparison: trained where they are missing, taken where they are there."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tiny_runs import Killed, KillingConsole, differences, run, weights

from ectopy.errors import OutputError, ProtocolError, RecipeError, RunError
from ectopy.evaluation.evaluate import evaluate
from ectopy.evaluation.runs import RunResult, find_runs
from ectopy.models import MODELS
from ectopy.training import seeds as module
from ectopy.training.seeds import complete_runs
from ectopy.training.settings import RunSettings

RECIPE = """
name = "tiny"
description = "Two epochs."
max_epochs = 2
batch_size = 32
normal_share = 0.5
ema_decay = 0.8

[optimizer]
lr = 5e-3
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    file.write_text(RECIPE)
    return file


@pytest.fixture(scope="module")
def complete(made_up_mitdb: Path, recipe: Path):
    """Call it on made-up records; return the runs and what was printed."""

    def call(folder: Path, console: Console | None = None, **changes):
        output = io.StringIO()
        settings = {"seeds": 2, "models": ("cnn-mlp",), "recipe": str(recipe)} | changes
        found = complete_runs(
            folder,
            settings.pop("protocol", "inter"),
            accelerator="cpu",
            compile_network=False,
            database=made_up_mitdb,
            console=console or Console(file=output, width=200),
            **settings,
        )
        return found, [line for line in output.getvalue().splitlines() if line.startswith("run ")]

    return call


@pytest.fixture(scope="module")
def finished(complete, tmp_path_factory: pytest.TempPathFactory):
    """Two seeds that were trained and scored."""
    folder = tmp_path_factory.mktemp("finished") / "runs"
    return folder, *complete(folder)


@pytest.fixture
def copied(finished, tmp_path: Path) -> Path:
    shutil.copytree(finished[0], tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("it was trained")

    monkeypatch.setattr(module, "train", fail)


def test_what_is_missing_is_trained_and_scored(finished):
    folder, found, lines = finished
    assert [(one.model, one.seed, one.protocol) for one in found] == [
        ("cnn-mlp", 0, "inter"), ("cnn-mlp", 1, "inter"),
    ]  # fmt: skip
    for seed in range(2):
        kept = folder / "cnn-mlp" / f"seed{seed}"
        assert {path.name for path in kept.iterdir()} == {
            "predictions.npz", "run.json", "training",
        }  # fmt: skip
        assert lines[2 * seed : 2 * seed + 2] == [
            f"run {seed + 1} of 2: cnn-mlp, seed {seed}, trains in {kept}/training",
            f"run {seed + 1} of 2: cnn-mlp, seed {seed}, is scored on 330 test beats",
        ]
    assert len(lines) == 4
    assert [len(one.epochs) for one in found] == [2, 2]
    assert not np.array_equal(found[0].probabilities, found[1].probabilities)
    assert [one.seed for one in find_runs(folder, "inter")] == [0, 1]


def test_predictions_are_those_of_evaluation(finished, made_up_mitdb, tmp_path):
    folder, found, _ = finished
    bundle = folder / "cnn-mlp" / "seed1" / "training" / "bundle"
    evaluate(bundle, "inter", folder=made_up_mitdb, predictions=tmp_path)
    expected = RunResult.load(tmp_path)
    assert np.array_equal(found[1].probabilities, expected.probabilities)
    assert found[1].weights_sha256 == expected.weights_sha256
    assert found[1].temperature == expected.temperature != 1


def test_a_run_is_the_one_that_training_alone_gives(finished, made_up_mitdb, recipe, tmp_path):
    """The second, so that nothing of the first is left in it."""
    alone = RunSettings(
        model="cnn-mlp", protocol="inter", recipe=str(recipe), seed=1, out=tmp_path / "alone",
        accelerator="cpu", devices="1", compile=False, folder=made_up_mitdb,
    )  # fmt: skip
    run(alone)
    together = RunSettings(
        model="cnn-mlp", protocol="inter", recipe="", seed=1,
        out=finished[0] / "cnn-mlp" / "seed1" / "training",
    )  # fmt: skip
    assert differences(weights(alone), weights(together)) == []


def test_what_is_there_is_taken(complete, copied, no_training):
    before = {path: path.read_bytes() for path in copied.rglob("*.npz")}
    shutil.rmtree(copied / "cnn-mlp" / "seed1" / "training")  # predictions are enough
    found, lines = complete(copied)
    assert lines == [f"run {k + 1} of 2: cnn-mlp, seed {k}, is there" for k in range(2)]
    assert [one.seed for one in found] == [0, 1]
    assert {path: path.read_bytes() for path in copied.rglob("*.npz")} == before


def test_a_trained_run_is_scored_without_training(complete, finished, copied, no_training):
    kept = copied / "cnn-mlp" / "seed0"
    (kept / "predictions.npz").unlink()
    (kept / "run.json").unlink()
    found, lines = complete(copied, seeds=1)
    assert lines == ["run 1 of 1: cnn-mlp, seed 0, is scored on 330 test beats"]
    assert np.array_equal(found[0].probabilities, finished[1][0].probabilities)


def test_an_interrupted_run_goes_on(complete, finished, tmp_path):
    with pytest.raises(Killed):
        complete(tmp_path, KillingConsole(2))
    assert not list(tmp_path.rglob("predictions.npz"))
    found, lines = complete(tmp_path, seeds=1)
    training = tmp_path / "cnn-mlp" / "seed0" / "training"
    assert lines[0] == f"run 1 of 1: cnn-mlp, seed 0, goes on in {training}"
    assert found[0].weights_sha256 == finished[1][0].weights_sha256


def test_another_recipe_is_not_taken_for_this_one(complete, copied, no_training):
    with pytest.raises(RecipeError) as caught:
        complete(copied, recipe="baseline")
    training = copied / "cnn-mlp" / "seed0" / "training"
    assert str(caught.value) == (
        f"the run in {str(training)!r} was begun with another model, protocol, seed or recipe; "
        "give the --recipe it was begun with or another --runs"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"protocol": "intra", "seed": 1}, "protocol = 'intra', expected 'inter'"),
        ({"protocol": "inter", "seed": 5}, "seed = 5, expected 1"),
        ({"protocol": "inter", "seed": 1, "model": "cnn-kan"},
         "model = 'cnn-kan', expected 'cnn-mlp'"),
    ],
)  # fmt: skip
def test_predictions_of_another_run_are_refused_before_any_training(
    complete, made_up_run, tmp_path, no_training, changes, reason
):
    made_up_run(**changes).save(tmp_path / "cnn-mlp" / "seed1")
    with pytest.raises(RunError) as caught:
        complete(tmp_path)
    assert str(caught.value) == (
        f"the run in {str(tmp_path / 'cnn-mlp' / 'seed1')!r} has {reason}; choose another --runs"
    )


def test_a_training_run_in_the_way_is_noticed_before_any_training(complete, tmp_path, no_training):
    place = tmp_path / "cnn-mlp" / "seed1"
    place.mkdir(parents=True)
    (place / "run.json").write_text('{"model": "cnn-mlp"}')
    with pytest.raises(OutputError, match=r"run\.json' is another kind of file; save the pred"):
        complete(tmp_path)


def test_a_damaged_note(complete, copied, no_training):
    note = copied / "cnn-mlp" / "seed1" / "training" / "run.json"
    note.write_text("{")
    with pytest.raises(RunError, match=r"run\.json' cannot be read \(.*; remove .* or choose"):
        complete(copied)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"models": ("cnn-mlp", "vit")}, RecipeError, r"^unknown model 'vit'; the models are: "),
        ({"models": ("beat-finder",)}, RecipeError, r"^model 'beat-finder' finds beats and does"),
        ({"recipe": "fancy"}, RecipeError, r"fancy"),
        ({"recipe": "beat-finder"}, RecipeError, r"beat-finder"),
        ({"models": ("cnn-mlp", "rhythm-kan")}, RecipeError, r"; a rhythm model takes 'rhythm-mlp"),
        (
            {"models": ("cnn-mlp", "rhythm-kan"), "recipe": "rhythm-kan-inter"},
            RecipeError,
            r"; a model that sees single beats takes 'cnn-intra', ",
        ),
        ({"protocol": "detected"}, ProtocolError, r"^unknown protocol 'detected'"),
    ],
)
def test_what_cannot_be_trained_leaves_nothing(
    complete, tmp_path, no_training, changes, error, message
):
    with pytest.raises(error, match=message):
        complete(tmp_path / "runs", **changes)
    assert not (tmp_path / "runs").exists()


def test_all_models_unless_named(complete, made_up_run, tmp_path, no_training):
    for name in MODELS:
        made_up_run(name, protocol="inter").save(tmp_path / name / "seed0")
    found, lines = complete(tmp_path, models=(), recipe="", seeds=1)
    assert [one.model for one in found] == list(MODELS)
    assert len(lines) == len(MODELS)


@pytest.mark.slow
def test_rhythm_models_are_trained_by_their_own_recipe(complete, tmp_path, monkeypatch):
    text = 'name = "tiny"\ndescription = "One epoch."\nmax_epochs = 1\nbatches_per_epoch = 2\n'
    file = tmp_path / "rhythm.toml"
    file.write_text(text + "batch_size = 16\nmade_up_patients = 1\n")
    chosen = {"models": ("rhythm-mlp",), "recipe": str(file), "seeds": 1}
    found, lines = complete(tmp_path / "runs", **chosen)
    assert lines[1] == "run 1 of 1: rhythm-mlp, seed 0, is scored on 330 test beats"
    assert (found[0].model, len(found[0].epochs), len(found[0].classes)) == ("rhythm-mlp", 1, 330)
    monkeypatch.setattr(module, "train", lambda *_: pytest.fail("it was trained"))
    again, lines = complete(tmp_path / "runs", **chosen)
    assert lines == ["run 1 of 1: rhythm-mlp, seed 0, is there"]
    assert np.array_equal(again[0].probabilities, found[0].probabilities)


def test_notes_hold_what_is_compared(finished):
    note = json.loads((finished[0] / "cnn-mlp/seed0/training/run.json").read_text())
    assert set(note) == {"model", "protocol", "seed", "recipe"}
