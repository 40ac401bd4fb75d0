"""The finder's training task: what one step, one validation and one epoch do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lightning as L
import numpy as np
from torch.nn import functional as F

from ectopy.models.contract import FinderContract
from ectopy.models.finder import STRIDE
from ectopy.signal.frames import FRAME_HZ, Rate
from ectopy.signal.matching import MATCH_WINDOW_S, match_beats
from ectopy.signal.picking import pick, select
from ectopy.training.schedule import make_optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from ectopy.models.finder import BeatFinderNet
    from ectopy.training.recipe import FinderRecipe
    from ectopy.training.segments import Batch

_PER_FRAME = Rate(up=1, down=1)
_SUB_FRAMES = 10  # places are matched as whole tenths of a frame
_REFRACTORY_FRAMES = FinderContract().refractory_s * FRAME_HZ


class FinderTask(L.LightningModule):
    """Learn to find beats.

    Parameters
    ----------
    network : BeatFinderNet
    recipe : FinderRecipe
    seed : int
    """

    def __init__(self, network: BeatFinderNet, recipe: FinderRecipe, *, seed: int) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.seed = seed
        self._tally = np.zeros(3, dtype=np.int64)

    def forward(self, frames: Tensor) -> Tensor:
        """Logits and offsets, shape (leads, 2, steps), of levelled frames, (leads, frames)."""
        out: Tensor = self.network(frames)
        return out

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch: is a beat near, and if so, how far away."""
        frames, near, distance, weight = batch
        out = self(frames).float()
        found = F.binary_cross_entropy_with_logits(out[:, 0], near, weight=weight, reduction="sum")
        found = found / weight.sum().clamp_min(1)
        beats = near * weight
        error = F.smooth_l1_loss(out[:, 1], distance, beta=0.25, reduction="none")
        placed = (error * beats).sum() / beats.sum().clamp_min(1)
        loss = found + self.recipe.placing_weight * placed
        self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        self.log("train_placing", placed, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> None:
        """Count missed and made-up beats of one lead."""
        frames, peaks, unsure = batch
        out = self.network.forward(frames[None])[0].float().cpu().numpy()
        found = select(
            pick(out, _PER_FRAME, STRIDE), self.recipe.threshold, _REFRACTORY_FRAMES
        ).positions
        steps = np.rint(found).astype(np.int64).clip(0, len(unsure) - 1)
        doubtful = unsure.cpu().numpy()
        true = peaks.cpu().numpy()
        rows = np.rint(true).astype(np.int64).clip(0, len(doubtful) - 1)
        true, found = true[~doubtful[rows]], found[~doubtful[steps]]
        pairs, _ = match_beats(
            np.rint(true * _SUB_FRAMES).astype(np.int64),
            np.rint(found * _SUB_FRAMES).astype(np.int64),
            MATCH_WINDOW_S * FRAME_HZ * _SUB_FRAMES,
        )
        self._tally += [len(pairs), len(true) - len(pairs), len(found) - len(pairs)]

    def on_validation_epoch_end(self) -> None:
        """Log the sums over all leads."""
        right, missed, made_up = self._tally.tolist()
        self._tally[:] = 0
        total = {"val_missed": missed, "val_made_up": made_up}
        n = max(1, right + missed)
        self.log("val_error", (missed + made_up) / n, prog_bar=True, sync_dist=True)
        for name, value in total.items():
            self.log(name, float(value), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule as the recipe says."""
        return make_optimizer(
            self.network, self.recipe, int(self.trainer.estimated_stepping_batches)
        )
