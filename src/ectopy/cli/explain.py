"""`ectopy explain`: the curves that a KAN head learned of its named features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ectopy.evaluation.kan_functions import FeatureFunction, KANFunctions

SHOWN = 6
"""Features of each class in the table; all are in the files."""


def explain(
    model: Annotated[
        str,
        typer.Argument(help="Rhythm model with a KAN head: name, MODEL/PROTOCOL, or a folder."),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for functions.csv, functions.json and functions.png.")
    ],
) -> None:
    """Show what a KAN head learned: a curve for each named feature and class."""
    from rich.console import Console

    from ectopy.evaluation.kan_function_files import write_functions
    from ectopy.evaluation.kan_functions import kan_functions
    from ectopy.writers.output import check_folder

    check_folder(out)  # before the work, not after it
    functions = kan_functions(model)
    files = write_functions(functions, out)
    console = Console()
    _show(functions, console)
    console.print(f"wrote {len(files)} files to {out}", highlight=False, soft_wrap=True)


def _show(functions: KANFunctions, console: Console) -> None:
    """Print what fits 80 columns; everything else is in the files."""
    from ectopy.evaluation.kan_functions import HELD_FIXED, MIDDLE_SD
    from ectopy.writers.paper import ECTOPIC

    for name in ECTOPIC:
        console.print(_table(functions, name))
    console.print(
        f"range: highest less lowest effect over mean ± {MIDDLE_SD:g} SD; ends: value and effect "
        "there; bent: share that is not linear, of the curve and of the first layer's functions",
        highlight=False,
    )
    console.print(HELD_FIXED, style="dim", highlight=False)


def _table(functions: KANFunctions, name: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{functions.model}: logit of {name} less that of N",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("feature", no_wrap=True)
    for column in ("range", "low end", "high end", "bent", "layer 1"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in functions.ranking(name)[:SHOWN]:
        shares = one.curve_not_linear(name), one.first_layer_not_linear
        bent = ("" if share is None else f"{100 * share:.0f} %" for share in shares)
        table.add_row(one.scale.label, f"{one.importance(name):.2f}", *_ends(one, name), *bent)
    return table


def _ends(one: FeatureFunction, name: str) -> list[str]:
    """Plain value and effect at both ends of the middle."""
    rows = one.in_middle().nonzero()[0][[0, -1]]
    plain, effects = one.scale.plain(one.x[rows]), one.effect(name)[rows]
    return [
        f"{x:.{2 if abs(x) < 10 else 0}f}: {effect:+.1f}"
        for x, effect in zip(plain, effects, strict=True)
    ]
