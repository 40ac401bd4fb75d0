"""Find beats while a lead is being recorded."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.inference.choosing import BeatChoice
from ectopy.inference.finder import (
    MIN_DURATION_S,
    REACH_FUTURE_S,
    REACH_PAST_S,
    BeatFinder,
    shipped_finder,
)
from ectopy.inference.found_beats import FoundBeats
from ectopy.signal.frames import Rate
from ectopy.signal.gaps import GAP_S, bridge
from ectopy.signal.picking import Candidates

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NONE = Candidates(np.empty(0), np.empty(0, dtype=np.float32))

HOP_S = 0.5
"""Seconds of new signal that are worked on at a time."""


class BeatStream:
    """Beats of one lead, given as soon as they are certain.

    What comes out is what `BeatFinder.find` finds in the whole recording: a beat is only given once
    nothing that is still to come can change it. Push samples as they come, in portions of any
    length, and call `finish` at the end.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz, at least 80.
    finder : BeatFinder, optional
        The shipped one unless given.

    Attributes
    ----------
    latency_s : float
        Longest time in seconds from a beat to the sample that brings it out, where samples come
        one by one; a portion's own length adds to it.

    Raises
    ------
    SignalError
        If `fs` is not finite or below 80 Hz.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> recording, truth = simulate(20, fs=250, seed=2, rhythm="sinus")
    >>> stream = BeatStream(recording.fs)
    >>> lead = recording.signal_mv[:, 0]
    >>> first, rest = stream.push(lead[:2500]), stream.push(lead[2500:])
    >>> len(first) + len(rest) + len(stream.finish()) == len(truth)
    True
    """

    def __init__(self, fs: float, finder: BeatFinder | None = None) -> None:
        self.rate = Rate.of(fs)
        self.fs = fs
        self.finder = finder or shipped_finder()
        self._step = self.rate.samples_per_step
        self._future = ceil(REACH_FUTURE_S * fs)
        self._buffer = np.empty(0, dtype=np.float32)
        self._first = 0  # of the buffer, counted from the start of the recording
        self._searched = 0  # up to which sample candidates are known
        self._choice = BeatChoice(self.finder.contract, fs)
        self._finished = False

    @property
    def latency_s(self) -> float:
        """Longest time in seconds from a beat to the sample that brings it out."""
        return REACH_FUTURE_S + HOP_S + self.finder.contract.refractory_s

    @property
    def decided(self) -> int:
        """Up to which sample, but without it, all beats have been given."""
        return self._choice.settled

    def push(self, samples_mv: ArrayLike) -> FoundBeats:
        """Take new samples, and give the beats that have become certain.

        Parameters
        ----------
        samples_mv : ndarray of float, shape (samples,)
            The next samples in millivolts; missing ones NaN.

        Returns
        -------
        FoundBeats
            Sample indices count from the start of the recording.

        Raises
        ------
        SignalError
            If the samples are no one-dimensional numbers, or the stream has been finished.
        """
        if self._finished:
            msg = "the stream has been finished; open another one for another recording"
            raise SignalError(msg)
        self._buffer = np.concatenate([self._buffer, as_samples(samples_mv)])
        ready = self._first + len(self._buffer) - self._future
        if ready - self._searched < HOP_S * self.fs:
            return FoundBeats.of(NONE)
        return FoundBeats.of(self._choice.add(self._search(ready), ready))

    def finish(self) -> FoundBeats:
        """Give the beats that were still open, once; no more samples will come.

        Raises
        ------
        SignalError
            If there was less than one second of signal. A lead without a known sample, or of one
            value, has no beats; that it is no signal only its whole would tell.
        """
        end = self._first + len(self._buffer)
        if end < MIN_DURATION_S * self.fs:
            msg = f"a signal of {end} samples at {self.fs:g} Hz is too short; "
            raise SignalError(f"{msg}beats need at least {MIN_DURATION_S:g} s")
        self._finished = True
        settled = self._choice.add(self._search(end), end)
        return FoundBeats.of(Candidates.join([settled, self._choice.finish()]))

    def _search(self, stop: int) -> Candidates:
        """Find candidates up to sample `stop`, and forget what no later one needs."""
        found = NONE
        known = np.isfinite(self._buffer)
        if known.any() and stop > self._searched:
            signal, lost = bridge(self._buffer, self.fs)
            start = self._searched - self._first
            found = self.finder.search(signal, lost, self.fs, self.rate, start, stop - self._first)
            found = Candidates(found.positions + self._first, found.confidences)
        self._searched = stop
        # A gap must stay whole, so that a line is drawn over it and it is seen to be long.
        needed = stop - ceil((REACH_PAST_S + GAP_S) * self.fs) - self._step
        drop = max(0, (needed - self._first) // self._step * self._step)
        self._buffer, self._first = self._buffer[drop:], self._first + drop
        return found


def as_samples(samples_mv: ArrayLike) -> NDArray[np.float32]:
    """Take a portion of one lead for what it is.

    Raises
    ------
    SignalError
        If it is no one-dimensional array of numbers.
    """
    try:
        samples = np.asarray(samples_mv, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"the samples are not numeric ({error}); give millivolts as numbers"
        raise SignalError(msg) from error
    if samples.ndim != 1:
        msg = f"samples of shape {samples.shape}; expected one lead with shape (samples,)"
        raise SignalError(msg)
    return samples
