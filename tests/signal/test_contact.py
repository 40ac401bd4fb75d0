"""Seconds without contact."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.bands import measure_bands, piece_edges
from ectopy.signal.contact import constant_quarters, flat_seconds, half_flat
from ectopy.signal.mains import Mains

FS = 200.0


def flat(signal: np.ndarray) -> list[int]:
    """Numbers of the seconds that are flat."""
    n = len(signal) // 200
    measures = measure_bands(np.nan_to_num(signal).astype(np.float32), FS, Mains(FS), 0, 0, n)
    still = half_flat(constant_quarters(signal, piece_edges(FS, 0, n, 4)))
    others = measures.take(np.flatnonzero(~still))
    level, span = np.nan, np.nan
    if not still.all():
        level, span = np.median(others.mean), np.median(others.high - others.low)
    found = flat_seconds(measures, still, level, span)
    return np.flatnonzero(found).tolist()


@pytest.fixture
def signal() -> np.ndarray:
    return np.sin(np.arange(4000) / 9) + np.random.default_rng(0).normal(0, 0.05, 4000)


def test_a_line_of_a_second_is_seen_wherever_it_lies(signal):
    for start in range(400, 601, 10):
        line = signal.copy()
        line[start : start + 200] = 0.3
        found = flat(line)
        assert found
        assert set(found) <= {2, 3}


def test_a_shorter_line_is_none(signal):
    signal[410:510] = 0.3
    assert flat(signal) == []


def test_missing_samples_are_no_line(signal):
    signal[400:800] = np.nan
    assert not constant_quarters(signal, piece_edges(FS, 2, 4, 4)).any()


def test_quiet_at_the_usual_level_is_a_pause_and_far_off_a_rail(signal):
    quiet = np.random.default_rng(1).normal(0, 0.005, 400)
    signal[1000:1400] = quiet
    assert flat(signal) == []
    signal[1000:1400] = 6 + quiet
    assert flat(signal) == [5, 6]
    signal[1000:1400] = quiet / 10
    assert flat(signal) == [5, 6]


def test_flat_throughout():
    assert flat(np.full(2000, 0.7)) == list(range(10))
