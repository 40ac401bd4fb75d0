"""A recording and its leads."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import LeadNotFound
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
