"""What an analysis adds up to: the beats with their classes, and the summary of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES, count_classes
from ectopy.measures.intervals import GAP_S
from ectopy.measures.pauses import PAUSE_S
from ectopy.measures.rates import RATE_WINDOW
from ectopy.measures.runs import Runs
from ectopy.measures.summary import Summary, summarise
from ectopy.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from ectopy.beats import BeatTable, ReferenceBeats
    from ectopy.readers.lead import Lead
    from ectopy.signal.second_flags import SecondsQuality

__all__ = [
    "BEAT_COLUMNS",
    "GAP_S",
    "PAUSE_S",
    "RATE_WINDOW",
    "Analysis",
    "Runs",
    "Summary",
    "beat_rows",
    "summarise",
]

BEAT_COLUMNS = (
    "beat",
    "sample",
    "time_s",
    "rr_s",
    "class",
    "confidence",
    *(f"p_{name}" for name in CLASSES),
)
"""Keys of each row of `beat_rows`, in order."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """The beats of one recording, their classes, and what they were found with.

    Attributes
    ----------
    recording : str
        Name of the recording.
    fs : float
        Sampling frequency in Hz.
    n_samples : int
        Samples of the recording.
    start : datetime or None
        Wall-clock time of the first sample, where the recording gives one.
    lead : str
        Name of the lead that was analysed.
    signal_mv : ndarray of float32, or Lead, shape (samples,)
        That lead in millivolts, at the recording's own `fs`. Missing samples are NaN. A lead that
        stays in its file gives parts of itself when it is sliced.
    beats : BeatTable
        One row a beat.
    beat_source : str
        "detected" where the beats were found in the signal, "annotated" where they were given.
    model : mapping
        The model and how it was measured, as plain data that JSON can hold, see
        `ectopy.inference.description.describe_model`.
    reference : ReferenceBeats or None
        The annotations of the recording, where the analysis used or found them.
    warnings : tuple of str
        What a reader of the results has to know, one sentence each.
    version : str
        Version of ectopy that made the analysis.
    settings : mapping
        What was asked for, as plain data: the arguments that were given, the leads that the
        recording has, and what its file says of device and recording.
    quality : SecondsQuality or None
        What is wrong with each second of the lead; None where that was not judged.
    """

    recording: str
    fs: float
    n_samples: int
    start: datetime | None
    lead: str
    signal_mv: NDArray[np.float32] | Lead
    beats: BeatTable
    beat_source: str
    model: Mapping[str, Any]
    reference: ReferenceBeats | None
    warnings: tuple[str, ...]
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    quality: SecondsQuality | None = None

    @cached_property
    def summary(self) -> Summary:
        """The recording in a few numbers."""
        usable_s = None if self.quality is None else self.quality.usable
        return summarise(self.beats, self.n_samples, start=self.start, usable_s=usable_s)

    def to_dict(self, *, beats: bool = True) -> dict[str, Any]:
        """Everything but the signal, as plain data for JSON: no arrays, no NaN.

        Parameters
        ----------
        beats : bool
            Whether to add the rows of `beat_rows` under the key `beats`, and the samples and
            symbols of every reference beat.

        Returns
        -------
        dict
            Keys: `recording`, `start` (ISO 8601 or None), `fs_hz`, `n_samples`, `lead`,
            `beat_source`, `model`, `ectopy_version`, `warnings`, `settings`, `summary` (see
            `Summary`), `quality` (None, or see `SecondsQuality.to_dict`), `reference` (None, or
            `n_beats` and `counts`), and `beats`.
        """
        content: dict[str, Any] = {
            "recording": self.recording,
            "start": None if self.start is None else self.start.isoformat(),
            "fs_hz": float(self.fs),
            "n_samples": int(self.n_samples),
            "lead": self.lead,
            "beat_source": self.beat_source,
            "model": plain(self.model),
            "ectopy_version": self.version,
            "warnings": list(self.warnings),
            "settings": plain(self.settings),
            "summary": self.summary.to_dict(),
            "quality": None if self.quality is None else self.quality.to_dict(),
            "reference": None if self.reference is None else _reference(self.reference, rows=beats),
        }
        if beats:
            content["beats"] = beat_rows(self.beats)
        return content


def beat_rows(beats: BeatTable) -> list[dict[str, Any]]:
    """One dict a beat, as plain data for tables: keys are `BEAT_COLUMNS`.

    `beat` counts from 0; `sample` is at the recording's own fs; `time_s` and `rr_s` (None for the
    first beat) are in seconds to the microsecond; `confidence` and the probabilities `p_N` to
    `p_Q` have six significant digits. An unusable beat has the class "unusable" and None for these.

    Examples
    --------
    >>> import numpy as np
    >>> from ectopy.beats import BeatTable
    >>> beats = BeatTable(np.array([90]), np.eye(5, dtype=np.float32)[[2]], fs=360.0)
    >>> row = beat_rows(beats)[0]
    >>> row["time_s"], row["rr_s"], row["class"], row["p_V"]
    (0.25, None, 'V', 1.0)
    """
    columns = {name: values.tolist() for name, values in beat_columns(beats, slice(None)).items()}
    columns["rr_s"][:1] = [None] * len(columns["rr_s"][:1])
    for name in ("confidence", *(f"p_{one}" for one in CLASSES)):
        columns[name] = [_six_digits(value) for value in columns[name]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def beat_columns(beats: BeatTable, rows: slice) -> dict[str, NDArray[Any]]:
    """Give some rows of the beats as columns: keys are `BEAT_COLUMNS`.

    Times and intervals are rounded to the microsecond. What a beat does not have, the first one an
    interval, an unusable one confidence and probabilities, is NaN.
    """
    first, stop, _ = rows.indices(len(beats))
    part = beats.part(rows)
    shares = part.probabilities.copy()
    shares[~part.usable] = np.nan
    return {
        "beat": np.arange(first, stop),
        "sample": part.peaks,
        "time_s": part.times_s.round(6),
        "rr_s": beats.intervals_s(rows).round(6),
        "class": part.labels,
        "confidence": part.confidences,
        **{f"p_{name}": shares[:, index] for index, name in enumerate(CLASSES)},
    }


def _six_digits(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _reference(reference: ReferenceBeats, *, rows: bool) -> dict[str, Any]:
    """Give reference beats as plain data: how many, and with `rows` where and which."""
    content: dict[str, Any] = {
        "n_beats": len(reference),
        "counts": count_classes(reference.classes),
    }
    if rows:
        content["samples"] = reference.peaks.tolist()
        content["symbols"] = reference.symbols.tolist()
    return content
