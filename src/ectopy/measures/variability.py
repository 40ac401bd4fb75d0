"""Heart rate variability of the intervals between normal beats.

Task Force of the European Society of Cardiology and the North American Society of Pacing and
Electrophysiology: Heart rate variability, standards of measurement, physiological interpretation,
and clinical use. Circulation 93:1043-1065 (1996), "Time domain methods" and "Frequency domain
methods".

The numbers of time are worked out by themselves, as those of frequency take SciPy, which takes
longer to load than hours of signal to analyse (see `ectopy.measures.spectrum`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.measures.intervals import Intervals
from ectopy.measures.spectrum import BLOCK_S, SEGMENT_S, block_powers, n_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.intervals import Times
    from ectopy.measures.spectrum import Stretch

MIN_NN = 120
"""With fewer NN intervals nothing is said: they are two minutes or less at 60 beats a minute."""

MIN_SEGMENTS = 6
"""With fewer segments of 5 minutes, half an hour, there is no SDANN and no SDNN index."""

MIN_COVERED = 0.5
"""Share of a segment that its NN intervals have to fill to count for SDANN and SDNN index."""

LARGE_MS = 50.0 + 1e-3
"""Differences of NN intervals above this, in ms, count for pNN50: above 50 ms but for rounding."""

LEAST_MS2 = 1e-3
"""With less high frequency power than this, in ms², LF/HF is a ratio of rounding errors."""


NOTED_PERCENT = 5.0
"""Irregular rhythm of at least so much of the time, in percent, is worth a word."""


@dataclass(frozen=True)
class TimeVariability:
    """Heart rate variability in the time domain. What too few NN intervals leave undefined is None.

    An NN interval lies between two beats of class N that follow each other, with no unusable second
    between them, and is no longer than `ectopy.measures.intervals.GAP_S`.

    Attributes
    ----------
    n_nn : int
        NN intervals.
    nn_percent : float or None
        NN intervals per 100 intervals of any kind.
    mean_nn_ms, sdnn_ms : float or None
        Their mean, and their standard deviation (n - 1), in milliseconds.
    sdann_ms, sdnn_index_ms : float or None
        Standard deviation of their means in segments of 5 minutes, and mean of their standard
        deviations in these, in milliseconds.
    rmssd_ms : float or None
        Root of the mean squared difference of successive NN intervals, in milliseconds.
    pnn50_percent : float or None
        Differences of successive NN intervals above 50 ms, per 100 NN intervals.
    segments : int
        Segments of 5 minutes that count for `sdann_ms` and `sdnn_index_ms`.
    irregular_percent : float or None
        Burden of the screen for atrial fibrillation, `ectopy.measures.fibrillation`.
    note : str or None
        What a reader of these numbers has to know.
    """

    n_nn: int
    nn_percent: float | None
    mean_nn_ms: float | None
    sdnn_ms: float | None
    sdann_ms: float | None
    sdnn_index_ms: float | None
    rmssd_ms: float | None
    pnn50_percent: float | None
    segments: int
    irregular_percent: float | None
    note: str | None


@dataclass(frozen=True)
class Variability(TimeVariability):
    """Heart rate variability, in the frequency domain as well.

    Attributes
    ----------
    vlf_ms2, lf_ms2, hf_ms2 : float or None
        Power from 0.0033 to 0.04, to 0.15 and to 0.4 Hz, mean over segments, in ms².
    lf_hf : float or None
        `lf_ms2` over `hf_ms2`.
    spectral_segments : int
        Segments of 5 minutes that count for them.
    """

    vlf_ms2: float | None
    lf_ms2: float | None
    hf_ms2: float | None
    lf_hf: float | None
    spectral_segments: int

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as plain data."""
        return asdict(self)


def measure_time_variability(
    times_s: Times,
    classes: NDArray[np.int8],
    usable_s: NDArray[np.bool_] | None = None,
    *,
    irregular_percent: float | None = None,
) -> TimeVariability:
    """Measure heart rate variability in the time domain.

    Parameters
    ----------
    times_s, classes, usable_s, irregular_percent
        As in `measure_variability`.
    """
    found = _NormalIntervals(Intervals.between(times_s, classes, usable_s), classes)
    return _in_time(found, irregular_percent)


def measure_variability(
    times_s: Times,
    classes: NDArray[np.int8],
    usable_s: NDArray[np.bool_] | None = None,
    *,
    irregular_percent: float | None = None,
) -> Variability:
    """Measure heart rate variability; `Variability` defines each number.

    Parameters
    ----------
    times_s, classes, usable_s
        As in `ectopy.measures.intervals.Intervals.between`.
    irregular_percent : float, optional
        Burden of the screen for atrial fibrillation, for the note.

    Examples
    --------
    >>> times = np.cumsum(np.tile([0.78, 0.82], 100))
    >>> found = measure_variability(times, np.zeros(200, dtype=np.int8))
    >>> round(found.mean_nn_ms), round(found.rmssd_ms), found.sdann_ms
    (800, 40, None)
    """
    found = _NormalIntervals(Intervals.between(times_s, classes, usable_s), classes)
    in_time = _in_time(found, irregular_percent)
    enough = in_time.n_nn >= MIN_NN
    powers = block_powers(found.during, n_blocks(found.stop_s)) if enough else np.zeros((0, 3))
    vlf, lf, hf = powers.mean(axis=0).tolist() if len(powers) else [None] * 3
    return Variability(
        **asdict(in_time),
        vlf_ms2=vlf,
        lf_ms2=lf,
        hf_ms2=hf,
        lf_hf=lf / hf if hf is not None and hf > LEAST_MS2 else None,
        spectral_segments=len(powers),
    )


def _in_time(found: _NormalIntervals, irregular_percent: float | None) -> TimeVariability:
    n_nn, blocks = int(found.is_nn.sum()), n_blocks(found.stop_s)
    enough = n_nn >= MIN_NN
    parts = [_Part.of(found, block) for block in range(blocks)] if enough else []
    mean, sdnn, rmssd = _joined(parts) if enough else [None] * 3
    segments = [_segments(found, block) for block in range(blocks)]
    means, deviations = np.concatenate(segments, axis=1)
    in_segments = enough and len(means) >= MIN_SEGMENTS
    return TimeVariability(
        n_nn=n_nn,
        nn_percent=100.0 * n_nn / len(found.is_nn) if len(found.is_nn) else None,
        mean_nn_ms=mean,
        sdnn_ms=sdnn,
        sdann_ms=float(means.std(ddof=1)) if in_segments else None,
        sdnn_index_ms=float(deviations.mean()) if in_segments else None,
        rmssd_ms=rmssd,
        pnn50_percent=100.0 * sum(part.nn50 for part in parts) / n_nn if enough else None,
        segments=len(means),
        irregular_percent=irregular_percent,
        note=_note(irregular_percent),
    )


class _NormalIntervals:
    """The NN intervals of a recording, a stretch at a time."""

    def __init__(self, intervals: Intervals, classes: NDArray[np.int8]) -> None:
        self.intervals = intervals
        self.is_nn = intervals.normal(classes)
        last = intervals.times_s[max(len(intervals.times_s) - 1, 0) :]
        self.stop_s = float(last[0]) if len(last) else 0.0

    def with_others(self, start_s: float, stop_s: float) -> Stretch:
        """Give when intervals end, and their milliseconds, NaN for each that is no NN interval."""
        first, stop = self.intervals.times_s.searchsorted([start_s, stop_s]).tolist()
        rows = slice(max(first - 1, 0), max(stop - 1, 0))
        nn_ms = 1000.0 * self.intervals.rr_s(rows)
        nn_ms[~self.is_nn[rows]] = np.nan
        return self.intervals.times_s[rows.start + 1 : rows.stop + 1], nn_ms

    def during(self, start_s: float, stop_s: float) -> Stretch:
        """Give NN intervals alone."""
        ends_s, nn_ms = self.with_others(start_s, stop_s)
        is_nn = ~np.isnan(nn_ms)
        return ends_s[is_nn], nn_ms[is_nn]

    def before(self, start_s: float) -> NDArray[np.float64]:
        """Milliseconds of the last interval that ends before a time, NaN if it is none."""
        row = int(self.intervals.times_s.searchsorted([start_s])[0]) - 2
        if row < 0 or not self.is_nn[row]:
            return np.full(1, np.nan)
        return 1000.0 * self.intervals.rr_s(slice(row, row + 1))


@dataclass(frozen=True, eq=False)
class _Part:
    """What a block of `BLOCK_S` adds to the numbers of the recording.

    `n` NN intervals with their mean and the sum of their squared distances from it; `pairs` of
    successive ones and the sum of their squared differences, and how many of these are above
    `LARGE_MS`; the pair across the block's start is among them.
    """

    n: int
    mean: float
    squares: float
    pairs: int
    differences: float
    nn50: int

    @classmethod
    def of(cls, found: _NormalIntervals, block: int) -> _Part:
        start_s = block * BLOCK_S
        _, nn_ms = found.with_others(start_s, start_s + BLOCK_S)
        alone = nn_ms[~np.isnan(nn_ms)]
        mean = float(alone.mean()) if len(alone) else 0.0
        steps = np.diff(np.concatenate([found.before(start_s), nn_ms]))
        steps = steps[~np.isnan(steps)]
        return cls(
            len(alone),
            mean,
            float(((alone - mean) ** 2).sum()),
            len(steps),
            float((steps**2).sum()),
            int((np.abs(steps) > LARGE_MS).sum()),
        )


def _joined(parts: list[_Part]) -> list[float | None]:
    """Mean, SDNN and RMSSD of all parts together, in milliseconds."""
    n, pairs = sum(part.n for part in parts), sum(part.pairs for part in parts)
    mean = sum(part.n * part.mean for part in parts) / n
    # The squares about the mean of all are those about each part's own, and what lies between.
    squares = sum(part.squares + part.n * (part.mean - mean) ** 2 for part in parts)
    differences = sum(part.differences for part in parts)
    return [mean, sqrt(squares / (n - 1)), sqrt(differences / pairs) if pairs else None]


def _segments(found: _NormalIntervals, block: int) -> NDArray[np.float64]:
    """Mean and deviation of the NN intervals in each segment of a block that is filled enough."""
    edges = block * BLOCK_S + np.arange(0, BLOCK_S + 1, SEGMENT_S)
    ends_s, nn_ms = found.during(edges[0], edges[-1])
    rows = np.searchsorted(ends_s, edges)
    parts = [nn_ms[first:last] for first, last in pairwise(rows.tolist())]
    filled = [
        part for part in parts if len(part) >= 2 and part.sum() >= 1000.0 * MIN_COVERED * SEGMENT_S
    ]
    return np.array([[part.mean() for part in filled], [part.std(ddof=1) for part in filled]])


def _note(irregular_percent: float | None) -> str | None:
    if irregular_percent is None or irregular_percent < NOTED_PERCENT:
        return None
    return (
        f"irregular rhythm, as in atrial fibrillation, for {irregular_percent:.0f} % of the time: "
        "variability then says little of how the heart rate is regulated"
    )
