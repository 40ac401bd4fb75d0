"""How long it takes until anything happens: help, imports, the first label of a short recording.

python benchmarks/startup.py    # results/startup.json

Every run is a process of its own, in turn with all others. The first label is timed from the start
of the process to the moment its parent reads the class of the first beat; everything else from
start to end. The recording is half a minute as a table (CSV), simulated.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from keeping import keep
from measuring import Usage, run_process, run_until_answer, spread
from settings import command_line, settings_of

from ectopy.beats import CLASSES
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
PEERS = ("wfdb", "neurokit2", "torch")
FIRST_LABEL = "first label of a 30 s CSV"
GOALS_S = {"ectopy --help": 0.4, FIRST_LABEL: 1.5}


@dataclass(frozen=True)
class Start:
    """Something that is started.

    Attributes
    ----------
    name : str
    group : str
        ``"floor"``, ``"ectopy"`` or ``"peer"``.
    run : callable
        Runs it once, as a process of its own.
    """

    name: str
    group: str
    run: Callable[[], Usage]


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=int, help="runs of each contestant")
    options = parser.parse_args()
    settings = settings_of("startup", long=options.long)
    rounds = options.rounds or settings["rounds"]
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "recording.csv"
        write_table(table, settings["seconds"], settings["fs"], settings["seed"])
        starts = contestants(table, settings["fs"], Path(folder) / "results")
        usages: dict[str, list[Usage]] = {start.name: [] for start in starts}
        for number in range(rounds + 1):
            for start in starts:
                usage = start.run()
                if number:  # the first time fills the system's cache
                    usages[start.name].append(usage)
    rows = []
    for start in starts:
        found = usages[start.name]
        wall = spread([usage.wall_s for usage in found])
        rows.append(
            {
                "what": start.name,
                "group": start.group,
                "goal_s": GOALS_S.get(start.name),
                "rounds": rounds,
                **{f"{key}_s": round(value, 4) for key, value in wall.items()},
                "cpu_s": round(statistics.median(usage.cpu_s for usage in found), 4),
                "peak_mb": round(statistics.median(usage.peak_mb for usage in found), 1),
            }
        )
        print(f"{start.name:42} {wall['median']:6.3f} s, {rows[-1]['peak_mb']:.0f} MB")
    keep("startup", rows, folder=options.out, settings=settings)


def contestants(table: Path, fs: float, out: Path) -> list[Start]:
    """Everything that is started, the floor first."""
    python, program = sys.executable, Path(sys.executable).with_name("ectopy")
    ectopy = [str(program)] if program.is_file() else [python, "-m", "ectopy"]
    analyze = [*ectopy, "analyze", str(table), "--fs", f"{fs:g}", "--unit", "mV", "--out", str(out)]
    starts = [
        Start("python, nothing else", "floor", process(python, "-c", "pass")),
        Start("import ectopy", "ectopy", process(python, "-c", "import ectopy")),
        Start("ectopy --help", "ectopy", process(*ectopy, "--help")),
        Start(
            FIRST_LABEL,
            "ectopy",
            lambda: until_label([python, str(HERE / "first_label.py"), str(table), f"{fs:g}"]),
        ),
        Start(
            "ectopy analyze, 30 s CSV, annotations",
            "ectopy",
            process(*analyze, "--files", "annotations"),
        ),
        Start("ectopy analyze, 30 s CSV, all files", "ectopy", process(*analyze)),
    ]
    for peer in PEERS:
        if find_spec(peer) is None:
            print(f"without {peer}: it is not installed")
            continue
        starts.append(Start(f"import {peer}", "peer", process(python, "-c", f"import {peer}")))
    return starts


def process(*command: str) -> Callable[[], Usage]:
    return lambda: run_process(command)


def until_label(command: list[str]) -> Usage:
    """Run `first_label.py`; the wall time ends when its answer can be read."""
    usage, label = run_until_answer(command)
    if label not in CLASSES:
        sys.exit(f"{' '.join(command)} answered {label!r}, which is no class")
    return usage


def write_table(path: Path, seconds: float, fs: float, seed: int) -> None:
    """Write one lead in millivolts as text, a sample a line."""
    lead = simulate(seconds, fs=float(fs), seed=seed)[0].signal_mv[:, 0]
    np.savetxt(path, lead, fmt="%.4f", header="II", comments="")


if __name__ == "__main__":
    main()
