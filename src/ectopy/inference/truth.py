"""Comparing an analysis with a known truth, beat by beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.beats import CLASSES, count_classes
from ectopy.signal.matching import MATCH_WINDOW_S, match_beats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ectopy.analysis import Analysis
    from ectopy.beats import ReferenceBeats


@dataclass(frozen=True)
class TruthScore:
    """How many true beats were found, and how many of those were classed right.

    Attributes
    ----------
    n, found, right, additional : int
        True beats; those found within 150 ms; those of the found with the right class; beats found
        where there is none.
    per_class : mapping of str to tuple of int
        True beats, found, right, for each true class.
    """

    n: int
    found: int
    right: int
    additional: int
    per_class: Mapping[str, tuple[int, int, int]]

    @property
    def found_share(self) -> float:
        """Found beats over true beats; 0 without any."""
        return self.found / self.n if self.n else 0.0

    @property
    def right_share(self) -> float:
        """Beats classed right over found beats; 0 without any."""
        return self.right / self.found if self.found else 0.0


def compare_with_truth(analysis: Analysis, truth: ReferenceBeats) -> TruthScore:
    """Count found and rightly classed beats.

    Parameters
    ----------
    analysis : Analysis
    truth : ReferenceBeats
        Peaks at the analysis's own sampling frequency.
    """
    rows, found = match_beats(truth.peaks, analysis.beats.peaks, MATCH_WINDOW_S * analysis.fs)
    is_right = analysis.beats.classes[found] == truth.classes[rows]
    all_n, found_n, right_n = (
        count_classes(classes)
        for classes in (truth.classes, truth.classes[rows], truth.classes[rows][is_right])
    )
    return TruthScore(
        n=len(truth),
        found=len(rows),
        right=int(is_right.sum()),
        additional=len(analysis.beats) - len(found),
        per_class={name: (all_n[name], found_n[name], right_n[name]) for name in CLASSES},
    )
