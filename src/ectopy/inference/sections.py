"""Windows around beats of a lead of any length: only the section that they lie in is read."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ectopy.signal.conditioning import fill_missing, rate_ratio, resample, rescale_peaks
from ectopy.signal.windows import cut_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.models.contract import InputContract

FILTER_REACH = 10
"""Samples, at the lower of two sampling frequencies, that a resampled one depends on, each side."""

LINE_S = 1.0
"""A line is drawn over missing samples for so long, in seconds; over more, both ends are held, so
that a window need not wait for the end of a gap."""


class Readable(Protocol):
    """What windows are cut from: a `ectopy.readers.lead.Lead`, or the end of a stream."""

    @property
    def fs(self) -> float:
        """Sampling frequency in Hz."""

    @property
    def n_samples(self) -> int:
        """Samples there are."""

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Read from sample `first` up to, but without, `stop`, in millivolts."""


def section_reach(fs: float, contract: InputContract) -> int:
    """Give the samples on each side of a beat, at `fs`, that its window depends on."""
    ratio = rate_ratio(fs, contract.fs)
    reach = ceil(max(contract.before, contract.after) / ratio)
    reach += ceil(FILTER_REACH * max(ratio.denominator / ratio.numerator, 1.0))
    return reach + ceil(LINE_S * fs) + 1


def section_windows(
    lead: Readable, peaks: NDArray[np.int64] | NDArray[np.float64], contract: InputContract
) -> NDArray[np.float32]:
    """Cut the windows of some beats, in mV, at the sampling frequency that a model expects.

    What comes out depends on these beats and on the signal within two seconds of them: a lead
    read in sections, or as a stream, gives what it gives elsewhere. Missing samples are bridged.

    Parameters
    ----------
    lead : Readable
    peaks : ndarray of int64 or float64, shape (beats,)
        Sample indices in the lead, or places between samples, ascending, at least one.
    contract : InputContract

    Returns
    -------
    ndarray of float32, shape (beats, before + after)

    Raises
    ------
    SignalError
        If the lead cannot be brought to that sampling frequency.
    """
    ratio = rate_ratio(lead.fs, contract.fs)
    up, down = ratio.numerator, ratio.denominator
    reach = section_reach(lead.fs, contract)
    first = max(0, int(peaks[0]) - reach) // down * down  # where both rates have a sample
    stop = min(lead.n_samples, int(peaks[-1]) + reach + 1)
    signal = resample(_bridged(lead.read(first, stop), lead.fs), lead.fs, contract.fs)
    whole = ceil(lead.n_samples * ratio)
    places = rescale_peaks(peaks, lead.fs, contract.fs, whole) - first // down * up
    return cut_windows(signal, places, contract.before, contract.after)


def model_times(
    peaks: NDArray[np.int64] | NDArray[np.float64], fs: float, contract: InputContract
) -> NDArray[np.float64]:
    """Give the times of beats in seconds, as a model is told of them.

    Places between samples are rounded at the sampling frequency that it expects, so that they are
    the same whatever the recording's own.
    """
    if np.issubdtype(peaks.dtype, np.integer):
        return np.asarray(peaks / fs)
    ratio = rate_ratio(fs, contract.fs)
    return np.asarray(np.rint(peaks * (ratio.numerator / ratio.denominator)) / contract.fs)


def _bridged(signal: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    """Bridge missing samples, without a look at what is further away than `LINE_S`."""
    if not np.isfinite(signal).any():
        return np.zeros_like(signal)  # beats that were given in a gap: flat, whatever they are
    filled, missing = fill_missing(signal)
    if missing.any():
        edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if stop - start > LINE_S * fs and start > 0 and stop < len(signal):
                middle = (start + stop) // 2
                filled[start:middle], filled[middle:stop] = signal[start - 1], signal[stop]
    return filled
