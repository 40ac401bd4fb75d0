"""The KAN layer against SciPy, against the textbook recursion, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_kan import cox_de_boor, plain_kan
from scipy.interpolate import BSpline
from torch.func import functional_call
from torch.nn import functional as F

from ectopy.errors import RecipeError
from ectopy.models import KANLayer
from ectopy.models.kan import cubic_basis, uniform_knots

GRIDS = [(5, -1.0, 1.0), (5, -3.0, 3.0), (1, 0.0, 2.0), (8, -2.0, 5.0)]


def points(intervals: int, low: float, high: float) -> torch.Tensor:
    """Points inside the grid, on its knots, and out to beyond the extended knots."""
    step = (high - low) / intervals
    inside = torch.linspace(low, high, 101, dtype=torch.float64)
    wide = torch.linspace(low - 5 * step, high + 5 * step, 211, dtype=torch.float64)
    return torch.cat([inside, wide])


@pytest.mark.parametrize("grid", GRIDS)
def test_basis_is_that_of_scipy(grid):
    x = points(*grid)
    knots = uniform_knots(1, *grid).double()
    found = cubic_basis(x[:, None], knots)[:, 0].numpy()
    ends = knots[0].numpy()
    expected = np.stack(
        [
            np.nan_to_num(BSpline.basis_element(ends[i : i + 5], extrapolate=False)(x.numpy()))
            for i in range(grid[0] + 3)
        ],
        axis=1,
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("grid", GRIDS)
def test_basis_in_single_precision(grid):
    x = points(*grid)
    knots = uniform_knots(1, *grid)
    found = cubic_basis(x.float()[:, None], knots)
    assert found.dtype == torch.float32
    expected = cubic_basis(x[:, None], knots.double())
    torch.testing.assert_close(found.double(), expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("grid", GRIDS)
def test_partition_of_unity_inside_the_grid(grid):
    _, low, high = grid
    x = torch.linspace(low, high, 257, dtype=torch.float64)
    basis = cubic_basis(x[:, None], uniform_knots(1, *grid).double())
    torch.testing.assert_close(basis.sum(-1), torch.ones(257, 1).double(), atol=1e-6, rtol=0)
    assert (basis >= -1e-12).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_at_most_four_functions_are_non_zero(grid):
    basis = cubic_basis(points(*grid)[:, None].float(), uniform_knots(1, *grid))
    # Where two pieces meet, rounding may leave a fifth value that is not quite 0.
    assert (basis.abs() > 1e-9).sum(-1).max() <= 4
    between = points(*grid)[:, None].float() + 0.123 * (grid[2] - grid[1]) / grid[0]
    assert (cubic_basis(between, uniform_knots(1, *grid)) != 0).sum(-1).max() <= 4


@pytest.mark.parametrize("grid", GRIDS)
def test_basis_is_exactly_zero_beyond_the_extended_knots(grid):
    knots = uniform_knots(1, *grid)
    step = float(knots[0, 1] - knots[0, 0])
    far = torch.tensor([0.001, 0.5, 7.0, 1e6]) * step
    x = torch.cat([knots[0, 0] - far, knots[0, -1] + far])
    assert torch.count_nonzero(cubic_basis(x[:, None], knots)) == 0


def test_knots_of_a_published_checkpoint():
    knots = uniform_knots(3, 5, -1.0, 1.0)
    assert knots.dtype == torch.float32
    expected = [-2.2, -1.8, -1.4, -1.0, -0.6, -0.2, 0.2, 0.6, 1.0, 1.4, 1.8, 2.2]
    torch.testing.assert_close(knots, torch.tensor([expected] * 3))


@pytest.mark.parametrize(
    ("intervals", "low", "high"), [(0, -1.0, 1.0), (-2, 0.0, 1.0), (5, 1.0, 1.0), (5, 2.0, -2.0)]
)
def test_a_grid_that_is_none(intervals, low, high):
    with pytest.raises(RecipeError) as caught:
        KANLayer(n_in=2, n_out=2, intervals=intervals, grid_range=(low, high))
    assert str(caught.value) == (
        f"spline grid of {intervals} intervals on [{low}, {high}] is not one; "
        "give at least 1 interval and low < high"
    )


@pytest.mark.parametrize("grid", GRIDS)
def test_layer_is_that_of_the_textbook(grid):
    torch.manual_seed(1)
    layer = KANLayer(n_in=6, n_out=4, intervals=grid[0], grid_range=grid[1:], spline_noise=2.0)
    torch.nn.init.normal_(layer.layer_norm.weight)
    torch.nn.init.normal_(layer.layer_norm.bias)
    x = 3 * torch.randn(50, 6)
    state = {name: value.detach() for name, value in layer.state_dict().items()}
    torch.testing.assert_close(layer(x).detach(), plain_kan(x, state), atol=2e-5, rtol=1e-5)


def test_the_textbook_recursion_is_sound():
    # A reference that is wrong in the same way would prove nothing: two values by hand.
    knots = torch.arange(12, dtype=torch.float64)
    at_knot, midway = cox_de_boor(torch.tensor([5.0, 5.5], dtype=torch.float64), knots)
    expected = torch.tensor([0, 0, 1 / 6, 4 / 6, 1 / 6, 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(at_knot, expected)
    expected = torch.tensor([0, 0, 1, 23, 23, 1, 0, 0], dtype=torch.float64) / 48
    torch.testing.assert_close(midway, expected)


def test_off_the_grid_the_base_term_alone_is_left():
    torch.manual_seed(2)
    layer = KANLayer(n_in=5, n_out=3, spline_noise=5.0)
    layer.layer_norm = torch.nn.Identity()
    x = torch.tensor([[-40.0, 2.3, 9.0, -2.3, 100.0]])
    torch.testing.assert_close(layer(x), F.linear(F.silu(x), layer.base_weight), rtol=0, atol=0)
    near = torch.full((1, 5), 1.5)
    assert not torch.allclose(layer(near), F.linear(F.silu(near), layer.base_weight))


def test_names_and_shapes():
    layer = KANLayer(n_in=7, n_out=3)
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == {
        "grid": (7, 12),
        "spline_weight": (3, 7, 8),
        "base_weight": (3, 7),
        "layer_norm.weight": (7,),
        "layer_norm.bias": (7,),
    }
    assert [name for name, _ in layer.named_parameters()] == [
        "spline_weight",
        "base_weight",
        "layer_norm.weight",
        "layer_norm.bias",
    ]


def test_initial_spread_of_the_spline_coefficients():
    torch.manual_seed(0)
    layer = KANLayer(n_in=64, n_out=50, spline_noise=0.1)
    assert layer.spline_weight.std().item() == pytest.approx(0.1 / 8, rel=0.03)
    assert abs(layer.spline_weight.mean().item()) < 1e-3


def test_gradients():
    torch.manual_seed(3)
    layer = KANLayer(n_in=3, n_out=2, spline_noise=1.0).double()
    parameters = {name: value.detach() for name, value in layer.named_parameters()}
    names = list(parameters)

    def run(x, *values):
        return functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    values = [value.clone().requires_grad_() for value in parameters.values()]
    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize("far", [2.2, 10.0, 1e4, 1e8])
def test_gradients_are_finite_off_the_grid_and_still_flow(far):
    torch.manual_seed(4)
    layer = KANLayer(n_in=4, n_out=3)
    layer.layer_norm = torch.nn.Identity()
    x = torch.full((2, 4), far, requires_grad=True)
    layer(x).sum().backward()
    for gradient in (x.grad, layer.spline_weight.grad, layer.base_weight.grad):
        assert torch.isfinite(gradient).all()
    assert (x.grad != 0).all()


def test_batch_invariance():
    torch.manual_seed(5)
    layer = KANLayer(n_in=16, n_out=8, spline_noise=1.0)
    x = torch.randn(33, 16)
    alone = torch.cat([layer(row[None]) for row in x])
    torch.testing.assert_close(layer(x), alone, atol=1e-5, rtol=1e-5)
