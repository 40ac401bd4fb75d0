"""Keeping a bundle's measured results with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ectopy.errors import OutputError
from ectopy.models.bundle import CARD_FILE, SEEDS_FILE, Bundle, results_file
from ectopy.models.card import model_card

if TYPE_CHECKING:
    from pathlib import Path


def record_results(bundle: Bundle, results: dict[str, Any]) -> Path:
    """Keep an evaluation with the bundle and renew its model card.

    Parameters
    ----------
    bundle : Bundle
    results : dict
        As `ectopy.evaluation.evaluate.evaluate` or, under protocol ``detected``,
        `ectopy.evaluation.detected.evaluate_detected` returns them.

    Returns
    -------
    Path
        The file in the bundle's ``results`` folder.

    Raises
    ------
    OutputError
        If the bundle's folder cannot be written to.
    """
    path = bundle.folder / results_file(results["protocol"], results.get("beats", "annotated"))
    return _keep(bundle, path, results)


def record_seeds(bundle: Bundle, results: dict[str, Any]) -> Path:
    """Keep with the bundle how its model does over several seeds and renew its model card.

    Parameters
    ----------
    bundle : Bundle
    results : dict
        With ``weights_sha256`` of the bundle; see
        `ectopy.evaluation.compare_bundles.record_comparison`.

    Returns
    -------
    Path
        The file in the bundle's ``results`` folder.

    Raises
    ------
    OutputError
        If the bundle's folder cannot be written to.
    """
    return _keep(bundle, bundle.folder / SEEDS_FILE, results)


def _keep(bundle: Bundle, path: Path, results: dict[str, Any]) -> Path:
    text = json.dumps(results, indent=2) + "\n"
    before = path.read_bytes() if path.is_file() else None
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            card = model_card(bundle)
        except BaseException:  # results that no card can be made of are not kept
            if before is None:
                path.unlink()
            else:
                path.write_bytes(before)
            raise
        (bundle.folder / CARD_FILE).write_text(card, encoding="utf-8")
    except OSError as error:
        msg = f"cannot write to bundle {str(bundle.folder)!r} ({error.strerror}); copy it first"
        raise OutputError(msg) from error
    return path
