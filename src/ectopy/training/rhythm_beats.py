"""Beats of many records for training rhythm models, with all they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load
from ectopy.data.protocols import PACED, chosen_lead
from ectopy.signal.rhythm import LONG_PERCENTILE, log_intervals
from ectopy.signal.typical import AFTER, BEFORE, BeatInputs, beat_inputs
from ectopy.signal.windows import cut_windows, window_fits
from ectopy.training.waves import p_waves, t_waves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MARGIN = 32
PEAK = BEFORE + MARGIN
WIDTH = BEFORE + AFTER + 2 * MARGIN
ABERRATED = "a"
LEAST = 5
"""A record with fewer beats of a class has none to make others of."""


@dataclass(frozen=True, eq=False)
class RhythmBeats:
    """Beats of many records.

    Attributes
    ----------
    inputs : BeatInputs
        Windows with a margin, typical beats and rhythm features of all records; pieces are records.
    classes : ndarray of int64, shape (beats,)
    symbols : ndarray of str, shape (beats,)
        The annotators' own symbols.
    records : tuple of str
        Names of the records, in the order of the pieces.
    peaks : ndarray of int64, shape (beats,)
    usual_s : ndarray of float64, shape (records,)
        80th percentile of the RR intervals of each record.
    whole : ndarray of bool, shape (beats,)
        Whether the beat's window lies inside the record, as the published split asks.
    """

    inputs: BeatInputs
    classes: NDArray[np.int64]
    symbols: NDArray[np.str_]
    records: tuple[str, ...]
    peaks: NDArray[np.int64]
    usual_s: NDArray[np.float64]
    whole: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def p_waves(self) -> NDArray[np.float32]:
        """Of each record's typical beat."""
        return p_waves(self.inputs.overall, PEAK)

    @cached_property
    def t_waves(self) -> NDArray[np.float32]:
        """Of each record's typical beat."""
        return t_waves(self.inputs.overall, PEAK)

    def by_record(
        self, name: str, rows: NDArray[np.int64], *, paced: bool = False
    ) -> list[NDArray[np.int64]]:
        """Of these rows, those of one class, record by record, without records of few.

        Parameters
        ----------
        name : str
            Class.
        rows : ndarray of int64
        paced : bool
            Of the paced records, or of all others.
        """
        wanted = rows[self.classes[rows] == CLASSES.index(name)]
        groups = [
            wanted[self.inputs.piece[wanted] == k]
            for k, record in enumerate(self.records)
            if (record in PACED) == paced
        ]
        return [group for group in groups if len(group) >= LEAST]


def load_rhythm_beats(
    records: Sequence[str],
    *,
    lead_by: Literal["index", "name"] = "name",
    folder: Path | None = None,
) -> RhythmBeats:
    """Read records and prepare all of their annotated beats.

    Parameters
    ----------
    records : sequence of str
    lead_by : {"index", "name"}
        As in `ectopy.data.protocols.Protocol`.
    folder : Path, optional
        Folder of the database.

    Raises
    ------
    DataError
        If the database is not there.
    """
    parts, references, usual, whole = [], [], [], []
    for name in records:
        recording, beats = load(name, folder)
        signal = chosen_lead(recording, lead_by)
        times_s = beats.peaks / recording.fs
        cut = cut_windows(signal, beats.peaks, BEFORE + MARGIN, AFTER + MARGIN)
        inputs = beat_inputs(cut, times_s, margin=MARGIN)
        parts.append(inputs)
        references.append(beats)
        whole.append(window_fits(beats.peaks, len(signal), BEFORE, AFTER))
        usual.append(np.exp(np.percentile(log_intervals(times_s), LONG_PERCENTILE)))
    blocks = np.cumsum([0, *(len(p.local) for p in parts[:-1])])
    joined = BeatInputs(
        windows=np.concatenate([p.windows for p in parts]),
        overall=np.concatenate([p.overall for p in parts]),
        piece=np.repeat(np.arange(len(parts)), [len(p.windows) for p in parts]),
        local=np.concatenate([p.local for p in parts]),
        block=np.concatenate([p.block + first for p, first in zip(parts, blocks, strict=True)]),
        rhythm=np.concatenate([p.rhythm for p in parts]),
    )
    return RhythmBeats(
        inputs=joined,
        classes=np.concatenate([b.classes for b in references]).astype(np.int64),
        symbols=np.concatenate([np.asarray(b.symbols) for b in references]),
        records=tuple(records),
        peaks=np.concatenate([b.peaks for b in references]),
        usual_s=np.asarray(usual),
        whole=np.concatenate(whole),
    )
