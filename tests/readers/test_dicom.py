"""DICOM waveforms, written by pydicom."""

from __future__ import annotations

import datetime
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import (
    BIG_ENDIAN,
    DEFLATED,
    EEG,
    EXPLICIT,
    HEMODYNAMIC,
    IMPLICIT,
    channel,
    digital,
    group,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.sequence import Sequence
from reading import check_memory

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import frames
from ectopy.readers.dicom import is_dicom, open_dicom


def refusal(path: Path, kind: type[RecordingError] = RecordingError) -> str:
    with pytest.raises(kind) as caught:
        open_dicom(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    return str(caught.value)


@pytest.fixture
def ecg(tmp_path) -> Path:
    return write(tmp_path / "ecg.dcm", [group(digital(2), [channel("2:1"), channel("2:2")])])


class TestARecordingOfAnEcgDevice:
    """The anonymous 12-lead ECG that comes with pydicom: rhythm and median beat."""

    @pytest.fixture
    def path(self) -> Path:
        return Path(pydicom.examples.get_path("waveform"))

    def test_is_what_pydicom_decodes(self, path):
        source = open_dicom(path)
        expected = pydicom.dcmread(path).waveform_array(0) / 1000
        assert source.read().dtype == np.float32
        np.testing.assert_allclose(source.read(), expected, atol=1e-6)
        np.testing.assert_array_equal(source.read(1234, 1300, [3]), source.read()[1234:1300, 3:4])

    def test_leads_rate_and_time(self, path):
        source = open_dicom(path)
        assert source.leads[:6] == ("I", "II", "III", "aVR", "aVL", "aVF")
        assert source.leads[6:] == ("V1", "V2", "V3", "V4", "V5", "V6")
        assert (source.fs, source.n_samples) == (1000.0, 10_000)
        assert source.start == datetime.datetime(2013, 1, 25, 10, 59, 19)
        assert source.notes["other groups"] == "MEDIAN BEAT (1200 samples at 1000 Hz)"


class TestEncodings:
    @pytest.mark.parametrize("undefined", [False, True])
    @pytest.mark.parametrize(
        ("syntax", "order"), [(IMPLICIT, "<"), (EXPLICIT, "<"), (BIG_ENDIAN, ">")]
    )
    @pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u4"])
    def test_of_transfer_and_of_samples(self, tmp_path, syntax, order, undefined, kind):
        values = digital(3, dtype=order + kind)
        channels = [channel("2:1"), channel("2:2"), channel("2:3")]
        path = write(tmp_path / "x.dcm", [group(values, channels)], syntax, undefined=undefined)
        found = open_dicom(path).read()
        np.testing.assert_allclose(found, values * 2.5e-3, rtol=1e-6)
        assert open_dicom(path).leads == ("I", "II", "V1")

    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
    @pytest.mark.parametrize("kind", ["i1", "u1"])
    @pytest.mark.parametrize("n_samples", [400, 401])
    def test_of_eight_bits(self, tmp_path, syntax, kind, n_samples):
        values = digital(1, n_samples, kind)
        path = write(tmp_path / "x.dcm", [group(values, [channel()])], syntax)
        np.testing.assert_allclose(open_dicom(path).read(), values * 2.5e-3, rtol=1e-6)

    @pytest.mark.parametrize(
        ("bits", "interpretation"), [(8, "MB"), (8, "AB"), (64, "SV"), (16, "XX")]
    )
    def test_that_are_not_read(self, tmp_path, bits, interpretation):
        changes = {"WaveformBitsAllocated": bits, "WaveformSampleInterpretation": interpretation}
        path = write(tmp_path / "x.dcm", [group(digital(1), [channel()], **changes)])
        said = refusal(path, UnsupportedFormat)
        assert f"stores its samples as {bits} bits, {interpretation}, which is not read" in said

    def test_eight_bits_with_the_highest_byte_first(self, tmp_path):
        path = write(tmp_path / "x.dcm", [group(digital(1, dtype="i1"), [channel()])], BIG_ENDIAN)
        assert "stores its samples as 8 bits, SB, which is not read" in refusal(path)

    def test_a_deflated_file(self, tmp_path):
        path = write(tmp_path / "x.dcm", [group(digital(1), [channel()])], DEFLATED)
        said = refusal(path, UnsupportedFormat)
        assert f"has the transfer syntax '{DEFLATED}', which is not read; convert it" in said


class TestMillivolts:
    @pytest.mark.parametrize(
        ("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3), ("nV", 1e-6)]
    )
    def test_sensitivity_correction_and_baseline(self, tmp_path, unit, factor):
        values = digital(2)
        channels = [
            channel("2:1", unit=unit),
            channel(
                unit=unit,
                ChannelSensitivity="0.25",
                ChannelSensitivityCorrectionFactor="-1.5",
                ChannelBaseline="12.5",
            ),
        ]
        path = write(tmp_path / "x.dcm", [group(values, channels)])
        found = open_dicom(path).read()
        expected = pydicom.dcmread(path).waveform_array(0) * factor
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(found[:, 1], (values[:, 1] * -0.375 + 12.5) * factor, rtol=1e-5)

    def test_no_correction_and_no_baseline(self, tmp_path):
        values = digital(1)
        one = channel(ChannelSensitivityCorrectionFactor=None, ChannelBaseline=None)
        path = write(tmp_path / "x.dcm", [group(values, [one])])
        np.testing.assert_allclose(open_dicom(path).read(), values * 2.5e-3, rtol=1e-6)

    @pytest.mark.parametrize("kind", ["<i2", "<u2", "<i4", "i1"])
    def test_padding_is_missing(self, tmp_path, kind):
        values = digital(2, dtype=kind)
        padding = np.array([np.iinfo(kind).min], kind)
        values[5:9, 1] = values[300, 0] = padding[0]
        raw = padding.tobytes().ljust(2, b"\0")
        channels = [channel("2:1"), channel("2:2")]
        path = write(tmp_path / "x.dcm", [group(values, channels, WaveformPaddingValue=raw)])
        np.testing.assert_array_equal(np.isnan(open_dicom(path).read()), values == padding[0])
        path = write(tmp_path / "y.dcm", [group(values, channels)])
        assert not np.isnan(open_dicom(path).read()).any()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"ChannelSensitivity": None}, "gives lead 'II' a sensitivity of nan uV"),
            ({"ChannelSensitivity": "1e38"}, "a sensitivity of 1e+38 uV"),
            ({"ChannelBaseline": "-1e38"}, "a baseline of -1e+38"),
            ({"ChannelSensitivity": "0"}, "a sensitivity of 0 uV"),
            ({"ChannelSensitivityCorrectionFactor": "0"}, "a correction factor of 0"),
        ],
    )
    def test_that_cannot_be_told(self, tmp_path, changes, says):
        path = write(tmp_path / "x.dcm", [group(digital(1), [channel(**changes)])])
        assert says in refusal(path)


class TestWhichGroupAndLeads:
    def test_the_longest_group_with_ecg_leads(self, tmp_path):
        rhythm = digital(1, 2000)
        pressure = channel("109030", "DCM", "Pressure", "mm[Hg]")
        groups = [
            group(digital(1, 600), [channel()], MultiplexGroupLabel="MEDIAN BEAT"),
            group(rhythm, [channel()], MultiplexGroupTimeOffset="1500"),
            group(digital(1, 9000), [pressure], MultiplexGroupLabel="PRESSURE"),
            group(digital(1, 2500), [channel()], SamplingFrequency="1000"),
        ]
        source = open_dicom(write(tmp_path / "x.dcm", groups, sop_class=HEMODYNAMIC))
        np.testing.assert_allclose(source.read(), rhythm * 2.5e-3, rtol=1e-6)
        assert source.start == datetime.datetime(2024, 2, 29, 10, 11, 13, 750_000)
        assert source.notes["other groups"] == (
            "MEDIAN BEAT (600 samples at 500 Hz), PRESSURE (9000 samples at 500 Hz), "
            "RHYTHM (2500 samples at 1000 Hz)"
        )

    @pytest.mark.parametrize(
        ("source", "scheme", "meaning", "label", "lead"),
        [
            ("2:1", "MDC", "Lead I", None, "I"),
            ("2:61", "MDC", "Lead III", None, "III"),
            ("2:8", "MDC", "Lead V6", None, "V6"),
            ("2:11", "MDC", "Lead V3R", None, "V3R"),
            ("5.6.3-9-63", "SCPECG", "aVL, augmented voltage, left", None, "aVL"),
            ("2:0", "MDC", "Unspecified lead", "CH 1", "CH 1"),
            ("2:86", "MDC", "Lead MCL1 (modified)", None, "MCL1"),
            ("x", "99MINE", "Lead V5 (chest)", None, "V5"),
            ("x", "99MINE", "My lead", "ECG II", "II"),
            ("x", "99MINE", "My lead", None, "My lead"),
        ],
    )
    def test_names(self, tmp_path, source, scheme, meaning, label, lead):
        one = channel(source, scheme, meaning, ChannelLabel=label)
        assert open_dicom(write(tmp_path / "x.dcm", [group(digital(1), [one])])).leads == (lead,)

    def test_several_of_one_name_and_others_between_them(self, tmp_path):
        values = digital(5)
        channels = [
            channel(),
            channel("109030", "DCM", "Pressure", "mm[Hg]"),
            channel(),
            channel("2:5000", "MDC", "Respiration", "mV"),
            channel("2:7"),
        ]
        source = open_dicom(write(tmp_path / "x.dcm", [group(values, channels)]))
        assert source.leads == ("II", "II-2", "V5")
        np.testing.assert_allclose(source.read(), values[:, [0, 2, 4]] * 2.5e-3, rtol=1e-6)
        assert source.notes["left out"] == "Pressure (no voltage), Respiration (no ECG)"

    def test_nothing_is_guessed_beside_a_coded_lead(self, tmp_path):
        channels = [channel("x", "99MINE", "Signal 1"), channel("2:16", meaning="X")]
        source = open_dicom(write(tmp_path / "x.dcm", [group(digital(2), channels)]))
        assert source.leads == ("X",)

    def test_a_name_beyond_ascii(self, tmp_path):
        one = channel("x", "99MINE", "?", ChannelLabel="Ableitung Übung")
        path = write(
            tmp_path / "x.dcm", [group(digital(1), [one])], SpecificCharacterSet="ISO_IR 192"
        )
        assert open_dicom(path).leads == ("Ableitung Übung",)

    @pytest.mark.parametrize("sop_class", [EEG, "1.2.840.10008.5.1.4.1.1.9.6.1"])
    def test_a_voltage_of_another_kind_is_no_ecg(self, tmp_path, sop_class):
        channels = [channel("x", "99MINE", "Signal 1"), channel("y", "99MINE", "Signal 2", "mV")]
        path = write(tmp_path / "x.dcm", [group(digital(2), channels)], sop_class=sop_class)
        assert "holds no ECG lead: it has 'Signal 1' in uV, 'Signal 2' in mV;" in refusal(path)
        channels[1] = channel("y", "99MINE", "ECG", "mV")
        path = write(tmp_path / "x.dcm", [group(digital(2), channels)], sop_class=sop_class)
        assert open_dicom(path).leads == ("ECG",)

    def test_a_voltage_without_unit(self, tmp_path):
        one = channel(ChannelSensitivityUnitsSequence=None)
        path = write(tmp_path / "x.dcm", [group(digital(1), [one])])
        assert "holds no ECG lead: it has 'II' in no unit" in refusal(path)


class TestStartAndNotes:
    @pytest.mark.parametrize(
        ("given_text", "start"),
        [
            ("20240229101112", datetime.datetime(2024, 2, 29, 10, 11, 12)),
            ("20240229101112.5-0800", datetime.datetime(2024, 2, 29, 10, 11, 12, 500_000)),
            ("2024", None),
            ("", None),
            ("20230229101112", None),
        ],
    )
    def test_start(self, tmp_path, given_text, start):
        path = write(tmp_path / "x.dcm", [group(digital(1), [channel()])])
        dataset = pydicom.dcmread(path)
        dataset["AcquisitionDateTime"]._value = given_text
        dataset.save_as(path)
        assert open_dicom(path).start == start

    def test_nothing_of_the_patient_is_kept(self, ecg):
        source = open_dicom(ecg)
        assert dict(source.notes) == {"device": "Maker M 12"}
        kept = repr(vars(source)).replace(str(ecg), "")
        for personal in ("Mustermann", "Erika", "998877", "1951", "Nowhere"):
            assert personal not in kept


@settings(deadline=None, max_examples=40)
@given(
    n_channels=st.integers(1, 5),
    chunk=st.sampled_from([1, 30, 200_000]),
    part=st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted),
    data=st.data(),
)
def test_any_part_is_a_slice(tmp_path_factory, n_channels, chunk, part, data):
    values = digital(n_channels, 90)
    channels = [channel(f"2:{number}") for number in range(1, n_channels + 1)]
    path = write(tmp_path_factory.mktemp("parts") / "x.dcm", [group(values, channels)])
    columns = data.draw(st.lists(st.integers(0, n_channels - 1), max_size=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "CHUNK_VALUES", chunk)
        found = open_dicom(path).read(*part, columns)
    assert found.shape == (part[1] - part[0], len(columns))
    expected = (values * 2.5e-3).astype(np.float32)[part[0] : part[1], columns]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("undefined", [False, True])
def test_memory_does_not_grow_with_the_file(tmp_path, undefined):
    channels = [channel("2:1"), channel("2:2")]
    path = write(tmp_path / "x.dcm", [group(digital(2, 3_000_000), channels)], undefined=undefined)
    check_memory(lambda: open_dicom(path), 2, 2_000_000)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"NumberOfWaveformSamples": 401}, "holds 1600 bytes of samples, but promises 401"),
            ({"NumberOfWaveformSamples": 2**32 - 1}, "promises 4294967295 samples of 2 channels"),
            (
                {"NumberOfWaveformSamples": 0},
                "says that its ECG has 0 samples; expected at least 1",
            ),
            ({"NumberOfWaveformSamples": None}, "says that its ECG has 0 samples"),
            ({"NumberOfWaveformChannels": 3}, "has 3 channels, but describes 2"),
            ({"NumberOfWaveformChannels": 0}, "has 0 channels, but describes 2"),
            ({"NumberOfWaveformChannels": None}, "has 0 channels, but describes 2"),
            ({"SamplingFrequency": "0"}, "a sampling frequency of 0 Hz"),
            ({"SamplingFrequency": "-500"}, "a sampling frequency of -500 Hz"),
            ({"SamplingFrequency": "1000000"}, "a sampling frequency of 1e+06 Hz"),
            ({"SamplingFrequency": None}, "a sampling frequency of 0 Hz"),
            ({"WaveformData": None}, "holds 0 bytes of samples, but promises 400 samples"),
            ({"WaveformBitsAllocated": None}, "stores its samples as 0 bits, SS"),
            ({"WaveformSampleInterpretation": None}, "stores its samples as 16 bits, not said how"),
            ({"ChannelDefinitionSequence": None}, "holds no ECG lead: it has no channels"),
            ({"ChannelDefinitionSequence": Sequence()}, "holds no ECG lead: it has no channels"),
        ],
    )
    def test_of_a_group(self, tmp_path, changes, says):
        channels = [channel("2:1"), channel("2:2")]
        path = write(tmp_path / "x.dcm", [group(digital(2), channels, **changes)])
        assert says in refusal(path)

    def test_an_unsound_rhythm_is_not_passed_by_for_a_sound_beat(self, tmp_path):
        groups = [
            group(digital(1, 600), [channel()]),
            group(digital(1, 5000), [channel()], NumberOfWaveformSamples=None),
        ]
        assert "its ECG has 0 samples" in refusal(write(tmp_path / "x.dcm", groups))

    @pytest.mark.parametrize("value", [b"abc ", b"1\\2 ", b"nan ", b"inf ", b"    "])
    def test_text_where_numbers_belong(self, ecg, value):
        ecg.write_bytes(ecg.read_bytes().replace(b"DS\x04\x00500 ", b"DS\x04\x00" + value))
        said = refusal(ecg)
        assert "is damaged: it has elements that" in said or "a sampling frequency of" in said

    @pytest.mark.parametrize("groups", [None, []])
    def test_no_waveform(self, tmp_path, groups):
        path = write(tmp_path / "x.dcm", groups, others=None)
        assert is_dicom(path)
        assert "holds no waveform; expected a DICOM ECG" in refusal(path)

    def test_an_image(self):
        path = Path(pydicom.examples.get_path("ct"))
        assert is_dicom(path)
        assert "holds no waveform; expected a DICOM ECG" in refusal(path)

    @pytest.mark.parametrize("undefined", [False, True])
    @pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
    def test_a_file_cut_short_anywhere(self, tmp_path, syntax, undefined):
        path = tmp_path / "x.dcm"
        values = digital(2, 20)
        write(path, [group(values, [channel("2:1"), channel()])], syntax, undefined=undefined)
        content = path.read_bytes()
        waveforms = content.index(b"\x00\x54\x00\x01")
        for n_bytes in range(len(content)):
            path.write_bytes(content[:n_bytes])
            said = refusal(path)
            if n_bytes >= waveforms + 12:
                assert "is cut short" in said or "is damaged" in said

    def test_bytes_turned_over_never_end_otherwise(self, tmp_path):
        path = write(tmp_path / "x.dcm", [group(digital(2, 20), [channel("2:1"), channel()])])
        content = path.read_bytes()
        random = np.random.default_rng(7)
        refusals = []
        for _ in range(800):
            changed = bytearray(content)
            for at in random.integers(132, len(content), size=random.integers(1, 6)):
                changed[at] = random.choice([0, 1, 32, 65, 127, 255])
            path.write_bytes(bytes(changed))
            try:
                source = open_dicom(path)
                assert source.read().shape == (source.n_samples, len(source.leads))
            except RecordingError as error:
                refusals.append(str(error))
        assert not any("\n" in said for said in refusals)
        assert 50 < len(refusals) < 790

    def test_a_length_far_beyond_the_file_allocates_nothing(self, ecg):
        content = ecg.read_bytes()
        at = content.index(b"\x00\x54\x10\x10OW\0\0") + 8
        ecg.write_bytes(content[:at] + b"\xf0\xff\xff\xff" + content[at + 4 :])
        tracemalloc.start()
        try:
            source = open_dicom(ecg)
            assert source.read().shape == (400, 2)
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    def test_a_length_and_a_count_far_beyond_the_file(self, ecg):
        content = ecg.read_bytes()
        at = content.index(b"\x00\x54\x10\x10OW\0\0") + 8
        content = content[:at] + b"\xf0\xff\xff\xff" + content[at + 4 :]
        old = b"\x3a\x00\x10\x00UL\x04\x00" + (400).to_bytes(4, "little")
        assert old in content
        ecg.write_bytes(content.replace(old, old[:-4] + (10**9).to_bytes(4, "little")))
        assert "holds 1600 bytes of samples, but promises 1000000000 samples" in refusal(ecg)

    def test_a_length_that_pydicom_would_read(self, tmp_path):
        path = tmp_path / "x.dcm"
        one = group(digital(1), [channel()])
        write(path, [one], IMPLICIT, SpecificCharacterSet="ISO_IR 192")
        old = b"\x08\x00\x05\x00" + (10).to_bytes(4, "little")
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, old[:-4] + b"\xf0\xff\xff\xff"))
        tracemalloc.start()
        try:
            refusal(path)
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(
        "content",
        [b"", b"\0" * 128 + b"DIC", b"0       ", b"ISHNE1.0" + bytes(600), b"time,II\n" * 90],
    )
    def test_other_files(self, tmp_path, content):
        path = tmp_path / "x.dcm"
        path.write_bytes(content)
        assert not is_dicom(path)
        assert "is no DICOM file: it begins with b'" in refusal(path, UnsupportedFormat)

    def test_a_preamble_alone(self, tmp_path):
        (tmp_path / "x.dcm").write_bytes(bytes(128) + b"DICM")
        assert "has the transfer syntax 'none'" in refusal(tmp_path / "x.dcm")

    @pytest.mark.parametrize("name", ["missing.dcm", ".", "x" * 5000, "nul\0byte"])
    def test_what_is_no_file(self, tmp_path, name):
        assert not is_dicom(tmp_path / name)
        expected = "is a folder" if name == "." else "there is no recording"
        assert expected in refusal(tmp_path / name)

    def test_a_file_that_shrinks_after_it_was_opened(self, ecg):
        source = open_dicom(ecg)
        ecg.write_bytes(ecg.read_bytes()[:-2])
        assert source.read(0, 399).shape == (399, 2)
        with pytest.raises(RecordingError, match="no longer holds samples 0 to 400"):
            source.read()


def test_one_sample(tmp_path):
    path = write(tmp_path / "x.dcm", [group(np.array([[400]], "<i2"), [channel()])])
    np.testing.assert_allclose(open_dicom(path).read(), [[1.0]])


def test_without_pydicom_it_says_what_to_install(ecg):
    code = f"""
import sys
sys.modules['pydicom'] = sys.modules['pydicom.filereader'] = None
from ectopy.errors import MissingExtra
from ectopy.readers.dicom import is_dicom, open_dicom
print(is_dicom({str(ecg)!r}))
try:
    open_dicom({str(ecg)!r})
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "True",
        "DICOM files need pydicom; install it with: pip install 'ectopy[dicom]'",
    ]
