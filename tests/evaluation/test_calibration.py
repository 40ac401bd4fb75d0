"""Certainty against correctness, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from ectopy.errors import RunError
from ectopy.evaluation.calibration import (
    Bin,
    apply_temperature,
    calibration_error,
    classwise_calibration_error,
    expected_calibration_error,
    fit_temperature,
    reliability,
    risk_coverage,
)


def test_groups_of_equal_size_by_hand():
    confidence = np.array([0.9, 0.5, 0.6, 0.95, 0.7, 0.99])
    right = np.array([True, False, True, True, True, False])
    table = reliability(right, confidence, bins=3)
    assert [one.n for one in table] == [2, 2, 2]
    assert [one.confidence for one in table] == pytest.approx([0.55, 0.8, 0.97])
    assert [one.accuracy for one in table] == pytest.approx([0.5, 1.0, 0.5])
    assert calibration_error(table) == pytest.approx((0.05 + 0.2 + 0.47) / 3)


def test_equal_certainties_stay_together_in_any_order():
    confidence = np.array([0.6] * 2 + [1.0] * 8)
    right = np.array([True] * 5 + [False] * 5)
    table = reliability(right, confidence, bins=5)
    assert table == [
        Bin(2, pytest.approx(0.6), 1.0),
        Bin(8, pytest.approx(1.0), pytest.approx(3 / 8)),
    ]
    order = np.random.default_rng(0).permutation(10)
    assert reliability(right[order], confidence[order], bins=5) == table


@pytest.mark.parametrize("bins", [1, 7, 15, 100])
def test_every_beat_is_in_one_group(bins):
    rng = np.random.default_rng(0)
    confidence = np.round(rng.random(101), 2)
    table = reliability(rng.random(101) < confidence, confidence, bins)
    assert sum(one.n for one in table) == 101
    assert len(table) <= bins
    assert [one.confidence for one in table] == sorted(one.confidence for one in table)


def test_expected_calibration_error_by_hand():
    true = np.array([0, 1, 2, 0])
    probabilities = np.array(
        [[0.9, 0.1, 0, 0, 0], [0.8, 0.2, 0, 0, 0], [0, 0.3, 0.7, 0, 0], [0.6, 0.4, 0, 0, 0]]
    )
    # From the least certain: 0.6 right, 0.7 right | 0.8 wrong, 0.9 right
    expected = (abs(1 - 0.65) + abs(0.5 - 0.85)) / 2
    assert expected_calibration_error(true, probabilities, bins=2) == pytest.approx(expected)
    one_bin = abs(0.75 - 0.75)
    assert expected_calibration_error(true, probabilities, bins=1) == pytest.approx(one_bin)
    # By class, one group: mean probability against share; F and Q do not occur.
    by_class = (abs(2.3 / 4 - 0.5) + abs(1.0 / 4 - 0.25) + abs(0.7 / 4 - 0.25)) / 3
    assert classwise_calibration_error(true, probabilities, bins=1) == pytest.approx(by_class)


def test_a_calibrated_model_has_hardly_any_error():
    rng = np.random.default_rng(0)
    probabilities = softmax(rng.normal(0, 2, (40_000, 5)), axis=1)
    true = (probabilities.cumsum(axis=1) > rng.random((40_000, 1))).argmax(axis=1)
    assert expected_calibration_error(true, probabilities) < 0.01
    assert classwise_calibration_error(true, probabilities) < 0.01
    sharper = apply_temperature(probabilities, 0.5)
    assert expected_calibration_error(true, sharper) > 0.08


def test_the_temperature_that_was_applied_is_found():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (20_000, 5))
    true = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    for temperature in (0.5, 1.0, 3.0):
        assert fit_temperature(temperature * logits, true) == pytest.approx(temperature, rel=0.03)


def test_the_temperature_is_that_of_the_smallest_loss():
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 3, (300, 5)).astype(np.float32)
    true = np.where(rng.random(300) < 0.7, logits.argmax(axis=1), rng.integers(0, 5, 300))

    def loss(temperature: float) -> float:
        return -log_softmax(logits / temperature, axis=1)[np.arange(300), true].mean()

    best = fit_temperature(logits, true)
    for other in np.linspace(0.3, 10, 200):
        assert loss(best) <= loss(other) + 1e-9


def test_temperatures_stay_within_bounds():
    logits = np.eye(5) * 10
    assert fit_temperature(logits, np.arange(5)) < 1.0  # always right: as sure as can be
    assert fit_temperature(logits, np.arange(5)) >= 0.05
    assert fit_temperature(logits, np.roll(np.arange(5), 1)) == pytest.approx(20, rel=1e-3)


def test_a_temperature_changes_no_class_and_1_changes_nothing():
    probabilities = softmax(np.random.default_rng(0).normal(0, 4, (500, 5)), axis=1)
    for temperature in (0.3, 1.0, 4.0):
        scaled = apply_temperature(probabilities, temperature)
        assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities, atol=1e-7)
    assert np.isfinite(apply_temperature(np.array([[1.0, 0, 0, 0, 0]]), 0.1)).all()


def test_risk_and_coverage_by_hand():
    right = np.array([True, False, True, True])
    confidence = np.array([0.9, 0.6, 0.8, 0.7])
    curve = risk_coverage(right, confidence)
    assert curve.errors.tolist() == pytest.approx([0, 0, 0, 0.25])
    assert curve.area == pytest.approx(0.0625)
    assert [curve.at(share) for share in (0, 0.25, 0.5, 1)] == [0.25, 0, 0, 0]
    worst = risk_coverage(~right, confidence)
    assert worst.errors.tolist() == pytest.approx([1, 1, 1, 0.75])


def test_equal_certainties_count_as_if_in_random_order():
    right = np.array([True, True, False, False, True])
    confidence = np.array([0.9, 0.5, 0.5, 0.5, 0.5])
    expected = [0, 0.25, 1 / 3, 0.375, 0.4]
    for order in ([0, 1, 2, 3, 4], [3, 2, 4, 1, 0]):
        curve = risk_coverage(right[order], confidence[order])
        assert curve.errors.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fit_temperature(np.zeros((0, 5)), np.zeros(0, int)),
            "cannot fit a temperature to logits of shape (0, 5) and 0 classes; "
            "give one row of finite logits a beat",
        ),
        (
            lambda: fit_temperature(np.full((1, 5), np.inf), np.zeros(1, int)),
            "cannot fit a temperature to logits of shape (1, 5) and 1 classes; "
            "give one row of finite logits a beat",
        ),
        (
            lambda: reliability(np.ones(3, bool), np.ones(3), bins=0),
            "cannot put 3 beats into 0 bins; give 1 beat and 1 bin or more",
        ),
        (
            lambda: risk_coverage(np.ones(0, bool), np.ones(0)),
            "cannot rank the answers to no beats; give 1 or more",
        ),
        (
            lambda: classwise_calibration_error(np.zeros(0, int), np.zeros((0, 5))),
            "cannot judge the certainty of answers to no beats; give 1 or more",
        ),
    ],
)
def test_what_cannot_be_judged(call, message):
    with pytest.raises(RunError) as caught:
        call()
    assert str(caught.value) == message
