"""Beats as a CSV table, and the whole analysis as JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.analysis import BEAT_COLUMNS, beat_rows
from ectopy.writers.output import file_stem, staging

if TYPE_CHECKING:
    import os

    from ectopy.analysis import Analysis

SCHEMA_VERSION = 1
"""Raised when a key of the JSON file goes or changes its meaning; new keys leave it as it is."""

NOTE = "Research software, not a medical device: not for diagnosis or treatment."


def write_csv(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Write one line a beat as CSV (RFC 4180, UTF-8, decimal point).

    The first line names the columns, which `ectopy.analysis.beat_rows` describes; `rr_s` of the
    first beat is empty. An unusable beat has the class "unusable", and neither confidence nor
    probabilities.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.csv`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    name = f"{file_stem(analysis.recording)}.csv"
    with (
        staging(folder) as staged,
        (staged / name).open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.DictWriter(file, BEAT_COLUMNS, lineterminator="\r\n")
        table.writeheader()
        table.writerows(beat_rows(analysis.beats))
    return Path(folder) / name


def write_json(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Write everything but the signal as JSON (RFC 8259: no NaN, ASCII only).

    Keys are `schema_version`, `note`, and those of `Analysis.to_dict`. Each beat takes one line.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.json`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = {"schema_version": SCHEMA_VERSION, "note": NOTE, **analysis.to_dict(beats=False)}
    head = json.dumps(content, indent=2, allow_nan=False)
    beats = ",".join(
        f"\n    {json.dumps(row, allow_nan=False)}" for row in beat_rows(analysis.beats)
    )
    name = f"{file_stem(analysis.recording)}.json"
    with staging(folder) as staged:
        # Indented throughout, 100,000 beats would take a million lines.
        (staged / name).write_text(
            head.removesuffix("\n}") + f',\n  "beats": [{beats}\n  ]\n}}\n', encoding="utf-8"
        )
    return Path(folder) / name
