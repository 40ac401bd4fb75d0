"""A comparison as a folder of files: results, tables, figures; all of them or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy.evaluation.compare_csv import as_csv
from ectopy.evaluation.compare_figures import write_figures
from ectopy.evaluation.compare_tables import markdown
from ectopy.writers.output import cannot_write, check_folder, staging

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

RESULTS_FILE, CSV_FILE, TABLE_FILE = "results.json", "results.csv", "table.md"
FIGURES_FOLDER = "figures"


def write_comparison(results: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Write results.json, results.csv, table.md and figures/*.png.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.
    folder : path
        Made where it is missing. Files of an earlier comparison are replaced.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    OutputError
        If they cannot be written, or there are more models than a figure can show.
    """
    target = Path(folder)
    texts = {
        RESULTS_FILE: json.dumps(results, indent=2, allow_nan=False) + "\n",
        CSV_FILE: as_csv(results),
        TABLE_FILE: markdown(results),
    }
    check_folder(target / FIGURES_FOLDER)
    for name in texts:
        if (target / name).is_dir():  # seen before the figures, which come to their place first
            raise cannot_write(target, f"{name!r} in it is a folder")
    with staging(target, make=True) as staged:
        for name, text in texts.items():
            (staged / name).write_text(text, encoding="utf-8")
        figures = write_figures(results, target / FIGURES_FOLDER)
    return [*(target / name for name in texts), *figures]
