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

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.signal.bands import SecondMeasures

AROUND, NEAR = 5, 1
"""Seconds on each side that the level, and the nearer medians, look at."""

LEVEL_SHARE = 0.6
"""Share of the seconds around whose largest absolute values lie below the level."""

LONG_BLOCK, LONG_BLOCKS = 10, 3
BESIDE_S = 40
"""Seconds on both sides that decide as well: three long blocks and five seconds, in whole blocks,
so that a piece of a recording with so many beside it has the blocks that the whole of it has."""

LEAST_OF_LONG = 0.2
"""The level is at least this share of its median over some 70 seconds: in a standstill of the heart
there is nothing but faint noise, which is not said to bury beats."""

WEIGHTS = (1.0, 2.0, 1.0, 1.0)
LIMIT = -10.6
"""Above it a second is noise. In such a second are 0.07 % of the annotated beats of DS1 in MLII. A
lower limit marks more of what noise makes unreadable, but also beats of leads with small, broad
complexes (V1), most of which are classed well."""

FULL = 0.4
"""Median of the QRS band, in levels, above which there is no space between anything, whatever the
other bands hold: 0.26 in white noise, 0.7 in a sine wave."""

ALIKE = 0.45
"""Likeness from which a signal is regular. Of the flutter of record 207 it is at least 0.48 in 95
of 100 seconds; of electrode motion and muscle noise up to 0.43."""

SLOW_SHARE = 0.3
"""Amplitude in the slow band, in those of the QRS band, that is asked of a regular signal: the beat
of mains with the sampling frequency is regular too."""

HUM = 1.0
"""Amplitude of hum, in levels of the QRS complexes, from which it buries them."""

_LEAST = 1e-30


def buried(measures: SecondMeasures, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the seconds in which noise buries the beats.

    Parameters
    ----------
    measures : SecondMeasures
        Of all seconds of the recording, or of some with `BESIDE_S` on both sides; the first is a
        multiple of `LONG_BLOCK`.
    known : ndarray of bool, shape (seconds,)
        Which of them hold a signal at all; the others are not marked.

    Returns
    -------
    ndarray of bool, shape (seconds,)
    """
    if not known.any():
        return np.zeros(len(known), dtype=np.bool_)
    index, full, hum, regular = noise_index(measures, known)
    noisy = ((index > LIMIT) | (full > FULL)) & (regular < ALIKE)
    return np.asarray((noisy | (hum > HUM)) & known)


def noise_index(
    measures: SecondMeasures, known: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], ...]:
    """Give what `buried` decides by; NaN far from any signal.

    Seconds that hold none, and those beyond the ends, are left out of every median.

    Returns
    -------
    index : ndarray of float32, shape (seconds,)
        The index of this module.
    full : ndarray of float32, shape (seconds,)
        `m3(a_qrs) / level`.
    hum : ndarray of float32, shape (seconds,)
        Amplitude of the mains in levels.
    regular : ndarray of float32, shape (seconds,)
        As in `SecondMeasures`; -1 where a second has too little of the slow waves of a flutter.
    """
    blank = np.where(known, np.float32(0), np.float32(np.nan))
    usual = _ranked(_windows(measures.most + blank, AROUND), LEVEL_SHARE)
    level = np.fmax(usual, LEAST_OF_LONG * _long(usual)) + np.float32(_LEAST)
    parts = [
        _ranked(_windows(values + blank, reach))
        for values, reach in (
            (measures.qrs, NEAR),
            (measures.qrs, AROUND),
            (measures.upper, NEAR),
            (measures.slow, NEAR),
        )
    ]
    index = np.zeros(len(level), dtype=np.float32)
    for weight, part in zip(WEIGHTS, parts, strict=True):
        index += np.float32(weight) * np.log(part / level + np.float32(_LEAST))
    slow_enough = parts[3] > SLOW_SHARE * parts[0]
    regular = np.where(slow_enough, measures.regular, np.float32(-1))
    return index, parts[0] / level, measures.hum / level, regular


def _windows(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Give the seconds around each, shape (seconds, 2 * reach + 1); NaN beyond the ends."""
    padded = np.pad(values, reach, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _ranked(rows: NDArray[np.float32], share: float = 0.5) -> NDArray[np.float32]:
    """Give the value of each row that this share of the others is below, NaN left out."""
    ordered = np.sort(rows, axis=1)  # NaN last
    count = np.isfinite(ordered).sum(axis=1)
    rank = np.floor((count - 1).clip(0) * share).astype(np.int64)
    return np.asarray(np.take_along_axis(ordered, rank[:, None], axis=1)[:, 0])


def _long(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over some 70 seconds around each."""
    rest = -len(values) % LONG_BLOCK
    blocks = np.pad(values, (0, rest), constant_values=np.nan).reshape(-1, LONG_BLOCK)
    around = _ranked(_windows(_ranked(blocks), LONG_BLOCKS))
    return np.repeat(around, LONG_BLOCK)[: len(values)]
