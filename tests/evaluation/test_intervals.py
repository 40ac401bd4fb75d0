"""Intervals against slow loops and against what can be worked out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ectopy.beats import CLASSES
from ectopy.errors import RunError
from ectopy.evaluation.intervals import (
    Interval,
    Units,
    beat_units,
    bootstrap_p,
    bootstrap_scores,
    percentile_interval,
    record_units,
    resample,
    seed_means,
)
from ectopy.evaluation.metrics import confusion_matrix, matrix_scores, score_classes


def made_up(n: int = 400, runs: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.choice(5, n, p=[0.6, 0.12, 0.14, 0.08, 0.06]).astype(np.int8)
    wrong = rng.random((runs, n)) < 0.15
    return true, np.where(wrong, rng.integers(0, 5, (runs, n)), true).astype(np.int8)


RECORDS = np.repeat([f"{100 + k}" for k in range(8)], 50)


def test_scores_of_matrices_are_those_of_beats():
    true, predicted = made_up()
    scores = matrix_scores(beat_units(true, predicted).observed())
    for row, one in enumerate(predicted):
        expected = score_classes(true, np.eye(5, dtype=np.float32)[one], with_auc=False)
        for key in ("accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1"):
            assert scores[key][row] == pytest.approx(expected[key])
        for key in ("precision", "recall", "f1"):
            values = [expected["per_class"][c][key] for c in CLASSES]
            assert scores[key][row] == pytest.approx(values)


def test_a_class_without_a_true_beat_has_no_score():
    matrix = np.zeros((5, 5), dtype=int)
    matrix[0, 0], matrix[0, 4], matrix[1, 0] = 8, 1, 1  # Q is called once, S never
    scores = matrix_scores(matrix)
    assert np.isnan(scores["f1"]).tolist() == [False, False, True, True, True]
    assert scores["f1"][0] == pytest.approx(16 / 18)
    assert (scores["f1"][1], scores["precision"][1]) == (0, 0)
    assert scores["macro_f1"] == pytest.approx(8 / 18)
    assert scores["weighted_f1"] == pytest.approx(0.9 * 16 / 18)
    assert np.isnan(matrix_scores(np.zeros((5, 5)))["macro_f1"])


@pytest.mark.parametrize("kind", ["beats", "records"])
def test_units_hold_every_beat(kind):
    true, predicted = made_up()
    units = (
        beat_units(true, predicted) if kind == "beats" else record_units(true, predicted, RECORDS)
    )
    assert units.kind == kind
    expected = [confusion_matrix(true, one) for one in predicted]
    assert np.array_equal(units.observed(), expected)
    if kind == "records":
        assert units.counts.tolist() == [1] * 8
        second = RECORDS == "101"
        assert np.array_equal(
            units.matrices[2, 1], confusion_matrix(true[second], predicted[2][second])
        )
    else:
        assert units.counts.sum() == len(true)
        assert (units.matrices.sum(axis=(2, 3)) == 1).all()
        assert len(units.counts) < len(true) / 3  # beats of one kind are drawn together


def slow_intervals(true, predicted, groups, draws=4000):
    """Draw whole groups of beats with a loop, and score each draw with `score_classes`."""
    rng = np.random.default_rng(7)
    rows_of = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    macro, recall, difference = [], [], []
    for _ in range(draws):
        drawn = np.concatenate([rows_of[k] for k in rng.integers(0, len(rows_of), len(rows_of))])
        scores = [
            score_classes(true[drawn], np.eye(5)[one[drawn]], with_auc=False) for one in predicted
        ]
        values = [one["macro_f1"] for one in scores]
        macro.append(np.mean(values[:2]))
        recall.append(np.mean([one["per_class"]["V"]["recall"] for one in scores[:2]]))
        difference.append(np.mean(values[:2]) - values[2])
    return [np.quantile(values, [0.025, 0.975]) for values in (macro, recall, difference)]


@pytest.mark.parametrize("kind", ["beats", "records"])
def test_intervals_are_those_of_a_slow_loop(kind):
    true, predicted = made_up()
    if kind == "beats":
        units, groups = beat_units(true, predicted), np.arange(len(true))
    else:
        units, groups = record_units(true, predicted, RECORDS), RECORDS
    drawn = bootstrap_scores(units, resamples=4000)
    first, second = seed_means(drawn, [0, 1]), seed_means(drawn, [2])
    found = [
        percentile_interval(first["macro_f1"]),
        percentile_interval(first["recall"][:, CLASSES.index("V")]),
        percentile_interval(first["macro_f1"] - second["macro_f1"]),
    ]
    slow = slow_intervals(true, predicted, groups)
    for fast, expected in zip(found, slow, strict=True):
        width = expected[1] - expected[0]
        assert fast == pytest.approx(expected, abs=0.08 * width)


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    true = np.zeros(1000, dtype=np.int8)
    predicted = np.where(np.arange(1000) < 900, 0, 1)[None]
    drawn = bootstrap_scores(beat_units(true, predicted), resamples=20_000)["accuracy"][:, 0]
    assert drawn.mean() == pytest.approx(0.9, abs=3e-4)
    assert drawn.std() == pytest.approx(np.sqrt(0.9 * 0.1 / 1000), rel=0.03)


def test_draws_are_paired():
    """A model that differs on no beat differs on no draw."""
    true, predicted = made_up(runs=1)
    drawn = bootstrap_scores(beat_units(true, np.repeat(predicted, 2, axis=0)))
    assert np.array_equal(drawn["f1"][:, 0], drawn["f1"][:, 1], equal_nan=True)
    assert drawn["macro_f1"].shape == (2000, 2)


def test_the_same_seed_draws_the_same():
    units = beat_units(*made_up())
    first, again = resample(units, resamples=700), resample(units, resamples=700)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, resample(units, resamples=700, seed=1))
    assert (first.sum(axis=(2, 3)) == 400).all()
    assert not np.array_equal(first[:200], first[500:])  # parts of the draws are not repeated


def test_two_thousand_draws_of_many_runs_are_quick():
    rng = np.random.default_rng(0)
    true = rng.choice(5, 20_000, p=[0.83, 0.03, 0.07, 0.01, 0.06])
    wrong = rng.random((20, 20_000)) < 0.01
    predicted = np.where(wrong, rng.integers(0, 5, wrong.shape), true)
    began = time.process_time()
    drawn = bootstrap_scores(beat_units(true, predicted))
    assert time.process_time() - began < 3  # 0.4 s on one core that does nothing else
    assert drawn["accuracy"].shape == (2000, 20)


def test_draws_without_a_class_are_left_out_of_its_interval():
    true = np.repeat([0, 0, 0, 4], 10)
    records = np.repeat(["a", "b", "c", "d"], 10)
    drawn = bootstrap_scores(record_units(true, true[None], records), resamples=500)
    q = drawn["f1"][:, 0, 4]
    assert 0.2 < np.isnan(q).mean() < 0.45  # (3/4)^4 = 0.32
    assert percentile_interval(q) == (1, 1)
    assert percentile_interval(drawn["f1"][:, 0, 1]) == Interval(None, None)
    assert (drawn["macro_f1"] == 1).all()


def test_percentiles():
    values = np.arange(1001.0)
    assert percentile_interval(values) == pytest.approx((25, 975))
    assert percentile_interval(values, level=0.5) == pytest.approx((250, 750))
    assert percentile_interval(np.array([np.nan, 3.0])) == (3, 3)


def test_p_of_a_difference_by_hand():
    # 2 of 99 draws are at or below 0: twice (2 + 1) / (99 + 1)
    assert bootstrap_p(np.array([1.0] * 97 + [0.0, -1.0])) == pytest.approx(0.06)
    assert bootstrap_p(np.array([-1.0] * 97 + [0.0, 1.0])) == pytest.approx(0.06)
    assert bootstrap_p(np.zeros(50)) == 1
    assert bootstrap_p(np.full(1999, 0.1)) == pytest.approx(0.001)
    assert bootstrap_p(np.array([np.nan, *[1.0] * 19])) == pytest.approx(0.1)
    assert bootstrap_p(np.array([np.nan])) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: beat_units(np.zeros(3, int), np.zeros((1, 2), int)),
            "cannot draw from 3 beats and predictions of shape (1, 2); "
            "give one row a run and one column a beat",
        ),
        (
            lambda: beat_units(np.zeros(0, int), np.zeros((1, 0), int)),
            "cannot draw from 0 beats and predictions of shape (1, 0); "
            "give one row a run and one column a beat",
        ),
        (
            lambda: record_units(np.zeros(3, int), np.zeros((0, 3), int), np.array(["1"] * 3)),
            "there is no run to draw for; give one or more",
        ),
        (
            lambda: resample(Units("beats", np.ones(1, int), np.ones((1, 1, 5, 5))), resamples=0),
            "cannot work with 0 resamples; give 1 or more, such as 2000",
        ),
    ],
)
def test_what_cannot_be_drawn(call, message):
    with pytest.raises(RunError) as caught:
        call()
    assert str(caught.value) == message
