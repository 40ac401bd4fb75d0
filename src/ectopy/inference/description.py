"""Say what made an analysis: settings, model, finder, and how well these were measured to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy.data.protocols import SAME_SUBJECT
from ectopy.inference.finder import shipped_finder
from ectopy.inference.inputs import ANNOTATED
from ectopy.models.card import certainty, limits

if TYPE_CHECKING:
    from ectopy.models.bundle import Bundle
    from ectopy.readers.source import Source


def describe_settings(
    source: object, recording: Source, bundle: Bundle, **given: Any
) -> dict[str, Any]:
    """Say what was asked for and of what, without the folders that files lie in."""
    if not isinstance(given["beats"], str):
        given["beats"] = "given as sample indices"
    if given["beats"] != ANNOTATED:
        del given["annotator"]
    if not isinstance(given["model"], str) or Path(given["model"]).is_dir():
        given["model"] = bundle.full_name
    if given["columns"] is not None:
        given["columns"] = list(given["columns"])
    return {
        "source": Path(source).name if isinstance(source, str | Path) else "in memory",
        **{name: value for name, value in given.items() if value is not None},
        "leads": list(recording.leads),
        "notes": dict(recording.notes),
    }


def describe_model(bundle: Bundle) -> dict[str, Any]:
    """Name of a bundle, its exact weights, its limits, and how well it was measured to do.

    Returns
    -------
    dict
        `name`, `weights_sha256`; `limits` and `certainty`, sentences of its model card; `measured`
        (None, or protocol, n, accuracy, macro_f1, note, and `per_class` with n, se and ppv of
        each class that has test beats); `from_signal` (None, or the same of ventricular and
        supraventricular ectopic beats among those found in raw signals, scored as ANSI/AAMI EC57).
    """
    results = bundle.results()
    measured = None
    if results is not None:
        shown = ("protocol", "n", "accuracy", "macro_f1")
        measured = {key: results[key] for key in shown}
        measured["note"] = (
            "patients of the test beats were also in training"
            if bundle.protocol == "intra"
            else f"patients of the test beats were not in training{_but_for(bundle)}"
        )
        measured["per_class"] = {
            name: {"n": one["n"], "se": one["recall"], "ppv": one["precision"]}
            for name, one in results["per_class"].items()
            if one["n"]
        }
    return {
        "name": bundle.full_name,
        "weights_sha256": bundle.weights_sha256,
        "limits": limits(bundle),
        "certainty": certainty(bundle),
        "measured": measured,
        "from_signal": _from_signal(bundle),
    }


def _from_signal(bundle: Bundle) -> dict[str, Any] | None:
    """How its classes were measured to do on beats found in raw signals; None where unknown."""
    results = bundle.results("detected")
    if results is None:
        return None
    gross = results["gross"]
    return {
        "records": len(results["records"]),
        "leak": results["leak"],
        **{
            group: {
                "n": gross[group]["tp"] + gross[group]["fn"],
                "se": gross[group]["se"],
                "ppv": gross[group]["ppv"],
            }
            for group in ("qrs", "veb", "sveb")
        },
    }


def _but_for(bundle: Bundle) -> str:
    """Name the test records of subjects that were in training under another record's name."""
    trained = set(bundle.config["training"]["records"])
    both = [one for one, other in SAME_SUBJECT.items() if other in trained and one not in trained]
    return f", but for the one of record {', '.join(both)}" if both else ""


def describe_finder() -> dict[str, Any]:
    """Name of the shipped beat finder, its exact weights, and how well it was measured to do."""
    bundle = shipped_finder().bundle
    results, measured = bundle.results("detected"), None
    if results is not None:
        one = results["finders"][bundle.config["model"]]
        gross = one["gross"]
        measured = {"records": len(one["records"]), "n": gross["tp"] + gross["fn"]}
        measured |= {"se": gross["se"], "ppv": gross["ppv"]}
    finder = {"name": bundle.full_name, "weights_sha256": bundle.weights_sha256}
    return {"finder": finder | {"measured": measured}}
