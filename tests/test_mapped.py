"""Long arrays in temporary files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ectopy.beats import BeatTable
from ectopy.mapped import SMALL, at_hand, pieces, release
from ectopy.readers.spool import Spool


def spooled(rows: int) -> np.ndarray:
    with Spool(5) as spool:
        for start in range(0, rows, 100_000):
            values = np.arange(start, min(start + 100_000, rows), dtype=np.float32)
            spool.add(np.stack([values] * 5, axis=1))
        return spool.rows()


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_is_released_leaves_memory_and_stays_readable():
    rows = spooled(4_000_000)
    before = resident_mb()
    total = rows.sum(dtype=np.float64)
    assert resident_mb() > before + 60
    release(rows[10:20, 1])  # any part of it
    assert resident_mb() < before + 20
    assert rows.sum(dtype=np.float64) == total


def test_of_an_array_in_memory_nothing_changes():
    array = np.arange(5)
    release(array)
    assert array.tolist() == [0, 1, 2, 3, 4]


def test_small_arrays_are_brought_into_memory():
    small, large = spooled(1000), spooled(SMALL // 20 + 1)
    assert not isinstance(at_hand(small), np.memmap)
    assert at_hand(large) is large
    assert at_hand(small).tolist() == small.tolist()


@pytest.mark.parametrize(("n", "size"), [(0, 4), (1, 4), (4, 4), (9, 4)])
def test_pieces_cover_all_rows_once(n, size):
    rows = [row for part in pieces(n, size) for row in range(n)[part]]
    assert rows == list(range(n))


def test_a_table_in_parts_is_the_table():
    n = 50_000
    rng = np.random.default_rng(0)
    peaks = np.cumsum(rng.integers(50, 400, n))
    table = BeatTable(peaks, rng.dirichlet(np.ones(5), n).astype(np.float32), 250.0)
    parts = list(table.pieces(7000))
    assert np.concatenate([part.peaks for _, part in parts]).tolist() == peaks.tolist()
    labels = np.concatenate([part.labels for _, part in parts])
    assert labels.tolist() == table.labels.tolist()
    intervals = np.concatenate([table.intervals_s(rows) for rows, _ in parts])
    np.testing.assert_array_equal(intervals, table.rr_s)
