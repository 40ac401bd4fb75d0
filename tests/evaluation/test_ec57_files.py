"""EC57 scores of annotation files: reading, choosing records, frequencies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ectopy.errors import ProtocolError, RecordingError
from ectopy.evaluation.ec57_files import score_folders
from ectopy.readers.wfdb_annotations import read_marks

N_SAMPLES = 144_000  # 400 s at 360 Hz


def write_header(folder: Path, record: str, fs: float = 360, n_samples: int = N_SAMPLES) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{record}.hea").write_text(
        f"{record} 1 {fs:g} {n_samples}\n{record}.dat 16 200 16 0 0 0 0 MLII\n"
    )


def write_marks(
    folder: Path, record: str, extension: str, samples: list[int], symbols: str, **more: object
) -> None:
    folder.mkdir(exist_ok=True)
    wfdb.wrann(record, extension, np.array(samples), list(symbols), write_dir=str(folder), **more)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    for record in ("1", "2", "3"):
        write_header(tmp_path / "reference", record)
        write_marks(tmp_path / "reference", record, "atr", [100, 110_000, 120_000, 130_000], "+NNV")
    return tmp_path / "reference"


@pytest.fixture
def found(tmp_path: Path) -> Path:
    for record in ("1", "2", "3"):
        write_marks(tmp_path / "test", record, "qrs", [110_010, 120_100, 130_000], "NNV")
    return tmp_path / "test"


def refusal(*folders: Path, error: type[Exception] = RecordingError, **more: object) -> str:
    with pytest.raises(error) as caught:
        score_folders(*folders, **{"annotator": "qrs", **more})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_records_are_scored(reference, found):
    results = score_folders(reference, found, annotator=".qrs")
    assert list(results["per_record"]) == ["1", "2", "3"]
    assert results["per_record"]["1"]["qrs"]["tp"] == 2
    assert results["per_record"]["1"]["stop_s"] == 400.0
    assert results["gross"]["qrs"] == {"tp": 6, "fn": 3, "fp": 3, "se": 6 / 9, "ppv": 6 / 9}
    assert (results["annotator"], results["reference_annotator"]) == ("qrs", "atr")
    left_out = [results[key] for key in ("excluded", "skipped", "without_reference")]
    assert left_out == [[], [], []]
    assert results["rescaled"] == {}
    json.dumps(results, allow_nan=False)


def test_records_are_named_or_excluded(reference, found):
    results = score_folders(reference, found, annotator="qrs", records=["3", "1", "3"])
    assert list(results["per_record"]) == ["3", "1"]
    results = score_folders(reference, found, annotator="qrs", exclude=["2", "999"])
    assert list(results["per_record"]) == ["1", "3"]
    assert results["excluded"] == ["2"]


def test_a_record_without_test_annotations_is_refused_or_skipped_by_name(reference, found):
    (found / "2.qrs").unlink()
    assert refusal(reference, found) == (
        f"1 of 3 records have no test annotations *.qrs in {str(found)!r}: '2'; "
        "add them, or leave these records out with --skip-missing"
    )
    results = score_folders(reference, found, annotator="qrs", skip_missing=True)
    assert list(results["per_record"]) == ["1", "3"]
    assert results["skipped"] == ["2"]


def test_a_record_without_a_reference_is_told(reference, found):
    (reference / "2.atr").unlink()
    results = score_folders(reference, found, annotator="qrs")
    assert list(results["per_record"]) == ["1", "3"]
    assert results["without_reference"] == ["2"]
    assert refusal(reference, found, records=["1", "2"]) == (
        f"there are no reference annotations *.atr of '2' in {str(reference)!r}; "
        "check the folder, the names and the reference annotator"
    )


def test_many_names_are_cut_short(reference, found):
    message = refusal(reference, found, records=list("abcdefgh"))
    assert "of 'a', 'b', 'c', 'd', 'e' and 3 more in" in message


def test_no_common_record(reference, found):
    assert refusal(reference, found, annotator="xyz") == (
        f"no record to score has test annotations *.xyz in {str(found)!r}; "
        "check the folder and the annotator"
    )
    assert refusal(reference, found, reference_annotator="ref") == (
        f"there are no reference annotations *.ref in {str(reference)!r}; "
        "check the folder, the names and the reference annotator"
    )


def test_folders_and_suffixes_that_cannot_be(reference, found, tmp_path):
    missing = tmp_path / "nowhere"
    assert refusal(missing, found) == (
        f"{str(missing)!r} is missing; name the folder of the reference annotations"
    )
    file = reference / "1.hea"
    assert refusal(reference, file) == (
        f"{str(file)!r} is a file; name the folder of the test annotations"
    )
    assert refusal(reference, found, annotator="../qrs") == (
        "'../qrs' is no suffix of an annotation file; expected one such as 'atr'"
    )


def test_settings_are_checked_before_anything_is_read(tmp_path):
    nowhere = tmp_path / "nowhere"
    assert refusal(nowhere, nowhere, error=ProtocolError, class_map="mit") == (
        "there is no class map 'mit'; choose 'aami' or 'bxb'"
    )


def test_a_record_that_is_too_short_is_named(reference, found):
    write_header(reference, "2", n_samples=36_000)
    assert refusal(reference, found, error=ProtocolError) == (
        "record '2': the recording ends at 100 s, before scoring starts at 300 s; "
        "start earlier, such as at 0 s"
    )
    results = score_folders(reference, found, annotator="qrs", start_s=0)
    assert results["per_record"]["2"]["stop_s"] == 100.0


def test_files_at_other_frequencies_are_rescaled_and_named(reference, found):
    samples = [round(sample * 250 / 360) for sample in (110_010, 120_100, 130_000)]
    write_marks(found, "1", "qrs", samples, "NNV", fs=250)
    write_marks(reference, "2", "atr", [27_500, 30_000, 32_500], "NNV", fs=90)
    results = score_folders(reference, found, annotator="qrs")
    assert results["rescaled"] == {"1.qrs": 250.0, "2.atr": 90.0}
    for record in ("1", "2"):
        assert results["per_record"][record]["qrs"] == results["per_record"]["3"]["qrs"]
        assert results["per_record"][record]["stop_s"] == 400.0


def test_without_a_header_the_annotations_tell_the_frequency(reference, found):
    (reference / "1.hea").unlink()
    missing = reference / "1.hea"
    assert refusal(reference, found) == (
        f"there is no header {missing}, and the annotation files do not name a sampling "
        "frequency; add the header"
    )
    write_marks(found, "1", "qrs", [110_010, 120_100, 130_000], "NNV", fs=360)
    results = score_folders(reference, found, annotator="qrs")
    assert results["per_record"]["1"]["qrs"] == results["per_record"]["2"]["qrs"]
    assert results["per_record"]["1"]["stop_s"] is None


def test_a_header_without_a_length_leaves_the_end_to_the_reference(reference, found):
    (reference / "1.hea").write_text("1 1 360\n1.dat 16\n")
    results = score_folders(reference, found, annotator="qrs")
    assert results["per_record"]["1"]["stop_s"] is None
    assert results["per_record"]["1"]["qrs"]["tp"] == 2


@pytest.mark.parametrize("content", [b"", b"\0\0"])
def test_an_empty_file_is_an_answer(reference, found, content):
    (found / "1.qrs").write_bytes(content)
    results = score_folders(reference, found, annotator="qrs", records=["1"])
    nothing = {"tp": 0, "fn": 3, "fp": 0, "se": 0.0, "ppv": None}
    assert results["per_record"]["1"]["qrs"] == nothing
    assert results["average"]["qrs"] == {"se": 0.0, "ppv": None}


def test_all_that_bxb_reads_is_read(reference, found):
    # Two beats on one sample, and beats beyond the end of the recording.
    write_marks(found, "1", "qrs", [110_000, 110_000, 200_000], "NVN", chan=np.array([0, 1, 0]))
    results = score_folders(reference, found, annotator="qrs", records=["1"])
    assert results["gross"]["qrs"] == {"tp": 1, "fn": 2, "fp": 1, "se": 1 / 3, "ppv": 1 / 2}


def test_damaged_files_are_refused_by_name(reference, found):
    file = found / "1.qrs"
    file.write_bytes(file.read_bytes()[:-2])
    assert refusal(reference, found) == (
        f"{file} is cut short: it has no end mark; get the annotation file again"
    )
    file.write_bytes(b"\x01\xdc\0\0")  # no mark has code 55
    assert refusal(reference, found) == f"{file} is damaged or no annotation file; get it again"


def test_unreadable_stretches_come_from_the_subtypes(reference, found):
    write_marks(
        found,
        "1",
        "qrs",
        [110_010, 115_000, 125_000, 130_000],
        "N~~V",
        subtype=np.array([0, 0x30, 1, 0]),
    )
    results = score_folders(reference, found, annotator="qrs", records=["1"])
    assert results["matrix"][0] == [1, 0, 0, 0, 0, 0, 1]
    assert results["per_record"]["1"]["shutdown_s"] == 28


# Every mark of a file


def test_every_mark_is_read_with_its_subtype(tmp_path):
    samples = [5, 100, 100, 90_000, 5_000_000]
    write_marks(
        tmp_path,
        "rec",
        "atr",
        samples,
        "+~N]V",
        subtype=np.array([0, 0x33, 0, 2, 0]),
        aux_note=["(N", "", "odd", "", ""],
        fs=360,
    )
    marks = read_marks(tmp_path / "rec.atr")
    # wfdb puts the frequency into marks of its own at the beginning.
    assert marks.samples[-5:].tolist() == samples
    assert marks.symbols[-5:].tolist() == list("+~N]V")
    assert marks.subtypes[-5:].tolist() == [0, 0x33, 0, 2, 0]
    assert marks.subtypes.dtype == np.int8
    assert marks.resolution == 360


@pytest.mark.parametrize(
    ("before", "expected"),
    [([], 250), ([22 << 10], 250), ([1 << 10 | 3], None), ([22 << 10, 61 << 10 | 1], None)],
)
def test_only_notes_at_the_beginning_name_the_frequency(before, expected, tmp_path):
    text = b"## time resolution: 250"
    note = [22 << 10, 63 << 10 | len(text), *np.frombuffer(text + b"\0", dtype="<u2").tolist()]
    words = np.array([*before, *note, 1 << 10 | 5, 0], dtype="<u2")
    (tmp_path / "rec.atr").write_bytes(words.tobytes())
    assert read_marks(tmp_path / "rec.atr").resolution == expected


def test_subtypes_have_a_sign(tmp_path):
    # N at 3, subtype -1 as the WFDB library writes it: its lower 10 bits.
    words = np.array([1 << 10 | 3, 61 << 10 | 1023, 1 << 10 | 2, 0], dtype="<u2")
    (tmp_path / "rec.atr").write_bytes(words.tobytes())
    marks = read_marks(tmp_path / "rec.atr")
    assert marks.samples.tolist() == [3, 5]
    assert marks.subtypes.tolist() == [-1, 0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordingError) as caught:
        read_marks(tmp_path / "rec.atr")
    assert str(caught.value) == (
        f"cannot read {tmp_path / 'rec.atr'}: No such file or directory; "
        "check the file and its permissions"
    )


# The real database


def test_reference_against_itself(mitdb_dir):
    for class_map, n_sveb in (("aami", 2502), ("bxb", 2745)):
        results = score_folders(mitdb_dir, mitdb_dir, annotator="atr", class_map=class_map)
        assert len(results["per_record"]) == 48
        # The numbers of beats after the first 5 minutes of the 48 records.
        assert results["gross"]["qrs"] == {"tp": 91_285, "fn": 0, "fp": 0, "se": 1.0, "ppv": 1.0}
        assert results["gross"]["veb"]["tp"] == 6101
        assert results["gross"]["sveb"]["tp"] == n_sveb
        for group in ("qrs", "veb", "sveb"):
            for line in ("gross", "average"):
                scores = results[line][group]
                assert (scores["se"], scores["ppv"], scores.get("fpr", 0.0)) == (1.0, 1.0, 0.0)


def test_flutter_of_the_real_record(mitdb_dir, tmp_path):
    marks = read_marks(mitdb_dir / "207.atr")
    waves = marks.samples[marks.symbols == "!"]
    beats = marks.samples[np.isin(marks.symbols, list("LRVEA"))]
    samples = np.sort(np.concatenate([waves, beats]))
    write_marks(tmp_path, "207", "qrs", samples.tolist(), "N" * len(samples))
    results = score_folders(mitdb_dir, tmp_path, annotator="qrs", records=["207"])
    record = results["per_record"]["207"]
    in_period = int(np.count_nonzero(waves >= 108_000))
    assert in_period > 100
    assert record["in_flutter"] == in_period
    assert record["qrs"]["fp"] == 0
    assert record["qrs"]["se"] == 1.0
    assert record["flutter_s"] == pytest.approx(97.9)


def test_totals_on_the_real_database_stay_as_they_are(mitdb_dir, tmp_path):
    """The annotations of all records, distorted in a fixed way.

    A plain rendering of the steps that `bxb` takes, mark by mark, gave the same totals.
    """
    other = {"N": "S", "A": "V", "V": "F", "L": "!", "/": "N", "F": "V", "j": "~"}
    for file in sorted(mitdb_dir.glob("*.atr")):
        marks = read_marks(file)
        row = np.arange(len(marks.samples))
        kept = row % 13 != 5
        # Up to 72 samples to either side, far more than the window of 54.
        moved = np.clip(marks.samples + (row * row) % 145 - 72, 0, None)
        symbols = np.where(
            row % 17 == 3, [other.get(symbol, symbol) for symbol in marks.symbols], marks.symbols
        )
        subtypes = np.where(row % 2 == 1, 0x30, 0)
        order = np.argsort(moved[kept], kind="stable")
        write_marks(
            tmp_path,
            file.stem,
            "qrs",
            moved[kept][order],
            symbols[kept][order],
            subtype=subtypes[kept][order],
        )
    results = score_folders(mitdb_dir, tmp_path, annotator="qrs", class_map="bxb")
    assert results["matrix"] == [
        [45209, 2307, 0, 0, 0, 27422, 91],
        [0, 1632, 90, 0, 0, 1006, 17],
        [0, 0, 3641, 227, 0, 2222, 11],
        [0, 0, 19, 368, 0, 235, 1],
        [224, 0, 0, 0, 4091, 2469, 3],
        [20419, 1824, 1696, 295, 1839, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
    assert sum(record["shutdown_s"] for record in results["per_record"].values()) == 202
