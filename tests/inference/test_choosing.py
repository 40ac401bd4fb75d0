"""Beats chosen bit by bit are those chosen at once."""

from __future__ import annotations

from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ectopy.inference.choosing import BeatChoice, choose
from ectopy.models.contract import FinderContract
from ectopy.signal.picking import Candidates

CONTRACT, FS = FinderContract(), 250.0


@given(
    st.lists(st.tuples(st.floats(0, 90), st.sampled_from([0.2, 0.5, 0.7, 0.7, 0.9])), max_size=40),
    st.lists(st.integers(0, 2000), max_size=6),
)
def test_in_any_portions(steps: list[tuple[float, float]], borders: list[int]) -> None:
    positions = np.cumsum([step for step, _ in steps])
    confidences = np.array([confidence for _, confidence in steps], dtype=np.float32)
    whole = Candidates(positions, confidences)
    expected = choose(whole, CONTRACT.threshold, ceil(CONTRACT.refractory_s * FS))

    choice, found, before = BeatChoice(CONTRACT, FS), [], 0
    for border in [*sorted(borders), 10**6]:
        rows = (whole.positions >= before) & (whole.positions < border)
        found.append(choice.add(whole.take(rows), border))
        before = border
    found.append(choice.finish())
    together = Candidates.join(found)
    assert together.positions.tolist() == expected.positions.tolist()
    assert together.confidences.tolist() == expected.confidences.tolist()


def test_little_is_remembered() -> None:
    choice = BeatChoice(CONTRACT, FS)
    for start in range(0, 250_000, 250):
        choice.add(Candidates(start + np.array([10.0, 200.0]), np.float32([0.9, 0.8])), start + 250)
    assert len(choice._waiting) < 5


def test_beats_are_far_enough_apart_at_whole_samples() -> None:
    gap = ceil(CONTRACT.refractory_s * FS)
    assert gap == 50
    near = Candidates(np.array([10.6, 60.4, 200.0]), np.float32([0.9, 0.8, 0.7]))
    assert choose(near, 0.5, gap).positions.tolist() == [10.6, 200.0]
    apart = Candidates(np.array([10.4, 60.3]), np.float32([0.9, 0.8]))  # 10 and 60
    assert choose(apart, 0.5, gap).positions.tolist() == apart.positions.tolist()
