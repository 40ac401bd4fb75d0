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
    FORMAT,
    ONNX_FILE,
    WEIGHTS_FILE,
    InputContract,
    contract_to_dict,
    find_bundle,
    open_bundle,
)
from ectopy.models.card import model_card
from ectopy.models.registry import create_model

if TYPE_CHECKING:
    from ectopy.models.cnn import BeatModel

ONNX_TOLERANCE = 1e-4
"""Largest difference in logits between PyTorch and ONNX Runtime that a bundle may have."""


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
    model = create_model(bundle.config["model"], bundle.config.get("settings"))
    try:
        model.load_state_dict(load_file(bundle.folder / WEIGHTS_FILE))
    except (RuntimeError, SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        msg = f"weights of bundle {str(bundle.folder)!r} do not load: {reason}; fetch them again"
        raise BundleError(msg) from error
    return model.eval()


def save_bundle(
    model: BeatModel,
    folder: Path,
    *,
    protocol: str,
    settings: dict[str, Any],
    contract: InputContract,
    training: dict[str, Any],
) -> Path:
    """Write a bundle: weights, ONNX graph, configuration and model card, all or nothing.

    Parameters
    ----------
    model : BeatModel
        In eval mode.
    folder : Path
        Where to; an older bundle there is replaced.
    protocol : str
        Protocol whose training part the model was trained on.
    settings : dict
        Constructor arguments that the model was built with.
    contract : InputContract
    training : dict
        What it was trained on, with which recipe, and how the checkpoint was chosen.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BundleError
        If ONNX Runtime and PyTorch disagree by more than 1e-4 in a logit.
    """
    config = {
        "format": FORMAT,
        "model": model.name,
        "protocol": protocol,
        "settings": settings,
        "parameters": sum(p.numel() for p in model.parameters()),
        "classes": list(CLASSES),
        "input": contract_to_dict(contract),
        "training": training,
        "code_version": code_version(),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
    try:
        state = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(state, draft / WEIGHTS_FILE)
        export_onnx(model, draft / ONNX_FILE, contract.before + contract.after)
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


def export_onnx(model: BeatModel, path: Path, length: int) -> None:
    """Export to ONNX with any number of beats, and check it against PyTorch.

    Parameters
    ----------
    model : BeatModel
        In eval mode.
    path : Path
    length : int
        Samples of a window.

    Raises
    ------
    BundleError
        If a logit differs by more than 1e-4.
    """
    example = torch.randn(4, 1, length, generator=torch.Generator().manual_seed(0))
    # Its notes on what it would need for models of pictures.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notes on its own internals
        torch.onnx.export(
            model,
            (example,),
            path,
            input_names=["windows"],
            output_names=["logits"],
            dynamic_shapes={"x": {0: torch.export.Dim("beats")}},
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    difference = onnx_difference(model, path, length)
    if not difference <= ONNX_TOLERANCE:  # NaN, of weights that diverged, is refused as well
        msg = (
            f"ONNX logits of {model.name} differ by {difference:.2g} from PyTorch's, expected at "
            f"most {ONNX_TOLERANCE}; report this with your torch and onnxruntime versions"
        )
        raise BundleError(msg)


def onnx_difference(model: BeatModel, path: Path, length: int, n: int = 64) -> float:
    """Largest difference in a logit between PyTorch and ONNX Runtime on random windows."""
    import onnxruntime

    windows = torch.randn(n, 1, length, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = model(windows).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"windows": windows.numpy()})[0]
    return float(np.abs(found - expected).max())
