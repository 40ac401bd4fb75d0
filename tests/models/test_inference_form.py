"""The exported form of each network: the same function as the network that was trained."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from ectopy.models import KANLayer
from ectopy.models.bundle import ONNX_FILE, find_bundle, shipped_bundles
from ectopy.models.inference_form import inference_form
from ectopy.models.kan_products import KANProducts
from ectopy.models.likeness import LAGS, LIKENESS_FEATURES, REGIONS, Likeness
from ectopy.models.likeness_products import N_STEPS, LikenessProducts
from ectopy.models.registry import MODELS
from ectopy.models.saving import example_input

T = np.arange(-128, 128)


def bump(place: float, width: float, height: float) -> np.ndarray:
    return height * np.exp(-(((T - place) / width) ** 2) / 2)


def beats(n: int = 200) -> torch.Tensor:
    """Beats with their two typical beats: of any size, shifted, flat, and all alike."""
    rng = np.random.default_rng(5)
    shapes = np.empty((n, 3, 256), dtype=np.float32)
    for row in shapes:
        for part in row:
            size, shift = rng.lognormal(0, 0.7), rng.normal(0, 4)
            part[:] = size * (
                bump(-60 + shift, 9, 0.15) + bump(shift, rng.uniform(4, 18), 1) + bump(85, 14, 0.3)
            ) + rng.normal(0, 0.02, 256)
    shapes[0] = 0  # a lead that is off
    shapes[1, 0] = 0
    shapes[2] = shapes[2, :1]  # a beat that is its own typical beat
    shapes[3, 1:] = -shapes[3, 0]
    shapes[4] *= 1000
    return torch.from_numpy(shapes - shapes.mean(-1, keepdims=True))


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_the_network(name, untrained_model):
    model = untrained_model(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    form = inference_form(model)
    contract = find_bundle(name, "inter").contract
    with torch.inference_mode():
        for seed in (1, 2):
            example = example_input(contract, 33, seed=seed)
            torch.testing.assert_close(form(*example), model(*example), atol=1e-5, rtol=1e-4)
        if contract.reads_rhythm:
            shapes = beats()
            rhythm = example_input(contract, len(shapes))[1]
            torch.testing.assert_close(
                form(shapes, rhythm), model(shapes, rhythm), atol=1e-3, rtol=1e-3
            )
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(
    ("intervals", "grid_range"),
    [(5, (-1.0, 1.0)), (5, (-3.0, 3.0)), (1, (-4.0, 2.0)), (12, (0, 1))],
)
def test_kan_functions_are_the_same_on_the_grid_and_off_it(intervals, grid_range, normalise):
    torch.manual_seed(3)
    layer = KANLayer(
        n_in=7, n_out=4, intervals=intervals, grid_range=grid_range, normalise=normalise
    ).eval()
    low, high = grid_range
    x = torch.linspace(low - (high - low), high + (high - low), 7 * 301).reshape(-1, 7)
    x = torch.cat([x, layer.grid[:, :7], torch.full((1, 7), 50.0), torch.full((1, 7), -50.0)])
    with torch.inference_mode():
        torch.testing.assert_close(KANProducts(layer)(x), layer(x), atol=2e-5, rtol=1e-5)


def test_kan_form_keeps_the_parts_of_a_sum_apart():
    layer = KANLayer(n_in=3, n_out=2, grid_range=(-3.0, 3.0), normalise=False).eval()
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        layer.base_weight.zero_()
        splines_only = KANProducts(layer)(x)
        assert splines_only.abs().max() > 1e-3
        layer.spline_weight.zero_()
        assert KANProducts(layer)(x).abs().max() == 0


def test_likeness_features_are_the_same():
    shapes = beats()
    with torch.inference_mode():
        expected, found = Likeness()(shapes), LikenessProducts()(shapes)
    assert found.shape == (len(shapes), len(LIKENESS_FEATURES))
    # Where beats are all but alike, what is left of their difference is rounding.
    torch.testing.assert_close(found[5:], expected[5:], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found[:5], expected[:5], atol=3e-2, rtol=1e-2)


def test_a_feature_of_one_region_does_not_look_at_another():
    shapes = beats(12)[5:]
    moved = shapes.clone()
    begin, end = REGIONS["t"]
    moved[:, 0, 3 * begin + 20 : 3 * end - 20] += 0.3 * torch.hann_window(3 * (end - begin) - 40)
    names = list(LIKENESS_FEATURES)
    with torch.inference_mode():
        change = (LikenessProducts()(moved) - LikenessProducts()(shapes)).abs().amax(0)
    for name, size in zip(names, change.tolist(), strict=True):
        assert (size > 0.01) == name.startswith("t_"), name


def test_regions_and_lags_are_filled_up_to_the_longest():
    assert {0 in lags for lags in LAGS.values()} == {True}
    begin, end = REGIONS["qrs"]
    assert end - begin == N_STEPS  # heights are taken over all steps of it


@pytest.mark.parametrize("name", [name for name in shipped_bundles() if "finder" not in name])
def test_shipped_graphs_are_of_this_form(name):
    graph = onnx.load(find_bundle(name).folder / ONNX_FILE).graph
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    kernels = [shapes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert kernels
    assert {len(kernel) for kernel in kernels} == {4}
    assert len(graph.node) < 200


@pytest.mark.parametrize("name", shipped_bundles())
def test_shipped_graphs_hold_nothing_of_whose_machine_made_them(name):
    content = (find_bundle(name).folder / ONNX_FILE).read_bytes()
    for trace in (b".py", b"/ectopy/", b"stack_trace", b"site-packages"):
        assert trace not in content
