"""Pairing found beats with reference beats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.signal.matching import MATCH_WINDOW_S, match_beats

beats = st.lists(st.integers(0, 120), unique=True, max_size=25).map(
    lambda places: np.array(sorted(places), dtype=np.int64)
)


def pairs(reference, found, tolerance) -> list[tuple[int, int]]:
    rows, found_rows = match_beats(np.asarray(reference), np.asarray(found), tolerance)
    assert rows.dtype == found_rows.dtype == np.int64
    return list(zip(rows.tolist(), found_rows.tolist(), strict=True))


def test_match_window_of_the_standard():
    assert MATCH_WINDOW_S == 0.150


def test_tolerance_is_inclusive():
    assert pairs([100, 500], [154, 555], 54) == [(0, 0)]
    assert pairs([100], [46], 54) == [(0, 0)]
    assert pairs([100], [45], 54) == []
    assert pairs([100], [101], 0) == []
    assert pairs([100], [100], 0) == [(0, 0)]


@pytest.mark.parametrize(("reference", "found"), [([], []), ([5, 9], []), ([], [5, 9])])
def test_nothing_to_pair(reference, found):
    none = np.array(reference, dtype=np.int64), np.array(found, dtype=np.int64)
    assert pairs(*none, 54) == []


def test_two_found_for_one_beat():
    assert pairs([100], [90, 95, 103], 54) == [(0, 2)]


def test_one_found_for_two_beats():
    assert pairs([100, 120], [118], 54) == [(1, 0)]


def test_of_two_equally_near_the_earlier_one():
    assert pairs([100], [90, 110], 54) == [(0, 0)]
    assert pairs([90, 110], [100], 54) == [(0, 0)]


def test_missed_and_additional_beats_do_not_shift_the_pairs():
    reference = np.arange(100, 3000, 300)
    found = np.delete(reference, 4) + 7
    found = np.sort(np.append(found, [1750, 2620]))
    rows, found_rows = match_beats(reference, found, 54)
    assert rows.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert (found[found_rows] - reference[rows] == 7).all()


@given(beats, beats, st.integers(0, 60))
def test_pairs_are_each_others_nearest(reference, found, tolerance):
    expected = []
    if len(reference) and len(found):
        distance = np.abs(reference[:, None] - found[None, :])
        for row in range(len(reference)):
            nearest = int(distance[row].argmin())  # the first of two, so the earlier one
            mutual = int(distance[:, nearest].argmin()) == row
            if mutual and distance[row, nearest] <= tolerance:
                expected.append((row, nearest))
    assert pairs(reference, found, tolerance) == expected


@given(beats, beats, st.integers(0, 60))
def test_no_beat_is_used_twice_and_pairs_ascend(reference, found, tolerance):
    rows, found_rows = match_beats(reference, found, tolerance)
    assert (np.diff(rows) > 0).all()
    assert (np.diff(found_rows) > 0).all()


@given(beats, st.integers(0, 60))
def test_every_beat_is_its_own_match(reference, tolerance):
    assert pairs(reference, reference, tolerance) == [(i, i) for i in range(len(reference))]
