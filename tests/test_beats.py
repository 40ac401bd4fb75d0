"""Classes, symbols, and the table of beats."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.beats import (
    CLASS_MEANINGS,
    CLASSES,
    SYMBOL_TO_INDEX,
    SYMBOLS,
    UNUSABLE,
    BeatTable,
    ReferenceBeats,
    class_indices,
)
from ectopy.errors import SignalError


def test_classes_in_their_order():
    assert CLASSES == ("N", "S", "V", "F", "Q")
    assert tuple(CLASS_MEANINGS) == tuple(SYMBOLS) == CLASSES


def test_every_symbol_belongs_to_one_class():
    symbols = [symbol for group in SYMBOLS.values() for symbol in group]
    assert len(symbols) == len(set(symbols)) == len(SYMBOL_TO_INDEX) == 15


@pytest.mark.parametrize(
    ("symbols", "index"),
    [("NLRej", 0), ("AaJS", 1), ("VE", 2), ("F", 3), ("/fQ", 4), ('+~|![]x"', -1)],
)
def test_class_of_each_symbol(symbols, index):
    found = class_indices(symbols)
    assert found.dtype == np.int8
    assert found.tolist() == [index] * len(symbols)


def test_no_symbols():
    assert class_indices([]).shape == (0,)


def test_only_beats_are_kept_of_an_annotation_file():
    samples = np.array([3, 77, 300, 431, 900], dtype=np.int32)
    beats = ReferenceBeats.from_annotations(samples, iter(["+", "N", "~", "V", "/"]))
    assert len(beats) == 3
    assert beats.peaks.dtype == np.int64
    assert beats.classes.dtype == np.int8
    assert beats.peaks.tolist() == [77, 431, 900]
    assert beats.classes.tolist() == [0, 2, 4]
    assert beats.symbols.tolist() == ["N", "V", "/"]


def test_an_annotation_file_without_beats():
    beats = ReferenceBeats.from_annotations(np.array([5]), ["+"])
    assert len(beats) == 0
    assert beats.symbols.tolist() == []
    assert len(ReferenceBeats.from_annotations(np.array([], dtype=np.int64), [])) == 0


@pytest.fixture
def table() -> BeatTable:
    probabilities = np.array(
        [
            [0.7, 0.1, 0.1, 0.1, 0.0],
            [0.1, 0.2, 0.6, 0.1, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
            [0.3, 0.3, 0.2, 0.1, 0.1],
        ],
        dtype=np.float32,
    )
    return BeatTable(np.array([250, 500, 625, 1125]), probabilities, 250.0)


def test_times_and_intervals(table):
    assert len(table) == 4
    assert table.times_s.tolist() == [1.0, 2.0, 2.5, 4.5]
    np.testing.assert_array_equal(table.rr_s, [np.nan, 1.0, 0.5, 2.0])


def test_classes_and_confidences(table):
    # The first of two equally probable classes.
    assert table.classes.tolist() == [0, 2, 4, 0]
    assert table.classes.dtype == np.int8
    assert table.labels.tolist() == ["N", "V", "Q", "N"]
    np.testing.assert_allclose(table.confidences, [0.7, 0.6, 1.0, 0.3], rtol=1e-6)
    assert table.confidences.dtype == np.float32
    assert table.counts() == {"N": 2, "S": 0, "V": 1, "F": 0, "Q": 1}
    assert list(table.counts()) == list(CLASSES)


def test_a_table_of_one_beat(table):
    one = BeatTable(table.peaks[:1], table.probabilities[:1], 250.0)
    np.testing.assert_array_equal(one.rr_s, [np.nan])


def test_an_empty_table():
    none = BeatTable(np.empty(0, dtype=np.int64), np.empty((0, 5), dtype=np.float32), 360.0)
    assert len(none) == 0
    for column in (none.times_s, none.rr_s, none.classes, none.labels, none.confidences):
        assert column.shape == (0,)
    assert none.counts() == dict.fromkeys(CLASSES, 0)


def test_unusable_beats_have_no_class(table):
    usable = np.array([True, False, True, True])
    some = BeatTable(table.peaks, table.probabilities, table.fs, usable)
    assert some.classes.tolist() == [0, UNUSABLE, 4, 0]
    assert some.classes.dtype == np.int8
    assert some.labels.tolist() == ["N", "unusable", "Q", "N"]
    assert np.isnan(some.confidences).tolist() == [False, True, False, False]
    assert some.confidences.dtype == np.float32
    assert some.counts() == {"N": 2, "S": 0, "V": 0, "F": 0, "Q": 1}
    np.testing.assert_array_equal(some.rr_s, table.rr_s)


def test_all_beats_are_usable_unless_told(table):
    assert table.usable.tolist() == [True] * 4
    assert table.labels.dtype == np.dtype("<U1")


def test_usable_of_another_length(table):
    with pytest.raises(SignalError, match="usable tells of 3 beats, there are 4; give one value"):
        BeatTable(table.peaks, table.probabilities, table.fs, np.ones(3, dtype=bool))
