"""Analysis that is ended before it is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ectopy.simulate import simulate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

CODE = (
    "import signal, sys; from ectopy import cli; "
    # A suite that runs in the background ignores the signal, and so would its children.
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.argv = ['ectopy', 'analyze', *sys.argv[1:]]; cli.main()"
)


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, _ = simulate(900, fs=250, seed=3)
    file = tmp_path_factory.mktemp("long") / "long.npy"
    np.save(file, np.tile(made.signal_mv[:, :1], (40, 1)).astype(np.float32))
    return file


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "")],
)
@pytest.mark.parametrize("when", ["working", "writing"])
def test_nothing_is_left(long_file, tmp_path, number, status, said, when):
    out = tmp_path / "deep" / "out"
    arguments = [str(long_file), "--fs", "250", "--unit", "mV", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    if when == "working":
        time.sleep(1.5)
    else:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("deep/out/.ectopy-*")) and time.monotonic() < deadline:
            time.sleep(0.002)
    process.send_signal(number)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed, errors) == (status, "", said)
    assert not (tmp_path / "deep").exists()
    assert list(tmp_path.glob("ectopy*")) == []
