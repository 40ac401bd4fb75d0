"""ROC and precision-recall curves against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from ectopy.evaluation.curves import FALSE_POSITIVE_RATES, RECALLS, class_curves


@pytest.mark.parametrize("digits", [1, 2, 6])
def test_curves_are_those_of_scikit_learn(digits):
    rng = np.random.default_rng(digits)
    positive = rng.random(500) < 0.2
    score = np.round(np.clip(rng.normal(0.3 + 0.3 * positive, 0.2), 0, 1), digits)
    curves = class_curves(positive, score)
    assert curves is not None
    false, found, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    expected = [found[false <= rate + 1e-12].max() for rate in FALSE_POSITIVE_RATES]
    assert curves.sensitivity == pytest.approx(expected)
    precision, recall, _ = metrics.precision_recall_curve(positive, score)
    # scikit-learn's last point, precision 1 at recall 0, belongs to no threshold.
    expected = [precision[:-1][recall[:-1] >= at - 1e-12].max() for at in RECALLS]
    assert curves.precision == pytest.approx(expected)
    assert curves.average_precision == pytest.approx(
        metrics.average_precision_score(positive, score)
    )


def test_perfect_and_useless():
    positive = np.array([True, True, False, False])
    perfect = class_curves(positive, np.array([0.9, 0.8, 0.2, 0.1]))
    assert perfect is not None
    assert (perfect.sensitivity == 1).all()
    assert (perfect.precision == 1).all()
    assert perfect.average_precision == 1
    useless = class_curves(positive, np.full(4, 0.5))
    assert useless is not None
    assert useless.sensitivity.tolist() == [0.0] * (len(FALSE_POSITIVE_RATES) - 1) + [1.0]
    assert (useless.precision == 0.5).all()


def test_one_group_is_not_enough():
    assert class_curves(np.zeros(3, bool), np.arange(3.0)) is None
    assert class_curves(np.ones(3, bool), np.arange(3.0)) is None
