"""Runs of several models on the same test beats, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.data.protocols import get_protocol
from ectopy.errors import RunError
from ectopy.evaluation.calibration import apply_temperature
from ectopy.evaluation.intervals import beat_units, bootstrap_scores, record_units
from ectopy.evaluation.metrics import matrix_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.evaluation.intervals import Units
    from ectopy.evaluation.runs import RunResult


@dataclass(frozen=True, eq=False)
class Panel:
    """Runs on the same beats.

    Attributes
    ----------
    runs : tuple of RunResult
        By model and seed.
    rows : ndarray of bool, shape (beats,)
        Which of the beats are looked at.
    resamples : int
        Draws of the bootstrap.
    """

    runs: tuple[RunResult, ...]
    rows: NDArray[np.bool_]
    resamples: int

    @classmethod
    def of(cls, runs: Sequence[RunResult], resamples: int) -> Panel:
        """Put runs side by side.

        Raises
        ------
        RunError
            If there is none, or they are not of one protocol and the same beats.
        """
        if not runs:
            msg = "there is no run to compare; give one or more"
            raise RunError(msg)
        first = runs[0]
        for run in runs[1:]:
            if run.protocol != first.protocol:
                msg = (
                    f"{run.title} is of protocol {run.protocol!r}, {first.title} of "
                    f"{first.protocol!r}; compare runs of one protocol"
                )
                raise RunError(msg)
            if problem := _other_beats(first, run):
                msg = f"{run.title} and {first.title} are not about the same beats: {problem}"
                raise RunError(msg + "; write the predictions of both with one version of the data")
        _check_models(runs)
        ordered = tuple(sorted(runs, key=lambda run: (run.model, run.seed)))
        return cls(ordered, np.ones(len(first), dtype=np.bool_), resamples)

    def without_record(self, record: str) -> Panel:
        """Leave out the beats of one record."""
        return replace(self, rows=self.rows & (self.runs[0].records != record))

    @property
    def protocol(self) -> str:
        """Protocol of all the runs."""
        return self.runs[0].protocol

    @cached_property
    def unit(self) -> str:
        """What the bootstrap draws: beats, or records where no patient is on both sides."""
        protocol = get_protocol(self.protocol)
        mixed = set(protocol.train_records) & set(protocol.test_records)
        return "beats" if mixed else "records"

    @cached_property
    def models(self) -> dict[str, list[int]]:
        """Rows of `runs` that are each model's seeds."""
        found: dict[str, list[int]] = {}
        for row, run in enumerate(self.runs):
            found.setdefault(run.model, []).append(row)
        return found

    @cached_property
    def true(self) -> NDArray[np.int8]:
        """True classes, shape (beats looked at,)."""
        return self.runs[0].classes[self.rows]

    @cached_property
    def records(self) -> NDArray[np.str_]:
        """Record of each beat looked at."""
        return self.runs[0].records[self.rows]

    @cached_property
    def predicted(self) -> NDArray[np.int8]:
        """Classes given by each run, shape (runs, beats looked at)."""
        return np.array([run.predicted[self.rows] for run in self.runs])

    def probabilities(self, row: int) -> NDArray[np.float32]:
        """Probabilities of one run as its bundle gives them, at the temperature it was given."""
        return self.runs[row].probabilities[self.rows]

    def unscaled(self, row: int) -> NDArray[np.floating[Any]]:
        """Probabilities of one run before its temperature, the softmax of its logits.

        A probability too small for the run's file counts as half of its smallest number.
        """
        if self.runs[row].temperature == 1:
            return self.probabilities(row)
        return apply_temperature(self.probabilities(row), 1 / self.runs[row].temperature)

    @cached_property
    def units(self) -> Units:
        """What the bootstrap draws."""
        if self.unit == "beats":
            return beat_units(self.true, self.predicted)
        return record_units(self.true, self.predicted, self.records)

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Scores of each run, arrays of shape (runs,) or (runs, 5)."""
        return matrix_scores(self.units.observed())

    @cached_property
    def drawn(self) -> dict[str, NDArray[np.float64]]:
        """Scores of each run on each draw, shape (resamples, runs) or (resamples, runs, 5)."""
        return bootstrap_scores(self.units, resamples=self.resamples)


def _other_beats(first: RunResult, other: RunResult) -> str | None:
    if len(first) != len(other):
        return f"{len(other):,} beats and {len(first):,}"
    for name in ("records", "peaks", "classes"):
        differs = np.flatnonzero(getattr(first, name) != getattr(other, name))
        if len(differs):
            return f"the {name} of {len(differs):,} beats differ, first those of beat {differs[0]}"
    return None


def _check_models(runs: Sequence[RunResult]) -> None:
    """See that the seeds of a model are of the same network, and none comes twice."""
    seen: dict[tuple[str, str], RunResult] = {}
    titles: set[str] = set()
    for run in runs:
        if run.title in titles:
            msg = f"two runs are both {run.title}; give each run once"
            raise RunError(msg)
        titles.add(run.title)
        for name in ("parameters", "multiply_adds"):
            mine = getattr(run, name)
            if mine is None:  # older runs have not counted
                continue
            other = seen.setdefault((run.model, name), run)
            its = getattr(other, name)
            if mine != its:
                msg = (
                    f"{run.title} has {name} = {mine}, {other.title} has {its}; "
                    "give another network another name"
                )
                raise RunError(msg)
