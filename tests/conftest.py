"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder that holds the real databases; tests that need it skip where it is not given."""
    folder = os.environ.get("ECTOPY_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set ECTOPY_DATA to the folder that holds mitdb/ to run tests on real data")
    return Path(folder)


@pytest.fixture(scope="session")
def mitdb_dir(data_dir: Path) -> Path:
    """The 48 records of the MIT-BIH Arrhythmia Database."""
    folder = data_dir / "mitdb"
    if not (folder / "100.dat").is_file():
        pytest.skip(f"no MIT-BIH Arrhythmia Database in {folder}")
    return folder
