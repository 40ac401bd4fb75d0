"""Get a signal ready for a method that wants no gaps and its own sampling frequency."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.fir import low_pass, resample_fir

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Largest numerator or denominator of a resampling ratio; the filter has 20 taps per unit. Every
# rate with one decimal is met exactly (257.3 -> 360 Hz is 3600/2573). Any other ratio is met to a
# few parts in a million, closer than a device's clock, and as peaks are carried over by the same
# ratio, signal and peaks stay together.
_MAX_RATIO_TERM = 10_000


def fill_missing(
    signal_mv: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bridge missing samples by straight lines.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead in millivolts; NaN and infinite samples count as missing.

    Returns
    -------
    filled : ndarray of float32, shape (samples,)
        The signal with every missing sample interpolated linearly between its neighbours;
        before the first and after the last known sample, that sample's value is held.
    missing : ndarray of bool, shape (samples,)
        True where a sample was missing.

    Raises
    ------
    SignalError
        If the signal is not one-dimensional or holds no known sample.

    Examples
    --------
    >>> filled, missing = fill_missing(np.array([1.0, np.nan, 2.0]))
    >>> filled.tolist(), missing.tolist()
    ([1.0, 1.5, 2.0], [False, True, False])
    """
    signal = np.asarray(signal_mv, dtype=np.float32)
    if signal.ndim != 1:
        msg = f"expected one lead with shape (samples,), got shape {signal.shape}; pass one column"
        raise SignalError(msg)
    missing = ~np.isfinite(signal)
    if not missing.any():
        return signal, missing
    if missing.all():
        msg = f"all {len(signal)} samples are missing; choose another lead"
        raise SignalError(msg)
    filled = signal.copy()
    filled[missing] = np.interp(
        np.flatnonzero(missing), np.flatnonzero(~missing), signal[~missing]
    ).astype(np.float32)
    return filled, missing


def resample(signal_mv: NDArray[np.floating], fs: float, to_fs: float) -> NDArray[np.float32]:
    """Change the sampling frequency with a polyphase anti-aliasing filter.

    The first sample stays at time zero, and `rescale_peaks` maps sample indices by the very same
    ratio, so peaks and signal cannot drift apart however long the recording is.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,) or (samples, leads)
        Signal in millivolts without missing samples.
    fs : float
        Its sampling frequency in Hz.
    to_fs : float
        Sampling frequency wanted, in Hz.

    Returns
    -------
    ndarray of float32, shape (ceil(samples * to_fs / fs),) or (..., leads)
        The resampled signal; the values of the input itself where both frequencies are equal.

    Raises
    ------
    SignalError
        If a frequency is not positive and finite, their ratio is beyond 10,000, the signal is
        empty, or a sample is missing.

    Examples
    --------
    >>> resample(np.ones(250), 250, 360).shape
    (360,)
    """
    ratio = rate_ratio(fs, to_fs)
    signal = np.asarray(signal_mv, dtype=np.float32)
    if signal.size == 0:
        msg = f"cannot resample an empty signal of shape {signal.shape}; expected samples"
        raise SignalError(msg)
    if ratio == 1:
        return signal
    if not np.isfinite(signal).all():
        msg = "cannot resample a signal with missing samples; call fill_missing first"
        raise SignalError(msg)
    # Without an offset, more digits are left for the signal. Past its ends it keeps its value:
    # zeros would ring, and a line would depend on what is far away.
    offset = np.median(signal, axis=0)
    up, down = ratio.numerator, ratio.denominator
    taps = _low_pass(up, down)
    leads = np.atleast_2d((signal - offset).T)  # (leads, samples)
    resampled = np.stack([resample_fir(lead, taps, up, down) for lead in leads], axis=-1)
    resampled += offset
    return resampled.reshape(-1, *signal.shape[1:])


@lru_cache(maxsize=8)
def _low_pass(up: int, down: int) -> NDArray[np.float32]:
    """Taps of the filter that `scipy.signal.resample_poly` designs, but for its gain.

    That ripples by a thousandth from sample to sample, as each is made with other taps; here every
    such set of taps has the gain 1, so that an offset is no noise.
    """
    rate = max(up, down)
    return low_pass(2 * 10 * rate + 1, 1 / rate, 5.0, up)


def rescale_peaks(
    peaks: NDArray[np.int64] | NDArray[np.float64], fs: float, to_fs: float, n_samples: int
) -> NDArray[np.int64]:
    """Carry sample indices over to another sampling frequency.

    Parameters
    ----------
    peaks : ndarray of int64 or float64, shape (beats,)
        Sample indices at `fs`, or places between samples.
    fs : float
        Sampling frequency of the indices in Hz.
    to_fs : float
        Sampling frequency wanted, in Hz.
    n_samples : int
        Length of the signal at `to_fs`; no index is returned beyond it.

    Returns
    -------
    ndarray of int64, shape (beats,)
        The nearest sample indices at `to_fs`.

    Raises
    ------
    SignalError
        If a frequency is not positive and finite, or their ratio is beyond 10,000.

    Examples
    --------
    >>> rescale_peaks(np.array([0, 250, 499]), 250, 360, 720).tolist()
    [0, 360, 719]
    """
    ratio = rate_ratio(fs, to_fs)
    up, down = ratio.numerator, ratio.denominator
    if np.issubdtype(peaks.dtype, np.floating):
        scaled = np.rint(peaks * (up / down)).astype(np.int64)
    else:  # whole numbers throughout: rounding half up, exact for any length of recording
        scaled = (2 * peaks.astype(np.int64) * up + down) // (2 * down)
    return np.clip(scaled, 0, max(n_samples - 1, 0))


def rate_ratio(fs: float, to_fs: float) -> Fraction:
    """Ratio `to_fs` / `fs` with terms small enough for a polyphase filter.

    Parameters
    ----------
    fs, to_fs : float
        Sampling frequencies in Hz.

    Raises
    ------
    SignalError
        If one is not positive and finite, or their ratio is beyond 10,000.
    """
    for rate in (fs, to_fs):
        if not (np.isfinite(rate) and rate > 0):
            msg = f"sampling frequency {rate!r} Hz is not usable; expected a positive number"
            raise SignalError(msg)
    if not 1 / _MAX_RATIO_TERM <= to_fs / fs <= _MAX_RATIO_TERM:
        msg = f"cannot resample from {fs:g} to {to_fs:g} Hz; check both sampling frequencies"
        raise SignalError(msg)
    # The larger term is limited, not merely the denominator: it sets the filter's length.
    if to_fs > fs:
        return 1 / Fraction(fs / to_fs).limit_denominator(_MAX_RATIO_TERM)
    return Fraction(to_fs / fs).limit_denominator(_MAX_RATIO_TERM)
