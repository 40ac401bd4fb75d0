"""Class beats while a lead is being recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.analysis import beat_rows
from ectopy.beats import BeatTable
from ectopy.defaults import DEFAULT_MODEL
from ectopy.inference.engine import Classifier
from ectopy.inference.finder_stream import BeatStream, as_samples
from ectopy.inference.sections import model_times, section_reach, section_windows
from ectopy.signal.conditioning import rate_ratio
from ectopy.signal.past import PastInputs, intervals_after
from ectopy.signal.rhythm import LONGEST_S

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from ectopy.inference.finder import BeatFinder
    from ectopy.inference.found_beats import FoundBeats
    from ectopy.models.bundle import Bundle

PIECE_S = 60.0
"""Longer portions are worked on in pieces of so many seconds, which bounds the memory."""

SPARE_S = 10.0
"""Seconds of signal that may gather before they are forgotten all at once."""


@dataclass(frozen=True, eq=False)
class StreamBeats(BeatTable):
    """Beats that one portion of a stream brought out: a `BeatTable` that knows what came before.

    Attributes
    ----------
    given : int
        Beats that the stream had given before these.
    previous : int, optional
        Sample index of the last of those.
    """

    given: int = 0
    previous: int | None = None

    @property
    def rr_s(self) -> NDArray[np.float64]:
        """Interval to the preceding beat in seconds; NaN for the first beat of the stream."""
        if self.previous is None:
            return super().rr_s
        return np.diff(self.peaks, prepend=self.previous) / self.fs

    def rows(self) -> list[dict[str, Any]]:
        """One dict a beat, as `ectopy.analysis.beat_rows` gives them for a whole recording."""
        rows = beat_rows(self)
        for row in rows:
            row["beat"] += self.given
        if rows and self.previous is not None:
            rows[0]["rr_s"] = round(float(self.rr_s[0]), 6)
        return rows


class Stream:
    """Beats of one lead and their classes, given as soon as they are certain.

    Push samples as they come, in portions of any length, and call `finish` at the end. What comes
    out does not depend on the portions. The beats are those that `ectopy.analyze` finds.

    With a model that sees single beats, so are the classes. A rhythm model is told of what came
    before a beat and of the interval after it, so that its classes are those of
    ``Classifier.classify_lead(..., causal=True)`` and differ somewhat from those of
    `ectopy.analyze`, which looks further ahead. The first 16 beats come out together.

    Signal quality is not judged in a stream: a beat in noise is classed, where `ectopy.analyze`
    would mark it unusable.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz, at least 80.
    model : str, Path, Bundle or Classifier
        As in `ectopy.analyze`; a classifier may serve many streams.
    finder : BeatFinder, optional
        What finds the beats; the shipped one unless given.

    Attributes
    ----------
    latency_s : float
        Longest time in seconds from a beat to the sample that brings it out.

    Raises
    ------
    SignalError
        If `fs` is not finite or below 80 Hz.
    BundleError
        If the model cannot be found.

    Notes
    -----
    What is kept is some seconds of signal, and for a rhythm model the windows of half an hour's
    beats (1 KB each, with as much to spare), however long the stream.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> recording, truth = simulate(60, fs=250, seed=2, rhythm="sinus")
    >>> stream = Stream(recording.fs)
    >>> found = [stream.push(recording.signal_mv[k : k + 250, 0]) for k in range(0, 15000, 250)]
    >>> sum(map(len, found)) + len(stream.finish()) == len(truth)
    True
    >>> "".join(found[30].labels)
    'NN'
    """

    def __init__(
        self,
        fs: float,
        model: str | Path | Bundle | Classifier = DEFAULT_MODEL,
        *,
        finder: BeatFinder | None = None,
    ) -> None:
        self._finder = BeatStream(fs, finder)
        self.fs = self._finder.fs
        # One thread: beats come one by one, too few at a time to share them out.
        self.classifier: Classifier = (
            model if isinstance(model, Classifier) else Classifier(model, threads=1)
        )
        contract = self.classifier.bundle.contract
        self._reach = section_reach(self.fs, contract)
        self._aligned = rate_ratio(self.fs, contract.fs).denominator
        self._signal = _Tail(self.fs)
        self._past = PastInputs()
        # Of a rhythm model, the last beat's time, as long as the interval after it is not known.
        self._open = np.empty(0)
        self._open_window = np.empty((0, contract.before + contract.after), dtype=np.float32)
        self._waiting = np.empty(0, dtype=np.int64)  # beats found and not given yet
        self._given = 0
        self._previous: int | None = None

    @property
    def latency_s(self) -> float:
        """Longest time in seconds from a beat to the sample that brings it out.

        Where samples come one by one; a portion's own length adds to it. That is what the finder
        takes (`BeatStream.latency_s`, 6.45 s), and with a rhythm model the interval to the next
        beat, or 4 s where that is longer. The first 16 beats of a rhythm model wait for each other.
        """
        return self._finder.latency_s + (LONGEST_S if self.classifier.reads_rhythm else 0.0)

    def push(self, samples_mv: ArrayLike) -> StreamBeats:
        """Take new samples, and give the beats that have become certain.

        Parameters
        ----------
        samples_mv : ndarray of float, shape (samples,)
            The next samples in millivolts; missing ones NaN.

        Returns
        -------
        StreamBeats
            None, one or more beats; sample indices count from the start of the stream.

        Raises
        ------
        SignalError
            If the samples are no one-dimensional numbers, or the stream has been finished. Nothing
            of them is taken then.
        """
        samples = as_samples(samples_mv)
        step = round(PIECE_S * self.fs)
        # At least one piece, so that a stream that has been finished says so.
        pieces = [samples[k : k + step] for k in range(0, max(1, len(samples)), step)]
        return self._table([self._push(piece) for piece in pieces])

    def finish(self) -> StreamBeats:
        """Give the beats that were still open; no more samples will come.

        Raises
        ------
        SignalError
            If there was less than one second of signal, or the model reads rhythm and there was one
            beat only.
        """
        found = self._finder.finish()
        classed = [self._classify(found, self._signal.n_samples, at_end=True)]
        if self.classifier.reads_rhythm:
            classed.append(self.classifier.classify_inputs(self._past.finish()))
        return self._table(classed)

    def _push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the beats that have become certain, which are the first waiting ones."""
        found = self._finder.push(samples)
        self._signal.add(samples)
        decided = self._finder.decided
        classed = self._classify(found, decided)
        # One more, as a beat may lie half a sample before what is decided.
        self._signal.forget((decided - self._reach - 1) // self._aligned * self._aligned)
        return classed

    def _classify(
        self, found: FoundBeats, decided: int, *, at_end: bool = False
    ) -> NDArray[np.float32]:
        self._waiting = np.concatenate([self._waiting, found.peaks])
        contract, windows = self.classifier.bundle.contract, self._open_window[:0]
        if len(found):
            windows = section_windows(self._signal, found.positions, contract)
        if not self.classifier.reads_rhythm:
            return self.classifier.classify_windows(windows)
        times_s = np.concatenate([self._open, model_times(found.positions, self.fs, contract)])
        windows = np.concatenate([self._open_window, windows])
        after_s = intervals_after(times_s, decided / self.fs)
        known = len(times_s) if at_end else int(np.isfinite(after_s).sum())
        self._open, self._open_window = times_s[known:], windows[known:]
        inputs = self._past.push(windows[:known], times_s[:known], after_s[:known])
        return self.classifier.classify_inputs(inputs)

    def _table(self, classed: list[NDArray[np.float32]]) -> StreamBeats:
        probabilities = np.concatenate(classed)
        count = len(probabilities)
        peaks, self._waiting = self._waiting[:count], self._waiting[count:]
        beats = StreamBeats(
            peaks, probabilities, self.fs, given=self._given, previous=self._previous
        )
        if count:
            self._given, self._previous = self._given + count, int(peaks[-1])
        return beats


class _Tail:
    """The end of a stream, read as a lead is; what lies before it is forgotten."""

    def __init__(self, fs: float) -> None:
        self.fs = fs
        self.n_samples = 0
        self._first = 0
        self._portions = [np.empty(0, dtype=np.float32)]

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        self._portions.append(samples.copy())  # the caller may use its array again
        self.n_samples += len(samples)

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Read from sample `first` up to `stop`."""
        self._portions = [np.concatenate(self._portions)]
        return self._portions[0][first - self._first : stop - self._first]

    def forget(self, stop: int) -> None:
        """Forget the samples before `stop`, sooner or later."""
        if stop - self._first > SPARE_S * self.fs:
            self._portions = [self.read(stop, self.n_samples).copy()]
            self._first = stop
