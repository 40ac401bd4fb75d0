"""Every model by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.errors import RecipeError
from ectopy.models.bundle import FINDER
from ectopy.models.cnn import ECGCNN, ECGCNNWithKAN
from ectopy.models.finder import BeatFinderNet
from ectopy.models.rhythm import RhythmKAN, RhythmMLP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ectopy.models.beat_model import BeatModel

MODELS: dict[str, type[BeatModel]] = {
    m.name: m for m in (ECGCNN, ECGCNNWithKAN, RhythmMLP, RhythmKAN)
}
"""Models that class beats."""


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
        If there is no such model, it does not class beats, or does not take one of the settings.
    """
    if name == FINDER:
        msg = f"model {name!r} finds beats and does not class them; make it with create_finder"
        raise RecipeError(msg)
    if name not in MODELS:
        msg = f"unknown model {name!r}; the models are: {', '.join((*MODELS, FINDER))}"
        raise RecipeError(msg)
    try:
        return MODELS[name](**(settings or {}))
    except (TypeError, ValueError, IndexError) as error:
        msg = f"model {name!r} does not take these settings: {error}"
        raise RecipeError(msg) from error


def create_finder(settings: Mapping[str, Any] | None = None) -> BeatFinderNet:
    """Build an untrained beat finder.

    Parameters
    ----------
    settings : mapping, optional
        Keyword arguments of its constructor.

    Raises
    ------
    RecipeError
        If it does not take one of the settings.
    """
    try:
        return BeatFinderNet(**(settings or {}))
    except (TypeError, ValueError) as error:
        msg = f"model {FINDER!r} does not take these settings: {error}"
        raise RecipeError(msg) from error
