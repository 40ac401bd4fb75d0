"""Choose beats among candidates as they come, each as soon as nothing to come can change it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.picking import Candidates, strongest

if TYPE_CHECKING:
    from ectopy.models.contract import FinderContract


class BeatChoice:
    """The beats of a recording, chosen bit by bit; the same as of all candidates at once.

    A candidate falls to a stronger one within the refractory time, whatever becomes of that one: so
    what lies further back than that before the end of what is known is settled.

    Parameters
    ----------
    contract : FinderContract
        Least confidence, and the refractory time.
    fs : float
        Sampling frequency in Hz.

    Attributes
    ----------
    settled : int
        Up to which sample, but without it, beats have been given.
    """

    def __init__(self, contract: FinderContract, fs: float) -> None:
        self._threshold = contract.threshold
        self._gap = ceil(contract.refractory_s * fs)
        self._waiting = Candidates(np.empty(0), np.empty(0, dtype=np.float32))
        self.settled = 0

    def add(self, candidates: Candidates, known: int) -> Candidates:
        """Take the candidates up to sample `known`, and give the beats that are settled by them.

        Returns
        -------
        Candidates
        """
        self._waiting = Candidates.join([self._waiting, candidates])
        return self._settle(known - self._gap)

    def finish(self) -> Candidates:
        """Give the rest; no more candidates will come."""
        last = self._waiting.positions[-1] if len(self._waiting) else 0
        return self._settle(int(last) + 2)

    def _settle(self, stop: int) -> Candidates:
        """Give the beats from where it was left off up to sample `stop`."""
        beats = choose(self._waiting, self._threshold, self._gap)
        places = np.rint(beats.positions)
        chosen = beats.take((places >= self.settled) & (places < stop))
        if stop > self.settled:
            self.settled = stop
            self._waiting = self._waiting.take(
                np.rint(self._waiting.positions) >= stop - 2 * self._gap
            )
        return chosen


def choose(candidates: Candidates, threshold: float, gap: int) -> Candidates:
    """Keep what `ectopy.signal.picking.select` keeps of candidates that are rounded to samples.

    So beats are as far apart as is said; their places stay between samples.
    """
    rounded = Candidates(np.rint(candidates.positions), candidates.confidences)
    return candidates.take(strongest(rounded, threshold, gap))
