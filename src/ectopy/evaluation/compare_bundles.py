"""What a comparison says of the bundles that are shipped, kept with each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.models.bundle import find_bundle, shipped_bundles
from ectopy.models.results import record_seeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCORES = ("accuracy", "macro_f1", "macro_f1_nsvf")


def record_comparison(results: Mapping[str, Any]) -> list[Path]:
    """Keep mean, spread and interval over seeds with each shipped bundle that is one of the runs'.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.

    Returns
    -------
    list of Path
        The files, one for each such bundle.

    Raises
    ------
    OutputError
        If a bundle's folder cannot be written to.
    """
    files = []
    for model, one in results["models"].items():
        name = f"{model}/{results['protocol']}"
        if name not in shipped_bundles():
            continue
        bundle = find_bundle(name)
        seeds = {run["weights_sha256"]: run["seed"] for run in one["runs"]}
        if bundle.weights_sha256 in seeds:
            files.append(record_seeds(bundle, _extract(results, model, seeds, bundle)))
    return files


def _extract(
    results: Mapping[str, Any], model: str, seeds: Mapping[str, int], bundle: Any
) -> dict[str, Any]:
    """Take what one model's card shows out of a comparison."""
    one, intervals = results["models"][model], results["intervals"]
    return {
        "protocol": results["protocol"],
        "weights_sha256": bundle.weights_sha256,
        "seed": seeds[bundle.weights_sha256],
        "seeds": sorted(seeds.values()),
        "intervals": {key: intervals[key] for key in ("level", "unit", "resamples")},
        "scores": {key: one["scores"][key] for key in SCORES},
        "f1": {name: scores["f1"] for name, scores in one["per_class"].items()},
        "without": {
            record: rest["models"][model]["per_class"]["S"]["f1"]
            for record, rest in results["without"].items()
        },
        "code_version": results["code_version"],
    }
