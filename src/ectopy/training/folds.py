"""Judge a recipe by patients held out: five groups of DS1 in turn, and made-up patients.

This is how recipes of rhythm models are chosen, and where their temperature comes from. The made-up
patients of the judgement are others than those of training, with shapes of the patients held out;
among them are rhythms that DS1 does not have, such as more ectopic beats than normal ones.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.console import Console

from ectopy.beats import CLASSES
from ectopy.data.protocols import DS1_FOLDS, PACED
from ectopy.errors import RecipeError
from ectopy.evaluation.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
)
from ectopy.evaluation.metrics import score_classes
from ectopy.inference.engine import softmax
from ectopy.models.bundle import CONFIG_FILE, open_bundle
from ectopy.models.saving import load_model
from ectopy.training.calibrate import validation_logits
from ectopy.training.dressing import Dresser, F, N, Q, S, V
from ectopy.training.recipe_files import default_recipe, load_recipe, reads_rhythm
from ectopy.training.rhythm_batches import KnownBeats, disturb
from ectopy.training.rhythm_beats import load_rhythm_beats
from ectopy.training.rhythm_recipe import DisturbSettings, RhythmRecipe
from ectopy.training.rhythms import make_pool
from ectopy.training.run import train

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.models.beat_model import BeatModel
    from ectopy.training.rhythm_beats import RhythmBeats
    from ectopy.training.settings import RunSettings

JUDGED_PATIENTS, JUDGED_SEED, EVERY = 60, 2, 7
RESULT_FILE = "folds.json"
UNDISTURBED = DisturbSettings(
    stretch=0, own_stretch=0, shift=0, gain=0, noise=0, wander=0, mains=0, invert=0
)


def cross_validate(settings: RunSettings, console: Console | None = None) -> dict[str, Any]:
    """Train a rhythm model five times, each time without some patients, and judge it on these.

    A fold whose bundle is there already is only judged; one that was interrupted goes on.

    Parameters
    ----------
    settings : RunSettings
        Its folder gets one run for each fold, and ``folds.json``.
    console : rich.console.Console, optional

    Returns
    -------
    dict
        Scores over all beats of DS1, each judged by the model that has not seen its patient:
        ``per_class``, ``macro_f1_nsvf``, ``per_record`` (right and false S, V, F and Q; also of
        the paced records, one of which is held out with each of four groups), ``temperature`` and
        the calibration error before and after, ``made_up`` (F1 of S, V and Q of made-up patients,
        all and those with more S than N).

    Raises
    ------
    RecipeError
        If the model does not read rhythm, the protocol is not `inter`, or records are held out.
    """
    console = console or Console(stderr=True)
    if not reads_rhythm(settings.model) or settings.protocol != "inter" or settings.hold_out:
        msg = f"--folds judges rhythm models under 'inter', not {settings.model!r} under "
        raise RecipeError(msg + f"{settings.protocol!r}; leave --folds or --hold-out out")
    recipe = load_recipe(
        settings.recipe or default_recipe(settings.model, settings.protocol), RhythmRecipe
    )
    logits, classes, records, made_up = [], [], [], []
    for number, (fold, paced) in enumerate(zip_longest(DS1_FOLDS, PACED), start=1):
        held_out = (*fold, paced) if paced else fold
        out = settings.out / f"fold{number}"
        if not (out / "bundle" / CONFIG_FILE).is_file():
            console.print(f"fold {number} of {len(DS1_FOLDS)}: without {', '.join(held_out)}")
            torch.compiler.reset()
            train(replace(settings, out=out, hold_out=held_out, resume=True), console)
        _check(out / "bundle", settings, recipe)
        network = load_model(out / "bundle")
        beats = load_rhythm_beats(held_out, folder=settings.folder)
        rows = np.arange(len(beats))
        logits.append(validation_logits(network, KnownBeats(beats, rows)))
        classes.append(beats.classes)
        records.append(np.asarray(beats.records)[beats.inputs.piece])
        made_up.append(_judge_made_up(network, beats, recipe))
    result = {
        "model": settings.model,
        "recipe": recipe.to_dict(),
        "seed": settings.seed,
        **_summary(np.concatenate(logits), np.concatenate(classes), np.concatenate(records)),
        "made_up": {
            name: {
                key: float(np.mean([m[name][key] for m in made_up if key in m[name]]))
                for key in made_up[0][name]
            }
            for name in made_up[0]
        },
    }
    text = json.dumps(result, indent=2) + "\n"
    (settings.out / RESULT_FILE).write_text(text, encoding="utf-8")
    return result


def _check(folder: Path, settings: RunSettings, recipe: RhythmRecipe) -> None:
    """Refuse to judge a bundle of another run by this one's name."""
    config = open_bundle(folder).config
    training = config["training"]
    found = (config["model"], training["seed"], training["recipe"])
    if found != (settings.model, settings.seed, json.loads(json.dumps(recipe.to_dict()))):
        msg = f"the bundle in {str(folder)!r} has another model, seed or recipe"
        raise RecipeError(msg + "; judge it with the same ones or choose another --out")


def _summary(
    logits: NDArray[np.float32], classes: NDArray[np.int64], records: NDArray[np.str_]
) -> dict[str, Any]:
    found = logits.argmax(axis=1)
    table = {}
    for name in np.unique(records):
        mine = records == name
        table[str(name)] = {
            CLASSES[c]: {
                "n": int((classes[mine] == c).sum()),
                "right": int(((classes[mine] == c) & (found[mine] == c)).sum()),
                "false": int(((classes[mine] != c) & (found[mine] == c)).sum()),
            }
            for c in (S, V, F, Q)
        }
    # Paced records are no part of DS1, and their beats would outvote it.
    counted = ~np.isin(records, PACED)
    logits, classes = logits[counted], classes[counted]
    raw = softmax(logits)
    temperature = fit_temperature(logits, classes)
    scores = score_classes(classes.astype(np.int8), raw, with_auc=False)
    return {
        "n": len(classes),
        "per_class": scores["per_class"],
        "macro_f1_nsvf": scores["macro_f1_nsvf"],
        "temperature": round(temperature, 4),
        "ece_unscaled": expected_calibration_error(classes, raw),
        "ece": expected_calibration_error(classes, apply_temperature(raw, temperature)),
        "per_record": table,
    }


def _judge_made_up(
    network: BeatModel, beats: RhythmBeats, recipe: RhythmRecipe
) -> dict[str, dict[str, float]]:
    """F1 of made-up patients with shapes of the patients held out: all, and those mostly S."""
    pool = make_pool(JUDGED_PATIENTS, JUDGED_SEED)
    dresser = Dresser(beats, np.arange(len(beats)), pool, recipe.dress)
    rng = np.random.default_rng(JUDGED_SEED)
    timing = np.arange(0, len(pool.classes), EVERY)
    timing = timing[np.isin(pool.classes[timing], dresser.makes)]
    dressed = dresser.dress(pool.classes[timing], timing, rng)
    shapes = disturb(dressed, UNDISTURBED, rng)
    with torch.inference_mode():
        logits = network(torch.from_numpy(shapes), torch.from_numpy(dressed.rhythm))
    found, true = logits.argmax(1).numpy(), dressed.classes
    patient = pool.patient[timing]
    shares = [
        (true[patient == p] == S).mean() - (true[patient == p] == N).mean()
        for p in range(JUDGED_PATIENTS)
    ]
    mostly = np.asarray(shares)[patient] > 0
    return {
        name: {f"f1_{CLASSES[c]}": _f1(true[rows], found[rows], c) for c in dresser.makes if c != N}
        for name, rows in (("all", np.ones(len(true), np.bool_)), ("mostly_s", mostly))
    }


def _f1(true: NDArray[np.int64], found: NDArray[np.int64], c: int) -> float:
    hits = ((true == c) & (found == c)).sum()
    return float(2 * hits / max(1, (true == c).sum() + (found == c).sum()))
