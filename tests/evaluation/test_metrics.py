"""Scores against scikit-learn's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from ectopy.beats import CLASSES
from ectopy.evaluation.metrics import confusion_matrix, roc_auc, score_classes

ALL = list(range(5))


def random_case(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """True classes and probabilities; every second case lacks classes, every third has ties."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(5))
    if seed % 2:
        shares[rng.choice(5, 2, replace=False)] = 0
    true = rng.choice(5, n, p=shares / shares.sum()).astype(np.int8)
    logits = rng.normal(0, 1, (n, 5))
    logits[np.arange(n), true] += 1.5
    if seed % 4 == 1:
        logits[:, rng.integers(5)] = -50  # a class that is never predicted
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if seed % 3 == 0:
        probabilities = np.round(probabilities, 1)
    return true, probabilities.astype(np.float32)


@pytest.mark.parametrize("seed", range(24))
def test_scores_are_those_of_scikit_learn(seed):
    true, probabilities = random_case(seed)
    predicted = probabilities.argmax(axis=1)
    scores = score_classes(true, probabilities)
    options = {"labels": ALL, "zero_division": 0}

    def f1(average, labels=ALL):
        return metrics.f1_score(true, predicted, average=average, labels=labels, zero_division=0)

    assert scores["n"] == len(true)
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, predicted))
    assert scores["macro_f1"] == pytest.approx(f1("macro"))
    assert scores["macro_f1_nsvf"] == pytest.approx(f1("macro", labels=[0, 1, 2, 3]))
    assert scores["weighted_f1"] == pytest.approx(f1("weighted"))
    assert scores["confusion_matrix"] == (
        metrics.confusion_matrix(true, predicted, labels=ALL).tolist()
    )
    precision, recall, each_f1, n = metrics.precision_recall_fscore_support(
        true, predicted, **options
    )
    aucs = []
    for c, name in enumerate(CLASSES):
        one = scores["per_class"][name]
        assert one["precision"] == pytest.approx(precision[c])
        assert one["recall"] == pytest.approx(recall[c])
        assert one["f1"] == pytest.approx(each_f1[c])
        assert one["n"] == n[c]
        if n[c] == 0:
            assert one["auc"] is None
        else:
            aucs.append(metrics.roc_auc_score(true == c, probabilities[:, c]))
            assert one["auc"] == pytest.approx(aucs[-1])
    assert scores["macro_auc"] == pytest.approx(np.mean(aucs))


def test_macro_auc_is_one_against_the_rest():
    true, probabilities = random_case(2)
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = metrics.roc_auc_score(true, probabilities, multi_class="ovr", average="macro")
    assert score_classes(true, probabilities)["macro_auc"] == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=30))
def test_area_counts_the_pairs_that_are_in_order(cases):
    positive = np.array([case[0] for case in cases])
    score = np.array([case[1] / 4 for case in cases])
    above, below = score[positive], score[~positive]
    found = roc_auc(positive, score)
    if not len(above) or not len(below):
        assert found is None
        return
    wins = (above[:, None] > below).sum() + 0.5 * (above[:, None] == below).sum()
    assert found == pytest.approx(wins / (len(above) * len(below)))
    assert found == pytest.approx(metrics.roc_auc_score(positive, score))


def test_confusion_matrix_has_true_rows_and_predicted_columns():
    matrix = confusion_matrix(np.array([0, 0, 2], dtype=np.int8), np.array([0, 1, 4]))
    assert matrix.dtype == np.int64
    expected = np.zeros((5, 5))
    expected[0, 0] = expected[0, 1] = expected[2, 4] = 1
    assert matrix.tolist() == expected.tolist()


def test_confusion_matrix_of_many_beats_in_eight_bits():
    true = np.full(1000, 4, dtype=np.int8)
    assert confusion_matrix(true, true)[4, 4] == 1000


def test_scores_of_no_beats():
    scores = score_classes(np.empty(0, dtype=np.int8), np.empty((0, 5), dtype=np.float32))
    assert scores["n"] == 0
    assert scores["macro_auc"] is None
    assert {scores[key] for key in ("accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1")} == {0}


def test_without_areas():
    true, probabilities = random_case(4)
    scores = score_classes(true, probabilities, with_auc=False)
    assert scores["macro_auc"] is None
    assert [one["auc"] for one in scores["per_class"].values()] == [None] * 5
    whole = score_classes(true, probabilities)
    assert scores["macro_f1"] == whole["macro_f1"]


def test_scores_are_plain_data():
    scores = score_classes(*random_case(5))
    assert json.loads(json.dumps(scores)) == scores
