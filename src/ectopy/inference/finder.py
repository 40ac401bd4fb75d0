"""Find every beat of a lead with the learned beat finder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import BundleError, SignalError
from ectopy.inference.ahead import work_ahead
from ectopy.inference.choosing import choose
from ectopy.inference.engine import open_graph
from ectopy.inference.found_beats import FoundBeats, Gathering, Searched
from ectopy.models.bundle import FINDER, Bundle, find_bundle
from ectopy.signal.frames import Rate, level_frames, resample_to_frames
from ectopy.signal.gaps import GAP_S, bridge
from ectopy.signal.order import median
from ectopy.signal.picking import Candidates, pick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from ectopy.readers.lead import Lead

THREADS = 2

MIN_DURATION_S = 1.0
"""Shortest signal in seconds that beats are searched in."""

SLICE_S, LEAST_SLICE_S = 900.0, 60.0
"""Most and least length in seconds of the slices that a recording is worked through in. What lies
on both sides of a slice is worked on twice; more memory than 200 MB is not worth less of that."""

MOST_SAMPLES = 1 << 20
"""Samples of a slice at any sampling frequency."""

SLICES = 4
"""Slices that a short recording makes, so that threads share it."""

# What a decision looks at: the blocks of the level with the rest of their own and half the next,
# the filters, the network's receptive field. More would cost time, less would change beats.
REACH_PAST_S = 19.0
REACH_FUTURE_S = 5.75
NETWORK_REACH_S = 7.0

_OFFSET_SAMPLES = 1000


class BeatFinder:
    """A finder's bundle, ready to find beats.

    Parameters
    ----------
    model : str, Path or Bundle
        As in `ectopy.models.bundle.find_bundle`.
    threads : int
        Slices that are worked on at the same time.

    Raises
    ------
    BundleError
        If the bundle is missing, is no finder's, or its graph cannot be loaded.
    """

    def __init__(self, model: str | Path | Bundle = FINDER, *, threads: int = THREADS) -> None:
        self.bundle = model if isinstance(model, Bundle) else find_bundle(model)
        self.contract = self.bundle.finder_contract
        if not isinstance(threads, int) or threads < 1:
            msg = f"threads = {threads!r}; expected a whole number of at least 1"
            raise BundleError(msg)
        self.threads = threads
        self._session = open_graph(self.bundle)
        graph_input = self._session.get_inputs()[0]
        self._input = graph_input.name
        if len(graph_input.shape) != 2:
            msg = f"the graph of {self.bundle.full_name} takes {graph_input.shape}, expected "
            raise BundleError(msg + "(leads, frames); fetch the bundle again")

    def find(self, signal_mv: ArrayLike, fs: float, *, slice_s: float | None = None) -> FoundBeats:
        """Find the beats of one lead.

        Parameters
        ----------
        signal_mv : ndarray of float, shape (samples,)
            One lead in millivolts, or in any other unit. Missing samples may be NaN. In gaps of
            50 ms and more, and where one value is kept for 0.2 s, no beat is reported.
        fs : float
            Sampling frequency in Hz, at least 80.
        slice_s : float, optional
            Length in seconds of the slices that are worked on at a time; it bounds the memory and
            changes no beat.

        Returns
        -------
        FoundBeats

        Raises
        ------
        SignalError
            If the signal is not one-dimensional, shorter than one second, constant, or has no known
            sample, or `fs` is not finite or below 80 Hz.
        """
        rate = Rate.of(fs)
        is_number = isinstance(slice_s, int | float | np.number)
        if slice_s is not None and not (is_number and np.isfinite(slice_s) and slice_s > 0):
            msg = f"slice_s = {slice_s!r}; expected a number of seconds above 0"
            raise SignalError(msg)
        signal = check_signal(signal_mv, fs)
        signal, lost = bridge(signal, fs)
        parts = list(_parts(len(signal), fs, rate, slice_s))

        def search(part: tuple[int, int]) -> Candidates:
            return self.search(signal, lost, fs, rate, *part)

        if len(parts) == 1 or self.threads == 1:
            found = [search(part) for part in parts]
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                found = list(pool.map(search, parts))
        return self.decide(Candidates.join(found), fs)

    def find_lead(
        self,
        lead: Lead,
        *,
        slice_s: float | None = None,
        seen: Callable[[NDArray[np.float32]], None] | None = None,
    ) -> FoundBeats:
        """Find the beats of a lead of any length, reading a slice at a time.

        Parameters
        ----------
        lead : Lead
        slice_s : float, optional
            Length in seconds of the slices; it bounds the memory and changes no beat.
        seen : callable, optional
            Is given the samples of each slice in order, once it has been searched.

        Returns
        -------
        FoundBeats
            What `find` gives for the whole lead; none where there is no known sample.

        Raises
        ------
        SignalError
            If the lead is shorter than one second or its sampling frequency below 80 Hz.
        RecordingError
            If it cannot be read.
        """
        slices = self.slices(lead, slice_s)

        def search(part: tuple[int, int]) -> Searched:
            return self.search_slice(lead, *part)

        with Gathering(self.contract, lead.fs, lead.n_samples) as beats:
            for searched in work_ahead(search, slices, self.threads):
                if seen is not None:
                    seen(searched.block_mv)
                beats.add(searched)
            return beats.found()

    def slices(self, lead: Lead, slice_s: float | None = None) -> Iterator[tuple[int, int]]:
        """Give the borders of the slices that a lead is worked through in, in samples.

        Raises
        ------
        SignalError
            If the lead is shorter than one second or its sampling frequency below 80 Hz.
        """
        rate = Rate.of(lead.fs)
        if lead.n_samples < MIN_DURATION_S * lead.fs:
            msg = f"a signal of {lead.n_samples} samples at {lead.fs:g} Hz is too short; "
            raise SignalError(f"{msg}beats need at least {MIN_DURATION_S:g} s")
        return _parts(lead.n_samples, lead.fs, rate, slice_s)

    def search_slice(self, lead: Lead, start: int, stop: int) -> Searched:
        """Find what may be beats from sample `start` up to `stop` of a lead.

        Raises
        ------
        RecordingError
            If it cannot be read.
        """
        fs, rate = lead.fs, Rate.of(lead.fs)
        step = rate.samples_per_step
        # A gap must stay whole, so that a line is drawn over it and it is seen to be long.
        needed = start - ceil((REACH_PAST_S + GAP_S) * fs) - step
        first = max(0, needed // step * step)
        last = min(lead.n_samples, stop + ceil(REACH_FUTURE_S * fs))
        block = lead.read(first, last)
        own = block[start - first : stop - first]
        if not np.isfinite(block).any():
            return Searched(Candidates(np.empty(0), np.empty(0, dtype=np.float32)), own, stop)
        signal, lost = bridge(block, fs)
        found = self.search(signal, lost, fs, rate, start - first, stop - first)
        return Searched(Candidates(found.positions + first, found.confidences), own, stop)

    def search(
        self,
        signal: NDArray[np.float32],
        lost: NDArray[np.bool_] | None,
        fs: float,
        rate: Rate,
        start: int,
        stop: int,
    ) -> Candidates:
        """Find what may be beats from sample `start` up to `stop` of a bridged signal."""
        step = rate.samples_per_step
        first = max(0, start - ceil(REACH_PAST_S * fs)) // step * step
        last = min(len(signal), stop + ceil(REACH_FUTURE_S * fs))
        # Whatever offset is near enough; not one sample, which may be an artefact.
        offset = float(median(signal[first : last : max(1, (last - first) // _OFFSET_SAMPLES)]))
        frames = resample_to_frames(signal[first:last], fs, rate, offset)
        frames_lost = None
        if lost is not None:
            places = np.arange(len(frames), dtype=np.int64) * rate.down // rate.up
            frames_lost = lost[first:last][places]
        levelled = level_frames(frames, frames_lost)
        # Earlier frames only served the level of these.
        lead_in = max(0, (start - first) // step * step - ceil(NETWORK_REACH_S * fs))
        lead_in = lead_in // step * step
        levelled = levelled[lead_in // rate.down * rate.up :]
        found = pick(self._run(levelled), rate, self.contract.stride)
        found = Candidates(found.positions + (first + lead_in), found.confidences)
        inside = (found.positions >= start) & (found.positions < stop)
        if lost is not None:
            nearest = np.rint(found.positions).astype(np.int64).clip(0, len(signal) - 1)
            inside &= ~lost[nearest]
        found = found.take(inside)
        # A beat that is just ending the recording must not be rounded to a sample after it.
        return Candidates(np.minimum(found.positions, len(signal) - 1), found.confidences)

    def decide(self, candidates: Candidates, fs: float) -> FoundBeats:
        """Choose the beats among candidates of a whole recording."""
        min_gap = ceil(self.contract.refractory_s * fs)
        return FoundBeats.of(choose(candidates, self.contract.threshold, min_gap))

    def _run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits and offsets, shape (2, frames / stride), of levelled frames."""
        stride = self.contract.stride
        padded = np.pad(frames, (0, -len(frames) % stride))
        out: NDArray[np.float32] = self._session.run(None, {self._input: padded[None]})[0][0]
        return out


def detect_beats(signal_mv: ArrayLike, fs: float) -> NDArray[np.int64]:
    """Find heartbeats in one lead with the shipped beat finder.

    Neither the lead's gain, polarity or offset nor the sampling frequency decides what is found.
    `BeatFinder` gives the confidence of each beat as well.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead in millivolts. Missing samples may be NaN. In gaps of 50 ms and more, and where
        one value is kept for 0.2 s, no beat is reported.
    fs : float
        Sampling frequency in Hz, at least 80.

    Returns
    -------
    ndarray of int64, shape (beats,)
        Sample indices of the beats' fiducial points, ascending and at least 200 ms apart; empty
        where there are none.

    Raises
    ------
    SignalError
        If the signal is not one-dimensional, shorter than one second, constant, or has no known
        sample, or `fs` is not finite or below 80 Hz.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> recording, truth = simulate(10, fs=250, seed=2, rhythm="sinus")
    >>> len(detect_beats(recording.signal_mv[:, 0], recording.fs)) == len(truth)
    True
    """
    return shipped_finder().find(signal_mv, fs).peaks


@lru_cache(maxsize=1)
def shipped_finder() -> BeatFinder:
    """Load the shipped beat finder, once."""
    return BeatFinder()


def check_signal(signal_mv: ArrayLike, fs: float) -> NDArray[np.float32]:
    """Say why no beats can be sought in a signal, or give it as float32.

    Raises
    ------
    SignalError
        As `detect_beats`.
    """
    try:
        if np.iscomplexobj(signal_mv):
            msg = "complex numbers"
            raise TypeError(msg)
        if isinstance(signal_mv, np.ma.MaskedArray):
            signal_mv = np.ma.asarray(signal_mv, dtype=np.float32).filled(np.nan)
        signal = np.asarray(signal_mv, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"the signal is not numeric ({error}); give millivolts as an array of numbers"
        raise SignalError(msg) from error
    if signal.ndim != 1:
        msg = f"expected one lead with shape (samples,), got shape {signal.shape}; pass one column"
        raise SignalError(msg)
    if len(signal) < MIN_DURATION_S * fs:
        msg = (
            f"a signal of {len(signal)} samples at {fs:g} Hz is too short; "
            f"beats need at least {MIN_DURATION_S:g} s"
        )
        raise SignalError(msg)
    with np.errstate(invalid="ignore"):
        lowest, highest = np.fmin.reduce(signal), np.fmax.reduce(signal)
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        finite = signal[np.isfinite(signal)]
        if len(finite) == 0:
            msg = f"all {len(signal)} samples are missing; choose another lead"
            raise SignalError(msg)
        lowest, highest = finite.min(), finite.max()
    if lowest == highest:
        msg = f"the signal is constant at {lowest:g} mV; choose another lead"
        raise SignalError(msg)
    return signal


def _parts(
    n_samples: int, fs: float, rate: Rate, slice_s: float | None
) -> Iterator[tuple[int, int]]:
    """Borders of slices of about `slice_s` seconds.

    Where no length is asked for, it is the same however many threads there are.
    """
    if slice_s is None:
        longest = min(SLICE_S, MOST_SAMPLES / fs)
        slice_s = min(longest, max(LEAST_SLICE_S, n_samples / fs / SLICES))
    step = rate.samples_per_step
    length = max(1, round(slice_s * fs / step)) * step
    for start in range(0, n_samples, length):
        yield start, min(start + length, n_samples)
