"""The comparisons that are kept are those that the kept runs give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ectopy.data.protocols import PROTOCOLS
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_csv import as_csv
from ectopy.evaluation.compare_files import CSV_FILE, FIGURES_FOLDER, RESULTS_FILE, TABLE_FILE
from ectopy.evaluation.compare_tables import markdown
from ectopy.evaluation.runs import find_runs
from ectopy.models.bundle import find_bundle, shipped_bundles
from ectopy.models.registry import MODELS

KEPT = Path(__file__).resolve().parents[2] / "results"
LEAST_SEEDS = 5

protocols = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


def kept(protocol: str) -> dict[str, Any]:
    text = (KEPT / protocol / "comparison" / RESULTS_FILE).read_text(encoding="utf-8")
    results: dict[str, Any] = json.loads(text)
    return results


@protocols
def test_every_model_has_several_seeds(protocol):
    results = kept(protocol)
    assert sorted(results["models"]) == sorted(MODELS)
    for one in results["models"].values():
        assert one["seeds"] == list(range(len(one["seeds"])))
        assert len(one["seeds"]) >= LEAST_SEEDS


@protocols
def test_tables_are_made_of_the_results(protocol):
    results, folder = kept(protocol), KEPT / protocol / "comparison"
    assert (folder / TABLE_FILE).read_text(encoding="utf-8") == markdown(results)
    assert (folder / CSV_FILE).read_bytes().decode() == as_csv(results)
    assert len(list((folder / FIGURES_FOLDER).glob("*.png"))) == 9


@protocols
def test_what_ships_is_one_of_the_runs(protocol):
    for model, one in kept(protocol)["models"].items():
        bundle = find_bundle(f"{model}/{protocol}")
        runs = {run["weights_sha256"]: run for run in one["runs"]}
        mine = runs[bundle.weights_sha256]
        assert mine["seed"] == bundle.config["training"]["seed"]
        values = [run["selected_value"] for run in one["runs"]]
        if None in values:
            assert mine["seed"] == 0  # nothing was held out to choose by
        else:
            assert mine["selected_value"] == max(values)
        seeds = bundle.seeds()
        assert seeds is not None
        assert seeds["seeds"] == one["seeds"]
    assert {f"{model}/{protocol}" for model in MODELS} <= set(shipped_bundles())


@pytest.mark.slow
@protocols
def test_kept_runs_give_the_kept_results_again(protocol, data_dir, mitdb_dir):
    again = compare_runs(find_runs(KEPT / protocol / "runs", protocol))
    before = kept(protocol)
    for one in (again, before):
        one.pop("code_version")
    assert_alike(json.loads(json.dumps(again)), before)


def assert_alike(one: Any, other: Any) -> None:
    """Equal but for the last digits of floating-point numbers."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_alike(value, other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_alike(left, right)
    elif isinstance(one, float) and isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-9)
    else:
        assert one == other
