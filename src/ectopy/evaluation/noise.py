"""The noise stress test: real noise added to clean recordings at calibrated levels.

Amplitudes, gains and the added noise are defined as the WFDB programs `nst` and `sigamp` define
them (Moody, Muldrow and Mark, "A noise stress test for arrhythmia detectors", Computers in
Cardiology 11:381-384, 1984; WFDB Applications Guide, nst(1) and sigamp(1)):

- The signal's amplitude P is the trimmed mean, over the first 300 beats that are neither
  ventricular nor fusion beats, of the peak-to-peak range from 50 ms before to 50 ms after the
  annotation. Its power is S = P² / 8, which is right for a sine wave.
- The noise's amplitude A is the trimmed mean, over the first 300 seconds, of each second's root
  mean square deviation from that second's mean; its power is N = A².
- Both trimmed means leave out the smallest and the largest twentieth.
- SNR = 10 log10(S / (g² N)) in decibels, so the noise is multiplied by
  g = P / (√8 A) · 10^(-SNR / 20).

Every lead has its own P, A and g. What is added is continuous: noise sets in at zero, and where it
pauses its last value stays, as a baseline that has moved.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.conditioning import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.beats import ReferenceBeats

SCHEDULES = ("continuous", "alternating")
"""`continuous`: noise from `START_S` to the end. `alternating`: two minutes of noise, two without,
in turn, which is the default of `nst`."""

START_S = 300.0
"""No noise is added before, so that a finder can learn; nor is anything scored."""

TURN_S = 120.0
"""Length of each noisy and each clean stretch of the alternating schedule."""

MOST_MEASUREMENTS = 300
TRIMMED_SHARE = 20
"""One in so many measurements is left out at either end."""

_AROUND_BEAT_S = 0.05
_CHUNK_S = 1.0

# The calibration of nst is on beats that the WFDB library's `map1` takes for normal ones: all but
# ventricular and fusion beats.
_NOT_CALIBRATED_ON = ("V", "E", "F", "r")


def calibration_peaks(beats: ReferenceBeats) -> NDArray[np.int64]:
    """Peaks of the beats whose size a recording's noise level is measured by.

    Parameters
    ----------
    beats : ReferenceBeats
        All beats of the recording.

    Returns
    -------
    ndarray of int64, shape (peaks,)
        Those of every beat that is neither a ventricular nor a fusion beat.
    """
    return beats.peaks[~np.isin(beats.symbols, _NOT_CALIBRATED_ON)]


def qrs_amplitude(
    signal_mv: NDArray[np.floating], fs: float, peaks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Peak-to-peak amplitude of a recording's QRS complexes, as `sigamp -a` measures it.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples, leads)
        The clean signal in millivolts.
    fs : float
        Its sampling frequency in Hz.
    peaks : ndarray of int64, shape (beats,)
        Where the beats are, such as `calibration_peaks` picks them. The first 300 are measured;
        those too near an end of the signal, or with samples missing, are passed over.

    Returns
    -------
    ndarray of float64, shape (leads,)
        Trimmed mean of the ranges, in millivolts.

    Raises
    ------
    SignalError
        If no beat can be measured, or a lead's amplitude is zero.

    Examples
    --------
    >>> one_lead_mv = np.zeros((1000, 1))
    >>> one_lead_mv[[200, 500, 800]] = 1.5
    >>> qrs_amplitude(one_lead_mv, 250, np.array([200, 500, 800])).tolist()
    [1.5]
    """
    reach = int(_AROUND_BEAT_S * fs + 0.5)
    fits = (peaks >= reach) & (peaks + reach < len(signal_mv))
    around = np.arange(-reach, reach + 1)
    ranges = np.ptp(signal_mv[peaks[fits, None] + around], axis=1)  # (beats, leads)
    ranges = ranges[np.isfinite(ranges).all(axis=1)][:MOST_MEASUREMENTS]
    return _amplitude(ranges, "beats to measure the signal by; give the reference beats' peaks")


def noise_amplitude(noise_mv: NDArray[np.floating], fs: float) -> NDArray[np.float64]:
    """Root mean square amplitude of noise, as `sigamp` measures it.

    Deviations are from the mean of each second, so slow wander counts little. `sigamp` also cuts
    each deviation down to a whole number of converter units, which lowers the amplitude of `em` by
    0.6 % and 2.0 % (0.05 and 0.17 dB) in its two channels; here they are not rounded.

    Parameters
    ----------
    noise_mv : ndarray of float, shape (samples, channels)
        The noise, in millivolts.
    fs : float
        Its sampling frequency in Hz.

    Returns
    -------
    ndarray of float64, shape (channels,)
        Trimmed mean over the first 300 seconds, in millivolts.

    Raises
    ------
    SignalError
        If the noise is shorter than a second, or a channel's amplitude is zero.

    Examples
    --------
    >>> hum_mv = np.sin(2 * np.pi * 50 * np.arange(3600) / 360).reshape(-1, 1)
    >>> noise_amplitude(hum_mv, 360).round(3).tolist()
    [0.707]
    """
    chunk = round(_CHUNK_S * fs)
    n_chunks = min(len(noise_mv) // chunk, MOST_MEASUREMENTS)
    channels = noise_mv.shape[1]
    chunks = noise_mv[: n_chunks * chunk].reshape(n_chunks, chunk, channels).astype(np.float64)
    return _amplitude(chunks.std(axis=1), "seconds of noise; give noise longer than a second")


def _amplitude(measured: NDArray[np.floating], what: str) -> NDArray[np.float64]:
    """Trimmed mean of each column, which must not be zero."""
    if len(measured) == 0:
        msg = f"there are no {what}"
        raise SignalError(msg)
    cut = len(measured) // TRIMMED_SHARE
    kept = np.sort(measured.astype(np.float64), axis=0)[cut : len(measured) - cut]
    amplitude = np.asarray(kept.mean(axis=0))
    if not (np.isfinite(amplitude) & (amplitude > 0)).all():
        msg = f"amplitudes are {amplitude.tolist()} mV; each must be above 0 to be scaled by"
        raise SignalError(msg)
    return amplitude


def mix_noise(
    signal_mv: NDArray[np.floating],
    fs: float,
    peaks: NDArray[np.int64],
    noise_mv: NDArray[np.floating],
    noise_fs: float,
    snr_db: float,
    *,
    schedule: str = "continuous",
    start_s: float = START_S,
    noise_offset_s: float = 0.0,
    noise_amplitude_mv: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Add noise to a clean signal at a signal-to-noise ratio.

    Lead i gets channel i of the noise, and so on in turn where the noise has fewer channels.
    Signal and noise run side by side from time zero, and noise that ends before the signal starts
    over. Unlike `nst`, which bears with a tenth of difference, noise of any other sampling
    frequency is resampled.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,) or (samples, leads)
        The clean signal in millivolts.
    fs : float
        Its sampling frequency in Hz.
    peaks : ndarray of int64, shape (beats,)
        The beats it is calibrated by; see `calibration_peaks`.
    noise_mv : ndarray of float, shape (samples,) or (samples, channels)
        The noise, in millivolts.
    noise_fs : float
        Its sampling frequency in Hz.
    snr_db : float
        Signal-to-noise ratio in decibels, as this module defines it.
    schedule : {"continuous", "alternating"}
        When there is noise; see `SCHEDULES`.
    start_s : float
        Where noise sets in, in seconds.
    noise_offset_s : float
        Which second of the noise meets the first of the signal.
    noise_amplitude_mv : ndarray of float64, shape (channels,), optional
        What each channel is calibrated by; `noise_amplitude(noise_mv, noise_fs)` if not given.
        With the amplitude of a whole record, a part of it is scaled as `nst` scales the whole.

    Returns
    -------
    ndarray of float32, shape of `signal_mv`
        Signal and noise, in millivolts.

    Raises
    ------
    SignalError
        If there is no such schedule, or signal or noise cannot be measured.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> time_s = np.arange(0, 60, 1 / 250)
    >>> ecg = np.exp(-(((time_s % 1.0 - 0.5) / 0.02) ** 2))
    >>> peaks = np.arange(125, 15000, 250)
    >>> noisy = mix_noise(ecg, 250, peaks, rng.standard_normal(5000), 250, 6, start_s=20)
    >>> bool((noisy[:5000] == ecg[:5000].astype(np.float32)).all()), noisy[5000:].std() > 0.2
    (True, np.True_)
    """
    if schedule not in SCHEDULES:
        msg = f"unknown schedule {schedule!r}; choose one of: {', '.join(SCHEDULES)}"
        raise SignalError(msg)
    signal = np.asarray(signal_mv, dtype=np.float64)
    leads = signal.reshape(len(signal), -1)
    noise = np.asarray(noise_mv, dtype=np.float64)
    noise = noise.reshape(len(noise), -1)
    if noise_amplitude_mv is None:
        noise_amplitude_mv = noise_amplitude(noise, noise_fs)
    channels = np.arange(leads.shape[1]) % noise.shape[1]
    gains = noise_gains(
        qrs_amplitude(leads, fs, peaks), np.asarray(noise_amplitude_mv)[channels], snr_db
    )
    steps = _steps(resample(noise, noise_fs, fs), round(noise_offset_s * fs), len(leads))
    on = _noisy(len(leads), fs, schedule, start_s)
    added = np.cumsum(np.where(on[:, None], steps[:, channels], 0.0), axis=0) * gains
    return np.asarray((leads + added).reshape(signal.shape), dtype=np.float32)


def noise_gains(
    qrs_mv: NDArray[np.float64], noise_mv: NDArray[np.float64], snr_db: float
) -> NDArray[np.float64]:
    """Work out what to multiply noise by, for a signal-to-noise ratio.

    Parameters
    ----------
    qrs_mv, noise_mv : ndarray of float64, shape (leads,)
        Amplitudes as `qrs_amplitude` and `noise_amplitude` measure them, in millivolts.
    snr_db : float
        Signal-to-noise ratio wanted, in decibels.

    Returns
    -------
    ndarray of float64, shape (leads,)

    Examples
    --------
    >>> noise_gains(np.array([1.0]), np.array([0.5]), 20.0).round(4).tolist()
    [0.0707]
    """
    return np.asarray(qrs_mv / (sqrt(8.0) * noise_mv) * 10 ** (-snr_db / 20))


def _steps(noise: NDArray[np.float32], first: int, n_samples: int) -> NDArray[np.float64]:
    """Change of the noise from sample to sample; none where it starts over."""
    rows = np.arange(first, first + n_samples) % len(noise)
    steps = np.diff(noise[rows].astype(np.float64), axis=0, prepend=0.0)
    steps[rows == 0] = 0.0
    steps[0] = 0.0
    return steps


def _noisy(n_samples: int, fs: float, schedule: str, start_s: float) -> NDArray[np.bool_]:
    """Mark the samples on which noise is added."""
    since_s = np.arange(n_samples) / fs - start_s
    started = since_s >= 0
    return started if schedule == "continuous" else started & (since_s // TURN_S % 2 == 0)
