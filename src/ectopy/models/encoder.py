"""The convolutional encoder that every beat model shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

CHANNELS = (1, 32, 64, 128, 256)
KERNELS = (7, 5, 3, 3)
DROPOUTS = (0.15, 0.15, 0.3, 0.3)


class HalvingMaxPool(nn.MaxPool1d):
    """Max pooling over pairs, in training as an element-wise maximum.

    The values are those of ``MaxPool1d(2)``. Its gradient, though, scatters by index, which a
    compiled training step cannot fuse and pays for twice over when it has to be deterministic.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, channels, length) to (beats, channels, length // 2)."""
        if not self.training:
            out: Tensor = super().forward(x)
            return out
        whole = x.shape[-1] // 2 * 2
        return torch.maximum(x[..., 0:whole:2], x[..., 1:whole:2])


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU, halving of the length, dropout.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel : int
        Kernel size, odd.
    dropout : float
        Share of activations set to zero in training.
    """

    def __init__(self, *, n_in: int, n_out: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv1d(n_in, n_out, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
            HalvingMaxPool(),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, n_in, length) to (beats, n_out, length // 2)."""
        out: Tensor = self.block(x)
        return out


def make_encoder(dropouts: Sequence[float] = DROPOUTS) -> nn.Sequential:
    """Build the four blocks of the published encoder: 134,304 parameters.

    Parameters
    ----------
    dropouts : sequence of float, length 4
        Dropout of each block. It changes training only, not the parameters.

    Returns
    -------
    torch.nn.Sequential
        Maps (beats, 1, 256) to (beats, 256, 16).
    """
    sizes = zip(CHANNELS[:-1], CHANNELS[1:], KERNELS, dropouts, strict=True)
    return nn.Sequential(*(ConvBlock(n_in=i, n_out=o, kernel=k, dropout=d) for i, o, k, d in sizes))
