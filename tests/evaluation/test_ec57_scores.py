"""Scores of a beat-by-beat matrix: what counts for and against."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.evaluation.ec57_scores import (
    COLUMNS,
    ROWS,
    average,
    gross,
    scores_of_matrix,
    sumstats_sveb_ppv,
)


def matrix(**cells: int) -> np.ndarray:
    """Make a matrix of named cells: Nn=3."""
    those = np.zeros((7, 7), dtype=np.int64)
    for (row, column), n in cells.items():
        those[ROWS.index(row), COLUMNS.index(column)] = n
    return those


# What one beat of each pair counts as for ventricular and for supraventricular beats, taken from
# the definitions row by row: reference N S V F Q O X, test n s v f q o x.
VEB = {
    "N": "tn tn fp tn tn -- --",
    "S": "tn tn fp tn tn -- --",
    "V": "fn fn tp fn fn fn fn",
    "F": "tn tn -- tn tn -- --",
    "Q": "tn tn -- tn tn -- --",
    "O": "tn tn fp tn tn -- --",
    "X": "tn tn fp tn tn -- --",
}
SVEB = {
    "N": "tn fp tn tn tn -- --",
    "S": "fn tp fn fn fn fn fn",
    "V": "tn fp tn tn tn -- --",
    "F": "tn fp tn tn tn -- --",
    "Q": "tn -- tn tn tn -- --",
    "O": "tn fp tn tn tn -- --",
    "X": "tn fp tn tn tn -- --",
}
PAIRS = [(r, c) for r in ROWS for c in COLUMNS if r not in "OX" or c not in "ox"]


@pytest.mark.parametrize(("row", "column"), PAIRS)
def test_every_pair_counts_as_defined(row, column):
    scores = scores_of_matrix(matrix(**{row + column: 7}))
    for group, expected in (("veb", VEB), ("sveb", SVEB)):
        counted_as = expected[row].split()[COLUMNS.index(column)]
        for key in ("tp", "fn", "fp", "tn"):
            assert scores[group][key] == (7 if key == counted_as else 0), (group, key)
    is_there, is_found = row not in "OX", column not in "ox"
    assert scores["qrs"]["tp"] == (7 if is_there and is_found else 0)
    assert scores["qrs"]["fn"] == (7 if is_there and not is_found else 0)
    assert scores["qrs"]["fp"] == (7 if not is_there else 0)


def test_rates():
    scores = scores_of_matrix(matrix(Nn=80, Nv=2, Vv=6, Vn=1, Vo=1, Ss=3, Sn=1, Fs=1, On=4, Nx=2))
    assert scores["qrs"]["se"] == 94 / 97
    assert scores["qrs"]["ppv"] == 94 / 98
    assert scores["veb"]["se"] == 6 / 8
    assert scores["veb"]["ppv"] == 6 / 8
    assert scores["veb"]["fpr"] == 2 / (2 + 80 + 4 + 4 + 1)
    assert scores["sveb"]["se"] == 3 / 4
    assert scores["sveb"]["ppv"] == 3 / 4
    assert scores["sveb"]["fpr"] == 1 / (1 + 80 + 2 + 6 + 1 + 4)


def test_what_cannot_be_told_is_none():
    scores = scores_of_matrix(matrix())
    assert scores["qrs"] == {"tp": 0, "fn": 0, "fp": 0, "se": None, "ppv": None}
    nothing = {"tp": 0, "fn": 0, "fp": 0, "tn": 0, "se": None, "ppv": None, "fpr": None}
    assert scores["veb"] == scores["sveb"] == nothing
    assert scores_of_matrix(matrix(Vn=1))["veb"]["se"] == 0.0
    assert scores_of_matrix(matrix(Vn=1))["veb"]["ppv"] is None


def test_gross_pools_the_beats():
    pooled = gross([matrix(Nn=99, No=1), matrix(Vv=1, On=3)])
    assert pooled["qrs"] == {"tp": 100, "fn": 1, "fp": 3, "se": 100 / 101, "ppv": 100 / 103}
    assert pooled["veb"]["se"] == 1.0


def test_average_is_over_the_records_that_have_the_rate():
    means, numbers = average([matrix(Nn=3, No=1), matrix(Vv=1, Vn=1), matrix(Vv=4, On=4)])
    assert means["qrs"]["se"] == pytest.approx((0.75 + 1 + 1) / 3)
    assert means["qrs"]["ppv"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert means["veb"] == {"se": 0.75, "ppv": 1.0, "fpr": 0.0}
    assert numbers["veb"] == {"se": 2, "ppv": 2, "fpr": 2}
    assert means["sveb"]["se"] is None
    assert means["sveb"]["ppv"] is None
    assert numbers["sveb"] == {"se": 0, "ppv": 0, "fpr": 3, "ppv_sumstats": 0}


def test_sumstats_does_not_see_fusion_beats_called_supraventricular():
    those = matrix(Ss=3, Fs=1)
    assert scores_of_matrix(those)["sveb"]["ppv"] == 0.75
    assert sumstats_sveb_ppv(those) == 1.0
    assert those[ROWS.index("F"), COLUMNS.index("s")] == 1
    assert gross([those])["sveb"]["ppv"] == 0.75
    assert gross([those])["sveb"]["ppv_sumstats"] == 1.0
    assert average([those])[0]["sveb"]["ppv_sumstats"] == 1.0
