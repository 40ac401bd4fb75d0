"""Seconds of training: ours as the recipe does it, against a plain loop of the published baseline.

python benchmarks/training.py
python benchmarks/training.py --until-baseline

The short form times some training steps of each in turn, over the same training part of `intra`,
and scales them up to an epoch. The long form trains whole epochs of the recipes as well.
`--until-baseline` trains by the recipe until the validation part's macro F1 reaches that of the
published baseline, and says after how many epochs and seconds. No test beat is looked at.

Without the database the short form runs on noise of the same shape, which takes the same time; the
other forms say that they are left out.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from keeping import keep
from measuring import spread
from settings import command_line, published_f1, settings_of

from ectopy.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROUNDS_FILE, EPOCHS_FILE, UNTIL_FILE = "training", "training_epochs", "training_until_baseline"
NEEDED = ("torch", "lightning", "sklearn")


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--until-baseline", action="store_true", help="train until the published macro F1"
    )
    options = parser.parse_args()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"training: left out, {missing[0]} is not installed: pip install 'ectopy[train]'")
        return
    settings = settings_of("training", long=options.long)
    try:
        if options.until_baseline:
            until_baseline(settings, options.out)
            return
        rounds(settings, options.out)
        if options.long:
            epochs(settings, options.out)
    except DataError as error:
        print(f"training: left out, {error}", file=sys.stderr)


def rounds(settings: Mapping[str, Any], out: Path) -> None:
    """Steps in turn, scaled up."""
    from training_rounds import measure_rounds

    found = measure_rounds(settings)
    for row in found["rows"]:
        print(
            f"{row['trained']:18} {row['ms_per_step']:7.1f} ms a step of {row['batch']} beats, "
            f"{row['beats_per_s']:7,.0f} beats/s; epoch, scaled up: {row['epoch_beats']:,} beats, "
            f"{row['epoch_s']:.1f} s"
        )
    for what, ratio in found["ratios"].items():
        print(f"{what}: {ratio:.2f}")
    print(found["data"])
    keep(ROUNDS_FILE, found.pop("rows"), folder=out, settings=dict(settings), **found)


def epochs(settings: Mapping[str, Any], out: Path) -> None:
    """Whole epochs of several recipes, validation included."""
    from training_epochs import train_epochs

    rows = []
    for name in settings["runs"]:
        model, _, protocol = name.partition("/")
        found = train_epochs(model, protocol, settings["epochs"], threads=settings["threads"])
        seconds = [one["epoch_s"] for one in found]
        later = spread(seconds[1:])["median"] if len(seconds) > 1 else None
        row = {"run": name, "threads": settings["threads"], "epochs": len(seconds)}
        rows.append({**row, "first_epoch_s": seconds[0], "epoch_s": later})
        print(f"{name:18} first epoch {seconds[0]:.1f} s, then {later or 0:.1f} s each", flush=True)
    keep(EPOCHS_FILE, rows, folder=out, settings=dict(settings))


def until_baseline(settings: Mapping[str, Any], out: Path) -> None:
    """By the recipe, until the validation part's macro F1 is the published model's."""
    from training_epochs import train_epochs

    goal, threads = published_f1(), settings["threads"]
    rows = train_epochs(settings["model"], "intra", None, threads=threads, stop_at=goal)
    for row in rows:
        print(f"epoch {row['epoch']}: {row['seconds']:.1f} s, macro F1 {row['val_macro_f1']:.4f}")
    last = rows[-1]
    reached = last["val_macro_f1"] >= goal
    told = {"epochs": last["epoch"], "seconds": last["seconds"]} if reached else None
    print(f"{goal} {f'after {told}' if told else 'was not reached'}")
    note = "macro F1 of the validation part, against the published one of the test part"
    further = {"goal": goal, "reached_after": told, "note": note}
    keep(UNTIL_FILE, rows, folder=out, settings=dict(settings), **further)


if __name__ == "__main__":
    main()
