"""The sampling frequency of a recording does not change its beats."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import ectopy
from ectopy.analysis import Analysis
from ectopy.data.protocols import DS1
from ectopy.readers import read
from ectopy.recording import Recording
from ectopy.signal.matching import match_beats
from ectopy.simulate import simulate

FS = 360
TOLERANCE_S = 0.05
MICROSECONDS = 1e6


def resampled(signal_mv: np.ndarray, fs: int) -> Recording:
    """A lead of 360 Hz at another sampling frequency."""
    from scipy.signal import resample_poly

    ratio = Fraction(fs, FS)
    values = resample_poly(signal_mv.astype(np.float64), ratio.numerator, ratio.denominator)
    return Recording(values.astype(np.float32)[:, None], fs, ("MLII",), "rec")


def same_labels(one: Analysis, other: Analysis) -> tuple[int, int, np.ndarray]:
    """Beats of the one with more, those that both find with one class, and rows of `one` that
    differ in class."""
    times = [np.round(a.beats.peaks / a.fs * MICROSECONDS).astype(np.int64) for a in (one, other)]
    rows, found = match_beats(*times, TOLERANCE_S * MICROSECONDS)
    same = one.beats.classes[rows] == other.beats.classes[found]
    return max(map(len, times)), int(same.sum()), rows[~same]


@pytest.fixture(scope="module")
def simulated() -> tuple[np.ndarray, Analysis]:
    recording, _ = simulate(120, fs=FS, seed=4, dropouts_per_hour=0)
    signal = recording.signal_mv[:, 0]
    return signal, ectopy.analyze(signal, fs=FS)


@pytest.mark.parametrize("fs", [100, 125, 250, 500, 1000, 2000])
def test_of_a_simulated_recording(simulated, fs):
    signal, at_360 = simulated
    n, same, _ = same_labels(at_360, ectopy.analyze(resampled(signal, fs)))
    assert n > 100
    assert same >= 0.98 * n


@pytest.mark.slow
@pytest.mark.parametrize("fs", [125, 250, 500, 1000])
def test_of_real_records(mitdb_dir: Path, fs: int):
    """Beats of DS1, of the default model: over all, of each record, and of those it is sure of."""
    n_all = same_all = 0
    sure_and_other = 0
    for record in DS1:
        signal = read(mitdb_dir / record).lead()[1]
        at_360 = ectopy.analyze(Recording(signal[:, None], FS, ("MLII",), "rec"))
        n, same, other = same_labels(at_360, ectopy.analyze(resampled(signal, fs)))
        assert same >= 0.985 * n, record
        n_all, same_all = n_all + n, same_all + same
        sure_and_other += int((at_360.beats.confidences[other] > 0.9).sum())
    assert n_all > 50_000
    assert same_all >= 0.998 * n_all
    # What differs are beats between two classes, whose odds are nearly even.
    assert sure_and_other <= 20
