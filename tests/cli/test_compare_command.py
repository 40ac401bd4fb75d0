"""`ectopy compare` as a user runs it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FIGURES = (
    "confusion_matrices", "efficiency", "f1_per_class", "precision_recall", "radar", "reliability",
    "risk_coverage", "roc", "training_curves",
)  # fmt: skip


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "ectopy", "compare", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(made_up_run, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compare") / "runs"
    for model in ("cnn-kan", "cnn-mlp"):
        for seed in range(2):
            made_up_run(model, seed).save(folder / model / f"seed{seed}")
            inter = made_up_run(model, seed, protocol="inter")
            inter.save(folder / "inter" / model / f"seed{seed}")
    return folder


@pytest.mark.parametrize("protocol", ["intra", "inter"])
def test_files_and_a_table_in_80_columns(runs, tmp_path, protocol):
    out = tmp_path / "new" / "out"
    done = run("--protocol", protocol, "--runs", runs, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(path.name for path in out.iterdir()) == [
        "figures", "results.csv", "results.json", "table.md",
    ]  # fmt: skip
    assert sorted(path.stem for path in (out / "figures").iterdir()) == list(FIGURES)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["protocol"] == protocol
    assert list(results["models"]) == ["cnn-kan", "cnn-mlp"]
    assert results["intervals"]["resamples"] == 2000
    assert f"# Comparison under `{protocol}`" in (out / "table.md").read_text(encoding="utf-8")
    with (out / "results.csv").open(encoding="utf-8") as file:
        assert {row["protocol"] for row in csv.DictReader(file)} == {protocol}
    lines = done.stdout.splitlines()
    *table, last = lines
    assert max(map(len, table)) <= 80
    assert last == f"wrote 12 files to {out}"
    score = results["models"]["cnn-mlp"]["scores"]["macro_f1"]
    (row,) = [line for line in lines if line.startswith(" cnn-mlp ")]
    assert f"{score['mean']:.4f} ± {score['sd']:.4f}" in row
    assert any("always N" in line for line in lines)
    (difference,) = [line for line in lines if "cnn-kan minus cnn-mlp" in line]
    point = results["comparisons"][0]["differences"]["macro_f1"]["point"]
    assert f"{round(point, 4) or 0.0:+.4f}" in difference
    assert ("p, swaps" in done.stdout) == (protocol == "inter")


def test_weights_that_are_not_shipped_get_nothing_recorded(runs, tmp_path):
    done = run("--protocol", "intra", "--runs", runs, "--out", tmp_path / "out", "--record")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        f"wrote 12 files to {tmp_path / 'out'}",
        "cnn-kan: its shipped weights, if any, are none of these runs'; nothing recorded",
        "cnn-mlp: its shipped weights, if any, are none of these runs'; nothing recorded",
    ]


def assert_refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr == f"error: {message}\n"


def test_no_runs(tmp_path):
    done = run("--protocol", "intra", "--runs", tmp_path, "--out", tmp_path / "out")
    assert_refused(
        done,
        f"no predictions.npz of protocol 'intra' in or below {str(tmp_path)!r}; "
        "name a folder that holds MODEL/seedK folders",
    )
    assert not (tmp_path / "out").exists()


def test_only_the_models_that_are_named(runs, tmp_path):
    out = tmp_path / "out"
    done = run("--protocol", "intra", "--runs", runs, "--out", out, "--models", "cnn-kan, cnn-kan")
    assert done.returncode == 0, done.stderr
    assert list(json.loads((out / "results.json").read_text())["models"]) == ["cnn-kan"]
    done = run("--protocol", "intra", "--runs", runs, "--out", out, "--models", "vit")
    assert_refused(
        done,
        f"no run of 'vit' in or below {str(runs)!r}; it has runs of: cnn-kan, cnn-mlp; "
        "train it first or leave it out",
    )


@pytest.mark.parametrize(
    "option", [("--recipe", "baseline"), ("--accelerator", "cpu"), ("--no-compile",)]
)
def test_options_of_training_without_seeds(runs, tmp_path, option):
    done = run("--protocol", "intra", "--runs", runs, "--out", tmp_path, *option)
    assert_refused(
        done,
        "--recipe, --accelerator and --no-compile go with --seeds; leave them out or add --seeds N",
    )


@pytest.mark.parametrize("missing", ["torch", "lightning"])
def test_what_takes_the_training_extra(runs, tmp_path, missing):
    code = f"""
import sys
class NotInstalled:
    def find_spec(self, name, *_):
        if name == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, NotInstalled())
from ectopy.cli import main
fixed = ["--protocol", "intra", "--runs", {str(runs)!r}, "--out", {str(tmp_path / "out")!r}]
sys.argv = ["ectopy", "compare", *fixed, *sys.argv[1:]]
main()
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run([*command, "--seeds", "1"], capture_output=True, text=True, check=False)
    assert_refused(done, f"training needs {missing}; install it with: pip install 'ectopy[train]'")
    assert not (tmp_path / "out").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "results.json").is_file()


RECIPE = """
name = "tiny"
description = "One epoch."
max_epochs = 1
batch_size = 32
"""


@pytest.mark.slow
def test_what_is_missing_is_trained_and_compared(made_up_mitdb, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mitdb").symlink_to(made_up_mitdb)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    environment = os.environ | {"ECTOPY_DATA": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}
    options = {
        "--protocol": "inter", "--runs": tmp_path / "runs", "--out": tmp_path / "out",
        "--seeds": 1, "--models": "cnn-kan,cnn-mlp", "--recipe": tmp_path / "tiny.toml",
        "--accelerator": "cpu",
    }  # fmt: skip
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "ectopy", "compare", *words, "--no-compile"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("run ")]
    runs = tmp_path / "runs"
    assert lines == [
        f"run 1 of 2: cnn-kan, seed 0, trains in {runs}/cnn-kan/seed0/training",
        "run 1 of 2: cnn-kan, seed 0, is scored on 330 test beats",
        f"run 2 of 2: cnn-mlp, seed 0, trains in {runs}/cnn-mlp/seed0/training",
        "run 2 of 2: cnn-mlp, seed 0, is scored on 330 test beats",
    ]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {name: one["seeds"] for name, one in results["models"].items()} == {
        "cnn-kan": [0], "cnn-mlp": [0],
    }  # fmt: skip
    assert results["models"]["cnn-mlp"]["multiply_adds"] == 6_127_936
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert again.stderr.splitlines() == [
        "run 1 of 2: cnn-kan, seed 0, is there", "run 2 of 2: cnn-mlp, seed 0, is there",
    ]  # fmt: skip
    assert again.stdout == done.stdout


def test_unknown_protocol(runs, tmp_path):
    done = run("--protocol", "detected", "--runs", runs, "--out", tmp_path)
    assert_refused(done, "unknown protocol 'detected'; the protocols are: intra, inter")


def test_a_folder_that_is_a_file(runs, tmp_path):
    (tmp_path / "out").write_text("")
    done = run("--protocol", "intra", "--runs", runs, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"{str(tmp_path / 'out')!r} is a file, not a folder" in done.stderr


def test_a_damaged_run(runs, made_up_run, tmp_path):
    folder = made_up_run().save(tmp_path / "runs" / "a")
    with (folder / "predictions.npz").open("ab") as file:
        file.write(b"more")
    done = run("--protocol", "intra", "--runs", tmp_path / "runs", "--out", tmp_path / "out")
    assert_refused(
        done,
        f"run {str(folder)!r} cannot be used: its predictions.npz is not the one that run.json "
        "names; write its predictions again",
    )


def test_help_needs_nothing_heavy():
    code = (
        "import sys, ectopy.cli.compare; "
        "print([m for m in ('numpy', 'matplotlib', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_comparing_needs_the_base_install_only(runs, tmp_path):
    code = (
        "import sys; "
        "from ectopy.evaluation.compare import compare_runs; "
        "from ectopy.evaluation.compare_files import write_comparison; "
        "from ectopy.evaluation.runs import find_runs; "
        f"write_comparison(compare_runs(find_runs({str(runs)!r}, 'intra')), {str(tmp_path)!r}); "
        "print([name for name in ('torch', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
