"""What all models that class beats share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from ectopy.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path


class BeatModel(nn.Module):
    """What all models that class beats share: a name, and how weights come in.

    A model maps what its input contract says to logits, shape (beats, 5), in the class order
    N S V F Q.
    """

    name: str

    @classmethod
    def from_pretrained(cls, name: str | Path, protocol: str | None = None) -> Self:
        """Load shipped weights, or a bundle folder of one's own, ready for inference.

        Parameters
        ----------
        name : str or Path
            A full name (``"cnn-mlp/intra"``), a bare one (``"cnn-mlp"``: trained under `inter`)
            or a folder.
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
        >>> from ectopy.models import ECGCNN
        >>> model = ECGCNN.from_pretrained("cnn-mlp/intra")
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
