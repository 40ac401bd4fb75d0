"""Steps of training in turn, for a handful of beats and without compiling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import training_rounds as rounds
from training_epochs import EpochClock

from ectopy.data.protocols import BeatSet, Split
from ectopy.training.recipe import Recipe
from ectopy.training.recipe_files import load_recipe


@pytest.fixture(scope="module")
def split():
    rng, n = np.random.default_rng(0), 400
    windows = rng.standard_normal((n, 256 + 2 * rounds.MARGIN), dtype=np.float32)
    classes = np.arange(n, dtype=np.int8) % 5
    windows += classes[:, None] * np.sin(np.arange(windows.shape[1]) / 9)
    beats = BeatSet(windows, classes, np.full(n, "noise"), np.arange(n), rounds.MARGIN)
    return Split(beats, beats, beats)


@pytest.mark.slow
def test_turns_are_taken(split, monkeypatch):
    monkeypatch.setattr(rounds, "can_compile", lambda trainer: False)
    others: list[bool] = []

    def other() -> None:
        others.append(torch.are_deterministic_algorithms_enabled())

    turns = rounds.TurnTaking(2, 3, other)
    with rounds.as_usual():
        epoch_beats = rounds.run_trainer("cnn-mlp", load_recipe("cnn-intra", Recipe), split, turns)
    assert epoch_beats == 16 + 320  # a fifth of the N beats, and all others
    assert len(turns.ours) == len(turns.theirs) == 3
    assert min(turns.ours) > 0
    assert others == [False] * 8  # two steps in three rounds and before, under usual settings
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.slow
def test_the_baseline_learns(split):
    torch.manual_seed(0)
    losses = []
    cross_entropy = torch.nn.functional.cross_entropy

    def noted(*args, **kwargs):
        losses.append(cross_entropy(*args, **kwargs))
        return losses[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "cross_entropy", noted)
        step = rounds.baseline_step(split)
        for _ in range(12):
            step()
    assert len(losses) == 12
    assert losses[-1] < 0.8 * losses[0]


def test_whole_batches_of_other_beats_each_time():
    batches = rounds.shuffled(300)
    first, second = next(batches), next(batches)
    assert len(torch.cat([first, second]).unique()) == 256
    assert len(next(batches)) == 128


def test_a_clock_stops_where_it_is_good_enough():
    class Trainer:
        current_epoch, should_stop = 0, False
        callback_metrics = {"val_macro_f1": torch.tensor(0.8)}  # noqa: RUF012

    clock, trainer = EpochClock(0.9), Trainer()
    clock.on_train_start(trainer, None)
    clock.on_train_epoch_end(trainer, None)
    assert not trainer.should_stop
    trainer.current_epoch, trainer.callback_metrics = 1, {"val_macro_f1": torch.tensor(0.95)}
    clock.on_train_epoch_end(trainer, None)
    assert trainer.should_stop
    assert [row["epoch"] for row in clock.rows] == [1, 2]
    assert clock.rows[1]["seconds"] == pytest.approx(sum(r["epoch_s"] for r in clock.rows))
