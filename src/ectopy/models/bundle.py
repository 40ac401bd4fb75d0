"""Bundles: weights with a configuration that states everything they expect of their input.

Nothing here needs PyTorch, so that a recording can be analysed without it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ectopy.beats import CLASSES
from ectopy.checksum import sha256_of
from ectopy.errors import BundleError
from ectopy.models import hub
from ectopy.recording import PREFERRED_LEADS

FORMAT = 1
WEIGHTS_FILE, ONNX_FILE, CONFIG_FILE, CARD_FILE = (
    "model.safetensors",
    "model.onnx",
    "config.json",
    "README.md",
)
DEFAULT_MODEL = "cnn-mlp"
DEFAULT_PROTOCOL = "intra"
"""What `ectopy analyze` uses where nothing is asked for."""


@dataclass(frozen=True)
class InputContract:
    """What a model expects of its input.

    Attributes
    ----------
    fs : float
        Sampling frequency in Hz that the window is cut at.
    before, after : int
        Samples of the window before the peak, and from the peak on.
    unit : str
        Unit of the signal before normalisation.
    filter : str
        Filter applied to the signal before windows are cut.
    normalisation : str
        What is done to each window.
    edges : str
        What stands in for samples beyond the ends of the recording.
    fiducial : str
        Which point of the beat the window is centred on.
    lead_by : {"index", "name"}
        How the lead of each training record was chosen.
    lead_preference : tuple of str
        Leads to take first when analysing, by name.
    rhythm_features : tuple of str
        Timing features that go in beside the window.
    """

    fs: float = 360.0
    before: int = 128
    after: int = 128
    unit: str = "mV"
    filter: str = "none"
    normalisation: str = "z-score of each window, population standard deviation"
    edges: str = "end samples repeated"
    fiducial: str = "annotated sample of the MIT-BIH Arrhythmia Database: the QRS's main peak"
    lead_by: Literal["index", "name"] = "name"
    lead_preference: tuple[str, ...] = PREFERRED_LEADS
    rhythm_features: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> InputContract:
        """Read it back from a configuration.

        Raises
        ------
        BundleError
            If it asks for something that this version does not know.
        """
        if not isinstance(table, dict):
            msg = f"input contract {table!r} is no table; fetch the bundle again"
            raise BundleError(msg)
        known = {name: table[name] for name in cls.__dataclass_fields__ if name in table}
        unknown = sorted(set(table) - set(known))
        if unknown:
            msg = f"input contract has an unknown entry {unknown[0]!r}; update ectopy"
            raise BundleError(msg)
        for name in ("lead_preference", "rhythm_features"):
            known[name] = tuple(known.get(name, ()))
        contract = cls(**known)
        contract._check()
        return contract

    def _check(self) -> None:
        """Refuse what inference would not do: better no result than one of another input."""
        does = InputContract()
        # The fiducial point is a description; the other texts name what this version does.
        for name in ("unit", "filter", "normalisation", "edges", "rhythm_features"):
            if getattr(self, name) != getattr(does, name):
                raise self._refused(name, repr(getattr(does, name)))
        if self.lead_by not in ("index", "name"):
            raise self._refused("lead_by", "'index' or 'name'")
        if isinstance(self.fs, bool) or not isinstance(self.fs, int | float) or self.fs <= 0:
            raise self._refused("fs", "a number above 0")
        for name in ("before", "after"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise self._refused(name, "a whole number above 0")

    def _refused(self, name: str, expected: str) -> BundleError:
        found = getattr(self, name)
        return BundleError(
            f"input contract asks for {name} = {found!r}, this version of ectopy does {expected}; "
            "update ectopy or train the model again"
        )


@dataclass(frozen=True)
class Bundle:
    """A trained model on disk.

    Attributes
    ----------
    folder : Path
        Holds config.json, model.safetensors, model.onnx and the model card README.md.
    config : dict
        The parsed config.json.
    """

    folder: Path
    config: dict[str, Any]

    @property
    def full_name(self) -> str:
        """MODEL/PROTOCOL, such as ``cnn-mlp/intra``."""
        return f"{self.config['model']}/{self.config['protocol']}"

    @property
    def protocol(self) -> str:
        """Protocol whose training part the model was trained on."""
        return str(self.config["protocol"])

    @cached_property
    def contract(self) -> InputContract:
        """What the model expects of its input."""
        return InputContract.from_dict(self.config["input"])

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights file, which `open_bundle` has compared with the file itself."""
        return str(self.config["files"][WEIGHTS_FILE])

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return int(self.config["parameters"])

    def results(
        self, protocol: str | None = None, *, beats: str = "annotated"
    ) -> dict[str, Any] | None:
        """Read the recorded evaluation of these very weights, or None where there is none.

        Parameters
        ----------
        protocol : str, optional
            The bundle's own protocol unless given.
        beats : {"annotated", "detected"}
            Where the windows of that evaluation lay.
        """
        path = self.folder / results_file(protocol or self.protocol, beats)
        if not path.is_file():
            return None
        try:
            results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            msg = f"results {str(path)!r} are damaged ({error}); delete the file or measure again"
            raise BundleError(msg) from error
        return results if results.get("weights_sha256") == self.weights_sha256 else None


def results_file(protocol: str, beats: str) -> Path:
    """Where a bundle keeps an evaluation, relative to its folder."""
    suffix = "" if beats == "annotated" else f"-{beats}"
    return Path("results") / f"{protocol}{suffix}.json"


def shipped_bundles() -> list[str]:
    """Full names of the bundles that come with the package."""
    return sorted(
        path.parent.relative_to(_shipped_root()).as_posix()
        for path in _shipped_root().glob(f"*/*/{CONFIG_FILE}")
    )


def find_bundle(name: str | Path, protocol: str | None = None) -> Bundle:
    """Find a bundle by name or folder.

    Parameters
    ----------
    name : str or Path
        A full name (``"cnn-mlp/intra"``), a bare model name, a folder with a config.json, or
        ``"hf:ORGANISATION/REPOSITORY"`` on the Hugging Face Hub.
    protocol : str, optional
        Which bundle a bare model name means. Without it: the one that analysis uses by default.

    Raises
    ------
    BundleError
        If there is none, or it is damaged.

    Examples
    --------
    >>> find_bundle("cnn-mlp").full_name
    'cnn-mlp/intra'
    """
    if _is_bundle(Path(name)):
        return open_bundle(Path(name))
    text = str(name)
    if text.startswith(hub.PREFIX):
        return open_bundle(hub.fetch_bundle(text))
    names = shipped_bundles()
    full = text if "/" in text else f"{text}/{protocol or DEFAULT_PROTOCOL}"
    if full in names:
        return open_bundle(_shipped_root() / full)
    others = [other for other in names if other.split("/")[0] == text]
    if others:
        msg = f"no shipped bundle {full!r}; {text!r} is shipped as: {', '.join(others)}"
        raise BundleError(msg + "; name one of these, or give a trained bundle's folder")
    msg = f"unknown model {text!r}; shipped are: {', '.join(names) or 'none'}"
    raise BundleError(msg + "; or give a bundle's folder")


def open_bundle(folder: Path) -> Bundle:
    """Open a bundle's folder and check that it is whole.

    Raises
    ------
    BundleError
        If a file is missing or the configuration is not one.
    """
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"bundle {str(folder)!r} has no readable {CONFIG_FILE} ({error}); train it again"
        raise BundleError(msg) from error
    needed = {"format", "model", "protocol", "parameters", "classes", "input", "training", "files"}
    missing = sorted(needed - set(config)) if isinstance(config, dict) else sorted(needed)
    if missing:
        msg = f"bundle {str(folder)!r}: {CONFIG_FILE} lacks {missing[0]!r}; train it again"
        raise BundleError(msg)
    if config["format"] != FORMAT:
        msg = f"bundle {str(folder)!r} has format {config['format']!r}, expected {FORMAT}"
        raise BundleError(msg + "; use the version of ectopy that wrote it")
    if config["classes"] != list(CLASSES):
        msg = f"bundle {str(folder)!r} has classes {config['classes']}, expected {list(CLASSES)}"
        raise BundleError(msg + "; train it with this version of ectopy")
    for file in (WEIGHTS_FILE, ONNX_FILE):
        if not (folder / file).is_file():
            msg = f"bundle {str(folder)!r} lacks {file}; copy the whole folder"
            raise BundleError(msg)
        # Both files by their hash: what runs has to be what was measured.
        if not isinstance(config["files"], dict) or config["files"].get(file) != sha256_of(
            folder / file
        ):
            msg = f"{file} of bundle {str(folder)!r} is not the one its {CONFIG_FILE} names"
            raise BundleError(msg + "; copy the whole folder again")
    return Bundle(folder, config)


def _is_bundle(folder: Path) -> bool:
    try:
        return (folder / CONFIG_FILE).is_file()
    except OSError:  # a name that no file system takes
        return False


def contract_to_dict(contract: InputContract) -> dict[str, Any]:
    """Plain data, for config.json."""
    return asdict(contract)


def _shipped_root() -> Path:
    return Path(str(resources.files("ectopy"))) / "weights"
