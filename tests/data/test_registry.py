"""The registry of databases, and where they lie."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import platformdirs
import pytest

from ectopy.data.mitdb import RECORDS
from ectopy.data.registry import (
    DATABASES,
    data_dir,
    database_dir,
    fetch_command,
    get_database,
    parse_checksums,
)
from ectopy.errors import DataError


def test_mitdb_has_three_files_a_record_and_two_lists():
    files = get_database("mitdb").files
    assert set(files) == {
        *(f"{record}.{suffix}" for record in RECORDS for suffix in ("atr", "dat", "hea")),
        "ANNOTATORS",
        "RECORDS",
    }
    assert len(files) == 146
    assert files["100.dat"] == "b2ea3c250e56e48f4b7b90697832b8ecd1afa1e0bb31f2dcfea4ed6e1075a639"


def test_nstdb_has_the_three_noise_records():
    assert list(get_database("nstdb").files) == [
        "bw.dat", "bw.hea", "em.dat", "em.hea", "ma.dat", "ma.hea",
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(DATABASES))
def test_every_database(name):
    database = DATABASES[name]
    assert database.name == name
    assert database.base_url == f"https://physionet.org/files/{name}/{database.version}/"
    assert database.licence == "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
    assert database.citation.startswith("Moody GB")
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in database.files.values())
    # Names become paths below the database's folder: nothing may point out of it.
    assert all(re.fullmatch(r"\w+(\.\w+)?", file) for file in database.files)


def test_checksums_of_the_publisher_are_those_of_the_registry(data_dir):
    for name, database in DATABASES.items():
        sums = data_dir / name / "SHA256SUMS.txt"
        if sums.is_file():
            assert dict(parse_checksums(sums.read_text())) == dict(database.files)


def test_databases_cannot_be_changed():
    database = get_database("mitdb")
    with pytest.raises(FrozenInstanceError):
        database.version = "2"  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        database.files["100.dat"] = "0"  # type: ignore[index]
    assert hash(database) == hash(get_database("mitdb"))


def test_unknown_database():
    with pytest.raises(DataError) as caught:
        get_database("svdb")
    assert str(caught.value) == "unknown database 'svdb'; choose one of: mitdb, nstdb"


def test_data_folder_from_the_environment(monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", "~/ecg")
    assert data_dir() == Path.home() / "ecg"
    assert database_dir("nstdb") == Path.home() / "ecg" / "nstdb"


@pytest.mark.parametrize("value", [None, ""])
def test_data_folder_in_the_user_cache(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("ECTOPY_DATA", raising=False)
    else:
        monkeypatch.setenv("ECTOPY_DATA", value)
    assert data_dir() == Path(platformdirs.user_cache_dir("ectopy", appauthor=False))


def test_folder_of_an_unknown_database():
    with pytest.raises(DataError) as caught:
        database_dir("../etc")
    assert str(caught.value) == "unknown database '../etc'; choose one of: mitdb, nstdb"


def test_fetch_command_can_be_pasted(monkeypatch, tmp_path):
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
    assert fetch_command("mitdb", tmp_path / "mitdb") == "ectopy data fetch mitdb"
    assert fetch_command("mitdb", Path("my data")) == "ectopy data fetch mitdb --folder 'my data'"
