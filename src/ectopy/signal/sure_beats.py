"""Noise in which beats are found beyond doubt is no reason not to class them.

The noise of a second is judged by how high the QRS complexes stand out of what lies between them.
In leads with small, broad complexes, or large P and T waves, that is little, and yet a beat finder
that has learnt such shapes may be sure of every beat. Where two judges disagree the surer one is
believed, as in the quality index of Li, Mark and Clifford (Physiological Measurement 29:15, 2008,
bSQI), in which detectors that look at different things vouch for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.mapped import pieces, release
from ectopy.signal.second_flags import NOISE, SecondsQuality

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 0.95
"""Mean confidence of the beats around from which on a second is spared.

On DS1 and its mixtures with noise at 0 and -6 dB, beats that are spared by it are then missed or
classed wrongly about as often as those in seconds that are no noise: 6 and 4 % in the other lead,
20 and 21 % in electrode motion, 6 and 6 % in muscle noise at 0 dB.
"""

AROUND_S = 5
"""Seconds on both sides whose beats count."""

LEAST_BEATS = 5
"""Of these, at least: 30 a minute."""

PIECE_S = 16_384
"""Seconds that are looked at together."""


def spare_sure(
    quality: SecondsQuality,
    peaks: NDArray[np.int64],
    confidences: NDArray[np.float32],
    fs: float,
) -> SecondsQuality:
    """Take the flag of noise off seconds amid beats that the finder is sure of.

    Parameters
    ----------
    quality : SecondsQuality
    peaks : ndarray of int64, shape (beats,)
        Sample indices, ascending.
    confidences : ndarray of float32, shape (beats,)
        How sure the beat finder is of each, up to 1.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    SecondsQuality
        A new one; other flags stay.

    Examples
    --------
    >>> noisy = SecondsQuality(np.full(20, NOISE, dtype=np.uint8))
    >>> peaks = np.arange(50, 2000, 100)
    >>> sure = spare_sure(noisy, peaks, np.full(20, 0.99, dtype=np.float32), 100.0)
    >>> sure.usable_percent
    100.0
    """
    n = len(quality.flags)
    if n == 0 or not (quality.flags & NOISE).any():
        return quality
    flags = quality.flags.copy()
    for piece in pieces(n, PIECE_S):
        if (flags[piece] & NOISE).any():
            sure = _sure(piece, peaks, confidences, fs, n)
            flags[piece] &= np.where(sure, ~np.uint8(NOISE), ~np.uint8(0))
    release(peaks)
    release(confidences)
    return SecondsQuality(flags, quality.duration_s)


def _sure(
    piece: slice,
    peaks: NDArray[np.int64],
    confidences: NDArray[np.float32],
    fs: float,
    n_seconds: int,
) -> NDArray[np.bool_]:
    """Whether the beats around each second of a piece are sure, shape (seconds,)."""
    first, stop = piece.start - AROUND_S, piece.stop + AROUND_S
    # A beat after the last second counts for it, as does one at the very border that division
    # puts on its other side.
    begin = int(np.searchsorted(peaks, int((first - 1) * fs)))
    end = len(peaks) if stop >= n_seconds else int(np.searchsorted(peaks, int((stop + 1) * fs)))
    second = (np.asarray(peaks[begin:end]) / fs).astype(np.int64).clip(0, n_seconds - 1)
    seen = (second >= first) & (second < stop)
    place, sure = second[seen] - first, np.asarray(confidences[begin:end])[seen]
    around = 2 * AROUND_S + 1
    count, total = (
        np.lib.stride_tricks.sliding_window_view(per_second, around).sum(axis=1)
        for per_second in (
            np.bincount(place, minlength=stop - first),
            np.bincount(place, sure, minlength=stop - first),
        )
    )
    return np.asarray((count >= LEAST_BEATS) & (total >= SURE * count))
