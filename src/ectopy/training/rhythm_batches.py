"""Batches for rhythm models: real and made-up beats, disturbed as electrodes would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ectopy.beats import CLASSES
from ectopy.data.protocols import PACED
from ectopy.errors import RecipeError
from ectopy.signal.typical import AFTER, BEFORE, QRS
from ectopy.training.augment import FS, SMOOTHING
from ectopy.training.beats import VALIDATION_BATCH, BatchSampler
from ectopy.training.dressing import Dressed, Dresser
from ectopy.training.rhythm_beats import ABERRATED, MARGIN
from ectopy.training.segments import SeedSampler
from ectopy.training.waves import height

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from ectopy.training.rhythm_beats import RhythmBeats
    from ectopy.training.rhythm_recipe import DisturbSettings, RhythmRecipe
    from ectopy.training.rhythms import RhythmPool

Batch = tuple["Tensor", "Tensor", "Tensor"]
"""Shapes (beats, 3, 256), rhythm features (beats, 23), classes (beats,)."""

LENGTH = BEFORE + AFTER
MOST_SHIFT = 6.0


class RhythmDataset(Dataset[Batch]):
    """Batches of random beats; each is a function of its seeds alone.

    Parameters
    ----------
    beats : RhythmBeats
    rows : ndarray of int64
        Beats of the training part.
    pool : RhythmPool or None
        Not needed where nothing is made up.
    recipe : RhythmRecipe

    Raises
    ------
    RecipeError
        If only beats of classes are to be made up that cannot be, or there are no rhythms for it.
    """

    def __init__(
        self,
        beats: RhythmBeats,
        rows: NDArray[np.int64],
        pool: RhythmPool | None,
        recipe: RhythmRecipe,
    ) -> None:
        self.beats, self.recipe = beats, recipe
        if not recipe.aberrated:
            rows = rows[beats.symbols[rows] != ABERRATED]
        self.rows = rows
        self.dresser = self._dresser(pool) if recipe.made_up_beats else None
        record = beats.inputs.piece[rows]
        kind = record * len(CLASSES) + beats.classes[rows]
        weight = np.bincount(kind)[kind].astype(np.float64) ** -recipe.flatten
        paced = np.array([name in PACED for name in beats.records])
        weight[paced[record]] *= recipe.paced_share
        self._cumulative = np.cumsum(weight / weight.sum())

    def _dresser(self, pool: RhythmPool | None) -> Dresser:
        if pool is None:
            msg = "made_up_share is above 0, but there are no made-up rhythms; give a pool"
            raise RecipeError(msg)
        dresser = Dresser(self.beats, self.rows, pool, self.recipe.dress)
        if not dresser.shares.any():
            names = ", ".join(CLASSES[c] for c in dresser.makes)
            msg = "recipe value dress: none of the classes that its shares ask for can be made up "
            raise RecipeError(msg + f"of these records; expected a share above 0 of: {names}")
        return dresser

    def __getitem__(self, seeds: tuple[int, ...]) -> Batch:
        rng = np.random.default_rng(seeds)
        n_made = self.recipe.made_up_beats
        parts = [self._real(self.recipe.batch_size - n_made, rng)]
        if self.dresser is not None:
            parts.append(self.dresser.draw(n_made, rng))
        joined = Dressed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        shapes = disturb(joined, self.recipe.disturb, rng)
        return (
            torch.from_numpy(shapes),
            torch.from_numpy(joined.rhythm),
            torch.from_numpy(joined.classes),
        )

    def _real(self, n: int, rng: Generator) -> Dressed:
        place = np.searchsorted(self._cumulative, rng.random(n)).clip(0, len(self.rows) - 1)
        rows, inputs = self.rows[place], self.beats.inputs
        return Dressed(
            inputs.windows[rows],
            inputs.overall[inputs.piece[rows]],
            inputs.local[inputs.block[rows]],
            inputs.rhythm[rows],
            self.beats.classes[rows],
        )


def disturb(beats: Dressed, settings: DisturbSettings, rng: Generator) -> NDArray[np.float32]:
    """Move, stretch and disturb windows at random, and cut the margin off.

    Parameters
    ----------
    beats : Dressed
        Windows of shape (beats, 320).
    settings : DisturbSettings
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (beats, 3, 256)
        Beat, overall and local typical beat, each less its mean. Typical beats are means of many
        and get no noise.
    """
    n = len(beats.classes)
    speed = np.exp(settings.stretch * rng.standard_normal(n))
    own = speed * np.exp(settings.own_stretch * rng.standard_normal(n))
    shift = (settings.shift * rng.standard_normal(n)).round().clip(-MOST_SHIFT, MOST_SHIFT)
    beat = _stretched(beats.beat, own, shift)
    overall, local = (_stretched(b, speed, np.zeros(n)) for b in (beats.overall, beats.local))
    size = height(overall[:, BEFORE + QRS.start : BEFORE + QRS.stop]) + np.float32(0.01)
    seconds = np.arange(LENGTH) / FS
    level = np.exp(np.log(settings.noise_height + 1e-9) + 0.8 * rng.standard_normal((n, 1)))
    wander = settings.wander_height * rng.standard_normal((n, 1))
    wander = wander * _sine(rng.uniform(0.1, 1.3, (n, 1)), seconds, rng)
    mains = settings.mains_height * rng.random((n, 1))
    mains = mains * _sine(np.where(rng.random((n, 1)) < 0.5, 50.0, 60.0), seconds, rng)
    added = (
        _noise(n, rng) * level * (rng.random((n, 1)) < settings.noise)
        + wander * (rng.random((n, 1)) < settings.wander)
        + mains * (rng.random((n, 1)) < settings.mains)
    )
    gain = np.exp(settings.gain * rng.standard_normal((n, 1)))
    shapes = np.stack([(beat + size * added) * gain, overall, local], axis=1)
    shapes *= np.where(rng.random((n, 1, 1)) < settings.invert, -1, 1)
    return np.asarray(shapes - shapes.mean(axis=-1, keepdims=True), dtype=np.float32)


def _stretched(
    windows: NDArray[np.float32], speed: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Stretch about the peak and shift, by linear interpolation, and cut to the length."""
    offset = np.arange(LENGTH) - BEFORE
    place = offset * speed[:, None] + (BEFORE + MARGIN + shift)[:, None]
    place = place.clip(0, windows.shape[1] - 1.001)
    left = place.astype(np.int64)
    part = (place - left).astype(np.float32)
    low = np.take_along_axis(windows, left, axis=1)
    return low + part * (np.take_along_axis(windows, left + 1, axis=1) - low)


def _sine(
    hz: NDArray[np.float64], seconds: NDArray[np.float64], rng: Generator
) -> NDArray[np.float64]:
    return np.asarray(np.sin(2 * np.pi * (hz * seconds + rng.random((len(hz), 1)))))


def _noise(n: int, rng: Generator) -> NDArray[np.float32]:
    """White noise for half of the windows, smoothed noise for the others, of SD 1."""
    white = rng.standard_normal((n, LENGTH + SMOOTHING - 1), dtype=np.float32)
    total = np.cumsum(np.pad(white, ((0, 0), (1, 0))), axis=1)
    smooth = (total[:, SMOOTHING:] - total[:, :-SMOOTHING]) / np.sqrt(np.float32(SMOOTHING))
    return np.where(rng.random((n, 1)) < 0.5, white[:, :LENGTH], smooth)


class KnownBeats(Dataset[Batch]):
    """Undisturbed beats to validate on, indexed by a whole batch of rows at once."""

    def __init__(self, beats: RhythmBeats, rows: NDArray[np.int64]) -> None:
        self.beats, self.rows = beats, rows
        self.classes = beats.classes[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Tensor) -> Batch:
        rows = self.rows[places.numpy()]
        inputs = self.beats.inputs
        shapes = inputs.shapes(rows)[..., MARGIN:-MARGIN]
        shapes = shapes - shapes.mean(axis=-1, keepdims=True)
        return (
            torch.from_numpy(shapes),
            torch.from_numpy(inputs.rhythm[rows]),
            torch.from_numpy(self.beats.classes[rows]),
        )


class RhythmData(L.LightningDataModule):
    """Random beats to train on, known ones to validate on.

    Parameters
    ----------
    training : RhythmDataset
    validation : KnownBeats
        May be empty.
    n_batches : int
        Batches of an epoch.
    seed : int
    """

    def __init__(
        self, training: RhythmDataset, validation: KnownBeats, *, n_batches: int, seed: int
    ) -> None:
        super().__init__()
        self.training, self.validation = training, validation
        self.n_batches, self.seed = n_batches, seed

    def train_dataloader(self) -> DataLoader[Batch]:
        """Random batches."""
        rank = self.trainer.global_rank if self.trainer else 0
        sampler = SeedSampler(self.seed, self.n_batches, rank=rank)
        return DataLoader(self.training, sampler=sampler, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Every validation beat once, in order."""
        rank, world = (
            (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        )
        sampler = BatchSampler(len(self.validation), VALIDATION_BATCH, rank=rank, world=world)
        return DataLoader(self.validation, sampler=sampler, batch_size=None)
