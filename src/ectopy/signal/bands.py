"""What is measured of each second of a lead, in the bands that tell beats from noise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.order import median
from ectopy.signal.products import product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.signal.mains import Mains

BLOCK_HZ = 50
"""Means of so many blocks a second are looked at: all sampling frequencies from 50 Hz see the same.
"""

QRS_HZ, HIGH_HZ, SLOW_HZ, WAVE_HZ = (5.0, 18.0), (14.0, 24.0), (0.8, 5.0), (2.0, 9.0)
TAPS = 25

FLUTTER_LAGS = range(4, 11)
"""Pairs of blocks from wave to wave: 150 to 375 a minute."""

_LEAST = 1e-30


@dataclass(frozen=True, eq=False)
class SecondMeasures:
    """What is kept of each second, all of shape (seconds,) and float32, in the lead's unit.

    Attributes
    ----------
    low, high, mean : ndarray
        Least and largest sample, and the mean.
    qrs, most, upper, slow : ndarray
        Median and maximum of the absolute value in the QRS band, median of that in the high band,
        and root mean square in the slow band.
    regular : ndarray
        How alike the signal is to itself one wave of a flutter later, from -1 to 1.
    hum : ndarray
        Amplitude of the mains; 0 where there is none to speak of.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]
    qrs: NDArray[np.float32]
    most: NDArray[np.float32]
    upper: NDArray[np.float32]
    slow: NDArray[np.float32]
    regular: NDArray[np.float32]
    hum: NDArray[np.float32]

    def take(self, rows: slice | NDArray[np.int64]) -> SecondMeasures:
        """Give those of some seconds."""
        return SecondMeasures(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[SecondMeasures]) -> SecondMeasures:
        """Put consecutive ones together."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def measure_bands(
    signal: NDArray[np.float32],
    fs: float,
    mains: Mains,
    origin: int,
    first: int,
    n_seconds: int,
) -> SecondMeasures:
    """Measure seconds of a lead.

    Parameters
    ----------
    signal : ndarray of float32, shape (samples,)
        Without missing samples.
    fs : float
        Sampling frequency in Hz.
    mains : Mains
        Of that frequency.
    origin : int
        Index of its first sample in the recording, with which second `first` starts.
    first, n_seconds : int
        The seconds that it holds.
    """
    edges = piece_edges(fs, first, first + n_seconds, BLOCK_HZ) - origin
    starts, each = edges[:-1], edges[:-1:BLOCK_HZ]
    inside = signal[: edges[-1]]
    offset = median(inside[:: max(1, int(fs) // 8)])
    rest, hum = mains.take_out(inside - offset, edges[::BLOCK_HZ])
    means = np.add.reduceat(rest, starts) / np.diff(edges).astype(np.float32)
    blocks = np.asarray(means, dtype=np.float32).reshape(n_seconds, BLOCK_HZ)
    pairs = np.asarray((blocks[:, ::2] + blocks[:, 1::2]) / 2, dtype=np.float32)
    qrs, upper = _bands(blocks, (QRS_HZ, HIGH_HZ), BLOCK_HZ)
    slow, waves = _bands(pairs, (SLOW_HZ, WAVE_HZ), BLOCK_HZ / 2)
    size = np.sort(np.abs(qrs), axis=1)  # also gives the maximum
    return SecondMeasures(
        low=np.minimum.reduceat(inside, each),
        high=np.maximum.reduceat(inside, each),
        mean=blocks.mean(axis=1) + offset,
        qrs=size[:, BLOCK_HZ // 2 - 1 : BLOCK_HZ // 2 + 1].mean(axis=1),
        most=size[:, -1],
        upper=median(np.abs(upper)),
        slow=np.sqrt(np.einsum("ij,ij->i", slow, slow) / np.float32(slow.shape[1])),
        regular=_regular(waves),
        hum=hum,
    )


def piece_edges(fs: float, first: int, stop: int, pieces: int) -> NDArray[np.int64]:
    """Give the samples at which the pieces of the seconds from `first` up to `stop` start, and end.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz; a second has at least as many samples as pieces.
    first, stop : int
        Numbers of seconds.
    pieces : int
        Pieces of a second.

    Returns
    -------
    ndarray of int64, shape ((stop - first) * pieces + 1,)
    """
    edges = np.ceil(np.arange(first * pieces, stop * pieces + 1) * fs / pieces)
    edges[::pieces] = np.ceil(np.arange(first, stop + 1) * fs)  # whatever is rounded above
    return edges.astype(np.int64)


def _regular(waves: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest likeness, over three seconds, of a signal to itself some places later.

    Parameters
    ----------
    waves : ndarray of float32, shape (seconds, places)

    Returns
    -------
    ndarray of float32, shape (seconds,)
    """
    later = np.concatenate([waves.ravel(), np.zeros(FLUTTER_LAGS[-1], dtype=np.float32)])
    power = _three(np.einsum("ij,ij->i", waves, waves))
    best = np.full(len(waves), -1.0, dtype=np.float32)
    for lag in FLUTTER_LAGS:
        shifted = later[lag : lag + waves.size].reshape(waves.shape)
        product = _three(np.einsum("ij,ij->i", waves, shifted))
        both = power * _three(np.einsum("ij,ij->i", shifted, shifted))
        np.maximum(best, product / (np.sqrt(both) + np.float32(_LEAST)), out=best)
    return best


def _three(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum of each second and its neighbours."""
    sums = values.copy()
    sums[1:] += values[:-1]
    sums[:-1] += values[1:]
    return sums


def _bands(
    blocks: NDArray[np.float32], bands_hz: tuple[tuple[float, float], ...], rate_hz: float
) -> list[NDArray[np.float32]]:
    """Band-pass the means of blocks; the first and the last one go on beyond the ends.

    Parameters
    ----------
    blocks : ndarray of float32, shape (seconds, blocks of a second)
    bands_hz : tuple of pairs
        Limits of each band in Hz.
    rate_hz : float
        Blocks of a second.

    Returns
    -------
    list of ndarray
        One for each band, shaped like `blocks`.
    """
    each = blocks.shape[1]
    reach = TAPS // 2
    padded = np.pad(blocks.ravel(), reach, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, each + 2 * reach)[::each]
    both = product(around, _filters(bands_hz, rate_hz, each))
    return np.split(both, len(bands_hz), axis=1)


@cache
def _filters(
    bands_hz: tuple[tuple[float, float], ...], rate_hz: float, each: int
) -> NDArray[np.float32]:
    """Give the matrix that makes the blocks of a second out of them and those around.

    A second at a time, a product of matrices takes a tenth of the time of a convolution. Its shape
    is (each + TAPS - 1, len(bands_hz) * each).
    """
    matrix = np.zeros((each + TAPS - 1, len(bands_hz), each), dtype=np.float32)
    for number, band_hz in enumerate(bands_hz):
        taps = _taps(band_hz, rate_hz)  # symmetric
        for block in range(each):
            matrix[block : block + TAPS, number, block] = taps
    return matrix.reshape(len(matrix), -1)


def _taps(band_hz: tuple[float, float], rate_hz: float) -> NDArray[np.float32]:
    """Band-pass filter: the difference of two low-passes, each a sinc in a Hamming window."""
    places = np.arange(TAPS) - TAPS // 2
    window = np.hamming(TAPS)

    def low_pass(hz: float) -> NDArray[np.float64]:
        taps = np.sinc(2 * hz / rate_hz * places) * window
        return np.asarray(taps / taps.sum())

    return np.asarray(low_pass(band_hz[1]) - low_pass(band_hz[0]), dtype=np.float32)
