"""The two published models: their names, their sizes, and checkpoints from elsewhere."""

from __future__ import annotations

import pickletools
import re
import zipfile

import pytest
import torch
from plain_kan import plain_kan
from torch.nn import functional as F

from ectopy.errors import BundleError
from ectopy.models import ECGCNN, ECGCNNWithKAN
from ectopy.models.beat_model import BeatModel

CHANNELS, KERNELS = (1, 32, 64, 128, 256), (7, 5, 3, 3)
NORM = ("weight", "bias", "running_mean", "running_var")


def norm_shapes(prefix: str, n: int) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}.{name}": (n,) for name in NORM} | {f"{prefix}.num_batches_tracked": ()}


def encoder_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for i, kernel in enumerate(KERNELS):
        n_in, n_out = CHANNELS[i : i + 2]
        shapes[f"encoder.{i}.block.0.weight"] = (n_out, n_in, kernel)
        shapes |= norm_shapes(f"encoder.{i}.block.1", n_out)
    return shapes


def mlp_shapes() -> dict[str, tuple[int, ...]]:
    return {
        "classifier.0.weight": (128, 256),
        **norm_shapes("classifier.1", 128),
        "classifier.4.weight": (64, 128),
        **norm_shapes("classifier.5", 64),
        "classifier.8.weight": (5, 64),
        "classifier.8.bias": (5,),
    }


def kan_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, n_in, n_out in (("kan1", 256, 64), ("kan2", 64, 5)):
        shapes |= {
            f"kan_head.{layer}.grid": (n_in, 12),
            f"kan_head.{layer}.spline_weight": (n_out, n_in, 8),
            f"kan_head.{layer}.base_weight": (n_out, n_in),
            f"kan_head.{layer}.layer_norm.weight": (n_in,),
            f"kan_head.{layer}.layer_norm.bias": (n_in,),
        }
    return shapes


PUBLISHED = {
    ECGCNN: encoder_shapes() | mlp_shapes(),
    ECGCNNWithKAN: encoder_shapes() | kan_shapes(),
}


def published_state(kind: type[BeatModel]) -> dict[str, torch.Tensor]:
    """A checkpoint's tensors as they would come from a training elsewhere."""
    torch.manual_seed(7)
    state = {}
    for name, shape in PUBLISHED[kind].items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(100)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(shape)
        elif name.endswith("grid"):
            state[name] = torch.linspace(-2.2, 2.2, 12).repeat(shape[0], 1)
        else:
            state[name] = 0.3 * torch.randn(shape)
    return state


def plain_forward(x: torch.Tensor, state: dict[str, torch.Tensor]) -> torch.Tensor:
    """The published models from their tensors, with torch's functions alone."""

    def norm(x: torch.Tensor, prefix: str) -> torch.Tensor:
        weight, bias, mean, variance = (state[f"{prefix}.{name}"] for name in NORM)
        shape = (1, -1, 1)[: x.ndim]
        scaled = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + 1e-5)
        return scaled * weight.view(shape) + bias.view(shape)

    for i, kernel in enumerate(KERNELS):
        x = F.conv1d(x, state[f"encoder.{i}.block.0.weight"], padding=kernel // 2)
        x = F.max_pool1d(F.relu(norm(x, f"encoder.{i}.block.1")), 2)
    x = x.mean(dim=-1)
    if "kan_head.kan1.grid" in state:
        for layer in ("kan1", "kan2"):
            prefix = f"kan_head.{layer}."
            x = plain_kan(
                x, {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            )
        return x
    x = F.relu(norm(x @ state["classifier.0.weight"].T, "classifier.1"))
    x = F.relu(norm(x @ state["classifier.4.weight"].T, "classifier.5"))
    return x @ state["classifier.8.weight"].T + state["classifier.8.bias"]


@pytest.mark.parametrize(("kind", "n"), [(ECGCNN, 175_973), (ECGCNNWithKAN, 285_280)])
def test_number_of_parameters(kind, n):
    assert sum(p.numel() for p in kind().parameters()) == n


@pytest.mark.parametrize("kind", [ECGCNN, ECGCNNWithKAN])
def test_names_and_shapes_are_the_published_ones(kind):
    found = {name: tuple(value.shape) for name, value in kind().state_dict().items()}
    assert found == PUBLISHED[kind]


@pytest.mark.parametrize("kind", [ECGCNN, ECGCNNWithKAN])
def test_a_published_checkpoint_gives_the_published_outputs(kind, tmp_path):
    state = published_state(kind)
    torch.save({"model_state": state, "epoch": 12, "val_loss": 0.1}, tmp_path / "model.pt")
    model = kind.from_checkpoint(tmp_path / "model.pt")
    assert not model.training
    x = torch.randn(9, 1, 256)
    with torch.inference_mode():
        found, expected = model(x), plain_forward(x, state)
    assert found.shape == (9, 5)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


def test_settings_of_a_checkpoint_that_is_not_the_published_one(tmp_path):
    torch.save({"model_state": ECGCNNWithKAN(intervals=8).state_dict()}, tmp_path / "m.pt")
    model = ECGCNNWithKAN.from_checkpoint(str(tmp_path / "m.pt"), intervals=8)
    assert model.kan_head.kan1.grid.shape == (256, 15)


def checkpoint_error(kind: type[BeatModel], path) -> str:
    with pytest.raises(BundleError) as caught:
        kind.from_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


class Malicious:
    """Would create a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_malicious_checkpoint_is_refused_and_never_run(tmp_path):
    trace = tmp_path / "was-run"
    path = tmp_path / "evil.pt"
    torch.save({"model_state": ECGCNN().state_dict(), "more": Malicious(trace)}, path)
    message = checkpoint_error(ECGCNN, path)
    assert message.startswith(f"cannot read checkpoint {str(path)!r} (Weights only load failed")
    assert message.endswith("); expected a torch.save file")
    assert not trace.exists()
    # What unpickling would call stands in the file; called here by hand, it leaves its trace.
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        called = {argument for _, argument, _ in pickletools.genops(archive.read(name))}
    assert called & {"io open", "builtins open", "_io open"}
    run, arguments = Malicious(trace).__reduce__()
    run(*arguments).close()
    assert trace.exists(), "the file was not malicious, so the test shows nothing"


def test_a_file_that_is_no_checkpoint(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("just some words\n")
    assert checkpoint_error(ECGCNN, path).startswith(f"cannot read checkpoint {str(path)!r} (")


def test_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "none.pt"
    assert checkpoint_error(ECGCNN, path) == (
        f"cannot read checkpoint {str(path)!r} ([Errno 2] No such file or directory: "
        f"{str(path)!r}); expected a torch.save file"
    )


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, [1, 2], {"model_state": 3}])
def test_a_checkpoint_in_another_format(tmp_path, content):
    path = tmp_path / "other.pt"
    torch.save(content, path)
    assert checkpoint_error(ECGCNN, path) == (
        f"checkpoint {str(path)!r} has no 'model_state'; expected the published format"
    )


def spoilt(change) -> dict[str, object]:
    state = dict(ECGCNN().state_dict())
    change(state)
    return {"model_state": state}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda s: s.update({"classifier.8.bias": torch.zeros(4)}),
            "size mismatch for classifier.8.bias",
        ),
        (lambda s: s.pop("classifier.0.weight"), 'Missing key(s) in state_dict: "classifier.0.wei'),
        (lambda s: s.update(extra=torch.zeros(1)), 'Unexpected key(s) in state_dict: "extra".'),
        (lambda s: s.update({"classifier.8.bias": "text"}), "While copying the parameter named"),
        (lambda s: s.update({3: torch.zeros(1)}), ""),
    ],
)
def test_a_checkpoint_that_does_not_fit(tmp_path, change, reason):
    path = tmp_path / "odd.pt"
    torch.save(spoilt(change), path)
    message = checkpoint_error(ECGCNN, path)
    assert message.startswith(f"checkpoint {str(path)!r} does not fit ECGCNN: ")
    assert reason in message


def test_a_checkpoint_of_the_other_model(tmp_path):
    path = tmp_path / "kan.pt"
    torch.save({"model_state": ECGCNNWithKAN().state_dict()}, path)
    start = re.escape(f"checkpoint {str(path)!r} does not fit ECGCNN: ")
    assert re.match(start, checkpoint_error(ECGCNN, path))


def test_weights_of_a_bundle(untrained_bundle):
    folder = untrained_bundle("cnn-mlp")
    model = ECGCNN.from_pretrained(folder)
    assert isinstance(model, ECGCNN)
    assert not model.training
    assert BeatModel.from_pretrained(str(folder)).name == "cnn-mlp"


def test_a_bundle_of_the_other_model(untrained_bundle):
    folder = untrained_bundle("cnn-kan")
    with pytest.raises(BundleError) as caught:
        ECGCNN.from_pretrained(folder)
    assert str(caught.value) == (
        f"bundle {str(folder)!r} holds a 'cnn-kan', not a 'cnn-mlp'; "
        "load it with ECGCNNWithKAN.from_pretrained"
    )
