"""Ship of each model the seed that validation chose: src/ectopy/weights/MODEL/PROTOCOL.

python tools/ship_bundles.py PROTOCOL RUNS, with RUNS as `ectopy compare --seeds` leaves it. Where
nothing was held out to choose by, seed 0 ships. Results have to be recorded again afterwards.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ectopy.models.bundle import open_bundle

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "src" / "ectopy" / "weights"


def main(protocol: str, runs: str, weights: Path = WEIGHTS) -> None:
    """Copy the bundles."""
    for model in sorted(path for path in Path(runs).iterdir() if path.is_dir()):
        bundles = [open_bundle(b) for b in sorted(model.glob("seed*/training/bundle"))]
        if not bundles:
            continue
        for bundle in bundles:
            if bundle.full_name != f"{model.name}/{protocol}":
                sys.exit(f"{bundle.folder} holds {bundle.full_name}, not {model.name}/{protocol}")
        values = {b.folder: b.config["training"]["selected_value"] for b in bundles}
        seeds = {b.config["training"]["seed"]: b.folder for b in bundles}
        known = None not in values.values()
        if not known and 0 not in seeds:
            sys.exit(f"{model} has no seed 0, which ships where nothing was held out")
        chosen = max(values, key=lambda folder: values[folder]) if known else seeds[0]
        target = weights / model.name / protocol
        copy = target.with_name(f".{target.name}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(chosen, copy)
        shutil.rmtree(target, ignore_errors=True)
        copy.replace(target)
        sys.stdout.write(f"{target}: {chosen} ({values[chosen]})\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
