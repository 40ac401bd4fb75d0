"""Bundles from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from ectopy.errors import BundleError, MissingExtra

PREFIX = "hf:"
"""What a bundle's name starts with when it lies on the Hub: ``hf:ORGANISATION/REPOSITORY``."""


def fetch_bundle(name: str) -> Path:
    """Download a bundle from the Hub, or take it from the local cache.

    Parameters
    ----------
    name : str
        ``hf:ORGANISATION/REPOSITORY``, with ``@REVISION`` behind it for one certain state.

    Returns
    -------
    Path
        Folder of the bundle in the Hub's cache.

    Raises
    ------
    MissingExtra
        If huggingface_hub is not installed.
    BundleError
        If there is no such repository, or it cannot be reached.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ModuleNotFoundError as error:
        msg = f"{name!r} lies on the Hugging Face Hub; pip install 'ectopy[train]' to fetch it"
        raise MissingExtra(msg) from error
    repository, _, revision = name.removeprefix(PREFIX).partition("@")
    try:
        folder = snapshot_download(
            repository,
            revision=revision or None,
            # Nothing else of the repository is needed, least of all anything that runs code.
            allow_patterns=["*.json", "*.safetensors", "*.onnx", "README.md"],
        )
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        msg = f"cannot fetch {name!r} ({reason}); check the name and the network"
        raise BundleError(f"{msg}, or give a local bundle's folder") from error
    return Path(folder)
