"""The 48 records: made-up ones, damaged ones, and the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.beats import CLASSES
from ectopy.data.mitdb import RECORDS, load
from ectopy.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A folder with ten seconds of counting signal under the name of record 100."""
    import wfdb

    samples = np.arange(3600)
    digital = np.stack([samples % 2000, 2000 - samples % 2000], axis=1)
    wfdb.wrsamp(
        "100",
        fs=360,
        units=["mV", "mV"],
        sig_name=["V5", "MLII"],
        d_signal=digital,
        fmt=["212", "212"],
        adc_gain=[200, 200],
        baseline=[1024, 1024],
        write_dir=str(tmp_path),
    )
    wfdb.wrann(
        "100",
        "atr",
        sample=np.array([5, 100, 300, 500, 900, 1300]),
        symbol=["+", "N", "V", "~", "e", "/"],
        aux_note=["(N", "", "", "", "", ""],
        write_dir=str(tmp_path),
    )
    return tmp_path


def error_of(record: str, folder: Path | None = None) -> str:
    with pytest.raises(DataError) as caught:
        load(record, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_signal_is_in_millivolts(made_up):
    recording, _ = load("100", made_up)
    assert recording.signal_mv.dtype == np.float32
    assert recording.signal_mv.shape == (3600, 2)
    expected = (np.arange(3600) % 2000 - 1024) / 200
    np.testing.assert_allclose(recording.signal_mv[:, 0], expected, atol=1e-6)
    assert (recording.fs, recording.leads) == (360.0, ("V5", "MLII"))
    assert isinstance(recording.fs, float)
    assert (recording.name, recording.start) == ("100", None)


def test_marks_that_are_not_beats_are_dropped(made_up):
    _, beats = load("100", made_up)
    assert beats.peaks.dtype == np.int64
    assert beats.peaks.tolist() == [100, 300, 900, 1300]
    assert beats.symbols.tolist() == ["N", "V", "e", "/"]
    assert [CLASSES[index] for index in beats.classes] == ["N", "V", "N", "Q"]


def test_default_folder(made_up, monkeypatch):
    (made_up / "data").mkdir()
    (made_up / "data" / "mitdb").symlink_to(made_up)
    monkeypatch.setenv("ECTOPY_DATA", str(made_up / "data"))
    assert load("100")[0].n_samples == 3600


def test_no_database(tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
    assert error_of("203") == (
        f"203.hea, 203.dat, 203.atr of mitdb not found in {tmp_path / 'mitdb'}: run `ectopy data "
        "fetch mitdb`, or set ECTOPY_DATA to the folder that holds mitdb"
    )


def test_missing_file(made_up):
    (made_up / "100.atr").unlink()
    assert error_of("100", made_up) == (
        f"100.atr of mitdb not found in {made_up}: run `ectopy data fetch mitdb --folder "
        f"{made_up}`, or set ECTOPY_DATA to the folder that holds mitdb"
    )


@pytest.mark.parametrize("record", ["110", "../100", "100.dat", ""])
def test_unknown_record(made_up, record):
    assert error_of(record, made_up) == (
        f"mitdb has no record {record!r}; its 48 records: {', '.join(RECORDS)}"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("100.hea", b""),
        ("100.hea", b"<html>not found</html>\nno signals here\n"),
        ("100.hea", bytes(range(256))),
        ("100.hea", b"100 2 360 3600\n"),
        ("100.dat", b""),
        ("100.dat", bytes(1000)),
    ],
)
def test_damaged_signal(made_up, name, content):
    (made_up / name).write_bytes(content)
    error = error_of("100", made_up)
    assert error.startswith(f"record 100 in {made_up} is damaged (")
    assert error.endswith(f"); run `ectopy data fetch mitdb --folder {made_up}` to mend it")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "100.atr is empty; get the annotation file again"),
        (
            np.random.default_rng(0).bytes(300),
            "100.atr is cut short: it has no end mark; get the annotation file again",
        ),
    ],
)
def test_damaged_annotations(made_up, content, problem):
    (made_up / "100.atr").write_bytes(content)
    assert error_of("100", made_up) == (
        f"record 100 in {made_up} is damaged ({made_up}/{problem}); "
        f"run `ectopy data fetch mitdb --folder {made_up}` to mend it"
    )


def test_names_are_the_publishers(mitdb_dir):
    assert (mitdb_dir / "RECORDS").read_text().split() == list(RECORDS)


def test_every_real_record(mitdb_dir):
    counts = np.zeros(len(CLASSES), dtype=int)
    lead_pairs = {}
    for record in RECORDS:
        recording, beats = load(record, mitdb_dir)
        assert recording.signal_mv.shape == (650_000, 2)
        assert recording.signal_mv.dtype == np.float32
        assert recording.fs == 360
        assert recording.name == record
        # The converter had 11 bits over 10 mV around its middle.
        assert np.abs(recording.signal_mv).max() <= 5.12
        counts += np.bincount(beats.classes, minlength=len(CLASSES))
        lead_pairs[record] = recording.leads
    assert dict(zip(CLASSES, counts.tolist(), strict=True)) == {
        "N": 90_631,
        "S": 2_781,
        "V": 7_236,
        "F": 803,
        "Q": 8_043,
    }
    assert counts.sum() == 109_494
    not_first = {record: leads for record, leads in lead_pairs.items() if leads[0] != "MLII"}
    assert not_first == {"102": ("V5", "V2"), "104": ("V5", "V2"), "114": ("V5", "MLII")}
