"""Writing bundles and loading them back into PyTorch."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ectopy._version import code_version
from ectopy.beats import CLASSES
from ectopy.checksum import sha256_of
from ectopy.errors import BundleError
from ectopy.models.bundle import (
    CARD_FILE,
    CONFIG_FILE,
    FINDER,
    FORMAT,
    ONNX_FILE,
    WEIGHTS_FILE,
    Bundle,
    find_bundle,
    open_bundle,
)
from ectopy.models.card import model_card
from ectopy.models.contract import FinderContract, InputContract, contract_to_dict
from ectopy.models.cost import multiply_adds
from ectopy.models.inference_form import inference_form
from ectopy.models.registry import create_finder, create_model
from ectopy.models.runtime import onnx_runtime

if TYPE_CHECKING:
    from ectopy.models.beat_model import BeatModel
    from ectopy.models.calibration import Calibration
    from ectopy.models.finder import BeatFinderNet

ONNX_TOLERANCE = 1e-4
"""Largest difference in logits between PyTorch and ONNX Runtime that a bundle may have."""


def network_state(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Take the network's own tensors out of a training checkpoint."""
    prefix = "network."
    return {
        name.removeprefix(prefix): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }


def load_model(name: str | Path, protocol: str | None = None) -> BeatModel:
    """Load the model of a bundle into PyTorch, in eval mode.

    Parameters
    ----------
    name, protocol
        As in `ectopy.models.bundle.find_bundle`.

    Raises
    ------
    BundleError
        If the bundle is missing, damaged, or does not fit its configuration.
    """
    bundle = find_bundle(name, protocol)
    bundle.contract  # noqa: B018  # refuses a bundle that finds beats
    model = create_model(bundle.config["model"], bundle.config.get("settings"))
    _load_weights(model, bundle)
    return model.eval()


def load_finder(name: str | Path = FINDER) -> BeatFinderNet:
    """Load a beat finder's network into PyTorch, in eval mode.

    Parameters
    ----------
    name : str or Path
        As in `ectopy.models.bundle.find_bundle`.

    Raises
    ------
    BundleError
        If the bundle is missing, damaged, or is no finder's.
    """
    bundle = find_bundle(name)
    bundle.finder_contract  # noqa: B018  # refuses a bundle that classes beats
    network = create_finder(bundle.config.get("settings"))
    _load_weights(network, bundle)
    return network.eval()


def _load_weights(model: torch.nn.Module, bundle: Bundle) -> None:
    try:
        model.load_state_dict(load_file(bundle.folder / WEIGHTS_FILE))
    except (RuntimeError, SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        msg = f"weights of bundle {str(bundle.folder)!r} do not load: {reason}; fetch them again"
        raise BundleError(msg) from error


def save_bundle(
    model: BeatModel | BeatFinderNet,
    folder: Path,
    *,
    protocol: str,
    settings: dict[str, Any],
    contract: InputContract | FinderContract,
    training: dict[str, Any],
    calibration: Calibration | None = None,
) -> Path:
    """Write a bundle: weights, ONNX graph, configuration and model card, all or nothing.

    Parameters
    ----------
    model : BeatModel or BeatFinderNet
        In eval mode.
    folder : Path
        Where to; an older bundle there is replaced.
    protocol : str
        Protocol whose training part the model was trained on.
    settings : dict
        Constructor arguments that the model was built with.
    contract : InputContract or FinderContract
    training : dict
        What it was trained on, with which recipe, and how the checkpoint was chosen.
    calibration : Calibration, optional
        How the probabilities of a model that classes beats are made honest.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BundleError
        If ONNX Runtime and PyTorch disagree by more than 1e-4 in a logit.
    """
    of_beats = not isinstance(contract, FinderContract)
    cost = {"multiply_adds": multiply_adds(model, example_input(contract, 1))} if of_beats else {}
    config = {
        "format": FORMAT,
        "model": model.name,
        "protocol": protocol,
        "settings": settings,
        "parameters": sum(p.numel() for p in model.parameters()),
        **cost,
        **({"classes": list(CLASSES)} if of_beats else {}),
        "input": contract_to_dict(contract),
        "training": training,
        **({} if calibration is None else {"calibration": calibration.to_dict()}),
        "code_version": code_version(),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
    try:
        state = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(state, draft / WEIGHTS_FILE)
        export_onnx(model, draft / ONNX_FILE, contract)
        config["files"] = {file: sha256_of(draft / file) for file in (WEIGHTS_FILE, ONNX_FILE)}
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        (draft / CONFIG_FILE).write_text(text, encoding="utf-8")
        (draft / CARD_FILE).write_text(model_card(open_bundle(draft)), encoding="utf-8")
        draft.chmod(0o755)
        for file in draft.iterdir():
            file.chmod(0o644)
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def export_onnx(
    model: BeatModel | BeatFinderNet, path: Path, contract: InputContract | FinderContract
) -> None:
    """Export to ONNX with any number of beats, or leads and frames, and check it against PyTorch.

    What is exported is the network's `inference_form`, what it is checked against the network.

    Parameters
    ----------
    model : BeatModel or BeatFinderNet
        In eval mode.
    path : Path
    contract : InputContract or FinderContract
        What the model takes.

    Raises
    ------
    BundleError
        If an output differs by more than 1e-4.
    """
    shapes: dict[str, Any]
    if isinstance(contract, FinderContract):
        names, out = ["frames"], "beats"
        steps = torch.export.Dim("steps", min=2)
        shapes = {"frames": {0: torch.export.Dim("leads"), 1: contract.stride * steps}}
    elif contract.reads_rhythm:
        names, out = ["shapes", "rhythm"], "logits"
        beats = torch.export.Dim("beats")
        shapes = {"shapes": {0: beats}, "rhythm": {0: beats}}
    else:
        names, out = ["windows"], "logits"
        shapes = {"x": {0: torch.export.Dim("beats")}}
    # Its notes on what it would need for models of pictures.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notes on its own internals
        torch.onnx.export(
            inference_form(model),
            example_input(contract, 4, seed=0),
            path,
            input_names=names,
            output_names=[out],
            dynamic_shapes=shapes,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    _without_notes(path)
    difference = onnx_difference(model, path, contract)
    if not difference <= ONNX_TOLERANCE:  # NaN, of weights that diverged, is refused as well
        msg = (
            f"ONNX outputs of {model.name} differ by {difference:.2g} from PyTorch's, expected at "
            f"most {ONNX_TOLERANCE}; report this with your torch and onnxruntime versions"
        )
        raise BundleError(msg)


def _without_notes(path: Path) -> None:
    """Take the exporter's notes out of a graph: where in whose folders each node comes from."""
    import onnx

    graph_file = onnx.load(path)
    del graph_file.metadata_props[:]
    for part in (graph_file.graph, *graph_file.graph.node, *graph_file.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    onnx.save(graph_file, path)


def onnx_difference(
    model: BeatModel | BeatFinderNet,
    path: Path,
    contract: InputContract | FinderContract,
    n: int = 64,
) -> float:
    """Largest difference in an output between PyTorch and ONNX Runtime on random input."""
    example = example_input(contract, n, seed=1)
    with torch.inference_mode():
        expected = model(*example).numpy()
    session = onnx_runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = (one.name for one in session.get_inputs())
    feed = {name: part.numpy() for name, part in zip(names, example, strict=True)}
    found = session.run(None, feed)[0]
    return float(np.abs(found - expected).max())


def example_input(
    contract: InputContract | FinderContract, n: int, seed: int = 0
) -> tuple[torch.Tensor, ...]:
    """Random input for `n` beats, or leads: one tensor for each argument of the forward."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(contract, FinderContract):
        return (torch.randn(n, 150 * contract.stride, generator=generator),)
    length = contract.before + contract.after
    if contract.reads_rhythm:
        shapes = torch.randn(n, 3, length, generator=generator)
        return shapes, torch.randn(n, len(contract.rhythm_features), generator=generator)
    return (torch.randn(n, 1, length, generator=generator),)
