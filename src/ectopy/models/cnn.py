"""The two beat models of the comparison: one encoder, an MLP head or a KAN head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from ectopy.beats import CLASSES
from ectopy.errors import BundleError
from ectopy.models.encoder import CHANNELS, DROPOUTS, make_encoder
from ectopy.models.kan import KANHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from ectopy.models.kan import BaseInit


class BeatModel(nn.Module):
    """What the beat models share: an encoder, a head, and how weights come in.

    A model maps z-scored windows, shape (beats, 1, 256), to logits, shape (beats, 5), in the class
    order N S V F Q.
    """

    name: str
    head_name: str

    def __init__(self, dropouts: Sequence[float]) -> None:
        super().__init__()
        self.encoder = make_encoder(dropouts)

    def features(self, x: Tensor) -> Tensor:
        """Average the encoder's output over time, shape (beats, 256)."""
        encoded: Tensor = self.encoder(x)
        return encoded.mean(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each class, shape (beats, 5)."""
        out: Tensor = getattr(self, self.head_name)(self.features(x))
        return out

    @classmethod
    def from_pretrained(cls, name: str | Path, protocol: str | None = None) -> Self:
        """Load shipped weights, or a bundle folder of one's own, ready for inference.

        Parameters
        ----------
        name : str or Path
            A shipped model (``"cnn-mlp"``), a bundle's full name (``"cnn-mlp/intra"``) or a folder.
        protocol : str, optional
            Which bundle of the model to take, where `name` does not say.

        Returns
        -------
        BeatModel
            In eval mode.

        Raises
        ------
        BundleError
            If there is no such bundle, or it holds another model.

        Examples
        --------
        >>> model = ECGCNN.from_pretrained("cnn-mlp")
        >>> model(torch.zeros(1, 1, 256)).softmax(1).shape
        torch.Size([1, 5])
        """
        from ectopy.models.saving import load_model

        model = load_model(name, protocol)
        if not isinstance(model, cls):
            msg = f"bundle {str(name)!r} holds a {model.name!r}, not a {cls.name!r}; "
            raise BundleError(msg + f"load it with {type(model).__name__}.from_pretrained")
        return model

    @classmethod
    def from_checkpoint(cls, path: str | Path, **settings: Any) -> Self:
        """Load a checkpoint in the published format, ``{"model_state": state_dict}``.

        Only tensors are unpickled (``weights_only=True``), so that a file from elsewhere cannot run
        code. Every name and shape has to match.

        Parameters
        ----------
        path : str or Path
            A file written by ``torch.save``.
        **settings
            Constructor arguments, where they are not the published ones.

        Returns
        -------
        BeatModel
            In eval mode.

        Raises
        ------
        BundleError
            If the file cannot be read or does not fit the model.
        """
        try:
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # unpickling raises nearly anything on a foreign file
            reason = str(error).splitlines()[0]
            msg = f"cannot read checkpoint {str(path)!r} ({reason}); expected a torch.save file"
            raise BundleError(msg) from error
        state = checkpoint.get("model_state") if isinstance(checkpoint, dict) else None
        if not isinstance(state, dict):
            msg = f"checkpoint {str(path)!r} has no 'model_state'; expected the published format"
            raise BundleError(msg)
        model = cls(**settings)
        try:
            model.load_state_dict(state)
        except (RuntimeError, AttributeError) as error:  # the latter for names that are not text
            reason = " ".join(str(error).split())[:300]
            msg = f"checkpoint {str(path)!r} does not fit {cls.__name__}: {reason}"
            raise BundleError(msg) from error
        return model.eval()


class ECGCNN(BeatModel):
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


class ECGCNNWithKAN(BeatModel):
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
