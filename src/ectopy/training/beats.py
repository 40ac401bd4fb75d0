"""Beats for training, handed out in whole batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightning as L
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from ectopy.beats import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ectopy.data.protocols import BeatSet, Split

VALIDATION_BATCH = 128  # larger activations cost more in page faults than they save
Batch = tuple["Tensor", "Tensor"]


class BeatDataset(Dataset[Batch]):
    """Windows and classes in memory, indexed by a whole batch of rows at once."""

    def __init__(self, beats: BeatSet) -> None:
        self.windows = torch.from_numpy(beats.windows)
        self.classes = torch.from_numpy(beats.classes).long()

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, rows: Tensor) -> Batch:
        return self.windows[rows], self.classes[rows]


class BatchSampler(Sampler["Tensor"]):
    """Rows of each batch, in order and all of them.

    Parameters
    ----------
    n : int
        Rows.
    batch_size : int
        Rows per process and batch.
    rank, world : int
        This process and the number of processes; each takes its share of every batch's rows.
    """

    def __init__(self, n: int, batch_size: int, *, rank: int = 0, world: int = 1) -> None:
        self.n, self.batch_size = n, batch_size
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        return -(-self.n // (self.batch_size * self.world))

    def __iter__(self) -> Iterator[Tensor]:
        order = self.order()
        step = self.batch_size * self.world
        for start in range(0, len(self) * step, step):
            yield order[start : start + step][self.rank :: self.world]

    def order(self) -> Tensor:
        """Rows in the order in which they are handed out."""
        return torch.arange(self.n)


class ShuffledBatchSampler(BatchSampler):
    """Rows shuffled anew each epoch, with a fresh share of the N beats, whole batches only.

    The order is a function of seed and epoch alone, so that a resumed run sees the batches that it
    would have seen.

    Parameters
    ----------
    classes : Tensor of int64, shape (rows,)
    batch_size, rank, world
        As in `BatchSampler`.
    seed : int
    normal_share : float
        Share of the N beats that each epoch takes, in (0, 1].
    """

    def __init__(
        self,
        classes: Tensor,
        batch_size: int,
        *,
        seed: int,
        normal_share: float = 1.0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.normal = torch.nonzero(classes == CLASSES.index("N")).flatten()
        self.others = torch.nonzero(classes != CLASSES.index("N")).flatten()
        self.n_normal = round(len(self.normal) * normal_share)
        self.seed = seed
        self.epoch = 0
        super().__init__(self.n_normal + len(self.others), batch_size, rank=rank, world=world)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch; Lightning calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n // (self.batch_size * self.world)

    def order(self) -> Tensor:
        """Shuffled rows of this epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        chosen = torch.randperm(len(self.normal), generator=generator)[: self.n_normal]
        rows = torch.cat([self.normal[chosen], self.others])
        return rows[torch.randperm(len(rows), generator=generator)]


class BeatData(L.LightningDataModule):
    """Training and validation part of a split.

    Parameters
    ----------
    split : Split
    batch_size : int
        Rows per device and step.
    seed : int
        Decides the order of the beats.
    normal_share : float
        Share of the N beats that each epoch takes.
    """

    def __init__(self, split: Split, *, batch_size: int, seed: int, normal_share: float) -> None:
        super().__init__()
        self.training = BeatDataset(split.train)
        self.validation = BeatDataset(split.validation)
        self.batch_size = batch_size
        self.seed = seed
        self.normal_share = normal_share

    @property
    def class_counts(self) -> Tensor:
        """Training beats of each class, shape (5,)."""
        return torch.bincount(self.training.classes, minlength=len(CLASSES))

    def train_sampler(self, rank: int = 0, world: int = 1) -> ShuffledBatchSampler:
        """Rows of each training batch of one process."""
        return ShuffledBatchSampler(
            self.training.classes,
            self.batch_size,
            seed=self.seed,
            normal_share=self.normal_share,
            rank=rank,
            world=world,
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled batches."""
        sampler = self.train_sampler(*self._place())
        # batch_size=None: the sampler's rows are already a batch, and the data lie in memory.
        return DataLoader(self.training, sampler=sampler, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every validation beat once, in order."""
        rank, world = self._place()
        sampler = BatchSampler(len(self.validation), VALIDATION_BATCH, rank=rank, world=world)
        return DataLoader(self.validation, sampler=sampler, batch_size=None)

    def _place(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
