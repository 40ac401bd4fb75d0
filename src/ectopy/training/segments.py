"""Segments of leads for training the beat finder, handed out in whole batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from ectopy.models.finder import STRIDE
from ectopy.signal.frames import FRAME_HZ, level_frames
from ectopy.signal.picking import REACH
from ectopy.training.distort import Segment, distort

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from ectopy.training.leads import Leads
    from ectopy.training.noises import RecordedNoise
    from ectopy.training.recipe import FinderRecipe

Batch = tuple["Tensor", "Tensor", "Tensor", "Tensor"]

_FIRST_LEAD_SHARE = 0.6
_STRETCH = (0.72, 1.4)
_BEYOND = round(0.25 * FRAME_HZ)


def draw_segment(
    leads: Sequence[Leads],
    simulated: Sequence[Leads],
    noise: Mapping[str, RecordedNoise],
    recipe: FinderRecipe,
    rng: Generator,
) -> Segment:
    """Cut a random stretch out of a random recording, and distort it.

    The lead is one of the two or a mixture of both, as if the electrodes lay elsewhere, and time
    may run faster or slower.

    Parameters
    ----------
    leads, simulated : sequence of Leads
    noise : mapping of str to RecordedNoise
    recipe : FinderRecipe
    rng : numpy.random.Generator
    """
    pool = simulated if simulated and rng.random() < recipe.simulated_share else leads
    source = pool[int(rng.integers(len(pool)))]
    settings = recipe.distort
    n = round(recipe.segment_s * FRAME_HZ / STRIDE) * STRIDE  # whole steps of the network
    speed = 1.0
    if rng.random() < settings.stretch:
        speed = float(np.exp(rng.uniform(*np.log(_STRETCH))))
    n_read = int(n * speed) + 2
    latest = source.frames.shape[1] - n_read
    start = int(rng.integers(0, latest))
    if len(source.ectopic) and rng.random() < recipe.ectopic_share:
        ectopic = source.ectopic[rng.integers(len(source.ectopic))]
        start = int(np.clip(ectopic - rng.uniform(0.1, 0.9) * n_read, 0, latest))
    both = source.frames[:, start : start + n_read]
    if rng.random() < settings.mix:
        angle = rng.uniform(0, 2 * np.pi)
        frames = np.cos(angle) * both[0] + np.sin(angle) * both[1]
    else:
        frames = both[0 if rng.random() < _FIRST_LEAD_SHARE else 1]
    times = np.arange(n) * speed
    first, last = np.searchsorted(source.peaks, [start - _BEYOND, start + n_read + _BEYOND])
    segment = Segment(
        frames=np.interp(times, np.arange(n_read), frames).astype(np.float32),
        peaks=(source.peaks[first:last] - start) / speed,
        unsure=source.unsure[start + times.astype(np.int64)],
        lost=np.zeros(n, dtype=np.bool_),
    )
    return distort(segment, noise, settings, rng)


def targets(
    peaks: NDArray[np.float64], n_steps: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Say whether a beat lies within 1.5 steps, and how far away, as the network should.

    Parameters
    ----------
    peaks : ndarray of float64, shape (beats,)
        Places of the beats in frames.
    n_steps : int

    Returns
    -------
    near : ndarray of float32, shape (n_steps,)
        1 or 0.
    distance : ndarray of float32, shape (n_steps,)
        In steps, from the step to the beat; 0 where there is none.
    """
    places = peaks / STRIDE
    steps = np.floor(places + 0.5).astype(np.int64)[:, None] + np.arange(-REACH, REACH + 1)
    distances = places[:, None] - steps
    inside = (steps >= 0) & (steps < n_steps)
    near, distance = np.zeros(n_steps, np.float32), np.zeros(n_steps, np.float32)
    near[steps[inside]] = 1
    distance[steps[inside]] = distances[inside]
    return near, distance


def make_batch(segments: Sequence[Segment]) -> Batch:
    """Levelled frames, targets and weights of some segments.

    Returns
    -------
    frames : Tensor of float32, shape (segments, frames)
    near, distance, weight : Tensor of float32, shape (segments, steps)
        As `targets` gives them; the weight is 0 where nobody can say.
    """
    lost = np.stack([segment.lost for segment in segments])
    frames = level_frames(
        np.stack([segment.frames for segment in segments]), lost if lost.any() else None
    )
    n_steps = frames.shape[1] // STRIDE
    near, distance = zip(*(targets(s.peaks, n_steps) for s in segments), strict=True)
    sure = np.stack([~s.unsure[::STRIDE][:n_steps] for s in segments])
    return (
        torch.from_numpy(frames),
        torch.from_numpy(np.stack(near)),
        torch.from_numpy(np.stack(distance)),
        torch.from_numpy(sure.astype(np.float32)),
    )


class SegmentDataset(Dataset[Batch]):
    """Batches of random segments; each is a function of its seeds alone.

    Parameters
    ----------
    leads, simulated : sequence of Leads
    noise : mapping of str to RecordedNoise
    recipe : FinderRecipe
    """

    def __init__(
        self,
        leads: Sequence[Leads],
        simulated: Sequence[Leads],
        noise: Mapping[str, RecordedNoise],
        recipe: FinderRecipe,
    ) -> None:
        self.leads, self.simulated, self.noise, self.recipe = leads, simulated, noise, recipe

    def __getitem__(self, seeds: tuple[int, ...]) -> Batch:
        rng = np.random.default_rng(seeds)
        return make_batch(
            [
                draw_segment(self.leads, self.simulated, self.noise, self.recipe, rng)
                for _ in range(self.recipe.batch_size)
            ]
        )


class SeedSampler(Sampler[tuple[int, ...]]):
    """Seeds of each batch of an epoch, so that a resumed run draws what it would have drawn.

    Parameters
    ----------
    seed : int
    n_batches : int
        Batches of an epoch and process.
    rank : int
        This process.
    """

    def __init__(self, seed: int, n_batches: int, *, rank: int = 0) -> None:
        self.seed, self.n_batches, self.rank = seed, n_batches, rank
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the batches of this epoch; Lightning calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for batch in range(self.n_batches):
            yield (self.seed, self.epoch, batch, self.rank)


class HeldOutLeads(Dataset[tuple["Tensor", "Tensor", "Tensor"]]):
    """Whole leads of patients that are not trained on: frames, places of beats, unsure frames."""

    def __init__(self, leads: Sequence[Leads]) -> None:
        self.leads = leads

    def __len__(self) -> int:
        return 2 * len(self.leads)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        lead = self.leads[index // 2]
        frames = lead.frames[index % 2]
        padded = np.pad(frames, (0, -len(frames) % STRIDE), mode="edge")
        return (
            torch.from_numpy(level_frames(padded)),
            torch.from_numpy(lead.peaks),
            torch.from_numpy(lead.unsure),
        )


class SegmentData(L.LightningDataModule):
    """Random segments to train on, and whole leads to validate on.

    Parameters
    ----------
    training : SegmentDataset
    held_out : sequence of Leads
        Of patients that are not trained on; may be empty.
    n_batches : int
        Batches of an epoch.
    seed : int
    """

    def __init__(
        self, training: SegmentDataset, held_out: Sequence[Leads], *, n_batches: int, seed: int
    ) -> None:
        super().__init__()
        self.training, self.held_out = training, HeldOutLeads(held_out)
        self.n_batches, self.seed = n_batches, seed

    def train_dataloader(self) -> DataLoader[Batch]:
        """Random batches."""
        rank = self.trainer.global_rank if self.trainer else 0
        sampler = SeedSampler(self.seed, self.n_batches, rank=rank)
        return DataLoader(self.training, sampler=sampler, batch_size=None)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor, Tensor]]:
        """Every lead of the patients held out, one at a time."""
        return DataLoader(self.held_out, batch_size=None, shuffle=False)
