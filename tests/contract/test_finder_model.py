"""What the model that finds beats keeps, as those that class beats do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from ectopy.inference.finder import BeatFinder
from ectopy.models.bundle import FINDER, find_bundle
from ectopy.models.contract import FinderContract
from ectopy.models.finder import STRIDE, BeatFinderNet
from ectopy.models.registry import MODELS, create_finder
from ectopy.models.saving import onnx_difference, save_bundle

TRAINING = {
    "database": "made up",
    "protocol": "inter",
    "part": "train",
    "records": ["101"],
    "held_out": [],
    "beats": 3,
    "seed": 0,
    "recipe": {"name": "none"},
    "epoch": 1,
    "selected_by": "last epoch",
    "selected_value": None,
}
ODD = [(1, 8), (1, 12), (3, 1204), (2, 36_004), (7, 60)]
"""Numbers of leads, and of frames, of which only whole steps are asked."""


def frames(leads: int, n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(leads, n, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def model() -> BeatFinderNet:
    torch.manual_seed(11)
    made = create_finder()
    with torch.no_grad():
        for _ in range(20):  # fills the running averages of batch normalisation
            made(torch.randn(16, 600))
        made.out.weight *= 5  # makes the outputs as large as trained ones
    return made.eval()


@pytest.fixture(scope="module")
def folder(model: BeatFinderNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bundle(
        model,
        tmp_path_factory.mktemp("finder") / "bundle",
        protocol="inter",
        settings={},
        contract=FinderContract(threshold=0.4),
        training=TRAINING,
    )


def test_it_has_a_name_of_its_own():
    assert BeatFinderNet.name == FINDER
    assert FINDER not in MODELS


def test_inference_is_deterministic(model):
    assert torch.equal(model(frames(3, 600)), model(frames(3, 600)))


def test_same_seed_same_weights():
    states = []
    for _ in range(2):
        torch.manual_seed(4)
        states.append(create_finder().state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_batch_invariance(model):
    x = frames(9, 600)
    with torch.inference_mode():
        together = model(x)
        alone = torch.cat([model(row[None]) for row in x])
        backwards = model(x.flip(0)).flip(0)
    assert together.std(dim=(0, 2)).min() > 1e-2  # different leads, different outputs
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, backwards, atol=1e-5, rtol=1e-5)


def test_gradient_reaches_every_parameter():
    torch.manual_seed(1)
    model = create_finder().train()
    out = model(frames(8, 600))
    loss = F.binary_cross_entropy_with_logits(out[:, 0], (out[:, 0] > 0).float())
    (loss + out[:, 1].abs().mean()).backward()
    for parameter, value in model.named_parameters():
        assert value.grad is not None, parameter
        assert torch.isfinite(value.grad).all(), parameter
        assert torch.count_nonzero(value.grad) > 0, parameter


@pytest.mark.parametrize(("leads", "n"), ODD)
def test_onnx_is_torch(leads, n, model, folder):
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    x = frames(leads, n, seed=n)
    found = session.run(["beats"], {"frames": x.numpy()})[0]
    with torch.inference_mode():
        expected = model(x).numpy()
    assert found.shape == (leads, 2, n // STRIDE)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def test_a_graph_of_other_weights_is_noticed(model, folder):
    contract = FinderContract()
    assert onnx_difference(model, folder / "model.onnx", contract) <= 1e-4
    other = create_finder().eval()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        other.out.bias += 0.01
    difference = onnx_difference(other, folder / "model.onnx", contract)
    assert difference == pytest.approx(0.01, abs=1e-4)


def test_its_bundle_opens_as_a_finder(model, folder):
    bundle = find_bundle(folder)
    assert bundle.finds
    assert bundle.full_name == "beat-finder/inter"
    assert bundle.n_parameters == sum(p.numel() for p in model.parameters())
    assert bundle.finder_contract == FinderContract(threshold=0.4)
    config = json.loads((folder / "config.json").read_text())
    assert set(config) == {
        "format", "model", "protocol", "settings", "parameters", "input", "training", "files",
        "code_version",
    }  # fmt: skip
    finder = BeatFinder(folder)
    signal = np.random.default_rng(0).standard_normal(3600).astype(np.float32)
    found = finder.find(signal, 360)
    assert (found.confidences >= 0.4).all()
    assert len(found) == len(found.peaks) < 50


def test_a_bundle_holds_the_weights_it_was_given(model, folder):
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    other = create_finder(find_bundle(folder).config["settings"]).eval()
    other.load_state_dict(state)
    assert torch.equal(other(frames(2, 480)), model(frames(2, 480)))
