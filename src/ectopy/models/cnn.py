"""The two models of the published comparison: one encoder, an MLP head or a KAN head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ectopy.beats import CLASSES
from ectopy.models.beat_model import BeatModel
from ectopy.models.encoder import CHANNELS, DROPOUTS, make_encoder
from ectopy.models.kan import KANHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ectopy.models.kan import BaseInit


class CNNModel(BeatModel):
    """What the two models share: an encoder and a head.

    A model maps z-scored windows, shape (beats, 1, 256), to logits, shape (beats, 5).
    """

    head_name: str

    def __init__(self, dropouts: Sequence[float]) -> None:
        super().__init__()
        self.encoder = make_encoder(dropouts)

    def features(self, x: Tensor) -> Tensor:
        """Average the encoder's output over time, shape (beats, 256)."""
        encoded: Tensor = self.encoder(x)
        return encoded.mean(dim=-1).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each class, shape (beats, 5)."""
        out: Tensor = getattr(self, self.head_name)(self.features(x))
        return out


class ECGCNN(CNNModel):
    """Encoder and MLP head: 175,973 parameters.

    Parameters
    ----------
    dropouts : sequence of float, length 4
        Dropout of the encoder's blocks.
    head_dropouts : sequence of float, length 2
        Dropout after the head's two hidden layers.

    Examples
    --------
    >>> sum(p.numel() for p in ECGCNN().parameters())
    175973
    """

    name = "cnn-mlp"
    head_name = "classifier"

    def __init__(
        self,
        *,
        dropouts: Sequence[float] = DROPOUTS,
        head_dropouts: Sequence[float] = (0.3, 0.15),
    ) -> None:
        super().__init__(dropouts)
        self.classifier = nn.Sequential(
            nn.Linear(CHANNELS[-1], 128, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Dropout(head_dropouts[0]),
            nn.Linear(128, 64, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Dropout(head_dropouts[1]),
            nn.Linear(64, len(CLASSES)),
        )


class ECGCNNWithKAN(CNNModel):
    """Encoder and KAN head: 285,280 parameters.

    Parameters
    ----------
    dropouts : sequence of float, length 4
        Dropout of the encoder's blocks.
    intervals, grid_range, spline_noise, base_init
        As in `ectopy.models.kan.KANLayer`. The defaults build the published head, up to its initial
        values.

    Examples
    --------
    >>> sum(p.numel() for p in ECGCNNWithKAN().parameters())
    285280
    """

    name = "cnn-kan"
    head_name = "kan_head"

    def __init__(
        self,
        *,
        dropouts: Sequence[float] = DROPOUTS,
        intervals: int = 5,
        grid_range: tuple[float, float] = (-1.0, 1.0),
        spline_noise: float = 0.1,
        base_init: BaseInit = "kaiming",
    ) -> None:
        super().__init__(dropouts)
        self.kan_head = KANHead(
            n_in=CHANNELS[-1],
            n_hidden=64,
            n_classes=len(CLASSES),
            intervals=intervals,
            grid_range=(float(grid_range[0]), float(grid_range[1])),
            spline_noise=spline_noise,
            base_init=base_init,
        )
