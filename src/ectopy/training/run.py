"""One training run: data, model, trainer, checkpoints, and the bundle that comes out."""

from __future__ import annotations

import json
import logging
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightning as L
import torch
from rich.console import Console

from ectopy.data.protocols import AFTER, BEFORE, get_protocol, load_split
from ectopy.errors import OutputError, RecipeError
from ectopy.models.bundle import InputContract
from ectopy.models.registry import create_model
from ectopy.models.saving import save_bundle
from ectopy.training.beats import BeatData
from ectopy.training.callbacks import Compile
from ectopy.training.recipe import Recipe, load_recipe
from ectopy.training.task import BeatTask
from ectopy.training.trainer import can_compile, make_trainer

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.pytorch.callbacks import ModelCheckpoint

    from ectopy.models.cnn import BeatModel

MARGIN = 32
"""Spare samples on each side of training windows: room for shift and stretch."""

EXPECTED_WARNINGS = (
    "Checkpoint directory .* exists and is not empty",  # a resumed run's own
    "The '.*' does not have many workers",  # the beats lie in memory: there is nothing to wait for
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # between Lightning and PyTorch
)
"""What Lightning warns of in a run where all is well."""


@dataclass(frozen=True)
class RunSettings:
    """One run of a recipe.

    Attributes
    ----------
    model, protocol, recipe : str
        Names; `recipe` may be a TOML file.
    seed : int
        Decides initial weights, order of beats, dropout and augmentation.
    out : Path
        Folder for logs, checkpoints and the bundle.
    resume : bool
        Continue the run in `out` from its last finished epoch.
    accelerator, devices, strategy, precision : str
        Handed to Lightning's Trainer.
    compile : bool
        Use ``torch.compile`` where a C++ compiler or a GPU makes it possible.
    limit_epochs : int, optional
        Stop after this many epochs, for trying things out; the schedule is not shortened.
    """

    model: str
    protocol: str
    recipe: str
    seed: int
    out: Path
    resume: bool = False
    accelerator: str = "auto"
    devices: str = "auto"
    strategy: str = "auto"
    precision: str = "32-true"
    compile: bool = True
    limit_epochs: int | None = None
    folder: Path | None = None


def train(settings: RunSettings, console: Console | None = None) -> Path:
    """Train one model and write its bundle.

    Parameters
    ----------
    settings : RunSettings
    console : rich.console.Console, optional
        Where progress is shown.

    Returns
    -------
    Path
        Folder of the bundle, ``out/bundle``.

    Raises
    ------
    RecipeError, ProtocolError, DataError, OutputError
        If the run cannot start.
    """
    console = console or Console(stderr=True)
    recipe = load_recipe(settings.recipe)
    get_protocol(settings.protocol)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    L.seed_everything(settings.seed, workers=True, verbose=False)
    torch.set_float32_matmul_precision("high")
    network = create_model(settings.model, recipe.model.get(settings.model))
    split = load_split(settings.protocol, margin=MARGIN, folder=settings.folder)
    data = BeatData(
        split,
        batch_size=recipe.batch_size,
        seed=settings.seed,
        normal_share=recipe.normal_share,
    )
    trainer, best = make_trainer(settings, recipe, console)
    recipe.check_batches(data.train_sampler().n, trainer.world_size)
    last = _prepare_folder(settings, recipe)  # last: what cannot start leaves no folder behind
    console.print(f"training beats    {split.train.counts()}", highlight=False)
    console.print(f"validation beats  {split.validation.counts()}", highlight=False)
    task = BeatTask(
        network, recipe, class_counts=data.class_counts, margin=MARGIN, seed=settings.seed
    )
    if settings.compile and can_compile(trainer):
        trainer.callbacks.append(Compile())  # type: ignore[attr-defined]  # missing in its stubs
    with warnings.catch_warnings():
        for known in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", known)
        trainer.fit(task, datamodule=data, ckpt_path=last, weights_only=True)
    if not trainer.is_global_zero:
        return settings.out / "bundle"
    chosen = torch.load(_best(settings), map_location="cpu", weights_only=True)
    return _write_bundle(settings, recipe, chosen, split.train.counts(), best)


def _best(settings: RunSettings) -> Path:
    """Where the best epoch so far is kept."""
    return settings.out / "checkpoints" / "best.ckpt"


def _prepare_folder(settings: RunSettings, recipe: Recipe) -> str | None:
    """Create or check the run's folder; return the checkpoint to resume from."""
    identity = {
        "model": settings.model,
        "protocol": settings.protocol,
        "seed": settings.seed,
        "recipe": recipe.to_dict(),
    }
    identity = json.loads(json.dumps(identity))
    note, last = settings.out / "run.json", settings.out / "checkpoints" / "last.ckpt"
    resume_from = str(last) if settings.resume and last.is_file() else None
    if int(os.environ.get("LOCAL_RANK", "0")) > 0:  # a further process of this very run
        return resume_from
    if note.is_file():
        if not settings.resume:
            msg = f"{settings.out} already holds a run; add --resume or choose another --out"
            raise OutputError(msg)
        if json.loads(note.read_text(encoding="utf-8")) != identity:
            msg = f"the run in {settings.out} has another model, protocol, seed or recipe"
            raise RecipeError(msg + "; resume it with the same ones or choose another --out")
        if resume_from and not _best(settings).is_file():
            msg = f"the run in {settings.out} has lost its checkpoints/best.ckpt"
            raise OutputError(msg + "; put it back or choose another --out")
        return resume_from
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"cannot write to {settings.out} ({error.strerror}); choose another --out"
        raise OutputError(msg) from error
    return None


def _write_bundle(
    settings: RunSettings,
    recipe: Recipe,
    checkpoint: dict[str, Any],
    counts: dict[str, int],
    best: ModelCheckpoint,
) -> Path:
    """Save the chosen checkpoint's network with everything needed to use it."""
    prefix = "network."
    state = {
        name.removeprefix(prefix): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
    model_settings = recipe.model.get(settings.model, {})
    network: BeatModel = create_model(settings.model, model_settings)
    network.load_state_dict(state)
    protocol = get_protocol(settings.protocol)
    contract = InputContract(before=BEFORE, after=AFTER, lead_by=protocol.lead_by)
    training = {
        "database": "mitdb 1.0.0",
        "protocol": settings.protocol,
        "part": "train",
        "records": list(protocol.train_records),
        "beats": counts,
        "seed": settings.seed,
        "recipe": recipe.to_dict(),
        "epoch": int(checkpoint["epoch"]) + 1,
        "selected_by": recipe.monitor,
        "selected_value": round(float(best.best_model_score or 0.0), 6),
    }
    return save_bundle(
        network.eval(),
        settings.out / "bundle",
        protocol=settings.protocol,
        settings=model_settings,
        contract=contract,
        training=training,
    )
