"""Kolmogorov-Arnold network layers: one learned function per connection.

Each connection from input i to output o carries ``w * silu(x) + sum_g c_g B_g(x)``: a base term and
a cubic B-spline on a uniform grid (Liu et al. 2024, arXiv:2404.19756, section 2.2). The sum over
inputs and splines is one matrix product over the basis values, so that no (beats, out, in) tensor
is ever made.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import nn
from torch.nn import functional as F

from ectopy.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor

BaseInit = Literal["kaiming", "ones"]
ORDER = 3  # cubic; `cubic_basis` is the closed form for it


def uniform_knots(n_inputs: int, intervals: int, low: float, high: float) -> Tensor:
    """Knots of a uniform grid, extended by three intervals on each side.

    Returns
    -------
    Tensor of float32, shape (n_inputs, intervals + 7)

    Raises
    ------
    RecipeError
        If there is no interval or the range is empty.
    """
    if intervals < 1 or not low < high:
        msg = (
            f"spline grid of {intervals} intervals on [{low}, {high}] is not one; "
            "give at least 1 interval and low < high"
        )
        raise RecipeError(msg)
    step = (high - low) / intervals
    knots = torch.arange(-ORDER, intervals + ORDER + 1, dtype=torch.float64) * step + low
    return knots.to(torch.float32).repeat(n_inputs, 1)


def cubic_basis(x: Tensor, knots: Tensor) -> Tensor:
    """Cubic B-spline basis on a uniform grid.

    On a uniform grid every basis function is the same bump, shifted. At a distance of ``a`` grid
    steps from its centre its value is ``((2 - a)+^3 - 4 (1 - a)+^3) / 6`` (de Boor 1978, chapter
    IX), so four functions are non-zero at a point and the others are exactly 0.

    Parameters
    ----------
    x : Tensor, shape (beats, inputs)
        Positions.
    knots : Tensor, shape (inputs, functions + 4)
        Knots of each input, equally spaced.

    Returns
    -------
    Tensor, shape (beats, inputs, functions)
        Values that sum to 1 inside the grid, fade to 0 over three grid steps outside it, and are 0
        beyond.
    """
    step = knots[:, 1:2] - knots[:, 0:1]  # (inputs, 1)
    centres = knots[:, 2:-2]  # (inputs, functions)
    distance = ((x.unsqueeze(-1) - centres) / step).abs()  # (beats, inputs, functions)
    return (F.relu(2 - distance).pow(3) - 4 * F.relu(1 - distance).pow(3)) / 6


class KANLayer(nn.Module):
    """A layer of learned functions: base term plus cubic B-splines, usually after LayerNorm.

    Parameters
    ----------
    n_in, n_out : int
        Inputs and outputs.
    intervals : int
        Grid intervals; there are ``intervals + 3`` basis functions a connection.
    grid_range : tuple of float
        Where the grid begins and ends, in units of the normalised inputs. The inputs leave
        LayerNorm with variance 1, so that a grid of [-3, 3] covers nearly all of them; the
        published models use [-1, 1].
    spline_noise : float
        Standard deviation of the initial spline coefficients, times ``1 / sqrt(n_in)``.
    base_init : {"kaiming", "ones"}
        Initial base weights: uniform within ``1 / sqrt(n_in)`` of 0 as in a linear layer, or all 1
        as in the published models.
    normalise : bool
        Whether LayerNorm comes first, as in the published models. Without it, every function is one
        of its own input alone, and can be read.

    Attributes
    ----------
    grid : Tensor, shape (n_in, intervals + 7)
    spline_weight : Parameter, shape (n_out, n_in, intervals + 3)
    base_weight : Parameter, shape (n_out, n_in)

    Notes
    -----
    Outside the grid the spline term fades to 0 within three grid steps and stays there; the base
    term alone carries on, about linear for large x. Nothing is clamped, so gradients still flow.
    """

    grid: Tensor

    def __init__(
        self,
        *,
        n_in: int,
        n_out: int,
        intervals: int = 5,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        spline_noise: float = 0.1,
        base_init: BaseInit = "kaiming",
        normalise: bool = True,
    ) -> None:
        super().__init__()
        if base_init not in get_args(BaseInit):
            msg = f"unknown base_init {base_init!r}; give one of {', '.join(get_args(BaseInit))}"
            raise RecipeError(msg)
        self.n_in, self.n_out = n_in, n_out
        self.layer_norm = nn.LayerNorm(n_in) if normalise else nn.Identity()
        self.register_buffer("grid", uniform_knots(n_in, intervals, *grid_range))
        self.spline_weight = nn.Parameter(torch.empty(n_out, n_in, intervals + ORDER))
        self.base_weight = nn.Parameter(torch.empty(n_out, n_in))
        nn.init.normal_(self.spline_weight, std=spline_noise / math.sqrt(n_in))
        if base_init == "ones":
            nn.init.ones_(self.base_weight)
        else:
            nn.init.kaiming_uniform_(self.base_weight, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, n_in) to (beats, n_out)."""
        x = self.layer_norm(x)
        basis = cubic_basis(x, self.grid).flatten(1)  # (beats, n_in * functions)
        return F.linear(F.silu(x), self.base_weight) + F.linear(
            basis, self.spline_weight.flatten(1)
        )


class KANHead(nn.Module):
    """Two KAN layers from encoder features to class logits.

    Parameters
    ----------
    n_in, n_hidden, n_classes : int
        Sizes.
    intervals, grid_range, spline_noise, base_init
        As in `KANLayer`.
    """

    def __init__(
        self,
        *,
        n_in: int,
        n_hidden: int,
        n_classes: int,
        intervals: int,
        grid_range: tuple[float, float],
        spline_noise: float,
        base_init: BaseInit = "kaiming",
    ) -> None:
        super().__init__()
        layer = partial(
            KANLayer,
            intervals=intervals,
            grid_range=grid_range,
            spline_noise=spline_noise,
            base_init=base_init,
        )
        self.kan1 = layer(n_in=n_in, n_out=n_hidden)
        self.kan2 = layer(n_in=n_hidden, n_out=n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (beats, n_in) to logits (beats, n_classes)."""
        out: Tensor = self.kan2(self.kan1(x))
        return out
