"""The beats of a lead, as they are found slice by slice."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.inference.choosing import BeatChoice
from ectopy.mapped import at_hand
from ectopy.readers.spool import Spool
from ectopy.signal.picking import Candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.models.contract import FinderContract


@dataclass(frozen=True, eq=False)
class FoundBeats:
    """Beats of one lead.

    Attributes
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample indices of the beats' fiducial points, ascending and at least 200 ms apart.
    confidences : ndarray of float32, shape (beats,)
        How sure the finder is of each, from its threshold up to 1.
    positions : ndarray of float64, shape (beats,)
        The same points between samples: a model cuts its windows there, so that a low sampling
        frequency moves them no more than it has to.
    """

    peaks: NDArray[np.int64]
    confidences: NDArray[np.float32]
    positions: NDArray[np.float64]

    @classmethod
    def of(cls, beats: Candidates) -> FoundBeats:
        """Make them of what was chosen."""
        peaks = np.rint(beats.positions).astype(np.int64)
        return cls(peaks, beats.confidences, beats.positions)

    def __len__(self) -> int:
        return len(self.peaks)


class Searched(NamedTuple):
    """A slice of a lead that has been searched.

    Attributes
    ----------
    candidates : Candidates
        What may be beats in it.
    block_mv : ndarray of float32, shape (samples,)
        Its own samples.
    stop : int
        Sample of the lead that the next slice begins with.
    """

    candidates: Candidates
    block_mv: NDArray[np.float32]
    stop: int


class Gathering(ExitStack):
    """Takes the slices of a lead in order, and keeps its beats, in a temporary file where many.

    To be used in a `with` block; what `found` gave stays readable after it.

    Parameters
    ----------
    contract : FinderContract
    fs : float
        Sampling frequency in Hz.
    n_samples : int
        Of the lead.

    Raises
    ------
    RecordingError
        If there is no room for a temporary file.
    """

    def __init__(self, contract: FinderContract, fs: float, n_samples: int) -> None:
        super().__init__()
        self._choice = BeatChoice(contract, fs)
        self._n = n_samples
        with ExitStack() as opening:
            dtypes = (np.int64, np.float32, np.float64)
            self._spools = [opening.enter_context(Spool(1, dtype)) for dtype in dtypes]
            self.enter_context(opening.pop_all())

    def add(self, slice_: Searched) -> FoundBeats:
        """Take the next slice, and give the beats that are settled by it."""
        settled = self._choice.add(slice_.candidates, slice_.stop)
        if slice_.stop == self._n:
            settled = Candidates.join([settled, self._choice.finish()])
        beats = FoundBeats.of(settled)
        columns: tuple[NDArray[Any], ...] = (beats.peaks, beats.confidences, beats.positions)
        for spool, column in zip(self._spools, columns, strict=True):
            spool.add(column[:, None])
        return beats

    def found(self) -> FoundBeats:
        """Give all beats so far."""
        return FoundBeats(*(at_hand(spool.rows()[:, 0]) for spool in self._spools))
