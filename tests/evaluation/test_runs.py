"""Test predictions of a run as two files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from run_files import FACTS, rewrite, rewrite_arrays

from ectopy.errors import OutputError, RunError
from ectopy.evaluation.calibration import apply_temperature
from ectopy.evaluation.metrics import roc_auc
from ectopy.evaluation.prediction_files import read_arrays, write_arrays
from ectopy.evaluation.run_notes import RUN_FILE
from ectopy.evaluation.runs import PREDICTIONS_FILE, RunResult, find_runs


@pytest.fixture
def saved(made_up_run, tmp_path):
    return made_up_run().save(tmp_path / "cnn-mlp" / "seed0")


def test_what_is_saved_is_loaded(made_up_run, tmp_path):
    run = made_up_run(seed=3)
    assert run.save(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == [PREDICTIONS_FILE, RUN_FILE]
    loaded = RunResult.load(tmp_path / "a" / "b")
    assert {name: getattr(loaded, name) for name in FACTS} == {
        name: getattr(run, name) for name in FACTS
    }
    for name in ("records", "peaks", "classes", "predicted"):
        assert getattr(loaded, name).tolist() == getattr(run, name).tolist()
    assert (loaded.peaks.dtype, loaded.classes.dtype) == (np.int64, np.int8)
    assert loaded.probabilities.dtype == np.float32
    assert len(loaded) == 600
    np.testing.assert_allclose(loaded.probabilities, run.probabilities, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(loaded.probabilities.sum(axis=1), 1, atol=1e-6)


def test_saving_again_changes_no_byte(made_up_run, tmp_path):
    made_up_run().save(tmp_path / "first")
    RunResult.load(tmp_path / "first").save(tmp_path / "second")
    made_up_run().save(tmp_path / "third")
    files = [(tmp_path / name / PREDICTIONS_FILE).read_bytes() for name in ("first", "third")]
    assert files[0] == files[1]
    again = RunResult.load(tmp_path / "second").probabilities
    first = RunResult.load(tmp_path / "first").probabilities
    assert np.array_equal(again, first)


def test_near_ties_and_extremes_keep_their_class(tmp_path):
    """Probabilities that are equal once rounded, in any order, and all but certain ones."""
    rng = np.random.default_rng(1)
    near = np.full((2000, 5), 0.2) + rng.normal(0, 1e-5, (2000, 5))
    two = np.tile([0.5, 0.5, 0, 0, 0], (2000, 1)) + rng.normal(0, 1e-6, (2000, 5)) * [1, 1, 0, 0, 0]
    sure = np.zeros((2000, 5))
    sure[:, 1] = 10.0 ** -rng.uniform(1, 7, 2000)
    sure[:, 3] = 1 - sure[:, 1]
    probabilities = np.concatenate([near, two, sure])
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    n = len(probabilities)
    path = tmp_path / "p.npz"
    write_arrays(path, np.full(n, "100"), np.arange(n), np.zeros(n, dtype=np.int8), probabilities)
    read = read_arrays(path)[3]
    assert (read.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    # Both ends of the certainty: the small one to three digits, and what it leaves of 1.
    np.testing.assert_allclose(read[4000:, 1], sure[:, 1], rtol=0.01, atol=3e-8)
    positive = rng.random(2000) < sure[:, 3]
    exact = roc_auc(positive, probabilities[4000:, 3])
    assert roc_auc(positive, read[4000:, 3]) == pytest.approx(exact, abs=1e-3)
    scaled = apply_temperature(read[4000:], 2.0)
    np.testing.assert_allclose(scaled[:, 3], apply_temperature(sure, 2.0)[:, 3], atol=2e-4)


def test_a_file_of_fifty_thousand_beats_is_small(tmp_path):
    n = 50_000
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (n, 5))
    logits[np.arange(n), rng.integers(0, 5, n)] += 8
    odds = np.exp(logits)
    peaks = np.sort(rng.choice(650_000, n, replace=False))
    records = np.repeat([str(100 + k) for k in range(50)], n // 50)
    path = tmp_path / "p.npz"
    classes = rng.integers(0, 5, n).astype(np.int8)
    write_arrays(path, records, peaks, classes, odds / odds.sum(axis=1, keepdims=True))
    assert path.stat().st_size < 600_000


def test_no_pickle_is_needed_or_read(saved):
    with np.load(saved / PREDICTIONS_FILE, allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} == {"U", "u", "i", "f"}
    rewrite_arrays(saved, record_names=np.array([{"a": 1}], dtype=object))
    with pytest.raises(RunError, match="are damaged: Object arrays cannot be loaded"):
        RunResult.load(saved)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"peaks": np.arange(3)}, "3 peaks, 600 records, 600 classes and probabilities of shape"),
        ({"classes": np.full(600, 5, np.int8)}, "a class is not one of 0 to 4"),
        ({"classes": np.full(600, -1, np.int8)}, "a class is not one of 0 to 4"),
        ({"peaks": np.arange(-1, 599)}, "a peak lies before its record's start or too late"),
        ({"peaks": np.arange(600) + 2**31}, "a peak lies before its record's start or too late"),
        ({"probabilities": np.full((600, 5), np.nan)}, "a probability is negative or no number"),
        ({"probabilities": np.full((600, 5), 0.3)}, "probabilities of a beat do not sum to 1"),
    ],
)
def test_predictions_that_are_none_are_not_saved(made_up_run, tmp_path, changes, reason):
    with pytest.raises(RunError) as caught:
        made_up_run(**changes).save(tmp_path / "run")
    assert str(caught.value).startswith(f"cannot keep these predictions: {reason}")
    assert str(caught.value).endswith("; give one row a beat")
    assert list(tmp_path.iterdir()) == []  # not even the folder


def test_a_run_without_beats_is_not_saved(made_up_run, tmp_path):
    run = made_up_run()
    names = ("records", "peaks", "classes", "probabilities")
    empty = dataclasses.replace(run, **{name: getattr(run, name)[:0] for name in names})
    with pytest.raises(RunError, match=r"^cannot keep these predictions: there is no beat;"):
        empty.save(tmp_path)


def test_a_number_that_is_none_is_not_saved(made_up_run, tmp_path):
    with pytest.raises(RunError) as caught:
        made_up_run(selected_value=float("nan")).save(tmp_path)
    assert str(caught.value) == (
        "the notes on cnn-mlp, seed 0 hold a number that is none; give None instead"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_training_run_s_own_notes_are_not_written_over(made_up_run, tmp_path):
    note = tmp_path / RUN_FILE
    note.write_text('{"model": "cnn-mlp", "recipe": {}}')
    with pytest.raises(OutputError) as caught:
        made_up_run().save(tmp_path)
    assert str(caught.value) == (
        f"{str(note)!r} is another kind of file; save the predictions in a folder of their own"
    )
    assert note.read_text() == '{"model": "cnn-mlp", "recipe": {}}'
    assert list(tmp_path.iterdir()) == [note]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": ...}, "its run.json is not one of 'ectopy predictions'"),
        ({"seed": ...}, "its run.json lacks 'seed'"),
        ({"predictions_sha256": ...}, "its run.json lacks 'predictions_sha256'"),
        ({"seed": "0"}, "its run.json has seed = '0'"),
        ({"seed": True}, "its run.json has seed = True"),
        ({"parameters": None}, "its run.json has parameters = None"),
        ({"temperature": 0}, "its run.json has temperature = 0"),
        ({"epochs": [1]}, "the epochs in its run.json are no rows"),
        ({"class_order": ["N"]}, "its classes are ['N'], expected ['N', 'S', 'V', 'F', 'Q']"),
        (
            {"predictions_sha256": "f" * 64},
            "its predictions.npz is not the one that run.json names",
        ),
    ],
)
def test_notes_that_cannot_be_used(saved, changes, reason):
    rewrite(saved, **changes)
    with pytest.raises(RunError) as caught:
        RunResult.load(saved)
    assert str(caught.value) == (
        f"run {str(saved)!r} cannot be used: {reason}; write its predictions again"
    )


def test_probabilities_of_an_older_run_are_brought_to_its_temperature(saved):
    as_written = RunResult.load(saved).probabilities
    rewrite(saved, format=1, temperature=2.0)
    older = RunResult.load(saved)
    np.testing.assert_allclose(
        older.probabilities, apply_temperature(as_written, 2.0), rtol=1e-5, atol=1e-7
    )
    assert older.probabilities.dtype == np.float32
    rewrite(saved, temperature=1.0)
    assert np.array_equal(RunResult.load(saved).probabilities, as_written)


@pytest.mark.parametrize("temperature", [-1.0, float("inf"), float("nan")])
def test_a_temperature_that_is_none(saved, temperature):
    rewrite(saved, temperature=temperature)
    with pytest.raises(RunError, match=r"its run\.json has temperature = .*; write its pred"):
        RunResult.load(saved)


def test_another_format(saved):
    rewrite(saved, format=4)
    with pytest.raises(RunError) as caught:
        RunResult.load(saved)
    assert str(caught.value) == (
        f"run {str(saved)!r} has format 4, expected 1, 2 or 3; "
        "use the version of ectopy that wrote it"
    )


def test_files_that_are_missing_or_cut(saved):
    whole = (saved / RUN_FILE).read_text()
    (saved / RUN_FILE).write_text(whole[:50])
    with pytest.raises(RunError, match=r"cannot be used: its run\.json cannot be read"):
        RunResult.load(saved)
    (saved / RUN_FILE).write_text(whole)
    data = (saved / PREDICTIONS_FILE).read_bytes()
    (saved / PREDICTIONS_FILE).write_bytes(data[:-100])
    with pytest.raises(RunError, match=r"is not the one that run\.json names"):
        RunResult.load(saved)
    (saved / PREDICTIONS_FILE).unlink()
    with pytest.raises(RunError, match=r"it lacks predictions\.npz; write its"):
        RunResult.load(saved)
    (saved / RUN_FILE).unlink()
    with pytest.raises(RunError, match=r"it lacks run\.json; write its"):
        RunResult.load(saved)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"predicted": None}, "'predicted is not a file in the archive'"),
        ({"sample": np.zeros(600)}, "array 'sample' is not what it should be"),
        ({"sample": np.zeros(599, np.int32)}, "its arrays are of different lengths"),
        ({"record": np.full(600, 4, np.uint16)}, "an index points nowhere"),
        ({"predicted": np.full(600, 5, np.int8)}, "an index points nowhere"),
        ({"true": np.full(600, 7, np.int8)}, "a class is not one of 0 to 4"),
        ({"others": np.full((5, 600), 0.5, np.float16)}, "a probability is negative or no number"),
        ({"others": np.full((5, 600), np.nan, np.float16)},
         "a probability is negative or no number"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_used(saved, changes, reason):
    rewrite_arrays(saved, **changes)
    with pytest.raises(RunError) as caught:
        RunResult.load(saved)
    path = saved / PREDICTIONS_FILE
    assert str(caught.value) == f"predictions {str(path)!r} are damaged: {reason}; write them again"


def test_a_file_that_is_no_archive(saved):
    import hashlib

    (saved / PREDICTIONS_FILE).write_bytes(b"PK\x03\x04 not one")
    digest = hashlib.sha256((saved / PREDICTIONS_FILE).read_bytes()).hexdigest()
    rewrite(saved, predictions_sha256=digest)
    with pytest.raises(RunError, match="are damaged: File is not a zip file; write them again"):
        RunResult.load(saved)


def test_runs_are_found_at_any_depth_in_order(made_up_run, tmp_path):
    made_up_run("cnn-mlp", 10).save(tmp_path / "x")
    made_up_run("cnn-mlp", 9).save(tmp_path / "a" / "b" / "c")
    made_up_run("cnn-kan", 1).save(tmp_path / "z" / "seed1")
    made_up_run("cnn-kan", 1, protocol="inter").save(tmp_path / "other")
    found = find_runs(tmp_path, "intra")
    assert [(run.model, run.seed) for run in found] == [
        ("cnn-kan", 1), ("cnn-mlp", 9), ("cnn-mlp", 10),
    ]  # fmt: skip
    assert [run.protocol for run in find_runs(tmp_path, "inter")] == ["inter"]


def test_only_the_models_asked_for(made_up_run, tmp_path):
    for model in ("cnn-mlp", "cnn-kan", "third"):
        made_up_run(model).save(tmp_path / model)
    found = find_runs(tmp_path, "intra", ("third", "cnn-kan"))
    assert [run.model for run in found] == ["cnn-kan", "third"]
    with pytest.raises(RunError) as caught:
        find_runs(tmp_path, "intra", ("cnn-kan", "vit"))
    assert str(caught.value) == (
        f"no run of 'vit' in or below {str(tmp_path)!r}; it has runs of: cnn-kan, cnn-mlp, third; "
        "train it first or leave it out"
    )


def test_no_run_is_found(made_up_run, tmp_path):
    with pytest.raises(RunError) as caught:
        find_runs(tmp_path / "nowhere", "intra")
    assert str(caught.value) == (
        f"no predictions.npz of protocol 'intra' in or below {str(tmp_path / 'nowhere')!r}; "
        "name a folder that holds MODEL/seedK folders"
    )
    made_up_run().save(tmp_path / "a")
    with pytest.raises(RunError, match=r"'inter' in or below .*; it has runs of: intra; name a"):
        find_runs(tmp_path, "inter")


def test_one_run_twice(made_up_run, tmp_path):
    for name in ("a", "b"):
        made_up_run().save(tmp_path / name)
    with pytest.raises(RunError) as caught:
        find_runs(tmp_path, "intra")
    assert str(caught.value) == (
        f"{str(tmp_path / 'a')!r} and {str(tmp_path / 'b')!r} are both cnn-mlp, seed 0; "
        "keep one of them"
    )
