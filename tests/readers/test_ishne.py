"""Holter recordings of the ISHNE's standard format."""

from __future__ import annotations

import datetime
from pathlib import Path

import ishneholterlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ishne_files import N_SAMPLES, change, digital, write
from reading import check_memory

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import frames
from ectopy.readers.ishne import is_ishne, open_ishne


@pytest.fixture
def holter(tmp_path) -> Path:
    return write(tmp_path / "holter.ecg", digital(3))


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        open_ishne(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    return str(caught.value)


class TestWhatAnotherLibraryWrote:
    """Files of `ishneholterlib`, the writer that the THEW's users know."""

    @pytest.fixture
    def written(self, tmp_path) -> tuple[Path, np.ndarray]:
        values = digital(3)
        file = object.__new__(ishneholterlib.Holter)  # it only knows how to read an old one
        file.filename = str(tmp_path / "thew.ecg")
        file.lead = []
        for column, (spec, resolution) in enumerate([(6, 2500), (11, 1000), (0, 313)]):
            lead = ishneholterlib.Lead(spec, (1, 3, -9)[column], resolution)
            lead.data = values[:, column].copy()
            file.lead.append(lead)
        file.var_block = b"anything a maker likes"
        file.file_version, file.sex, file.race, file.pm, file.sr = 1, 2, 1, 4, 1000
        file.first_name, file.last_name, file.id = "Erika-Maria", "Mustermann", "PID-998877"
        file.birth_date = datetime.date(1951, 5, 2)
        file.record_date, file.start_time = datetime.date(2019, 12, 24), datetime.time(8, 15, 30)
        file.recorder_type = b"digital"
        file.proprietary = file.copyright = file.reserved = ""
        file.write_file(convert_data=False)
        return tmp_path / "thew.ecg", values

    def test_is_read_as_it_was_given(self, written):
        source = open_ishne(written[0])
        assert (source.name, source.leads, source.fs) == ("thew", ("II", "V1", "3"), 1000.0)
        assert source.start == datetime.datetime(2019, 12, 24, 8, 15, 30)
        expected = written[1] * np.array([2500, 1000, 313]) * 1e-6
        np.testing.assert_allclose(source.read(), expected, rtol=1e-6)
        assert source.read().dtype == np.float32

    def test_its_checksum_is_ours(self, written):
        assert dict(open_ishne(written[0]).notes) == {
            "device": "digital",
            "quality": "V1: frequent noise",
        }
        content = bytearray(written[0].read_bytes())
        content[525] ^= 1  # in the second header
        written[0].write_bytes(bytes(content))
        source = open_ishne(written[0])
        assert "does not match its checksum" in source.notes["checksum"]
        assert source.n_samples == N_SAMPLES


def test_a_header_without_a_checksum_is_fine(holter):
    assert "checksum" not in open_ishne(holter).notes
    assert "checksum" in open_ishne(change(holter, checksum=12345)).notes


@pytest.mark.parametrize("code", range(-10, 25))
def test_codes_of_leads(tmp_path, code):
    names = ["X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF"]
    names += ["V1", "V2", "V3", "V4", "V5", "V6", "ES", "AS", "AI"]
    path = write(tmp_path / "x.ecg", digital(1), codes=[code] + [-9] * 11)
    assert open_ishne(path).leads == ((names[code - 2] if 2 <= code <= 19 else "1"),)


def test_twelve_leads_some_of_one_name(tmp_path):
    values = digital(12)
    path = write(tmp_path / "x.ecg", values, codes=[6, 6, 6, 0, 1, -9, 11, 12, 13, 14, 15, 16])
    source = open_ishne(path)
    assert source.leads[:7] == ("II", "II-2", "II-3", "4", "5", "6", "V1")
    np.testing.assert_allclose(source.read(), values * 2500e-6, rtol=1e-6)


def test_the_lowest_value_is_a_missing_sample(tmp_path):
    values = digital(2)
    values[10:20, 0] = values[15, 1] = -(2**15)
    found = open_ishne(write(tmp_path / "x.ecg", values)).read()
    assert np.isnan(found[:, 0]).nonzero()[0].tolist() == list(range(10, 20))
    assert np.isnan(found[:, 1]).nonzero()[0].tolist() == [15]


@settings(deadline=None, max_examples=40)
@given(
    n_leads=st.integers(1, 12),
    chunk=st.sampled_from([1, 30, 200_000]),
    part=st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted),
    data=st.data(),
)
def test_any_part_is_a_slice(tmp_path_factory, n_leads, chunk, part, data):
    values = digital(n_leads, 90)
    path = write(tmp_path_factory.mktemp("parts") / "x.ecg", values, variable=b"odd")
    columns = data.draw(st.lists(st.integers(0, n_leads - 1), max_size=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "CHUNK_VALUES", chunk)
        found = open_ishne(path).read(*part, columns)
    assert found.shape == (part[1] - part[0], len(columns))
    expected = (values * 2500e-6).astype(np.float32)[part[0] : part[1], columns]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_nothing_of_the_patient_is_kept(holter):
    source = open_ishne(holter)
    kept = repr(vars(source)).replace(str(holter), "")
    assert not any(personal in kept for personal in ("Erika", "Mustermann", "998877"))
    assert dict(source.notes) == {"device": "digital H12+"}


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = write(tmp_path / "long.ecg", digital(3, 2_000_000))
    check_memory(lambda: open_ishne(path), 3, 1_000_000)


class TestHowManySamples:
    @pytest.mark.parametrize("n_samples", [N_SAMPLES, 3 * N_SAMPLES, 0, -9])
    def test_of_one_lead_of_all_or_not_given(self, holter, n_samples):
        source = open_ishne(change(holter, n_samples=n_samples))
        assert source.n_samples == N_SAMPLES
        assert source.read().shape == (N_SAMPLES, 3)
        assert ("length" in source.notes) == (n_samples == 3 * N_SAMPLES)

    def test_fewer_than_the_file_holds(self, holter):
        assert open_ishne(change(holter, n_samples=7)).n_samples == 7

    @pytest.mark.parametrize("n_samples", [N_SAMPLES + 1, 3 * N_SAMPLES - 1, 2**31 - 1])
    def test_more_than_the_file_holds(self, holter, n_samples):
        said = refusal(change(holter, n_samples=n_samples))
        assert (
            f"it holds 500 samples of each of 3 leads, but its header promises {n_samples}" in said
        )

    def test_one(self, tmp_path):
        source = open_ishne(write(tmp_path / "x.ecg", np.full((1, 2), 400)))
        np.testing.assert_allclose(source.read(), [[1.0, 1.0]], rtol=1e-6)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"n_leads": 0}, "says that it has 0 leads; expected 1 to 12"),
            ({"n_leads": 13}, "says that it has 13 leads"),
            ({"n_leads": -9}, "says that it has -9 leads"),
            ({"fs": 0}, "a sampling frequency of 0 Hz"),
            ({"fs": -200}, "a sampling frequency of -200 Hz"),
            ({"begin": 521}, "samples from byte 521 on; expected them behind byte 522"),
            ({"begin": -1}, "samples from byte -1 on"),
            ({"begin": 2**31 - 1}, "it holds 0 samples of each of 3 leads"),
            ({"begin": 2**31 - 1, "n_samples": 0}, "holds no samples"),
            ({"n_samples": -10}, "-10 samples; expected at least 1"),
            ({"resolutions": [2500, 0, 2500] + [-9] * 9}, "a resolution of 0 nV for lead 2"),
            ({"resolutions": [-9] * 12}, "a resolution of -9 nV for lead 1"),
        ],
    )
    def test_of_the_header(self, holter, changes, says):
        assert says in refusal(change(holter, **changes))

    def test_a_file_cut_short_anywhere(self, tmp_path):
        path = write(tmp_path / "x.ecg", digital(2, 5))
        content = path.read_bytes()
        for n_bytes in range(len(content)):
            path.write_bytes(content[:n_bytes])
            said = refusal(path)
            assert ("is cut short" in said) == (n_bytes >= 8)
            assert ("is no ISHNE Holter file" in said) == (n_bytes < 8)

    def test_bytes_turned_over_never_end_otherwise(self, tmp_path):
        path = write(tmp_path / "x.ecg", digital(2, 5))
        content = path.read_bytes()
        random = np.random.default_rng(6)
        refusals = []
        for _ in range(800):
            changed = bytearray(content)
            for at in random.integers(8, len(content), size=random.integers(1, 8)):
                changed[at] = random.choice([0, 1, 127, 128, 255])
            path.write_bytes(bytes(changed))
            try:
                source = open_ishne(path)
                assert source.read().shape == (source.n_samples, len(source.leads))
            except RecordingError as error:
                refusals.append(str(error))
        assert not any("\n" in said for said in refusals)
        assert 50 < len(refusals) < 750

    def test_annotations(self, tmp_path):
        path = tmp_path / "x.ann"
        path.write_bytes(b"ANN  1.0" + bytes(2000))
        assert is_ishne(path)
        with pytest.raises(UnsupportedFormat, match="holds annotations of the ISHNE and no signal"):
            open_ishne(path)

    @pytest.mark.parametrize(
        "content", [b"", b"ISHNE", b"ISHNE2.0" + bytes(600), b"0       ", b"time,II\n", b"\0" * 999]
    )
    def test_other_files(self, tmp_path, content):
        path = tmp_path / "x.ecg"
        path.write_bytes(content)
        assert not is_ishne(path)
        with pytest.raises(UnsupportedFormat, match="is no ISHNE Holter file: it begins with b'"):
            open_ishne(path)

    @pytest.mark.parametrize("name", ["missing.ecg", ".", "x" * 5000, "nul\0byte"])
    def test_what_is_no_file(self, tmp_path, name):
        assert not is_ishne(tmp_path / name)
        expected = "is a folder" if name == "." else "there is no recording"
        assert expected in refusal(tmp_path / name)

    def test_a_file_that_shrinks_after_it_was_opened(self, holter):
        source = open_ishne(holter)
        holter.write_bytes(holter.read_bytes()[:-1])
        assert source.read(0, N_SAMPLES - 1).shape == (N_SAMPLES - 1, 3)
        with pytest.raises(RecordingError, match="no longer holds samples 0 to 500"):
            source.read()


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({}, datetime.datetime(2019, 12, 24, 8, 15, 30)),
        ({"date": (-9, -9, -9)}, None),
        ({"date": (0, 0, 0)}, None),
        ({"time": (24, 0, 0)}, None),
        ({"time": (-9, -9, -9)}, None),
    ],
)
def test_start(holter, changes, start):
    assert open_ishne(change(holter, **changes)).start == start


def test_a_recorder_named_beyond_ascii_or_not_at_all(holter):
    assert open_ishne(change(holter, recorder=b"Fa\xe7ade\n2\0rest")).notes == {
        "device": "Façade 2"
    }
    assert open_ishne(change(holter, recorder=b"")).notes == {}
