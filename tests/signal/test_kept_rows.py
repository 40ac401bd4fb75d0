"""Rows kept for later, in memory and in a file."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.signal import kept_rows
from ectopy.signal.kept_rows import KeptRows


@pytest.mark.parametrize("in_memory", [10, 1_000_000])
def test_what_is_added_is_read_again(monkeypatch, in_memory):
    monkeypatch.setattr(kept_rows, "IN_MEMORY", in_memory)
    table = np.arange(3000, dtype=np.float32).reshape(-1, 3)
    rows = KeptRows(3)
    rows.add(table[:1])
    np.testing.assert_array_equal(rows.read(0, 1), table[:1])
    rows.add(table[1:1])
    rows.add(table[1:])  # after reading, too, it goes to the end
    assert len(rows) == 1000
    np.testing.assert_array_equal(rows.read(990, 1000), table[990:])
    for own, seen in rows.around(300, 7):
        first, stop = max(0, own.start - 7), min(1000, own.stop + 7)
        np.testing.assert_array_equal(seen, table[first:stop])
    rows.close()
    assert list(rows.around(10)) == []


def test_no_room(monkeypatch):
    monkeypatch.setattr(kept_rows, "IN_MEMORY", 10)
    rows = KeptRows(1)

    class Full:
        def seek(self, *_: int) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(rows, "_file", Full())
    with pytest.raises(SignalError, match=r"no room for the measures .*No space left.*TMPDIR"):
        rows.add(np.zeros((5, 1)))
