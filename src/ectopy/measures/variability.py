"""Heart rate variability of the intervals between normal beats.

Task Force of the European Society of Cardiology and the North American Society of Pacing and
Electrophysiology: Heart rate variability, standards of measurement, physiological interpretation,
and clinical use. Circulation 93:1043-1065 (1996), "Time domain methods" and "Frequency domain
methods".

Mean, SDNN and RMSSD are computed by physiokit. Not by it: pNN50, because 18 samples at 360 Hz are
50 ms, which rounding makes more or less; and the powers, because what it calls so is a sum of
amplitudes, with the mean interval among them (see `ectopy.measures.spectrum`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.measures.intervals import Intervals
from ectopy.measures.spectrum import SEGMENT_S, band_powers

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Variability:
    """Heart rate variability. What too few NN intervals leave undefined is None.

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
    vlf_ms2, lf_ms2, hf_ms2 : float or None
        Power from 0.0033 to 0.04, to 0.15 and to 0.4 Hz, mean over segments, in ms².
    lf_hf : float or None
        `lf_ms2` over `hf_ms2`.
    spectral_segments : int
        Segments of 5 minutes that count for them.
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
    vlf_ms2: float | None
    lf_ms2: float | None
    hf_ms2: float | None
    lf_hf: float | None
    spectral_segments: int
    irregular_percent: float | None
    note: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as plain data."""
        return asdict(self)


def measure_variability(
    times_s: NDArray[np.float64],
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
    nn_ms = _nn_intervals(times_s, classes, usable_s)
    is_nn = ~np.isnan(nn_ms)
    n_nn = int(is_nn.sum())
    enough = n_nn >= MIN_NN
    mean, sdnn, rmssd = _by_library(nn_ms) if enough else [None] * 3
    nn50 = int((np.abs(np.diff(nn_ms)) > LARGE_MS).sum())
    ends, nn_ms = times_s[1:][is_nn], nn_ms[is_nn]
    means, deviations = _segments(ends, nn_ms)
    in_segments = enough and len(means) >= MIN_SEGMENTS
    powers = band_powers(ends, nn_ms) if enough else np.zeros((0, 3))
    vlf, lf, hf = powers.mean(axis=0).tolist() if len(powers) else [None] * 3
    return Variability(
        n_nn=n_nn,
        nn_percent=100.0 * n_nn / len(is_nn) if len(is_nn) else None,
        mean_nn_ms=mean,
        sdnn_ms=sdnn,
        sdann_ms=float(means.std(ddof=1)) if in_segments else None,
        sdnn_index_ms=float(deviations.mean()) if in_segments else None,
        rmssd_ms=rmssd,
        pnn50_percent=100.0 * nn50 / n_nn if enough else None,
        segments=len(means),
        vlf_ms2=vlf,
        lf_ms2=lf,
        hf_ms2=hf,
        lf_hf=lf / hf if hf is not None and hf > LEAST_MS2 else None,
        spectral_segments=len(powers),
        irregular_percent=irregular_percent,
        note=_note(irregular_percent),
    )


def _nn_intervals(
    times_s: NDArray[np.float64], classes: NDArray[np.int8], usable_s: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """NN intervals in milliseconds, NaN for each interval that is none."""
    intervals = Intervals.between(times_s, classes, usable_s)
    is_normal = classes == CLASSES.index("N")
    is_nn = intervals.joined & is_normal[1:] & is_normal[:-1] & (intervals.rr_s > 0)
    nn_ms = intervals.rr_s
    nn_ms *= 1000.0
    nn_ms[~is_nn] = np.nan
    return nn_ms


def _by_library(nn_ms: NDArray[np.float64]) -> list[float | None]:
    """Mean, SDNN and RMSSD in milliseconds, of NN intervals with NaN between them."""
    is_nn = ~np.isnan(nn_ms)
    if not (is_nn[1:] & is_nn[:-1]).any():  # the library would take the mean of nothing
        return [float(np.nanmean(nn_ms)), float(np.nanstd(nn_ms, ddof=1)), None]
    from physiokit.hrv import compute_hrv_time  # loads much of SciPy: half a second

    found = compute_hrv_time(nn_ms, sample_rate=1000)
    return [float(found.mean_nn), float(found.sd_nn), float(found.rms_sd)]


def _segments(
    ends_s: NDArray[np.float64], nn_ms: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the NN intervals in each segment that is filled enough."""
    if len(nn_ms) == 0:
        return nn_ms, nn_ms
    edges = np.searchsorted(ends_s, SEGMENT_S * np.arange(int(ends_s[-1] / SEGMENT_S) + 2))
    parts = [nn_ms[first:last] for first, last in pairwise(edges.tolist())]
    filled = [
        part for part in parts if len(part) >= 2 and part.sum() >= 1000.0 * MIN_COVERED * SEGMENT_S
    ]
    return (
        np.array([part.mean() for part in filled]),
        np.array([part.std(ddof=1) for part in filled]),
    )


def _note(irregular_percent: float | None) -> str | None:
    if not irregular_percent:
        return None
    share = "less than 1" if irregular_percent < 1 else f"{irregular_percent:.0f}"
    return (
        f"irregular rhythm, as in atrial fibrillation, for {share} % of the time: variability then "
        "says little of how the heart rate is regulated"
    )
