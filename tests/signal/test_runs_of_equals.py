"""Runs of equal samples, against a loop."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ectopy.signal.runs_of_equals import first_run, long_runs, runs_at


def by_hand(values: list[float]) -> list[tuple[float, int, int]]:
    """Give value, start and stop of each run; of NaN each is its own."""
    found, place = [], 0
    for value, same in groupby(values):
        length = len(list(same))
        found.append((value, place, place + length))
        place += length
    return found


lists = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.integers(1, 90)), min_size=1, max_size=20
).map(lambda runs: [value for value, length in runs for _ in range(length)])


@given(lists, st.integers(2, 120))
def test_long_runs_are_those_of_a_loop(values, shortest):
    starts, stops = long_runs(np.array(values), shortest)
    expected = [(a, b) for _, a, b in by_hand(values) if b - a >= shortest]
    assert list(zip(starts.tolist(), stops.tolist(), strict=True)) == expected


@given(lists)
def test_runs_at_a_value_are_those_of_a_loop(values):
    starts, stops = runs_at(np.array(values), 2.0)
    expected = [(a, b) for value, a, b in by_hand(values) if value == 2]
    assert list(zip(starts.tolist(), stops.tolist(), strict=True)) == expected
    assert first_run(np.array(values)) == by_hand(values)[0][2]


def test_missing_samples_are_no_run():
    missing = np.full(100, np.nan)
    assert len(long_runs(missing, 2)[0]) == 0
    assert first_run(missing) == 1
