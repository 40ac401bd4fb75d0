"""Training rhythm models from end to end on a made-up database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import checkpoint, differences, rows, run, run_until, state, weights

import ectopy
from ectopy.data.mitdb import load
from ectopy.data.protocols import DS1, DS2, PACED, RECORDS, get_protocol, load_split, load_test
from ectopy.errors import BundleError, DataError, ProtocolError, RecipeError, SignalError
from ectopy.evaluation.calibration import fit_temperature
from ectopy.evaluation.evaluate import evaluate, find_leak
from ectopy.evaluation.runs import RunResult
from ectopy.inference.engine import Classifier, softmax
from ectopy.models import KANLayer, RhythmKAN, RhythmMLP, create_model
from ectopy.models.bundle import find_bundle
from ectopy.models.contract import rhythm_contract
from ectopy.models.saving import example_input, load_model
from ectopy.signal.conditioning import resample, rescale_peaks
from ectopy.simulate import simulate
from ectopy.training.recipe_files import load_recipe
from ectopy.training.rhythm_beats import RhythmBeats
from ectopy.training.rhythm_job import RhythmJob, RhythmTask, validation_logits
from ectopy.training.rhythm_recipe import RhythmRecipe
from ectopy.training.run import train
from ectopy.training.settings import RunSettings

RECIPE = """
name = "tiny"
description = "A few steps, with everything that has a state."
max_epochs = 3
batches_per_epoch = 3
batch_size = 32
made_up_patients = 2
ema_decay = 0.8

[optimizer]
name = "adamw"
lr = 5e-3

[schedule]
name = "one-cycle"

[model.rhythm-mlp]
channels = [4, 4, 4]
hidden = 8
sees_beat = false

[model.rhythm-kan]
channels = [4, 4, 4]
hidden = 4

[temperature]
rhythm-mlp = 1.25
"""
HELD_OUT = ("106", "101")
ENDS = ("epoch 1/2  train_loss ", "epoch 2/2  train_loss ")


def tiny(folder: Path, database: Path, text: str = RECIPE, **options) -> RunSettings:
    (folder / "tiny.toml").write_text(text)
    chosen = {
        "model": "rhythm-mlp",
        "protocol": "inter",
        "recipe": str(folder / "tiny.toml"),
        "seed": 3,
        "out": folder / "run",
        "accelerator": "cpu",
        "devices": "1",
        "compile": False,
        "folder": database,
    }
    return RunSettings(**(chosen | options))


@pytest.fixture
def settings(made_up_mitdb: Path, tmp_path: Path) -> RunSettings:
    return tiny(tmp_path, made_up_mitdb)


def finished(factory: pytest.TempPathFactory, database: Path, **options) -> RunSettings:
    """A run of two epochs that is over."""
    text = RECIPE.replace("max_epochs = 3", "max_epochs = 2")
    settings = tiny(factory.mktemp("finished"), database, text, **options)
    (settings.out.parent / "output.txt").write_text(run(settings))
    return settings


@pytest.fixture(scope="module")
def whole(tmp_path_factory, made_up_mitdb) -> RunSettings:
    return finished(tmp_path_factory, made_up_mitdb)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory, made_up_mitdb) -> RunSettings:
    return finished(tmp_path_factory, made_up_mitdb, hold_out=HELD_OUT, model="rhythm-kan")


@pytest.fixture(scope="module")
def intra(tmp_path_factory, made_up_mitdb) -> RunSettings:
    return finished(tmp_path_factory, made_up_mitdb, protocol="intra")


@pytest.fixture(params=["whole", "held_out", "intra"])
def any_run(request) -> RunSettings:
    return request.getfixturevalue(request.param)


def printed(settings: RunSettings) -> list[str]:
    return (settings.out.parent / "output.txt").read_text().splitlines()


def error_of(settings: RunSettings, error: type[Exception] = RecipeError) -> str:
    with pytest.raises(error) as caught:
        run(settings)
    assert "\n" not in str(caught.value)
    assert not settings.out.exists()
    return str(caught.value)


# --- what a run leaves behind ---------------------------------------------------------------------


def test_files_of_a_run(any_run):
    found = {
        str(path.relative_to(any_run.out))
        for path in any_run.out.rglob("*")
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


def test_a_recipe_that_makes_nothing_up_says_so(made_up_mitdb, tmp_path, monkeypatch):
    monkeypatch.setattr("ectopy.training.rhythm_job.make_pool", lambda *_: pytest.fail("made up"))
    text = RECIPE.replace("batch_size = 32", "batch_size = 32\nmade_up_share = 0")
    job = job_of(tiny(tmp_path, made_up_mitdb, text, protocol="intra"))
    assert job.lines()[0].endswith("}")
    assert len(job.data.training[(0, 0, 0, 0)][-1]) == 32


def test_what_a_run_prints(whole, held_out, intra):
    # Of 15 beats of each record 9 are N, 2 are S and V, 1 is F and Q.
    lines = printed(whole)
    assert lines[0].startswith("training beats    {'N': 234, 'S': 52, 'V': 52, 'F': 26, 'Q': 26}")
    assert lines[0].endswith(", and 2 made-up patients")
    assert lines[1] == "validation beats  none; the last epoch is kept"
    bundle = find_bundle(whole.out / "bundle")
    assert bundle.config["training"]["database"] == "mitdb 1.0.0 and made-up rhythms"
    assert "val_" not in "".join(lines)
    lines = printed(held_out)
    assert lines[0].startswith("training beats    {'N': 216, 'S': 48, 'V': 48, 'F': 24, 'Q': 24}")
    assert lines[1] == "validation beats  {'N': 18, 'S': 4, 'V': 4, 'F': 2, 'Q': 2}"
    for settings in (whole, held_out, intra):
        lines = printed(settings)
        assert len(lines) == 4
        assert lines[2].startswith(ENDS[0])
        assert lines[3].startswith(ENDS[1])
    assert "  val_macro_f1 " in printed(held_out)[3]
    assert "  val_macro_f1 " in printed(intra)[3]


def test_table_of_the_epochs(whole, held_out, intra):
    more = {"val_loss", "val_accuracy", "val_macro_f1", *(f"val_f1_{name}" for name in "NSVFQ")}
    for settings, validated in ((whole, set()), (held_out, more), (intra, more)):
        table = rows(settings)
        assert [(row["epoch"], row["step"]) for row in table] == [("1", "3"), ("2", "6")]
        assert set(table[0]) == {"epoch", "step", "train_loss", *validated}
        assert all(0 < float(row["train_loss"]) < 10 for row in table)


def test_the_note_of_a_run(whole, held_out, intra):
    for settings, more in ((whole, {}), (held_out, {"hold_out": ["101", "106"]}), (intra, {})):
        recipe = find_bundle(settings.out / "bundle").config["training"]["recipe"]
        assert json.loads((settings.out / "run.json").read_text()) == {
            "model": settings.model, "protocol": settings.protocol, "seed": 3, "recipe": recipe,
            **more,
        }  # fmt: skip


# --- its bundle -----------------------------------------------------------------------------------


def test_a_bundle_says_what_it_reads(whole, held_out, intra):
    for settings, lead_by in ((whole, "name"), (held_out, "name"), (intra, "index")):
        bundle = find_bundle(settings.out / "bundle")
        assert bundle.full_name == f"{settings.model}/{settings.protocol}"
        assert bundle.contract == rhythm_contract(lead_by)
        assert not bundle.finds
        assert bundle.config["settings"]["channels"] == [4, 4, 4]
        kind = {"rhythm-mlp": RhythmMLP, "rhythm-kan": RhythmKAN}[settings.model]
        assert type(load_model(settings.out / "bundle")) is kind
        card = (bundle.folder / "README.md").read_text()
        assert "by shape and rhythm" in card
        assert "typical beats: of the half hour and of the 60 beats around" in card
        assert "single" not in card


def test_a_bundle_says_what_it_learnt_from(whole, held_out, intra):
    training = find_bundle(whole.out / "bundle").config["training"]
    assert training["records"] == [*DS1, *PACED]
    assert training["held_out"] == []
    assert training["part"] == "train, with the paced records"
    assert training["epoch"] == 2
    assert (training["selected_by"], training["selected_value"]) == ("last epoch", None)
    training = find_bundle(held_out.out / "bundle").config["training"]
    assert training["records"] == [r for r in (*DS1, *PACED) if r not in HELD_OUT]
    assert training["held_out"] == sorted(HELD_OUT)
    assert not set(training["records"]) & set(DS2)
    training = find_bundle(intra.out / "bundle").config["training"]
    assert training["records"] == list(RECORDS)
    assert training["part"] == "train"
    for settings in (held_out, intra):
        training = find_bundle(settings.out / "bundle").config["training"]
        scores = [float(row["val_macro_f1"]) for row in rows(settings)]
        assert training["epoch"] == 1 + scores.index(max(scores))
        assert training["selected_by"] == "val_macro_f1"
        assert training["selected_value"] == pytest.approx(max(scores), abs=1e-6)


def test_cards_say_how_the_epoch_was_chosen(whole, held_out, intra):
    texts = {
        whole: (
            "mitdb 1.0.0 and made-up rhythms, the train part, with the paced records, of protocol "
            "`inter` (N 234, S 52, V 52, F 26, Q 26)",
            "the last of 2 epochs, since no patient was held out",
            "It was trained on 26 subjects",
            "on the 330 beats of patients held out in turn, by which no class changes",
        ),
        held_out: ("chosen by val_macro_f1 on records 101, 106 (", "30 beats of the validation"),
        intra: ("the train part of protocol `intra`", "on the validation part (", "on 47 subjects"),
    }
    for settings, parts in texts.items():
        card = (settings.out / "bundle" / "README.md").read_text()
        for text in parts:
            assert text in card, text


def test_a_bundle_holds_the_averaged_weights_of_the_chosen_epoch(any_run):
    chosen = torch.load(any_run.out / "checkpoints" / "best.ckpt", weights_only=True)
    average, current = chosen["state_dict"], chosen["current_model_state"]
    found = weights(any_run)
    assert {f"network.{key}" for key in found} == set(average)
    assert all(torch.equal(value, average[f"network.{key}"]) for key, value in found.items())
    assert not all(torch.equal(value, current[f"network.{key}"]) for key, value in found.items())


def job_of(settings: RunSettings) -> RhythmJob:
    job = RhythmJob(settings)
    job.prepare()
    return job


def test_calibration(whole, held_out, intra):
    bundle = find_bundle(whole.out / "bundle")
    assert bundle.calibration is not None  # as the recipe says; the paced are no such patients
    assert (bundle.temperature, bundle.calibration.n) == (1.25, 22 * 15)
    assert bundle.calibration.fitted_on == "patients held out in turn"
    for settings in (held_out, intra):
        bundle = find_bundle(settings.out / "bundle")
        job = job_of(settings)
        assert (bundle.calibration.fitted_on, bundle.calibration.n) == (
            "validation", len(job.validation),
        )  # fmt: skip
        logits = validation_logits(load_model(bundle.folder), job.validation)
        expected = fit_temperature(logits, job.validation.classes)
        assert bundle.temperature == pytest.approx(expected, rel=1e-3)
        assert abs(bundle.temperature - 1) > 1e-3, "so the test shows nothing"


def test_a_temperature_that_is_not_known(settings):
    job = job_of(replace(settings, model="rhythm-kan"))
    network = {f"network.{k}": v for k, v in job.task.network.state_dict().items()}
    bundle = find_bundle(job.write_bundle({"state_dict": network, "epoch": 0}, None))
    assert bundle.calibration is None
    assert "not calibrated" in (bundle.folder / "README.md").read_text()


def test_weights_that_diverged_are_not_calibrated(settings):
    job = job_of(replace(settings, hold_out=HELD_OUT))
    diverged = {f"network.{k}": v * float("nan") for k, v in job.task.network.state_dict().items()}
    with pytest.raises(RecipeError) as caught:
        job.write_bundle({"state_dict": diverged, "epoch": 0}, 0.0)
    assert str(caught.value) == (
        "the weights of 'rhythm-mlp' have diverged: its logits on validation are no numbers; "
        "lower the learning rate of the recipe"
    )
    assert not settings.out.exists()


# --- what it is good for --------------------------------------------------------------------------


def test_a_bundle_classes_a_lead(any_run, made_up_mitdb):
    """And gives validation beats the logits that training gave them."""
    classifier = Classifier(any_run.out / "bundle")
    recording, beats = load("101", made_up_mitdb)
    found = classifier.classify(recording.signal_mv[:, 0], recording.fs, beats.peaks)
    assert found.shape == (15, 5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.std(axis=0).max() > 1e-4
    none = classifier.classify(recording.signal_mv[:, 0], 360.0, np.empty(0, np.int64))
    assert none.shape == (0, 5)


def test_inference_gives_what_validation_gave(held_out, made_up_mitdb):
    job = job_of(held_out)
    network = load_model(held_out.out / "bundle")
    classifier = Classifier(held_out.out / "bundle")
    logits = validation_logits(network, job.validation)
    expected = softmax(logits, classifier.bundle.temperature)
    parts = []
    for name in job.records:
        if name in HELD_OUT:
            recording, beats = load(name, made_up_mitdb)
            parts.append(classifier.classify(recording.lead()[1], recording.fs, beats.peaks))
    # Made-up beats are nearly noiseless, and what divides by so little rounds otherwise in ONNX.
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-4)


def test_windows_alone_are_refused(whole):
    classifier = Classifier(whole.out / "bundle")
    for call in (classifier.logits, classifier.classify_windows):
        with pytest.raises(BundleError) as caught:
            call(np.zeros((3, 256), np.float32))
        assert str(caught.value) == (
            "rhythm-mlp/inter reads the rhythm of a whole recording, not windows alone; give "
            "signal and beats to Classifier.classify"
        )


def test_one_beat_is_refused(whole):
    classifier = Classifier(whole.out / "bundle")
    with pytest.raises(SignalError, match=r"^1 beat: rhythm needs at least 2"):
        classifier.classify(np.zeros(1000, np.float32), 360.0, np.array([500]))


@pytest.fixture(scope="module")
def simulated():
    return simulate(90, seed=5)


def test_a_recording_is_analysed(any_run, simulated):
    recording, truth = simulated
    analysis = ectopy.analyze(recording, model=any_run.out / "bundle")
    assert len(analysis.beats) == pytest.approx(len(truth), abs=3)
    assert analysis.model["name"] == f"{any_run.model}/{any_run.protocol}"
    assert np.isfinite(analysis.beats.probabilities).all()


def test_other_forms_of_a_recording_get_the_same_classes(whole, simulated):
    """At another sampling frequency, and in longer or shorter calls of the network."""
    recording, truth = simulated
    bundle = whole.out / "bundle"
    one = ectopy.analyze(recording, model=bundle, beats=truth.peaks)
    signal = resample(recording.signal_mv[:, 0], 360, 500)
    peaks = rescale_peaks(truth.peaks, 360, 500, len(signal))
    other = ectopy.analyze(signal, fs=500, model=bundle, beats=peaks)
    difference = np.abs(one.beats.probabilities - other.beats.probabilities)
    assert np.median(difference) < 0.02
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ectopy.inference.engine.BATCH", 7)
        again = ectopy.analyze(recording, model=bundle, beats=truth.peaks)
    np.testing.assert_allclose(again.beats.probabilities, one.beats.probabilities, atol=1e-5)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_few_beats_are_enough(any_run, simulated, n):
    recording, truth = simulated
    analysis = ectopy.analyze(recording, model=any_run.out / "bundle", beats=truth.peaks[:n])
    assert len(analysis.beats) == n
    assert np.isfinite(analysis.beats.probabilities).all()


def test_a_flat_lead_has_classes(whole):
    found = Classifier(whole.out / "bundle").classify(
        np.zeros(4000, np.float32), 360.0, np.arange(200, 3800, 300)
    )
    assert np.isfinite(found).all()


def test_evaluation_gives_each_beat_its_whole_record(whole, intra, made_up_mitdb, tmp_path):
    for settings in (whole, intra):
        folder = tmp_path / settings.protocol
        bundle = settings.out / "bundle"
        results = evaluate(bundle, settings.protocol, folder=made_up_mitdb, predictions=folder)
        test = load_test(settings.protocol, folder=made_up_mitdb)
        assert results["n"] == len(test)
        assert results["leak"] is None
        kept = RunResult.load(folder)
        assert np.array_equal(kept.peaks, test.peaks)
        classifier = Classifier(bundle)
        for name in ("100", "114", "234"):
            if name not in test.records:
                continue
            recording, beats = load(name, made_up_mitdb)
            signal = recording.lead()[1]
            if settings.protocol == "intra":
                signal = recording.signal_mv[:, 0]
            expected = classifier.classify(signal, recording.fs, beats.peaks)
            mine = test.records == name
            place = [list(beats.peaks).index(peak) for peak in test.peaks[mine]]
            np.testing.assert_allclose(kept.probabilities[mine], expected[place], atol=1e-3)


def test_detected_beats_are_scored(whole, made_up_mitdb):
    results = evaluate(whole.out / "bundle", "inter", beats="detected", folder=made_up_mitdb)
    assert results["beats"] == "detected"


def test_leaks_are_refused_as_for_others(whole, intra, held_out, made_up_mitdb):
    for settings in (whole, held_out):
        bundle = find_bundle(settings.out / "bundle")
        assert find_leak(bundle, get_protocol("inter")) is None
        n = len(bundle.config["training"]["records"])
        assert find_leak(bundle, get_protocol("intra")).startswith(
            f"it was trained on beats of {n} of the 48 test records ("
        )
        with pytest.raises(ProtocolError, match=r"it was trained on beats of"):
            evaluate(settings.out / "bundle", "intra", folder=made_up_mitdb)
    with pytest.raises(
        ProtocolError, match=r"it was trained on beats of 22 of the 22 test records"
    ):
        evaluate(intra.out / "bundle", "inter", folder=made_up_mitdb)


# --- which beats are in which part ----------------------------------------------------------------


def names_and_peaks(beats: RhythmBeats, rows_: np.ndarray) -> list[tuple[str, int]]:
    names = np.asarray(beats.records)[beats.inputs.piece[rows_]]
    return list(zip(names.tolist(), beats.peaks[rows_].tolist(), strict=True))


def test_parts_of_intra_are_the_published_ones(intra, made_up_mitdb):
    job = job_of(intra)
    split = load_split("intra", folder=made_up_mitdb)
    for found, expected in ((job.training, split.train), (job.validation.rows, split.validation)):
        assert names_and_peaks(job.beats, found) == list(
            zip(expected.records.tolist(), expected.peaks.tolist(), strict=True)
        )
        assert np.array_equal(job.beats.classes[found], expected.classes)
    test = set(zip(split.test.records.tolist(), split.test.peaks.tolist(), strict=True))
    assert not test & set(names_and_peaks(job.beats, job.training))


def test_parts_of_inter_are_whole_patients(held_out, whole):
    job = job_of(held_out)
    assert {name for name, _ in names_and_peaks(job.beats, job.validation.rows)} == set(HELD_OUT)
    trained = {name for name, _ in names_and_peaks(job.beats, job.training)}
    assert trained == {*DS1, *PACED} - set(HELD_OUT)
    assert len(job.training) + len(job.validation) == len(job.beats) == 26 * 15
    job = job_of(whole)
    assert len(job.training) == 26 * 15
    assert len(job.validation) == 0


# --- what is learnt by ----------------------------------------------------------------------------


def task_of(model: str, smoothness: float) -> RhythmTask:
    torch.manual_seed(0)
    recipe = RhythmRecipe("tiny", "A test.", smoothness=smoothness)
    task = RhythmTask(create_model(model).eval(), recipe, seed=0)
    task.log = lambda *_, **__: None  # it has no trainer
    return task


def batch_of(n: int) -> tuple[torch.Tensor, ...]:
    return *example_input(rhythm_contract(), n), torch.arange(n) % 5


def test_the_loss_is_cross_entropy_and_how_far_functions_bend():
    for model in ("rhythm-mlp", "rhythm-kan"):
        plain, smooth = (task_of(model, s).training_step(batch_of(8), 0) for s in (0.0, 0.5))
        network = task_of(model, 0.0).network
        *inputs, classes = batch_of(8)
        expected = torch.nn.functional.cross_entropy(network(*inputs), classes)
        assert plain.item() == pytest.approx(expected.item(), rel=1e-5)
        bending = sum(
            float(np.square(np.diff(m.spline_weight.detach().numpy(), 2, axis=-1)).sum())
            for m in network.modules()
            if isinstance(m, KANLayer)
        )
        assert (bending > 0) == (model == "rhythm-kan")
        assert (smooth - plain).item() == pytest.approx(0.5 * bending, rel=1e-3, abs=1e-6)


def test_a_straight_function_does_not_bend():
    task = task_of("rhythm-kan", 1.0)
    for layer in task.network.modules():
        if isinstance(layer, KANLayer):
            layer.spline_weight.data[:] = 3 - 0.5 * torch.arange(layer.spline_weight.shape[-1])
    assert task._bending().item() == pytest.approx(0, abs=1e-8)


# --- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"seed": 4}, {"hold_out": ()}, {"hold_out": ("101", "108")}])
def test_a_run_is_resumed_only_as_it_began(held_out, change):
    with pytest.raises(RecipeError) as caught:
        run(replace(held_out, resume=True, **change))
    assert str(caught.value) == (
        f"the run in {held_out.out} has another model, protocol, seed, recipe or --hold-out; "
        "resume it with the same ones or choose another --out"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"hold_out": HELD_OUT},
        {"model": "rhythm-kan"},
        pytest.param({"protocol": "intra"}, marks=pytest.mark.slow),
    ],
    ids=["held out", "whole", "intra"],
)
def test_a_resumed_run_goes_on_to_the_bit(settings, changes):
    settings = replace(settings, **changes)
    run_until(settings, 3)
    stopped = replace(settings, out=settings.out.with_name("stopped"))
    run_until(stopped, 2)
    assert checkpoint(stopped)["epoch"] == 0
    run_until(replace(stopped, resume=True, hold_out=settings.hold_out[::-1]), 3)
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
    assert "network.head.0.weight" in str(differences(state(settings), state(third)))


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


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["100", "999", " 101"])
def test_records_that_cannot_be_held_out(settings, record):
    assert error_of(replace(settings, hold_out=("101", record))) == (
        f"record {record!r} cannot be held out; the training records are: "
        f"{', '.join((*DS1, *PACED))}"
    )


@pytest.mark.parametrize("records", [DS1, (*DS1, *PACED)])
def test_somebody_who_is_not_paced_has_to_be_left(settings, records):
    assert error_of(replace(settings, hold_out=records)) == (
        "all training records are held out; leave one at least to learn from"
    )


def test_paced_records_can_be_held_out(settings):
    job = job_of(replace(settings, hold_out=("101", "102")))
    assert {name for name, _ in names_and_peaks(job.beats, job.validation.rows)} == {"101", "102"}
    trained = {name for name, _ in names_and_peaks(job.beats, job.training)}
    assert trained == {*DS1, *PACED} - {"101", "102"}
    job = job_of(replace(settings, hold_out=PACED))  # and all of them
    assert len(job.training) == 22 * 15


def test_intra_has_its_own_validation_part(settings):
    assert error_of(replace(settings, protocol="intra", hold_out=("101",))) == (
        "protocol 'intra' has its own validation part; leave --hold-out out"
    )


def test_an_unknown_protocol(settings):
    for recipe in ("", settings.recipe):
        assert error_of(replace(settings, protocol="detected", recipe=recipe), ProtocolError) == (
            "unknown protocol 'detected'; the protocols are: intra, inter"
        )


def test_a_recipe_of_the_wrong_kind(settings):
    assert error_of(replace(settings, recipe="cnn-intra")).startswith(
        "recipe 'cnn-intra' has the key 'augment', which is for a model that sees single beats; "
        "a rhythm model takes 'rhythm-mlp-inter', 'rhythm-kan-inter' or the like, or a TOML file "
        "with: aberrated, "
    )
    assert error_of(replace(settings, model="cnn-kan")).startswith(
        f"recipe {settings.recipe!r} has the key 'batches_per_epoch', which is for a rhythm model; "
        "a model that sees single beats takes 'cnn-intra', 'cnn-inter' or 'baseline', or a "
        "TOML file with: "
    )


def test_a_network_that_cannot_be(settings, made_up_mitdb):
    bad = tiny(settings.out.parent, made_up_mitdb, RECIPE.replace("hidden = 8", "depth = 8"))
    assert error_of(bad).startswith("model 'rhythm-mlp' does not take these settings: ")


def test_data_that_is_not_there(settings, tmp_path):
    message = error_of(replace(settings, folder=tmp_path), DataError)
    assert message.startswith(f"101.hea, 101.dat, 101.atr of mitdb not found in {tmp_path}: ")


def test_the_models_own_recipe(settings):
    for protocol in ("inter", "intra"):
        job = RhythmJob(replace(settings, recipe="", protocol=protocol))
        assert job.recipe == load_recipe(f"rhythm-mlp-{protocol}", RhythmRecipe)
        assert job.validated == (protocol == "intra")
    assert RhythmJob(replace(settings, recipe="", hold_out=("101",))).validated


@pytest.mark.slow
def test_it_learns_to_class_beats(settings, made_up_mitdb):
    text = RECIPE.replace("batches_per_epoch = 3", "batches_per_epoch = 60")
    settings = tiny(settings.out.parent, made_up_mitdb, text, hold_out=HELD_OUT)
    train(settings)
    assert float(rows(settings)[-1]["val_accuracy"]) > 0.7
