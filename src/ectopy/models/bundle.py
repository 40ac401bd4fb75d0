"""Bundles: weights with a configuration that states everything they expect of their input.

Nothing here needs PyTorch, so that a recording can be analysed without it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from ectopy.beats import CLASSES
from ectopy.checksum import sha256_of
from ectopy.defaults import DEFAULT_MODEL, DEFAULT_PROTOCOL
from ectopy.errors import BundleError
from ectopy.models import hub
from ectopy.models.calibration import Calibration
from ectopy.models.contract import FinderContract, InputContract

FORMAT = 1
WEIGHTS_FILE, ONNX_FILE, CONFIG_FILE, CARD_FILE = (
    "model.safetensors",
    "model.onnx",
    "config.json",
    "README.md",
)
SEEDS_FILE = Path("results") / "seeds.json"
"""Where a bundle keeps how its model does over several seeds, relative to its folder."""

FINDER = "beat-finder"
"""The model that finds beats; all others class them."""


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

    @property
    def finds(self) -> bool:
        """Whether the model finds beats, rather than classing them."""
        return bool(self.config["model"] == FINDER)

    @cached_property
    def contract(self) -> InputContract:
        """What a model that classes beats expects of its input.

        Raises
        ------
        BundleError
            If the model finds beats instead.
        """
        if self.finds:
            msg = f"{self.full_name} finds beats and does not class them; give a model that does, "
            raise BundleError(msg + f"such as {DEFAULT_MODEL!r}")
        return InputContract.from_dict(self.config["input"])

    @cached_property
    def finder_contract(self) -> FinderContract:
        """What a model that finds beats expects of its input.

        Raises
        ------
        BundleError
            If the model classes beats instead.
        """
        if not self.finds:
            msg = f"{self.full_name} classes beats and does not find them; give {FINDER!r} or the "
            raise BundleError(msg + "folder of one that was trained")
        return FinderContract.from_dict(self.config["input"])

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights file, which `open_bundle` has compared with the file itself."""
        return str(self.config["files"][WEIGHTS_FILE])

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return int(self.config["parameters"])

    @property
    def multiply_adds(self) -> int | None:
        """Multiplications with addition for one beat, see `ectopy.models.cost`; None where unknown.

        Older bundles do not say, and nothing is computed here.
        """
        found = self.config.get("multiply_adds")
        return None if found is None else int(found)

    @cached_property
    def calibration(self) -> Calibration | None:
        """How its probabilities are made honest; None where it was trained without.

        Raises
        ------
        BundleError
            If it asks for something that this version does not do.
        """
        table = self.config.get("calibration")
        return None if table is None else Calibration.from_dict(table)

    @property
    def temperature(self) -> float:
        """What logits are divided by before they become probabilities; 1 changes nothing."""
        return 1.0 if self.calibration is None else self.calibration.temperature

    def results(
        self, protocol: str | None = None, *, beats: str = "annotated"
    ) -> dict[str, Any] | None:
        """Read the recorded evaluation of these very weights, or None where there is none.

        Of classes of beats that were found, those of the shipped finder as well.

        Parameters
        ----------
        protocol : str, optional
            The bundle's own protocol unless given.
        beats : {"annotated", "detected"}
            Where the windows of that evaluation lay.
        """
        results = self._kept(results_file(protocol or self.protocol, beats))
        if results is None:
            return None
        # Which beats were found is the finder's doing: another one, another result.
        finder = results.get("finder", {}).get("weights_sha256")
        found = beats == "detected" or (protocol == "detected" and not self.finds)
        if found and finder != find_bundle(FINDER).weights_sha256:
            return None
        return results

    def seeds(self) -> dict[str, Any] | None:
        """Read how its model does over several seeds, these weights among them; None if unknown."""
        return self._kept(SEEDS_FILE)

    def _kept(self, name: Path) -> dict[str, Any] | None:
        """Read a file of results of these very weights."""
        path = self.folder / name
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
        Which bundle a bare model name means. Without it: the one that analysis uses by default, or
        the only one there is.

    Raises
    ------
    BundleError
        If there is none, or it is damaged.

    Examples
    --------
    >>> find_bundle("cnn-mlp").full_name
    'cnn-mlp/inter'
    """
    if _is_bundle(Path(name)):
        return open_bundle(Path(name))
    text = str(name)
    if text.startswith(hub.PREFIX):
        return open_bundle(hub.fetch_bundle(text))
    names = shipped_bundles()
    others = [other for other in names if other.split("/")[0] == text]
    full = text if "/" in text else f"{text}/{protocol or DEFAULT_PROTOCOL}"
    if protocol is None and full not in names and len(others) == 1:
        full = others[0]
    if full in names:
        return open_bundle(_shipped_root() / full)
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
    needed = {"format", "model", "protocol", "parameters", "input", "training", "files"}
    if isinstance(config, dict) and config.get("model") != FINDER:
        needed.add("classes")
    missing = sorted(needed - set(config)) if isinstance(config, dict) else sorted(needed)
    if missing:
        msg = f"bundle {str(folder)!r}: {CONFIG_FILE} lacks {missing[0]!r}; train it again"
        raise BundleError(msg)
    if config["format"] != FORMAT:
        msg = f"bundle {str(folder)!r} has format {config['format']!r}, expected {FORMAT}"
        raise BundleError(msg + "; use the version of ectopy that wrote it")
    if config["model"] != FINDER and config["classes"] != list(CLASSES):
        msg = f"bundle {str(folder)!r} has classes {config['classes']}, expected {list(CLASSES)}"
        raise BundleError(msg + "; train it with this version of ectopy")
    cost = config.get("multiply_adds", 1)
    if isinstance(cost, bool) or not isinstance(cost, int) or cost < 1:
        msg = f"bundle {str(folder)!r} has multiply_adds = {cost!r}, expected a whole number above "
        raise BundleError(msg + "0; copy the whole folder again, or train it again")
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
    bundle = Bundle(folder, config)
    bundle.calibration  # noqa: B018  # refuses what inference would not apply
    return bundle


def _is_bundle(folder: Path) -> bool:
    try:
        return (folder / CONFIG_FILE).is_file()
    except OSError:  # a name that no file system takes
        return False


def _shipped_root() -> Path:
    return Path(str(resources.files("ectopy"))) / "weights"
