"""`ectopy simulate`: a labelled recording of any length, as a WFDB record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LEADS = ("MLII", "V1")


def simulate(
    record: Annotated[Path, typer.Argument(help="Record to write, as FOLDER/NAME.")],
    hours: Annotated[float, typer.Option(help="Length in hours.")] = 1.0,
    fs: Annotated[
        float, typer.Option(help="Sampling frequency in Hz, 50 or more; finding beats takes 80.")
    ] = 360.0,
    seed: Annotated[int, typer.Option(help="Chooses the patient and every random event.")] = 0,
    rhythm: Annotated[
        str, typer.Option(help="sinus, bigeminy, atrial fibrillation, paced, mixed, ...")
    ] = "mixed",
    noise: Annotated[float, typer.Option(help="Muscle noise, mV root mean square.")] = 0.02,
    dropouts: Annotated[float, typer.Option(help="Electrode drop-outs an hour.")] = 0.0,
) -> None:
    """Write a synthetic recording of two leads with every beat annotated, to try tools on."""
    from ectopy.cli.progress import shown_progress
    from ectopy.simulate import Simulation, stream
    from ectopy.writers.output import check_folder
    from ectopy.writers.recordings import write_simulated

    settings = Simulation(
        fs=fs, seed=seed, rhythm=rhythm, noise_mv=noise, dropouts_per_hour=dropouts
    )
    blocks = stream(settings, duration_s=3600 * hours, block_s=30.0)
    check_folder(record.parent)
    with shown_progress() as progress:
        files = write_simulated(
            blocks,
            record.parent,
            record.name,
            fs=fs,
            leads=LEADS,
            seen=lambda n: progress("simulating", n / fs / 3600 / hours),
        )
    typer.echo("A synthetic recording: simulated, not from a patient.")
    for kind, file in files.items():
        typer.echo(f"{kind:<12} {file}")
