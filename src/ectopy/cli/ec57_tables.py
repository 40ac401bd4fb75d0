"""Tables of EC57 scores for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.printing import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

GROUPS = {"qrs": "QRS", "veb": "VEB", "sveb": "SVEB"}
RATES = {"se": "Se", "ppv": "+P", "fpr": "FPR"}


def rates_table(title: str, *sections: Mapping[str, dict[str, Any]]) -> Table:
    """Rates of each group of beats in %, one line a name, a rule between sections.

    Narrow enough for a terminal of 80 columns.

    Parameters
    ----------
    title : str
    sections : mapping of str to dict
        Scores as `ectopy.evaluation.ec57_scores` gives them, by record or what else they are of.
    """
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("record", overflow="fold", max_width=12)
    table.add_column("beats", justify="right")
    for group, name in GROUPS.items():
        for rate in _rates(group):
            table.add_column(f"{name}\n{RATES[rate]}", justify="right")
    for section in sections:
        for name, scores in section.items():
            table.add_row(name, _n_beats(scores), *_cells(scores))
        table.add_section()
    return table


def matrix_table(results: dict[str, Any]) -> Table:
    """Beat-by-beat matrix of what `ectopy.evaluation.ec57.summarise` gives."""
    from rich import box
    from rich.table import Table

    table = Table("", *results["matrix_columns"], box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    n_classes = len(results["matrix_columns"]) - 2
    for name, row in zip(results["matrix_rows"], results["matrix"], strict=True):
        # Nothing against nothing is not counted.
        shown = row if name not in ("O", "X") else row[:n_classes]
        table.add_row(name, *map(str, shown))
    return table


def _rates(group: str) -> list[str]:
    return [rate for rate in RATES if group != "qrs" or rate != "fpr"]


def _n_beats(scores: dict[str, Any]) -> str:
    counts = scores["qrs"]
    return str(counts["tp"] + counts["fn"]) if "tp" in counts else ""


def _cells(scores: dict[str, Any]) -> list[str]:
    return [
        percent(scores[group][rate], 3 if rate == "fpr" else 2)  # as many digits as bxb prints
        for group in GROUPS
        for rate in _rates(group)
    ]
