"""`ectopy explain` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def run(*arguments: object, before: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{before}\nfrom ectopy.cli import main\nmain()\n"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "explain", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr == f"error: {message}\n"


def test_files_and_a_ranking_in_80_columns(untrained_bundle, tmp_path):
    out = tmp_path / "new" / "out"
    done = run(untrained_bundle("rhythm-kan"), "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(path.name for path in out.iterdir()) == [
        "functions.csv", "functions.json", "functions.png",
    ]  # fmt: skip
    *lines, last = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert last == f"wrote 3 files to {out}"
    table = json.loads((out / "functions.json").read_text(encoding="utf-8"))
    for name in "SVF":
        start = next(i for i, line in enumerate(lines) if f"logit of {name} less that" in line)
        rows = lines[start + 4 : start + 10]
        for row, ranked in zip(rows, table["importance"][name], strict=False):
            assert row.startswith(f" {table['features'][ranked['feature']]['label']} ")
            assert f" {ranked['importance']:.2f} " in row
    text = " ".join(" ".join(lines).split())
    assert table["held_fixed"] in text


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("cnn-kan/intra", "cnn-kan/intra has a head whose inputs have no names"),
        ("beat-finder", "beat-finder/inter finds beats and does not class them"),
    ],
)
def test_models_without_functions_of_names(model, reason, tmp_path):
    assert_refused(
        run(model, "--out", tmp_path / "out"),
        f"{reason}, so that there are no functions to read; give a rhythm-kan or the folder of "
        "one that was trained",
    )
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    done = run("cnn-kan", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"{str(tmp_path / 'out')!r} is a file, not a folder" in done.stderr


def test_without_the_training_extra(untrained_bundle, tmp_path):
    hidden = "import sys; sys.modules['safetensors'] = None"
    done = run(untrained_bundle("rhythm-kan"), "--out", tmp_path / "out", before=hidden)
    assert_refused(
        done, "reading weights needs safetensors; install it with: pip install 'ectopy[train]'"
    )
    assert not (tmp_path / "out").exists()
