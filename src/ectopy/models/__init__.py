"""Models by name; PyTorch is imported only when one of them is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ectopy.errors import MissingExtra

if TYPE_CHECKING:
    from ectopy.models.cnn import ECGCNN, ECGCNNWithKAN
    from ectopy.models.kan import KANLayer
    from ectopy.models.registry import MODELS, create_model
    from ectopy.models.rhythm import RhythmKAN, RhythmMLP

__all__ = [
    "ECGCNN",
    "MODELS",
    "ECGCNNWithKAN",
    "KANLayer",
    "RhythmKAN",
    "RhythmMLP",
    "create_model",
]

_HOME = {
    "ECGCNN": "ectopy.models.cnn",
    "ECGCNNWithKAN": "ectopy.models.cnn",
    "KANLayer": "ectopy.models.kan",
    "MODELS": "ectopy.models.registry",
    "RhythmKAN": "ectopy.models.rhythm",
    "RhythmMLP": "ectopy.models.rhythm",
    "create_model": "ectopy.models.registry",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        msg = f"{name} needs {error.name}; install it with: pip install 'ectopy[train]'"
        raise MissingExtra(msg) from error
