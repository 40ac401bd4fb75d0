"""The two rhythm models: one encoder and named features, an MLP head or a KAN head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ectopy.beats import CLASSES
from ectopy.errors import RecipeError
from ectopy.models.beat_model import BeatModel
from ectopy.models.kan import KANLayer
from ectopy.models.likeness import LIKENESS_FEATURES, Likeness
from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.signal.typical import STEADINESS

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED_FEATURES: tuple[str, ...] = (*RHYTHM_FEATURES, STEADINESS, *LIKENESS_FEATURES)
"""Inputs of the head that have a name; those of the encoder come after them."""

N_RHYTHM = len(RHYTHM_FEATURES) + 1
LIMIT = 4.0
"""Standard deviations at which a named feature stops: beyond, it is only far away."""

KERNELS = (9, 7, 5, 3)
ENCODED_LENGTH = 32
QRS = slice(98, 173)


class ShapeEncoder(nn.Module):
    """Encode how a beat differs from the typical beats of its recording.

    Parameters
    ----------
    channels : sequence of int, length 3
        Of the three convolutions that halve the length; a fourth keeps it and is added.
    embedding : int
        Outputs.
    sees_beat : bool
        Whether the beat itself is seen beside its two differences. Without it, nothing of a
        patient's own shape gets in, only what departs from it.
    dropout : float
        Before the last layer.
    positions : int
        Equal parts of the window that are averaged each by itself, a divisor of 32: 1 tells what is
        there, more tell where as well.

    Raises
    ------
    RecipeError
        If `positions` is no divisor of 32.
    """

    def __init__(
        self,
        *,
        channels: Sequence[int],
        embedding: int,
        sees_beat: bool,
        dropout: float,
        positions: int = 1,
    ) -> None:
        super().__init__()
        if positions < 1 or ENCODED_LENGTH % positions:
            msg = f"positions = {positions!r}: expected a divisor of {ENCODED_LENGTH}"
            raise RecipeError(msg)
        self.sees_beat, self.positions = sees_beat, positions
        sizes = [3 if sees_beat else 2, *channels]
        self.halving = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv1d(n_in, n_out, kernel, stride=2, padding=kernel // 2, bias=False),
                    nn.BatchNorm1d(n_out),
                    nn.ReLU(),
                )
                for n_in, n_out, kernel in zip(sizes[:-1], channels, KERNELS[:3], strict=True)
            )
        )
        last, kernel = channels[-1], KERNELS[-1]
        self.keeping = nn.Sequential(
            nn.Conv1d(last, last, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(last),
            nn.ReLU(),
        )
        self.out = nn.Sequential(nn.Dropout(dropout), nn.Linear((positions + 1) * last, embedding))

    def forward(self, shapes: Tensor) -> Tensor:
        """Map windows in mV, shape (beats, 3, 256), to (beats, embedding)."""
        beat, typical = shapes[:, :1], shapes[:, 1:]
        qrs = typical[:, :1, QRS]
        height = qrs.amax(-1, keepdim=True) - qrs.amin(-1, keepdim=True) + 1e-2
        seen = beat - typical
        if self.sees_beat:
            seen = torch.cat([beat, seen], dim=1)
        encoded = self.halving(3 * seen / height)
        encoded = encoded + self.keeping(encoded)
        means = encoded.unflatten(-1, (self.positions, -1)).mean(-1).flatten(1)
        out: Tensor = self.out(torch.cat([means, encoded.amax(-1).flatten(1)], dim=1))
        return out


class RhythmModel(BeatModel):
    """What the two rhythm models share: named features, an encoder, and a head.

    A model maps the beat and its two typical beats in mV, shape (beats, 3, 256), and the rhythm
    features, shape (beats, 23), to logits, shape (beats, 5).

    Parameters
    ----------
    channels, embedding, sees_beat, dropout, positions
        As in `ShapeEncoder`.
    embedding_dropout : float
        Share of training beats whose embedding is left out whole, so that the named features alone
        have to do.
    feature_noise : float
        Standard deviation of noise on the named features in training, in units of their own.
    """

    def __init__(
        self,
        *,
        channels: Sequence[int] = (16, 32, 32),
        embedding: int = 8,
        sees_beat: bool = True,
        dropout: float = 0.2,
        positions: int = 1,
        embedding_dropout: float = 0.5,
        feature_noise: float = 0.1,
    ) -> None:
        super().__init__()
        self.likeness = Likeness()
        self.encoder = ShapeEncoder(
            channels=channels,
            embedding=embedding,
            sees_beat=sees_beat,
            dropout=dropout,
            positions=positions,
        )
        self.scale = nn.BatchNorm1d(len(NAMED_FEATURES), affine=False)
        self.embedding_dropout, self.feature_noise = embedding_dropout, feature_noise
        self.n_features = len(NAMED_FEATURES) + embedding
        self.head: nn.Module

    def features(self, shapes: Tensor, rhythm: Tensor) -> Tensor:
        """Named features, scaled, and the embedding, shape (beats, n_features)."""
        named = self.scale(torch.cat([rhythm, self.likeness(shapes)], dim=1)).clamp(-LIMIT, LIMIT)
        embedding = self.encoder(shapes)
        if self.training:
            named = named + self.feature_noise * torch.randn_like(named)
            kept = torch.rand(len(embedding), 1, device=embedding.device) >= self.embedding_dropout
            embedding = embedding * kept
        return torch.cat([named, embedding], dim=1)

    def forward(self, shapes: Tensor, rhythm: Tensor) -> Tensor:
        """Logits of each class, shape (beats, 5)."""
        out: Tensor = self.head(self.features(shapes, rhythm))
        return out


class RhythmMLP(RhythmModel):
    """Rhythm model with an MLP head.

    Parameters
    ----------
    hidden : int
        Width of the two hidden layers.
    head_dropout : float
        Dropout after each of them.
    **shared
        As in `RhythmModel`.
    """

    name = "rhythm-mlp"

    def __init__(self, *, hidden: int = 36, head_dropout: float = 0.15, **shared: object) -> None:
        super().__init__(**shared)  # type: ignore[arg-type]  # checked there
        self.head = nn.Sequential(
            nn.Linear(self.n_features, hidden),
            nn.SiLU(),
            nn.Dropout(head_dropout),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Dropout(head_dropout),
            nn.Linear(hidden, len(CLASSES)),
        )


class RhythmKAN(RhythmModel):
    """Rhythm model with a KAN head, whose first layer holds one function of each named feature.

    Parameters
    ----------
    hidden : int
        Sums of such functions that the next layer's functions are of, in both hidden layers.
    intervals : int
        Grid intervals of the functions.
    spline_noise : float
        As in `ectopy.models.kan.KANLayer`.
    head_dropout : float
        Dropout between the layers.
    **shared
        As in `RhythmModel`.
    """

    name = "rhythm-kan"

    def __init__(
        self,
        *,
        hidden: int = 6,
        intervals: int = 5,
        spline_noise: float = 0.01,
        head_dropout: float = 0.15,
        **shared: object,
    ) -> None:
        super().__init__(**shared)  # type: ignore[arg-type]  # checked there
        self.head = nn.Sequential(
            KANLayer(
                n_in=self.n_features,
                n_out=hidden,
                intervals=intervals,
                grid_range=(-LIMIT, LIMIT),
                spline_noise=spline_noise,
                normalise=False,  # every feature has a scale of its own already
            ),
            nn.Dropout(head_dropout),
            *(
                KANLayer(
                    n_in=hidden,
                    n_out=n_out,
                    intervals=intervals,
                    grid_range=(-3.0, 3.0),
                    spline_noise=spline_noise,
                )
                for n_out in (hidden, len(CLASSES))
            ),
        )
