"""From a curve to beats, against loops that do it one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.signal.frames import Rate
from ectopy.signal.picking import Candidates, pick, select

ONE_TO_ONE = Rate(1, 1)


def outputs_of(marked: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Logits of these shares, and offsets in steps."""
    share = np.clip(np.asarray(marked, dtype=np.float64), 1e-9, 1 - 1e-9)
    steps = np.zeros(len(share)) if offsets is None else offsets
    return np.stack([np.log(share / (1 - share)), steps]).astype(np.float32)


def candidates(positions, confidences) -> Candidates:
    return Candidates(np.asarray(positions, dtype=np.float64), np.float32(confidences))


# --- peaks of the curve ------------------------------------------------------------------------


def ideal_curve(beats: list[float], steps: int) -> np.ndarray:
    """What the network is taught: three steps marked a beat, and how far away it is."""
    marked, offsets = np.zeros(steps), np.zeros(steps)
    for beat in beats:
        around = np.rint(beat).astype(int) + np.arange(-1, 2)
        marked[around] = 1
        offsets[around] = beat - around
    return outputs_of(marked, offsets)


@pytest.mark.parametrize("rate", [ONE_TO_ONE, Rate(1, 3), Rate(12, 25), Rate(15, 16)])
def test_taught_curves_give_the_beats_to_a_fraction_of_a_step(rate):
    beats = [10.0, 30.4, 50.7, 70.25, 90.5, 96.5]
    found = pick(ideal_curve(beats, 120), rate, 4)
    np.testing.assert_allclose(found.positions, np.multiply(beats, 4 * rate.down / rate.up))
    np.testing.assert_allclose(found.confidences, 1, atol=1e-6)
    assert found.positions.dtype == np.float64
    assert found.confidences.dtype == np.float32


def test_a_beat_whose_place_is_not_sure_is_still_sure():
    marked = np.zeros(40)
    marked[18:23] = [0.55, 0.6, 0.7, 0.6, 0.55]  # spread over five steps
    found = pick(outputs_of(marked), ONE_TO_ONE, 1)
    assert len(found) == 1
    np.testing.assert_allclose(found.positions, [20], atol=1e-5)
    np.testing.assert_allclose(found.confidences, 1, atol=1e-6)
    marked[17:24] = [0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.0]  # over six, and not quite sure
    found = pick(outputs_of(marked), ONE_TO_ONE, 1)
    np.testing.assert_allclose(found.confidences, 0.5, atol=1e-6)
    marked[17:24] = [0, 0, 0.5, 0.5, 0.5, 0, 0]
    found = pick(outputs_of(marked), ONE_TO_ONE, 1)
    np.testing.assert_allclose(found.positions, [20])
    np.testing.assert_allclose(found.confidences, 0.5, atol=1e-6)


def test_a_flat_top_is_one_peak():
    marked = np.zeros(40)
    marked[18:22] = 0.5  # the smoothed curve is the same at 19 and 20
    found = pick(outputs_of(marked), ONE_TO_ONE, 1)
    np.testing.assert_allclose(found.positions, [20])


def test_positions_ascend_even_where_offsets_cross():
    marked, offsets = np.zeros(40), np.zeros(40)
    marked[9:12] = marked[15:18] = [0.5, 0.9, 0.5]
    offsets[9:12], offsets[15:18] = 6, -6
    found = pick(outputs_of(marked, offsets), ONE_TO_ONE, 1)
    np.testing.assert_allclose(found.positions, [10, 16])
    marked[15:18] = [0.3, 0.8, 0.3]
    found = pick(outputs_of(marked, offsets), ONE_TO_ONE, 1)
    np.testing.assert_allclose(found.positions, [10, 16])
    np.testing.assert_allclose(found.confidences, [1.4 / 3, 1.9 / 3], atol=1e-6)


@pytest.mark.parametrize("logit", [-1000.0, 0.0, 1000.0])
def test_a_level_curve_has_no_peak(logit):
    outputs = np.stack([np.full(50, logit), np.zeros(50)]).astype(np.float32)
    found = pick(outputs[:, :3], ONE_TO_ONE, 4)
    # The ends are taken for unmarked; in a short curve its middle is the peak.
    assert len(found) == (0 if logit < 0 else 1)
    inner = pick(outputs, ONE_TO_ONE, 4).positions / 4
    assert ((inner <= 2) | (inner >= 47)).all()


def pick_one_by_one(outputs: np.ndarray) -> list[tuple[float, float]]:
    logits = outputs[0].astype(np.float64)
    marked = np.concatenate([np.zeros(3), 1 / (1 + np.exp(-logits)), np.zeros(3)])
    once = [0.0, *(float(marked[i - 1 : i + 2].sum()) for i in range(3, len(marked) - 3)), 0.0]
    near = [once[i - 1] + once[i] + once[i + 1] for i in range(1, len(once) - 1)]
    found = []
    for i in range(1, len(near) - 1):
        if near[i] >= near[i - 1] and near[i] > near[i + 1] and near[i] / 9 > 0.05:
            shares = marked[i + 2 : i + 5]
            places = i + np.arange(-1, 2) + outputs[1][i - 1 : i + 2]
            confidence = min(1.0, marked[i : i + 7].sum() / 3)
            found.append((float(shares @ places / shares.sum()), confidence))
    return sorted(found)


@given(st.integers(0, 2**32 - 1), st.integers(3, 60))
def test_peaks_are_those_of_a_loop(seed, steps):
    rng = np.random.default_rng(seed)
    outputs = rng.normal([[-2], [0]], [[3], [1]], (2, steps)).astype(np.float32)
    found = pick(outputs, ONE_TO_ONE, 1)
    expected = pick_one_by_one(outputs)
    np.testing.assert_allclose(found.positions, [one[0] for one in expected], atol=1e-4)
    np.testing.assert_allclose(found.confidences, [one[1] for one in expected], atol=1e-5)


# --- choosing among them -----------------------------------------------------------------------


def test_the_threshold_is_inclusive():
    chosen = select(candidates([10, 100, 200], [0.5, 0.4999, 1]), 0.5, 50)
    assert chosen.positions.tolist() == [10, 200]


def test_of_equals_the_first_stays():
    assert select(candidates([10, 30, 55], [0.7, 0.7, 0.7]), 0.5, 50).positions.tolist() == [10]


def test_exactly_the_least_distance_is_far_enough():
    assert len(select(candidates([10, 60], [0.7, 0.9]), 0.5, 50)) == 2
    assert select(candidates([10, 59.9], [0.7, 0.9]), 0.5, 50).positions.tolist() == [59.9]


def test_one_below_the_threshold_stands_in_nobodys_way():
    chosen = select(candidates([10, 20, 30], [0.6, 0.55, 0.59]), 0.58, 15)
    assert chosen.positions.tolist() == [10, 30]


def test_a_stronger_neighbour_decides_even_where_it_is_not_kept_itself():
    # So that what stays depends on what is close, however long the chain is.
    chosen = select(candidates([0, 40, 80, 120], [0.6, 0.7, 0.8, 0.9]), 0.5, 50)
    assert chosen.positions.tolist() == [120]


def test_no_candidates_give_no_beats():
    chosen = select(candidates([], []), 0.5, 50)
    assert len(chosen) == 0
    assert chosen.positions.dtype == np.float64
    assert len(Candidates.join([chosen, candidates([3], [0.5])])) == 1


places = st.lists(
    st.tuples(st.integers(0, 400).map(lambda n: n / 2), st.sampled_from([0.2, 0.5, 0.6, 0.9, 1.0])),
    max_size=40,
    unique_by=lambda one: one[0],
).map(sorted)


@given(places, st.sampled_from([0.1, 0.5, 0.55]), st.integers(1, 30))
def test_what_stays_is_what_a_loop_leaves(pairs, threshold, min_gap):
    positions = [one[0] for one in pairs]
    confidences = np.float32([one[1] for one in pairs])
    high = [
        (position, sure)
        for position, sure in zip(positions, confidences, strict=True)
        if sure >= threshold
    ]
    expected = []
    for i, (position, sure) in enumerate(high):
        rivals = [(j, b) for j, (a, b) in enumerate(high) if 0 < abs(a - position) < min_gap]
        if not any(b > sure or (b == sure and j < i) for j, b in rivals):
            expected.append((position, sure))
    chosen = select(candidates(positions, confidences), threshold, min_gap)
    pairs_found = zip(chosen.positions, chosen.confidences, strict=True)
    assert [(float(a), b) for a, b in pairs_found] == expected
    assert (np.diff(chosen.positions) >= min_gap).all()
