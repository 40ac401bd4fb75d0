"""`ectopy models`: what is shipped and how well it was measured to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ectopy.models.bundle import Bundle


def models() -> None:
    """List the shipped models with their measured scores."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ectopy.models.bundle import find_bundle, shipped_bundles

    # Narrow enough for a terminal of 80 columns.
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("model", no_wrap=True)
    for name in ("parameters", "test beats", "accuracy", "macro F1", "QRS Se", "QRS +P"):
        table.add_column(name, justify="right")
    for name in shipped_bundles():
        bundle = find_bundle(name)
        table.add_row(name, f"{bundle.n_parameters:,}", *_scores(bundle))
    Console().print(table)


def _scores(bundle: Bundle) -> list[str]:
    if bundle.finds:
        detected = bundle.results("detected")
        if detected is None:
            return ["not measured"]
        gross = detected["finders"][bundle.config["model"]]["gross"]
        found = f"{gross['tp'] + gross['fn']:,}"
        return [found, "", "", f"{gross['se']:.4f}", f"{gross['ppv']:.4f}"]
    results = bundle.results()
    if results is None:
        return ["not measured"]
    return [f"{results['n']:,}", f"{results['accuracy']:.4f}", f"{results['macro_f1']:.4f}"]
