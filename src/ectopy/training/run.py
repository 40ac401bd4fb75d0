"""One training run: data, model, trainer, checkpoints, and the bundle that comes out."""

from __future__ import annotations

import json
import logging
import os
import warnings
from typing import TYPE_CHECKING

import lightning as L
import torch
from rich.console import Console

from ectopy.data.protocols import get_protocol
from ectopy.errors import OutputError, RecipeError
from ectopy.models.bundle import FINDER
from ectopy.training.beat_job import BeatJob
from ectopy.training.callbacks import Compile
from ectopy.training.finder_job import FinderJob
from ectopy.training.recipe_files import reads_rhythm
from ectopy.training.rhythm_job import RhythmJob
from ectopy.training.trainer import can_compile, make_trainer

if TYPE_CHECKING:
    from pathlib import Path

    from ectopy.training.settings import Job, RunSettings

NOTE_FILE = "run.json"
"""What a run was begun with, in its folder."""

EXPECTED_WARNINGS = (
    "Checkpoint directory .* exists and is not empty",  # a resumed run's own
    "The '.*' does not have many workers",  # the beats lie in memory: there is nothing to wait for
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # between Lightning and PyTorch
)
"""What Lightning warns of in a run where all is well."""


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
    get_protocol(settings.protocol)
    job = _make_job(settings)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    L.seed_everything(settings.seed, workers=True, verbose=False)
    torch.set_float32_matmul_precision("high")
    job.prepare()
    trainer, best = make_trainer(settings, job.recipe, console, validated=job.validated)
    job.check(trainer)
    last = _prepare_folder(settings, job)  # last: what cannot start leaves no folder behind
    for line in job.lines():
        console.print(line, highlight=False)
    if settings.compile and job.compiles and can_compile(trainer):
        trainer.callbacks.append(Compile())  # type: ignore[attr-defined]  # missing in its stubs
    with warnings.catch_warnings():
        for known in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", known)
        trainer.fit(job.task, datamodule=job.data, ckpt_path=last, weights_only=True)
    if not trainer.is_global_zero:
        return settings.out / "bundle"
    chosen = torch.load(_best(settings), map_location="cpu", weights_only=True)
    score = best.best_model_score if job.validated else None
    return job.write_bundle(chosen, None if score is None else float(score))


def _make_job(settings: RunSettings) -> Job:
    """Choose the kind of run by the model."""
    if settings.model == FINDER:
        return FinderJob(settings)
    return RhythmJob(settings) if reads_rhythm(settings.model) else BeatJob(settings)


def _best(settings: RunSettings) -> Path:
    """Where the best epoch so far is kept."""
    return settings.out / "checkpoints" / "best.ckpt"


def _prepare_folder(settings: RunSettings, job: Job) -> str | None:
    """Create or check the run's folder; return the checkpoint to resume from."""
    identity = {
        "model": settings.model,
        "protocol": settings.protocol,
        "seed": settings.seed,
        "recipe": job.recipe.to_dict(),
        **job.identity(),
    }
    identity = json.loads(json.dumps(identity))
    note, last = settings.out / NOTE_FILE, settings.out / "checkpoints" / "last.ckpt"
    resume_from = str(last) if settings.resume and last.is_file() else None
    if int(os.environ.get("LOCAL_RANK", "0")) > 0:  # a further process of this very run
        return resume_from
    if note.is_file():
        if not settings.resume:
            msg = f"{settings.out} already holds a run; add --resume or choose another --out"
            raise OutputError(msg)
        if json.loads(note.read_text(encoding="utf-8")) != identity:
            msg = (
                f"the run in {settings.out} has another model, protocol, seed, recipe or --hold-out"
            )
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
