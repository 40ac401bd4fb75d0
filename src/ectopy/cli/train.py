"""`ectopy train`: train a model through a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli.extras import needs_extra


def train(
    model: Annotated[
        str, typer.Argument(help="cnn-mlp, cnn-kan, rhythm-mlp, rhythm-kan or beat-finder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for logs, checkpoints and the bundle.")],
    protocol: Annotated[str, typer.Option(help="intra or inter.")] = "intra",
    recipe: Annotated[
        str,
        typer.Option(
            help="A shipped one, such as cnn-intra, baseline or rhythm-kan-inter, or a TOML file; "
            "the model's own unless given."
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last finished epoch in --out.")
    ] = False,
    hold_out: Annotated[
        str,
        typer.Option(
            help="Records, with commas, to validate on instead: for the beat finder, and under "
            "inter for the rhythm models."
        ),
    ] = "",
    folds: Annotated[
        bool,
        typer.Option(
            "--folds",
            help="Judge a rhythm model's recipe instead: five groups of patients held out in turn.",
        ),
    ] = False,
    accelerator: Annotated[str, typer.Option(help="Lightning: auto, cpu, gpu, ...")] = "auto",
    devices: Annotated[str, typer.Option(help="Lightning: auto, a number, or a list.")] = "auto",
    strategy: Annotated[str, typer.Option(help="Lightning: auto, ddp, ...")] = "auto",
    precision: Annotated[
        str, typer.Option(help="32-true, bf16-mixed, 16-mixed or 64-true.")
    ] = "32-true",
    compile_network: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Use torch.compile where it can run.")
    ] = True,
) -> None:
    """Train a model and write its bundle to OUT/bundle."""
    from rich.console import Console

    with needs_extra("training", "train"):
        from ectopy.training.folds import cross_validate
        from ectopy.training.run import train as run
        from ectopy.training.settings import RunSettings
    settings = RunSettings(
        model=model,
        protocol=protocol,
        recipe=recipe,
        seed=seed,
        out=out,
        resume=resume,
        accelerator=accelerator,
        devices=devices,
        strategy=strategy,
        precision=precision,
        compile=compile_network,
        hold_out=tuple(dict.fromkeys(r for r in hold_out.replace(" ", "").split(",") if r)),
    )
    if not folds:
        Console().print(f"bundle: {run(settings)}", highlight=False)
        return
    judged = cross_validate(settings)
    f1 = "  ".join(f"{name} {one['f1']:.3f}" for name, one in judged["per_class"].items())
    Console().print(f"F1 of patients held out: {f1}; in {out / 'folds.json'}", highlight=False)
