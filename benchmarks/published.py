"""The published baseline, run as published: eager PyTorch on the CPU, beat by beat where it was.

Its two models, CNN+MLP and CNN+KAN, see single windows. The published checkpoints are not part of
this project. The weights here are those of our bundles `cnn-mlp` and `cnn-kan`, which have the very
same architecture, so that the cost is the same, and the classes can be checked against ours.

Nothing of the package is loaded here, only its files of weights: the encoder is written as
published, with PyTorch's own pooling, and the KAN layer in the usual way, by the recursion of Cox
and de Boor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Kind = Literal["cnn-mlp", "cnn-kan"]
TITLES: dict[Kind, str] = {"cnn-mlp": "published CNN+MLP", "cnn-kan": "published CNN+KAN"}
WEIGHTS = Path(__file__).parents[1] / "src" / "ectopy" / "weights"
BATCH = 128
ORDER = 3
FEATURES, HIDDEN, CLASSES = 256, 64, 5
CHANNELS, KERNELS, DROPOUTS = (1, 32, 64, 128, FEATURES), (7, 5, 3, 3), (0.15, 0.15, 0.3, 0.3)


class CoxDeBoorLayer(nn.Module):
    """A KAN layer in the usual "efficient" formulation: the recursion for the basis, then products.

    Parameters
    ----------
    n_in, n_out : int
    intervals : int
        Of the grid.
    low, high : float
        Where it begins and ends.
    normalise : bool
        Whether LayerNorm comes first, as in the published models.
    """

    grid: Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        intervals: int = 5,
        low: float = -1.0,
        high: float = 1.0,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(n_in) if normalise else nn.Identity()
        step = (high - low) / intervals
        knots = torch.arange(-ORDER, intervals + ORDER + 1) * step + low
        self.register_buffer("grid", knots.expand(n_in, -1).contiguous())
        self.spline_weight = nn.Parameter(0.1 * torch.randn(n_out, n_in, intervals + ORDER))
        self.base_weight = nn.Parameter(torch.ones(n_out, n_in))

    def basis(self, x: Tensor) -> Tensor:
        """Basis values, shape (beats, n_in, intervals + 3), of x, shape (beats, n_in)."""
        x, grid = x.unsqueeze(-1), self.grid
        bases = ((x >= grid[:, :-1]) & (x < grid[:, 1:])).to(x.dtype)
        for k in range(1, ORDER + 1):
            rising = (x - grid[:, : -(k + 1)]) / (grid[:, k:-1] - grid[:, : -(k + 1)])
            falling = (grid[:, k + 1 :] - x) / (grid[:, k + 1 :] - grid[:, 1:-k])
            bases = rising * bases[..., :-1] + falling * bases[..., 1:]
        return bases.contiguous()

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, n_in) to (beats, n_out)."""
        x = self.layer_norm(x)
        splines = F.linear(self.basis(x).flatten(1), self.spline_weight.flatten(1))
        return F.linear(F.silu(x), self.base_weight) + splines


class KANHead(nn.Module):
    """Two such layers, 256-64-5."""

    def __init__(self) -> None:
        super().__init__()
        self.kan1, self.kan2 = CoxDeBoorLayer(FEATURES, HIDDEN), CoxDeBoorLayer(HIDDEN, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Map features, shape (beats, 256), to logits, shape (beats, 5)."""
        out: Tensor = self.kan2(self.kan1(x))
        return out


def mlp_head() -> nn.Sequential:
    """Build the published MLP head, 256-128-64-5."""
    return nn.Sequential(
        *(nn.Linear(FEATURES, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(128, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.15)),
        nn.Linear(64, CLASSES),
    )


class Block(nn.Module):
    """Convolution, batch normalisation, ReLU, pooling, dropout."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv1d(n_in, n_out, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (beats, n_in, length) to (beats, n_out, length // 2)."""
        out: Tensor = self.block(x)
        return out


class PublishedNet(nn.Module):
    """Encoder and head; the names in its state dict are the published ones, and ours.

    Parameters
    ----------
    kind : {"cnn-mlp", "cnn-kan"}
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        sizes = zip(CHANNELS[:-1], CHANNELS[1:], KERNELS, DROPOUTS, strict=True)
        self.encoder = nn.Sequential(*(Block(*size) for size in sizes))
        self.head_name = "classifier" if kind == "cnn-mlp" else "kan_head"
        self.add_module(self.head_name, mlp_head() if kind == "cnn-mlp" else KANHead())

    def forward(self, x: Tensor) -> Tensor:
        """Map z-scored windows, shape (beats, 1, 256), to logits, shape (beats, 5)."""
        out: Tensor = getattr(self, self.head_name)(self.encoder(x).mean(dim=-1))
        return out


@dataclass(frozen=True)
class Baseline:
    """One of the published models, ready to class beats; called, from millivolts to classes.

    Attributes
    ----------
    net : PublishedNet
        In eval mode.
    """

    net: PublishedNet

    def __call__(self, windows_mv: NDArray[np.float32]) -> NDArray[np.int64]:
        """Class windows in mV, shape (beats, 256)."""
        return self.network(zscored(windows_mv))

    def network(self, windows: Tensor) -> NDArray[np.int64]:
        """Class windows that are z-scored already, shape (beats, 1, 256): the network alone."""
        out = []
        with torch.no_grad():
            for start in range(0, len(windows), BATCH):
                probabilities = torch.softmax(self.net(windows[start : start + BATCH]), dim=1)
                out.append(probabilities.argmax(dim=1))
        return torch.cat(out).numpy()


def zscored(windows_mv: NDArray[np.float32]) -> Tensor:
    """Normalise window by window, in a loop, as the published project does it."""
    done = [(window - window.mean()) / (window.std() + 1e-8) for window in windows_mv]
    return torch.from_numpy(np.stack(done)).unsqueeze(1)


def make_baseline(kind: Kind, protocol: str = "intra") -> Baseline:
    """Build a published model with the weights of our bundle of the same architecture.

    Parameters
    ----------
    kind : {"cnn-mlp", "cnn-kan"}
    protocol : str
        Which bundle's weights.

    Returns
    -------
    Baseline
        Maps windows in mV, float32 of shape (beats, 256), to classes, int64 of shape (beats,). It
        runs on as many threads as `torch.set_num_threads` says.
    """
    net = PublishedNet(kind)
    net.load_state_dict(load_file(WEIGHTS / kind / protocol / "model.safetensors"))
    return Baseline(net.eval())
