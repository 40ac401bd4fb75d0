"""Training steps of the recipe and of the published baseline, in turn within one run.

Ours are those of a run of Lightning's trainer as `ectopy train` puts it together: compiled,
deterministic, augmented, with averaged weights. Every so many steps the trainer is held up while
the baseline takes as many: Adam, class-weighted loss, clipped gradients, eager, on windows that are
normalised already and handed out a whole batch at a time, which spares it the usual loader.
"""

from __future__ import annotations

import io
import logging
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning as L
import numpy as np
import torch
from limiting import limited
from measuring import spread
from published import BATCH, CLASSES, TITLES, PublishedNet
from rich.console import Console
from torch import nn

from ectopy.data.protocols import BeatSet, Split, load_split
from ectopy.errors import DataError
from ectopy.models.registry import create_model
from ectopy.training.beat_job import MARGIN
from ectopy.training.beats import BeatData
from ectopy.training.callbacks import Compile
from ectopy.training.recipe import Recipe
from ectopy.training.recipe_files import load_recipe
from ectopy.training.run import EXPECTED_WARNINGS
from ectopy.training.settings import RunSettings
from ectopy.training.task import BeatTask, prepare_windows
from ectopy.training.trainer import can_compile, make_trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor

TRAINING_BEATS = (63_415, 1_947, 5_064, 561, 5_628)
"""Beats of each class in the training part of `intra`, N S V F Q."""


class TurnTaking(L.Callback):
    """Time the trainer's steps and another's in turn, then stop the trainer.

    Parameters
    ----------
    steps, rounds : int
        Of each. A round before them, in which the network is compiled, is not measured.
    other : callable
        Takes one step.
    """

    def __init__(self, steps: int, rounds: int, other: Callable[[], None]) -> None:
        self.steps, self.rounds, self.other = steps, rounds, other
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self.warm_up_s = 0.0
        self._began = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Give the turn to the other after so many steps."""
        if trainer.global_step % self.steps:
            return
        seconds = time.perf_counter() - self._began
        with as_usual():
            began = time.perf_counter()
            for _ in range(self.steps):
                self.other()
            other_s = time.perf_counter() - began
        if self.warm_up_s:
            self.ours.append(seconds)
            self.theirs.append(other_s)
        else:
            self.warm_up_s = seconds
        trainer.should_stop = len(self.ours) >= self.rounds
        self._began = time.perf_counter()


@contextmanager
def as_usual() -> Iterator[None]:
    """PyTorch as it comes: without deterministic algorithms, products in full precision."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    precision = torch.get_float32_matmul_precision()
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        torch.set_float32_matmul_precision(precision)


def measure_rounds(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Time both, and scale them up to an epoch.

    Returns
    -------
    dict
        ``rows``, ``ratios``, ``data`` (what it ran on), ``warm_up_s`` and ``raw_seconds``.
    """
    split, data = training_part()
    recipe = load_recipe(settings["recipe"], Recipe)
    turns = TurnTaking(settings["steps"], settings["rounds"], baseline_step(split))
    with limited(settings["threads"]), as_usual():
        torch.manual_seed(0)
        epoch_beats = run_trainer(settings["model"], recipe, split, turns)
    steps, n = settings["steps"], len(split.train)
    rows = [
        _row(settings["model"], recipe.batch_size, turns.ours, steps, epoch_beats),
        _row(TITLES["cnn-mlp"], BATCH, turns.theirs, steps, n),
    ]
    per_round = zip(turns.ours, turns.theirs, strict=True)
    by_beats = recipe.batch_size / BATCH
    to_theirs = spread([b / a * by_beats for a, b in per_round])["median"]
    return {
        "rows": rows,
        "ratios": {
            "beats a second, ours to the baseline's": to_theirs,
            "seconds an epoch, the baseline's to ours": to_theirs * n / epoch_beats,
        },
        "data": data,
        "note": f"{steps} steps a round, scaled up; an epoch of the recipe takes "
        f"{recipe.normal_share:.0%} of the N beats",
        "warm_up_s": turns.warm_up_s,
        "raw_seconds": {"ours": turns.ours, "theirs": turns.theirs},
    }


def _row(
    trained: str, batch: int, seconds: list[float], steps: int, epoch_beats: int
) -> dict[str, Any]:
    step_s = spread(seconds)["median"] / steps
    return {
        "trained": trained,
        "batch": batch,
        "ms_per_step": 1e3 * step_s,
        "beats_per_s": batch / step_s,
        "epoch_beats": epoch_beats,
        "epoch_s": epoch_beats / batch * step_s,
    }


def training_part() -> tuple[Split, str]:
    """Training part of `intra`, or noise of its shape, and which of them it is."""
    try:
        split = load_split("intra", margin=MARGIN)
        return split, f"training part of intra, {len(split.train):,} beats"
    except DataError:
        rng = np.random.default_rng(0)
        classes = np.repeat(np.arange(CLASSES, dtype=np.int8), TRAINING_BEATS)
        rng.shuffle(classes)
        shape = (len(classes), 256 + 2 * MARGIN)
        windows = rng.standard_normal(shape, dtype=np.float32)
        records, peaks = np.full(len(classes), "noise"), np.arange(len(classes))
        beats = BeatSet(windows, classes, records, peaks, MARGIN)
        few = beats.take(np.arange(256))
        return Split(beats, few, few), "noise of the same shape: the database is not there"


def run_trainer(model: str, recipe: Recipe, split: Split, turns: TurnTaking) -> int:
    """Train until the callback has had enough, and give the beats of an epoch."""
    share = recipe.normal_share
    beats = BeatData(split, batch_size=recipe.batch_size, seed=0, normal_share=share)
    network = create_model(model, recipe.model.get(model))
    counts = beats.class_counts
    task = BeatTask(network, recipe, class_counts=counts, margin=MARGIN, seed=0)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        for known in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", known)
        settings = RunSettings(
            model=model,
            protocol="intra",
            recipe=recipe.name,
            seed=0,
            out=Path(folder),
            accelerator="cpu",
        )
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        torch.set_float32_matmul_precision("high")  # as a run of `ectopy train` has it
        trainer, _ = make_trainer(settings, recipe, Console(file=io.StringIO()), validated=False)
        if can_compile(trainer):
            trainer.callbacks.append(Compile())  # type: ignore[attr-defined]
        trainer.callbacks.append(turns)  # type: ignore[attr-defined]  # last: all others are timed
        trainer.fit(task, datamodule=beats)
    return beats.train_sampler().n


def baseline_step(split: Split) -> Callable[[], None]:
    """One training step of the published CNN+MLP after the other, shuffled anew each epoch."""
    torch.manual_seed(0)
    windows = prepare_windows(torch.from_numpy(split.train.windows), MARGIN)
    classes = torch.from_numpy(split.train.classes).long()
    counts = torch.bincount(classes, minlength=CLASSES)
    net = PublishedNet("cnn-mlp").train()
    loss_of = nn.CrossEntropyLoss(weight=len(classes) / (CLASSES * counts))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-4)
    batches = shuffled(len(classes))

    def step() -> None:
        rows = next(batches)
        optimizer.zero_grad()
        loss = loss_of(net(windows[rows]), classes[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        loss.item()  # the usual running loss

    return step


def shuffled(n: int) -> Iterator[Tensor]:
    """Rows of one whole batch after the other, without an end."""
    while True:
        order = torch.randperm(n)
        yield from (order[i : i + BATCH] for i in range(0, n - BATCH + 1, BATCH))
