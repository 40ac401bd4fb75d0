"""Beats that stand for their class: the most typical ones, the least certain ones, their shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.mapped import pieces, release

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable

SHOWN = 10
"""Beats of each kind to show."""

SAMPLED = 200
"""Beats of each class whose signal is read: as many, however long the recording is."""

BEFORE_S, AFTER_S = 0.3, 0.5


@dataclass(frozen=True, eq=False)
class ClassShape:
    """The beats of one class in a few of them.

    Attributes
    ----------
    index : int
        Class index.
    n : int
        Beats of the class in the recording.
    sampled : int
        Beats that the median is of.
    times_s : ndarray of float64, shape (samples,)
        From the peak.
    median_mv, low_mv, high_mv : ndarray of float64, shape (samples,)
        Median, 10 % and 90 % of the sampled beats, each from its own median; empty without any.
    typical, uncertain : ndarray of int64
        Indices of beats: those nearest to the median first; those least certain first.
    """

    index: int
    n: int
    sampled: int
    times_s: NDArray[np.float64]
    median_mv: NDArray[np.float64]
    low_mv: NDArray[np.float64]
    high_mv: NDArray[np.float64]
    typical: NDArray[np.int64]
    uncertain: NDArray[np.int64]


def class_shapes(analysis: Analysis) -> list[ClassShape]:
    """Shape of each class that has beats, from a sample of its more confident half.

    The sample is spread evenly over the beats of the class, so that it is the same each time. Its
    beats are compared by the root mean square of their distance from the median of all. A class of
    up to `SHOWN` beats has no uncertain ones: all are typical.
    """
    beats = analysis.beats
    chosen, uncertain, members = [], [], []
    for index in range(len(CLASSES)):
        sample, doubtful, n = _choose(beats, index)
        chosen.append(sample)
        uncertain.append(doubtful)
        members.append(n)
    windows = _read_windows(analysis, np.concatenate(chosen))
    stops = np.cumsum([len(sample) for sample in chosen])
    return [
        _shape(index, members[index], chosen[index], part, uncertain[index], analysis.fs)
        for index, part in enumerate(np.split(windows, stops[:-1]))
        if members[index]
    ]


def _choose(beats: BeatTable, index: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Choose beats of a class: a sample of the surer half, the least sure; and count them all.

    The sample is evenly spread; it is all of a class that has few.
    """
    confidences = beats.confidences_of(index)
    n = len(confidences)
    least, taken = _least(confidences, min(SHOWN, n - SHOWN)), np.ones(n, dtype=np.bool_)
    if n > 2 * SHOWN:
        # This sorts the array, which is then made anew: two of all beats would be much to hold.
        middle = np.median(confidences, overwrite_input=True)
        del confidences
        taken = beats.confidences_of(index) >= middle
    taken[least] = False
    ranks = np.arange(np.count_nonzero(taken))
    if len(ranks) > SAMPLED:
        ranks = np.linspace(0, len(ranks) - 1, SAMPLED).round().astype(np.int64)
    is_mine = beats.classes == index
    return _rows_of(is_mine, _rows_of(taken, ranks)), _rows_of(is_mine, least), n


def _least(values: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Rows of the `n` lowest values, lowest first, the earlier first among equals."""
    if n <= 0:
        return np.zeros(0, dtype=np.int64)
    lowest = np.concatenate(
        [part.start + np.argsort(values[part], kind="stable")[:n] for part in pieces(len(values))]
    )
    return lowest[np.argsort(values[lowest], kind="stable")[:n]]


def _rows_of(mask: NDArray[np.bool_], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of each true value whose rank among them, from 0, is given."""
    found, before = np.empty(len(ranks), dtype=np.int64), 0
    for part in pieces(len(mask)):
        rows = part.start + np.flatnonzero(mask[part])
        here = (ranks >= before) & (ranks < before + len(rows))
        found[here] = rows[ranks[here] - before]
        before += len(rows)
    return found


def _read_windows(analysis: Analysis, beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """Signal around beats, in mV from each window's median; NaN beyond the recording.

    Read in the order of time, which compressed files are quick in.
    """
    before, after = round(BEFORE_S * analysis.fs), round(AFTER_S * analysis.fs)
    windows = np.full((len(beats), before + after), np.nan)
    peaks = np.array(analysis.beats.peaks[beats])
    release(analysis.beats.peaks)
    for row in np.argsort(peaks, kind="stable").tolist():
        first = int(peaks[row]) - before
        start, stop = max(0, first), min(analysis.n_samples, first + before + after)
        windows[row, start - first : stop - first] = analysis.signal_mv[start:stop]
    whole = np.isfinite(windows).all(axis=1)
    windows[whole] -= np.median(windows[whole], axis=1, keepdims=True)
    return windows


def _shape(
    index: int,
    n: int,
    sample: NDArray[np.int64],
    windows: NDArray[np.float64],
    uncertain: NDArray[np.int64],
    fs: float,
) -> ClassShape:
    before = round(BEFORE_S * fs)
    whole = np.isfinite(windows).all(axis=1)
    typical, spread = sample[:SHOWN], np.empty((3, 0))
    if whole.any():
        seen = windows[whole]
        spread = np.percentile(seen, [10, 50, 90], axis=0)
        distance = np.sqrt(np.mean((seen - spread[1]) ** 2, axis=1))
        nearest = np.argsort(distance, kind="stable")[:SHOWN]
        rest = sample[~whole][: SHOWN - len(nearest)]  # few, cut by an end or a gap
        typical = np.concatenate([sample[whole][nearest], rest])
    return ClassShape(
        index=index,
        n=n,
        sampled=int(whole.sum()),
        times_s=(np.arange(spread.shape[1]) - before) / fs,
        low_mv=spread[0],
        median_mv=spread[1],
        high_mv=spread[2],
        typical=typical,
        uncertain=uncertain,
    )
