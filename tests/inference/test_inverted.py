"""Leads that look upside down."""

from __future__ import annotations

import numpy as np
import pytest

import ectopy
from ectopy.inference.finder import detect_beats
from ectopy.inference.inverted import UPRIGHT_LEADS, Usable, looks_inverted, polarity
from ectopy.mapped import PIECE
from ectopy.readers import read, read_annotations
from ectopy.readers.lead import Lead
from ectopy.simulate import simulate

DS1 = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"


@pytest.fixture(scope="module")
def upright() -> tuple[np.ndarray, np.ndarray]:
    recording, truth = simulate(120, seed=5, rhythm="sinus")
    return recording.signal_mv[:, 0].astype(np.float32), truth.peaks


@pytest.mark.parametrize("name", ["MLII", "ii", " V5 ", "I"])
def test_an_inverted_lead_is_noticed(upright, name):
    signal, peaks = upright
    assert looks_inverted(Lead.of(signal, 360.0, name), peaks) is None
    found = looks_inverted(Lead.of(-signal, 360.0, name), peaks)
    assert found is not None
    assert found.startswith(f"lead {name} looks inverted: ")


@pytest.mark.parametrize("name", ["lead1", "V1", "aVR", "III", "ECG"])
def test_of_other_leads_nothing_is_said(upright, name):
    assert name not in UPRIGHT_LEADS
    assert looks_inverted(Lead.of(-upright[0], 360.0, name), upright[1]) is None


def test_few_beats_tell_nothing(upright):
    assert looks_inverted(Lead.of(-upright[0], 360.0, "II"), upright[1][:19]) is None
    assert looks_inverted(Lead.of(-upright[0], 360.0, "II"), upright[1][:0]) is None


def test_ectopic_beats_do_not_decide():
    recording, truth = simulate(120, seed=3, rhythm="bigeminy")
    signal = recording.signal_mv[:, 0].astype(np.float32)
    assert looks_inverted(Lead.of(signal, 360.0, "II"), truth.peaks) is None
    assert looks_inverted(Lead.of(-signal, 360.0, "II"), truth.peaks) is not None


def test_polarity_turns_with_the_signal(upright):
    signal, peaks = upright
    one, other = (polarity(Lead.of(s, 360.0), peaks) for s in (signal, -signal))
    np.testing.assert_allclose(one, [-value for value in other], atol=1e-5)
    assert one[0] > 0.3


def test_an_analysis_warns(upright):
    signal = upright[0][:, None]
    recording = ectopy.Recording(-signal, 360.0, ("MLII",), "r")
    assert any("looks inverted" in text for text in ectopy.analyze(recording).warnings)
    recording = ectopy.Recording(signal, 360.0, ("MLII",), "r")
    assert not any("looks inverted" in text for text in ectopy.analyze(recording).warnings)


def test_alarms_on_the_real_records(mitdb_dir):
    false, right = [], []
    for record in DS1.split():
        recording, beats = read(mitdb_dir / record), read_annotations(mitdb_dir / record)
        signal = recording.lead("MLII")[1]
        if looks_inverted(Lead.of(signal, 360.0, "MLII"), beats.peaks):
            false.append(record)
        if looks_inverted(Lead.of(-signal, 360.0, "MLII"), beats.peaks):
            right.append(record)
    assert false == []
    assert len(right) >= 16


def test_with_beats_that_were_found(mitdb_dir):
    signal = read(mitdb_dir / "100").lead()[1][:200_000]
    for sign, noticed in ((1, False), (-1, True)):
        lead = Lead.of(sign * signal, 360.0, "MLII")
        assert (looks_inverted(lead, detect_beats(sign * signal, 360)) is not None) == noticed


@pytest.mark.parametrize("n", [0, 1, 5, 3 * PIECE + 7])
def test_slices_of_the_usable_beats(n):
    rng = np.random.default_rng(n)
    peaks, usable = np.cumsum(rng.integers(1, 9, n)), rng.random(n) < 0.7
    usable[PIECE // 2 : 2 * PIECE] &= n < PIECE  # whole pieces without any
    some, expected = Usable(peaks, usable), peaks[usable]
    assert len(some) == len(expected)
    for first in (0, 3, len(expected) // 2, max(len(expected) - 4, 0)):
        rows = slice(first, first + 50)
        assert some[rows].tolist() == expected[rows].tolist()
