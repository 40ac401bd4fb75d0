"""`ectopy analyze`: one recording in, classed beats out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ectopy.defaults import DEFAULT_FILES, DEFAULT_MODEL
from ectopy.errors import LeadNotFound, RecordingError, SignalError

if TYPE_CHECKING:
    from rich.console import Console

    from ectopy.analysis import Analysis, Runs
    from ectopy.measures.fibrillation import Fibrillation
    from ectopy.measures.patterns import Patterns
    from ectopy.measures.variability import TimeVariability


def analyze(
    path: Annotated[
        str,
        typer.Argument(
            help="Recording: a WFDB record, with or without suffix, or a file in EDF, BDF, ISHNE, "
            "DICOM, HL7 aECG, CSV or other text, Parquet, NPY or NPZ."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Annotated[
        str, typer.Option(help="Model, MODEL/PROTOCOL, or a bundle's folder.")
    ] = DEFAULT_MODEL,
    lead: Annotated[
        str | None,
        typer.Option(help="Lead by name; if not given MLII, II, or the best.", show_default=False),
    ] = None,
    all_leads: Annotated[
        bool, typer.Option("--all-leads", help="Each lead on its own, with files of its own.")
    ] = False,
    beats: Annotated[
        str, typer.Option(help="'detected' in the signal, or 'annotated' in the annotation file.")
    ] = "detected",
    annotator: Annotated[
        str, typer.Option(help="Suffix of the annotation file for --beats annotated.")
    ] = "atr",
    fs: Annotated[
        float | None,
        typer.Option(help="Tables: sampling frequency in Hz, where the file does not say it."),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(help="Tables: mV, uV, V, nV, or counts of the converter per mV."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Tables: a column that is a lead, by name or number from 0; repeatable."),
    ] = None,
    part: Annotated[
        int | None, typer.Option(help="EDF+ with gaps: which part, from 1.", min=1)
    ] = None,
    files: Annotated[
        str,
        typer.Option(
            help="Which files to write, with commas: annotations, csv, json, html, png, svg, "
            "parquet."
        ),
    ] = ",".join(DEFAULT_FILES),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of text.")
    ] = False,
) -> None:
    """Find and class every beat of a recording; write annotations, tables and a report."""
    from rich.console import Console

    from ectopy.cli.progress import shown_progress
    from ectopy.memory import give_freed_memory_back, keep_freed_memory
    from ectopy.writers import check_files, write_all
    from ectopy.writers.output import check_folder

    keep_freed_memory()
    # Before the work, not after it.
    kinds = check_files(name.strip().lower() for name in files.split(",") if name.strip())
    if all_leads and lead is not None:
        msg = f"--lead {lead} and --all-leads were given; give one of them"
        raise RecordingError(msg)
    check_folder(out)
    settings: dict[str, Any] = {
        "model": model,
        "beats": beats,
        "annotator": annotator,
        "fs": fs,
        "unit": unit,
        "columns": None if not column else [int(c) if c.isdecimal() else c for c in column],
        "part": part,
    }
    with shown_progress() as progress, naming(path):
        settings["progress"] = progress
        if all_leads:
            from ectopy.inference.all_leads import analyze_leads

            analyses = _named_by_lead(analyze_leads(path, **settings))
        else:
            from ectopy.inference.analyze import analyze as run

            analyses = [run(path, lead=lead, **settings)]
        give_freed_memory_back()
        written = []
        for analysis in analyses:
            name = "writing" if len(analyses) == 1 else f"writing, lead {analysis.lead}"
            written.append(write_all(analysis, out, files=kinds, seen=partial(progress, name)))
    if as_json:
        contents = [
            analysis.to_dict(beats=False) | {"files": {k: str(file) for k, file in one.items()}}
            for analysis, one in zip(analyses, written, strict=True)
        ]
        typer.echo(json.dumps(contents if all_leads else contents[0], indent=2, allow_nan=False))
    elif all_leads:
        show_leads(analyses, out, Console())
    else:
        show_analysis(analyses[0], written[0], Console())


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Name the recording in errors of its signal, which do not know what file it is from."""
    try:
        yield
    except (SignalError, LeadNotFound) as error:
        file = Path(path)
        if repr(file.stem) in str(error) or file.name in str(error):
            raise
        raise type(error)(f"{file.name}: {error}") from error


def _named_by_lead(analyses: dict[str, Analysis]) -> list[Analysis]:
    """Name each analysis after its lead as well, so that their files differ."""
    from dataclasses import replace

    return [replace(one, recording=f"{one.recording}-{lead}") for lead, one in analyses.items()]


def show_leads(analyses: list[Analysis], out: Path, console: Console) -> None:
    """Print one line a lead."""
    from rich.table import Table
    from rich.text import Text

    from ectopy.beats import CLASSES
    from ectopy.printing import number
    from ectopy.writers.output import file_stem

    table = Table(box=None, pad_edge=False)
    for title in ("lead", "usable %", "beats", *CLASSES, "?", "rate/min", "ectopic %"):
        table.add_column(title, justify="left" if title == "lead" else "right")
    for analysis in analyses:
        summary = analysis.summary
        table.add_row(
            Text(analysis.lead),
            number(summary.usable_percent, 1),
            *(f"{count:,}" for count in (len(analysis.beats), *summary.counts.values())),
            f"{summary.n_unusable:,}",
            number(summary.heart_rate_mean_bpm, 0),
            number(summary.ectopic_burden_percent, 1),
        )
    console.print(table)
    for warning in dict.fromkeys(w for analysis in analyses for w in analysis.warnings):
        console.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)
    for analysis in analyses:
        console.print(Text(f"files        {out / file_stem(analysis.recording)}.*"), soft_wrap=True)
    console.print("Research software, not a medical device.", style="dim")


def show_analysis(analysis: Analysis, files: dict[str, Path], console: Console) -> None:
    """Print what an analysis found and where it was written."""
    from rich.table import Table
    from rich.text import Text

    from ectopy.beats import CLASS_MEANINGS
    from ectopy.printing import number

    summary = analysis.summary
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()

    def row(name: str, text: str) -> None:
        table.add_row(name, Text(text))  # Text: a recording's name is not markup

    row("recording", f"{analysis.recording}, lead {analysis.lead}, {analysis.fs:g} Hz")
    row("duration", _clock(summary.duration_s))
    row("beats", f"{len(analysis.beats):,} {analysis.beat_source}")
    for name, count in summary.counts.items():
        share = 100 * count / max(summary.n_beats, 1)
        row(f"  {name}", f"{count:>7,}  {share:5.1f} %  {CLASS_MEANINGS[name]}")
    if summary.n_unusable:
        row("  ?", f"{summary.n_unusable:>7,}           not classed: the signal is unusable there")
    if analysis.quality is not None:
        row("signal usable", analysis.quality.text())
    row("heart rate", _rates(analysis))
    row(
        "ectopic burden",
        f"{number(summary.ectopic_burden_percent, 1)} % of beats "
        f"(V {number(summary.v_burden_percent, 1)} %, S {number(summary.s_burden_percent, 1)} %)",
    )
    row("longest V run", _run(summary.v_runs))
    row("longest S run", _run(summary.s_runs))
    for name, patterns in (("V", summary.v_patterns), ("S", summary.s_patterns)):
        if text := _patterns(patterns):
            row(f"{name} patterns", text)
    if summary.pauses:
        hidden = "; beats may be hidden there" if summary.long_pauses else ""
        row("pauses > 2 s", f"{summary.pauses}, longest {summary.longest_pause_s:.1f} s{hidden}")
    row("AF screen", _fibrillation(summary.fibrillation))
    if summary.time_variability.sdnn_ms is not None:
        row("variability", _variability(summary.time_variability))
    row("model", _model(analysis))
    console.print(table)
    for warning in analysis.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)
    for kind, file in files.items():
        console.print(Text(f"{kind:<12} {file}"), soft_wrap=True)
    console.print("Research software, not a medical device.", style="dim")


def _clock(seconds: float) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{int(hours)} h {int(minutes):02d} min {secs:04.1f} s"


def _rates(analysis: Analysis) -> str:
    summary = analysis.summary
    if summary.heart_rate_mean_bpm is None:
        return "undefined: no two beats within 3 s"
    text = f"mean {summary.heart_rate_mean_bpm:.0f}/min"
    if summary.heart_rate_min_bpm is not None and summary.heart_rate_max_bpm is not None:
        text += f", {summary.heart_rate_min_bpm:.0f} to {summary.heart_rate_max_bpm:.0f}"
    return text


def _run(runs: Runs) -> str:
    if runs.longest_start_s is None or runs.runs == 0:
        return "none of 3 beats or more"
    rate = "" if runs.longest_rate_bpm is None else f" at {runs.longest_rate_bpm:.0f}/min"
    at = _clock(runs.longest_start_s)
    count = f"{runs.runs:,} {_plural('run', runs.runs)} in all"
    return f"{runs.longest_beats} beats{rate}, from {at}; {count}"


def _patterns(patterns: Patterns) -> str:
    """Couplets, triplets, tachycardias, bigeminy and trigeminy, as far as there are any."""
    content = patterns.to_dict()
    counts = {
        "couplet": content["couplets"],
        "triplet": content["triplets"],
        "tachycardia": content["tachycardias"],
        "episode of bigeminy": content["bigeminy"]["episodes"],
        "episode of trigeminy": content["trigeminy"]["episodes"],
    }
    found = [(name, count) for name, count in counts.items() if count]
    return ", ".join(f"{count:,} {_plural(name, count)}" for name, count in found)


def _plural(name: str, count: int) -> str:
    first, *rest = name.split(" ")
    return " ".join([first if count == 1 else f"{first}s", *rest])


def _fibrillation(screen: Fibrillation) -> str:
    if screen.burden_percent is None:
        return "too few beats"
    if len(screen) == 0:
        return "no stretch of 30 s or more is irregular"
    times = "once" if len(screen) == 1 else f"{len(screen):,} times"
    return f"irregular for {screen.burden_percent:.1f} % of the time, {times}; no diagnosis"


def _variability(found: TimeVariability) -> str:
    text = f"SDNN {found.sdnn_ms:.0f} ms"
    if found.rmssd_ms is not None:
        text += f", RMSSD {found.rmssd_ms:.0f} ms"
    text += f", from {found.n_nn:,} normal intervals"
    return text if found.note is None else f"{text}; says little, the rhythm is irregular"


def _model(analysis: Analysis) -> str:
    measured = analysis.model["measured"]
    if measured is None:
        return f"{analysis.model['name']}, not measured yet: ectopy evaluate FOLDER --record"
    return (
        f"{analysis.model['name']}: accuracy {measured['accuracy']:.4f}, macro F1 "
        f"{measured['macro_f1']:.4f} on {measured['n']:,} test beats of MIT-BIH, protocol "
        f"{measured['protocol']} ({measured['note']})"
    )
