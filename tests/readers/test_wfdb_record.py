"""Reading WFDB records, good and bad."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import read


def refusal(path: str | Path, kind: type[Exception] = RecordingError) -> str:
    with pytest.raises(kind) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def edit(header: Path, old: str, new: str) -> None:
    text = header.read_text(encoding="utf-8")
    assert old in text
    header.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("given", ["rec", "rec.hea", "rec.dat", "rec.atr"])
def test_any_file_of_a_record_or_its_name_will_do(write_record, digital, given):
    folder = write_record().parent
    recording = read(folder / given)
    assert (recording.name, recording.fs, recording.leads) == ("rec", 360.0, ("MLII", "V5"))
    assert recording.start is None
    assert recording.signal_mv.dtype == np.float32
    np.testing.assert_allclose(recording.signal_mv[:, 0], digital[:, 0] / 200, rtol=1e-6)
    np.testing.assert_allclose(recording.signal_mv[:, 1], (digital[:, 1] - 20) / 100, rtol=1e-6)


FORMATS = ["8", "16", "24", "32", "61", "80", "160", "212", "310", "311"]


def write_bytes(folder: Path, fmt: str, n_samples: int, n_signals: int = 2) -> Path:
    """Write a record of random bytes, of which any format can make samples."""
    words = np.random.default_rng(2).integers(0, 2**32, size=n_samples * n_signals, dtype="<u4")
    if fmt == "311":
        words &= 2**30 - 1  # the two bits that this format leaves unused are zero
    (folder / "raw.dat").write_bytes(words.tobytes())
    line = f"raw.dat {fmt} 50 12 0 -3 0 0 II\n"
    (folder / "raw.hea").write_text(f"raw {n_signals} 360 {n_samples}\n" + line * n_signals)
    return folder / "raw.hea"


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("n_samples", [999, 1000, 1001])
@pytest.mark.parametrize("n_signals", [1, 2])
def test_every_format_gives_what_wfdb_gives(tmp_path, fmt, n_samples, n_signals):
    path = write_bytes(tmp_path, fmt, n_samples, n_signals)
    expected = wfdb.rdrecord(str(path.with_suffix(""))).p_signal.astype(np.float32)
    np.testing.assert_array_equal(read(path).signal_mv, expected)


def test_large_records_are_read_in_pieces(write_record):
    values = np.random.default_rng(3).integers(-2000, 2000, size=(700_001, 2))
    path = write_record(d_signal=values)
    expected = wfdb.rdrecord(str(path.with_suffix("")), return_res=32).p_signal
    np.testing.assert_array_equal(read(path).signal_mv, expected)


@pytest.mark.parametrize("fmt", ["8", "310"])
def test_pieces_fit_together_in_every_format(tmp_path, fmt):
    path = write_bytes(tmp_path, fmt, 400_001)
    expected = wfdb.rdrecord(str(path.with_suffix("")), return_res=32).p_signal
    np.testing.assert_array_equal(read(path).signal_mv, expected)


def test_real_records_read_as_wfdb_reads_them(mitdb_dir):
    for record in ("100", "114", "207"):
        expected = wfdb.rdrecord(str(mitdb_dir / record), return_res=32)
        recording = read(mitdb_dir / record)
        np.testing.assert_array_equal(recording.signal_mv, expected.p_signal)
        assert recording.leads == tuple(expected.sig_name)


@pytest.mark.parametrize("name", ["my rec.1", "Ärztin 2024-05.v2", "a::b", "100"])
def test_names_with_spaces_dots_and_letters_beyond_ascii(write_record, tmp_path, name, digital):
    write_record()
    folder = tmp_path / f"folder of {name}"
    folder.mkdir()
    for suffix in (".hea", ".dat"):
        (tmp_path / f"rec{suffix}").rename(folder / f"{name}{suffix}")
    header = folder / f"{name}.hea"
    text = header.read_text().replace("rec.dat", f"{name}.dat").replace("rec 2", f"{name} 2")
    header.write_text(text, encoding="utf-8")
    for given in (header, folder / name, str(folder / f"{name}.dat")):
        recording = read(given)
        assert recording.name == name
        assert recording.n_samples == len(digital)


def test_a_renamed_header_still_finds_its_signal_file(write_record, tmp_path):
    write_record().rename(tmp_path / "patient 7.hea")
    assert read(tmp_path / "patient 7").name == "patient 7"


def test_units_of_voltage_become_millivolts(write_record, digital):
    recording = read(write_record(units=["uV", "V"]))
    np.testing.assert_allclose(recording.signal_mv[:, 0], digital[:, 0] / 200e3, rtol=1e-6)
    np.testing.assert_allclose(recording.signal_mv[:, 1], (digital[:, 1] - 20) * 10.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("unit", "encoding"),
    [("\u00b5V", "utf-8"), ("\u03bcV", "utf-8"), ("\u00b5V", "latin-1")],
)
def test_the_micro_sign_in_any_spelling(write_record, digital, unit, encoding):
    path = write_record()
    edit(path, "200.0(0)/mV", f"200.0(0)/{unit}")
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    np.testing.assert_allclose(read(path).signal_mv[:, 0], digital[:, 0] / 200e3, rtol=1e-6)


def test_only_leads_that_measure_a_voltage_are_kept(write_record, digital):
    recording = read(write_record(units=["mmHg", "mV"], sig_name=["ABP", "V5"]))
    assert recording.leads == ("V5",)
    np.testing.assert_allclose(recording.signal_mv[:, 0], (digital[:, 1] - 20) / 100, rtol=1e-6)


def test_a_record_without_voltage_is_refused(write_record):
    assert refusal(write_record(units=["mmHg", "NU"])) == (
        "rec.hea describes no signal in mV, uV or V; an ECG lead must give its voltage unit"
    )


def test_missing_samples_are_nan(write_record, digital):
    digital[10:20, 0] = -2048
    signal = read(write_record(d_signal=digital)).signal_mv
    assert np.flatnonzero(np.isnan(signal[:, 0])).tolist() == list(range(10, 20))
    assert not np.isnan(signal[:, 1]).any()


def test_lead_names_are_unique_and_never_empty(write_record):
    path = write_record(sig_name=["II", "V5"])
    edit(path, " V5", " ii")
    assert read(path).leads == ("II", "ii-2")
    edit(path, " ii", "")
    assert read(path).leads == ("II", "lead 2")


@pytest.mark.parametrize(
    ("time", "start"),
    [
        (" 10:20:30.5 01/02/2023", datetime(2023, 2, 1, 10, 20, 30, 500_000)),
        (" 20:30 01/02/2023", datetime(2023, 2, 1, 0, 20, 30)),
        (" 10:20:30", None),
        (" 10:20:30 45/13/2023", None),
    ],
)
def test_the_start_is_given_where_the_header_has_time_and_day(write_record, time, start):
    path = write_record()
    edit(path, "360 1000", f"360 1000{time}")
    assert read(path).start == start


def test_skewed_signals_are_aligned(write_record, digital):
    path = write_record(fmt="16")
    edit(path, "rec.dat 16 100", "rec.dat 16:7 100")
    signal = read(path).signal_mv
    np.testing.assert_allclose(signal[:-7, 1], (digital[7:, 1] - 20) / 100, rtol=1e-6)
    assert np.isnan(signal[-7:, 1]).all()
    np.testing.assert_allclose(signal[:, 0], digital[:, 0] / 200, rtol=1e-6)


def test_of_several_samples_a_frame_none_is_lost(tmp_path):
    values = np.arange(30, dtype="<i2").reshape(10, 3)
    (tmp_path / "f.dat").write_bytes(values.tobytes())
    (tmp_path / "f.hea").write_text("f 2 100 10\nf.dat 16x2 1 16 0 0 0 0 I\nf.dat 16 1\n")
    recording = read(tmp_path / "f")
    assert (recording.fs, recording.n_samples) == (200.0, 20)
    np.testing.assert_allclose(recording.signal_mv[:, 0], values[:, :2].ravel())
    np.testing.assert_allclose(recording.signal_mv[::2, 1], values[:, 2])


def test_a_byte_offset_is_skipped(write_record, digital):
    path = write_record(fmt="16")
    data = path.with_suffix(".dat")
    data.write_bytes(b"x" * 512 + data.read_bytes())
    path.write_text(path.read_text().replace("rec.dat 16 ", "rec.dat 16+512 "))
    np.testing.assert_allclose(read(path).signal_mv[:, 0], digital[:, 0] / 200, rtol=1e-6)


def test_a_header_without_length_goes_by_the_file(write_record, digital):
    path = write_record()
    for length in ("360", "360 0"):
        edit(path, "360 1000" if "360 1000" in path.read_text() else "360", length)
        assert read(path).n_samples == len(digital)


def test_gain_and_units_left_out_are_200_per_millivolt(tmp_path):
    (tmp_path / "r.dat").write_bytes(np.array([0, 200, -400], "<i2").tobytes())
    (tmp_path / "r.hea").write_text("# a comment\nr 1\r\nr.dat 16\n")
    recording = read(tmp_path / "r")
    assert recording.fs == 250.0
    assert recording.signal_mv[:, 0].tolist() == [0.0, 1.0, -2.0]


def test_a_signal_file_longer_than_promised_is_fine(write_record, digital):
    path = write_record()
    with path.with_suffix(".dat").open("ab") as file:
        file.write(b"more")
    assert read(path).n_samples == len(digital)


# --- what is refused -----------------------------------------------------------------------------


def test_no_such_recording(tmp_path):
    assert refusal(tmp_path / "100") == (
        f"there is no recording {tmp_path}/100: no such file, and no WFDB header 100.hea; check "
        "the name and the folder"
    )
    assert refusal(tmp_path / "100.hea") == (
        f"there is no recording {tmp_path}/100.hea: no such file; check the name and the folder"
    )


@pytest.mark.parametrize(
    "address", ["https://physionet.org/files/mitdb/1.0.0/100", "s3://mitdb/100"]
)
def test_an_address_is_taken_for_a_file_name(address):
    assert refusal(address).startswith("there is no recording ")


def test_a_name_too_long_for_any_file(tmp_path):
    assert refusal(tmp_path / ("x" * 5000)).endswith(
        ": File name too long; check the file and its permissions"
    )


@pytest.mark.parametrize("path", ["", ".", ".."])
def test_a_folder_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(path).startswith(f"{Path(path)} is a folder; name one recording in it, such as ")


def test_a_folder_beside_a_record_of_its_name_does_not_hide_it(write_record, tmp_path):
    write_record()
    (tmp_path / "rec").mkdir()
    assert read(tmp_path / "rec").name == "rec"


def test_a_file_without_header_is_of_no_known_format(tmp_path):
    (tmp_path / "night.dat").write_bytes(bytes(range(256)))
    assert refusal(tmp_path / "night.dat", UnsupportedFormat) == (
        "ectopy reads WFDB, EDF, BDF, ISHNE, DICOM, HL7 aECG, CSV and other text, Parquet, NPY and "
        f"NPZ; {str(tmp_path / 'night.dat')!r} is none of them: give it in one of these formats"
    )


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "'nothing'"),
        (b"# only a comment\n", "'nothing'"),
        (b"\x00\x01\x02\xff" * 100, "'binary data'"),
        (bytes(range(160, 256)) * 40, "..."),
        (b"Dear Sir or Madam,\nplease find enclosed", "'Dear Sir or Madam,'"),
        (b"rec 2 360 -5\nrec.dat 16\nrec.dat 16", "'rec 2 360 -5'"),
        (b"rec 2 360 1e3\nrec.dat 16\nrec.dat 16", "'rec 2 360 1e3'"),
        (b"rec 1 360 " + b"9" * 5000 + b"\nrec.dat 16", "'rec 1 360 9999"),
        (b"rec 1 360 10\nrec.dat", "'rec.dat'"),
        (b"rec 1 360 10\nrec.dat 16 mV", "'rec.dat 16 mV'"),
        (b"rec 1 360 10\nrec.dat 16 200 12 x", "'rec.dat 16 200 12 x'"),
        (b"rec 1 360 10\nrec.dat 16x0 200", "'rec.dat 16x0 200'"),
        (b"rec 1 360 10\nrec.dat 16 1e999", "'rec.dat 16 1e999'"),
        (b"rec/1 1 360 10\nno-length", "'no-length'"),
    ],
)
def test_what_is_no_header(tmp_path, content, shown):
    (tmp_path / "rec.hea").write_bytes(content)
    message = refusal(tmp_path / "rec")
    start, _, rest = message.partition(" is not a WFDB header: cannot make sense of ")
    assert start == f"{tmp_path}/rec.hea"
    assert shown in rest
    assert rest.endswith("; expected lines such as '100 2 360 650000'")
    assert len(rest) < 120


def test_a_huge_file_is_no_header(tmp_path):
    with (tmp_path / "rec.hea").open("wb") as file:
        file.truncate(20_000_000)
    assert "cannot make sense of '20000000 bytes'" in refusal(tmp_path / "rec")


@pytest.mark.parametrize("fs", ["0", "-360", "1e9", "1e999"])
def test_an_unusable_sampling_frequency(write_record, fs):
    path = write_record()
    edit(path, "rec 2 360", f"rec 2 {fs}")
    assert refusal(path) == (
        f"rec.hea: sampling frequency {fs} Hz is not usable; "
        "expected more than 0 and at most 100000 Hz"
    )


@pytest.mark.parametrize("gain", ["1e-300", "-1e-16", "2e15"])
def test_an_unusable_gain(write_record, gain):
    path = write_record()
    edit(path, "rec.dat 212 200.0", f"rec.dat 212 {gain}")
    assert refusal(path) == (
        f"rec.hea: gain {gain} is not usable; expected 1e-15 to 1e15, correct the header"
    ).replace("2e15", "2e+15")


def test_no_signals(tmp_path):
    (tmp_path / "rec.hea").write_text("rec 0 360 1000\n")
    assert refusal(tmp_path / "rec") == (
        "rec.hea describes a record without signals; there is nothing to read"
    )


@pytest.mark.parametrize("length", ["", " 0"])
def test_no_samples(tmp_path, length):
    (tmp_path / "rec.dat").write_bytes(b"")
    (tmp_path / "rec.hea").write_text(f"rec 1 360{length}\nrec.dat 16\n")
    assert refusal(tmp_path / "rec") == (
        f"{tmp_path}/rec.hea describes a record without samples; there is nothing to read"
    )


def test_fewer_signals_than_promised(tmp_path):
    (tmp_path / "rec.hea").write_text("rec 999999999 360 10\nrec.dat 16\n")
    assert refusal(tmp_path / "rec") == (
        "rec.hea promises 999999999 signals but describes 1; the header is cut short, get it again"
    )


@pytest.mark.parametrize(
    ("fmt", "n_samples", "n_bytes", "held_one_byte_short"),
    [
        ("8", 999, 999, 998),
        ("16", 999, 1998, 998),
        ("24", 999, 2997, 998),
        ("32", 999, 3996, 998),
        ("61", 999, 1998, 998),
        ("80", 999, 999, 998),
        ("160", 999, 1998, 998),
        ("212", 999, 1499, 998),  # pairs in 3 bytes, the first of a pair in 2
        ("212", 1000, 1500, 999),
        ("310", 999, 1332, 997),  # triples in 4 bytes: 2, 4 and 4 of them
        ("310", 1000, 1334, 999),
        ("310", 1001, 1336, 1000),
        ("311", 999, 1332, 998),  # triples in 4 bytes: 2, 3 and 4 of them
        ("311", 1000, 1334, 999),
        ("311", 1001, 1335, 1000),
    ],
)
def test_a_signal_file_is_counted_to_the_byte(
    tmp_path, fmt, n_samples, n_bytes, held_one_byte_short
):
    path = write_bytes(tmp_path, fmt, n_samples, n_signals=1)
    whole = read(path).signal_mv
    data = path.with_suffix(".dat")
    content = data.read_bytes()
    data.write_bytes(content[:n_bytes])
    np.testing.assert_array_equal(read(path).signal_mv, whole)
    data.write_bytes(content[: n_bytes - 1])
    assert refusal(path) == (
        f"raw.dat is cut short: it holds {held_one_byte_short} samples of each signal, but "
        f"raw.hea promises {n_samples}; get the file again"
    )


def test_a_made_up_length_allocates_nothing(write_record):
    path = write_record()
    edit(path, "360 1000", "360 1000000000000")
    assert refusal(path) == (
        "rec.dat is cut short: it holds 1000 samples of each signal, but rec.hea promises "
        "1000000000000; get the file again"
    )


def test_a_missing_signal_file(write_record, tmp_path):
    path = write_record()
    path.with_suffix(".dat").unlink()
    assert refusal(path) == (
        f"rec.hea names the file 'rec.dat', which is not in {tmp_path}; add it"
    )


@pytest.mark.parametrize("name", ["../x.dat", "/etc/passwd", "..", "sub/x.dat", "..\\x.dat"])
def test_a_signal_file_outside_the_folder(write_record, tmp_path, name):
    path = write_record(name="rec")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.dat").write_bytes(path.with_suffix(".dat").read_bytes())
    path.write_text(path.read_text().replace("rec.dat", name))
    assert refusal(path) == (
        f"rec.hea names the file {name!r}, which lies outside its own folder; "
        "put all files of the recording into one folder"
    )


def test_a_link_that_leaves_the_folder(write_record, tmp_path):
    path = write_record()
    inner = tmp_path / "inner"
    inner.mkdir()
    path.rename(inner / "rec.hea")
    (inner / "rec.dat").symlink_to(tmp_path / "rec.dat")
    assert "which lies outside its own folder" in refusal(inner / "rec")


def test_a_link_that_stays_in_the_folder_is_followed(write_record, digital):
    path = write_record()
    data = path.with_suffix(".dat")
    data.rename(path.with_suffix(".data"))
    data.symlink_to("rec.data")
    assert read(path).n_samples == len(digital)


def test_a_link_to_itself(write_record, tmp_path):
    path = write_record()
    data = path.with_suffix(".dat")
    data.unlink()
    data.symlink_to("rec.dat")
    assert "which is not in" in refusal(path)


@pytest.mark.parametrize("fmt", ["517", "0", "7"])
def test_a_format_that_is_not_read(write_record, fmt):
    path = write_record()
    edit(path, "rec.dat 212", f"rec.dat {fmt}")
    assert refusal(path, UnsupportedFormat) == (
        f"rec.hea: signal format {fmt} is not supported; convert the record to one of 8, 16, 24, "
        "32, 61, 80, 160, 212, 310, 311, 508, 516, 524, for instance with xform of WFDB"
    )


def test_two_formats_in_one_file(write_record):
    path = write_record()
    edit(path, "rec.dat 212 100", "rec.dat 16 100")
    assert refusal(path) == "rec.hea gives two formats for the file 'rec.dat'; correct it"


# --- records of several segments -----------------------------------------------------------------


@pytest.fixture
def segments(write_record, tmp_path):
    """Two segments of 1000 samples, the second with one lead only, and a gap of 50 between."""
    write_record("a")
    (tmp_path / "b.dat").write_bytes(np.arange(1000, dtype="<i2").tobytes())
    (tmp_path / "b.hea").write_text("b 1 360 1000\nb.dat 16 1 16 0 0 0 0 V5\n")
    header = tmp_path / "all.hea"
    header.write_text("all/3 2 360 2050\na 1000\n~ 50\nb 1000\n")
    return header


def test_segments_are_joined(segments, digital):
    recording = read(segments)
    assert (recording.leads, recording.n_samples) == (("MLII", "V5"), 2050)
    first, second = recording.signal_mv.T
    np.testing.assert_allclose(first[:1000], digital[:, 0] / 200, rtol=1e-6)
    np.testing.assert_allclose(second[:1000], (digital[:, 1] - 20) / 100, rtol=1e-6)
    assert np.isnan(first[1000:]).all()
    assert np.isnan(second[1000:1050]).all()
    assert second[1050:].tolist() == list(range(1000))


def test_a_layout_segment_is_skipped(segments, tmp_path):
    edit(segments, "all/3", "all/4")
    edit(segments, "a 1000", "all_layout 0\na 1000")
    (tmp_path / "all_layout.hea").write_text("all_layout 1 360 0\n~ 0 200 12 0 0 0 0 MLII\n")
    assert read(segments).n_samples == 2050


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "360 2050",
            "360 2051",
            "all.hea promises 2051 samples, but its segments add up to 2050; get the header again",
        ),
        (
            "360 2050\na 1000",
            "360 2051\na 1001",
            "all.hea promises 1001 samples at 360 Hz in the segment a, which holds 1000 at 360 Hz; "
            "get the record again",
        ),
        (
            "360 2050",
            "250 2050",
            "all.hea promises 1000 samples at 250 Hz in the segment a, which holds 1000 at 360 Hz; "
            "get the record again",
        ),
        (
            "360 2050\na 1000\n~ 50",
            "360 1000000002000\na 1000\n~ 1000000000000",
            "all.hea describes 2000000004000 samples over all leads, but its segments have files "
            "of only 5000 bytes; check its gaps and repeated segments",
        ),
        (
            "all/3",
            "all/4",
            "all.hea promises 4 segments but describes 3; the header is cut short, get it again",
        ),
        (
            "a 1000",
            "../a 1000",
            "all.hea names the file '../a.hea', which lies outside its own folder; "
            "put all files of the recording into one folder",
        ),
        (
            "a 1000",
            "all 1000",
            "all.hea has the segment all, which has segments itself; read that one",
        ),
    ],
)
def test_segments_that_do_not_fit(segments, old, new, message):
    edit(segments, old, new)
    assert refusal(segments) == message


def test_a_tiny_header_asks_for_no_huge_memory(segments):
    day = 24 * 3600 * 360
    # 5000 bytes of files allow one day and 105,000 values, over two leads.
    most = day + 105_000 // 2
    segments.write_text(f"all/2 2 360 {most}\na 1000\n~ {most - 1000}\n")
    with pytest.raises(RecordingError, match="over all leads"):
        read(segments)  # without b, 3000 bytes allow less
    segments.write_text(f"all/3 2 360 {most + 1}\na 1000\nb 1000\n~ {most - 1999}\n")
    assert refusal(segments) == (
        f"all.hea describes {2 * (most + 1)} samples over all leads, but its segments have files "
        "of only 5000 bytes; check its gaps and repeated segments"
    )


def test_a_segment_listed_very_often_is_refused(segments):
    n_times = 70_000
    segments.write_text(f"all/{n_times} 2 360\n" + "a 1000\n" * n_times)
    assert refusal(segments) == (
        "all.hea describes 140000000 samples over all leads, but its segments have files of only "
        "3000 bytes; check its gaps and repeated segments"
    )


def test_lengths_beyond_64_bits_are_counted_right(segments):
    segments.write_text("all/20001 2 360\na 1000\n" + "~ 999999999999999\n" * 20_000)
    assert "describes 39999999999999962000 samples over all leads" in refusal(segments)


def test_a_segment_listed_twice_is_read_twice(segments, digital):
    segments.write_text("all/3 2 360 2500\na 1000\na 500\na 1000\n")
    signal = read(segments).signal_mv[:, 0]
    expected = np.concatenate([digital[:, 0], digital[:500, 0], digital[:, 0]]) / 200
    np.testing.assert_allclose(signal, expected, rtol=1e-6)


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs the memory in use")
def test_a_record_larger_than_the_memory(tmp_path):
    import resource

    n_samples = 10**9
    with (tmp_path / "big.dat").open("wb") as stream:
        stream.truncate(2 * n_samples)  # takes no space on the disk
    (tmp_path / "big.hea").write_text(f"big 1 360 {n_samples}\nbig.dat 16 200 16 0 0 0 0 II\n")
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (in_use + 10**9, before[1]))
    try:
        message = refusal(tmp_path / "big")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert message == (
        f"{str(tmp_path / 'big')!r} has 1,000,000,000 samples of 1 leads, more than fit into "
        "memory; open it with open_recording and read parts"
    )


def test_a_segment_cut_short(segments, tmp_path):
    data = tmp_path / "b.dat"
    data.write_bytes(data.read_bytes()[:-2])
    assert refusal(segments) == (
        "b.dat is cut short: it holds 999 samples of each signal, but b.hea promises 1000; "
        "get the file again"
    )


def test_messages_hold_no_line_break_whatever_the_header_says(write_record):
    path = write_record()
    edit(path, "rec.dat 212 100", "rec\x85\x1c.dat 212 100")
    assert not re.search(r"[\x85\x1c]", refusal(path))
