"""Seconds in which noise buries the beats.

Between two beats a good lead is quiet, whatever the beats look like; noise fills that space. So the
amplitude that a lead has most of the time is compared with that of its QRS complexes.

Of the signal in a band, `a(k)` is the median over second k of its absolute value: since QRS
complexes take less than half of the time, what lies between them. `level(k)` is an upper-middle one
(the seventh smallest) of the largest absolute values in the QRS band, 5 to 18 Hz, of the 11 seconds
around: the usual QRS complex, where every other second may lie in a pause and a few hold artefacts.
Then

    index(k) = log(m3(a_qrs) / level) + 2 log(m11(a_qrs) / level)
               + log(m3(a_high) / level) + log(m3(rms_slow) / level)

with medians m3 and m11 over 3 and 11 seconds, `a_high` of the band from 14 to 24 Hz, in which
muscles are strong, and `rms_slow` the root mean square from 0.8 to 5 Hz, where electrodes move.
That is a ratio of noise to signal, weighted over three bands and two stretches of time.

The idea that a lead is judged by the power of the QRS band against that of its surroundings is the
pSQI of Li, Mark and Clifford, "Robust heart rate estimation from multiple asynchronous noisy
sources using signal quality indices and a Kalman filter", Physiol Meas 29:15-32 (2008), and that
several indices are added with weights learned from real noise is that of Clifford, Behar, Li and
Rezek, "Signal quality indices and data fusion for determining clinical acceptability of
electrocardiograms", Physiol Meas 33:1419-1433 (2012). Medians in the place of powers make it hold
for single seconds. Weights, rounded, and limit were found on the 22 records DS1 of the MIT-BIH
Arrhythmia Database with noise of the MIT-BIH Noise Stress Test Database.

Ventricular flutter, and a very fast heart, leave no space between beats either. They are told from
noise by their regularity: a signal that comes back, 0.16 to 0.4 s later, as it was.

Hum of the mains is taken out before (`ectopy.signal.mains`), and buries beats where its amplitude
exceeds their level.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.signal.mains import Mains

BLOCK_HZ = 50
"""Means of so many blocks a second are looked at: all sampling frequencies from 50 Hz see the same.
"""

QRS_HZ, HIGH_HZ, SLOW_HZ, WAVE_HZ = (5.0, 18.0), (14.0, 24.0), (0.8, 5.0), (2.0, 9.0)
TAPS = 25

AROUND, NEAR = 5, 1
"""Seconds on each side that the level, and the nearer medians, look at."""

LEVEL_RANK = 6
"""Which of the largest absolute values of the seconds around is the level, from 0."""

LONG_BLOCK, LONG_BLOCKS = 10, 3
LEAST_OF_LONG = 0.2
"""The level is at least this share of its median over some 70 seconds: in a standstill of the heart
there is nothing but faint noise, which is not said to bury beats."""

WEIGHTS = (1.0, 2.0, 1.0, 1.0)
LIMIT = -11.0

FLUTTER_LAGS = range(4, 11)
"""Pairs of blocks from wave to wave: 150 to 375 a minute."""

ALIKE = 0.45
"""Likeness from which a signal is regular. Of the flutter of record 207 it is at least 0.48 in 95
of 100 seconds; of electrode motion and muscle noise up to 0.43."""

SLOW_SHARE = 0.3
"""Amplitude in the slow band, in those of the QRS band, that is asked of a regular signal: the beat
of mains with the sampling frequency is regular too."""

HUM = 1.0
"""Amplitude of hum, in levels of the QRS complexes, from which it buries them."""

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
    offset = np.median(inside[:: max(1, int(fs) // 8)])
    rest, hum = mains.take_out(inside - offset, edges[::BLOCK_HZ])
    blocks = (np.add.reduceat(rest, starts) / np.diff(edges)).astype(np.float32)
    pairs = blocks.reshape(-1, 2).mean(axis=1)
    qrs = np.abs(_band(blocks, QRS_HZ)).reshape(n_seconds, BLOCK_HZ)
    upper = np.abs(_band(blocks, HIGH_HZ)).reshape(n_seconds, BLOCK_HZ)
    slow = _band(pairs, SLOW_HZ, BLOCK_HZ / 2).reshape(n_seconds, -1)
    return SecondMeasures(
        low=np.minimum.reduceat(inside, each),
        high=np.maximum.reduceat(inside, each),
        mean=blocks.reshape(n_seconds, BLOCK_HZ).mean(axis=1) + offset,
        qrs=np.median(qrs, axis=1),
        most=qrs.max(axis=1),
        upper=np.median(upper, axis=1),
        slow=np.sqrt(np.einsum("ij,ij->i", slow, slow) / slow.shape[1]),
        regular=_regular(_band(pairs, WAVE_HZ, BLOCK_HZ / 2).reshape(n_seconds, -1)),
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


def buried(measures: SecondMeasures, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the seconds in which noise buries the beats.

    Parameters
    ----------
    measures : SecondMeasures
        Of all seconds of the recording.
    known : ndarray of bool, shape (seconds,)
        Which of them hold a signal at all; the others are not marked.

    Returns
    -------
    ndarray of bool, shape (seconds,)
    """
    if not known.any():
        return np.zeros(len(known), dtype=np.bool_)
    # A second without signal is taken for the last one that had some.
    place = np.where(known, np.arange(len(known)), -1)
    place = np.maximum.accumulate(place)
    place[place < 0] = np.flatnonzero(known)[0]
    index, hum, regular = noise_index(measures.take(place))
    noisy = (index > LIMIT) & (regular < ALIKE)
    return np.asarray((noisy | (hum > HUM)) & known)


def noise_index(
    measures: SecondMeasures,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Give what `buried` decides by.

    Returns
    -------
    index : ndarray of float32, shape (seconds,)
        The index of this module.
    hum : ndarray of float32, shape (seconds,)
        Amplitude of the mains in levels.
    regular : ndarray of float32, shape (seconds,)
        As in `SecondMeasures`; -1 where a second has too little of the slow waves of a flutter.
    """
    around = np.sort(_windows(measures.most, AROUND), axis=1)[:, LEVEL_RANK]
    level = np.maximum(around, LEAST_OF_LONG * _long(around)) + np.float32(_LEAST)
    parts = (
        np.median(_windows(measures.qrs, NEAR), axis=1),
        np.median(_windows(measures.qrs, AROUND), axis=1),
        np.median(_windows(measures.upper, NEAR), axis=1),
        np.median(_windows(measures.slow, NEAR), axis=1),
    )
    index = np.zeros(len(level), dtype=np.float32)
    for weight, part in zip(WEIGHTS, parts, strict=True):
        index += np.float32(weight) * np.log(part / level + np.float32(_LEAST))
    slow_enough = parts[3] > SLOW_SHARE * parts[0]
    return index, measures.hum / level, np.where(slow_enough, measures.regular, np.float32(-1))


def _windows(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Seconds around each, shape (seconds, 2 * reach + 1); the first and last stand for more."""
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _long(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over some 70 seconds around each."""
    count = -(-len(values) // LONG_BLOCK)
    blocks = np.pad(values, (0, count * LONG_BLOCK - len(values)), mode="edge")
    medians = np.median(blocks.reshape(count, LONG_BLOCK), axis=1)
    around = np.median(_windows(medians, LONG_BLOCKS), axis=1)
    return np.repeat(around, LONG_BLOCK)[: len(values)]


def _band(
    blocks: NDArray[np.float32], band_hz: tuple[float, float], rate_hz: float = BLOCK_HZ
) -> NDArray[np.float32]:
    """Band-pass the means of blocks; the first and the last one go on beyond the ends."""
    ends = np.repeat(blocks[[0, -1]], TAPS // 2)
    padded = np.concatenate([ends[: TAPS // 2], blocks, ends[TAPS // 2 :]])
    return np.convolve(padded, _taps(band_hz, rate_hz), mode="valid")


@cache
def _taps(band_hz: tuple[float, float], rate_hz: float) -> NDArray[np.float32]:
    """Band-pass filter: the difference of two low-passes, each a sinc in a Hamming window."""
    places = np.arange(TAPS) - TAPS // 2
    window = np.hamming(TAPS)

    def low_pass(hz: float) -> NDArray[np.float64]:
        taps = np.sinc(2 * hz / rate_hz * places) * window
        return np.asarray(taps / taps.sum())

    return np.asarray(low_pass(band_hz[1]) - low_pass(band_hz[0]), dtype=np.float32)
