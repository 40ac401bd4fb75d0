"""`ectopy score`: compare annotation files with the reference, beat by beat."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ectopy.cli.ec57_tables import GROUPS, RATES, matrix_table, rates_table

if TYPE_CHECKING:
    from rich.console import Console

_COUNTS = ("tp", "fn", "fp", "tn")


def score(
    reference_dir: Annotated[Path, typer.Argument(help="Folder of reference annotations.")],
    test_dir: Annotated[Path, typer.Argument(help="Folder of the annotations to score.")],
    annotator: Annotated[
        str, typer.Option(help="Suffix of the annotation files to score, such as qrs.")
    ],
    reference_annotator: Annotated[
        str, typer.Option(help="Suffix of the reference annotation files.")
    ] = "atr",
    class_map: Annotated[
        str,
        typer.Option(
            help="Classes of the beat symbols: 'aami' (escape beats e j n in N) "
            "or 'bxb' (in S, as the WFDB tool has it)."
        ),
    ] = "aami",
    start: Annotated[
        float, typer.Option(help="Seconds at the start of each record to leave out.")
    ] = 300.0,
    window: Annotated[
        float, typer.Option(help="Seconds that two beats may lie apart and still match.")
    ] = 0.15,
    records: Annotated[
        str | None,
        typer.Option(help="Records to score, such as 100,101; otherwise all with a reference."),
    ] = None,
    exclude: Annotated[
        str, typer.Option(help="Records to leave out, such as those with paced beats.")
    ] = "",
    skip_missing: Annotated[
        bool,
        typer.Option("--skip-missing", help="Leave out records that have nothing to score."),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all counts and rates to this file.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write the table, with counts, to this file.")
    ] = None,
) -> None:
    """Score WFDB annotation files beat by beat as ANSI/AAMI EC57 says."""
    from rich.console import Console

    from ectopy.evaluation.ec57_files import score_folders
    from ectopy.writers.output import check_folder, write_text

    for file in (json_file, csv_file):
        if file is not None:
            check_folder(file.parent)  # before the work, not after it
    results = score_folders(
        reference_dir,
        test_dir,
        annotator=annotator,
        reference_annotator=reference_annotator,
        class_map=class_map,
        start_s=start,
        window_s=window,
        records=None if records is None else _names(records),
        exclude=_names(exclude),
        skip_missing=skip_missing,
    )
    _show(results, Console())
    if json_file is not None:
        write_text(json_file, json.dumps(results, indent=2, allow_nan=False) + "\n")
    if csv_file is not None:
        write_text(csv_file, _as_csv(results))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _show(results: dict[str, Any], console: Console) -> None:
    pooled = {"gross": results["gross"], "average": results["average"]}
    title = f"{results['annotator']} against {results['reference_annotator']}, EC57"
    console.print(rates_table(title, results["per_record"], pooled))
    console.print(matrix_table(results))
    window_ms = 1000 * results["window_s"]
    console.print(
        f"class map {results['class_map']}, from {results['start_s']:g} s on, window "
        f"{window_ms:g} ms; rates in %, '-' where nothing could be counted",
        highlight=False,
    )
    left_out = {
        "excluded as asked": results["excluded"],
        "skipped, no test annotations": results["skipped"],
        "not scored, no reference annotations": results["without_reference"],
        "counted at another frequency than the record and moved to its samples": [
            f"{file} ({fs:g} Hz)" for file, fs in results["rescaled"].items()
        ],
    }
    for reason, names in left_out.items():
        if names:
            console.print(f"note: {reason}: {', '.join(names)}", style="dim", highlight=False)


def _as_csv(results: dict[str, Any]) -> str:
    """One line a record, then the gross and the average line; rates from 0 to 1, or empty."""
    columns = [
        (group, key)
        for group in GROUPS
        for key in (*_COUNTS, *RATES)
        if group != "qrs" or key not in ("tn", "fpr")
    ]
    lines = {**results["per_record"], "gross": results["gross"], "average": results["average"]}
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class_map", "record", *(f"{group}_{key}" for group, key in columns)])
    for name, scores in lines.items():
        values = [scores[group].get(key) for group, key in columns]
        writer.writerow([results["class_map"], name, *values])
    return text.getvalue()
