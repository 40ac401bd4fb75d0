"""Find heartbeats, and place each where an annotator would.

Detection and placement are two steps. That there is a beat is decided on a signal filtered so
heavily that its peaks may sit 50 ms beside the wave an annotator marks. `refine_peaks` then moves
every peak to that wave, because the classifiers look at windows cut around it.

Filters look no further than a few seconds around a beat. A long recording can therefore be worked
through in slices, in time proportional to its length; what needs a longer view works on the few
candidates and on one number for each second. Slices give the same beats as one pass.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.conditioning import fill_missing
from ectopy.signal.gaps import bridge
from ectopy.signal.slices import Slice, block_samples, slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_FS = 50.0
"""Lowest sampling frequency in Hz that beats are searched at."""

MIN_DURATION_S = 1.0
"""Shortest signal in seconds that beats are searched in."""

REFRACTORY_S = 0.2
"""No two refined beats are closer than this: the ventricles cannot be excited again so soon."""

SLICE_S = 600.0
"""Length in seconds of the slices that a long recording is worked through in."""

# The numbers from here to `_REFINE_HZ` were chosen by the beats missed and made up on the 22
# records of the MIT-BIH Arrhythmia Database that models train on (DS1). Of the others, 228 (tall
# ectopic beats) and 231 (long pauses) were looked at while the usual activity was defined.

# QRS complexes, narrow and broad, hold most of their energy in this band, while P and T waves and
# a wandering baseline lie below it. Rectified and averaged it is a beat's "activity".
_ACTIVITY_HZ = (5.0, 20.0)
_AVERAGE_S = 0.08

# A beat's activity is compared with the usual one around it: the strongest in each block is taken,
# and of the blocks around, a lower-middle one, so that tall ectopic beats in every other block do
# not decide it. Half of an upper-middle one is the least, so that a heart slower than one beat in
# a block is not measured by its pauses.
_USUAL_BLOCKS = 17
_USUAL_PERCENTILE = 40
_LEAST_PERCENTILE = 75
_LEAST_SHARE = 0.5
_THRESHOLD = 0.4

# In a standstill the usual activity around is that of the noise, whose peaks stand out of it as
# beats do. So a beat must also reach this share of the activity of an upper-middle block in the
# ten minutes around: long enough for a pause of minutes, short enough to follow a changing lead.
_LONG_VIEW_BLOCKS = 601
_LONG_VIEW_PERCENTILE = 75
_FLOOR_SHARE = 0.1

# Candidates closer than this are one beat (240 beats per minute).
_MIN_GAP_S = 0.25

# A candidate this soon after one more than twice as strong is its T wave (Pan and Tompkins, 1985).
_T_WAVE_S = 0.36
_T_WAVE_SHARE = 0.5

# Where an interval is this much longer than the median around it, its strongest candidate above
# the lower threshold is taken (Pan and Tompkins, 1985).
_LONG_INTERVAL = 1.66
_USUAL_INTERVALS = 9
_SEARCH_BACK_THRESHOLD = 0.24

# Where an annotator's mark is sought around a detected peak, and in which band.
_REFINE_S = 0.1
_REFINE_HZ = (3.0, 30.0)


def detect_beats(
    signal_mv: NDArray[np.floating], fs: float, *, slice_s: float = SLICE_S
) -> NDArray[np.int64]:
    """Find heartbeats in one lead.

    The rectified signal between 5 and 20 Hz, averaged over 80 ms, is compared with its own usual
    height in the seconds around; what stands out, and is not a small fraction of the height usual
    in the minutes around, is a beat. T waves are left out and long intervals searched again as Pan
    and Tompkins (1985) do. Each beat is then placed by `refine_peaks`. The result depends neither
    on the lead's polarity nor on its gain. In noise without any beat for more than about seven
    minutes, or throughout, peaks of the noise are still found.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead in millivolts. Missing samples may be NaN. Gaps, and stretches that keep one value
        for 0.2 s, are bridged by straight lines; on the latter, and in gaps of 50 ms or more, no
        beat is reported.
    fs : float
        Sampling frequency in Hz, at least 50.
    slice_s : float
        Length in seconds of the slices that are worked on at a time; it bounds the memory.

    Returns
    -------
    ndarray of int64, shape (beats,)
        Sample indices of the beats' fiducial points, ascending and at least 200 ms apart; empty
        where there are none.

    Raises
    ------
    SignalError
        If the signal is not one-dimensional, shorter than one second, constant, or has no known
        sample, or `fs` is not finite or below 50 Hz.

    References
    ----------
    J. Pan and W. J. Tompkins, "A real-time QRS detection algorithm", IEEE Trans. Biomed. Eng. 32,
    230-236 (1985).

    Examples
    --------
    >>> time_s = np.arange(0, 10, 1 / 250)
    >>> ecg = np.exp(-(((time_s % 1.0 - 0.5) / 0.02) ** 2))
    >>> detect_beats(ecg, 250)[:4].tolist()
    [125, 375, 625, 875]
    """
    signal, missing = _checked(signal_mv, fs)
    signal, lost = bridge(signal, missing, fs, slice_s)
    parts = [_search(signal, lost, fs, part) for part in slices(len(signal), fs, slice_s)]
    peaks, activity, relative, strongest = (
        np.concatenate(found) for found in zip(*parts, strict=True)
    )
    high_enough = (
        activity > _floor(strongest)[(peaks // block_samples(fs)).clip(0, len(strongest) - 1)]
    )
    peaks = _select(peaks[high_enough], relative[high_enough], fs)
    peaks = _refine(signal, fs, peaks, slice_s)
    return peaks[~lost[peaks]]


def refine_peaks(
    signal_mv: NDArray[np.floating], fs: float, peaks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Move each peak to the wave that the MIT-BIH annotators marked.

    That is the largest deflection, up or down, of the signal between 3 and 30 Hz within 100 ms of
    the peak. Of several definitions (largest deviation from a running baseline, other bands,
    windows and weights) this one came closest to the annotations of the 22 DS1 records.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead in millivolts; missing samples may be NaN.
    fs : float
        Sampling frequency in Hz, at least 50.
    peaks : ndarray of int64, shape (beats,)
        Sample indices of beats, ascending.

    Returns
    -------
    ndarray of int64, shape (beats,)
        The refined indices, ascending and at least 200 ms apart: where two come closer, the larger
        deflection stays, so there may be fewer than went in.

    Raises
    ------
    SignalError
        As `detect_beats`, or if a peak lies outside the signal.

    Notes
    -----
    The peaks of `detect_beats` have been refined already.

    Examples
    --------
    >>> time_s = np.arange(0, 3, 1 / 250)
    >>> ecg = -np.exp(-(((time_s - 1.5) / 0.02) ** 2))
    >>> refine_peaks(ecg, 250, np.array([365])).tolist()
    [375]
    """
    signal, _ = _checked(signal_mv, fs)
    peaks = np.asarray(peaks, dtype=np.int64)
    outside = peaks[(peaks < 0) | (peaks >= len(signal))]
    if len(outside):
        msg = f"peak {outside[0]} lies outside the signal of {len(signal)} samples; check its fs"
        raise SignalError(msg)
    return _refine(signal, fs, peaks, SLICE_S)


def _refine(
    signal: NDArray[np.float32], fs: float, peaks: NDArray[np.int64], slice_s: float
) -> NDArray[np.int64]:
    """Place peaks on a signal without gaps."""
    refined = np.empty_like(peaks)
    strengths = np.empty(len(peaks))
    for part in slices(len(signal), fs, slice_s):
        first, last = np.searchsorted(peaks, [part.start, part.stop])
        deflection = np.abs(_bandpass(signal[part.outer], fs, _REFINE_HZ))
        nearby = _around(peaks[first:last] - part.outer.start, _REFINE_S, fs, len(deflection))
        heights = deflection[nearby]  # (beats, window)
        rows, best = np.arange(last - first), heights.argmax(axis=1)
        refined[first:last] = nearby[rows, best] + part.outer.start
        strengths[first:last] = heights[rows, best]
    return _spaced(refined, strengths, REFRACTORY_S * fs)


class _Found(NamedTuple):
    """Candidates of a slice, their activities, and the strongest activity in each block.

    `strongest` is NaN in blocks without signal.
    """

    peaks: NDArray[np.int64]
    activity: NDArray[np.float64]
    relative: NDArray[np.float64]
    strongest: NDArray[np.float64]


def _search(signal: NDArray[np.float32], lost: NDArray[np.bool_], fs: float, part: Slice) -> _Found:
    """Peaks of the activity in one slice that may be beats; none where it is flat."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    signal, lost = signal[part.outer], lost[part.outer]
    # What is left at the end is added to the last block.
    block = block_samples(fs)
    starts = np.arange(0, max(len(signal) - block, 0) + 1, block)
    inner_blocks = (starts >= part.start - part.outer.start) & (
        starts < part.stop - part.outer.start
    )
    # A gap has an activity of rounding errors; it must not lower the usual one.
    alive = ~np.logical_and.reduceat(lost, starts)
    nothing = np.empty(0)
    if not alive.any():
        strongest = np.full(int(inner_blocks.sum()), np.nan)
        return _Found(nothing.astype(np.int64), nothing, nothing, strongest)
    activity = uniform_filter1d(
        np.abs(_bandpass(signal, fs, _ACTIVITY_HZ)), 2 * round(_AVERAGE_S * fs / 2) + 1
    )
    strongest = np.where(alive, np.maximum.reduceat(activity, starts), np.nan)
    # Samples are rounded to 24 bits; whatever is no larger than that is no beat.
    rounding = 1e-6 * float(np.abs(signal).max())
    relative = activity / np.maximum(_usual(strongest, starts, len(signal)), rounding)
    peaks, found = find_peaks(
        relative, height=_SEARCH_BACK_THRESHOLD, distance=max(1, round(_MIN_GAP_S * fs))
    )
    placed = peaks.astype(np.int64) + part.outer.start
    inside = (placed >= part.start) & (placed < part.stop)
    return _Found(
        placed[inside],
        activity[peaks[inside]],
        found["peak_heights"][inside],
        strongest[inner_blocks],
    )


def _floor(strongest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least activity of a beat in each block, from the blocks of the minutes around."""
    from scipy.ndimage import percentile_filter

    alive = np.isfinite(strongest)
    floor = np.zeros(len(strongest))
    # Only blocks with signal are counted, so that the view reaches over a long gap.
    if alive.any():
        floor[alive] = _FLOOR_SHARE * percentile_filter(
            strongest[alive], _LONG_VIEW_PERCENTILE, size=_LONG_VIEW_BLOCKS, mode="reflect"
        )
    return floor


def _usual(
    strongest: NDArray[np.float64], starts: NDArray[np.int64], n_samples: int
) -> NDArray[np.float64]:
    """Height that a beat's activity usually reaches around each sample."""
    from scipy.ndimage import percentile_filter

    alive = np.isfinite(strongest)
    strongest = np.interp(starts, starts[alive], strongest[alive])
    usual, upper = (
        percentile_filter(strongest, percentile, size=_USUAL_BLOCKS, mode="reflect")
        for percentile in (_USUAL_PERCENTILE, _LEAST_PERCENTILE)
    )
    usual = np.maximum(usual, _LEAST_SHARE * upper)
    centres = starts + np.diff(starts, append=n_samples) / 2
    return np.asarray(np.interp(np.arange(n_samples), centres, usual), dtype=np.float64)


def _select(peaks: NDArray[np.int64], heights: NDArray[np.float64], fs: float) -> NDArray[np.int64]:
    """Beats among the candidates: those above the threshold, and some of the others."""
    from scipy.ndimage import median_filter

    is_high = heights >= _THRESHOLD
    beats, beat_heights = peaks[is_high], heights[is_high]
    is_soon = np.diff(beats, prepend=beats[:1]) < _T_WAVE_S * fs
    before = np.concatenate([beat_heights[:1], beat_heights[:-1]])
    beats = beats[~(is_soon & (beat_heights < _T_WAVE_SHARE * before))]
    if len(beats) < 2:
        return beats
    low, low_heights = peaks[~is_high], heights[~is_high]
    intervals = np.diff(beats)
    usual = median_filter(intervals.astype(np.float64), size=_USUAL_INTERVALS, mode="nearest")
    missed = []
    for index in np.flatnonzero(intervals > _LONG_INTERVAL * usual):
        first, last = np.searchsorted(
            low, [beats[index] + _T_WAVE_S * fs, beats[index + 1] - _MIN_GAP_S * fs]
        )
        if first < last:
            missed.append(low[first + low_heights[first:last].argmax()])
    return np.sort(np.concatenate([beats, np.array(missed, dtype=np.int64)]))


def _around(
    peaks: NDArray[np.int64], reach_s: float, fs: float, n_samples: int
) -> NDArray[np.int64]:
    """Sample indices up to `reach_s` seconds from each peak; shape (beats, window)."""
    reach = round(reach_s * fs)
    nearby: NDArray[np.int64] = peaks[:, None] + np.arange(-reach, reach + 1)
    return nearby.clip(0, n_samples - 1)


def _spaced(
    peaks: NDArray[np.int64], strengths: NDArray[np.float64], min_gap: float
) -> NDArray[np.int64]:
    """Of peaks closer than `min_gap` samples keep the stronger; `peaks` need not be in order."""
    order = np.argsort(peaks, kind="stable")
    peaks, strengths = peaks[order], strengths[order]
    keep = np.ones(len(peaks), dtype=bool)
    # Few pairs are in conflict, so only those are walked, left to right.
    for index in np.flatnonzero(np.diff(peaks) < min_gap) + 1:
        before = index - 1
        while not keep[before]:
            before -= 1
        if peaks[index] - peaks[before] < min_gap:
            keep[before if strengths[index] > strengths[before] else index] = False
    return np.asarray(peaks[keep], dtype=np.int64)


def _bandpass(
    signal: NDArray[np.float32], fs: float, band_hz: tuple[float, float]
) -> NDArray[np.float64]:
    """Second-order Butterworth band-pass, run both ways so that no wave is delayed."""
    from scipy.signal import butter, sosfiltfilt

    low, high = band_hz
    sos = butter(2, [low, min(high, 0.45 * fs)], btype="bandpass", fs=fs, output="sos")
    # The signal is carried on past its ends for as long as the filter rings there.
    padding = min(len(signal) - 1, ceil(fs))
    filtered = sosfiltfilt(sos, signal.astype(np.float64), padlen=padding)
    return np.asarray(filtered, dtype=np.float64)


def _checked(
    signal_mv: NDArray[np.floating], fs: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bridge the gaps of a signal, or say why no beats can be sought in it."""
    if not (np.isfinite(fs) and fs >= MIN_FS):
        msg = f"sampling frequency {fs!r} Hz is not usable; beats need at least {MIN_FS:g} Hz"
        raise SignalError(msg)
    signal = np.asarray(signal_mv)
    if signal.ndim == 1 and len(signal) < MIN_DURATION_S * fs:
        msg = (
            f"a signal of {len(signal)} samples at {fs:g} Hz is too short; "
            f"beats need at least {MIN_DURATION_S:g} s"
        )
        raise SignalError(msg)
    filled, missing = fill_missing(signal)
    if filled.min() == filled.max():
        msg = f"the signal is constant at {filled[0]:g} mV; choose another lead"
        raise SignalError(msg)
    return filled, missing
