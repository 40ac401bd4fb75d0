"""Beats as a WFDB annotation file, which WFDB tools show beside the recording."""

from __future__ import annotations

import re
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import OutputError
from ectopy.writers.output import file_stem, staging

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from ectopy.analysis import Analysis

UNUSABLE_SYMBOL = "?"
"""What WFDB has for a beat that was not classed."""

QUALITY_SYMBOL = "~"
"""What WFDB has for a change of the signal's quality."""


def write_annotations(
    analysis: Analysis, folder: str | os.PathLike[str], extension: str = "ectopy"
) -> Path:
    """Write the beats as a WFDB annotation file: class letters as symbols, and the fs.

    `wfdb.rdann(str(folder / name), extension)` reads it; the letters N, S, V, F and Q are standard
    beat symbols. A beat of which the signal is too poor to tell the class has the symbol "?". Where
    such signal begins there is a mark "~" with a note such as "unusable: noise", and where it ends
    one with the note "usable". Without any of these the file holds a comment at sample 0 that says
    that no beats were found.

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

    samples, symbols, notes = _marks(analysis)
    if len(samples) == 0:
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
            aux_note=notes if any(notes) else None,
            fs=float(analysis.fs),
            write_dir=str(staged),
        )
        (staged / f"beats.{extension}").rename(staged / name)
    return Path(folder) / name


def _marks(analysis: Analysis) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Give samples, symbols and notes of beats and of changes of the quality, in order."""
    beats = analysis.beats
    symbols = np.where(beats.usable, beats.labels, UNUSABLE_SYMBOL).tolist()
    samples, notes = beats.peaks, [""] * len(beats)
    if analysis.quality is None:
        return samples, symbols, notes
    changes: list[tuple[int, str]] = []
    for stretch in analysis.quality.stretches():
        start, stop = (ceil(at * analysis.fs) for at in (stretch.start_s, stretch.stop_s))
        changes.append((start, "unusable: " + ", ".join(stretch.reasons)))
        if stop < analysis.n_samples:
            changes.append((stop, "usable"))
    if not changes:
        return samples, symbols, notes
    at = np.concatenate([np.array([c[0] for c in changes], dtype=np.int64), samples])
    order = np.argsort(at, kind="stable").tolist()  # a change comes before a beat at its sample
    symbols = [QUALITY_SYMBOL] * len(changes) + symbols
    notes = [c[1] for c in changes] + notes
    return at[order], [symbols[k] for k in order], [notes[k] for k in order]
