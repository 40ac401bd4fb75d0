"""`ectopy models`: what is shipped and how well it was measured to do."""

from __future__ import annotations


def models() -> None:
    """List the shipped models with their measured scores."""
    from rich.console import Console
    from rich.table import Table

    from ectopy.models.bundle import find_bundle, shipped_bundles

    table = Table("model", "parameters", "test beats", "accuracy", "macro F1")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in shipped_bundles():
        bundle = find_bundle(name)
        results = bundle.results()
        scores = ["not measured", "", ""]
        if results is not None:
            scores = [
                f"{results['n']:,}",
                f"{results['accuracy']:.4f}",
                f"{results['macro_f1']:.4f}",
            ]
        table.add_row(name, f"{bundle.n_parameters:,}", *scores)
    Console().print(table)
