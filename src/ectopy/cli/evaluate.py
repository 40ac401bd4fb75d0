"""`ectopy evaluate`: score a model under a protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ectopy.cli.detected_classes import show_detected_classes
from ectopy.cli.finders import show_detected
from ectopy.printing import number

if TYPE_CHECKING:
    from rich.console import Console


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="Model (its bundle for the protocol; for detected that of inter), MODEL/PROTOCOL, "
            "or a folder."
        ),
    ],
    protocol: Annotated[
        str | None,
        typer.Option(
            help="intra or inter; detected: beats found in the signal, EC57 scores. If not given, "
            "the one it was trained for.",
            show_default=False,
        ),
    ] = None,
    beats: Annotated[
        str, typer.Option(help="'annotated' beat positions, or 'detected' in the signal.")
    ] = "annotated",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results to this file.")
    ] = None,
    allow_leak: Annotated[
        bool, typer.Option(help="Score even on patients or beats trained on; the result says so.")
    ] = False,
    record: Annotated[
        bool, typer.Option(help="Keep the results in the bundle and renew its model card.")
    ] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Beat finder: judge other packages' as well.")
    ] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="Beat finder: also with electrode motion added.")
    ] = False,
    forms: Annotated[
        bool, typer.Option("--forms", help="Beat finder: also resampled, inverted, at other gains.")
    ] = False,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Keep every beat's probabilities in this folder, for ectopy compare."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Beat finder: draw the noise curves to this PNG.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="detected: number of processes.", min=1)] = 1,
) -> None:
    """Score a model on the test part of a protocol."""
    from rich.console import Console

    from ectopy.data.protocols import DETECTED
    from ectopy.errors import ProtocolError
    from ectopy.evaluation.detected import detected_bundle, evaluate_detected
    from ectopy.evaluation.evaluate import evaluate as run
    from ectopy.models.bundle import find_bundle
    from ectopy.writers.output import check_folder, write_text

    if protocol is None:
        bundle = find_bundle(model)
        protocol = DETECTED if bundle.finds else bundle.protocol
    for file in (json_file, figure):
        if file is not None:
            check_folder(file.parent)  # before the work, not after it
    if protocol == DETECTED:
        if predictions is not None:
            msg = f"--predictions goes with intra and inter, not {DETECTED!r}; leave it out"
            raise ProtocolError(msg)
        if beats != "annotated":
            msg = f"--beats goes with intra and inter; --protocol {DETECTED} finds beats anyway: "
            raise ProtocolError(msg + "leave it out")
        results = evaluate_detected(
            model,
            peers=peers,
            noise=noise or figure is not None,
            forms=forms,
            allow_leak=allow_leak,
            jobs=jobs,
        )
        show = show_detected if "finders" in results else show_detected_classes
        show(results, Console())
    else:
        if peers or noise or forms or figure is not None:
            msg = f"--peers, --noise, --forms and --figure go with --protocol {DETECTED}, "
            raise ProtocolError(f"{msg}not {protocol!r}; leave them out or change the protocol")
        results = run(model, protocol, beats=beats, allow_leak=allow_leak, predictions=predictions)
        _show(results, Console())
    if json_file is not None:
        write_text(json_file, json.dumps(results, indent=2, allow_nan=False) + "\n")
    if figure is not None:
        from ectopy.evaluation.figures import plot_noise_curves

        plot_noise_curves(results["noise"], figure)
    if record:
        from ectopy.models.results import record_results

        is_detected = protocol == DETECTED
        bundle = detected_bundle(model) if is_detected else find_bundle(model, protocol)
        record_results(bundle, results)


def _show(results: dict[str, Any], console: Console) -> None:
    from rich import box
    from rich.table import Table

    from ectopy.beats import CLASSES

    title = f"{results['model']} under {results['protocol']}, {results['beats']} beats"
    # Narrow enough for a terminal of 80 columns.
    columns = ("true", "n", "prec.", "recall", "F1", "AUC", *(f"-> {c}" for c in CLASSES))
    table = Table(*columns, title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in zip(CLASSES, results["confusion_matrix"], strict=True):
        one = results["per_class"][name]
        scores = (number(one[key]) for key in ("precision", "recall", "f1", "auc"))
        table.add_row(name, str(one["n"]), *scores, *map(str, row))
    console.print(table)
    if results["leak"]:
        console.print(f"LEAK: {results['leak']}", style="bold red")
    console.print(
        f"{results['n']:,} beats: accuracy {results['accuracy']:.4f}, macro F1 "
        f"{results['macro_f1']:.4f} (over N S V F {results['macro_f1_nsvf']:.4f}), weighted F1 "
        f"{results['weighted_f1']:.4f}, macro AUC {number(results['macro_auc'])}; "
        f"{results['params']:,} parameters",
        highlight=False,
    )
    if results["beats"] == "detected":
        console.print(
            f"missed beats: {results['missed']} of {results['reference_beats']}; accuracy with "
            f"missed beats counted as wrong {results['accuracy_with_missed']:.4f}",
            highlight=False,
        )
        whole = results["all_records"]
        console.print(
            f"{whole['note']}: accuracy {whole['accuracy']:.4f}, missed {whole['missed']} of "
            f"{whole['reference_beats']}; found where there is no beat {whole['additional']}, +P "
            f"{whole['positive_predictivity']:.4f}",
            highlight=False,
        )
    for note in results["notes"]:
        console.print(f"note: {note}", style="dim", highlight=False)
