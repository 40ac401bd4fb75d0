"""What a network costs to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import Tensor, nn


def multiply_adds(model: nn.Module, example: tuple[Tensor, ...]) -> int:
    """Count the multiplications with addition that a network needs for an input.

    Those of convolutions and matrix products, as PyTorch's own counter has them. Element-wise work
    is not in it: activations, normalisation, pooling, and what a KAN layer does for the values of
    its basis functions, about seven multiplications each (see
    `ectopy.models.kan.cubic_basis`), which is less than 1 % of the models here.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode.
    example : tuple of Tensor
        What its forward takes, of one beat. Shapes decide the number, values do not.

    Returns
    -------
    int

    Examples
    --------
    >>> multiply_adds(torch.nn.Linear(10, 3), (torch.zeros(1, 10),))
    30
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*example)
    return int(counter.get_total_flops()) // 2  # it counts multiplication and addition, both
