"""Whole epochs of a recipe, as `ectopy train` runs them, by the clock."""

from __future__ import annotations

import io
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from limiting import limited
from rich.console import Console

from ectopy.training.beat_job import BeatJob
from ectopy.training.callbacks import Compile
from ectopy.training.recipe_files import default_recipe, reads_rhythm
from ectopy.training.rhythm_job import RhythmJob
from ectopy.training.run import EXPECTED_WARNINGS
from ectopy.training.settings import RunSettings
from ectopy.training.trainer import can_compile, make_trainer


class EpochClock(L.Callback):
    """Note when each epoch was done, its validation included, and stop at a macro F1.

    Parameters
    ----------
    stop_at : float or None
        Macro F1 of the validation part that is enough.
    """

    def __init__(self, stop_at: float | None) -> None:
        self.stop_at = stop_at
        self.rows: list[dict[str, Any]] = []
        self._began = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note the epoch."""
        seconds = time.perf_counter() - self._began
        before = self.rows[-1]["seconds"] if self.rows else 0.0
        value = trainer.callback_metrics.get("val_macro_f1")
        score = None if value is None else float(value)
        row = {"epoch": trainer.current_epoch + 1, "seconds": seconds, "epoch_s": seconds - before}
        self.rows.append({**row, "val_macro_f1": score})
        if self.stop_at is not None and score is not None and score >= self.stop_at:
            trainer.should_stop = True


def train_epochs(
    model: str, protocol: str, n_epochs: int | None, *, threads: int, stop_at: float | None = None
) -> list[dict[str, Any]]:
    """Train by the shipped recipe, seed 0, and give one row an epoch.

    Parameters
    ----------
    model, protocol : str
    n_epochs : int or None
        Epochs to train; the schedule stays that of the whole recipe. None for all of them.
    threads : int
    stop_at : float, optional
        As in `EpochClock`.

    Returns
    -------
    list of dict
        ``epoch``, ``seconds`` since training began, ``epoch_s``, ``val_macro_f1`` (None where the
        recipe validates nothing).

    Raises
    ------
    DataError
        If the database is not there.
    """
    with tempfile.TemporaryDirectory() as folder, limited(threads), warnings.catch_warnings():
        for known in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", known)
        settings = RunSettings(
            model=model,
            protocol=protocol,
            recipe=default_recipe(model, protocol),
            seed=0,
            out=Path(folder),
            accelerator="cpu",
            limit_epochs=n_epochs,
        )
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        job = RhythmJob(settings) if reads_rhythm(model) else BeatJob(settings)
        L.seed_everything(settings.seed, workers=True, verbose=False)
        torch.set_float32_matmul_precision("high")
        job.prepare()
        console = Console(file=io.StringIO())
        trainer, _ = make_trainer(settings, job.recipe, console, validated=job.validated)
        if job.compiles and can_compile(trainer):
            trainer.callbacks.append(Compile())  # type: ignore[attr-defined]
        clock = EpochClock(stop_at)
        trainer.callbacks.append(clock)  # type: ignore[attr-defined]
        trainer.fit(job.task, datamodule=job.data)
    return clock.rows
