"""A recording and its leads."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import LeadNotFound, RecordingError
from ectopy.recording import PREFERRED_LEADS, Recording, select_lead


@pytest.mark.parametrize(
    ("names", "wanted", "index"),
    [
        (["V5", "MLII"], None, 1),
        (["MLII", "V1"], None, 0),
        (["I", "II", "III"], None, 1),
        (["II", "MLII"], None, 1),  # MLII before II, wherever they stand
        (["V5", "V2"], None, 0),
        ([" mlii ", "V1"], None, 0),
        (["V1", "mLiI"], None, 1),
        (["MLII", "V5"], "V5", 1),
        (["MLII", "V5"], " v5 ", 1),
        (["ECG"], "ecg", 0),
        (["V1", "V1"], "V1", 0),
    ],
)
def test_lead_by_name(names, wanted, index):
    assert select_lead(names, wanted) == index


def test_another_preference():
    assert select_lead(["MLII", "V1", "V5"], preference=("V5", "MLII")) == 2
    assert select_lead(["MLII", "V1"], preference=()) == 0
    assert PREFERRED_LEADS == ("MLII", "II")


@pytest.mark.parametrize("wanted", ["V6", "", "ML"])
def test_a_lead_that_is_not_there(wanted):
    with pytest.raises(LeadNotFound) as caught:
        select_lead(["MLII", "V5"], wanted)
    assert str(caught.value) == f"no lead {wanted!r} in this recording; it has: MLII, V5"


def test_length_and_leads():
    signal = np.arange(1500, dtype=np.float32).reshape(750, 2)
    recording = Recording(signal_mv=signal, fs=250.0, leads=("V5", "MLII"), name="a")
    assert recording.n_samples == 750
    assert recording.duration_s == 3.0
    assert recording.start is None
    name, lead = recording.lead()
    assert name == "MLII"
    np.testing.assert_array_equal(lead, signal[:, 1])
    name, lead = recording.lead("v5")
    assert name == "V5"
    np.testing.assert_array_equal(lead, signal[:, 0])
    assert recording.lead(preference=("V5",))[0] == "V5"
    with pytest.raises(LeadNotFound):
        recording.lead("aVR")


TWO_LEADS = np.zeros((100, 2), dtype=np.float32)


def test_a_good_recording_of_your_own():
    one_lead = np.zeros((100, 1))
    for fs in (360, 360.0, np.float32(360), np.int64(360)):
        assert Recording(one_lead, fs=fs, leads=("II",), name="mine").n_samples == 100
    assert Recording(TWO_LEADS.astype(np.int16), 360, leads=("II", "V1"), name="").duration_s < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"signal_mv": np.zeros(100)},
            "signal_mv has shape (100,); expected (samples, leads): "
            "reshape one lead to (samples, 1)",
        ),
        (
            {"signal_mv": np.zeros((3, 100, 2))},
            "signal_mv has shape (3, 100, 2); expected (samples, leads): choose one recording",
        ),
        (
            {"signal_mv": TWO_LEADS.T},
            "signal_mv has shape (2, 100), but leads names 2; "
            "expected (samples, leads): transpose it",
        ),
        (
            {"leads": ("II",)},
            "signal_mv has shape (100, 2), but leads names 1; "
            "expected (samples, leads): name each column",
        ),
        (
            {"signal_mv": np.zeros((100, 0)), "leads": ()},
            "signal_mv has shape (100, 0), but leads names 0; "
            "expected (samples, leads): name each column",
        ),
        (
            {"signal_mv": [[0.0, 1.0]]},
            "signal_mv is list; expected a NumPy array of real numbers, in millivolts",
        ),
        (
            {"signal_mv": TWO_LEADS.astype(complex)},
            "signal_mv is complex128; expected a NumPy array of real numbers, in millivolts",
        ),
        ({"leads": "II"}, "leads is 'II'; expected a tuple of names such as ('MLII', 'V1')"),
        ({"leads": (0, 1)}, "leads is (0, 1); expected a tuple of names such as ('MLII', 'V1')"),
        *(
            (
                {"fs": fs},
                f"sampling frequency {fs!r} is not usable; expected a number of Hz above 0",
            )
            for fs in ("360", 0, -1.0, float("nan"), float("inf"), None, True)
        ),
    ],
)
def test_what_is_no_recording(changes, message):
    content = {"signal_mv": TWO_LEADS, "fs": 360.0, "leads": ("II", "V1"), "name": "a"}
    with pytest.raises(RecordingError) as caught:
        Recording(**(content | changes))
    assert str(caught.value) == message
