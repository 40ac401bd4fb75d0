"""Windows around beats of a lead of any length: only the section that they lie in is read."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.conditioning import fill_missing, rate_ratio, resample, rescale_peaks
from ectopy.signal.windows import cut_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.models.contract import InputContract
    from ectopy.readers.lead import Lead

FILTER_REACH = 10
"""Samples, at the lower of two sampling frequencies, that a resampled one depends on, each side."""


def section_windows(
    lead: Lead, peaks: NDArray[np.int64] | NDArray[np.float64], contract: InputContract
) -> NDArray[np.float32]:
    """Cut the windows of some beats, in mV, at the sampling frequency that a model expects.

    What comes out depends on these beats and on the signal within a second or so of them: a lead
    read in sections gives what it gives elsewhere. Missing samples are bridged within the section.

    Parameters
    ----------
    lead : Lead
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
    reach = ceil(max(contract.before, contract.after) / ratio)
    reach += ceil(FILTER_REACH * max(down / up, 1.0)) + down
    first = max(0, int(peaks[0]) - reach) // down * down
    stop = min(lead.n_samples, int(peaks[-1]) + reach + 1)
    signal = lead.read(first, stop)
    if not np.isfinite(signal).any():
        signal = np.zeros_like(signal)  # beats that were given in a gap: flat, whatever they are
    signal = resample(fill_missing(signal)[0], lead.fs, contract.fs)
    whole = ceil(lead.n_samples * ratio)
    places = rescale_peaks(peaks, lead.fs, contract.fs, whole) - first // down * up
    return cut_windows(signal, places, contract.before, contract.after)
