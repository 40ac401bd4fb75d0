"""EDF, EDF+ and BDF files that are read part by part."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import edfio
import numpy as np
import pytest
from edf_files import annotations, header, onsets, write_edf
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import check_memory

from ectopy.errors import RecordingError
from ectopy.readers import edf_records
from ectopy.readers.edf import EDFSource, is_edf, open_edf
from ectopy.readers.upsampling import upsampled

MV = 0.0001  # of a digital value, with the default ranges


def wave(n: int, fs: float, mv: float = 1.0) -> np.ndarray:
    return mv * np.sin(2 * np.pi * 3 * np.arange(n) / fs)


@pytest.fixture
def written(tmp_path) -> Path:
    """A file of two leads, respiration and annotations that edfio wrote."""
    signals = [
        edfio.EdfSignal(wave(2560, 256), 256, label="ECG II", physical_dimension="mV"),
        edfio.EdfSignal(1000 * wave(2560, 256, 0.3), 256, label="EKG V5", physical_dimension="uV"),
        edfio.EdfSignal(wave(320, 32), 32, label="Resp chest", physical_dimension="V"),
        edfio.EdfSignal(97 + wave(10, 1), 1, label="SaO2", physical_dimension="%"),
    ]
    file = edfio.Edf(
        signals,
        patient=edfio.Patient(code="MCH-77", name="Doe_Jane", birthdate=datetime.date(1951, 5, 2)),
        recording=edfio.Recording(
            startdate=datetime.date(2002, 3, 2),
            hospital_administration_code="PSG-9",
            investigator_technician_code="Smith",
            equipment_code="Telemetry_03",
        ),
        starttime=datetime.time(11, 25, 9, 250_000),
        annotations=[edfio.EdfAnnotation(2.5, None, "lights off")],
    )
    file.write(tmp_path / "night.edf")
    return tmp_path / "night.edf"


class TestWhatEdfioWrote:
    def test_leads_are_what_edfio_reads(self, written):
        source = open_edf(written)
        assert source.leads == ("II", "V5")
        assert (source.fs, source.n_samples, source.name) == (256.0, 2560, "night")
        given_signals = edfio.read_edf(written).signals
        expected = np.stack([given_signals[0].data, given_signals[1].data / 1000], axis=1)
        found = source.read()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_start_is_to_the_fraction_of_a_second(self, written):
        assert open_edf(written).start == datetime.datetime(2002, 3, 2, 11, 25, 9, 250_000)

    def test_nothing_of_the_patient_or_staff_is_kept(self, written):
        source = open_edf(written)
        assert dict(source.notes) == {
            "device": "Telemetry 03",
            "left out": "Resp chest (no ECG), SaO2 (no voltage)",
        }
        kept = repr(source) + repr(vars(source)) + repr(pickle.dumps(source))
        for personal in ("MCH", "Doe", "Jane", "1951", "PSG-9", "Smith", "lights"):
            assert personal not in kept.replace(str(written), "")

    def test_a_recorder_that_is_not_named(self, tmp_path):
        signal = edfio.EdfSignal(wave(200, 100), 100, label="ECG", physical_dimension="mV")
        edfio.Edf([signal], annotations=[edfio.EdfAnnotation(0, None, "x")]).write(
            tmp_path / "x.edf"
        )
        assert dict(open_edf(tmp_path / "x.edf").notes) == {}

    def test_the_recording_is_the_whole(self, written):
        recording = open_edf(written).recording()
        np.testing.assert_array_equal(recording.signal_mv, open_edf(written).read())
        assert recording.leads == ("II", "V5")

    def test_plain_edf(self, tmp_path):
        signal = edfio.EdfSignal(
            wave(2000, 200), 200, label="ECG", physical_dimension="mV", physical_range=(-2, 2)
        )
        edfio.Edf([signal]).write(tmp_path / "plain.edf")
        source = open_edf(tmp_path / "plain.edf")
        assert source.leads == ("ECG",)
        np.testing.assert_allclose(source.read()[:, 0], signal.data, atol=1e-6)

    @pytest.mark.parametrize("range_mv", [(-5, 5), (-8.3886, 0.1)])
    def test_bdf(self, tmp_path, range_mv):
        random = np.random.default_rng(2)
        data = random.uniform(*range_mv, 3000)
        signals = [
            edfio.BdfSignal(
                data, 500, label="ECG I", physical_dimension="mV", physical_range=range_mv
            )
        ]
        file = edfio.Bdf(signals, annotations=[edfio.EdfAnnotation(1, None, "x")])
        file.write(tmp_path / "a.bdf")
        assert is_edf(tmp_path / "a.bdf")
        source = open_edf(tmp_path / "a.bdf")
        assert (source.leads, source.fs, source.n_samples) == (("I",), 500.0, 3000)
        np.testing.assert_allclose(source.read()[:, 0], data, atol=2e-6)
        np.testing.assert_array_equal(source.read(1234, 1239), source.read()[1234:1239])

    def test_records_of_a_fraction_of_a_second(self, tmp_path):
        signals = [
            edfio.EdfSignal(wave(1250, 250), 250, label="ECG", physical_dimension="mV"),
        ]
        edfio.Edf(signals, data_record_duration=0.1).write(tmp_path / "x.edf")
        source = open_edf(tmp_path / "x.edf")
        assert (source.fs, source.n_samples) == (250.0, 1250)


@settings(deadline=None, max_examples=60)
@given(
    counts=st.lists(st.sampled_from([1, 2, 3, 5, 50, 60, 100]), min_size=1, max_size=4),
    n_records=st.integers(1, 7),
    chunk=st.sampled_from([1, 7, 250, 200_000]),
    data=st.data(),
)
def test_any_part_of_any_layout_is_a_slice(tmp_path_factory, counts, n_records, chunk, data):
    path = tmp_path_factory.mktemp("layout") / "x.edf"
    signals = [{"label": f"V{n}", "n_samples": count} for n, count in enumerate(counts, start=1)]
    values = write_edf(path, signals, n_records=n_records)
    most = max(counts)
    with pytest.MonkeyPatch.context() as patch:
        whole = open_edf(path).read()
        patch.setattr(edf_records, "CHUNK_VALUES", chunk)
        patch.setattr("ectopy.readers.edf.CHUNK_VALUES", chunk)
        source = open_edf(path)
        assert (source.fs, source.n_samples) == (most, n_records * most)
        first, stop = sorted(data.draw(st.tuples(*[st.integers(0, n_records * most)] * 2)))
        columns = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=4))
        part = source.read(first, stop, columns)
        assert part.shape == (stop - first, len(columns))
        np.testing.assert_array_equal(part, whole[first:stop, columns])
    for column, count in enumerate(counts):
        given_mv = (values[column] * MV).astype(np.float32)
        common = np.gcd(most, count)
        kept = whole[:: most // common, column]
        np.testing.assert_allclose(kept, given_mv[:: count // common], atol=2e-6)
        if count < most:
            expected = upsampled(given_mv, most // common, count // common)
            np.testing.assert_allclose(whole[:, column], expected, atol=2e-6)


def test_slower_leads_are_named(tmp_path):
    write_edf(tmp_path / "x.edf", [{"label": "I"}, {"label": "II", "n_samples": 25}])
    assert open_edf(tmp_path / "x.edf").notes["brought to one fs"] == "II from 25 Hz"


def test_records_too_large_to_be_read_whole(tmp_path):
    signals = [{"label": "I", "n_samples": 250_000}, {"label": "II", "n_samples": 250_000}]
    values = write_edf(tmp_path / "x.edf", signals, n_records=2, record_s=1000)
    source = open_edf(tmp_path / "x.edf")
    assert (source.fs, source.n_samples) == (250.0, 500_000)
    expected = (np.stack(values, axis=1) * MV).astype(np.float32)
    np.testing.assert_allclose(source.read(), expected, atol=1e-6)
    np.testing.assert_allclose(source.read(399_990, 400_010, [1]), expected[399_990:400_010, 1:])


def test_memory_does_not_grow_with_the_file(tmp_path):
    n_records = 20_000
    signals = [{"label": f"V{n}"} for n in range(1, 4)]
    write_edf(tmp_path / "long.edf", signals, n_records=n_records)
    check_memory(lambda: open_edf(tmp_path / "long.edf"), 3)


class TestWhichSignals:
    @pytest.mark.parametrize(
        ("labels", "leads"),
        [
            (["ECG", "Resp", "EEG Fpz-Cz"], ("ECG",)),
            (["ECG I", "ECG II", "EOG left"], ("I", "II")),
            (["EKG", "ekg_V1", "Lead aVF"], ("EKG", "V1", "aVF")),
            (["II", "II", "II", "x"], ("II", "II-2", "II-3")),
            (["ECG1", "ECG2", "EMG chin"], ("ECG1", "ECG2")),
            (["CH 1", "CH 2", "Chest"], ("CH 1", "CH 2")),
            (["Fp1-A2", "C3", "mine"], ("mine",)),
            (["", ""], ("1", "2")),
            (["MLII", "V5"], ("MLII", "V5")),
            (["V5", "ECGsync"], ("V5",)),
        ],
    )
    def test_by_label(self, tmp_path, labels, leads):
        values = write_edf(tmp_path / "x.edf", [{"label": label} for label in labels])
        source = open_edf(tmp_path / "x.edf")
        assert source.leads == leads
        first = next(i for i, label in enumerate(labels) if leads[0] in label or not label)
        np.testing.assert_allclose(source.read()[:, 0], values[first] * MV, atol=1e-6)

    @pytest.mark.parametrize(
        ("unit", "factor"),
        [
            ("mV", 1),
            ("uV", 1e-3),
            (b"\xb5V", 1e-3),
            ("µV".encode(), 1e-3),
            ("V", 1e3),
            ("nV", 1e-6),
        ],
    )
    def test_by_unit(self, tmp_path, unit, factor):
        values = write_edf(tmp_path / "x.edf", [{"unit": unit}, {"label": "ECG", "unit": "mmHg"}])
        source = open_edf(tmp_path / "x.edf")
        assert source.leads == ("II",)
        np.testing.assert_allclose(source.read()[:, 0], values[0] * MV * factor, rtol=1e-4)
        assert source.notes["left out"] == "ECG (no voltage)"

    @pytest.mark.parametrize(
        ("label", "lead"),
        [
            ("ECG Übung".encode("latin-1"), "Übung"),
            ("ECG Übung".encode(), "Übung"),
            (b"ECG a\nb\0c\x1b", "a b c"),
        ],
    )
    def test_names_beyond_ascii_are_in_one_line(self, tmp_path, label, lead):
        write_edf(tmp_path / "x.edf", [{"label": label}])
        assert open_edf(tmp_path / "x.edf").leads == (lead,)

    def test_a_signal_without_samples_is_no_lead(self, tmp_path):
        write_edf(tmp_path / "x.edf", [{"n_samples": 0}, {"label": "V1"}])
        assert open_edf(tmp_path / "x.edf").leads == ("V1",)


class TestStart:
    @pytest.mark.parametrize(
        ("changes", "start"),
        [
            ({"reserved": ""}, datetime.datetime(2001, 4, 17, 11, 25, 9)),
            ({"date": "01.01.85"}, datetime.datetime(1985, 1, 1, 11, 25, 9)),
            ({"date": "01.01.84"}, datetime.datetime(2084, 1, 1, 11, 25, 9)),
            ({"date": "2/3/02", "time": "1:2:3"}, datetime.datetime(2002, 3, 2, 1, 2, 3)),
            ({"reserved": "EDF+C"}, datetime.datetime(2002, 4, 17, 11, 25, 9)),
            ({"date": "01.01.85", "time": "00.00.00"}, None),
            ({"reserved": "EDF+C", "recording": "Startdate X X X X"}, None),
            ({"date": "00.00.00"}, None),
            ({"date": "yesterda"}, None),
            ({"time": "25.00.00"}, None),
        ],
    )
    def test_as_the_header_says(self, tmp_path, changes, start):
        write_edf(tmp_path / "x.edf", [{}], **changes)
        assert open_edf(tmp_path / "x.edf").start == start


class TestGaps:
    @pytest.fixture
    def gaps(self, tmp_path) -> tuple[Path, np.ndarray]:
        signals = [{"n_samples": 10}, annotations()]
        values = np.arange(60).reshape(6, 10)
        path = tmp_path / "gaps.edf"
        times = onsets([0.5, 1.5, 10, 11, 12.002, 7])
        write_edf(path, signals, [values, times], n_records=6, reserved="EDF+D")
        return path, values.reshape(-1) * MV

    def test_are_never_read_across(self, gaps):
        with pytest.raises(RecordingError) as caught:
            open_edf(gaps[0])
        assert str(caught.value) == (
            "gaps.edf has gaps: of its 3 parts without gaps, 1 from 0.5 s to 2.5 s, 2 from 10 s to "
            "13 s, 3 from 7 s to 8 s; open one of them by its number (--part 1, "
            "or part=1), or split the file"
        )

    @pytest.mark.parametrize(
        ("part", "inside", "onset_s"),
        [(1, slice(0, 20), 0.5), (2, slice(20, 50), 10), (3, slice(50, 60), 7)],
    )
    def test_a_part_is_a_recording(self, gaps, part, inside, onset_s):
        source = open_edf(gaps[0], part=part)
        assert source.name == f"gaps-part{part}"
        np.testing.assert_allclose(source.read()[:, 0], gaps[1][inside], atol=1e-6)
        start = datetime.datetime(2002, 4, 17, 11, 25, 9) + datetime.timedelta(seconds=onset_s)
        assert source.start == start

    @pytest.mark.parametrize("part", [0, 4, -1])
    def test_a_part_that_is_not_there(self, gaps, part):
        with pytest.raises(RecordingError, match=f"has no part {part}: of its 3 parts"):
            open_edf(gaps[0], part=part)

    @pytest.mark.parametrize("kind", ["EDF+C", "EDF+D"])
    def test_a_file_without_any(self, tmp_path, kind):
        path = tmp_path / "x.edf"
        write_edf(path, [{}, annotations()], [np.ones((4, 100)), onsets([0, 1, 2, 3])],
                  n_records=4, reserved=kind)  # fmt: skip
        for source in (open_edf(path), open_edf(path, part=1)):
            assert (source.name, source.n_samples) == ("x", 400)

    def test_in_a_file_that_says_it_has_none(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{}, annotations()], [np.ones((4, 100)), onsets([0, 1, 5, 6])],
                  n_records=4, reserved="EDF+C")  # fmt: skip
        with pytest.raises(RecordingError, match=r"1 from 0 s to 2 s, 2 from 5 s to 7 s"):
            open_edf(path)
        assert open_edf(path, part=2).n_samples == 200

    @pytest.mark.parametrize("gap_s", [0.02, 0.4, 3600])
    def test_of_more_than_a_sample_part_a_file(self, tmp_path, gap_s):
        path = tmp_path / "x.edf"
        write_edf(path, [{}, annotations()], [np.ones((3, 100)), onsets([0, 1, 2 + gap_s])],
                  reserved="EDF+C")  # fmt: skip
        with pytest.raises(RecordingError, match="has gaps: of its 2 parts"):
            open_edf(path)

    def test_a_clock_that_drifts_is_none(self, tmp_path):
        path = tmp_path / "x.edf"
        n = 1000
        times = onsets([1.001 * record for record in range(n)])
        write_edf(path, [{}, annotations()], [np.ones((n, 100)), times],
                  n_records=n, reserved="EDF+D")  # fmt: skip
        assert open_edf(path).n_samples == 100 * n

    def test_many_parts_in_one_line(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{}, annotations()], [np.ones((9, 100)), onsets(list(range(0, 90, 10)))],
                  n_records=9, reserved="EDF+D")  # fmt: skip
        with pytest.raises(RecordingError, match=r"of its 9 parts .* 4 from 30 s to 31 s, \.\.\.;"):
            open_edf(path)

    @pytest.mark.parametrize(
        "times", [b"\0" * 40, b"+x\x14\x14".ljust(40), b"+1\x15\x14".ljust(40)]
    )
    def test_records_that_do_not_say_when_they_begin(self, tmp_path, times):
        path = tmp_path / "x.edf"
        stated = np.concatenate([onsets([0, 1]), np.frombuffer(times, "<i2").reshape(1, 20)])
        write_edf(path, [{}, annotations()], [np.ones((3, 100)), stated], reserved="EDF+D")
        with pytest.raises(RecordingError, match="its data record 3 does not say when it begins"):
            open_edf(path)

    def test_no_annotation_signal(self, tmp_path):
        write_edf(tmp_path / "x.edf", [{}], reserved="EDF+D")
        with pytest.raises(RecordingError, match="its data record 1 does not say when it begins"):
            open_edf(tmp_path / "x.edf")


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        open_edf(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    return str(caught.value)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"n_records": 0}, "x.edf holds no data record"),
            ({"n_records": 4}, "it holds 3 data records of 200 bytes, but its header promises 4"),
            ({"n_records": 99999999}, "promises 99999999"),
            ({"n_records": -2}, "'-2' is no number of data records"),
            ({"n_records": "three"}, "'three' is no number of data records"),
            ({"n_records": ""}, "'' is no number of data records"),
            ({"n_signals": 0}, "'0' is no number of signals"),
            ({"n_signals": -1}, "'-1' is no number of signals"),
            ({"n_signals": "1e3"}, "'1e3' is no number of signals"),
            ({"n_signals": 9999}, "says that its header has 512 bytes; expected 2560000 for 9999"),
            (
                {"n_signals": 9999, "n_bytes": 2560000},
                "its header has 1112 bytes; expected 2560000",
            ),
            ({"n_bytes": 99999999}, "says that its header has 99999999 bytes; expected 512"),
            ({"n_bytes": "many"}, "'many' is no size of the header"),
            ({"record_s": 0}, "gives its data records no duration"),
            ({"record_s": -1}, "'-1' is no duration of a data record"),
            ({"record_s": "nan"}, "'nan' is no duration of a data record"),
            ({"record_s": "1/3"}, "'1/3' is no duration of a data record"),
            ({"record_s": "1e9999"}, "'1e9999' is no duration of a data record"),
            ({"record_s": 0.0001}, "gives a lead 100 samples in 0.0001 s; expected at most 100000"),
        ],
    )
    def test_of_the_header(self, tmp_path, changes, says):
        write_edf(tmp_path / "x.edf", [{}], [np.ones((3, 100))], **changes)
        assert says in refusal(tmp_path / "x.edf")

    @pytest.mark.parametrize(
        ("signal", "says"),
        [
            ({"n_samples": "text"}, "'text' is no samples in a record of signal 1 ('ECG II')"),
            ({"n_samples": -5}, "'-5' is no samples in a record"),
            ({"n_samples": 99999999}, "holds 0 data records of 199999998 bytes"),
            ({"physical_min": "low"}, "has the range low to 3.2767 mV for digital values -32768"),
            ({"physical_max": "inf"}, "has the range -3.2768 to inf mV"),
            ({"physical_max": "9e99999"}, "has the range -3.2768 to 9e99999 mV"),
            ({"physical_max": "1e38"}, "has the range -3.2768 to 1e38 mV"),
            ({"physical_max": "-3.2768"}, "two different numbers"),
            ({"digital_max": "-32768"}, "two ascending whole numbers"),
            ({"digital_max": "-40000"}, "two ascending whole numbers"),
            ({"digital_min": "0.5"}, "two ascending whole numbers"),
            ({"digital_min": ""}, "two ascending whole numbers"),
            ({"unit": "bpm"}, "holds no ECG lead: it has 'ECG II' in bpm; expected a signal in mV"),
            ({"unit": ""}, "holds no ECG lead: it has 'ECG II' in no unit"),
            ({"label": "EEG Cz"}, "holds no ECG lead: it has 'EEG Cz' in mV"),
            ({"n_samples": 0}, "holds no ECG lead"),
        ],
    )
    def test_of_a_signal(self, tmp_path, signal, says):
        write_edf(tmp_path / "x.edf", [signal], [np.ones((3, 100))])
        assert says in refusal(tmp_path / "x.edf")

    def test_annotations_alone(self, tmp_path):
        write_edf(tmp_path / "x.edf", [annotations()], [onsets([0, 1, 2])], record_s=0)
        assert "holds no ECG lead: it has annotations alone" in refusal(tmp_path / "x.edf")

    def test_signals_beyond_counting_in_one_short_line(self, tmp_path):
        write_edf(tmp_path / "x.edf", [{"unit": "bar", "n_samples": 1}] * 500)
        assert "'ECG II' in bar and 494 more; expected" in refusal(tmp_path / "x.edf")

    def test_sampling_frequencies_too_far_apart(self, tmp_path):
        signals = [{"label": "I", "n_samples": 5003}, {"label": "II", "n_samples": 10}]
        write_edf(tmp_path / "x.edf", signals)
        said = refusal(tmp_path / "x.edf")
        assert "'II' at 10 Hz, which cannot be brought to the 5003 Hz of another" in said

    def test_a_file_cut_short_anywhere(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{"n_samples": 4}, {"label": "V1", "n_samples": 3}])
        content = path.read_bytes()
        for n_bytes in range(len(content)):
            path.write_bytes(content[:n_bytes])
            said = refusal(path)
            assert ("is cut short" in said) == (n_bytes >= 8)
            assert ("is no EDF or BDF file" in said) == (n_bytes < 8)

    def test_bytes_turned_over_never_end_otherwise(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{"n_samples": 4}, annotations()], reserved="EDF+D",
                  values=[np.ones((3, 4)), onsets([0, 1, 2])])  # fmt: skip
        content = path.read_bytes()
        random = np.random.default_rng(5)
        refusals = []
        for _ in range(600):
            changed = bytearray(content)
            for at in random.integers(0, len(content), size=random.integers(1, 5)):
                changed[at] = random.choice([0, 32, 45, 48, 57, 65, 255])
            path.write_bytes(bytes(changed))
            try:
                source = open_edf(path)
                assert source.read().shape == (source.n_samples, len(source.leads))
            except RecordingError as error:
                refusals.append(str(error))
        assert not any("\n" in said for said in refusals)
        assert 50 < len(refusals) < 550

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"0",
            b"0       ",
            b"0       1.5\n1       1.6\n" * 20,
            b"ISHNE1.0" + b"\0" * 600,
            b"\0" * 128 + b"DICM" + b"\0" * 400,
            b"time,II\n0,1\n",
            b"100 2 360 650000\n",
        ],
    )
    def test_other_files(self, tmp_path, content):
        path = tmp_path / "x.edf"
        path.write_bytes(content)
        assert is_edf(path) == (content == b"0       ")
        assert "get the file again" in refusal(path) or "is no EDF or BDF file" in refusal(path)

    @pytest.mark.parametrize("name", ["missing.edf", ".", "x" * 5000, "nul\0byte"])
    def test_what_is_no_file(self, tmp_path, name):
        assert not is_edf(tmp_path / name)
        expected = "is a folder" if name == "." else "there is no recording"
        assert expected in refusal(tmp_path / name)

    def test_a_file_that_shrinks_after_it_was_opened(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{}])
        source = open_edf(path)
        path.write_bytes(path.read_bytes()[:-100])
        assert source.read(0, 200).shape == (200, 1)
        with pytest.raises(RecordingError, match="no longer holds all the data records"):
            source.read(0, 201)
        path.unlink()
        with pytest.raises(RecordingError, match=r"cannot read a part of 'x' \(10 samples\)"):
            source.read(0, 10)


class TestOddButReadable:
    def test_a_recording_that_goes_on(self, tmp_path):
        path = tmp_path / "x.edf"
        values = write_edf(path, [{}], n_records=-1)[0]
        path.write_bytes(path.read_bytes() + b"\1\2\3")
        source = open_edf(path)
        assert source.n_samples == 300
        np.testing.assert_allclose(source.read()[:, 0], values * MV, atol=1e-6)

    def test_bytes_behind_the_last_record(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{}])
        path.write_bytes(path.read_bytes() + bytes(5000))
        assert open_edf(path).n_samples == 300

    def test_one_sample(self, tmp_path):
        write_edf(tmp_path / "x.edf", [{"n_samples": 1}], [np.full((1, 1), 1000)], n_records=1)
        source = open_edf(tmp_path / "x.edf")
        assert (source.n_samples, source.fs) == (1, 1.0)
        np.testing.assert_allclose(source.read(), [[0.1]], atol=1e-6)

    def test_an_electrode_the_other_way_round(self, tmp_path):
        signal = {"physical_min": "3.2767", "physical_max": "-3.2768"}
        values = write_edf(tmp_path / "x.edf", [signal])[0]
        found = open_edf(tmp_path / "x.edf").read()[:, 0]
        np.testing.assert_allclose(found, -(values + 1) * MV, atol=1e-6)

    def test_fields_filled_with_zero_bytes(self, tmp_path):
        path = tmp_path / "x.edf"
        path.write_bytes(header([{}]).replace(b"mV  ", b"mV\0\0") + bytes(600))
        assert open_edf(path).leads == ("II",)

    def test_a_type_says_so_much(self, tmp_path):
        write_edf(tmp_path / "x.edf", [{}])
        source = open_edf(tmp_path / "x.edf")
        assert isinstance(source, EDFSource)
        again = pickle.loads(pickle.dumps(source))  # noqa: S301
        np.testing.assert_array_equal(again.read(5, 9), source.read(5, 9))
