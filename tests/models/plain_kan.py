"""The spline layer once more, written from the textbook recursion and not from the package."""

from __future__ import annotations

import torch
from torch import Tensor


def cox_de_boor(x: Tensor, knots: Tensor, degree: int = 3) -> Tensor:
    """Basis functions of the de Boor recursion at each x, shape (*x.shape, knots - degree - 1)."""
    x = x.unsqueeze(-1)
    basis = ((knots[:-1] <= x) & (x < knots[1:])).to(x.dtype)
    for k in range(1, degree + 1):
        rising = (x - knots[: -k - 1]) / (knots[k:-1] - knots[: -k - 1])
        falling = (knots[k + 1 :] - x) / (knots[k + 1 :] - knots[1:-k])
        basis = rising * basis[..., :-1] + falling * basis[..., 1:]
    return basis


def plain_kan(x: Tensor, state: dict[str, Tensor]) -> Tensor:
    """One layer, a connection at a time: (beats, in) to (beats, out)."""
    mean = x.mean(dim=1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=1, keepdim=True)
    x = (x - mean) / torch.sqrt(variance + 1e-5)
    x = x * state["layer_norm.weight"] + state["layer_norm.bias"]
    out = torch.zeros(len(x), len(state["base_weight"]), dtype=x.dtype)
    for i in range(x.shape[1]):
        column = x[:, i]
        basis = cox_de_boor(column, state["grid"][i])
        for o in range(out.shape[1]):
            base = column / (1 + torch.exp(-column))
            out[:, o] += state["base_weight"][o, i] * base
            out[:, o] += basis @ state["spline_weight"][o, i]
    return out
