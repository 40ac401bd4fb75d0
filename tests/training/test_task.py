"""One step and its loss."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ectopy.models import create_model
from ectopy.signal import windows as preprocessing
from ectopy.training.recipe import (
    AugmentSettings,
    LossSettings,
    OptimizerSettings,
    Recipe,
    ScheduleSettings,
)
from ectopy.training.task import BeatTask

COUNTS = torch.tensor([800, 50, 100, 50, 0])


def task(**settings) -> BeatTask:
    recipe = Recipe("test", "A test.", **settings)
    torch.manual_seed(0)
    network = create_model("cnn-mlp", {"dropouts": [0.0] * 4, "head_dropouts": [0.0, 0.0]})
    made = BeatTask(network, recipe, class_counts=COUNTS, margin=32, seed=1)
    made.log = lambda *_, **__: None  # there is no trainer to log to
    return made


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(24, 320, generator=generator), torch.arange(24) % 5


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (0.0, [1.0, 1.0, 1.0, 1.0, 1.0]),
        (1.0, [0.25, 4.0, 2.0, 4.0, 200.0]),  # n / (5 n_c); a class without beats counts as one
        (0.5, [0.5, 2.0, 2.0**0.5, 2.0, 200.0**0.5]),
    ],
)
def test_weights_of_the_classes(balance, expected):
    made = task(loss=LossSettings(balance=balance))
    torch.testing.assert_close(made.class_weights, torch.tensor(expected))
    torch.testing.assert_close(made.training_weights, torch.tensor(expected))


def test_normal_beats_that_are_left_out_are_made_up_for():
    made = task(normal_share=0.25)
    assert made.class_weights.tolist() == [1, 1, 1, 1, 1]
    assert made.training_weights.tolist() == [4, 1, 1, 1, 1]


def test_weights_are_no_part_of_a_checkpoint():
    assert all(name.startswith("network.") for name in task().state_dict())


def test_loss_of_a_plain_batch():
    made = task(normal_share=0.5, loss=LossSettings(balance=1.0, label_smoothing=0.1))
    windows, classes = batch()
    found = made.training_step((windows, classes), 0)
    z = torch.from_numpy(preprocessing.zscore(windows[:, 32:-32].numpy()))
    expected = F.cross_entropy(
        made.network(z[:, None]),
        classes,
        weight=torch.tensor([0.5, 4.0, 2.0, 4.0, 200.0]),
        label_smoothing=0.1,
    )
    torch.testing.assert_close(found, expected)


def test_augmentation_changes_the_loss_but_not_the_batch():
    made = task(augment=AugmentSettings(probability=1.0, shift=4.0, noise=0.3))
    windows, classes = batch()
    before = windows.clone(), classes.clone()
    plain = task().training_step((windows, classes), 0)
    assert not torch.isclose(made.training_step((windows, classes), 0), plain, rtol=1e-3)
    assert torch.equal(windows, before[0])
    assert torch.equal(classes, before[1])


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_optimizer_and_plateau(name, kind):
    made = task(
        optimizer=OptimizerSettings(name=name, lr=0.3, weight_decay=0.2),
        schedule=ScheduleSettings(name="plateau", factor=0.25, patience=7),
    )
    made._trainer = SimpleNamespace(estimated_stepping_batches=10)
    found = made.configure_optimizers()
    optimizer, plateau = found["optimizer"], found["lr_scheduler"]["scheduler"]
    assert type(optimizer) is kind
    assert optimizer.defaults["lr"] == 0.3
    assert optimizer.defaults["weight_decay"] == 0.2
    covered = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert covered == {id(p) for p in made.network.parameters()}
    assert isinstance(plateau, ReduceLROnPlateau)
    assert (plateau.factor, plateau.patience) == (0.25, 7)


def test_dropout_and_augmentation_are_seeded_once_an_epoch():
    made = task()
    draws = []
    for batch_idx in (0, 1, 0):
        made.on_train_batch_start(batch(), batch_idx)
        draws.append(torch.rand(1).item())
    assert draws[0] == draws[2]
    assert draws[1] != draws[0]


@pytest.mark.parametrize(
    ("steps", "warmup", "peak"), [(5, 0.2, 0), (1, 1.0, 0), (10, 0.0, 0), (10, 0.4, 3)]
)
def test_one_cycle_of_few_steps(steps, warmup, peak):
    made = task(schedule=ScheduleSettings(name="one-cycle", warmup=warmup))
    made._trainer = SimpleNamespace(estimated_stepping_batches=steps)
    found = made.configure_optimizers()
    cycle = found["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(steps):
        rates.append(cycle.get_last_lr()[0])
        found["optimizer"].step()
        cycle.step()
    assert len(rates) == steps
    assert rates.index(max(rates)) == peak
    assert rates[-1] < 1e-6
