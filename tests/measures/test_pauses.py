"""Known intervals and pauses."""

from __future__ import annotations

import numpy as np
import pytest
from beat_strings import beats

from ectopy.measures.intervals import Intervals, stretches
from ectopy.measures.pauses import MOST_LISTED, find_pauses, longest_rows


def test_pauses_are_longer_than_two_seconds() -> None:
    pauses = find_pauses(*beats("NNNNN", [2.0, 2.001, 1.0, 3.0]))
    assert pauses.start_s.tolist() == [2.5, 5.501]
    assert pauses.length_s.tolist() == pytest.approx([2.001, 3.0])
    assert pauses.to_dict()[0] == {"start_s": 2.5, "length_s": pauses.length_s[0]}
    assert (len(pauses), pauses.n_long, pauses.longest) == (2, 1, 1)


def test_no_pause_beside_a_beat_that_could_not_be_classed() -> None:
    assert find_pauses(*beats("NNxNN", [2.5, 2.5, 2.5, 2.6])).length_s.round(3).tolist() == [
        2.5,
        2.6,
    ]


def test_no_pause_across_a_second_that_cannot_be_used() -> None:
    times, classes = beats("NNNN", 2.5)  # 0.5, 3, 5.5, 8 s
    usable = np.ones(9, dtype=bool)
    usable[4] = False
    assert find_pauses(times, classes, usable).start_s.tolist() == [0.5, 5.5]
    usable[:] = False
    assert len(find_pauses(times, classes, usable)) == 0


def test_seconds_beyond_the_mask_can_be_used() -> None:
    times, classes = beats("NNNN", 2.5)
    known = Intervals.between(times, classes, np.array([False, True])).known
    assert known.tolist() == [False, True, True]
    assert Intervals.between(times, classes, np.zeros(0, dtype=bool)).known.all()


def test_no_and_one_beat() -> None:
    for labels in ("", "N", "x"):
        pauses = find_pauses(*beats(labels), np.array([True, False]))
        assert (len(pauses), pauses.longest, pauses.to_dict()) == (0, None, [])


def test_lists_hold_the_longest_in_the_order_of_time() -> None:
    lengths = np.arange(2 * MOST_LISTED)[::-1]
    assert longest_rows(lengths).tolist() == list(range(MOST_LISTED))
    assert longest_rows(np.ones(2 * MOST_LISTED)).tolist() == list(range(MOST_LISTED))
    gaps = np.full(MOST_LISTED + 20, 2.5)
    gaps[-1] = 9.0
    pauses = find_pauses(*beats("N" * (MOST_LISTED + 21), gaps))
    rows = pauses.to_dict()
    assert len(pauses) == MOST_LISTED + 20
    assert len(rows) == MOST_LISTED
    assert rows[-1]["length_s"] == 9.0


def test_stretches_at_both_ends() -> None:
    first, rows = stretches(np.array([True, False, True, True]))
    assert (first.tolist(), rows.tolist()) == ([0, 2], [1, 2])
    assert len(stretches(np.zeros(0, dtype=bool))[0]) == 0
