"""The corpus through `ectopy analyze`: one line and no folder, or results without the person."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from corpus import FORMATS, FS, N_SAMPLES, SECRETS, START, check_message, foreign

import ectopy.cli

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = {"npy": ["--fs", str(FS), "--unit", "mV"]}


@pytest.fixture
def analyze(monkeypatch, capfd) -> Callable[..., tuple[int, str, str]]:
    """Run the command as the program does; status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ectopy", "analyze", *map(str, arguments)])
        status = 0
        try:
            ectopy.cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return status, out, err

    return run


def check_refused(found: tuple[int, str, str], out: Path, *names: str) -> str:
    status, printed, error = found
    assert (status, printed) == (2, ""), error
    assert error.endswith("\n")
    assert len(error.splitlines()) == 1, error
    assert error.startswith("error: ")
    check_message(error.removeprefix("error: ").rstrip("\n"), *names)
    assert not out.exists()
    return error


@pytest.mark.parametrize("kind", FORMATS)
def test_results_hold_nothing_of_the_person(tmp_path, analyze, kind):
    path = FORMATS[kind].write(tmp_path, "rec")
    out = tmp_path / "out"
    status, printed, error = analyze(path, "--out", out, "--json", *OPTIONS.get(kind, []))
    assert (status, error) == (0, "")
    content = json.loads(printed)
    assert content["fs_hz"] == FS
    assert content["start"] == (FORMATS[kind].start.isoformat() if FORMATS[kind].start else None)
    written = sorted(out.iterdir())
    assert len(written) >= 4
    everything = printed.encode() + b"".join(file.read_bytes() for file in written)
    everything += b"".join(file.name.encode() for file in written)
    for secret in SECRETS:
        for form in (secret, secret.lower(), secret.upper()):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert form.encode(encoding) not in everything, secret


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_short(tmp_path, analyze, kind):
    path = FORMATS[kind].write(tmp_path, "rec")
    data = path if not kind.startswith("wfdb") else next(tmp_path.glob("*.dat"))
    # Not far from their beginning, where text has no row of samples yet.
    data.write_bytes(data.read_bytes()[:70])
    names = [file.name for file in tmp_path.iterdir()]
    check_refused(
        analyze(path, "--out", tmp_path / "out", *OPTIONS.get(kind, [])), tmp_path / "out", *names
    )


@pytest.mark.parametrize("content", foreign())
def test_a_file_that_is_no_recording(tmp_path, analyze, content):
    path = tmp_path / "night.edf"
    path.write_bytes(foreign()[content])
    check_refused(analyze(path, "--out", tmp_path / "a" / "b"), tmp_path / "a", "night.edf")


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'say "x"', "new\nline", "💓", "caf\udce9", "[red]"]
)
def test_names_of_files(tmp_path, analyze, name):
    path = tmp_path / f"{name}.csv"
    out = tmp_path / "out"
    check_refused(analyze(path, "--out", out), out, path.name)
    path.write_bytes(b"\x89PNG")
    check_refused(analyze(path, "--out", out), out, path.name)
    FORMATS["edf"].write(tmp_path, "good").rename(path)
    status, printed, error = analyze(path, "--out", out)
    assert (status, error) == (0, "")
    assert "ectopic burden" in printed
    assert len(list(out.iterdir())) >= 4


CONTENTS = {
    "all missing": np.full((N_SAMPLES, 2), np.nan),
    "flat": np.zeros((N_SAMPLES, 2)),
    "one sample": np.ones((1, 2)),
    "half a second": np.sin(np.arange(FS // 2))[:, None] * np.ones(2),
    "huge": np.full((N_SAMPLES, 2), 1e300) * np.arange(N_SAMPLES)[:, None],
    "endless": np.full((N_SAMPLES, 2), np.inf),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_signals_without_a_beat(tmp_path, analyze, content):
    path = tmp_path / "x.npz"
    np.savez(path, signal=CONTENTS[content], fs=FS, units="mV", leads=["II", "V1"])
    found = analyze(path, "--out", tmp_path / "out")
    check_refused(found, tmp_path / "out", "'x'", "x.npz")


@pytest.mark.parametrize("fs", ["0", "-250", "nan", "inf", "1e-300", "1e300", "10", "fast", ""])
def test_sampling_frequencies_that_cannot_be(tmp_path, analyze, fs):
    path = FORMATS["npy"].write(tmp_path, "rec")
    status, printed, error = analyze(path, "--out", tmp_path / "out", "--unit", "mV", f"--fs={fs}")
    assert (status, printed) == (2, "")
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["edf+c", "edf+d", "ishne", "csv", "dicom"])
def test_annotated_beats_of_a_recording_that_has_none(tmp_path, analyze, kind):
    path = FORMATS[kind].write(tmp_path, "rec")
    found = analyze(path, "--out", tmp_path / "out", "--beats", "annotated")
    error = check_refused(found, tmp_path / "out", path.name)
    assert "let the beats be detected" in error


def test_annotated_beats_beyond_the_end(tmp_path, analyze):
    import wfdb

    path = FORMATS["edf"].write(tmp_path, "rec")
    wfdb.wrann("rec", "atr", np.array([100, N_SAMPLES]), ["N", "N"], write_dir=str(tmp_path))
    found = analyze(path, "--out", tmp_path / "out", "--beats", "annotated")
    assert f"mark sample {N_SAMPLES}, but it ends after {N_SAMPLES}" in check_refused(
        found, tmp_path / "out", "'rec'"
    )


def test_the_start_is_that_of_the_corpus():
    assert START.year == 2020


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
from ectopy.cli import main
sys.argv = ["ectopy", "analyze", sys.argv[1], "--out", sys.argv[2]]
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the size of files is limited as Linux does it")
@pytest.mark.parametrize("kind", ["npz", "csv", "aecg"])
def test_no_room_for_temporary_files(tmp_path, kind):
    path = FORMATS[kind].write(tmp_path, "rec")
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    error = check_refused(
        (done.returncode, done.stdout, done.stderr), out, "no room for the samples"
    )
    assert "set TMPDIR to a folder with room" in error
