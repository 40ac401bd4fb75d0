"""Beats as a WFDB annotation file, which WFDB tools show beside the recording."""

from __future__ import annotations

import re
from bisect import bisect_right
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import OutputError
from ectopy.mapped import release
from ectopy.printing import number
from ectopy.writers.output import file_stem, staging
from ectopy.writers.wfdb_marks import CODES, MarkWriter

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from ectopy.analysis import Analysis

UNUSABLE_SYMBOL = "?"
"""What WFDB has for a beat that was not classed."""

QUALITY_SYMBOL = "~"
"""What WFDB has for a change of the signal's quality."""

NOTE_SYMBOL = '"'
"""What WFDB has for a comment."""

Remark = tuple[int, str, str]
"""Sample, symbol and text of a mark that is no beat."""


def write_annotations(
    analysis: Analysis, folder: str | os.PathLike[str], extension: str = "ectopy"
) -> Path:
    """Write the beats as a WFDB annotation file: class letters as symbols, and the fs.

    `wfdb.rdann(str(folder / name), extension)` reads it; the letters N, S, V, F and Q are standard
    beat symbols. A beat of which the signal is too poor to tell the class has the symbol "?". Where
    such signal begins there is a mark "~" with a note such as "unusable: noise", and where it ends
    one with the note "usable". A note, symbol '"', at the first beat of each run of V or S gives
    its length and rate. Without any of these the file holds a comment at sample 0 that says that no
    beats were found.

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
    name = f"{file_stem(analysis.recording)}.{extension}"
    with staging(folder) as staged, (staged / name).open("wb") as file:
        marks = MarkWriter(file, float(analysis.fs))
        remarks = _remarks(analysis)
        if len(analysis.beats) == 0 and not remarks:
            # Readers of WFDB files refuse one without any mark, and take a comment at 0 as none.
            remarks = [(0, NOTE_SYMBOL, "no beats found")]
        starts, done = [sample for sample, _, _ in remarks], 0
        for _, beats in analysis.beats.pieces():
            due = bisect_right(starts, int(beats.peaks[-1]))
            marks.add(*_merged(beats.peaks, beats.classes, remarks[done:due]))
            done = due
        nothing = np.empty(0, dtype=np.int64)
        marks.add(*_merged(nothing, nothing.astype(np.int8), remarks[done:]))
        marks.close()
    return Path(folder) / name


def _remarks(analysis: Analysis) -> list[Remark]:
    """Give what is noted beside beats: changes of the quality, and runs, in the order of time."""
    remarks: list[Remark] = []
    for stretch in analysis.quality.stretches() if analysis.quality is not None else ():
        start, stop = (ceil(at * analysis.fs) for at in (stretch.start_s, stretch.stop_s))
        remarks.append((start, QUALITY_SYMBOL, "unusable: " + ", ".join(stretch.reasons)))
        if stop < analysis.n_samples:
            remarks.append((stop, QUALITY_SYMBOL, "usable"))
    for name, patterns in (("V", analysis.summary.v_patterns), ("S", analysis.summary.s_patterns)):
        runs = patterns.runs
        places = analysis.beats.peaks[runs.first].tolist()
        release(analysis.beats.peaks)
        for place, n, rate in zip(places, runs.beats.tolist(), runs.rate_bpm.tolist(), strict=True):
            remarks.append((place, NOTE_SYMBOL, f"{name} run: {n} beats, {number(rate, 0)}/min"))
    return sorted(remarks, key=lambda remark: remark[0])


def _merged(
    peaks: NDArray[np.int64], classes: NDArray[np.int8], remarks: list[Remark]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], dict[int, str]]:
    """Give samples and codes of beats and remarks, and the texts of the latter by row."""
    letters = np.array([CODES[name] for name in (*CLASSES, UNUSABLE_SYMBOL)], dtype=np.uint8)
    samples = np.concatenate([np.array([r[0] for r in remarks], dtype=np.int64), peaks])
    codes = np.concatenate(
        [np.array([CODES[r[1]] for r in remarks], dtype=np.uint8), letters[classes]]
    )
    order = np.argsort(samples, kind="stable")  # a remark comes before a beat at its sample
    rows = np.flatnonzero(order < len(remarks))
    notes = {row: remarks[index][2] for row, index in zip(rows.tolist(), order[rows], strict=True)}
    return samples[order], codes[order], notes
