"""`ectopy compare`: models over seeds on the same test beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ectopy.cli.extras import needs_extra

if TYPE_CHECKING:
    from rich.console import Console


def compare(
    protocol: Annotated[str, typer.Option(help="intra or inter.")],
    runs: Annotated[
        Path, typer.Option(help="Folder with MODEL/seedK/predictions.npz of finished runs.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for results.json, results.csv, table.md and figures.")
    ],
    models: Annotated[
        str, typer.Option(help="Models, with commas; all that are there, with --seeds all.")
    ] = "",
    seeds: Annotated[
        int | None,
        typer.Option(help="Train what is missing in RUNS of seeds 0 to N - 1 first.", min=1),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="--seeds: a shipped one or a TOML file; each model's own.")
    ] = "",
    accelerator: Annotated[str, typer.Option(help="--seeds: auto, cpu, gpu, ...")] = "auto",
    compile_network: Annotated[
        bool,
        typer.Option("--compile/--no-compile", help="--seeds: use torch.compile where it can run."),
    ] = True,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Keep the scores over seeds beside each shipped bundle of these runs."
        ),
    ] = False,
) -> None:
    """Compare models over seeds, with intervals and tests, from the predictions of their runs."""
    from rich.console import Console

    from ectopy.data.protocols import get_protocol
    from ectopy.errors import RecipeError
    from ectopy.evaluation.compare import compare_runs
    from ectopy.evaluation.compare_bundles import record_comparison
    from ectopy.evaluation.compare_files import write_comparison
    from ectopy.evaluation.runs import find_runs
    from ectopy.writers.output import check_folder

    get_protocol(protocol)
    check_folder(out)  # before the work, not after it
    names = tuple(dict.fromkeys(name for name in models.replace(" ", "").split(",") if name))
    if seeds is None:
        if recipe or accelerator != "auto" or not compile_network:
            msg = "--recipe, --accelerator and --no-compile go with --seeds; "
            raise RecipeError(msg + "leave them out or add --seeds N")
        found = find_runs(runs, protocol, names)
    else:
        with needs_extra("training", "train"):
            from ectopy.training.seeds import complete_runs
        found = complete_runs(
            runs,
            protocol,
            seeds=seeds,
            models=names,
            recipe=recipe,
            accelerator=accelerator,
            compile_network=compile_network,
        )
    results = compare_runs(found)
    files = write_comparison(results, out)
    console = Console()
    _show(results, console)
    console.print(f"wrote {len(files)} files to {out}", highlight=False, soft_wrap=True)
    if record:
        kept = record_comparison(results)
        for path in kept.values():
            console.print(f"wrote {path}", highlight=False, soft_wrap=True)
        for name in (name for name in results["models"] if name not in kept):
            what = f"{name}: its shipped weights, if any, are none of these runs'; nothing recorded"
            console.print(what, highlight=False, soft_wrap=True)


def _show(results: dict[str, Any], console: Console) -> None:
    """Print what fits 80 columns; everything else is in the files."""
    console.print(_score_table(results))
    if results["comparisons"]:
        console.print(_difference_table(results))
    unit, draws = results["intervals"]["unit"], results["intervals"]["resamples"]
    console.print(
        f"{results['n']:,} beats; ± is the standard deviation over seeds, [] the "
        f"{100 * results['intervals']['level']:g} % interval over {unit} ({draws:,} draws)",
        highlight=False,
    )
    for note in results["notes"]:
        console.print(f"note: {note}", style="dim", highlight=False)


def _score_table(results: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    from ectopy.beats import CLASSES
    from ectopy.printing import number

    table = Table(
        title=f"Protocol {results['protocol']}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("model", overflow="fold", max_width=14)
    # Narrow enough for a terminal of 80 columns.
    for column in ("accuracy", "macro F1", *(f"F1 {name}" for name in CLASSES)):
        table.add_column(column, justify="right", no_wrap=column == "macro F1")
    for name, one in results["models"].items():
        macro, classes = one["scores"]["macro_f1"], one["per_class"]
        accuracy = number(one["scores"]["accuracy"]["mean"])
        shown = number(macro["mean"]) + ("" if macro["sd"] is None else f" ± {number(macro['sd'])}")
        low_high = f"[{number(macro['low'])}, {number(macro['high'])}]"
        f1 = (number(classes[c]["f1"]["mean"], 3) for c in CLASSES)
        seeds = f"{len(one['seeds'])} seed{'' if len(one['seeds']) == 1 else 's'}"
        table.add_row(f"{name}\n{seeds}", accuracy, f"{shown}\n{low_high}", *f1)
    for one in results["published"]:
        f1 = (number(one["per_class"][c]["f1"], 3) for c in CLASSES)
        table.add_row(one["name"], number(one["accuracy"]), number(one["macro_f1"]), *f1)
    floor = results["always_n"]
    table.add_row("always N", number(floor["accuracy"]), number(floor["macro_f1"]))
    return table


def _difference_table(results: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    from ectopy.printing import number, p_text

    table = Table(
        title=f"Macro F1, differences; p corrected for {results['multiplicity']['tests']} tests",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    by_record = results["intervals"]["unit"] == "records"
    table.add_column("first minus second", overflow="fold", max_width=30)
    for column in ("difference", "interval", "p", *(["p, swaps"] if by_record else [])):
        table.add_column(column, justify="right")
    for one in results["comparisons"]:
        macro = one["differences"]["macro_f1"]
        ends = (number(macro[end], signed=True) for end in ("low", "high"))
        table.add_row(
            f"{one['first']} minus {one['second']}",
            number(macro["point"], signed=True),
            f"[{', '.join(ends)}]",
            p_text(macro["p_holm"]),
            *([p_text(macro["p_flip_holm"])] if by_record else []),
        )
    return table
