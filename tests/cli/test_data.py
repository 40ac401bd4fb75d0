"""`ectopy data`: what it prints, and what it raises for the main program to print."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from ectopy.cli.data import app
from ectopy.data import registry
from ectopy.data.registry import Database
from ectopy.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENTS = {"1.dat": b"signal", "1.hea": b"header"}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The only database of the registry, served from this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "data [1]"))
    served = tmp_path / "served"
    served.mkdir()
    for name, content in CONTENTS.items():
        (served / name).write_bytes(content)
    handler = partial(QuietHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        database = Database(
            name="tiny",
            version="2.1",
            title="Two made-up files",
            licence="Free for all",
            citation="Nobody. A very small database. " + "Long title " * 12,
            base_url=f"http://127.0.0.1:{http.server_port}/",
            files={name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()},
        )
        monkeypatch.setattr(registry, "DATABASES", MappingProxyType({"tiny": database}))
        yield database
        http.shutdown()
        thread.join()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def error_of(*arguments: str) -> str:
    with pytest.raises(DataError) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_fetch_says_where_and_under_what_terms(tiny, tmp_path):
    folder = tmp_path / "data [1]" / "tiny"
    assert run("fetch", "tiny").splitlines() == [
        f"tiny 2.1: all 2 files are right in {folder}",
        "Licence: Free for all",
        f"Cite: {tiny.citation}",
    ]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS
    assert run("verify", "tiny") == f"tiny 2.1: all 2 files are right in {folder}\n"


def test_fetch_into_a_folder(tiny, tmp_path):
    folder = tmp_path / "mine"
    first = run("fetch", "tiny", "--folder", str(folder), "--connections", "1").splitlines()[0]
    assert first == f"tiny 2.1: all 2 files are right in {folder}"
    assert (folder / "1.dat").read_bytes() == b"signal"


def test_fetch_rejects_number_of_connections(tiny):
    assert error_of("fetch", "tiny", "--connections", "99") == (
        "cannot use 99 connections; choose 1 to 16"
    )


def test_verify_names_what_is_off(tiny, tmp_path):
    folder = tmp_path / "mine"
    run("fetch", "tiny", "--folder", str(folder))
    (folder / "1.hea").write_bytes(b"other")
    (folder / "1.dat").unlink()
    assert error_of("verify", "tiny", "--folder", str(folder)) == (
        f"tiny 2.1 in {folder}: of 2 files, 1 missing (1.dat), 1 wrong (1.hea); "
        f"run `ectopy data fetch tiny --folder {folder}` to mend it"
    )


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_unknown_database(command):
    assert error_of(command, "ptbdb") == ("unknown database 'ptbdb'; choose one of: mitdb, nstdb")


def test_list(tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
    (tmp_path / "nstdb").mkdir()
    (tmp_path / "nstdb" / "bw.hea").touch()
    assert run("list").splitlines() == [
        "mitdb 1.0.0: MIT-BIH Arrhythmia Database",
        "  Open Data Commons Attribution License v1.0 (ODC-By 1.0)",
        f"  0 of 146 files in {tmp_path / 'mitdb'}",
        "nstdb 1.0.0: MIT-BIH Noise Stress Test Database (its noise records bw, em and ma)",
        "  Open Data Commons Attribution License v1.0 (ODC-By 1.0)",
        f"  1 of 6 files in {tmp_path / 'nstdb'}",
    ]


def test_real_files(mitdb_dir):
    printed = run("verify", "mitdb", "--folder", str(mitdb_dir))
    assert printed == f"mitdb 1.0.0: all 146 files are right in {mitdb_dir}\n"
