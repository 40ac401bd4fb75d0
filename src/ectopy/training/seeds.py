"""The runs that a comparison wants: those that are missing are trained, and all are scored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from rich.console import Console

from ectopy.data.protocols import get_protocol
from ectopy.errors import RecipeError, RunError
from ectopy.evaluation.evaluate import evaluate
from ectopy.evaluation.run_notes import check_not_in_the_way
from ectopy.evaluation.runs import PREDICTIONS_FILE, RunResult
from ectopy.models.bundle import CONFIG_FILE
from ectopy.models.registry import MODELS, create_model
from ectopy.training.recipe_files import default_recipe, load_recipe, reads_rhythm
from ectopy.training.rhythm_recipe import RhythmRecipe
from ectopy.training.run import NOTE_FILE, train
from ectopy.training.settings import RunSettings
from ectopy.writers.output import check_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from ectopy.training.recipe import Recipe

TRAINING_FOLDER = "training"
"""Where a run's checkpoints, logs and bundle are, beside its predictions."""


def complete_runs(
    folder: Path,
    protocol: str,
    *,
    seeds: int,
    models: Sequence[str] = (),
    recipe: str = "",
    accelerator: str = "auto",
    compile_network: bool = True,
    database: Path | None = None,
    console: Console | None = None,
) -> list[RunResult]:
    """Train and score what is missing of some models and seeds.

    A run is FOLDER/MODEL/seedK: its predictions, and beside them the folder ``training`` with all
    that training leaves. One whose predictions are there is taken as it is, one whose bundle is
    there is scored, one that was interrupted goes on, and any other is trained. Everything is
    looked at before the first is trained. One device trains each: further processes would run all
    of this again.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    protocol : str
        ``"intra"`` or ``"inter"``.
    seeds : int
        Seeds 0 to ``seeds - 1`` of each model.
    models : sequence of str
        Models that class beats; all of them unless given.
    recipe : str
        Name or TOML file; each model's own unless given.
    accelerator, compile_network
        As in `ectopy.training.settings.RunSettings`.
    database : Path, optional
        Folder of the database.
    console : rich.console.Console, optional
        Where progress is shown.

    Returns
    -------
    list of RunResult
        By model, as they were named, and seed.

    Raises
    ------
    RecipeError, ProtocolError, DataError, OutputError
        If a run cannot be trained, or what is there was begun otherwise.
    RunError
        If predictions that are there are damaged or of another run.
    """
    console = console or Console(stderr=True)
    get_protocol(protocol)
    check_folder(folder)
    names = tuple(models) or tuple(MODELS)
    recipes = {name: _recipe(name, protocol, recipe) for name in names}
    for name, chosen in recipes.items():
        create_model(name, chosen.model.get(name))  # refuses before any is trained
    first = RunSettings(
        model="",
        protocol=protocol,
        recipe="",
        seed=0,
        out=folder,
        resume=True,
        accelerator=accelerator,
        devices="1",
        compile=compile_network,
        folder=database,
    )
    wanted = [
        replace(
            first,
            model=name,
            recipe=recipe or default_recipe(name, protocol),
            seed=seed,
            out=folder / name / f"seed{seed}" / TRAINING_FOLDER,
        )
        for name in names
        for seed in range(seeds)
    ]
    for settings in wanted:
        _check(settings, recipes[settings.model].to_dict())
    return [
        _complete(settings, f"run {number} of {len(wanted)}", console)
        for number, settings in enumerate(wanted, start=1)
    ]


def _recipe(model: str, protocol: str, recipe: str) -> Recipe | RhythmRecipe:
    """Load the recipe that a model is trained by."""
    if model not in MODELS:
        create_model(model)  # refuses it
    name = recipe or default_recipe(model, protocol)
    if reads_rhythm(model):
        return load_recipe(name, RhythmRecipe)
    return load_recipe(name)


def _check(settings: RunSettings, recipe: dict[str, Any]) -> None:
    """Refuse what is there already but is not this run."""
    kept, note = settings.out.parent, settings.out / NOTE_FILE
    facts = {name: getattr(settings, name) for name in ("model", "protocol", "seed")}
    if (kept / PREDICTIONS_FILE).is_file():
        run = RunResult.load(kept)
        if found := [name for name, value in facts.items() if getattr(run, name) != value]:
            msg = (
                f"the run in {str(kept)!r} has {found[0]} = {getattr(run, found[0])!r}, expected "
                f"{facts[found[0]]!r}"
            )
            raise RunError(msg + "; choose another --runs")
    else:
        check_not_in_the_way(kept)
    if not note.is_file():
        return
    try:
        begun = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{str(note)!r} cannot be read ({error}); remove {str(settings.out)!r} or choose "
        raise RunError(msg + "another --runs") from error
    if begun != json.loads(json.dumps({**facts, "recipe": recipe})):
        msg = f"the run in {str(settings.out)!r} was begun with another model, protocol, seed or "
        raise RecipeError(msg + "recipe; give the --recipe it was begun with or another --runs")


def _complete(settings: RunSettings, place: str, console: Console) -> RunResult:
    """Train and score one run, as far as it is not done."""
    kept, bundle = settings.out.parent, settings.out / "bundle"

    def say(what: str) -> None:
        text = f"{place}: {settings.model}, seed {settings.seed}, {what}"
        console.print(text, highlight=False, soft_wrap=True)

    if (kept / PREDICTIONS_FILE).is_file():
        say("is there")
        return RunResult.load(kept)
    if not (bundle / CONFIG_FILE).is_file():
        say(f"{'goes on' if (settings.out / NOTE_FILE).is_file() else 'trains'} in {settings.out}")
        torch.compiler.reset()  # what was compiled for another network counts towards a limit
        train(settings, console)
    results = evaluate(bundle, settings.protocol, folder=settings.folder, predictions=kept)
    say(f"is scored on {results['n']:,} test beats")
    return RunResult.load(kept)
