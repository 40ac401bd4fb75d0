"""Copy finished runs into results/PROTOCOL/runs, without anything that is the database's.

python tools/keep_runs.py PROTOCOL RUNS, where RUNS is a folder of `ectopy compare --seeds`. What is
kept are the models' answers in the order of the protocol's test beats, from which `ectopy compare`
makes all tables and figures again where the database is. Other seeds of a model that are kept
already are removed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np

from ectopy.evaluation.runs import PREDICTIONS_FILE, RunResult, find_runs

ROOT = Path(__file__).resolve().parents[1]


def main(protocol: str, runs: str, root: Path = ROOT) -> None:
    """Copy every run of the protocol in or below a folder."""
    kept = root / "results" / protocol / "runs"
    found = {kept / run.model / f"seed{run.seed}": run for run in find_runs(runs, protocol)}
    for folder, run in found.items():
        run.save(folder, with_beats=False)
        if not np.array_equal(RunResult.load(folder).predicted, run.predicted):
            sys.exit(f"{folder} does not give back what {run.title} answered")
        sys.stdout.write(f"{folder}\n")
    models = {folder.parent for folder in found}
    before = {path.parent for model in models for path in model.glob(f"seed*/{PREDICTIONS_FILE}")}
    for folder in before - set(found):
        shutil.rmtree(folder)
        sys.stdout.write(f"removed {folder}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
