"""Tables of a model's classes on beats found in the raw signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.cli.ec57_tables import matrix_table, rates_table

if TYPE_CHECKING:
    from rich.console import Console


def show_detected_classes(results: dict[str, Any], console: Console) -> None:
    """Print what `ectopy.evaluation.detected_classes.evaluate_detected_classes` found out."""
    start = divmod(round(results["start_s"]), 60)
    title = f"{results['model']} under {results['protocol']}: {len(results['records'])} records, "
    title += f"from {start[0]}:{start[1]:02d} on"
    pooled = {
        "gross": results["gross"],
        **{_without(names): one["gross"] for names, one in results["without"].items()},
        "bxb map": results["bxb_map"]["gross"],
        **{
            f"bxb map {_without(names)}": one["bxb_map"]["gross"]
            for names, one in results["without"].items()
        },
    }
    averages = {"average": results["average"], "bxb map average": results["bxb_map"]["average"]}
    console.print(rates_table(title, results["per_record"], pooled, averages))
    console.print(matrix_table(results))
    console.print(
        "Rows: reference, columns: given. o: missed; O, X: made up. Rates in %, '-' where nothing "
        "could be counted. Without = gross without these records.",
        highlight=False,
    )
    if results["leak"]:
        console.print(f"LEAK: {results['leak']}", style="bold red")
    f1 = ", ".join(f"{name} {_score(one['f1'])}" for name, one in results["per_class"].items())
    console.print(
        f"F1 with missed and made-up beats as errors: {f1}; macro {_score(results['macro_f1'])}, "
        f"over N S V F {_score(results['macro_f1_nsvf'])}; {results['n']:,} beats, "
        f"{results['params']:,} parameters",
        highlight=False,
    )
    for note in (results["protocol_title"], *results["notes"]):
        console.print(f"note: {note}", style="dim", highlight=False)


def _without(names: str) -> str:
    return f"without {names.replace('+', ', ')}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
