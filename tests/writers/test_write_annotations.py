"""WFDB annotation files, read back with wfdb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.beats import ReferenceBeats
from ectopy.errors import OutputError
from ectopy.signal.second_flags import SecondsQuality
from ectopy.writers import write_annotations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]

# pandas 3.1 warns while wfdb 4.3 is imported.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index")


def test_wfdb_reads_samples_symbols_and_fs(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    analysis = make_analysis("NSVFQN")
    path = write_annotations(analysis, tmp_path)
    assert path == tmp_path / "r1.ectopy"
    marks = wfdb.rdann(str(tmp_path / "r1"), "ectopy")
    assert marks.sample.tolist() == analysis.beats.peaks.tolist()
    assert marks.symbol == list("NSVFQN")
    assert marks.fs == 250
    beats = ReferenceBeats.from_annotations(marks.sample, marks.symbol)
    np.testing.assert_array_equal(beats.classes, analysis.beats.classes)


@pytest.mark.parametrize("name", ["my rec.1", "Ärzte-心电", "100", "a.b.c", ".hidden", "x" * 400])
def test_record_names_that_wfdb_would_not_write(
    make_analysis: Make, tmp_path: Path, name: str
) -> None:
    import wfdb

    path = write_annotations(make_analysis("NV", recording=name), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    marks = wfdb.rdann(str(path.with_suffix("")), "ectopy")
    assert marks.symbol == ["N", "V"]


@pytest.mark.parametrize("fs", [1000 / 3, 128.5, 0.5])
def test_fs_that_is_no_whole_number(make_analysis: Make, tmp_path: Path, fs: float) -> None:
    import wfdb

    write_annotations(make_analysis("NV", fs=fs, peaks=[1, 2], duration_s=20), tmp_path)
    assert wfdb.rdann(str(tmp_path / "r1"), "ectopy").fs == pytest.approx(fs, rel=1e-12)


def test_huge_gaps_and_the_first_sample_survive(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    peaks = [0, 1, 1024, 1024 + 2**23 + 7, 2**31 + 2**24, 2**33]
    write_annotations(make_analysis("NNVNVN", peaks=peaks), tmp_path)
    marks = wfdb.rdann(str(tmp_path / "r1"), "ectopy")
    assert marks.sample.tolist() == peaks
    assert marks.symbol == list("NNVNVN")


def test_no_beat_at_all(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    path = write_annotations(make_analysis(""), tmp_path)
    marks = wfdb.rdann(str(tmp_path / "r1"), "ectopy")
    assert (len(marks.sample), marks.fs) == (0, 250)
    assert b"no beats found" in path.read_bytes()


def test_other_extension_and_an_earlier_file(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    (tmp_path / "r1.qrs").write_text("earlier")
    assert write_annotations(make_analysis("NV"), tmp_path, "qrs") == tmp_path / "r1.qrs"
    assert wfdb.rdann(str(tmp_path / "r1"), "qrs").symbol == ["N", "V"]


@pytest.mark.parametrize("extension", ["", "e2", "../x", "a.b"])
def test_extension_of_other_than_letters(
    make_analysis: Make, tmp_path: Path, extension: str
) -> None:
    with pytest.raises(OutputError) as caught:
        write_annotations(make_analysis("N"), tmp_path, extension)
    assert str(caught.value) == (
        f"annotation extension {extension!r} is not made of the letters a to z alone, "
        "as WFDB asks for; take one such as 'ectopy'"
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(make_analysis: Make, tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    with pytest.raises(OutputError) as caught:
        write_annotations(make_analysis("N"), folder)
    assert str(caught.value) == (
        f"cannot write to {str(folder)!r}: no such file or directory; "
        "name a folder that can be written to and has space left"
    )


def test_beats_of_a_real_recording_come_back(
    make_analysis: Make, mitdb_dir: Path, tmp_path: Path
) -> None:
    import wfdb

    marks = wfdb.rdann(str(mitdb_dir / "208"), "atr")
    reference = ReferenceBeats.from_annotations(marks.sample, marks.symbol)
    letters = "".join("NSVFQ"[index] for index in reference.classes)
    analysis = make_analysis(letters, fs=360.0, peaks=reference.peaks.tolist())
    write_annotations(analysis, tmp_path)
    back = wfdb.rdann(str(tmp_path / "r1"), "ectopy")
    np.testing.assert_array_equal(back.sample, reference.peaks)
    assert "".join(back.symbol) == letters


def test_unusable_beats_and_stretches_are_marked(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    flags = np.array([0, 0, 8, 8, 9, 0, 0, 0, 2, 2], dtype=np.uint8)
    peaks = [100, 500, 700, 1300, 2100]
    analysis = make_analysis(
        "NVNSN", peaks=peaks, unusable=(1, 2, 4), quality=SecondsQuality(flags)
    )
    path = write_annotations(analysis, tmp_path)
    marks = wfdb.rdann(str(path.with_suffix("")), "ectopy")
    assert marks.symbol == ["N", "~", "?", "?", "~", "S", "~", "?"]
    assert marks.sample.tolist() == [100, 500, 500, 700, 1250, 1300, 2000, 2100]
    notes = [note.rstrip("\0") for note in marks.aux_note]
    assert notes == ["", "unusable: missing, noise", "", "", "usable", "", "unusable: flat", ""]
    beats = ReferenceBeats.from_annotations(marks.sample, marks.symbol)
    assert beats.symbols.tolist() == ["N", "S"]


def test_no_beat_in_an_unusable_recording(make_analysis: Make, tmp_path: Path) -> None:
    import wfdb

    quality = SecondsQuality(np.full(10, 8, dtype=np.uint8))
    path = write_annotations(make_analysis("", quality=quality), tmp_path)
    marks = wfdb.rdann(str(path.with_suffix("")), "ectopy")
    assert b"unusable: noise" in path.read_bytes()
    assert marks.fs == 250
