"""A run that trains the beat finder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ectopy.data.protocols import PACED, get_protocol
from ectopy.errors import ProtocolError, RecipeError
from ectopy.models.bundle import FINDER
from ectopy.models.contract import MOST_FUTURE, MOST_PAST, FinderContract
from ectopy.models.registry import create_finder
from ectopy.models.saving import network_state, save_bundle
from ectopy.training.finder_task import FinderTask
from ectopy.training.leads import noise_frames, record_leads, simulated_leads
from ectopy.training.recipe import FinderRecipe
from ectopy.training.recipe_files import load_recipe
from ectopy.training.segments import SegmentData, SegmentDataset

if TYPE_CHECKING:
    from pathlib import Path

    import lightning as L

    from ectopy.training.settings import RunSettings


class FinderJob:
    """Train the beat finder on whole patients; see `ectopy.training.settings.Job`.

    Both leads of DS1 and of the paced records, which neither DS1 nor DS2 holds, without the records
    held out. Without any, nothing is validated and the last epoch is kept: the recipe itself was
    chosen on patients held out.

    Parameters
    ----------
    settings : RunSettings

    Raises
    ------
    RecipeError, ProtocolError
        If there is no such recipe, the protocol does not part patients, or a record held out is not
        in DS1.
    """

    recipe: FinderRecipe
    task: L.LightningModule
    data: L.LightningDataModule
    compiles = False  # channels-last convolutions are as fast without

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self.recipe = load_recipe(settings.recipe or FINDER, FinderRecipe)
        protocol = get_protocol(settings.protocol)
        if settings.protocol != "inter":
            msg = (
                f"the beat finder is trained under 'inter', by patients, not {settings.protocol!r}"
            )
            raise ProtocolError(msg + "; give --protocol inter")
        unknown = sorted(set(settings.hold_out) - set(protocol.train_records))
        if unknown:
            msg = f"record {unknown[0]!r} cannot be held out; the training records are: "
            raise RecipeError(msg + ", ".join(protocol.train_records))
        held_out = set(settings.hold_out)
        self.records = [r for r in (*protocol.train_records, *PACED) if r not in held_out]
        self.validated = bool(held_out)

    def prepare(self) -> None:
        """Build network, data and task."""
        settings, recipe = self.settings, self.recipe
        network = create_finder(recipe.model.get(FINDER))
        if network.reach[0] > MOST_PAST or network.reach[1] > MOST_FUTURE:
            msg = (
                f"recipe {recipe.name!r}: the network looks {network.reach[0]} frames back and "
                f"{network.reach[1]} ahead, expected at most {MOST_PAST} and {MOST_FUTURE}"
            )
            raise RecipeError(msg + "; take smaller dilations, or past_only for the widest")
        self.leads = record_leads(self.records, settings.folder)
        training = SegmentDataset(
            self.leads, simulated_leads(recipe.simulated_patients), noise_frames(), recipe
        )
        self.data = SegmentData(
            training,
            record_leads(settings.hold_out, settings.folder),
            n_batches=recipe.batches_per_epoch,
            seed=settings.seed,
        )
        # Twice as fast on a CPU as the usual order of axes.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        self.task = FinderTask(network, recipe, seed=settings.seed)

    def check(self, trainer: L.Trainer) -> None:
        """Nothing can be too small: segments are drawn at random."""

    def lines(self) -> list[str]:
        """Count records and beats."""
        beats = sum(len(lead.peaks) for lead in self.leads)
        held_out = ", ".join(self.settings.hold_out) or "none; the last epoch is kept"
        return [
            f"training records  {len(self.records)}, both leads, {beats:,} beats",
            f"held out          {held_out}",
        ]

    def identity(self) -> dict[str, Any]:
        """Name the records held out."""
        return {"hold_out": sorted(self.settings.hold_out)}

    def write_bundle(self, checkpoint: dict[str, Any], score: float | None) -> Path:
        """Save the chosen checkpoint's network with everything needed to use it."""
        settings, recipe = self.settings, self.recipe
        model_settings = recipe.model.get(FINDER, {})
        network = create_finder(model_settings)
        network.load_state_dict(network_state(checkpoint))
        training = {
            "database": "mitdb 1.0.0, both leads; nstdb 1.0.0, training part; simulated patients",
            "protocol": settings.protocol,
            "part": "train, with the paced records",
            "records": self.records,
            "held_out": sorted(settings.hold_out),
            "beats": sum(len(lead.peaks) for lead in self.leads),
            "seed": settings.seed,
            "recipe": recipe.to_dict(),
            "epoch": int(checkpoint["epoch"]) + 1,
            "selected_by": recipe.monitor if self.validated else "last epoch",
            "selected_value": None if score is None else round(score, 6),
        }
        return save_bundle(
            network.eval(),
            settings.out / "bundle",
            protocol=settings.protocol,
            settings=model_settings,
            contract=FinderContract(
                threshold=recipe.threshold, past=network.reach[0], future=network.reach[1]
            ),
            training=training,
        )
