"""Optimiser and learning-rate schedule as a recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

if TYPE_CHECKING:
    from torch import nn

    from ectopy.training.recipe import FinderRecipe, Recipe
    from ectopy.training.rhythm_recipe import RhythmRecipe


def make_optimizer(
    network: nn.Module, recipe: Recipe | FinderRecipe | RhythmRecipe, n_steps: int
) -> Any:
    """Put optimiser and schedule together, in the form that Lightning takes.

    Parameters
    ----------
    network : Module
    recipe : Recipe, FinderRecipe or RhythmRecipe
    n_steps : int
        Steps of the whole run.
    """
    settings, schedule = recipe.optimizer, recipe.schedule
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    optimizer = kind(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    if schedule.name == "plateau":
        plateau = ReduceLROnPlateau(optimizer, factor=schedule.factor, patience=schedule.patience)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"},
        }
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=settings.lr,
        total_steps=n_steps,
        # PyTorch divides by warmup * steps - 1; a rise of one step is none.
        pct_start=schedule.warmup if schedule.warmup * n_steps > 1 else 0.0,
        cycle_momentum=False,
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}
