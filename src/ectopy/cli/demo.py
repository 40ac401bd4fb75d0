"""`ectopy demo`: the whole chain on an embedded synthetic recording whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ectopy.defaults import DEFAULT_MODEL


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
    model: Annotated[
        str, typer.Option(help="Model, MODEL/PROTOCOL, or a bundle's folder.")
    ] = DEFAULT_MODEL,
    seed: Annotated[
        int | None, typer.Option(help="Another synthetic patient.", show_default=False)
    ] = None,
) -> None:
    """Analyse a synthetic recording with the shipped weights and compare with its truth."""
    from rich.console import Console
    from rich.table import Table

    from ectopy.beats import CLASS_MEANINGS
    from ectopy.cli.analyze import show_analysis
    from ectopy.inference.analyze import analyze
    from ectopy.inference.truth import compare_with_truth
    from ectopy.simulate import demo as demo_recording
    from ectopy.writers import write_all
    from ectopy.writers.output import check_folder

    check_folder(out)
    recording, truth = demo_recording() if seed is None else demo_recording(seed=seed)
    analysis = analyze(recording, model=model)
    synthetic = "this recording is synthetic: simulated, not from a patient"
    analysis = replace(analysis, warnings=(synthetic, *analysis.warnings))
    files = write_all(analysis, out)
    console = Console()
    console.print("A synthetic recording: simulated, not from a patient.\n", style="bold")
    show_analysis(analysis, files, console)
    score = compare_with_truth(analysis, truth)
    table = Table("class", "true beats", "found", "classed right", title="Against the known truth")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in score.per_class.items():
        table.add_row(f"{name} {CLASS_MEANINGS[name]}", *(f"{n:,}" for n in one))
    console.print(table)
    console.print(
        f"beats found: {score.found:,} of {score.n:,} ({100 * score.found_share:.2f} %), "
        f"{score.additional} found that are none; "
        f"classed right: {score.right:,} of {score.found:,} found ({100 * score.right_share:.2f} %)"
    )
