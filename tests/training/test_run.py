"""Training from end to end on a made-up database: what a run writes, and how it is resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import checkpoint, differences, rows, run, run_until, state, weights

from ectopy.data.protocols import DS1, DS1_VALIDATION, load_split
from ectopy.errors import DataError, OutputError, ProtocolError, RecipeError
from ectopy.evaluation.calibration import fit_temperature
from ectopy.inference.engine import Classifier, softmax
from ectopy.models.bundle import find_bundle
from ectopy.models.saving import load_model
from ectopy.signal.windows import zscore
from ectopy.training.beat_job import BeatJob
from ectopy.training.settings import RunSettings

RECIPE = """
name = "tiny"
description = "A few steps, with everything that has a state."
max_epochs = 3
patience = 9
monitor = "val_macro_f1"
batch_size = 32
normal_share = 0.5
ema_decay = 0.8

[optimizer]
name = "adamw"
lr = 5e-3

[schedule]
name = "one-cycle"

[augment]
probability = 0.5
shift = 2.0
stretch = 0.02
noise = 0.1
"""
PLATEAU = (
    RECIPE.replace("one-cycle", 'plateau"\npatience = 1\nfactor = 0.1\n#')
    .replace("lr = 5e-3", "lr = 5e-2")
    .replace("max_epochs = 3", "max_epochs = 6")
    .replace("val_macro_f1", "val_loss")
)
COUNTS = {"N": 144, "S": 32, "V": 32, "F": 16, "Q": 16}


@pytest.fixture
def settings(made_up_mitdb: Path, tmp_path: Path) -> RunSettings:
    return tiny(tmp_path, made_up_mitdb)


def tiny(folder: Path, database: Path, text: str = RECIPE) -> RunSettings:
    (folder / "tiny.toml").write_text(text)
    return RunSettings(
        model="cnn-mlp",
        protocol="inter",
        recipe=str(folder / "tiny.toml"),
        seed=3,
        out=folder / "run",
        accelerator="cpu",
        devices="1",
        compile=False,
        folder=database,
    )


@pytest.fixture(scope="module")
def finished(made_up_mitdb: Path, tmp_path_factory: pytest.TempPathFactory) -> RunSettings:
    """A run of two epochs that is over."""
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 2")
    settings = tiny(tmp_path_factory.mktemp("finished"), made_up_mitdb, text)
    (settings.out.parent / "output.txt").write_text(run(settings))
    return settings


def test_what_a_run_leaves_behind(finished):
    found = {
        str(path.relative_to(finished.out))
        for path in finished.out.rglob("*")
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
    events = list((finished.out / "tensorboard").glob("events.out.tfevents.*"))
    assert len(events) == 1
    assert events[0].stat().st_size > 0


def test_what_a_run_prints(finished):
    lines = (finished.out.parent / "output.txt").read_text().splitlines()
    assert lines[:2] == [
        f"training beats    {COUNTS}",
        "validation beats  {'N': 54, 'S': 12, 'V': 12, 'F': 6, 'Q': 6}",
    ]
    assert len(lines) == 4
    assert lines[2].startswith("epoch 1/2  train_loss ")
    assert lines[3].startswith("epoch 2/2  train_loss ")
    assert lines[3].endswith("0 min left")


def test_table_of_the_epochs(finished):
    table = rows(finished)
    assert [(row["epoch"], row["step"]) for row in table] == [("1", "5"), ("2", "10")]
    assert set(table[0]) == {
        "epoch", "step", "train_loss", "val_loss", "val_accuracy", "val_macro_f1",
        *(f"val_f1_{name}" for name in "NSVFQ"),
    }  # fmt: skip
    assert all(0 <= float(row["val_macro_f1"]) <= 1 for row in table)
    assert all(float(row["train_loss"]) > 0 for row in table)


def test_bundle_of_a_run(finished):
    bundle = find_bundle(finished.out / "bundle")
    assert bundle.full_name == "cnn-mlp/inter"
    assert bundle.contract.lead_by == "name"
    training = bundle.config["training"]
    note = json.loads((finished.out / "run.json").read_text())
    assert note == {
        "model": "cnn-mlp", "protocol": "inter", "seed": 3, "recipe": training["recipe"],
    }  # fmt: skip
    assert training["recipe"]["name"] == "tiny"
    assert training["records"] == list(DS1)
    assert training["beats"] == COUNTS
    assert training["seed"] == 3
    scores = [float(row["val_macro_f1"]) for row in rows(finished)]
    assert training["epoch"] == 1 + scores.index(max(scores))
    assert training["selected_by"] == "val_macro_f1"
    assert training["selected_value"] == pytest.approx(max(scores), abs=1e-6)


def test_bundle_of_a_run_is_calibrated_on_validation(finished):
    bundle = find_bundle(finished.out / "bundle")
    validation = load_split("inter", margin=0, folder=finished.folder).validation
    calibration = bundle.calibration
    assert calibration is not None
    assert (calibration.fitted_on, calibration.n) == ("validation", len(validation)) == (
        "validation", 90,
    )  # fmt: skip
    # What inference itself makes of these windows, in ONNX Runtime.
    logits = Classifier(bundle).logits(zscore(validation.windows))
    temperature = fit_temperature(logits, validation.classes)
    assert calibration.temperature == pytest.approx(temperature, rel=1e-3)
    assert bundle.temperature == calibration.temperature
    assert abs(calibration.temperature - 1) > 1e-3, "so the test shows nothing"
    probabilities = Classifier(bundle).classify_windows(validation.windows)
    np.testing.assert_allclose(probabilities, softmax(logits, calibration.temperature), atol=1e-6)
    assert "on the 90 beats of the validation part" in (bundle.folder / "README.md").read_text()


def test_weights_that_diverged_are_not_calibrated(settings):
    job = BeatJob(settings)
    job.prepare()
    diverged = {f"network.{k}": v * float("nan") for k, v in job.task.network.state_dict().items()}
    with pytest.raises(RecipeError) as caught:
        job.write_bundle({"state_dict": diverged, "epoch": 0}, 0.0)
    assert str(caught.value) == (
        "the weights of 'cnn-mlp' have diverged: its logits on validation are no numbers; "
        "lower the learning rate of the recipe"
    )
    assert not settings.out.exists()


def test_bundle_holds_the_averaged_weights_of_the_chosen_epoch(finished):
    chosen = torch.load(finished.out / "checkpoints" / "best.ckpt", weights_only=True)
    found = load_model(finished.out / "bundle").state_dict()
    average, current = chosen["state_dict"], chosen["current_model_state"]
    assert all(torch.equal(value, average[f"network.{key}"]) for key, value in found.items())
    assert not all(torch.equal(value, current[f"network.{key}"]) for key, value in found.items())


def test_a_run_that_is_there_is_not_overwritten(finished):
    with pytest.raises(OutputError) as caught:
        run(finished)
    assert str(caught.value) == (
        f"{finished.out} already holds a run; add --resume or choose another --out"
    )


@pytest.mark.parametrize("change", [{"seed": 4}, {"model": "cnn-kan"}, {"recipe": "baseline"}])
def test_a_run_is_resumed_only_as_it_began(finished, change):
    with pytest.raises(RecipeError) as caught:
        run(replace(finished, resume=True, **change))
    assert str(caught.value) == (
        f"the run in {finished.out} has another model, protocol, seed, recipe or --hold-out; "
        "resume it with the same ones or choose another --out"
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "resnet"}, RecipeError),
        ({"protocol": "detected"}, ProtocolError),
        ({"recipe": "fancy"}, RecipeError),
        ({"recipe": "beat-finder"}, RecipeError),
        ({"hold_out": ("101",)}, RecipeError),
        ({"folder": Path("no-such-folder")}, DataError),
        ({"precision": "foo"}, RecipeError),
        ({"devices": "abc"}, RecipeError),
    ],
)
def test_a_run_that_cannot_start_leaves_nothing(settings, change, error):
    with pytest.raises(error):
        run(replace(settings, **change))
    assert not settings.out.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"precision": "foo"},
            "unknown precision 'foo'; give one of 32-true, bf16-mixed, 16-mixed, 64-true",
        ),
        (
            {"devices": "abc"},
            "cannot train with accelerator 'cpu', devices 'abc', strategy 'auto', "
            "precision '32-true': `devices` selected with `CPUAccelerator` should be an int > 0; "
            "give what this machine has, or leave these options out",
        ),
        (
            {"accelerator": "abacus"},
            "cannot train with accelerator 'abacus', devices '1', strategy 'auto', "
            "precision '32-true': You selected an invalid accelerator name",
        ),
        (
            {"strategy": "luck"},
            "cannot train with accelerator 'cpu', devices '1', strategy 'luck', "
            "precision '32-true': You selected an invalid strategy name",
        ),
        pytest.param(
            {"accelerator": "gpu"},
            "cannot train with accelerator 'gpu', devices '1', strategy 'auto', "
            "precision '32-true': No supported gpu backend found; "
            "give what this machine has, or leave these options out",
            marks=pytest.mark.skipif(torch.accelerator.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_options_that_cannot_be_had_do_not_block_the_folder(settings, change, message):
    with pytest.raises(RecipeError) as caught:
        run(replace(settings, **change))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not settings.out.exists()


def test_batches_larger_than_an_epoch(settings, made_up_mitdb):
    text = RECIPE.replace("batch_size = 32", "batch_size = 169")  # of 144 / 2 + 96 beats
    settings = tiny(settings.out.parent, made_up_mitdb, text)
    with pytest.raises(RecipeError) as caught:
        run(settings)
    assert str(caught.value) == (
        "recipe value batch_size = 169: an epoch has 168 beats, so not one whole batch; "
        "expected at most 168"
    )
    assert not settings.out.exists()


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ("cnn-mlp", "bf16-mixed"),
        ("cnn-kan", "bf16-mixed"),
        ("cnn-kan", "64-true"),
    ],
)
def test_other_precisions(settings, made_up_mitdb, model, precision):
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 1") + "\n[loss]\nbalance = 0.5\n"
    settings = tiny(settings.out.parent, made_up_mitdb, text)
    settings = replace(settings, model=model, precision=precision)
    run(settings)
    (row,) = rows(settings)
    assert 0 < float(row["train_loss"]) < 20
    assert 0 < float(row["val_loss"]) < 20
    found = weights(settings)
    floats = [value for value in found.values() if value.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float32}
    assert all(value.isfinite().all() for value in floats)
    model = load_model(settings.out / "bundle")
    assert model(torch.zeros(2, 1, 256)).isfinite().all()


def test_a_run_that_was_moved_goes_on(settings, made_up_mitdb):
    text = RECIPE.replace("lr = 5e-3", "lr = 0.0").replace("ema_decay = 0.8", "ema_decay = 0.0")
    whole = tiny(settings.out.parent, made_up_mitdb, text)
    run(whole)
    stopped = replace(whole, out=settings.out.with_name("stopped"), limit_epochs=2)
    run(stopped)
    moved = replace(stopped, out=settings.out.with_name("moved"), resume=True, limit_epochs=None)
    stopped.out.rename(moved.out)
    run(moved)
    assert not stopped.out.exists()
    assert {path.name for path in (moved.out / "checkpoints").iterdir()} == {
        "best.ckpt", "last.ckpt",
    }  # fmt: skip
    configs = [find_bundle(one.out / "bundle").config["training"] for one in (whole, moved)]
    assert configs[0]["epoch"] < 3, "the last epoch was the best, so the test shows nothing"
    assert configs[0] == configs[1]
    assert differences(weights(whole), weights(moved)) == []
    assert rows(whole) == rows(moved)


def test_a_run_without_its_best_checkpoint(finished, tmp_path):
    moved = replace(finished, out=tmp_path / "moved", resume=True)
    shutil.copytree(finished.out, moved.out)
    (moved.out / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(OutputError) as caught:
        run(moved)
    assert str(caught.value) == (
        f"the run in {moved.out} has lost its checkpoints/best.ckpt; "
        "put it back or choose another --out"
    )


def test_a_folder_that_cannot_be_made(settings):
    (settings.out.parent / "file").write_text("in the way")
    out = settings.out.parent / "file" / "run"
    with pytest.raises(OutputError) as caught:
        run(replace(settings, out=out))
    assert str(caught.value) == f"cannot write to {out} (Not a directory); choose another --out"


def test_the_seed_decides_everything(settings):
    other = replace(settings, out=settings.out.with_name("other"))
    third = replace(settings, out=settings.out.with_name("third"), seed=4)
    for one in (settings, other, third):
        run_until(one, 3)
    assert differences(state(settings), state(other)) == []
    assert rows(settings) == rows(other)
    assert "state_dict.network.encoder.0.block.0.weight" in str(
        differences(state(settings), state(third))
    )


@pytest.mark.parametrize("model", ["cnn-mlp", "cnn-kan"])
def test_a_resumed_run_goes_on_to_the_bit(settings, model):
    whole = replace(settings, model=model)
    run_until(whole, 3)
    stopped = replace(whole, out=settings.out.with_name("stopped"))
    run_until(stopped, 2)
    assert checkpoint(stopped)["epoch"] == 0
    assert [row["epoch"] for row in rows(stopped)] == ["1", "2"]  # the second will come again
    run_until(replace(stopped, resume=True), 3)
    assert checkpoint(stopped)["epoch"] == 1
    assert differences(state(whole), state(stopped)) == []
    assert rows(whole) == rows(stopped)


def test_a_run_killed_before_its_first_checkpoint_begins_anew(settings):
    run_until(settings, 2)
    stopped = replace(settings, out=settings.out.with_name("stopped"))
    run_until(stopped, 1)
    assert not (stopped.out / "checkpoints" / "last.ckpt").exists()
    run_until(replace(stopped, resume=True), 2)
    assert differences(state(settings), state(stopped)) == []


@pytest.mark.slow
def test_the_plateau_has_a_state_as_well(settings, made_up_mitdb):
    whole = tiny(settings.out.parent, made_up_mitdb, PLATEAU)
    run_until(whole, 6)
    rates = checkpoint(whole)["lr_schedulers"][0]["_last_lr"]
    assert rates[0] < 5e-2, "every epoch was the best so far, so the test shows nothing"
    stopped = replace(whole, out=settings.out.with_name("stopped"))
    for epoch in (3, 4, 5, 6):
        run_until(replace(stopped, resume=epoch > 3), epoch)
        assert checkpoint(stopped)["epoch"] == epoch - 2  # the last one, whether it was best or not
    assert differences(state(whole), state(stopped)) == []
    assert rows(whole) == rows(stopped)


@pytest.mark.slow
def test_bundle_of_a_resumed_run_is_the_same(settings):
    run(settings)
    first = replace(settings, out=settings.out.with_name("parts"), limit_epochs=1)
    run(first)
    assert checkpoint(first)["epoch"] == 0
    run(replace(first, resume=True, limit_epochs=None))
    assert differences(weights(settings), weights(first)) == []
    configs = [find_bundle(one.out / "bundle").config for one in (settings, first)]
    assert configs[0] == configs[1]
    assert rows(settings) == rows(first)


@pytest.mark.slow
def test_resuming_a_finished_run_changes_nothing(finished, tmp_path):
    copy = replace(finished, out=tmp_path / "run")
    run(copy)
    before = rows(copy), weights(copy), state(copy)
    assert run(replace(copy, resume=True)).count("epoch ") == 0
    assert differences(before, (rows(copy), weights(copy), state(copy))) == []


@pytest.mark.slow
def test_a_run_that_stopped_early_stays_stopped(settings, made_up_mitdb):
    text = RECIPE.replace("lr = 5e-3", "lr = 0.0").replace("ema_decay = 0.8", "ema_decay = 0.0")
    text = text.replace("patience = 9", "patience = 2").replace("max_epochs = 3", "max_epochs = 30")
    settings = tiny(settings.out.parent, made_up_mitdb, text)
    n_epochs = run(settings).count("epoch ")
    assert n_epochs < 20
    before = weights(settings)
    assert run(replace(settings, resume=True)).count("epoch ") == 0
    assert len(rows(settings)) == n_epochs
    assert differences(before, weights(settings)) == []


def command(settings: RunSettings, *more: str) -> list[str]:
    words = [settings.model, "--out", str(settings.out), "--protocol", settings.protocol]
    words += ["--recipe", settings.recipe, "--seed", str(settings.seed)]
    words += ["--accelerator", "cpu", "--no-compile", *more]
    return [sys.executable, "-m", "ectopy", "train", *words]


def environment(settings: RunSettings) -> dict[str, str]:
    """Where the made-up database is the only one."""
    data = settings.out.parent / "data"
    data.mkdir(exist_ok=True)
    if not (data / "mitdb").exists():
        (data / "mitdb").symlink_to(settings.folder)
    return os.environ | {"ECTOPY_DATA": str(data), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


@pytest.mark.slow
def test_a_process_that_is_killed(settings):
    run(settings)
    killed = replace(settings, out=settings.out.with_name("killed"))
    with subprocess.Popen(
        command(killed), env=environment(killed), stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if line.startswith("epoch 2/3"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not (killed.out / "bundle").exists()
    done = subprocess.run(
        command(killed, "--resume"), env=environment(killed), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert differences(weights(settings), weights(killed)) == []
    assert rows(settings) == rows(killed)


@pytest.mark.slow
def test_a_bad_option_is_one_line_and_the_next_command_runs(settings):
    bad = subprocess.run(
        command(settings, "--devices", "abc"),
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert bad.returncode == 2
    (line,) = bad.stderr.splitlines()
    assert "cannot train with accelerator 'cpu', devices 'abc'" in line
    good = subprocess.run(
        command(settings, "--precision", "bf16-mixed"),
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert good.returncode == 0, good.stderr
    assert find_bundle(settings.out / "bundle").full_name == "cnn-mlp/inter"


@pytest.mark.slow
def test_two_processes_side_by_side(settings, made_up_mitdb):
    import wfdb

    # An odd number of validation beats, so that the processes have different numbers of them.
    database = settings.out.parent / "odd"
    shutil.copytree(made_up_mitdb, database)
    record = DS1_VALIDATION[0]
    marks = wfdb.rdann(str(database / record), "atr")
    wfdb.wrann(
        record, "atr", sample=marks.sample[:-1], symbol=marks.symbol[:-1], write_dir=str(database)
    )
    settings = replace(settings, folder=database)
    done = subprocess.run(
        command(settings, "--devices", "2", "--strategy", "ddp"),
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [row["step"] for row in rows(settings)] == ["2", "4", "6"]
    bundle = find_bundle(settings.out / "bundle")
    assert bundle.config["training"]["seed"] == 3
    chosen = bundle.config["training"]["selected_value"]
    scores = [float(row["val_macro_f1"]) for row in rows(settings)]
    assert chosen == pytest.approx(max(scores), abs=1e-6)
