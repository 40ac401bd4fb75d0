"""The temperature of a model that was trained: fitted on its validation part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ectopy.errors import RecipeError
from ectopy.evaluation.calibration import fit_temperature
from ectopy.models.calibration import Calibration
from ectopy.training.beats import VALIDATION_BATCH, BatchSampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ectopy.models.beat_model import BeatModel
    from ectopy.training.beats import BeatDataset
    from ectopy.training.rhythm_batches import KnownBeats


def as_they_come(batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Give what the network takes of a batch that needs nothing done to it."""
    return batch[:-1]


def validation_logits(
    network: BeatModel,
    beats: BeatDataset | KnownBeats,
    inputs: Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]] = as_they_come,
) -> NDArray[np.float32]:
    """Logits of every beat, shape (beats, 5).

    Parameters
    ----------
    network : BeatModel
        In eval mode.
    beats : BeatDataset or KnownBeats
    inputs : callable
        What makes the network's arguments of a batch.
    """
    batches = BatchSampler(len(beats), VALIDATION_BATCH)
    with torch.inference_mode():
        parts = [network(*inputs(beats[rows])) for rows in batches]
    return np.asarray(torch.cat(parts).numpy())


def fit_calibration(
    logits: NDArray[np.float32], classes: NDArray[np.int64], model: str
) -> Calibration:
    """Fit the temperature on the validation part, where the epoch was chosen as well.

    Raises
    ------
    RecipeError
        If the logits are no numbers.
    """
    if not np.isfinite(logits).all():
        msg = f"the weights of {model!r} have diverged: its logits on validation are no numbers; "
        raise RecipeError(msg + "lower the learning rate of the recipe")
    return Calibration(round(fit_temperature(logits, classes), 6), "validation", len(classes))
