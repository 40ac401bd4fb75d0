"""Copy finished runs into results/PROTOCOL/runs, without anything that is the database's.

python tools/keep_runs.py PROTOCOL RUNS, where RUNS is a folder of `ectopy compare --seeds`. What is
kept are the models' answers in the order of the protocol's test beats, from which `ectopy compare`
makes all tables and figures again where the database is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ectopy.evaluation.runs import find_runs

ROOT = Path(__file__).resolve().parents[1]


def main(protocol: str, runs: str, root: Path = ROOT) -> None:
    """Copy every run of the protocol in or below a folder."""
    for run in find_runs(runs, protocol):
        folder = root / "results" / protocol / "runs" / run.model / f"seed{run.seed}"
        run.save(folder, with_beats=False)
        sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
