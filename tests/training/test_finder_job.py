"""Training the beat finder from end to end on made-up data: the bundle, resuming, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from tiny_runs import checkpoint, differences, rows, run, run_until, state, weights

from ectopy.data.mitdb import load
from ectopy.data.protocols import DS1, DS2, PACED
from ectopy.errors import BundleError, DataError, ProtocolError, RecipeError
from ectopy.inference.finder import BeatFinder
from ectopy.models.bundle import FINDER, find_bundle
from ectopy.models.contract import FinderContract
from ectopy.models.finder import BeatFinderNet
from ectopy.models.saving import load_model
from ectopy.signal.matching import match_beats
from ectopy.training.finder_job import FinderJob
from ectopy.training.recipe import FinderRecipe
from ectopy.training.recipe_files import load_recipe
from ectopy.training.run import train
from ectopy.training.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The made-up records are too short for time to run faster.
RECIPE = """
name = "tiny"
description = "A few steps, with everything that has a state."
max_epochs = 3
batches_per_epoch = 4
patience = 9
batch_size = 4
segment_s = 10.0
threshold = 0.3
simulated_patients = 1
ema_decay = 0.8

[optimizer]
name = "adamw"
lr = 5e-3

[schedule]
name = "one-cycle"

[distort]
stretch = 0.0

[model.beat-finder]
width = 8
dilations = [1, 2]
"""
HELD_OUT = ("106", "101")


@pytest.fixture(scope="module", autouse=True)
def made_up(made_up_data: Path) -> Iterator[None]:
    """Made-up data are the only ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECTOPY_DATA", str(made_up_data))
        yield


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return tiny(tmp_path)


def tiny(folder: Path, text: str = RECIPE, **options) -> RunSettings:
    (folder / "tiny.toml").write_text(text)
    chosen = {
        "model": FINDER,
        "protocol": "inter",
        "recipe": str(folder / "tiny.toml"),
        "seed": 3,
        "out": folder / "run",
        "accelerator": "cpu",
        "devices": "1",
    }
    return RunSettings(**(chosen | options))


def finished(folder: Path, hold_out: tuple[str, ...]) -> RunSettings:
    """A run of two epochs that is over."""
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 2")
    settings = tiny(folder, text, hold_out=hold_out)
    (folder / "output.txt").write_text(run(settings))
    return settings


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> RunSettings:
    return finished(tmp_path_factory.mktemp("held-out"), HELD_OUT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunSettings:
    return finished(tmp_path_factory.mktemp("whole"), ())


def error_of(settings: RunSettings, error: type[Exception] = RecipeError) -> str:
    with pytest.raises(error) as caught:
        run(settings)
    assert "\n" not in str(caught.value)
    assert not settings.out.exists()
    return str(caught.value)


def test_what_a_run_leaves_behind(held_out, whole):
    for settings in (held_out, whole):
        found = {
            str(path.relative_to(settings.out))
            for path in settings.out.rglob("*")
            if path.is_file() and path.parent.name != "tensorboard"
        }
        assert found == {
            "run.json",
            "checkpoints/best.ckpt",
            "checkpoints/last.ckpt",
            "logs/metrics.csv",
            "bundle/README.md",
            "bundle/config.json",
            "bundle/model.onnx",
            "bundle/model.safetensors",
        }


def test_what_a_run_prints(held_out, whole):
    lines = (held_out.out.parent / "output.txt").read_text().splitlines()
    assert lines[:2] == [
        "training records  24, both leads, 360 beats",
        "held out          106, 101",
    ]
    assert len(lines) == 4
    assert lines[2].startswith("epoch 1/2  train_loss ")
    assert "  val_error " in lines[3]
    lines = (whole.out.parent / "output.txt").read_text().splitlines()
    assert lines[:2] == [
        "training records  26, both leads, 390 beats",
        "held out          none; the last epoch is kept",
    ]
    assert len(lines) == 4
    assert "val_error" not in lines[3]


def test_table_of_the_epochs(held_out, whole):
    for settings, more in (
        (held_out, {"val_error", "val_missed", "val_made_up"}),
        (whole, set()),
    ):
        table = rows(settings)
        assert [(row["epoch"], row["step"]) for row in table] == [("1", "4"), ("2", "8")]
        assert set(table[0]) == {"epoch", "step", "train_loss", "train_placing", *more}
        assert all(0 < float(row["train_loss"]) < 5 for row in table)
    for row in rows(held_out):
        wrong = float(row["val_missed"]) + float(row["val_made_up"])
        # Nobody can say of the first and the last of 15 beats: they lie too near the ends.
        assert float(row["val_error"]) == pytest.approx(wrong / (4 * 13), rel=1e-5)


def test_nobody_learns_from_a_patient_held_out(held_out, whole):
    training = find_bundle(held_out.out / "bundle").config["training"]
    assert training["records"] == [r for r in (*DS1, *PACED) if r not in HELD_OUT]
    assert training["held_out"] == sorted(HELD_OUT)
    training = find_bundle(whole.out / "bundle").config["training"]
    assert training["records"] == [*DS1, *PACED]
    assert training["held_out"] == []
    assert not set(training["records"]) & set(DS2)


def test_how_the_epoch_was_chosen(held_out, whole):
    training = find_bundle(held_out.out / "bundle").config["training"]
    errors = [float(row["val_error"]) for row in rows(held_out)]
    assert training["epoch"] == 1 + errors.index(min(errors))
    assert training["selected_by"] == "val_error"
    assert training["selected_value"] == pytest.approx(min(errors), abs=1e-6)
    training = find_bundle(whole.out / "bundle").config["training"]
    assert training["epoch"] == 2
    assert training["selected_by"] == "last epoch"
    assert training["selected_value"] is None


def test_the_note_of_a_run(held_out):
    recipe = find_bundle(held_out.out / "bundle").config["training"]["recipe"]
    assert json.loads((held_out.out / "run.json").read_text()) == {
        "model": FINDER,
        "protocol": "inter",
        "seed": 3,
        "recipe": recipe,
        "hold_out": sorted(HELD_OUT),
    }


def test_a_bundle_opens_as_a_finder(held_out, whole, made_up_mitdb):
    recording, _ = load("100", made_up_mitdb)
    for settings in (held_out, whole):
        finder = BeatFinder(settings.out / "bundle")
        assert finder.bundle.full_name == "beat-finder/inter"
        past, future = BeatFinderNet(width=8, dilations=[1, 2]).reach
        assert finder.contract == FinderContract(threshold=0.3, past=past, future=future)
        assert finder.bundle.config["settings"] == {"width": 8, "dilations": [1, 2]}
        found = finder.find(recording.signal_mv[:, 0], recording.fs)
        assert found.peaks.dtype == np.int64
        with pytest.raises(
            BundleError, match=r"^beat-finder/inter finds beats and does not class "
        ):
            load_model(settings.out / "bundle")


def test_a_bundle_holds_the_averaged_weights_of_the_chosen_epoch(held_out, whole):
    for settings in (held_out, whole):
        chosen = torch.load(settings.out / "checkpoints" / "best.ckpt", weights_only=True)
        average, current = chosen["state_dict"], chosen["current_model_state"]
        found = weights(settings)
        assert {f"network.{key}" for key in found} == set(average)
        assert all(torch.equal(value, average[f"network.{key}"]) for key, value in found.items())
        assert not all(
            torch.equal(value, current[f"network.{key}"]) for key, value in found.items()
        )


def test_the_last_epoch_is_kept_where_nobody_is_held_out(whole):
    folder = whole.out / "checkpoints"
    best, last = (torch.load(folder / f"{n}.ckpt", weights_only=True) for n in ("best", "last"))
    assert best["epoch"] == last["epoch"] == 1
    assert differences(best["state_dict"], last["state_dict"]) == []


@pytest.mark.parametrize("change", [{"seed": 4}, {"hold_out": ()}, {"hold_out": ("101", "108")}])
def test_a_run_is_resumed_only_as_it_began(held_out, change):
    with pytest.raises(RecipeError) as caught:
        run(replace(held_out, resume=True, **change))
    assert str(caught.value) == (
        f"the run in {held_out.out} has another model, protocol, seed, recipe or --hold-out; "
        "resume it with the same ones or choose another --out"
    )


@pytest.mark.parametrize("hold_out", [HELD_OUT, ()], ids=["held out", "whole"])
def test_a_resumed_run_goes_on_to_the_bit(settings, hold_out):
    settings = replace(settings, hold_out=hold_out)
    run_until(settings, 3)
    stopped = replace(settings, out=settings.out.with_name("stopped"))
    run_until(stopped, 2)
    assert checkpoint(stopped)["epoch"] == 0
    run_until(replace(stopped, resume=True, hold_out=hold_out[::-1]), 3)
    assert checkpoint(stopped)["epoch"] == 1
    assert differences(state(settings), state(stopped)) == []
    assert rows(settings) == rows(stopped)


def test_the_seed_decides_everything(settings):
    other = replace(settings, out=settings.out.with_name("other"))
    third = replace(settings, out=settings.out.with_name("third"), seed=4)
    for one in (settings, other, third):
        run_until(one, 2)
    assert differences(state(settings), state(other)) == []
    assert rows(settings) == rows(other)
    assert "state_dict.network.first.0.0.weight" in str(differences(state(settings), state(third)))


@pytest.mark.slow
@pytest.mark.parametrize("hold_out", [HELD_OUT, ()], ids=["held out", "whole"])
def test_bundle_of_a_resumed_run_is_the_same(settings, hold_out):
    settings = replace(settings, hold_out=hold_out)
    run(settings)
    first = replace(settings, out=settings.out.with_name("parts"), limit_epochs=1)
    run(first)
    assert checkpoint(first)["epoch"] == 0
    moved = replace(first, out=settings.out.with_name("moved"), resume=True, limit_epochs=None)
    first.out.rename(moved.out)
    run(moved)
    assert differences(weights(settings), weights(moved)) == []
    configs = [find_bundle(one.out / "bundle").config for one in (settings, moved)]
    assert configs[0] == configs[1]
    assert rows(settings) == rows(moved)
    before = weights(moved)
    assert "\nepoch " not in run(moved)  # it is over
    assert differences(before, weights(moved)) == []


def test_protocols_that_do_not_part_patients(settings):
    assert error_of(replace(settings, protocol="intra"), ProtocolError) == (
        "the beat finder is trained under 'inter', by patients, not 'intra'; give --protocol inter"
    )
    assert error_of(replace(settings, protocol="detected"), ProtocolError) == (
        "unknown protocol 'detected'; the protocols are: intra, inter"
    )


@pytest.mark.parametrize("record", ["100", "102", "999", " 101"])
def test_records_that_cannot_be_held_out(settings, record):
    assert error_of(replace(settings, hold_out=("101", record))) == (
        f"record {record!r} cannot be held out; the training records are: {', '.join(DS1)}"
    )


def test_beat_models_have_their_own_validation_part(settings):
    settings = replace(settings, model="cnn-mlp", recipe="", hold_out=("101",))
    assert error_of(settings) == (
        "'cnn-mlp' is validated on the protocol's own part; leave --hold-out out"
    )


def test_a_recipe_of_the_wrong_kind(settings):
    assert error_of(replace(settings, recipe="cnn-intra")).startswith(
        "recipe 'cnn-intra' has the key 'augment', which is for a model that sees single beats; "
        "the beat finder takes 'beat-finder', or a TOML file with: batch_size, "
    )
    assert error_of(replace(settings, model="cnn-kan")).startswith(
        f"recipe {settings.recipe!r} has the key 'batches_per_epoch', which is for the beat "
        "finder; a model that sees single beats takes 'cnn-intra', 'cnn-inter' or 'baseline', or "
        "a TOML file with: "
    )


def test_a_network_that_cannot_be(settings):
    settings = tiny(settings.out.parent, RECIPE.replace("dilations = [1, 2]", "kernel = 4"))
    assert error_of(settings) == (
        "model 'beat-finder' does not take these settings: "
        "kernel = 4 and first_kernel = 17 must be odd"
    )


def test_a_network_that_looks_further_than_inference_lets_it(settings):
    wide = "dilations = [1, 2, 4, 8, 16, 32]\npast_only = 0"
    settings = tiny(settings.out.parent, RECIPE.replace("dilations = [1, 2]", wide))
    message = error_of(settings)
    assert "the network looks 520 frames back and 516 ahead, expected at most 828 and" in message
    assert not settings.out.exists()


def test_data_that_is_not_there(settings, made_up_mitdb, tmp_path, monkeypatch):
    message = error_of(replace(settings, folder=tmp_path), DataError)
    assert message.startswith(f"101.hea, 101.dat, 101.atr of mitdb not found in {tmp_path}: ")
    (tmp_path / "mitdb").symlink_to(made_up_mitdb)
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
    message = error_of(settings, DataError)
    assert message.startswith(f"bw.hea, bw.dat of nstdb not found in {tmp_path / 'nstdb'}: ")


def test_the_models_own_recipe(settings):
    job = FinderJob(replace(settings, recipe=""))
    assert job.recipe == load_recipe("beat-finder", FinderRecipe)
    assert not job.validated
    assert FinderJob(replace(settings, recipe="", hold_out=("101",))).validated


def command(settings: RunSettings, *more: str) -> list[str]:
    words = [settings.model, "--out", str(settings.out), "--recipe", settings.recipe, *more]
    return [sys.executable, "-m", "ectopy", "train", *words, "--accelerator", "cpu"]


@pytest.mark.slow
def test_the_command(settings):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    bad = subprocess.run(command(settings), env=environment, capture_output=True, text=True)
    assert bad.returncode == 2
    assert bad.stderr.splitlines() == [
        "error: the beat finder is trained under 'inter', by patients, not 'intra'; "
        "give --protocol inter"
    ]
    good = subprocess.run(
        command(settings, "--protocol", "inter", "--hold-out", "106,101"),
        env=environment,
        capture_output=True,
        text=True,
    )
    assert good.returncode == 0, good.stderr
    assert good.stdout.strip() == f"bundle: {settings.out / 'bundle'}"
    assert "held out          106, 101" in good.stderr
    assert find_bundle(settings.out / "bundle").config["training"]["held_out"] == ["101", "106"]


@pytest.mark.slow
def test_it_learns_to_find_beats(settings, made_up_mitdb):
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 4")
    text = text.replace("batches_per_epoch = 4", "batches_per_epoch = 40")
    settings = tiny(settings.out.parent, text, hold_out=HELD_OUT)
    train(settings)
    assert float(rows(settings)[-1]["val_error"]) < 0.1
    finder = BeatFinder(settings.out / "bundle")
    for record in HELD_OUT:
        recording, beats = load(record, made_up_mitdb)
        found = finder.find(recording.signal_mv[:, 0], recording.fs).peaks
        true_rows, found_rows = match_beats(beats.peaks, found, 54)
        assert len(true_rows) >= len(beats) - 1
        assert len(found) <= len(beats) + 1
        assert np.abs(beats.peaks[true_rows] - found[found_rows]).max() <= 10
