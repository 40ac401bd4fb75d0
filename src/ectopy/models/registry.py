"""Every model by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.errors import RecipeError
from ectopy.models.cnn import ECGCNN, BeatModel, ECGCNNWithKAN

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS: dict[str, type[BeatModel]] = {m.name: m for m in (ECGCNN, ECGCNNWithKAN)}


def create_model(name: str, settings: Mapping[str, Any] | None = None) -> BeatModel:
    """Build an untrained model.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    settings : mapping, optional
        Keyword arguments of its constructor.

    Raises
    ------
    RecipeError
        If there is no such model, or it does not take one of the settings.
    """
    if name not in MODELS:
        msg = f"unknown model {name!r}; the models are: {', '.join(MODELS)}"
        raise RecipeError(msg)
    try:
        return MODELS[name](**(settings or {}))
    except (TypeError, ValueError, IndexError) as error:
        msg = f"model {name!r} does not take these settings: {error}"
        raise RecipeError(msg) from error
