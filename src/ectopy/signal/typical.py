"""Typical beats: what a beat of this patient looks like when it comes late.

A beat that comes late has had time to be normal: an ectopic beat comes early, and a run of them
leaves a pause, after which the heart starts again as usual. So the typical beat is the median of
the late beats that look most alike, also where ectopic beats outnumber the others. One is taken of
everything within half an hour, one of some 60 beats around, which follows changes of posture and
of conduction. No beat has to be classed for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.order import median
from ectopy.signal.products import product
from ectopy.signal.rhythm import around, log_intervals, rhythm_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEFORE = AFTER = 128
"""Samples of a window at 360 Hz before the peak, and from the peak on."""

QRS, P_WAVE = slice(-30, 45), slice(-90, -22)
"""Where they lie, in samples at 360 Hz from the peak."""

STEADINESS = "p_steadiness"
"""The feature that needs windows beside times: how alike the P waves of the 31 beats around are."""

LATE_SHARE, LATE_SHARE_LOCAL = 0.3, 0.4
AROUND, BLOCK = 60, 15
MOST_BEATS = 4000
HALF_STEADY = 15
LAGS = (-4, 0, 4)
MOST_CORRELATION = 0.97
CHUNK = 256


@dataclass(frozen=True, eq=False)
class BeatInputs:
    """What a rhythm model sees of the beats of one lead.

    Attributes
    ----------
    windows : ndarray of float32, shape (beats, 256)
        Signal around each beat in mV, less its mean.
    overall : ndarray of float32, shape (pieces, 256)
        Typical beat of each piece of the recording, less its mean.
    piece : ndarray of int64, shape (beats,)
        Which piece a beat is in: a half hour, or in training a record.
    local : ndarray of float32, shape (blocks, 256)
        Typical beat of the 60 beats around each block of 15, less its mean.
    block : ndarray of int64, shape (beats,)
        Which block a beat is in.
    rhythm : ndarray of float32, shape (beats, 23)
        `ectopy.signal.rhythm.RHYTHM_FEATURES`, and last ``p_steadiness``.
    """

    windows: NDArray[np.float32]
    overall: NDArray[np.float32]
    piece: NDArray[np.int64]
    local: NDArray[np.float32]
    block: NDArray[np.int64]
    rhythm: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.windows)

    def shapes(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Window, overall and local typical beat, shape (rows, 3, 256)."""
        windows, pieces, blocks = self.windows[rows], self.piece[rows], self.block[rows]
        shapes = np.empty((len(windows), 3, windows.shape[1]), dtype=np.float32)
        shapes[:, 0], shapes[:, 1], shapes[:, 2] = windows, self.overall[pieces], self.local[blocks]
        return shapes


def beat_inputs(
    windows_mv: NDArray[np.float32],
    times_s: NDArray[np.float64],
    *,
    margin: int = 0,
    typical: slice | None = None,
) -> BeatInputs:
    """Put everything together that a rhythm model sees of a recording or a part of it.

    Parameters
    ----------
    windows_mv : ndarray of float32, shape (beats, 256 + 2 * margin)
        Windows at 360 Hz around every beat, in mV.
    times_s : ndarray of float64, shape (beats,)
        Their times in seconds, ascending.
    margin : int
        Spare samples on each side of the windows, which are kept.
    typical : slice, optional
        Beats that the overall typical beat is made of, as in
        `ectopy.signal.rhythm.rhythm_features`; all unless given. Long recordings are given part by
        part, see `ectopy.signal.parts`.

    Raises
    ------
    SignalError
        If there are fewer than two beats.
    """
    inner = slice(margin, windows_mv.shape[1] - margin)
    windows = windows_mv - windows_mv[:, inner].mean(axis=1, keepdims=True)
    before = log_intervals(times_s)
    peak, own = BEFORE + margin, slice(None) if typical is None else typical
    overall = overall_beat(windows[own], before[own], peak)[None]
    local, block = _local(windows, before, peak)
    features = rhythm_features(times_s, typical)
    likeness = p_likeness(windows, local, peak, block=block)
    steady = median(around(likeness, HALF_STEADY)).astype(np.float32)
    # A median of windows less their means has a mean of its own.
    overall -= overall[:, inner].mean(axis=1, keepdims=True)
    local -= local[:, inner].mean(axis=1, keepdims=True)
    return BeatInputs(
        windows,
        overall,
        np.zeros(len(windows), np.int64),
        local,
        block,
        np.concatenate([features, steady[:, None]], axis=1),
    )


def late(before: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """Rows of the latest beats along the last axis, at least one; of like ones the first."""
    count = max(1, round(share * before.shape[-1]))
    return np.argsort(-before, axis=-1, kind="stable")[..., :count]


def median_of_alike(windows: NDArray[np.float32], peak: int) -> NDArray[np.float32]:
    """Median of the half of the beats most like the median of all, (..., beats, samples)."""
    first = median(windows, axis=-2)
    qrs = slice(peak + QRS.start, peak + QRS.stop)
    alike = correlation(windows[..., qrs], first[..., None, qrs])
    n = windows.shape[-2]
    count = max(1, (n + 1) // 2)
    rows = np.argsort(-alike, axis=-1, kind="stable")[..., :count]
    # Whole windows are copied: place by place, as `take_along_axis` does it, takes longer.
    first_row = n * np.arange(alike.size // n).reshape(*alike.shape[:-1], 1)
    chosen = windows.reshape(-1, windows.shape[-1])[first_row + rows]
    return median(chosen, axis=-2)


def overall_beat(
    windows: NDArray[np.float32],
    before: NDArray[np.float64],
    peak: int = BEFORE,
    *,
    most: int = MOST_BEATS,
) -> NDArray[np.float32]:
    """Typical beat of many: of their latest 30 %, thinned evenly to no more than `most`."""
    chosen = late(before, LATE_SHARE)
    step = -(-len(chosen) // most)
    return median_of_alike(windows[np.sort(chosen)[::step]], peak)


def local_beat(windows: NDArray[np.float32], before: NDArray[np.float64]) -> NDArray[np.float32]:
    """Typical beat of some 60: of their latest 40 %."""
    return median_of_alike(windows[late(before, LATE_SHARE_LOCAL)], BEFORE)


def _local(
    windows: NDArray[np.float32], before: NDArray[np.float64], peak: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Typical beat of the 60 beats around each block of 15; of all where there are fewer."""
    n = len(windows)
    block = np.arange(n) // BLOCK
    width = min(AROUND, n)
    first = np.arange(block[-1] + 1) * BLOCK + BLOCK // 2 - width // 2
    rows = first.clip(0, n - width)[:, None] + np.arange(width)
    chosen = np.take_along_axis(rows, late(before[rows], LATE_SHARE_LOCAL), axis=1)
    parts = [
        median_of_alike(windows[chosen[start : start + CHUNK]], peak)
        for start in range(0, len(chosen), CHUNK)
    ]
    return np.concatenate(parts), block


def p_likeness(
    windows: NDArray[np.float32],
    local: NDArray[np.float32],
    peak: int = BEFORE,
    *,
    block: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """How alike each beat's P wave is to that of its local typical beat, shape (beats,).

    Low in fibrillation, and where noise buries P waves. The typical beats are one for all, one a
    beat, or those of `block`.
    """
    reference = without_line(local[:, peak + P_WAVE.start : peak + P_WAVE.stop])
    if block is not None:
        reference = reference[block]
    first, last = peak + P_WAVE.start + LAGS[0], peak + P_WAVE.stop + LAGS[-1]
    # A line that runs through all of it is one of each lag's own, which is taken off below. Without
    # it, powers are small, and so is what is lost in their difference.
    around_p = without_line(windows[:, first:last])
    lines, inside = _level_of_lags()
    # What a mean and a line take away of the power they take of it: nothing has to be taken off.
    levels = product(around_p, lines).reshape(len(windows), len(LAGS), 2)
    power = product(around_p * around_p, inside) - (levels * levels).sum(axis=-1)
    size = last - first - (LAGS[-1] - LAGS[0])
    parts = [around_p[:, lag - LAGS[0] : lag - LAGS[0] + size] for lag in LAGS]
    products = np.stack([np.einsum("ij,ij->i", part, reference) for part in parts], axis=1)
    of_reference = np.einsum("ij,ij->i", reference, reference)[:, None]
    likeness = products / np.sqrt(power.clip(0) * of_reference + np.float32(1e-6))
    best = likeness.max(axis=1)
    return np.asarray(np.arctanh(best.clip(-MOST_CORRELATION, MOST_CORRELATION)))


@cache
def _level_of_lags() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give two matrices for what lies around the P wave, at each of the lags.

    Returns
    -------
    lines : ndarray of float32, shape (samples, 2 * lags)
        A constant and a straight line, both of length 1.
    inside : ndarray of float32, shape (samples, lags)
        1 in the region.
    """
    size = P_WAVE.stop - P_WAVE.start
    line = np.linspace(-1, 1, size)
    pair = np.stack([np.full(size, size**-0.5), line / np.sqrt(line @ line)], axis=1)
    lines = np.zeros((size + LAGS[-1] - LAGS[0], len(LAGS), 2), dtype=np.float32)
    inside = np.zeros(lines.shape[:2], dtype=np.float32)
    for number, lag in enumerate(LAGS):
        rows = slice(lag - LAGS[0], lag - LAGS[0] + size)
        lines[rows, number], inside[rows, number] = pair, 1
    return lines.reshape(len(lines), -1), inside


def correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pearson's correlation along the last axis, 0 where one is flat."""
    a = a - a.mean(axis=-1, keepdims=True)
    b = b - b.mean(axis=-1, keepdims=True)
    power = (a * a).sum(axis=-1) * (b * b).sum(axis=-1)
    return np.asarray((a * b).sum(axis=-1) / np.sqrt(power + 1e-6))


def without_line(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the straight line of least squares off, along the last axis."""
    line = np.linspace(-1, 1, values.shape[-1], dtype=np.float32)
    line /= np.sqrt((line * line).sum())
    values = values - values.mean(axis=-1, keepdims=True)
    return values - (values @ line)[..., None] * line
