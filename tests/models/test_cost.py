"""What a network costs to run."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from torch import nn

from ectopy.errors import BundleError
from ectopy.models import MODELS, create_model
from ectopy.models.bundle import find_bundle
from ectopy.models.contract import InputContract
from ectopy.models.cost import multiply_adds
from ectopy.models.encoder import CHANNELS, KERNELS
from ectopy.models.rhythm import NAMED_FEATURES
from ectopy.models.saving import example_input
from ectopy.training.recipe_files import load_recipe, shipped
from ectopy.training.rhythm_recipe import RhythmRecipe

ENCODER = sum(
    (256 >> block) * kernel * n_in * n_out
    for block, (kernel, n_in, n_out) in enumerate(
        zip(KERNELS, CHANNELS[:-1], CHANNELS[1:], strict=True)
    )
)
HEADS = {
    "cnn-mlp": 256 * 128 + 128 * 64 + 64 * 5,
    "cnn-kan": (256 * 64 + 64 * 5) * (1 + 8),  # base weight and eight coefficients a connection
}


class TwoInputs(nn.Module):
    """Stands for a model that takes windows and rhythm."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(10, 3), nn.Linear(4, 3)

    def forward(self, windows: torch.Tensor, rhythm: torch.Tensor) -> torch.Tensor:
        return self.one(windows) + self.other(rhythm)


@pytest.mark.parametrize("name", list(HEADS))
def test_models_cost_what_their_layers_say(name):
    model = create_model(name).eval()
    found = multiply_adds(model, example_input(InputContract(), 1))
    assert found == ENCODER + HEADS[name]
    assert found == pytest.approx(6.1e6, rel=0.03)


def test_what_is_not_counted_of_a_kan_is_little():
    functions = 8 * (256 + 64)  # of both layers, seven multiplications each
    assert 7 * functions < 0.01 * (ENCODER + HEADS["cnn-kan"])


def test_the_cost_is_that_of_every_input_and_beat():
    one = (torch.zeros(1, 10), torch.zeros(1, 4))
    assert multiply_adds(TwoInputs(), one) == 10 * 3 + 4 * 3
    assert multiply_adds(TwoInputs(), tuple(part.repeat(7, 1) for part in one)) == 7 * 42


def shape_encoder(n_in: int, widths: tuple[int, int, int], embedding: int) -> int:
    """Three convolutions that halve the length, one that keeps it, and a layer of mean and top."""
    sizes = zip((n_in, *widths[:-1]), widths, (9, 7, 5), (128, 64, 32), strict=True)
    return (
        sum(length * kernel * a * b for a, b, kernel, length in sizes)
        + 32 * 3 * widths[-1] ** 2
        + 2 * widths[-1] * embedding
    )


@pytest.mark.parametrize("sees_beat", [True, False])
@pytest.mark.parametrize("name", ["rhythm-mlp", "rhythm-kan"])
def test_rhythm_models_are_small(name, sees_beat, input_contract):
    model = create_model(name, {"sees_beat": sees_beat}).eval()
    found = multiply_adds(model, example_input(input_contract(name), 1))
    n = len(NAMED_FEATURES) + 8
    heads = {"rhythm-mlp": n * 36 + 36 * 36 + 36 * 5, "rhythm-kan": (n + 6 + 5) * 6 * (1 + 8)}
    assert found == shape_encoder(2 + sees_beat, (16, 32, 32), 8) + heads[name]
    assert found <= 1_000_000
    assert sum(parameter.numel() for parameter in model.parameters()) <= 60_000


@pytest.mark.parametrize("recipe", [name for name in shipped() if name.startswith("rhythm-")])
def test_rhythm_models_are_small_as_shipped(recipe, input_contract):
    for name, settings in load_recipe(recipe, RhythmRecipe).model.items():
        model = create_model(name, settings).eval()
        assert sum(parameter.numel() for parameter in model.parameters()) <= 60_000
        cost = multiply_adds(model, example_input(input_contract(name), 1))
        # Under intra, where patients are known, a wider encoder is worth its cost.
        assert cost <= (1_000_000 if recipe.endswith("inter") else 1_600_000)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_counting_changes_nothing(name, input_contract):
    model = create_model(name).eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    multiply_adds(model, example_input(input_contract(name), 1))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("name", ["cnn-mlp", "cnn-kan"])
def test_a_bundle_says_what_a_beat_costs(name, untrained_bundle):
    bundle = find_bundle(untrained_bundle(name))
    assert bundle.multiply_adds == bundle.config["multiply_adds"] == ENCODER + HEADS[name]
    card = (bundle.folder / "README.md").read_text()
    assert f"{bundle.n_parameters:,} parameters, {bundle.multiply_adds:,} multiply-adds a beat" in (
        card
    )
    assert find_bundle(f"{name}/intra").multiply_adds == bundle.multiply_adds  # as shipped


@pytest.fixture
def rewritten(untrained_bundle, tmp_path):
    """A bundle whose configuration says something else of its cost."""

    def rewrite(**changes):
        folder = tmp_path / "bundle"
        shutil.copytree(untrained_bundle("cnn-mlp"), folder)
        config = json.loads((folder / "config.json").read_text())
        del config["multiply_adds"]
        (folder / "config.json").write_text(json.dumps(config | changes))
        return folder

    return rewrite


def test_an_older_bundle_does_not_say(rewritten):
    assert find_bundle(rewritten()).multiply_adds is None


@pytest.mark.parametrize("cost", [0, -5, 6.1e6, "6", True, None])
def test_a_cost_that_is_none(rewritten, cost):
    folder = rewritten(multiply_adds=cost)
    with pytest.raises(BundleError) as caught:
        find_bundle(folder)
    assert str(caught.value) == (
        f"bundle {str(folder)!r} has multiply_adds = {cost!r}, expected a whole number above 0; "
        "copy the whole folder again, or train it again"
    )
