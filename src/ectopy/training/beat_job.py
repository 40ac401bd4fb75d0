"""A run that trains a model to class beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.data.protocols import AFTER, BEFORE, get_protocol, load_split
from ectopy.errors import RecipeError
from ectopy.models.contract import InputContract
from ectopy.models.registry import create_model
from ectopy.models.saving import network_state, save_bundle
from ectopy.training.beats import BeatData
from ectopy.training.calibrate import fit_calibration, validation_logits
from ectopy.training.recipe import Recipe
from ectopy.training.recipe_files import default_recipe, load_recipe
from ectopy.training.task import BeatTask, prepare_windows

if TYPE_CHECKING:
    from pathlib import Path

    import lightning as L

    from ectopy.training.settings import RunSettings

MARGIN = 32
"""Spare samples on each side of training windows: room for shift and stretch."""


class BeatJob:
    """Train a beat model on the training part of a protocol; see `ectopy.training.settings.Job`.

    Parameters
    ----------
    settings : RunSettings

    Raises
    ------
    RecipeError
        If there is no such recipe or model, or records are to be held out.
    """

    recipe: Recipe
    task: L.LightningModule
    data: L.LightningDataModule
    validated = True
    compiles = True

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self.recipe = load_recipe(
            settings.recipe or default_recipe(settings.model, settings.protocol), Recipe
        )
        if settings.hold_out:
            msg = (
                f"{settings.model!r} is validated on the protocol's own part; leave --hold-out out"
            )
            raise RecipeError(msg)

    def prepare(self) -> None:
        """Build network, data and task."""
        settings, recipe = self.settings, self.recipe
        network = create_model(settings.model, recipe.model.get(settings.model))
        self.split = load_split(settings.protocol, margin=MARGIN, folder=settings.folder)
        self.beats = BeatData(
            self.split,
            batch_size=recipe.batch_size,
            seed=settings.seed,
            normal_share=recipe.normal_share,
        )
        self.data = self.beats
        self.task = BeatTask(
            network,
            recipe,
            class_counts=self.beats.class_counts,
            margin=MARGIN,
            seed=settings.seed,
        )

    def check(self, trainer: L.Trainer) -> None:
        """Refuse batches of which an epoch has none."""
        self.recipe.check_batches(self.beats.train_sampler().n, trainer.world_size)

    def lines(self) -> list[str]:
        """Beats of each class."""
        return [
            f"training beats    {self.split.train.counts()}",
            f"validation beats  {self.split.validation.counts()}",
        ]

    def identity(self) -> dict[str, Any]:
        """Nothing beside model, protocol, seed and recipe."""
        return {}

    def write_bundle(self, checkpoint: dict[str, Any], score: float | None) -> Path:
        """Save the chosen checkpoint's network with everything needed to use it."""
        settings = self.settings
        model_settings = self.recipe.model.get(settings.model, {})
        network = create_model(settings.model, model_settings)
        network.load_state_dict(network_state(checkpoint))
        network.eval()
        validation = self.beats.validation
        logits = validation_logits(
            network, validation, lambda batch: (prepare_windows(batch[0], MARGIN),)
        )
        protocol = get_protocol(settings.protocol)
        training = {
            "database": "mitdb 1.0.0",
            "protocol": settings.protocol,
            "part": "train",
            "records": list(protocol.train_records),
            "beats": self.split.train.counts(),
            "seed": settings.seed,
            "recipe": self.recipe.to_dict(),
            "epoch": int(checkpoint["epoch"]) + 1,
            "selected_by": self.recipe.monitor,
            "selected_value": round(score or 0.0, 6),
        }
        return save_bundle(
            network,
            settings.out / "bundle",
            protocol=settings.protocol,
            settings=model_settings,
            contract=InputContract(before=BEFORE, after=AFTER, lead_by=protocol.lead_by),
            training=training,
            calibration=fit_calibration(logits, validation.classes.numpy(), settings.model),
        )
