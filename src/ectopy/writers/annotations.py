"""Beats as a WFDB annotation file, which WFDB tools show beside the recording."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import OutputError
from ectopy.writers.output import file_stem, staging
from ectopy.writers.wfdb_marks import CODES, MarkWriter

if TYPE_CHECKING:
    import os

    from ectopy.analysis import Analysis


def write_annotations(
    analysis: Analysis, folder: str | os.PathLike[str], extension: str = "ectopy"
) -> Path:
    """Write the beats as a WFDB annotation file: class letters as symbols, and the fs.

    `wfdb.rdann(str(folder / name), extension)` reads it; the letters N, S, V, F and Q are standard
    beat symbols. Without any beat the file holds a comment at sample 0 that says so.

    Parameters
    ----------
    analysis : Analysis
        The beats; they are written at the recording's own fs.
    folder : path
        An existing folder.
    extension : str
        The annotator name: letters only, as WFDB asks for.

    Returns
    -------
    Path
        The file `<recording>.<extension>`.

    Raises
    ------
    OutputError
        If `extension` is not made of letters, or the file cannot be written.
    """
    if not re.fullmatch("[A-Za-z]+", extension):
        msg = (
            f"annotation extension {extension!r} is not made of the letters a to z alone, "
            "as WFDB asks for; take one such as 'ectopy'"
        )
        raise OutputError(msg)
    letters = np.array([CODES[name] for name in CLASSES], dtype=np.uint8)
    name = f"{file_stem(analysis.recording)}.{extension}"
    with staging(folder) as staged, (staged / name).open("wb") as file:
        marks = MarkWriter(file, float(analysis.fs))
        if len(analysis.beats) == 0:
            # Readers of WFDB files refuse one without any mark, and take a comment at 0 as none.
            note = np.array([CODES['"']], dtype=np.uint8)
            marks.add(np.zeros(1, dtype=np.int64), note, {0: "no beats found"})
        for _, beats in analysis.beats.pieces():
            marks.add(beats.peaks, letters[beats.classes])
        marks.close()
    return Path(folder) / name
