"""Score runs of several seeds under protocol `detected`: results/inter/detected.json.

python tools/detected_seeds.py RUNS, where RUNS is a folder of `ectopy compare --seeds`. Each seed's
ectopic beats are found and scored as `ectopy evaluate MODEL --protocol detected` does; mean and
standard deviation over seeds are kept. What is there already, of the same weights, finder and code,
is not measured again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ectopy._version import code_version
from ectopy.data.protocols import get_protocol
from ectopy.evaluation.compare_scores import spread
from ectopy.evaluation.detected_classes import evaluate_detected_classes
from ectopy.models.bundle import FINDER, find_bundle, open_bundle

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "inter" / "detected.json"
SCORES = {"veb": ("se", "ppv", "fpr"), "sveb": ("se", "ppv", "fpr")}


def main(runs: str, out: Path = RESULTS) -> None:
    """Score every seed of every model below a folder."""
    records = get_protocol("inter").test_records
    finder, code = find_bundle(FINDER).weights_sha256, code_version()
    known: dict[str, Any] = {}
    if out.is_file():
        before = json.loads(out.read_text(encoding="utf-8"))
        if (before["finder_sha256"], before["code_version"]) == (finder, code):
            known = {
                one["weights_sha256"]: one for m in before["models"].values() for one in m["runs"]
            }
    models: dict[str, Any] = {}
    for folder in sorted(Path(runs).glob("*/seed*/training/bundle")):
        bundle = open_bundle(folder)
        one = known.get(bundle.weights_sha256)
        if one is None:
            scored = evaluate_detected_classes(bundle, records)
            one = {
                "seed": bundle.config["training"]["seed"],
                "weights_sha256": bundle.weights_sha256,
                "gross": {
                    b: {s: scored["gross"][b][s] for s in keys} for b, keys in SCORES.items()
                },
                "without_232": {
                    b: {s: scored["without"]["232"]["gross"][b][s] for s in keys}
                    for b, keys in SCORES.items()
                },
            }
        models.setdefault(bundle.config["model"], {"runs": []})["runs"].append(one)
    for model in models.values():
        for part in ("gross", "without_232"):
            model[part] = {
                b: {s: spread([run[part][b][s] for run in model["runs"]]) for s in keys}
                for b, keys in SCORES.items()
            }
    out.parent.mkdir(parents=True, exist_ok=True)
    kept = {"finder_sha256": finder, "code_version": code, "models": models}
    text = json.dumps(kept, indent=2) + "\n"
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
