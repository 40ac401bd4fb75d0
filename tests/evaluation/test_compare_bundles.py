"""What a comparison says of shipped bundles, kept with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ectopy.errors import RunError
from ectopy.evaluation import compare_bundles
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_bundles import record_comparison
from ectopy.models import results as results_module
from ectopy.models.bundle import Bundle, open_bundle
from ectopy.models.card import model_card


@pytest.fixture
def results(made_up_run):
    runs = [made_up_run("cnn-mlp", seed, protocol="inter") for seed in range(3)]
    return compare_runs([replace(run, weights_sha256=f"{run.seed:064x}") for run in runs])


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A bundle that stands for the shipped one."""

    def ship(digest: str) -> Bundle:
        real = compare_bundles.find_bundle("cnn-mlp/intra")
        config = real.config | {"protocol": "inter"}
        bundle = Bundle(
            tmp_path, config | {"files": config["files"] | {"model.safetensors": digest}}
        )
        monkeypatch.setattr(compare_bundles, "shipped_bundles", lambda: ["cnn-mlp/inter"])
        monkeypatch.setattr(compare_bundles, "find_bundle", lambda name: bundle)
        return bundle

    return ship


def test_a_bundle_gets_what_its_model_does_over_seeds(results, shipped):
    bundle = shipped(f"{1:064x}")
    assert record_comparison(results) == {"cnn-mlp": bundle.folder / "results" / "seeds.json"}
    kept, model = bundle.seeds(), results["models"]["cnn-mlp"]
    assert kept is not None
    assert (kept["seed"], kept["seeds"]) == (1, [0, 1, 2])
    assert kept["scores"]["macro_f1"] == model["scores"]["macro_f1"]
    assert kept["f1"]["S"] == model["per_class"]["S"]["f1"]
    assert set(kept["without"]) == {"202", "232"}
    card = (bundle.folder / "README.md").read_text()
    assert card == model_card(bundle)
    one = model["scores"]["macro_f1"]
    assert (
        "Over 3 training seeds, these weights being seed 1: accuracy "
        f"{model['scores']['accuracy']['mean']:.4f}" in card
    )
    assert (
        f"macro F1 {one['mean']:.4f} ± {one['sd']:.4f} [{one['low']:.4f}, {one['high']:.4f}]"
        in card
    )
    assert "S without record 232 " in card


def test_other_weights_get_nothing(results, shipped):
    bundle = shipped("f" * 64)
    assert record_comparison(results) == {}
    assert bundle.seeds() is None
    assert not (bundle.folder / "results").exists()


def test_more_seeds_are_not_replaced_by_fewer(results, shipped, made_up_run):
    bundle = shipped(f"{1:064x}")
    record_comparison(results)
    before = {path.name: path.read_bytes() for path in bundle.folder.rglob("*.*")}
    run = replace(made_up_run("cnn-mlp", 1, protocol="inter"), weights_sha256=f"{1:064x}")
    with pytest.raises(RunError, match=r"^seeds of cnn-mlp: 1 compared, 3 kept in"):
        record_comparison(compare_runs([run]))
    assert {path.name: path.read_bytes() for path in bundle.folder.rglob("*.*")} == before


def test_one_seed_has_no_spread_on_the_card(shipped, made_up_run):
    bundle = shipped(f"{1:064x}")
    run = replace(made_up_run("cnn-mlp", 1, protocol="inter"), weights_sha256=f"{1:064x}")
    results = compare_runs([run])
    record_comparison(results)
    accuracy = results["models"]["cnn-mlp"]["scores"]["accuracy"]
    low, high = f"{accuracy['low']:.4f}", f"{accuracy['high']:.4f}"
    assert (
        f"Over 1 training seed, these weights being seed 1: accuracy {accuracy['mean']:.4f} "
        f"[{low}, {high}], macro F1 " in (bundle.folder / "README.md").read_text()
    )


def test_results_that_make_no_card_are_not_kept(results, shipped, monkeypatch):
    bundle = shipped(f"{1:064x}")
    record_comparison(results)
    path = bundle.folder / "results" / "seeds.json"
    before = path.read_bytes()
    monkeypatch.setattr(results_module, "model_card", lambda bundle: 1 / 0)
    results["code_version"] = "another"
    with pytest.raises(ZeroDivisionError):
        record_comparison(results)
    assert path.read_bytes() == before


def test_what_is_kept_of_other_weights_is_not_shown(results, shipped):
    bundle = shipped(f"{2:064x}")
    record_comparison(results)
    other = Bundle(bundle.folder, bundle.config | {"files": {"model.safetensors": "0" * 64}})
    assert other.seeds() is None


def test_models_that_are_not_shipped_are_passed_over(results, monkeypatch):
    monkeypatch.setattr(compare_bundles, "shipped_bundles", lambda: ["cnn-mlp/intra"])
    assert record_comparison(results) == {}


def test_the_shipped_bundles_are_known_by_their_weights(made_up_run, monkeypatch):
    """With a real bundle, but nothing is written: it is asked for by name and digest."""
    bundle = open_bundle(compare_bundles.find_bundle("cnn-mlp/intra").folder)
    runs = [
        replace(made_up_run("cnn-mlp", seed), weights_sha256=f"{seed:064x}") for seed in range(1, 9)
    ]
    runs.append(replace(made_up_run("cnn-mlp", 0), weights_sha256=bundle.weights_sha256))
    asked = []
    monkeypatch.setattr(
        compare_bundles, "record_seeds", lambda b, r: asked.append((b.full_name, r)) or b.folder
    )
    record_comparison(compare_runs(runs))
    assert [name for name, _ in asked] == ["cnn-mlp/intra"]
    assert asked[0][1]["weights_sha256"] == bundle.weights_sha256
