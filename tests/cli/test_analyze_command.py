"""`ectopy analyze` and `ectopy demo` as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ectopy.defaults import DEFAULT_MODEL, DEFAULT_PROTOCOL
from ectopy.simulate import simulate

DEFAULT_BUNDLE = f"{DEFAULT_MODEL}/{DEFAULT_PROTOCOL}"


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ectopy", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def write_record(folder: Path, name: str, signal_mv: np.ndarray, fs: float = 360) -> Path:
    """Write a two-lead record in format 16 by hand, so that any name can be given."""
    counts = np.round(np.nan_to_num(signal_mv) * 200).astype("<i2")
    counts[np.isnan(signal_mv)] = -32768
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dat").write_bytes(counts.tobytes())
    lines = [f"{name} {counts.shape[1]} {fs:g} {len(counts)}"]
    lines += [f"{name}.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in ("MLII", "V1")]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return write_record(tmp_path / "in", "sim", simulate(60, seed=5)[0].signal_mv)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line on stderr, exit status 2, no traceback, nothing on stdout."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_writes_files_that_other_tools_open(record, tmp_path):
    import pandas as pd
    import wfdb

    out = tmp_path / "out"
    done = run("analyze", record, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in ("duration", "heart rate", "ectopic burden", "longest V run", DEFAULT_BUNDLE):
        assert text in done.stdout
    assert sorted(p.name for p in out.iterdir()) == [
        "sim.csv",
        "sim.ectopy",
        "sim.html",
        "sim.json",
        "sim.png",
    ]
    marks = wfdb.rdann(str(out / "sim"), "ectopy")
    table = pd.read_csv(out / "sim.csv")
    is_beat = np.isin(marks.symbol, list("NSVFQ"))  # the others are notes on runs
    assert marks.sample[is_beat].tolist() == table["sample"].tolist()
    assert np.array(marks.symbol)[is_beat].tolist() == table["class"].tolist()
    assert marks.fs == 360
    content = json.loads((out / "sim.json").read_text())
    assert len(content["beats"]) == len(table)


def test_json_goes_to_stdout(record, tmp_path):
    done = run("analyze", record, "--out", tmp_path / "out", "--json")
    content = json.loads(done.stdout)
    assert content["recording"] == "sim"
    assert content["summary"]["n_beats"] > 50
    assert set(content["files"]) == {"annotations", "csv", "json", "html", "png"}


def test_only_the_files_asked_for(record, tmp_path):
    done = run("analyze", record, "--out", tmp_path / "out", "--files", "JSON, svg")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["sim.json", "sim.svg"]


def test_files_that_there_are_not(record, tmp_path):
    done = run("analyze", record, "--out", tmp_path / "out", "--files", "csv,pdf")
    assert_refused(done, "'pdf'", "annotations, csv, json, html, png, svg, parquet")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
def test_path_with_or_without_suffix(record, tmp_path, suffix):
    done = run("analyze", f"{record}{suffix}", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["my rec", "a.b.c", "Gerät 1"])
def test_names_that_wfdb_refuses(tmp_path, name):
    path = write_record(tmp_path / "in", name, simulate(20, seed=5)[0].signal_mv)
    done = run("analyze", path, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / f"{name}.ectopy").is_file()


def test_missing_file(tmp_path):
    done = run("analyze", tmp_path / "none", "--out", tmp_path / "out")
    assert_refused(done, "none")
    assert not (tmp_path / "out").exists()


def test_missing_lead(record, tmp_path):
    done = run("analyze", record, "--lead", "V9", "--out", tmp_path / "out")
    assert_refused(done, "no lead 'V9' in this recording; it has: MLII, V1")


def test_truncated_signal_file(record, tmp_path):
    file = record.with_suffix(".dat")
    file.write_bytes(file.read_bytes()[:-1000])
    assert_refused(run("analyze", record, "--out", tmp_path / "out"), "sim.dat")
    assert not (tmp_path / "out").exists()


def test_header_that_promises_too_much(record, tmp_path):
    header = record.with_suffix(".hea")
    header.write_text(header.read_text().replace("360 21600", "360 1000000000000"))
    assert_refused(run("analyze", record, "--out", tmp_path / "out"), "1000000000000")


@pytest.mark.parametrize("outside", ["../sim.dat", "/etc/hostname"])
def test_header_that_names_a_file_outside_its_folder(record, tmp_path, outside):
    header = record.with_suffix(".hea")
    header.write_text(header.read_text().replace("sim.dat", outside))
    shutil.copy(record.with_suffix(".dat"), tmp_path / "sim.dat")
    assert_refused(run("analyze", record, "--out", tmp_path / "out"), outside)


@pytest.mark.parametrize("fs", ["0", "-360", "nan"])
def test_wrong_sampling_frequency(record, tmp_path, fs):
    header = record.with_suffix(".hea")
    header.write_text(header.read_text().replace("sim 2 360", f"sim 2 {fs}"))
    assert_refused(run("analyze", record, "--out", tmp_path / "out"))


@pytest.mark.parametrize("value", [np.nan, 0.0, 1.5], ids=["missing", "flat", "constant"])
def test_dead_signal(tmp_path, value):
    path = write_record(tmp_path / "in", "dead", np.full((7200, 2), value))
    assert_refused(run("analyze", path, "--out", tmp_path / "out"), "MLII")


def test_clipped_signal(tmp_path):
    signal = simulate(30, seed=5)[0].signal_mv * 100
    path = write_record(tmp_path / "in", "clipped", np.clip(signal, -2, 2))
    assert_refused(run("analyze", path, "--out", tmp_path / "out"), "MLII")


def test_a_single_beat(tmp_path):
    recording, truth = simulate(60, seed=5)
    first = int(truth.peaks[3])
    path = write_record(tmp_path / "in", "one", recording.signal_mv[first - 150 : first + 150])
    assert_refused(run("analyze", path, "--out", tmp_path / "out"))


def test_empty_annotation_list(record, tmp_path):
    record.with_suffix(".atr").write_bytes(b"\x00\x00")
    done = run("analyze", record, "--beats", "annotated", "--out", tmp_path / "out")
    assert_refused(done, "sim.atr")


def test_missing_annotation_file(record, tmp_path):
    done = run("analyze", record, "--beats", "annotated", "--out", tmp_path / "out")
    assert_refused(done, "sim.atr")


def test_output_folder_that_is_a_file(record, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert_refused(run("analyze", record, "--out", tmp_path / "out" / "x"), "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_unknown_model(record, tmp_path):
    done = run("analyze", record, "--model", "resnet", "--out", tmp_path / "out")
    assert_refused(done, "unknown model 'resnet'", "cnn-mlp/intra")


def test_garbage_instead_of_a_header(tmp_path):
    (tmp_path / "bad.hea").write_bytes(bytes(range(256)))
    assert_refused(run("analyze", tmp_path / "bad", "--out", tmp_path / "out"), "bad")


def test_annotated_beats_of_a_real_record(mitdb_dir, tmp_path):
    done = run("analyze", mitdb_dir / "119", "--beats", "annotated", "--out", tmp_path, "--json")
    content = json.loads(done.stdout)
    assert content["beat_source"] == "annotated"
    assert content["summary"]["n_beats"] == 1987


def test_demo_reaches_its_goals(tmp_path):
    done = run("demo", "--out", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert "A synthetic recording" in done.stdout
    last = " ".join(done.stdout.split())
    found = float(last.split("beats found: ")[1].split("(")[1].split(" %")[0])
    right = float(last.split("classed right: ")[1].split("(")[1].split(" %")[0])
    assert found >= 99
    assert right >= 95


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii"])
def test_names_that_the_terminal_cannot_show(tmp_path, monkeypatch, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    path = write_record(tmp_path / "in", "sim", simulate(20, seed=5)[0].signal_mv)
    name = os.fsdecode(b"r\xe9c")
    try:
        path.with_suffix(".hea").rename(tmp_path / "in" / f"{name}.hea")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    done = run("analyze", tmp_path / "in" / name, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "r\\udce9c, lead MLII" in done.stdout
    assert (tmp_path / "out" / "r%E9c.csv").is_file()


def run_into(stdout: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ectopy", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without space")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_space_for_what_is_printed(record, tmp_path, more):
    with Path("/dev/full").open("w") as full:
        done = run_into(full.fileno(), "analyze", record, "--out", tmp_path / "out", *more)
    assert done.returncode == 2
    assert done.stderr == (
        "error: cannot print the results: no space left on device; "
        "send them where there is space left\n"
    )


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_has_seen_enough(record, tmp_path, more):
    reader, writer = os.pipe()
    os.close(reader)
    done = run_into(writer, "analyze", record, "--out", tmp_path / "out", *more)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""
    assert (tmp_path / "out" / "sim.csv").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_interruption():
    code = (
        "import os, signal, typer; from ectopy import cli; "
        # A suite that runs in the background ignores the signal, and so would its children.
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "cli.app.command('wait')(lambda: os.kill(os.getpid(), signal.SIGINT)); "
        "import sys; sys.argv[1:] = ['wait']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_version_and_models():
    assert run("--version").stdout.startswith("ectopy ")
    listed = run("models").stdout
    assert "cnn-mlp/intra" in listed
    assert "cnn-kan/intra" in listed


def test_each_lead_on_its_own(record, tmp_path):
    out = tmp_path / "out"
    done = run("analyze", record, "--all-leads", "--out", out)
    assert done.returncode == 0, done.stderr
    stems = {path.stem for path in out.iterdir()}
    assert stems == {"sim-MLII", "sim-V1"}
    assert len(list(out.iterdir())) == 10
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(("MLII", "V1"))]
    assert [row[0] for row in rows] == ["MLII", "V1"]
    content = json.loads(run("analyze", record, "--all-leads", "--json", "--out", out).stdout)
    assert [one["lead"] for one in content] == ["MLII", "V1"]
    assert_refused(
        run("analyze", record, "--all-leads", "--lead", "V1", "--out", out), "give one of them"
    )


def test_noise_is_told_and_its_beats_are_not_classed(tmp_path):
    signal = simulate(60, seed=5)[0].signal_mv.copy()
    signal[20 * 360 : 40 * 360] += np.random.default_rng(0).normal(0, 1.5, (20 * 360, 2))
    path = write_record(tmp_path / "in", "noisy", signal)
    done = run("analyze", path, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    share = float(text.split("signal usable ")[1].split(" %")[0])
    assert 60 <= share <= 70
    assert "buried in noise" in text
    assert "not classed" in text
    content = json.loads((tmp_path / "out" / "noisy.json").read_text())
    assert content["quality"]["unusable_stretches"][0]["reasons"] == ["noise"]
    assert content["summary"]["n_unusable"] > 5


def test_a_dead_preferred_lead_gives_way(tmp_path):
    signal = simulate(30, seed=5)[0].signal_mv.copy()
    signal[:, 0] = 0
    done = run("analyze", write_record(tmp_path / "in", "half", signal), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "half, lead V1" in done.stdout
    assert "lead MLII has no signal at all; lead V1 is" in " ".join(done.stdout.split())
    named = run("analyze", tmp_path / "in" / "half", "--lead", "MLII", "--out", tmp_path / "out")
    assert_refused(named, "lead MLII has no signal")
