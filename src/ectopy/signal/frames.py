"""Frames: one lead at about 120 Hz, free of its baseline and levelled, as the beat finder reads it.

What a frame holds depends only on the signal around it: 0.7 s for the filters, and 11 s before and
2.5 s after for the level. A recording can therefore be cut into slices, or come in as a stream, and
gives the same frames as in one piece. Neither the lead's gain nor an offset changes them, and
polarity only their sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.fir import low_pass, resample_fir, running_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_HZ = 120.0
"""Nominal rate of frames. The true one is a small ratio of `fs`, at most 0.2 % off."""

MIN_FS = 80.0
"""Lowest sampling frequency in Hz: the filter's pass band ends at half of it."""

BLOCK = 120
"""Frames of a block, one second: the level is known once a block."""

PAST_BLOCKS, FUTURE_BLOCKS = 9, 1
"""Blocks before and after that decide the level of one."""

# What of the bands of a QRS complex, and nothing of 50 or 60 Hz mains, is left to see; every
# sampling frequency then sees the same.
LOW_PASS_HZ = 36.0
LOW_PASS_S = 0.125
KAISER_BETA = 4.5

# A running mean of a running mean: above 1 Hz almost nothing of a beat is lost.
_BASELINE_FRAMES = 73

# Of the largest deflections in the blocks around, an upper-middle one: above the noise where every
# other block lies in a pause, and below a few blocks of artefact.
_LEVEL_PERCENTILE = 60
_COMPRESSION = 2.0
_LEAST_LEVEL = 1e-5  # mV; rounding errors on a bridged stretch are no waves
_NO_SIGNAL = 1e30  # mV
_RATE_TOLERANCE = 0.002
_LOST_SHARE = 0.5


@dataclass(frozen=True)
class Rate:
    """How samples and frames count against each other: `up` frames in `down` samples.

    Examples
    --------
    >>> Rate.of(360), Rate.of(250)
    (Rate(up=1, down=3), Rate(up=12, down=25))
    """

    up: int
    down: int

    @classmethod
    def of(cls, fs: float) -> Rate:
        """Find whole numbers that come within 0.2 % of 120 frames a second.

        Raises
        ------
        SignalError
            If `fs` is no number, or below 80 Hz.
        """
        if not (isinstance(fs, int | float | np.number) and np.isfinite(fs) and fs >= MIN_FS):
            msg = f"sampling frequency {fs!r} Hz is not usable; beats need at least {MIN_FS:g} Hz"
            raise SignalError(msg)
        wanted = FRAME_HZ / float(fs)
        # A step of one second if possible: slices and streams then take in no more than they need.
        denominator, ratio = 0, Fraction(BLOCK, round(float(fs)))
        while abs(float(ratio) / wanted - 1) > _RATE_TOLERANCE:
            denominator += 1
            ratio = Fraction(wanted).limit_denominator(denominator)
        return cls(ratio.numerator, ratio.denominator)

    @property
    def samples_per_step(self) -> int:
        """Samples after which both samples and blocks of frames start anew."""
        return self.down * (BLOCK // gcd(self.up, BLOCK))


def resample_to_frames(
    signal_mv: NDArray[np.float32], fs: float, rate: Rate, offset_mv: float
) -> NDArray[np.float32]:
    """Low-pass a signal at 36 Hz and sample it at the rate of frames.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        One lead in millivolts without missing samples.
    fs : float
        Sampling frequency in Hz.
    rate : Rate
        As `Rate.of` gives it for `fs`.
    offset_mv : float
        Taken off before filtering, so that a large offset does not end up as rounding noise.

    Returns
    -------
    ndarray of float32, shape (ceil(samples * up / down),)
        In millivolts; its first frame lies at the first sample.
    """
    shifted: NDArray[np.float32] = np.asarray(signal_mv - np.float32(offset_mv), np.float32)
    return resample_fir(shifted, _low_pass(fs * rate.up, rate.up), rate.up, rate.down)


def level_frames(
    frames_mv: NDArray[np.float32], lost: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Take the baseline off and divide by the usual deflection of the seconds around.

    Parameters
    ----------
    frames_mv : ndarray of float32, shape (..., frames)
        Leads at the rate of frames, in any unit.
    lost : ndarray of bool, shape (..., frames), optional
        Where there was no signal; such stretches, which have been bridged, do not lower the level.

    Returns
    -------
    ndarray of float32, shape (..., frames)
        About +-1.4 at usual QRS complexes; larger values are compressed by an inverse hyperbolic
        sine, so that an artefact does not drown what follows.
    """
    waves = frames_mv - running_mean(running_mean(frames_mv, _BASELINE_FRAMES), _BASELINE_FRAMES)
    np.divide(waves, _level(waves, lost), out=waves)
    waves *= np.float32(_COMPRESSION)
    return np.asarray(np.arcsinh(waves, out=waves), dtype=np.float32)


def _level(waves: NDArray[np.float32], lost: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Usual deflection around each frame, above 0."""
    n_frames = waves.shape[-1]
    starts = np.arange(0, n_frames, BLOCK)
    if lost is None:
        usual = _usual(np.maximum.reduceat(np.abs(waves), starts, axis=-1))
    else:
        largest = np.maximum.reduceat(np.where(lost, 0, np.abs(waves)), starts, axis=-1)
        n_lost = np.add.reduceat(lost, starts, axis=-1, dtype=np.int64)
        lengths = np.diff(starts, append=n_frames)
        usual = _usual(np.where(n_lost > _LOST_SHARE * lengths, np.inf, largest))
        # Between the beats of a signal without any noise there is nothing but flat lines.
        rest = _usual(np.where(n_lost == lengths, np.inf, largest))
        usual = np.where(np.isnan(usual), rest, usual)
    # With no signal for so long that nothing is known, everything is divided away.
    usual = np.where(np.isnan(usual), np.float32(_NO_SIGNAL), usual)
    blocks = np.maximum(usual, np.float32(_LEAST_LEVEL)).astype(np.float32)
    # From the middle of one block to that of the next the level changes evenly.
    place = (np.arange(BLOCK, dtype=np.float32) + 0.5) / BLOCK
    edges = np.concatenate([blocks[..., :1], blocks, blocks[..., -1:]], axis=-1)[..., None]
    middles = (edges[..., 1:, :] + edges[..., :-1, :]) / 2
    half = BLOCK // 2
    first = middles[..., :-1, :] + (edges[..., 1:-1, :] - middles[..., :-1, :]) * (2 * place[:half])
    second = edges[..., 1:-1, :] + (middles[..., 1:, :] - edges[..., 1:-1, :]) * (2 * place[:half])
    level = np.concatenate([first, second], axis=-1)
    return np.asarray(level.reshape(*waves.shape[:-1], -1)[..., :n_frames], dtype=np.float32)


def _usual(largest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Percentile of the blocks around each, blocks without signal (inf) apart; NaN without any."""
    ends = [(0, 0)] * (largest.ndim - 1) + [(PAST_BLOCKS, FUTURE_BLOCKS)]
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(largest, ends, constant_values=np.inf), PAST_BLOCKS + FUTURE_BLOCKS + 1, axis=-1
    )
    ordered = np.sort(around, axis=-1)
    n_known = np.isfinite(ordered).sum(axis=-1)
    rank = ((n_known - 1).clip(0) * _LEVEL_PERCENTILE + 50) // 100
    usual = np.take_along_axis(ordered, rank[..., None], axis=-1)[..., 0]
    return np.where(n_known > 0, usual, np.nan)


@lru_cache(maxsize=8)
def _low_pass(rate_hz: float, up: int) -> NDArray[np.float32]:
    """Taps of the low-pass filter at the common multiple of both rates."""
    n_taps = 2 * round(LOW_PASS_S * rate_hz / 2) + 1
    return low_pass(n_taps, LOW_PASS_HZ / (rate_hz / 2), KAISER_BETA, up)
