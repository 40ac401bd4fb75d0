"""Nothing is reported over the network."""

from __future__ import annotations

import os
import subprocess
import sys

from ectopy.models.runtime import OPT_OUTS

CODE = """
import os
from ectopy import detect_beats
from ectopy.simulate import simulate
recording, _ = simulate(10, seed=1)
detect_beats(recording.signal_mv[:, 0], recording.fs)
print([os.environ[name] for name in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")])
"""


def test_it_is_told_before_it_begins(tmp_path):
    environment = {name: text for name, text in os.environ.items() if name not in OPT_OUTS}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        env={**environment, "TMPDIR": str(tmp_path)},
        check=True,
    )
    assert done.stdout.strip() == "['1', '1']"
    assert list(tmp_path.iterdir()) == []  # where it keeps what marks the machine
