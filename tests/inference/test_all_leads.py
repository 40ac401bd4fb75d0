"""Each lead on its own."""

from __future__ import annotations

import numpy as np
import pytest

import ectopy
from ectopy.errors import SignalError
from ectopy.inference.all_leads import analyze_leads
from ectopy.recording import Recording
from ectopy.simulate import simulate


def test_each_lead_is_what_it_is_alone():
    recording, truth = simulate(30, seed=5)
    found = analyze_leads(recording, beats=truth.peaks)
    assert list(found) == ["MLII", "V1"]
    for name, analysis in found.items():
        alone = ectopy.analyze(recording, lead=name, beats=truth.peaks)
        assert analysis.lead == name
        np.testing.assert_array_equal(analysis.beats.probabilities, alone.beats.probabilities)
        assert analysis.warnings == alone.warnings


def test_a_dead_lead_is_left_out_and_told():
    recording = simulate(30, seed=5)[0]
    recording.signal_mv[:, 1] = 0
    (analysis,) = analyze_leads(recording).values()
    assert analysis.warnings[-1] == (
        "not analysed: lead V1 has no signal: it is flat throughout; choose another lead"
    )
    recording.signal_mv[:, 0] = 0
    with pytest.raises(SignalError, match="lead MLII has no signal"):
        analyze_leads(recording)


def test_annotations_are_read_once(mitdb_dir):
    found = analyze_leads(mitdb_dir / "119", beats="annotated")
    assert {len(one.beats) for one in found.values()} == {1987}
    assert all(one.reference is not None for one in found.values())


def test_a_signal_in_memory():
    signal = simulate(20, seed=1)[0].signal_mv
    assert list(analyze_leads(signal, fs=360)) == ["lead1", "lead2"]
    assert isinstance(analyze_leads(Recording(signal, 360, ("II", "V2"), "x")), dict)


def test_leads_whose_names_differ_in_case_alone():
    recording, _ = simulate(20, seed=1)
    named = Recording(recording.signal_mv, recording.fs, ("i", "I"), "rec")
    found = analyze_leads(named)
    assert list(found) == ["i", "I-2"]
    one, other = found.values()
    np.testing.assert_array_equal(np.asarray(one.signal_mv), recording.signal_mv[:, 0])
    np.testing.assert_array_equal(np.asarray(other.signal_mv), recording.signal_mv[:, 1])


def test_settings_are_those_that_were_asked_for(tmp_path):
    recording, _ = simulate(20, seed=1)
    file = tmp_path / "rec.npy"
    np.save(file, recording.signal_mv)
    found = analyze_leads(file, fs=360, unit="mV")
    for name, analysis in found.items():
        asked = analysis.settings
        assert (asked["source"], asked["fs"], asked["unit"]) == ("rec.npy", 360, "mV")
        assert asked["lead"] == name
