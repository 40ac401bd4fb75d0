"""What has to hold for the project as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import ectopy
from ectopy.evaluation.run_notes import RUN_FILE
from ectopy.evaluation.runs import PREDICTIONS_FILE

ROOT = Path(__file__).resolve().parents[1]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_light():
    code = (
        "import sys, ectopy, ectopy.cli; "
        "print([m for m in ('torch', 'numpy', 'wfdb', 'matplotlib', 'onnxruntime', 'sleepecg')"
        " if m in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_analysis_needs_no_torch():
    code = """
import sys
import ectopy
from ectopy.simulate import simulate
analysis = ectopy.analyze(simulate(10, seed=3)[0])
print(len(analysis.beats) > 5, 'torch' in sys.modules)
"""
    assert run_python(code) == "True False"


def test_without_torch_a_model_says_what_to_install():
    code = """
import sys
sys.modules['torch'] = None
from ectopy.errors import MissingExtra
try:
    from ectopy.models import ECGCNN
except MissingExtra as error:
    print(error)
"""
    assert run_python(code) == "ECGCNN needs torch; install it with: pip install 'ectopy[train]'"


def test_every_public_name_is_there():
    missing = [name for name in ectopy.__all__ if not hasattr(ectopy, name)]
    assert missing == []
    assert set(ectopy._HOME) == set(ectopy.__all__) - {"__version__"}


def test_readme_has_the_numbers_of_the_recorded_results():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "update_readme.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_module_below_models_imports_torch():
    rooms = ["signal", "readers", "writers", "inference", "evaluation", "simulate", "data"]
    offenders = [
        str(path)
        for room in rooms
        for path in (ROOT / "src" / "ectopy" / room).rglob("*.py")
        if "import torch" in path.read_text(encoding="utf-8")
    ]
    assert offenders == []


def test_nothing_large_or_of_patients_is_tracked():
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False
    )
    tracked = [ROOT / name for name in done.stdout.splitlines()]
    data = {".dat", ".atr", ".hea", ".edf", ".pt", ".pth", ".pkl", ".npy", ".npz", ".ckpt"}
    kept = [p for p in tracked if p.suffix in data]
    runs = ROOT / "results"
    assert [p for p in kept if p.name != PREDICTIONS_FILE or runs not in p.parents] == []
    notes = [p for p in tracked if runs in p.parents and p.name == RUN_FILE]
    assert {p.parent for p in notes} == {p.parent for p in kept} != set()
    for path in kept:  # answers of models alone: neither where a beat is nor what it is
        with np.load(path, allow_pickle=False) as arrays:
            assert set(arrays) == {"predicted", "others"}, path
    assert [p for p in tracked if p.is_file() and p.stat().st_size > 5_000_000] == []
