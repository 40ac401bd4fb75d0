"""Tables of a model's classes on beats found in the raw signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.cli.ec57_tables import matrix_table, rates_table
from ectopy.printing import number

if TYPE_CHECKING:
    from rich.console import Console


def show_detected_classes(results: dict[str, Any], console: Console) -> None:
    """Print what `ectopy.evaluation.detected_classes.evaluate_detected_classes` found out."""
    start = divmod(round(results["start_s"]), 60)
    title = f"{results['model']} under {results['protocol']}: {len(results['records'])} records, "
    title += f"from {start[0]}:{start[1]:02d} on"
    console.print(rates_table(title, results["per_record"], *_pooled(results)))
    console.print(rates_table("the same, e and j counted as S (bxb map)", *_pooled(results, True)))
    console.print(matrix_table(results))
    console.print(
        "'no 232': gross without record 232. Matrix: rows are the reference, columns what was "
        "given; o: missed, O and X: made up. Rates in %, '-' where nothing could be counted.",
        highlight=False,
    )
    if results["leak"]:
        console.print(f"LEAK: {results['leak']}", style="bold red")
    f1 = ", ".join(f"{name} {number(one['f1'])}" for name, one in results["per_class"].items())
    console.print(
        f"F1 with missed and made-up beats as errors: {f1}; macro {number(results['macro_f1'])}, "
        f"over N S V F {number(results['macro_f1_nsvf'])}; {results['n']:,} beats, "
        f"{results['params']:,} parameters",
        highlight=False,
    )
    for note in (results["protocol_title"], *results["notes"]):
        console.print(f"note: {note}", style="dim", highlight=False)


def _pooled(results: dict[str, Any], as_bxb: bool = False) -> list[dict[str, dict[str, Any]]]:
    """Lines of all records together, and of those that are left when some are left out."""

    def of(one: dict[str, Any]) -> dict[str, Any]:
        chosen: dict[str, Any] = one["bxb_map"] if as_bxb else one
        return chosen

    rest = {f"no {names}": of(one)["gross"] for names, one in results["without"].items()}
    return [{key: of(results)[key] for key in ("gross", "average")}, rest]
