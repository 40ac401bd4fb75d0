"""The training task: what one step, one validation and one epoch do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lightning as L
import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ectopy.beats import CLASSES
from ectopy.evaluation.metrics import score_classes
from ectopy.training.augment import augment, crop, zscore
from ectopy.training.schedule import make_optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from ectopy.models.beat_model import BeatModel
    from ectopy.training.recipe import Recipe
    from ectopy.training.rhythm_recipe import RhythmRecipe

Batch = tuple["Tensor", "Tensor"]


def prepare_windows(windows: Tensor, margin: int) -> Tensor:
    """Make what a network takes of windows in mV, as inference does.

    Parameters
    ----------
    windows : Tensor, shape (beats, n + 2 * margin)
    margin : int
        Spare samples on each side.

    Returns
    -------
    Tensor, shape (beats, 1, n)
    """
    return zscore(crop(windows, margin)).unsqueeze(1)


class ClassTask(L.LightningModule):
    """What the tasks of all models that class beats share: validation, optimiser, seeds.

    Parameters
    ----------
    network : BeatModel
    recipe : Recipe or RhythmRecipe
    class_weights : Tensor, shape (5,)
        Weights of the classes in the loss.
    seed : int
        With the epoch, it decides dropout and augmentation.
    """

    class_weights: Tensor

    def __init__(
        self, network: BeatModel, recipe: Recipe | RhythmRecipe, class_weights: Tensor, seed: int
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.seed = seed
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._validated: list[Batch] = []

    def inputs(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Make what the network takes of a batch, undisturbed; its last part are the classes."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits, shape (beats, 5)."""
        logits: Tensor = self.network(*inputs)
        return logits

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed by epoch, so that a resumed run draws what the uninterrupted one would have.

        Before the first step rather than at the epoch's start: in between, the loader's iterator
        may draw a number of its own, and whether it does differs in a resumed run.
        """
        if batch_idx == 0:
            torch.manual_seed((self.seed * 1_000_003 + self.current_epoch) * 997 + self.global_rank)

    def validation_step(self, batch: tuple[Tensor, ...], batch_idx: int) -> None:
        """Keep the logits of one batch."""
        # `forward` itself: compiling the network again for evaluation costs more than it saves.
        logits = self.network.forward(*self.inputs(batch))
        self._validated.append((self._full(logits), batch[-1]))

    def on_validation_epoch_end(self) -> None:
        """Score the whole validation part at once, across all devices."""
        logits = torch.cat([logits for logits, _ in self._validated])
        classes = torch.cat([classes for _, classes in self._validated])
        self._validated.clear()
        if self.trainer.world_size > 1:
            logits, classes = self._gather(logits), self._gather(classes)
        loss = F.cross_entropy(logits, classes, weight=self.class_weights)
        scores = score_classes(
            classes.cpu().numpy(), logits.float().softmax(1).cpu().numpy(), with_auc=False
        )
        self.log("val_loss", loss, prog_bar=True, sync_dist=True)
        self.log("val_accuracy", scores["accuracy"], sync_dist=True)
        self.log("val_macro_f1", scores["macro_f1"], prog_bar=True, sync_dist=True)
        for name, one in scores["per_class"].items():
            self.log(f"val_f1_{name}", one["f1"], sync_dist=True)
        schedule = self.lr_schedulers()
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(float(loss))

    def _full(self, logits: Tensor) -> Tensor:
        """Logits in the precision of the class weights: mixed precision gives half of it."""
        return logits.to(self.class_weights.dtype)

    def _gather(self, part: Tensor) -> Tensor:
        """Join the rows of all processes, which may have one row more or less each."""
        lengths = torch.as_tensor(self.all_gather(torch.tensor(len(part), device=part.device)))
        padded = part.new_zeros(int(lengths.max()), *part.shape[1:])
        padded[: len(part)] = part
        gathered = torch.as_tensor(self.all_gather(padded))
        return torch.cat([rows[:n] for rows, n in zip(gathered, lengths.tolist(), strict=True)])

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Step the cycle; the plateau has had its step at the end of validation.

        Lightning's own turn for it comes after the epoch's checkpoint is written, so that a resumed
        run would miss it.
        """
        if not isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step()

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule as the recipe says."""
        return make_optimizer(
            self.network, self.recipe, int(self.trainer.estimated_stepping_batches)
        )


class BeatTask(ClassTask):
    """Classify single beats.

    Parameters
    ----------
    network : BeatModel
    recipe : Recipe
    class_counts : Tensor, shape (5,)
        Training beats of each class.
    margin : int
        Spare samples on each side of the windows that come in.
    seed : int
        With the epoch, it decides dropout and augmentation.
    """

    recipe: Recipe
    training_weights: Tensor

    def __init__(
        self,
        network: BeatModel,
        recipe: Recipe,
        *,
        class_counts: Tensor,
        margin: int,
        seed: int,
    ) -> None:
        weights = class_counts.sum() / (len(class_counts) * class_counts.clamp_min(1))
        weights = weights.pow(recipe.loss.balance)
        super().__init__(network, recipe, weights, seed)
        self.margin = margin
        self.register_buffer("training_weights", weights.clone(), persistent=False)
        self.training_weights[CLASSES.index("N")] /= recipe.normal_share

    def inputs(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Z-scored windows, shape (beats, 1, 256)."""
        return (prepare_windows(batch[0], self.margin),)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one augmented batch."""
        windows, classes = batch
        if self.recipe.augment.probability > 0:
            z = augment(windows, self.margin, self.recipe.augment).unsqueeze(1)
        else:
            z = prepare_windows(windows, self.margin)
        logits = self._full(self(z))
        loss = F.cross_entropy(
            logits,
            classes,
            weight=self.training_weights,
            label_smoothing=self.recipe.loss.label_smoothing,
        )
        self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        return loss
