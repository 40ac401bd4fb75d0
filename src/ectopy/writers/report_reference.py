"""What the annotations of a recording say against what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.writers.paper import MATCH_S, nearest_beats
from ectopy.writers.report_blocks import Section, Table, Words
from ectopy.writers.report_tables import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis
    from ectopy.beats import ReferenceBeats


def reference_section(analysis: Analysis, reference: ReferenceBeats) -> Section:
    """Annotated against found classes, beat by beat."""
    counts = compare(analysis, reference)
    names = (*CLASSES, "none")
    rows = [
        [name, *(count(n) for n in row), count(sum(row))]
        for name, row in zip(names, counts.tolist(), strict=True)
        if any(row)
    ]
    head = ("Annotated", *(f"called {name}" for name in CLASSES), "not found", "In all")
    words = (
        f"{len(reference):,} annotated beats. A beat has the annotation that is nearest to it, no "
        f"further than {1000 * MATCH_S:g} ms away; class names are those of the AAMI. In strips, a "
        "letter in brackets gives the annotated class where it differs, and (-) says that none is "
        "annotated."
    )
    table = Table("Annotated classes, and what they were called here", head, rows)
    return Section("annotations", "Against the annotations", [Words(words), table])


def compare(analysis: Analysis, reference: ReferenceBeats) -> NDArray[np.int64]:
    """Count beats by annotated class, or none, and by class given, or not found.

    Returns
    -------
    ndarray of int64, shape (6, 6)
        Rows are the annotated classes and "none"; columns the classes found and "not found". A
        beat that is not usable counts as not found.
    """
    n = len(CLASSES)
    counts = np.zeros((n + 1, n + 1), dtype=np.int64)
    tolerance = MATCH_S * analysis.fs
    beats = analysis.beats
    nearest, distance = nearest_beats(reference.peaks, beats.peaks)
    hit = distance <= tolerance
    found = np.full(len(reference), n)
    if len(beats):
        classes = beats.classes[nearest]
        found = np.where(hit & (classes >= 0), classes, n)
    np.add.at(counts, (reference.classes, found), 1)
    _, distance = nearest_beats(beats.peaks, reference.peaks)
    extra = beats.classes[distance > tolerance]
    counts[n, :n] = np.bincount(extra[extra >= 0], minlength=n)
    return counts
