"""One step of the beat finder's training, and how missed and made-up beats are counted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ectopy.models.finder import STRIDE, BeatFinderNet
from ectopy.training.finder_task import FinderTask
from ectopy.training.recipe import FinderRecipe, OptimizerSettings, ScheduleSettings
from ectopy.training.segments import targets

N_STEPS = 60


def task(network: nn.Module | None = None, **settings) -> FinderTask:
    torch.manual_seed(0)
    made = FinderTask(
        network or BeatFinderNet(width=4, dilations=[1]),
        FinderRecipe("test", "A test.", **settings),
        seed=1,
    )
    made.logged = {}

    def log(name: str, value: torch.Tensor | float, **_: object) -> None:
        made.logged[name] = torch.as_tensor(value).item()

    made.log = log  # there is no trainer to log to
    return made


def batch(n: int = 4) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(0)
    near, distance = zip(
        *(targets(np.arange(20.0, 240, 50) + rng.uniform(-8, 8), N_STEPS) for _ in range(n)),
        strict=True,
    )
    weight = torch.ones(n, N_STEPS)
    weight[:, 20:30] = 0
    frames = torch.randn(n, N_STEPS * STRIDE, generator=torch.Generator().manual_seed(2))
    return frames, torch.tensor(np.stack(near)), torch.tensor(np.stack(distance)), weight


class Says(nn.Module):
    """Says of every lead what it was told to say, whatever the frames."""

    def __init__(self, peaks: list[float], n_steps: int = N_STEPS) -> None:
        super().__init__()
        near, distance = targets(np.array(peaks, dtype=np.float64), n_steps)
        self.out = torch.tensor(np.stack([np.where(near, 9, -9), distance]), dtype=torch.float32)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.out.expand(len(frames), -1, -1)


def count(
    said: list[float], true: list[float], unsure: tuple[int, int] = (0, 0), **settings
) -> dict[str, float]:
    made = task(Says(said), **settings)
    doubtful = torch.zeros(N_STEPS * STRIDE, dtype=torch.bool)
    doubtful[slice(*unsure)] = True
    lead = (torch.zeros(N_STEPS * STRIDE), torch.tensor(true, dtype=torch.float64), doubtful)
    made.validation_step(lead, 0)
    made.on_validation_epoch_end()
    return made.logged


def test_forward_is_the_network():
    made = task().eval()
    frames = batch()[0]
    assert torch.equal(made(frames), made.network(frames))


def test_loss():
    made = task(placing_weight=0.3)
    frames, near, distance, weight = batch()
    found = made.training_step((frames, near, distance, weight), 0)
    out = made.network(frames)
    sure = weight.bool()
    there = F.binary_cross_entropy_with_logits(out[:, 0][sure], near[sure])
    beats = sure & near.bool()
    where = F.smooth_l1_loss(out[:, 1][beats], distance[beats], beta=0.25)
    torch.testing.assert_close(found, there + 0.3 * where)
    assert made.logged["train_loss"] == pytest.approx(found.item())
    assert made.logged["train_placing"] == pytest.approx(where.item())


def test_what_nobody_can_say_is_not_learned():
    made = task().eval()
    frames, near, distance, weight = batch()
    plain = made.training_step((frames, near, distance, weight), 0)
    other = near.clone(), distance.clone()
    other[0][:, 20:30] = 1 - near[:, 20:30]
    other[1][:, 20:30] = 7
    assert torch.equal(made.training_step((frames, *other, weight), 0), plain)
    other[0][:, 40] = 1 - near[:, 40]
    assert not torch.equal(made.training_step((frames, *other, weight), 0), plain)


def test_a_batch_of_which_nobody_can_say_anything():
    frames, near, distance, weight = batch()
    loss = task().training_step((frames, near, distance, torch.zeros_like(weight)), 0)
    assert loss.item() == 0
    loss.backward()


def test_a_batch_without_beats():
    made = task()
    frames, near, distance, weight = batch()
    loss = made.training_step((frames, near * 0, distance * 0, weight), 0)
    assert 0 < loss.item() < 5
    assert made.logged["train_placing"] == 0


def test_a_perfect_finder():
    beats = [20.0, 61.7, 100.2, 171.9]
    assert count(beats, beats) == {"val_error": 0, "val_missed": 0, "val_made_up": 0}


@pytest.mark.parametrize(
    ("said", "missed", "made_up"),
    [
        ([20, 60, 100], 1, 0),
        ([20, 60, 100, 140, 200], 0, 1),
        ([], 4, 0),
        ([20, 60, 100, 158.4], 1, 1),  # 18.4 frames away; the window is 150 ms, 18 frames
        ([20, 60, 100, 157.6], 0, 0),
    ],
)
def test_missed_and_made_up_beats(said, missed, made_up):
    assert count(said, [20, 60, 100, 140]) == {
        "val_error": (missed + made_up) / 4,
        "val_missed": missed,
        "val_made_up": made_up,
    }


def test_beats_where_nobody_can_say_do_not_count():
    beats = [20, 60, 100, 140]
    assert count([20, 70, 140], beats, unsure=(50, 110))["val_error"] == 0
    assert count([20, 140], beats, unsure=(50, 110))["val_error"] == 0
    assert count([20, 60, 75, 100, 140], beats, unsure=(70, 80))["val_error"] == 0


def test_beats_beyond_the_end_are_not_out_of_range():
    assert count([20, 237], [-3, 20, 239.9, 243])["val_missed"] == 2


def test_the_threshold_is_that_of_the_recipe():
    made = {}
    for threshold in (0.3, 0.5):
        network = Says([100])
        network.out[0, network.out[0] > 0] = -0.4  # 0.4 each
        one = task(network, threshold=threshold)
        lead = (torch.zeros(240), torch.tensor([100.0]), torch.zeros(240, dtype=torch.bool))
        one.validation_step(lead, 0)
        one.on_validation_epoch_end()
        made[threshold] = one.logged["val_missed"]
    assert made == {0.3: 0, 0.5: 1}


def test_leads_are_added_up_and_forgotten_after_the_epoch():
    made = task(Says([20, 60, 100]))
    sure = torch.zeros(240, dtype=torch.bool)
    for true in ([20.0, 60.0, 100.0], [20.0, 60.0], [20.0, 60.0, 100.0, 150.0]):
        made.validation_step((torch.zeros(240), torch.tensor(true), sure), 0)
    made.on_validation_epoch_end()
    assert made.logged == {"val_error": pytest.approx(2 / 9), "val_missed": 1, "val_made_up": 1}
    made.validation_step((torch.zeros(240), torch.tensor([20.0, 60.0, 100.0]), sure), 0)
    made.on_validation_epoch_end()
    assert made.logged["val_error"] == 0


def test_leads_without_beats():
    assert count([], []) == {"val_error": 0, "val_missed": 0, "val_made_up": 0}
    assert count([50], [])["val_made_up"] == 1


def test_optimizer_and_schedule():
    made = task(
        optimizer=OptimizerSettings(name="adamw", lr=0.3, weight_decay=0.2),
        schedule=ScheduleSettings(name="one-cycle", warmup=0.4),
    )
    made._trainer = SimpleNamespace(estimated_stepping_batches=10)
    found = made.configure_optimizers()
    optimizer, cycle = found["optimizer"], found["lr_scheduler"]["scheduler"]
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.defaults["weight_decay"] == 0.2
    rates = []
    for _ in range(10):
        rates.append(cycle.get_last_lr()[0])
        optimizer.step()
        cycle.step()
    assert rates.index(max(rates)) == 3
    assert max(rates) == pytest.approx(0.3)
    assert rates[-1] < 1e-5
