"""One recording in every format, told by what is in the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ectopy
from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import open_recording, read
from ectopy.readers.formats import format_of
from ectopy.simulate import simulate

edfio = pytest.importorskip("edfio")
FS = 250
OPTIONS: dict[str, dict[str, object]] = {
    "EDF": {},
    "NumPy": {"fs": FS, "unit": "mV"},
    "text": {"fs": FS, "unit": "uV"},
    "Parquet": {"fs": FS, "unit": "mV"},
}


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    recording, _ = simulate(60, fs=FS, seed=3, dropouts_per_hour=0)
    return recording.signal_mv


@pytest.fixture(scope="module")
def files(signal, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("formats")
    np.save(folder / "one.npy", signal)
    table = pd.DataFrame({"MLII": signal[:, 0]})
    table.to_parquet(folder / "one.parquet")
    (1000 * table).round(1).to_csv(folder / "one.csv", sep=";", decimal=",", index=False)
    lead = edfio.EdfSignal(
        signal[:, 0].astype(float), FS, label="ECG MLII", physical_dimension="mV",
        physical_range=(-10, 10),
    )  # fmt: skip
    edfio.Edf([lead]).write(folder / "one.edf")
    return {
        "NumPy": folder / "one.npy",
        "Parquet": folder / "one.parquet",
        "text": folder / "one.csv",
        "EDF": folder / "one.edf",
    }


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("name", ["same", "other.dat", "other.hea", "other"])
def test_told_by_content_and_not_by_name(files, signal, tmp_path, kind, name):
    path = files[kind]
    if name != "same":
        path = tmp_path / name
        shutil.copy(files[kind], path)
    assert format_of(path) == kind
    recording = read(path, **OPTIONS[kind])
    assert recording.fs == FS
    np.testing.assert_allclose(recording.signal_mv[:, 0], signal[:, 0], atol=2e-4)


@pytest.mark.parametrize("kind", OPTIONS)
def test_the_same_beats_from_every_format(files, signal, kind):
    expected = ectopy.analyze(signal[:, 0], fs=FS)
    options = dict(OPTIONS[kind])
    found = ectopy.analyze(files[kind], **options)
    assert np.abs(found.beats.peaks - expected.beats.peaks).max() <= 1
    assert (found.beats.classes == expected.beats.classes).all()
    assert found.lead in ("MLII", "lead 1", "1")


def test_options_that_do_not_go_with_a_format(files):
    with pytest.raises(RecordingError, match="--fs goes with NumPy and Parquet and text files, an"):
        open_recording(files["EDF"], fs=250)
    with pytest.raises(RecordingError, match=r"--part goes with EDF files, and .* is text, which"):
        open_recording(files["text"], part=2)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"words\nalone\n"])
def test_what_no_reader_knows(tmp_path, content):
    path = tmp_path / "night.ecg"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFormat) as caught:
        open_recording(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
