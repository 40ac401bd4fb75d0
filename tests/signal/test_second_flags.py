"""What can be used by the flags of a lead's seconds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ectopy.signal.second_flags import CLIPPED, FLAT, MAINS, MISSING, NOISE, SecondsQuality, Stretch


def quality(*flags: int) -> SecondsQuality:
    return SecondsQuality(np.array(flags, dtype=np.uint8))


def test_mains_alone_is_usable():
    assert quality(MAINS, MAINS, MAINS).usable.all()
    assert quality(MAINS, 0).mains_percent == 50


@pytest.mark.parametrize("flag", [MISSING, FLAT, CLIPPED, NOISE, MISSING | MAINS])
def test_each_reason_makes_a_stretch_unusable(flag):
    assert quality(0, flag, flag, 0).usable.tolist() == [True, False, False, True]


def test_one_noisy_second_is_let_pass_but_one_without_signal_is_not():
    assert quality(0, NOISE, 0, NOISE | MAINS, 0).usable.all()
    assert quality(0, 0, FLAT, 0, 0).usable.tolist() == [True, True, False, True, True]
    assert quality(NOISE, 0, 0, NOISE).usable.all()


def test_one_good_second_between_bad_ones_is_not_usable():
    assert quality(FLAT, 0, FLAT, 0, 0, FLAT).usable.tolist() == [
        False, False, False, True, True, False,
    ]  # fmt: skip


def test_a_noisy_second_beside_another_reason_stays_unusable():
    assert quality(0, NOISE, FLAT, 0).usable.tolist() == [True, False, False, True]


def test_stretches_name_all_reasons():
    found = quality(NOISE, NOISE, 0, 0, MISSING, 0, FLAT | CLIPPED).stretches()
    assert found == [
        Stretch(0.0, 2.0, ("noise",)),
        Stretch(4.0, 7.0, ("missing", "flat", "clipped")),
    ]
    assert quality(0, 0, MAINS).stretches() == []


def test_percents_add_up():
    flags = quality(*[MISSING | NOISE] * 2, *[NOISE] * 3, 0, NOISE, NOISE, *[0] * 12)
    assert flags.usable_percent == 60
    assert flags.reason_percents == {"noise": 30.0, "missing": 10.0}
    assert flags.text() == "60.0 % (noise 30.0 %, missing 10.0 %)"
    assert quality(0, 0).text() == "100.0 %"


def test_a_beat_needs_every_second_that_it_reaches_into():
    flags = quality(0, 0, FLAT, 0)
    peaks = np.array([0, 179, 181, 200, 250, 299, 319, 321, 399])
    usable = [True, True, False, False, False, False, False, True, True]
    assert flags.beats_usable(peaks, 100.0).tolist() == usable
    assert flags.beats_usable(np.empty(0, dtype=np.int64), 100.0).tolist() == []
    assert quality().beats_usable(peaks, 100.0).all()


def test_plain_data():
    content = json.loads(json.dumps(quality(0, 0, NOISE, NOISE, MAINS, 0).to_dict()))
    assert content == {
        "usable_percent": 66.667,
        "unusable_percents": {"noise": 33.333},
        "mains_percent": 16.667,
        "unusable_stretches": [{"start_s": 2.0, "stop_s": 4.0, "reasons": ["noise"]}],
    }
