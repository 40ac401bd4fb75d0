"""What a comparison says of the bundles that are shipped, kept with each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.errors import RunError
from ectopy.models.bundle import SEEDS_FILE, find_bundle, shipped_bundles
from ectopy.models.results import record_seeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ectopy.models.bundle import Bundle

SCORES = ("accuracy", "macro_f1", "macro_f1_nsvf")


def record_comparison(results: Mapping[str, Any]) -> dict[str, Path]:
    """Keep mean, spread and interval over seeds with each shipped bundle that is one of the runs'.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.

    Returns
    -------
    dict of str to Path
        The file beside each such bundle, by the model's name.

    Raises
    ------
    RunError
        If more seeds are kept with a bundle already; nothing is written then.
    OutputError
        If a bundle's folder cannot be written to.
    """
    matching = _matching(results)
    for model, bundle in matching.items():
        before, seeds = bundle.seeds(), results["models"][model]["seeds"]
        if before is not None and len(before["seeds"]) > len(seeds):
            msg = (
                f"seeds of {model}: {len(seeds)} compared, {len(before['seeds'])} kept in "
                f"{str(bundle.folder / SEEDS_FILE)!r}; compare as many or delete that file"
            )
            raise RunError(msg)
    return {
        model: record_seeds(bundle, _extract(results, model, bundle))
        for model, bundle in matching.items()
    }


def _matching(results: Mapping[str, Any]) -> dict[str, Bundle]:
    """Find the shipped bundle of each model whose weights are one of the runs'."""
    found, shipped = {}, shipped_bundles()
    for model, one in results["models"].items():
        name = f"{model}/{results['protocol']}"
        if name not in shipped:
            continue
        bundle = find_bundle(name)
        if bundle.weights_sha256 in {run["weights_sha256"] for run in one["runs"]}:
            found[model] = bundle
    return found


def _extract(results: Mapping[str, Any], model: str, bundle: Bundle) -> dict[str, Any]:
    """Take what one model's card shows out of a comparison."""
    one, intervals = results["models"][model], results["intervals"]
    seeds = {run["weights_sha256"]: run["seed"] for run in one["runs"]}
    return {
        "protocol": results["protocol"],
        "weights_sha256": bundle.weights_sha256,
        "seed": seeds[bundle.weights_sha256],
        "seeds": one["seeds"],
        "intervals": {key: intervals[key] for key in ("level", "unit", "resamples")},
        "scores": {key: one["scores"][key] for key in SCORES},
        "f1": {name: scores["f1"] for name, scores in one["per_class"].items()},
        "without": {
            record: rest["models"][model]["per_class"]["S"]["f1"]
            for record, rest in results["without"].items()
        },
        "code_version": results["code_version"],
    }
