"""Beats as a CSV table, and the whole analysis as JSON."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.analysis import BEAT_COLUMNS, beat_columns
from ectopy.mapped import pieces
from ectopy.writers.output import file_stem, staging

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import Any

    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable

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
    full, unsure = (_pattern("{}", "{}", ",", "", shown) for shown in (True, False))
    with (
        staging(folder) as staged,
        (staged / name).open("w", newline="", encoding="utf-8") as file,
    ):
        file.write(",".join(BEAT_COLUMNS) + "\r\n")
        for lines in _lines(analysis.beats, full, unsure, none=""):
            file.write("\r\n".join(lines) + "\r\n")
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
    begin = json.dumps(head(analysis), indent=2, allow_nan=False)
    full, unsure = (
        _pattern('"{name}": {}', '"{name}": "{}"', ", ", "null", shown) for shown in (True, False)
    )
    name = f"{file_stem(analysis.recording)}.json"
    with staging(folder) as staged, (staged / name).open("w", encoding="utf-8") as file:
        # Indented throughout, 100,000 beats would take a million lines.
        file.write(begin.removesuffix("\n}") + ',\n  "beats": [')
        before = "\n    "
        for lines in _lines(analysis.beats, f"{{{full}}}", f"{{{unsure}}}", none="null"):
            file.write(before + ",\n    ".join(lines))
            before = ",\n    "
        file.write("\n  ]\n}\n")
    return Path(folder) / name


def head(analysis: Analysis) -> dict[str, Any]:
    """Everything of the JSON file but the beats."""
    return {"schema_version": SCHEMA_VERSION, "note": NOTE, **analysis.to_dict(beats=False)}


_TEXT_COLUMN = BEAT_COLUMNS.index("class")
_FIRST_SHARE = BEAT_COLUMNS.index("confidence")


def _pattern(value: str, text: str, between: str, none: str, shown: bool) -> str:
    """Make the pattern of a line, to be filled in by ``%``.

    What stands from the confidence on is left out where it is not `shown`.
    """
    cells = []
    for place, name in enumerate(BEAT_COLUMNS):
        form = "%.6g" if place >= _FIRST_SHARE else "%s"
        if place >= _FIRST_SHARE and not shown:
            form = none
        cells.append((text if place == _TEXT_COLUMN else value).format(form, name=name))
    return between.join(cells)


def _lines(beats: BeatTable, full: str, unsure: str, none: str) -> Iterator[list[str]]:
    """Give the beats as lines of text, some ten thousand at a time.

    A line a beat is a matter of one pattern: ten times as fast as the writers of JSON and CSV,
    which look at each value. Numbers and class letters hold nothing that would need quotes.
    """
    for rows in pieces(len(beats)):
        columns = {name: values.tolist() for name, values in beat_columns(beats, rows).items()}
        if rows.start == 0:
            columns["rr_s"][0] = none
        yield [
            full % row if isfinite(row[_FIRST_SHARE]) else unsure % row[:_FIRST_SHARE]
            for row in zip(*columns.values(), strict=True)
        ]
