"""From matched beats to the beat-by-beat matrix: which class, which cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.beats import CLASSES, SYMBOLS
from ectopy.evaluation.ec57_scores import COLUMNS, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ectopy.evaluation.ec57_matching import Match, Track

_NO_BEAT = -1
_O, _X = ROWS.index("O"), ROWS.index("X")

# Beats that the MIT-BIH Arrhythmia Database does not have, in the groups that e, j and V are in.
_OTHER_BEATS = {"B": "N", "n": "N", "r": "V", "?": "Q"}

CLASS_MAPS: dict[str, dict[str, str]] = {
    "aami": {s: name for name in CLASSES for s in SYMBOLS[name]} | _OTHER_BEATS,
    # A flutter wave takes part in the matching like a beat but stands for none: what it matches
    # goes without a counterpart.
    "bxb": dict.fromkeys("NLRB", "N")
    | dict.fromkeys("AaJSejn", "S")
    | dict.fromkeys("VEr", "V")
    | dict.fromkeys("F", "F")
    | dict.fromkeys("/fQ?", "Q")
    | {"!": "O"},
}
"""Class of each beat symbol: "aami" has escape beats (e, j, n) in N, "bxb" has them in S."""


def labels(symbols: Iterable[str], class_map: str) -> NDArray[np.int64]:
    """Row, or column, of the matrix for each mark; -1 where it is no beat.

    Parameters
    ----------
    symbols : iterable of str
        WFDB symbols.
    class_map : str
        A key of `CLASS_MAPS`.
    """
    index = {symbol: ROWS.index(name) for symbol, name in CLASS_MAPS[class_map].items()}
    return np.fromiter((index.get(symbol, _NO_BEAT) for symbol in symbols), dtype=np.int64)


class Counts(NamedTuple):
    """What of a comparison is counted, see `Comparison`."""

    matrix: NDArray[np.int64]
    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    in_flutter: NDArray[np.int64]


def count(
    reference_labels: NDArray[np.int64],
    test_labels: NDArray[np.int64],
    reference: Track,
    test: Track,
    matched: Match,
) -> Counts:
    """Put every matched, missed and extra beat into its cell."""
    both = np.stack([reference.rows[matched.pairs[:, 0]], test.rows[matched.pairs[:, 1]]], axis=1)
    # The beginning of a file can match, but is no beat.
    both = both[(both >= 0).all(axis=1)]
    missed, missed_label = _unmatched_reference(reference, test, matched)
    extra, extra_label, in_flutter = _unmatched_test(reference, test, matched)
    rows = np.concatenate([both[:, 0], missed, np.full(len(extra), _NO_BEAT)])
    columns = np.concatenate([both[:, 1], np.full(len(missed), _NO_BEAT), extra])
    row_labels = np.concatenate(
        [reference_labels[both[:, 0]], reference_labels[missed], extra_label]
    )
    column_labels = np.concatenate([test_labels[both[:, 1]], missed_label, test_labels[extra]])
    # A mark of class O, see `CLASS_MAPS`, stands for no beat, even where it has matched one.
    is_row, is_column = row_labels < _O, column_labels < _O
    matrix = np.zeros((len(ROWS), len(COLUMNS)), dtype=np.int64)
    counts = is_row | is_column
    np.add.at(matrix, (row_labels[counts], column_labels[counts]), 1)
    return Counts(
        matrix=matrix,
        pairs=np.stack([rows, columns], axis=1)[is_row & is_column],
        missed=np.sort(rows[is_row & ~is_column]),
        extra=np.sort(columns[~is_row & is_column]),
        in_flutter=in_flutter[test_labels[in_flutter] < _O],
    )


def _unmatched_reference(
    reference: Track, test: Track, matched: Match
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of missed reference beats, and for each what the test file holds there: O or X."""
    steps, at_hand = matched.missed.T
    is_beat = reference.rows[steps] >= 0
    steps, at_hand = steps[is_beat], at_hand[is_beat]
    # Files are read one beat ahead.
    unreadable = test.unreadable.hold(np.array(reference.times)[steps], at_hand + 1)
    return reference.rows[steps], np.where(unreadable, _X, _O)


def _unmatched_test(
    reference: Track, test: Track, matched: Match
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of extra test beats, for each what the reference holds there, and those in flutter."""
    at_hand, steps = matched.extra.T
    times = np.array(test.times)[steps]
    flutter = reference.flutter.hold(times, at_hand + 1)
    unreadable = reference.unreadable.hold(times, at_hand + 1)
    rows = test.rows[steps]
    return rows[~flutter], np.where(unreadable, _X, _O)[~flutter], rows[flutter]
