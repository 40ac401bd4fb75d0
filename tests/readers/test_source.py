"""Recordings that are read part by part."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from ectopy.errors import RecordingError
from ectopy.readers import source
from ectopy.readers.source import MemorySource, unique_names
from ectopy.recording import Recording

SIGNAL = np.arange(30, dtype=np.float32).reshape(10, 3)
START = datetime(2020, 1, 2, 3, 4, 5)  # clocks of recorders know no zone


@pytest.fixture
def one() -> MemorySource:
    return MemorySource.of(Recording(SIGNAL, 100, ("I", "II", "V1"), "x", START))


def test_it_knows_what_it_is(one):
    assert (one.name, one.fs, one.leads, one.n_samples) == ("x", 100.0, ("I", "II", "V1"), 10)
    assert (one.start, one.duration_s) == (START, 0.1)


def test_parts(one):
    assert np.array_equal(one.read(), SIGNAL)
    assert np.array_equal(one.read(2, 5), SIGNAL[2:5])
    assert np.array_equal(one.read(2, 5, [2, 0]), SIGNAL[2:5][:, [2, 0]])
    assert one.read(4, 4).shape == (0, 3)
    assert one.read(9).shape == (1, 3)
    assert one.read().dtype == np.float32


@pytest.mark.parametrize("part", [(-1, 5), (0, 11), (6, 5)])
def test_parts_that_are_not_there(one, part):
    with pytest.raises(RecordingError, match=r"are not within 0 to 10 of 'x'; ask for a part"):
        one.read(*part)


@pytest.mark.parametrize("columns", [[3], [-1], [0, 7]])
def test_leads_that_are_not_there(one, columns):
    with pytest.raises(RecordingError, match=r"are not within 0 to 2 of 'x'; ask for leads"):
        one.read(0, 1, columns)


@pytest.mark.parametrize("block", [1, 3, 10, 100])
def test_all_of_it(one, block, monkeypatch):
    monkeypatch.setattr(source, "BLOCK_SAMPLES", block)
    whole = one.recording()
    assert np.array_equal(whole.signal_mv, SIGNAL)
    assert (whole.fs, whole.leads, whole.name, whole.start) == (100, one.leads, "x", START)


def test_names_differ():
    assert unique_names(["II", "II", "II-2", "II", ""]) == ("II", "II-2", "II-2-2", "II-3", "5")
    assert unique_names([" V1 \n", "a  b"]) == ("V1", "a b")
