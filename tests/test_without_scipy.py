"""Recordings are analysed without SciPy, which takes longer to load than to do without."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ectopy.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path


def loaded(code: str, *arguments: str, given: bytes = b"") -> list[str]:
    """Run code in a fresh process, and give which parts of SciPy it has loaded."""
    code += "\nprint(*[name for name in sys.modules if name.split('.')[0] == 'scipy'], sep=';')"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}", *arguments],
        capture_output=True,
        check=False,
        input=given,
    )
    assert done.returncode == 0, done.stderr.decode()
    last = done.stdout.decode().splitlines()[-1]
    return last.split(";") if last else []


COMMAND = "from ectopy.cli import app\napp(sys.argv[1:], standalone_mode=False)"


def test_what_is_asked_here_finds_scipy() -> None:
    assert "scipy.signal" in loaded("import scipy.signal")


@pytest.mark.parametrize("fs", [250, 360])
def test_of_a_short_record_are_written_annotations_and_tables(tmp_path: Path, fs: int) -> None:
    simulated = [sys.executable, "-m", "ectopy", "simulate", str(tmp_path / "short")]
    subprocess.run([*simulated, "--hours", "0.01", "--fs", str(fs)], check=True)
    out = tmp_path / "out"
    files = ["--out", str(out), "--files", "annotations,csv,json"]
    assert loaded(COMMAND, "analyze", str(tmp_path / "short"), *files) == []
    assert {path.suffix for path in out.iterdir()} == {".ectopy", ".csv", ".json"}


def test_a_table_of_samples(tmp_path: Path) -> None:
    recording, _ = simulate(20, fs=250, seed=3)
    rows = "\n".join(f"{value:.4f}" for value in recording.signal_mv[:, 0])
    (tmp_path / "samples.csv").write_text(f"MLII\n{rows}\n", encoding="utf-8")
    files = ["--fs", "250", "--unit", "mV", "--out", str(tmp_path), "--files", "annotations"]
    assert loaded(COMMAND, "analyze", str(tmp_path / "samples.csv"), *files) == []
    assert (tmp_path / "samples.ectopy").is_file()


def test_a_stream() -> None:
    recording, _ = simulate(20, fs=250, seed=3)
    given = recording.signal_mv[:, 0].astype("<f4").tobytes()
    options = ["--fs", "250", "--dtype", "float32", "--unit", "mV"]
    assert loaded(COMMAND, "stream", *options, given=given) == []


def test_finding_beats_screening_rhythm_and_reading_slower_leads() -> None:
    code = """
import ectopy, numpy as np
from ectopy.measures.fibrillation import find_irregular
from ectopy.readers.upsampling import upsampled
peaks = ectopy.detect_beats(np.frombuffer(sys.stdin.buffer.read(), "<f4"), 257.3)
assert len(peaks) > 40
assert find_irregular(np.random.default_rng(0).uniform(0.4, 1.1, 300)).any()
assert len(upsampled(np.zeros(100, np.float32), 2, 1)) == 200
"""
    recording, _ = simulate(60, fs=257.3, seed=3)
    assert loaded(code, given=recording.signal_mv[:, 0].astype("<f4").tobytes()) == []
