"""What every registered model keeps, and that every model is registered."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
import torch

import ectopy.models
from ectopy.models import MODELS, create_model
from ectopy.models.beat_model import BeatModel
from ectopy.models.bundle import find_bundle
from ectopy.models.saving import example_input, load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Inputs = tuple[torch.Tensor, ...]
every_model = pytest.mark.parametrize("name", sorted(MODELS))


@pytest.fixture(scope="module")
def inputs(input_contract) -> Callable[..., Inputs]:
    """Random inputs of a model, as its own contract says."""

    def make(name: str, n: int, seed: int = 0) -> Inputs:
        return example_input(input_contract(name), n, seed=seed)

    return make


def every_kind(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from every_kind(child)


def test_every_model_is_registered():
    for module in pkgutil.walk_packages(ectopy.models.__path__, "ectopy.models."):
        importlib.import_module(module.name)
    written = {
        kind
        for kind in every_kind(BeatModel)
        if kind.__module__.startswith("ectopy.") and hasattr(kind, "name")
    }
    assert written == set(MODELS.values())
    assert all(kind.name == name for name, kind in MODELS.items())


@every_model
@pytest.mark.parametrize("training", [True, False])
def test_shape(name, training, inputs):
    torch.manual_seed(0)
    model = create_model(name).train(training)
    for n in (2, 7):
        assert model(*inputs(name, n)).shape == (n, 5)
        features = model.features(*inputs(name, n))
        assert features.shape == (n, getattr(model, "n_features", 256))


@every_model
def test_no_beats_and_a_single_one(name, inputs):
    model = create_model(name).eval()
    for n in (0, 1):
        assert model(*inputs(name, n)).shape == (n, 5)


@every_model
def test_inference_is_deterministic(name, inputs):
    model = create_model(name).eval()
    assert torch.equal(model(*inputs(name, 5)), model(*inputs(name, 5)))


@every_model
def test_same_seed_same_weights(name):
    states = []
    for _ in range(2):
        torch.manual_seed(4)
        states.append(create_model(name).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


@every_model
def test_batch_invariance(name, untrained_bundle, inputs):
    model = load_model(untrained_bundle(name))
    x = inputs(name, 17)
    with torch.inference_mode():
        together = model(*x)
        alone = torch.cat([model(*(part[row : row + 1] for part in x)) for row in range(17)])
        backwards = model(*(part.flip(0) for part in x)).flip(0)
    assert together.std(dim=0).min() > 1e-3  # different beats, different logits
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, backwards, atol=1e-5, rtol=1e-5)


@every_model
def test_gradient_reaches_every_parameter(name, inputs):
    torch.manual_seed(1)
    model = create_model(name).train()
    logits = model(*inputs(name, 16))
    torch.nn.functional.cross_entropy(logits, torch.arange(16) % 5).backward()
    for parameter, value in model.named_parameters():
        assert value.grad is not None, parameter
        assert torch.isfinite(value.grad).all(), parameter
        assert torch.count_nonzero(value.grad) > 0, parameter


@every_model
def test_a_bundle_brings_back_the_same_model(name, untrained_model, untrained_bundle, inputs):
    model = untrained_model(name)
    loaded = load_model(untrained_bundle(name))
    assert type(loaded) is type(model)
    assert not loaded.training
    state = loaded.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert torch.equal(loaded(*inputs(name, 6)), model(*inputs(name, 6)))
    assert find_bundle(untrained_bundle(name)).n_parameters == sum(
        p.numel() for p in model.parameters()
    )


@every_model
def test_a_flat_signal_has_logits(name, untrained_bundle, inputs):
    """In ONNX as well, where exporting leaves very small constants out."""
    folder = untrained_bundle(name)
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    flat = tuple(torch.zeros_like(part) for part in inputs(name, 3))
    names = [one.name for one in session.get_inputs()]
    found = session.run(None, {key: part.numpy() for key, part in zip(names, flat, strict=True)})
    assert np.isfinite(found[0]).all()
    assert torch.isfinite(load_model(folder)(*flat)).all()


@every_model
@pytest.mark.parametrize("n", [1, 7, 128])
def test_onnx_is_torch(name, n, untrained_bundle, inputs):
    folder = untrained_bundle(name)
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    x = inputs(name, n, seed=n)
    names = ("shapes", "rhythm") if len(x) == 2 else ("windows",)
    assert tuple(one.name for one in session.get_inputs()) == names
    found = session.run(
        ["logits"], {key: part.numpy() for key, part in zip(names, x, strict=True)}
    )[0]
    with torch.inference_mode():
        expected = load_model(folder)(*x).numpy()
    assert found.shape == (n, 5)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
