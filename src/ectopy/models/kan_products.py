"""The KAN layer as it is exported: the same functions in as few passes over memory as possible.

What a KAN layer costs beside an MLP's is the values of its basis functions, eight times as many as
it has inputs. `ectopy.models.kan` computes them where each line can be read; here the grid step is
taken out of them, powers are products, functions lie along rows that are long in memory, and the
division by 6 is done in the weights, once. That is half of what the layer cost. Fetching the
coefficients of the four functions that are not zero takes ten times as long, as they come from
memory in small pieces; tables of the functions take twice as long, or about the same where there
are few outputs, and are not exact (measured: docs/research-log.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from ectopy.models.kan import KANLayer


class KANProducts(nn.Module):
    """A `KANLayer` in eval mode, for export.

    Parameters
    ----------
    layer : KANLayer
        Whose inputs share one grid, as all of ours do.
    """

    per_step: Tensor
    centres: Tensor
    splines: Tensor
    base: Tensor

    def __init__(self, layer: KANLayer) -> None:
        super().__init__()
        self.layer_norm = layer.layer_norm
        knots = layer.grid[0].double()
        step = knots[1] - knots[0]
        self.register_buffer("per_step", (1 / step).float())
        self.register_buffer("centres", (knots[2:-2] / step).float()[:, None])
        functions_first = layer.spline_weight.detach().double().permute(2, 1, 0) / 6
        self.register_buffer("splines", functions_first.reshape(-1, layer.n_out).float())
        self.register_buffer("base", layer.base_weight.detach().T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, n_in) to (beats, n_out)."""
        x = self.layer_norm(x)
        distance = ((x * self.per_step).unsqueeze(1) - self.centres).abs()
        outer, inner = F.relu(2 - distance), F.relu(1 - distance)  # (beats, functions, n_in)
        basis = outer * outer * outer - 4 * (inner * inner * inner)
        return torch.addmm(F.silu(x) @ self.base, basis.flatten(1), self.splines)
