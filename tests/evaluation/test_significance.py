"""Tests of differences, by hand and by trying everything."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ectopy.errors import RunError
from ectopy.evaluation.metrics import matrix_scores
from ectopy.evaluation.significance import (
    EXACT_UNITS,
    McNemar,
    holm,
    majority_right,
    mcnemar,
    sign_flip_p,
)


def test_mcnemar_by_hand():
    first = np.array([True] * 10 + [False] * 2 + [True] * 50 + [False] * 7)
    second = np.array([False] * 10 + [True] * 2 + [True] * 50 + [False] * 7)
    # 10 of 12: twice (C(12,0) + C(12,1) + C(12,2)) / 2^12
    assert mcnemar(first, second) == McNemar(10, 2, pytest.approx(2 * (1 + 12 + 66) / 4096))
    assert mcnemar(second, first) == McNemar(2, 10, pytest.approx(2 * (1 + 12 + 66) / 4096))
    assert mcnemar(first, first) == McNemar(0, 0, 1.0)
    # As many one way as the other
    assert mcnemar(np.array([True, False]), np.array([False, True])).p == 1


def test_mcnemar_of_many_beats_is_near_the_chi_square_with_correction():
    from scipy.stats import chi2

    first, second = np.zeros((2, 5000), dtype=bool)
    first[:300], second[300:560] = True, True
    approximate = chi2.sf((abs(300 - 260) - 1) ** 2 / 560, 1)
    assert mcnemar(first, second).p == pytest.approx(approximate, rel=0.02)


def test_a_beat_counts_once_however_many_seeds():
    true = np.array([0, 1, 2, 3])
    predicted = np.array([[0, 1, 2, 0], [0, 1, 0, 0], [0, 2, 0, 0]])
    assert majority_right(true, predicted).tolist() == [True, True, False, False]
    assert majority_right(true, predicted[:2]).tolist() == [True, True, False, False]  # a tie: no
    assert majority_right(true, predicted[:1]).tolist() == [True, True, True, False]


def records(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Matrices of two models on the same beats of some records."""
    rng = np.random.default_rng(seed)
    made = []
    for quality in (0.95, 0.8):
        truth = np.random.default_rng(1).integers(1, 30, (n, 5))
        hits = rng.binomial(truth, quality)
        matrices = np.zeros((n, 5, 5))
        for k in range(5):
            matrices[:, k, k] = hits[:, k]
            matrices[:, k, (k + 1) % 5] = truth[:, k] - hits[:, k]
        made.append(matrices)
    return made[0], made[1]


@pytest.mark.parametrize("score", ["accuracy", "macro_f1", "macro_f1_nsvf"])
def test_few_records_are_swapped_in_every_way(score):
    first, second = records(6)

    def difference(swaps: tuple[bool, ...]) -> float:
        flags = np.array(swaps)[:, None, None]
        a, b = np.where(flags, second, first), np.where(flags, first, second)
        return float(matrix_scores(a.sum(axis=0))[score] - matrix_scores(b.sum(axis=0))[score])

    observed = difference((False,) * 6)
    every = [difference(swaps) for swaps in product([False, True], repeat=6)]
    expected = np.mean([abs(one) >= abs(observed) - 1e-12 for one in every])
    found = sign_flip_p(first, second)
    assert (found["exact"], found["flips"]) == (True, 64)
    assert found["p"][score] == expected
    assert expected >= 2 / 64  # all swapped is as far as none


def test_models_that_are_the_same():
    first, _ = records(5)
    p = sign_flip_p(first, first)["p"]
    assert (p["accuracy"], p["macro_f1"], p["f1"]) == (1, 1, [1] * 5)


def test_many_records_are_swapped_at_random_and_never_give_0():
    first, second = records(20)
    found = sign_flip_p(first, second, flips=999)
    assert (found["exact"], found["flips"]) == (False, 1000)
    assert found["p"]["accuracy"] == 0.001
    assert found == sign_flip_p(first, second, flips=999)


def test_random_swaps_are_near_all_swaps():
    first, second = records(EXACT_UNITS, seed=3)
    second[4:] = first[4:]  # only four records differ
    exact = sign_flip_p(first, second)
    assert exact["exact"]
    more = np.zeros((1, 5, 5))  # a record without beats changes nothing but the number of swaps
    near = sign_flip_p(np.concatenate([first, more]), np.concatenate([second, more]))
    assert not near["exact"]
    for score in ("accuracy", "macro_f1"):
        assert near["p"][score] == pytest.approx(exact["p"][score], abs=0.02)


def test_p_is_uniform_where_nothing_differs():
    """Of fair differences one in ten has p of at most 0.1."""
    rng = np.random.default_rng(0)
    small = []
    for _ in range(300):
        matrices = np.zeros((2, 10, 5, 5))
        hits = rng.binomial(40, 0.9, (2, 10))
        matrices[:, :, 0, 0], matrices[:, :, 0, 1] = hits, 40 - hits
        small.append(sign_flip_p(*matrices)["p"]["accuracy"] <= 0.1)
    assert 0.05 < np.mean(small) < 0.15


def test_a_class_that_does_not_occur_has_no_p():
    first, second = records(4)
    first[:, 4], second[:, 4] = 0, 0
    assert sign_flip_p(first, second)["p"]["f1"][4] is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([None, 0.02]) == [None, 0.02]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mcnemar(np.ones(2, bool), np.ones(3, bool)),
            "cannot pair (2,) beats with (3,); give both models' answers to the same beats",
        ),
        (
            lambda: sign_flip_p(np.ones((2, 5, 5)), np.ones((3, 5, 5))),
            "cannot pair records of shape (2, 5, 5) with (3, 5, 5); "
            "give both models' answers to the same records",
        ),
        (
            lambda: sign_flip_p(np.ones((0, 5, 5)), np.ones((0, 5, 5))),
            "cannot pair records of shape (0, 5, 5) with (0, 5, 5); "
            "give both models' answers to the same records",
        ),
    ],
)
def test_what_cannot_be_paired(call, message):
    with pytest.raises(RunError) as caught:
        call()
    assert str(caught.value) == message
