"""What a KAN head learned as a folder of files: curves, ranking, figure; all of them or none."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.beats import CLASSES
from ectopy.evaluation.figure_style import DPI, plain_settings
from ectopy.evaluation.kan_function_figure import draw_functions
from ectopy.evaluation.kan_functions import as_table
from ectopy.writers.output import check_folder, staging

if TYPE_CHECKING:
    import os

    from ectopy.evaluation.kan_functions import KANFunctions

CSV_FILE, JSON_FILE, FIGURE_FILE = "functions.csv", "functions.json", "functions.png"
CSV_COLUMNS = ("class", "feature", "x", "x_plain", "unit", "effect", "effect_on_logit")


def functions_csv(functions: KANFunctions) -> str:
    """Make one line a point of each curve.

    Returns
    -------
    str
        CSV with a header. ``x`` is the feature as the model has it, ``x_plain`` what it says in
        ``unit``: a ratio for a logarithm of one. ``effect`` is the change of the class's logit less
        that of N, ``effect_on_logit`` that of the class's alone.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for number, name in enumerate(CLASSES):
        for one in functions.features:
            columns = one.x, one.scale.plain(one.x), one.effect(name), one.logits[:, number]
            for x, plain, effect, logit in zip(*columns, strict=True):
                numbers = [f"{value:.6g}" for value in (x, plain, effect, logit)]
                writer.writerow([name, one.name, *numbers[:2], one.scale.unit, *numbers[2:]])
    return text.getvalue()


def write_functions(functions: KANFunctions, folder: str | os.PathLike[str]) -> list[Path]:
    """Write functions.csv, functions.json and functions.png.

    Parameters
    ----------
    functions : KANFunctions
        What `ectopy.evaluation.kan_functions.kan_functions` gives.
    folder : path
        Made where it is missing. Files of an earlier call are replaced.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    target = Path(folder)
    check_folder(target)
    texts = {
        CSV_FILE: functions_csv(functions),
        JSON_FILE: json.dumps(as_table(functions), indent=2, allow_nan=False) + "\n",
    }
    with staging(target, make=True) as staged, plain_settings():
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        figure = draw_functions(functions)
        figure.savefig(staged / FIGURE_FILE, dpi=DPI, metadata={"Software": "ectopy"})
    return [target / name for name in (*texts, FIGURE_FILE)]
