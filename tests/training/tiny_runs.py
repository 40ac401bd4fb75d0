"""Short training runs for tests: how they are begun, ended in the middle, and compared."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from ectopy.training.run import train
from ectopy.training.settings import RunSettings


class Killed(BaseException):
    """Stands for a process that ends where it is."""


class KillingConsole(Console):
    """Ends the run when it would print the line of an epoch, before that epoch is saved."""

    def __init__(self, epoch: int) -> None:
        super().__init__(file=io.StringIO(), width=200)
        self.epoch = epoch

    def print(self, *objects: Any, **options: Any) -> None:
        if str(objects[0]).startswith(f"epoch {self.epoch}/"):
            raise Killed
        super().print(*objects, **options)


def run(settings: RunSettings) -> str:
    """Train, and return what was printed."""
    output = io.StringIO()
    train(settings, Console(file=output, width=200))
    return output.getvalue()


def run_until(settings: RunSettings, epoch: int) -> None:
    """Train up to the point where this epoch would be saved, and no further."""
    with pytest.raises(Killed):
        train(settings, KillingConsole(epoch))


def checkpoint(settings: RunSettings) -> dict[str, Any]:
    return torch.load(settings.out / "checkpoints" / "last.ckpt", weights_only=True)


def weights(settings: RunSettings) -> dict[str, torch.Tensor]:
    return load_file(settings.out / "bundle" / "model.safetensors")


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Every place at which two nested structures differ by a single bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, dict):
        keys = [] if list(one) == list(other) else [f"{place}: {list(one)} {list(other)}"]
        both = [key for key in one if key in other]
        return keys + [
            d for key in both for d in differences(one[key], other[key], f"{place}.{key}")
        ]
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
        return [d for i, (a, b) in enumerate(pairs) for d in differences(a, b, f"{place}[{i}]")]
    return [] if one == other else [f"{place}: {one} {other}"]


def state(settings: RunSettings) -> dict[str, Any]:
    """All that decides how a run goes on."""
    whole = checkpoint(settings)
    names = (
        "epoch", "global_step", "state_dict", "current_model_state", "averaging_state",
        "optimizer_states", "lr_schedulers",
    )  # fmt: skip
    return {name: whole[name] for name in names if name in whole}


def rows(settings: RunSettings) -> list[dict[str, str]]:
    with (settings.out / "logs" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))
