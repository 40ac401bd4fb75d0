"""Test predictions that are kept without the beats: those are the database's."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from run_files import FACTS, rewrite, rewrite_arrays

from ectopy.data.protocols import load_test
from ectopy.errors import DataError, RunError
from ectopy.evaluation import runs
from ectopy.evaluation.run_notes import RUN_FILE
from ectopy.evaluation.runs import PREDICTIONS_FILE, RunResult


@pytest.fixture
def as_tested(made_up_run, monkeypatch):
    """A run whose beats are those that the protocol tests on."""
    run = made_up_run(seed=3)
    monkeypatch.setattr(runs, "_test_beats", lambda protocol: (run.records, run.peaks, run.classes))
    return run


def test_without_its_beats_nothing_of_the_database_is_kept(as_tested, tmp_path):
    as_tested.save(tmp_path, with_beats=False)
    with np.load(tmp_path / PREDICTIONS_FILE) as arrays:
        assert set(arrays) == {"predicted", "others"}
    loaded = RunResult.load(tmp_path)
    assert {name: getattr(loaded, name) for name in FACTS} == {
        name: getattr(as_tested, name) for name in FACTS
    }
    for name in ("records", "peaks", "classes", "predicted"):
        assert getattr(loaded, name).tolist() == getattr(as_tested, name).tolist()
    as_tested.save(tmp_path / "whole")
    whole = RunResult.load(tmp_path / "whole")
    assert np.array_equal(whole.probabilities, loaded.probabilities)


def test_other_beats_than_those_tested_on_are_refused(as_tested, tmp_path, monkeypatch):
    as_tested.save(tmp_path, with_beats=False)
    changed = as_tested.classes.copy()
    changed[5] = (changed[5] + 1) % 5
    beats = as_tested.records, as_tested.peaks, changed
    monkeypatch.setattr(runs, "_test_beats", lambda protocol: beats)
    with pytest.raises(RunError) as caught:
        RunResult.load(tmp_path)
    assert str(caught.value) == (
        f"run {str(tmp_path)!r} cannot be used: its beats are not those that 'intra' tests on "
        "here; ectopy data verify mitdb tells what differs"
    )


@pytest.mark.parametrize("value", [None, 5, True, ...])
def test_which_beats_it_was_has_to_be_known(as_tested, tmp_path, value):
    as_tested.save(tmp_path, with_beats=False)
    assert json.loads((tmp_path / RUN_FILE).read_text())["format"] == 3
    rewrite(tmp_path, beats_sha256=value)
    with pytest.raises(RunError, match=r"cannot be used: its run.json (has|lacks) .?beats_sha256"):
        RunResult.load(tmp_path)


def test_beats_in_the_file_are_checked_as_well(made_up_run, tmp_path):
    made_up_run().save(tmp_path)
    assert json.loads((tmp_path / RUN_FILE).read_text())["format"] == 2
    rewrite(tmp_path, beats_sha256="0" * 64)
    with pytest.raises(RunError, match=r"its beats are not those that run.json names"):
        RunResult.load(tmp_path)


def test_too_few_answers_for_the_beats(as_tested, tmp_path):
    as_tested.save(tmp_path, with_beats=False)
    with np.load(tmp_path / PREDICTIONS_FILE) as file:
        predicted, others = file["predicted"], file["others"]
    rewrite_arrays(tmp_path, predicted=predicted[:-1], others=others[:, :-1])
    with pytest.raises(RunError, match=r"its arrays are of different lengths"):
        RunResult.load(tmp_path)


def test_the_beats_come_from_the_database(made_up_mitdb, made_up_run, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mitdb").symlink_to(made_up_mitdb)
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "data"))
    test = load_test("inter", folder=made_up_mitdb)
    run = made_up_run(seed=1, protocol="inter")
    mine = dataclasses.replace(
        run,
        records=test.records,
        peaks=test.peaks,
        classes=test.classes,
        probabilities=run.probabilities[np.arange(len(test)) % len(run)],
    )
    mine.save(tmp_path / "run", with_beats=False)
    runs._test_beats.cache_clear()
    try:
        loaded = RunResult.load(tmp_path / "run")
        assert len(loaded) > 100
        for name in ("records", "peaks", "classes"):
            assert getattr(loaded, name).tolist() == getattr(test, name).tolist()
        runs._test_beats.cache_clear()
        monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "elsewhere"))
        with pytest.raises(DataError):
            RunResult.load(tmp_path / "run")
    finally:
        runs._test_beats.cache_clear()
