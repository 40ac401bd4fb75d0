"""What brings new weights into the repository: their answers kept, the chosen seed shipped."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ectopy.evaluation import runs
from ectopy.evaluation.runs import PREDICTIONS_FILE, RunResult
from ectopy.models.bundle import find_bundle, open_bundle

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_answers_are_kept_without_the_database_s_beats(made_up_run, tmp_path, monkeypatch, capsys):
    for seed in range(2):
        made_up_run(seed=seed).save(tmp_path / "runs" / "cnn-mlp" / f"seed{seed}")
    run = made_up_run()
    monkeypatch.setattr(runs, "_test_beats", lambda protocol: (run.records, run.peaks, run.classes))
    kept = tmp_path / "results" / "intra" / "runs" / "cnn-mlp"
    made_up_run(seed=7).save(kept / "seed7")  # of an earlier time
    made_up_run("cnn-kan", seed=3).save(kept.parent / "cnn-kan" / "seed3")
    tool("keep_runs").main("intra", str(tmp_path / "runs"), tmp_path)
    assert (kept.parent / "cnn-kan" / "seed3" / PREDICTIONS_FILE).is_file()  # another model's
    assert sorted(path.name for path in kept.iterdir()) == ["seed0", "seed1"]
    with np.load(kept / "seed0" / PREDICTIONS_FILE) as arrays:
        assert set(arrays) == {"predicted", "others"}
    assert RunResult.load(kept / "seed0").predicted.tolist() == run.predicted.tolist()
    assert capsys.readouterr().out.splitlines()[-1] == f"removed {kept / 'seed7'}"


def test_answers_that_do_not_come_back_are_told(made_up_run, tmp_path, monkeypatch):
    run = made_up_run()
    run.save(tmp_path / "runs")
    other = replace(run, probabilities=run.probabilities[::-1])
    beats = (run.records, run.peaks, run.classes)
    monkeypatch.setattr(runs, "_test_beats", lambda protocol: beats)
    monkeypatch.setattr(RunResult, "load", lambda folder: other)
    module = tool("keep_runs")
    monkeypatch.setattr(module, "find_runs", lambda folder, protocol: [run])
    with pytest.raises(SystemExit, match="does not give back what cnn-mlp, seed 0 answered"):
        module.main("intra", str(tmp_path / "runs"), tmp_path)


@pytest.fixture
def trained(tmp_path):
    """Put shipped weights there as runs of several seeds with these validation scores."""

    def place(*scores: float | None, model: str = "cnn-mlp", first: int = 0) -> Path:
        for seed, score in enumerate(scores, first):
            folder = tmp_path / "runs" / model / f"seed{seed}" / "training" / "bundle"
            shutil.copytree(find_bundle("cnn-mlp/intra").folder, folder)
            config = json.loads((folder / "config.json").read_text())
            config["training"] |= {"seed": seed, "selected_value": score}
            (folder / "config.json").write_text(json.dumps(config))
        return tmp_path / "runs"

    return place


@pytest.mark.parametrize(
    ("scores", "seed"), [((0.91, 0.95, 0.93), 1), ((None, None), 0), ((0.9, None, 0.99), 0)]
)
def test_the_seed_that_validation_chose_ships(trained, tmp_path, scores, seed):
    weights = tmp_path / "weights"
    old = weights / "cnn-mlp" / "intra"
    old.mkdir(parents=True)
    (old / "left-over").touch()
    tool("ship_bundles").main("intra", str(trained(*scores)), weights)
    bundle = open_bundle(weights / "cnn-mlp" / "intra")
    assert bundle.config["training"]["seed"] == seed
    assert not (old / "left-over").exists()
    assert [path.name for path in (weights / "cnn-mlp").iterdir()] == ["intra"]


def test_bundles_of_something_else_are_not_shipped(trained, tmp_path):
    weights = tmp_path / "weights"
    runs_of_another = trained(0.9, model="cnn-kan")
    with pytest.raises(SystemExit, match="holds cnn-mlp/intra, not cnn-kan/intra"):
        tool("ship_bundles").main("intra", str(runs_of_another), weights)
    assert not weights.exists()


def test_without_validation_seed_0_has_to_be_there(trained, tmp_path):
    with pytest.raises(SystemExit, match="has no seed 0"):
        tool("ship_bundles").main("intra", str(trained(None, first=3)), tmp_path / "weights")
