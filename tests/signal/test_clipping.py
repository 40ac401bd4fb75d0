"""Samples stuck at the end of the range."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.signal.clipping import RangeEnd

FS = 100.0


def counted(signal: np.ndarray, sizes: list[int], sign: float = 1.0) -> np.ndarray:
    """Samples at the end of the range in each second, counted block by block."""
    end, first, number = RangeEnd(sign, FS), 0, 0
    counts = np.zeros(len(signal) // 100, dtype=np.int64)
    while first < len(signal):
        size = sizes[number % len(sizes)]
        seconds, more = end.take(signal[first : first + size], first)
        if end.since == first:
            counts[:] = 0
        counts[seconds] += more
        first, number = first + size, number + 1
    return counts


def by_hand(signal: np.ndarray) -> np.ndarray:
    counts = np.zeros(len(signal) // 100, dtype=np.int64)
    at_end, run = signal == np.nanmax(signal), []
    for place, stuck in enumerate([*at_end.tolist(), False]):
        if stuck:
            run.append(place)
        elif len(run) >= 3:
            np.add.at(counts, np.array(run) // 100, 1)
        run = run if stuck else []
    return counts


@settings(deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_counts_agree_with_counting_by_hand(seed, sizes):
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 0.3, 500).astype(np.float32)
    for _ in range(rng.integers(1, 12)):
        start = rng.integers(0, 490)
        signal[start : start + rng.integers(1, 150)] = rng.choice([2.0, 2.0, 2.5])
    signal[rng.integers(0, 500, 5)] = np.nan
    np.testing.assert_array_equal(counted(signal, sizes), by_hand(signal))
    np.testing.assert_array_equal(counted(-signal, sizes, -1.0), counted(signal, [500]))


def test_the_resting_level_is_no_end_of_the_range():
    pulses = np.zeros(1000, dtype=np.float32)
    pulses[::100] = 1
    low = RangeEnd(-1.0, FS)
    assert low.take(pulses, 0)[1].sum() > 900
    assert not low.is_away(level=0.01, span=1.0)
    assert low.is_away(level=0.6, span=1.0)


def test_nothing_but_missing_samples():
    end = RangeEnd(1.0, FS)
    end.take(np.full(300, np.nan, np.float32), 0)
    assert end.extreme == -np.inf


def test_infinite_samples_are_missing():
    signal = np.tile(np.float32([0, 1, 2, 1]), 100)
    signal[:50] = np.inf
    signal[200:210] = 3.0
    assert counted(np.where(np.isinf(signal), np.nan, signal), [400]).tolist() == [0, 0, 10, 0]
    end = RangeEnd(1.0, FS)
    end.take(signal, 0)
    assert end.extreme == 3
