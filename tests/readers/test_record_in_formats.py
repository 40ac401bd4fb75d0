"""A real record, exported to other formats, has the same beats in the same classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dicom_files
import numpy as np
import pytest

import ectopy
from ectopy.analysis import Analysis
from ectopy.readers import read
from ectopy.recording import Recording

pytestmark = pytest.mark.slow

PER_MV = 200  # counts of the converter of the MIT-BIH database


@pytest.fixture(scope="module")
def record(mitdb_dir: Path) -> Recording:
    return read(mitdb_dir / "203")


@pytest.fixture(scope="module")
def expected(mitdb_dir: Path) -> Analysis:
    return ectopy.analyze(mitdb_dir / "203")


def as_edf(record: Recording, path: Path) -> dict[str, Any]:
    edfio = pytest.importorskip("edfio")
    whole = record.n_samples // 360 * 360  # EDF holds whole data records
    signals = [
        edfio.EdfSignal(
            record.signal_mv[:whole, column].astype(float),
            record.fs,
            label=f"ECG {name}",
            physical_dimension="mV",
            physical_range=(-10.24, 10.24),
        )
        for column, name in enumerate(("II", "V1"))
    ]
    edfio.Edf(signals).write(path)
    return {}


def as_csv(record: Recording, path: Path) -> dict[str, Any]:
    """Microvolts with decimal commas."""
    lines = [f"{value:.1f}".replace(".", ",") for value in (1000 * record.signal_mv[:, 0]).tolist()]
    path.write_text("\n".join(["MLII (uV);V1 (uV)", *(f"{line};0,0" for line in lines)]) + "\n")
    return {"fs": 360}


def as_parquet(record: Recording, path: Path) -> dict[str, Any]:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(dict(zip(record.leads, record.signal_mv.T, strict=True))), path)
    return {"fs": 360, "unit": "mV"}


def as_npy(record: Recording, path: Path) -> dict[str, Any]:
    np.save(path, np.rint(record.signal_mv * PER_MV).astype(np.int16))
    return {"fs": 360, "unit": PER_MV}


def as_dicom(record: Recording, path: Path) -> dict[str, Any]:
    counts = np.rint(record.signal_mv * PER_MV).astype("<i2")
    channels = [
        dicom_files.channel("2:2", ChannelSensitivity="5"),
        dicom_files.channel("2:3", meaning="Lead V1", ChannelSensitivity="5"),
    ]
    group = dicom_files.group(counts, channels, SamplingFrequency="360")
    dicom_files.write(path, [group])
    return {}


@pytest.mark.parametrize("write", [as_edf, as_csv, as_parquet, as_npy, as_dicom])
def test_same_beats_and_classes(record, expected, tmp_path, write):
    path = tmp_path / f"r.{write.__name__.removeprefix('as_').replace('dicom', 'dcm')}"
    options = write(record, path)
    found = ectopy.analyze(path, **options)
    n = len(found.beats)
    assert len(expected.beats) - n <= (3 if write is as_edf else 0)
    assert np.abs(found.beats.peaks - expected.beats.peaks[:n]).max() <= 1
    same = found.beats.classes == expected.beats.classes[:n]
    assert same.mean() >= 0.999
