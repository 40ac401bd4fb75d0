"""Half hours of a long recording, and the beats beside them that are looked at."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.signal.parts import BESIDE, LEAST_BEATS, PART_S, GrowingParts, Part, parts


def test_a_day_falls_into_half_hours():
    times = np.arange(0.5, 24 * 3600, 0.8)
    found = parts(times)
    assert len(found) == 48
    assert found[0].own.start == 0
    assert found[-1].own.stop == len(times)
    for one, other in itertools.pairwise(found):
        assert one.own.stop == other.own.start
    for k, part in enumerate(found):
        own = times[part.own]
        assert own[0] >= k * PART_S
        assert own[-1] < (k + 1) * PART_S
        assert part.seen.start == max(0, part.own.start - BESIDE)
        assert part.seen.stop == min(len(times), part.own.stop + BESIDE)
        assert np.array_equal(times[part.seen][part.inner], own)
        assert part.typical == part.inner


@pytest.mark.parametrize(
    ("hours", "n"), [(0.001, 1), (0.5, 1), (0.51, 1), (0.74, 1), (0.76, 2), (1.0, 2), (2.3, 5)]
)
def test_a_short_rest_belongs_to_the_part_before(hours, n):
    times = np.linspace(0, hours * 3600, 5000)
    assert len(parts(times)) == n


def test_half_hours_without_a_beat_are_left_out():
    times = np.concatenate([0.8 * np.arange(100), 5 * PART_S + 0.8 * np.arange(2000)])
    first, second = parts(times)
    assert (first.own, second.own) == (slice(0, 100), slice(100, 2100))
    assert second.seen == slice(0, 2100)


def test_few_beats_are_compared_with_those_beside_them():
    times = np.concatenate([0.8 * np.arange(2250), PART_S + 60.0 * np.arange(30)])
    times = np.concatenate([times, 2 * PART_S + 0.8 * np.arange(2250)])
    middle = parts(times)[1]
    assert middle.own == slice(2250, 2280)
    assert middle.own.stop - middle.own.start < LEAST_BEATS
    assert middle.typical == slice(0, 30 + 2 * BESIDE)


def test_no_beats_no_parts():
    assert parts(np.empty(0)) == []
    assert parts(np.array([5000.0]))[0].seen == slice(0, 1)


def test_more_beats_at_the_end_do_not_change_earlier_parts():
    """What a stream has said stays true: parts are counted from the start."""
    times = np.arange(0.5, 3 * 3600, 0.8)
    whole = parts(times)
    for hours in (1.3, 1.8, 2.6):
        for one, other in zip(parts(times[times < hours * 3600])[:-2], whole, strict=False):
            assert one == other


@given(
    gaps=st.lists(st.sampled_from([0.4, 0.8, 1.1, 400.0, 899.0, 1800.0, 5000.0]), max_size=40),
    like=st.integers(1, 900),
    cuts=st.lists(st.integers(0, 30_000), max_size=8),
)
@settings(max_examples=150, deadline=None)
def test_parts_grow_as_they_end_up(gaps, like, cuts):
    times = np.cumsum(np.repeat(gaps, like))[:30_000]
    growing, found = GrowingParts(), []
    for piece in np.split(times, sorted(min(cut, len(times)) for cut in cuts)):
        found += growing.add(piece)
        assert all(part.seen.start >= 0 for part in found)
        later = growing.needed
        assert later >= (found[-1].own.stop - BESIDE if found else 0)
    found += growing.finish()
    assert found == parts(times)
    assert sum(part.own.stop - part.own.start for part in found) == len(times)


def test_rows_of_the_beats_that_are_seen():
    part = Part(slice(300, 500), slice(172, 628))
    assert part.of_seen() == Part(slice(128, 328), slice(0, 456))
    assert part.of_seen().typical == part.typical
