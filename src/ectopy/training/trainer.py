"""Lightning's trainer, put together for one run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from ectopy.errors import RecipeError
from ectopy.training.callbacks import Checkpoint, EpochLimit, EpochLine, EpochTable, Patience

if TYPE_CHECKING:
    from rich.console import Console

    from ectopy.training.recipe import FinderRecipe, Recipe
    from ectopy.training.rhythm_recipe import RhythmRecipe
    from ectopy.training.settings import RunSettings

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true")
"""Those in which the weights and the positions of augmented samples keep at least 32 bits."""


def make_trainer(
    settings: RunSettings,
    recipe: Recipe | FinderRecipe | RhythmRecipe,
    console: Console,
    *,
    validated: bool = True,
) -> tuple[L.Trainer, Checkpoint]:
    """Put the trainer together; nothing is written before it begins to train.

    Parameters
    ----------
    settings : RunSettings
    recipe : Recipe, FinderRecipe or RhythmRecipe
    console : rich.console.Console
        Where progress is shown.
    validated : bool
        Whether there is a validation part to choose an epoch by; the last one is kept otherwise.

    Returns
    -------
    lightning.Trainer
    Checkpoint
        The callback that keeps the best epoch.

    Raises
    ------
    RecipeError
        If accelerator, devices, strategy or precision are not to be had.
    """
    if settings.precision not in PRECISIONS:
        msg = f"unknown precision {settings.precision!r}; give one of {', '.join(PRECISIONS)}"
        raise RecipeError(msg)
    # Without a validation part the later epoch is the better one.
    monitor = recipe.monitor if validated else "epoch"
    mode = "max" if monitor in ("val_macro_f1", "epoch") else "min"
    best = _checkpoint(settings, "best", monitor=monitor, mode=mode)
    callbacks: list[Callback] = [
        EpochTable(settings.out / "logs" / "metrics.csv"),
        RichProgressBar() if console.is_terminal else EpochLine(console),
        best,
        # Its own callback, because `save_last` writes only in epochs that are the best so far; at
        # the end of the epoch and after `best`, so that it holds the final state of all the others.
        _checkpoint(settings, "last"),
    ]
    if validated:
        callbacks.insert(1, Patience(monitor=monitor, mode=mode, patience=recipe.patience))
    if settings.limit_epochs is not None:
        callbacks.append(EpochLimit(settings.limit_epochs))
    if recipe.ema_decay > 0:
        callbacks.append(EMAWeightAveraging(decay=recipe.ema_decay))
    try:
        trainer = L.Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            strategy=settings.strategy,
            precision=settings.precision,  # type: ignore[arg-type]  # checked above
            max_epochs=recipe.max_epochs,
            gradient_clip_val=recipe.gradient_clip,
            callbacks=callbacks,
            logger=TensorBoardLogger(settings.out, name="", version="tensorboard"),
            deterministic=True,
            use_distributed_sampler=False,  # BatchSampler shares the rows out itself
            enable_model_summary=False,
            enable_progress_bar=console.is_terminal,
            num_sanity_val_steps=0,
            limit_val_batches=1.0 if validated else 0,
            log_every_n_steps=0,  # everything is logged by epoch
        )
    except (MisconfigurationException, ImportError, RuntimeError, TypeError, ValueError) as error:
        raise _refused(settings, error) from error
    return trainer, best


def can_compile(trainer: L.Trainer) -> bool:
    """`torch.compile` needs a C++ compiler for the CPU and brings its own for a GPU."""
    on_cpu = trainer.strategy.root_device.type == "cpu"
    return not on_cpu or any(shutil.which(name) for name in ("g++", "clang++", "c++"))


def _checkpoint(
    settings: RunSettings, name: str, *, monitor: str | None = None, mode: str = "min"
) -> Checkpoint:
    return Checkpoint(
        settings.out / "checkpoints",
        filename=name,
        monitor=monitor,
        mode=mode,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )


def _refused(settings: RunSettings, error: Exception) -> RecipeError:
    """Lightning's reason, which does not always name the value, on one line with the values."""
    names = ("accelerator", "devices", "strategy", "precision")
    values = ", ".join(f"{name} {getattr(settings, name)!r}" for name in names)
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".!")
    msg = f"cannot train with {values}: {reason}"
    return RecipeError(msg + "; give what this machine has, or leave these options out")
