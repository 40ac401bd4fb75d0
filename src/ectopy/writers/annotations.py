"""Beats as a WFDB annotation file, which WFDB tools show beside the recording."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import OutputError
from ectopy.writers.output import file_stem, staging

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

    import wfdb

    beats = analysis.beats
    samples, symbols, notes = beats.peaks, beats.labels.tolist(), None
    if len(beats) == 0:
        # wfdb refuses to write a file without annotations, and reads a comment at 0 as none.
        samples, symbols, notes = np.zeros(1, dtype=np.int64), ['"'], ["no beats found"]

    name = f"{file_stem(analysis.recording)}.{extension}"
    with staging(folder) as staged:
        # wfdb refuses many record names, such as those with a space or a dot, but reads them.
        wfdb.wrann(
            "beats",
            extension,
            samples,
            symbol=symbols,
            aux_note=notes,
            fs=float(analysis.fs),
            write_dir=str(staged),
        )
        (staged / f"beats.{extension}").rename(staged / name)
    return Path(folder) / name
