"""Reading WFDB annotation files, good and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import wfdb

from ectopy.beats import ReferenceBeats
from ectopy.errors import RecordingError
from ectopy.readers import read, read_annotations

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = np.array([5, 100, 300, 420, 999])
SYMBOLS = ["+", "N", "V", "~", "a"]


@pytest.fixture
def record(write_record, tmp_path) -> Path:
    write_record()
    write_marks(tmp_path)
    return tmp_path / "rec"


def write_marks(folder: Path, samples=SAMPLES, symbols=SYMBOLS, **more) -> None:
    wfdb.wrann("rec", "atr", np.asarray(samples), symbols, write_dir=str(folder), **more)


def refusal(path: Path | str, extension: str = "atr") -> str:
    with pytest.raises(RecordingError) as caught:
        read_annotations(path, extension)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("given", ["rec", "rec.hea", "rec.dat", "rec.atr"])
def test_beats_are_kept_and_other_marks_dropped(record, given):
    beats = read_annotations(record.with_name(given))
    assert beats.peaks.tolist() == [100, 300, 999]
    assert beats.peaks.dtype == np.int64
    assert beats.symbols.tolist() == ["N", "V", "a"]
    assert beats.classes.tolist() == [0, 2, 1]


def test_another_annotator_is_read_by_its_suffix(record):
    record.with_suffix(".atr").rename(record.with_suffix(".qrs"))
    assert len(read_annotations(record, "qrs")) == 3
    assert len(read_annotations(record, ".qrs")) == 3


def test_names_with_spaces_dots_and_letters_beyond_ascii(record):
    for suffix in (".hea", ".dat", ".atr"):
        record.with_suffix(suffix).rename(record.with_name(f"Ärztin 2024-05.v2{suffix}"))
    assert len(read_annotations(record.with_name("Ärztin 2024-05.v2"))) == 3
    assert len(read_annotations(record.with_name("Ärztin 2024-05.v2.atr"))) == 3


def test_annotations_need_no_recording_beside_them(record):
    record.with_suffix(".hea").unlink()
    assert len(read_annotations(record)) == 3


def test_long_intervals_notes_and_other_fields_are_understood(tmp_path):
    samples = np.array([3, 2_000, 90_000, 90_001, 5_000_000])
    more = {
        "subtype": np.array([0, 1, 0, 2, 0]),
        "chan": np.array([0, 0, 1, 0, 0]),
        "num": np.array([0, 3, 0, 0, 1]),
        "aux_note": ["odd", "even", "", "(AFIB", ""],
    }
    write_marks(tmp_path, samples, ["N", "L", "A", "F", "/"], **more)
    beats = read_annotations(tmp_path / "rec")
    assert beats.peaks.tolist() == samples.tolist()
    assert beats.symbols.tolist() == ["N", "L", "A", "F", "/"]


def test_every_symbol_is_the_one_that_wfdb_writes(tmp_path):
    symbols = [s for s in wfdb.io.annotation.ann_label_table["symbol"] if s.strip()]
    write_marks(tmp_path, 10 * np.arange(1, len(symbols) + 1), symbols)
    expected = ReferenceBeats.from_annotations(10 * np.arange(1, len(symbols) + 1), symbols)
    beats = read_annotations(tmp_path / "rec")
    assert beats.symbols.tolist() == expected.symbols.tolist()
    assert beats.peaks.tolist() == expected.peaks.tolist()


def test_real_annotations_read_as_wfdb_reads_them(mitdb_dir):
    for record in ("100", "207"):
        marks = wfdb.rdann(str(mitdb_dir / record), "atr")
        expected = ReferenceBeats.from_annotations(marks.sample, marks.symbol)
        beats = read_annotations(mitdb_dir / record)
        np.testing.assert_array_equal(beats.peaks, expected.peaks)
        np.testing.assert_array_equal(beats.symbols, expected.symbols)


def test_a_missing_annotation_file(record, tmp_path):
    record.with_suffix(".atr").unlink()
    for given in ("rec", "rec.hea", "rec.dat"):
        assert refusal(tmp_path / given) == (
            f"there is no annotation file {tmp_path}/rec.atr; "
            "check the recording's name and the annotator's suffix"
        )


def test_an_address_is_taken_for_a_file_name():
    assert refusal("https://physionet.org/files/mitdb/1.0.0/100").startswith(
        "there is no annotation file https:/physionet.org"
    )


def test_a_folder_is_refused(tmp_path):
    assert refusal(tmp_path) == (
        f"{tmp_path} is a folder; name one recording in it, such as {tmp_path}/100"
    )


@pytest.mark.parametrize("extension", ["", ".", "a/b", "../atr", "a.b", "a\\b"])
def test_a_suffix_that_is_none(record, extension):
    assert refusal(record, extension) == (
        f"{extension.removeprefix('.')!r} is no suffix of an annotation file; "
        "expected one such as 'atr'"
    )


def test_an_empty_file(record):
    record.with_suffix(".atr").write_bytes(b"")
    assert refusal(record) == f"{record}.atr is empty; get the annotation file again"


def test_a_file_cut_short_anywhere_inside(record):
    whole = record.with_suffix(".atr").read_bytes()
    for n_bytes in range(1, len(whole) - 1):
        record.with_suffix(".atr").write_bytes(whole[:n_bytes])
        assert refusal(record) == (
            f"{record}.atr is cut short: it has no end mark; get the annotation file again"
        )


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused(record, seed):
    random = np.random.default_rng(seed)
    record.with_suffix(".atr").write_bytes(random.bytes(500) + b"\0\0")
    message = refusal(record)
    assert message.startswith((f"{record}.atr is damaged", f"{record}.atr is cut short"))


def test_a_text_file_is_refused(record):
    record.with_suffix(".atr").write_text("sample,symbol\n77,N\n370,N\n")
    assert refusal(record) == (
        f"{record}.atr is cut short: it has no end mark; get the annotation file again"
    )


def test_marks_that_go_back_in_time_are_refused(record):
    # SKIP by -200 after sample 100, each followed by an N.
    words = [1 << 10 | 100, 59 << 10, 0xFFFF, 0x10000 - 200, 1 << 10 | 5, 0]
    record.with_suffix(".atr").write_bytes(np.array(words, "<u2").tobytes())
    assert refusal(record) == f"{record}.atr is damaged or no annotation file; get it again"


def test_marks_beyond_the_end_of_the_recording(record, tmp_path):
    write_marks(tmp_path, [10, 1000], ["N", "N"])
    assert refusal(record) == (
        "rec.atr marks sample 1000, but the recording ends after 1000; "
        "check that both belong together"
    )
    header = record.with_suffix(".hea")
    header.write_text(header.read_text().replace("360 1000", "360"))
    assert refusal(record).startswith(
        "rec.atr marks sample 1000, but the recording ends after 1000"
    )


def test_no_beat_among_the_marks(record, tmp_path):
    write_marks(tmp_path, [10, 20], ["+", "~"])
    assert refusal(record) == (
        f"{record}.atr marks no beat among 2 marks; choose another annotation file"
    )


def test_two_beats_on_one_sample_are_refused(record, tmp_path):
    write_marks(tmp_path, [10, 20, 20, 30, 30, 40], ["N", "N", "V", "N", "N", "N"])
    assert refusal(record) == (
        f"{record}.atr marks more than one beat on sample 20, 2 times in all; keep one mark a beat"
    )
    write_marks(tmp_path, [10, 20, 20, 30], ["N", "+", "V", "N"])
    assert read_annotations(record).peaks.tolist() == [10, 20, 30]


def test_no_real_annotation_file_marks_two_beats_on_one_sample(mitdb_dir):
    files = sorted(mitdb_dir.glob("*.atr"))
    assert len(files) == 48
    for file in files:
        assert len(read_annotations(file)) > 1000


def test_another_time_resolution_is_refused(record, tmp_path):
    write_marks(tmp_path, fs=360)
    assert len(read_annotations(record)) == 3
    write_marks(tmp_path, fs=250)
    assert refusal(record) == (
        "rec.atr counts 250 samples a second, but the recording has 360; "
        "write the annotations at the recording's own fs"
    )


# --- several samples a frame: annotations count frames unless they say otherwise, see annot(5) ---


@pytest.fixture
def frames(tmp_path) -> Path:
    """A record of 125 frames a second with 4 samples of a lead in each, spikes on three of them."""
    values = np.zeros((1000, 6), dtype="<i2")
    values[[100, 300, 900], 0] = 200
    (tmp_path / "rec.dat").write_bytes(values.tobytes())
    (tmp_path / "rec.hea").write_text(
        "rec 3 125/1000(5) 1000\nrec.dat 16x4 200 16 0 0 0 0 II\n"
        "rec.dat 16 200/mmHg 16 0 0 0 0 ABP\nrec.dat 16 200 16 0 0 0 0 V\n"
    )
    return tmp_path / "rec"


@pytest.mark.parametrize(("fs", "per_second"), [(None, 1), (125, 1), (250, 2), (500, 4)])
def test_peaks_are_at_the_fs_of_the_recording(frames, fs, per_second):
    write_marks(frames.parent, np.array([100, 300, 900]) * per_second, ["N", "V", "N"], fs=fs)
    recording = read(frames)
    assert (recording.fs, recording.n_samples) == (500.0, 4000)
    peaks = read_annotations(frames).peaks
    assert peaks.tolist() == [400, 1200, 3600]
    assert peaks.tolist() == np.flatnonzero(recording.signal_mv[:, 0] == 1).tolist()


@pytest.mark.parametrize("fs", ["200", "1000", "499", "0", "0." + "0" * 200 + "1"])
def test_counts_that_no_sample_of_the_recording_lies_on(frames, fs):
    write_marks(frames.parent, [100, 200], ["N", "N"], fs=123)
    file = frames.with_suffix(".atr")
    note = b"## time resolution: "
    before, rest = file.read_bytes().split(note + b"123")
    # The length of the note is in the word before it, and it ends at a whole word.
    note += fs.encode()
    words = (63 << 10 | len(note)).to_bytes(2, "little") + note + bytes(len(note) % 2)
    file.write_bytes(before[:-2] + words + rest[1:])
    assert refusal(frames) == (
        f"rec.atr counts {float(fs):g} samples a second, but the recording has 500; "
        "write the annotations at the recording's own fs"
    )


def test_frames_beyond_the_end_of_the_recording(frames):
    write_marks(frames.parent, [100, 1000], ["N", "N"])
    assert refusal(frames) == (
        "rec.atr marks sample 4000, but the recording ends after 4000; "
        "check that both belong together"
    )
    write_marks(frames.parent, [100, 3999], ["N", "N"], fs=500)
    assert read_annotations(frames).peaks.tolist() == [100, 3999]


def test_a_count_beyond_64_bits_is_no_sample(frames):
    words = [59 << 10, 0x7FFF, 0xFFFF] * 9000 + [1 << 10, 0]
    frames.with_suffix(".atr").write_bytes(np.array(words, "<u2").tobytes())
    assert "marks sample 77309411292000, but the recording ends after 4000" in refusal(frames)


def test_the_signal_files_need_not_be_there(frames):
    write_marks(frames.parent, [100], ["N"])
    frames.with_suffix(".dat").unlink()
    assert read_annotations(frames).peaks.tolist() == [400]


def test_segments_have_a_say_in_the_fs(frames):
    folder = frames.parent
    (folder / "all.hea").write_text("all/3 1 125 1150\n~ 50\nrec 1000\n~ 100\n")
    wfdb.wrann("all", "atr", np.array([150, 350, 950]), ["N"] * 3, write_dir=str(folder))
    peaks = read_annotations(folder / "all").peaks
    recording = read(folder / "all")
    assert peaks.tolist() == np.flatnonzero(recording.signal_mv[:, 0] == 1).tolist()
    frames.with_suffix(".hea").unlink()
    assert "names the file 'rec.hea', which is not in" in refusal(folder / "all")


def test_a_damaged_header_is_reported(record):
    record.with_suffix(".hea").write_text("nothing of use")
    assert "is not a WFDB header" in refusal(record)
