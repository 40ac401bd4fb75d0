"""How the database is split, on made-up records and on the real ones."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from ectopy.data.mitdb import RECORDS, load
from ectopy.data.protocols import (
    DS1,
    DS1_VALIDATION,
    DS2,
    PACED,
    PROTOCOLS,
    SAME_SUBJECT,
    BeatSet,
    get_protocol,
    intra_parts,
    load_beats,
    load_split,
    load_test,
)
from ectopy.errors import DataError, ProtocolError


def places(beats: BeatSet) -> set[tuple[str, int]]:
    return set(zip(beats.records.tolist(), beats.peaks.tolist(), strict=True))


def test_records_of_the_groups():
    assert (len(DS1), len(DS2), len(PACED)) == (22, 22, 4)
    assert sorted((*DS1, *DS2, *PACED)) == sorted(RECORDS)
    assert len(set(RECORDS)) == 48
    assert set(DS1_VALIDATION) < set(DS1)
    ((one, other),) = SAME_SUBJECT.items()
    assert one in DS2
    assert other in DS1


def test_protocols():
    assert list(PROTOCOLS) == ["intra", "inter"]
    assert all(get_protocol(name).name == name for name in PROTOCOLS)
    assert get_protocol("intra").train_records == get_protocol("intra").test_records == RECORDS
    assert get_protocol("inter").train_records == DS1
    assert get_protocol("inter").test_records == DS2


def test_an_unknown_protocol():
    for use in (get_protocol, load_split, load_test):
        with pytest.raises(ProtocolError) as caught:
            use("detected")
        assert str(caught.value) == ("unknown protocol 'detected'; the protocols are: intra, inter")


def test_no_database(tmp_path):
    with pytest.raises(DataError, match=r"^101\.hea, 101\.dat, 101\.atr of mitdb not found in "):
        load_split("inter", folder=tmp_path)


def test_beats_in_the_order_asked_for(made_up_mitdb):
    beats = load_beats(["203", "100"], lead_by="name", whole_windows=False, folder=made_up_mitdb)
    assert len(beats) == 30
    assert beats.records.tolist() == ["203"] * 15 + ["100"] * 15
    assert beats.peaks.tolist() == list(range(100, 100 + 15 * 288, 288)) * 2
    assert (beats.windows.dtype, beats.classes.dtype) == (np.float32, np.int8)
    assert beats.windows.shape == (30, 256)
    _, reference = load("203", made_up_mitdb)
    assert beats.classes[:15].tolist() == reference.classes.tolist()
    # The peak lies in the middle; the first window is filled up on the left.
    assert (np.abs(np.abs(beats.windows).argmax(axis=1) - 128) <= 6).all()
    assert np.ptp(beats.windows[0, :28]) == 0


def test_windows_that_do_not_fit_are_left_out(made_up_mitdb):
    options = {"lead_by": "name", "folder": made_up_mitdb}
    every = load_beats(["100"], whole_windows=False, **options)
    whole = load_beats(["100"], whole_windows=True, **options)
    assert whole.peaks.tolist() == every.peaks[1:-1].tolist()
    np.testing.assert_array_equal(whole.windows, every.windows[1:-1])


@pytest.mark.parametrize(("record", "by_index", "by_name"), [("114", 0, 1), ("102", 0, 0)])
def test_lead_by_index_and_by_name(made_up_mitdb, record, by_index, by_name):
    recording, _ = load(record, made_up_mitdb)
    for lead_by, column in (("index", by_index), ("name", by_name)):
        beats = load_beats([record], lead_by=lead_by, whole_windows=False, folder=made_up_mitdb)
        start = beats.peaks[3] - 128
        expected = recording.signal_mv[start : start + 256, column]
        np.testing.assert_array_equal(beats.windows[3], expected)


def test_margin_widens_the_windows_and_changes_nothing_else(made_up_mitdb):
    options = {"lead_by": "name", "whole_windows": True, "folder": made_up_mitdb}
    plain = load_beats(["100", "104"], **options)
    wide = load_beats(["100", "104"], margin=32, **options)
    assert (plain.margin, wide.margin) == (0, 32)
    assert wide.windows.shape == (26, 320)
    np.testing.assert_array_equal(wide.windows[:, 32:-32], plain.windows)
    assert places(wide) == places(plain)


def test_take_and_counts(made_up_mitdb):
    beats = load_beats(["100"], lead_by="name", whole_windows=False, margin=5, folder=made_up_mitdb)
    some = beats.take(np.array([7, 2, 2]))
    assert some.margin == 5
    assert some.peaks.tolist() == beats.peaks[[7, 2, 2]].tolist()
    np.testing.assert_array_equal(some.windows, beats.windows[[7, 2, 2]])
    assert some.classes.tolist() == beats.classes[[7, 2, 2]].tolist()
    assert beats.counts() == {"N": 9, "S": 2, "V": 2, "F": 1, "Q": 1}


def test_intra_split_of_made_up_records(made_up_mitdb):
    split = load_split("intra", folder=made_up_mitdb)
    parts = [split.train, split.validation, split.test]
    assert sum(len(part) for part in parts) == 48 * 13
    assert len(set.union(*map(places, parts))) == 48 * 13
    assert places(load_test("intra", folder=made_up_mitdb)) == places(split.test)
    assert set(split.train.records) == set(RECORDS)


def test_inter_split_of_made_up_records(made_up_mitdb):
    split = load_split("inter", margin=3, folder=made_up_mitdb)
    assert set(split.train.records) == set(DS1) - set(DS1_VALIDATION)
    assert set(split.validation.records) == set(DS1_VALIDATION)
    assert set(split.test.records) == set(DS2)
    assert [len(p) for p in (split.train, split.validation, split.test)] == [240, 90, 330]
    assert split.train.margin == split.test.margin == 3
    test = load_test("inter", folder=made_up_mitdb)
    assert test.margin == 0
    assert places(test) == places(split.test)


def test_intra_parts_as_published():
    classes = np.random.default_rng(0).choice(5, 2000, p=[0.6, 0.1, 0.1, 0.1, 0.1]).astype(np.int8)
    train, validation, test = intra_parts(classes)
    assert sorted(np.concatenate([train, validation, test])) == list(range(2000))
    assert (len(train), len(validation), len(test)) == (1400, 300, 300)
    for part in (train, validation, test):
        share = np.bincount(classes[part]) / np.bincount(classes)
        np.testing.assert_allclose(share, len(part) / 2000, atol=0.01)
    # The published steps: 15 % for the test part, then 15/85 of the rest, seed 42 both times.
    rest, expected = train_test_split(
        np.arange(2000), test_size=0.15, stratify=classes, random_state=42
    )
    assert test.tolist() == expected.tolist()
    _, expected = train_test_split(
        rest, test_size=0.15 / 0.85, stratify=classes[rest], random_state=42
    )
    assert validation.tolist() == expected.tolist()


def test_intra_split_of_the_real_records(mitdb_dir):
    split = load_split("intra", folder=mitdb_dir)
    parts = [split.train, split.validation, split.test]
    assert [len(part) for part in parts] == [76_615, 16_418, 16_418]
    total = {name: sum(part.counts()[name] for part in parts) for name in "NSVFQ"}
    assert total == {"N": 90_593, "S": 2_781, "V": 7_235, "F": 802, "Q": 8_040}
    assert split.test.counts() == {"N": 13_589, "S": 417, "V": 1_085, "F": 121, "Q": 1_206}
    assert len(set.union(*map(places, parts))) == sum(total.values()) == 109_451
    assert all(part.windows.shape[1] == 256 for part in parts)
    assert all(np.isfinite(part.windows).all() for part in parts)
    # The test part itself, beat by beat: every published figure depends on it.
    rows = sorted(places(split.test))
    digest = hashlib.sha256("\n".join(f"{name} {peak}" for name, peak in rows).encode())
    assert digest.hexdigest() == "398679d927b1ab7752a3333580378ef5f4389afe802f06e78dd1434e01974052"


def test_inter_split_of_the_real_records(mitdb_dir):
    split = load_split("inter", folder=mitdb_dir)
    ds1 = {name: split.train.counts()[name] + split.validation.counts()[name] for name in "NSVFQ"}
    assert ds1 == {"N": 45_866, "S": 944, "V": 3_788, "F": 415, "Q": 8}
    assert split.test.counts() == {"N": 44_259, "S": 1_837, "V": 3_221, "F": 388, "Q": 7}
    held_out = split.validation.counts()
    assert (held_out["S"], held_out["V"], held_out["F"]) == (306, 1_099, 23)
    assert not places(split.train) & places(split.validation)
    assert not places(split.test) & (places(split.train) | places(split.validation))
