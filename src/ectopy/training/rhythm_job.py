"""A run that trains a rhythm model to class beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from ectopy.beats import CLASSES, count_classes
from ectopy.data.protocols import PACED, get_protocol, intra_parts
from ectopy.errors import RecipeError
from ectopy.models.calibration import HELD_OUT_IN_TURN, Calibration
from ectopy.models.contract import rhythm_contract
from ectopy.models.kan import KANLayer
from ectopy.models.registry import create_model
from ectopy.models.saving import network_state, save_bundle
from ectopy.training.calibrate import as_they_come, fit_calibration, validation_logits
from ectopy.training.recipe_files import default_recipe, load_recipe
from ectopy.training.rhythm_batches import KnownBeats, RhythmData, RhythmDataset
from ectopy.training.rhythm_beats import load_rhythm_beats
from ectopy.training.rhythm_recipe import RhythmRecipe
from ectopy.training.rhythms import make_pool
from ectopy.training.task import ClassTask

if TYPE_CHECKING:
    from pathlib import Path

    import lightning as L
    from numpy.typing import NDArray
    from torch import Tensor

    from ectopy.models.beat_model import BeatModel
    from ectopy.training.settings import RunSettings

POOL_SEED = 1
"""The made-up patients are the same in every run: its own seed decides which beats are drawn."""


class RhythmTask(ClassTask):
    """Classify beats by shape and rhythm."""

    recipe: RhythmRecipe

    def __init__(self, network: BeatModel, recipe: RhythmRecipe, seed: int) -> None:
        super().__init__(network, recipe, torch.ones(len(CLASSES)), seed)

    def inputs(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Shapes and rhythm features, as they come."""
        return as_they_come(batch)

    def training_step(self, batch: tuple[Tensor, ...], batch_idx: int) -> Tensor:
        """Loss of one batch."""
        loss = F.cross_entropy(self._full(self(*self.inputs(batch))), batch[-1])
        if self.recipe.smoothness > 0:
            loss = loss + self.recipe.smoothness * self._bending()
        self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def _bending(self) -> Tensor:
        """Squared second differences of all spline coefficients, summed; 0 without a KAN."""
        splines = [m.spline_weight for m in self.network.modules() if isinstance(m, KANLayer)]
        return sum((w.diff(n=2, dim=-1).square().sum() for w in splines), start=torch.zeros(()))


class RhythmJob:
    """Train a rhythm model; see `ectopy.training.settings.Job`.

    Under `inter` it learns from all of DS1 and the paced records, which neither DS1 nor DS2 holds,
    but for records held out; without any, nothing is validated and the last epoch is kept, as the
    recipe was chosen on patients held out. Under `intra` the published validation part chooses the
    epoch; rhythm and typical beats come from all beats of a record, whose classes they do not know.

    Parameters
    ----------
    settings : RunSettings

    Raises
    ------
    RecipeError
        If there is no such recipe or model, or a record cannot be held out.
    """

    recipe: RhythmRecipe
    task: L.LightningModule
    data: L.LightningDataModule
    compiles = True

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        recipe = settings.recipe or default_recipe(settings.model, settings.protocol)
        self.recipe = load_recipe(recipe, RhythmRecipe)
        self.protocol = get_protocol(settings.protocol)
        self.by_patients = settings.protocol == "inter"
        if settings.hold_out and not self.by_patients:
            msg = "protocol 'intra' has its own validation part; leave --hold-out out"
            raise RecipeError(msg)
        records = self.protocol.train_records
        self.records = (*records, *PACED) if self.by_patients else records
        unknown = sorted(set(settings.hold_out) - set(self.records))
        if unknown:
            msg = f"record {unknown[0]!r} cannot be held out; the training records are: "
            raise RecipeError(msg + ", ".join(self.records))
        if set(records) <= set(settings.hold_out):
            msg = "all training records are held out; leave one at least to learn from"
            raise RecipeError(msg)
        self.validated = bool(settings.hold_out) or not self.by_patients

    def prepare(self) -> None:
        """Build network, data and task."""
        settings, recipe = self.settings, self.recipe
        network = create_model(settings.model, recipe.model.get(settings.model))
        self.beats = load_rhythm_beats(
            self.records, lead_by=self.protocol.lead_by, folder=settings.folder
        )
        training, validation = self._parts()
        pool = make_pool(recipe.made_up_patients, POOL_SEED) if recipe.made_up_beats else None
        dataset = RhythmDataset(self.beats, training, pool, recipe)
        self.training = dataset.rows
        self.validation = KnownBeats(self.beats, validation)
        self.data = RhythmData(
            dataset, self.validation, n_batches=recipe.batches_per_epoch, seed=settings.seed
        )
        self.task = RhythmTask(network, recipe, settings.seed)

    def _parts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows to train and to validate on."""
        beats = self.beats
        if not self.by_patients:
            whole = np.flatnonzero(beats.whole)
            training, validation, _ = intra_parts(beats.classes[whole].astype(np.int8))
            return whole[training], whole[validation]
        names = np.asarray(beats.records)[beats.inputs.piece]
        held_out = np.isin(names, self.settings.hold_out)
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def check(self, trainer: L.Trainer) -> None:
        """Nothing can be too small: beats are drawn at random."""

    def lines(self) -> list[str]:
        """Beats of each class."""
        made_up = ""
        if self.recipe.made_up_beats:
            made_up = f", and {self.recipe.made_up_patients} made-up patients"
        validation = count_classes(self.validation.classes.astype(np.int8))
        return [
            f"training beats    {self._counts()}{made_up}",
            f"validation beats  {validation if self.validated else 'none; the last epoch is kept'}",
        ]

    def _counts(self) -> dict[str, int]:
        return count_classes(self.beats.classes[self.training].astype(np.int8))

    def identity(self) -> dict[str, Any]:
        """Name the records held out."""
        return {"hold_out": sorted(self.settings.hold_out)} if self.settings.hold_out else {}

    def write_bundle(self, checkpoint: dict[str, Any], score: float | None) -> Path:
        """Save the chosen checkpoint's network with everything needed to use it."""
        settings, recipe = self.settings, self.recipe
        model_settings = recipe.model.get(settings.model, {})
        network = create_model(settings.model, model_settings)
        network.load_state_dict(network_state(checkpoint))
        network.eval()
        held_out = sorted(settings.hold_out)
        training = {
            "database": f"mitdb 1.0.0{' and made-up rhythms' if recipe.made_up_beats else ''}",
            "protocol": settings.protocol,
            "part": "train, with the paced records" if self.by_patients else "train",
            "records": [r for r in self.records if r not in held_out],
            "held_out": held_out,
            "beats": self._counts(),
            "seed": settings.seed,
            "recipe": recipe.to_dict(),
            "epoch": int(checkpoint["epoch"]) + 1,
            "selected_by": recipe.monitor if self.validated else "last epoch",
            "selected_value": None if score is None else round(score, 6),
        }
        return save_bundle(
            network,
            settings.out / "bundle",
            protocol=settings.protocol,
            settings=model_settings,
            contract=rhythm_contract(self.protocol.lead_by),
            training=training,
            calibration=self._calibrate(network),
        )

    def _calibrate(self, network: BeatModel) -> Calibration | None:
        """Fit the temperature on the validation part, or take the recipe's."""
        if not self.validated:
            known = self.recipe.temperature.get(self.settings.model)
            n = int((~np.isin(self.records, PACED))[self.beats.inputs.piece].sum())
            return None if known is None else Calibration(known, HELD_OUT_IN_TURN, n)
        logits = validation_logits(network, self.validation)
        return fit_calibration(logits, self.validation.classes, self.settings.model)
