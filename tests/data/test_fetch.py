"""Fetching from a server on this machine, and verifying."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ectopy.data.fetch import VerifyReport, fetch, verify
from ectopy.data.registry import DATABASES, get_database
from ectopy.errors import DataError

NAMES = ["1.atr", "1.dat", "1.hea"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def holds_all(folder: Path, contents: dict[str, bytes]) -> bool:
    return all((folder / name).read_bytes() == content for name, content in contents.items())


def short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def what_is_left(folder: Path, url: str, names: list[str]) -> str:
    return (
        f"; {len(names)} of 3 files of tiny are missing or wrong in {folder} ({', '.join(names)}): "
        f"run `ectopy data fetch tiny --folder {folder}` again, or put the files of {url} into "
        "that folder"
    )


def message(database, folder, **options) -> str:
    with pytest.raises(DataError) as caught:
        fetch(database, folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestFetch:
    def test_gets_every_file_and_leaves_others_alone(self, tiny, server, contents, tmp_path):
        folder = tmp_path / "new" / "tiny"
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("mine")
        assert fetch(tiny, folder) == folder
        assert names_in(folder) == [*NAMES, "notes.txt"]
        assert holds_all(folder, contents)
        assert (folder / "notes.txt").read_text() == "mine"
        assert sorted(server.requests) == [(name, None) for name in NAMES]

    def test_default_folder_is_below_the_data_folder(self, tiny, contents, tmp_path, monkeypatch):
        monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "data"))
        assert fetch(tiny) == tmp_path / "data" / "tiny"
        assert holds_all(tmp_path / "data" / "tiny", contents)

    def test_other_address(self, tiny, server, contents, tmp_path):
        nowhere = replace(tiny, base_url="http://127.0.0.1:9/")
        fetch(nowhere, tmp_path, base_url=server.url.rstrip("/"))
        assert holds_all(tmp_path, contents)

    def test_right_files_are_not_fetched_again(self, tiny, server, tmp_path):
        fetch(tiny, tmp_path)
        server.requests.clear()
        before = (tmp_path / "1.dat").stat().st_mtime_ns
        fetch(tiny, tmp_path)
        assert server.requests == []
        assert (tmp_path / "1.dat").stat().st_mtime_ns == before

    def test_only_missing_and_wrong_files_are_fetched(self, tiny, server, contents, tmp_path):
        fetch(tiny, tmp_path)
        server.requests.clear()
        (tmp_path / "1.dat").write_bytes(b"damaged")
        (tmp_path / "1.hea").unlink()
        fetch(tiny, tmp_path)
        assert sorted(server.requests) == [("1.dat", None), ("1.hea", None)]
        assert holds_all(tmp_path, contents)

    def test_as_many_connections_as_asked_for(self, tiny, server, reply, contents, tmp_path):
        # Nothing is answered until all three requests are there at the same time.
        together = threading.Barrier(3)
        for name in NAMES:
            server.answer(name, reply(barrier=together))
        fetch(tiny, tmp_path, connections=3)
        assert holds_all(tmp_path, contents)

    def test_progress(self, tiny, contents, tmp_path):
        (tmp_path / "1.atr").write_bytes(contents["1.atr"])
        states = []
        fetch(tiny, tmp_path, progress=states.append)
        first, last = states[0], states[-1]
        assert (first.files_done, first.files_total, first.bytes_received) == (1, 3, 0)
        assert (last.files_done, last.files_total, last.bytes_received) == (3, 3, 400_000)
        received = [state.bytes_received for state in states]
        assert received == sorted(received)

    @pytest.mark.parametrize("connections", [0, 17])
    def test_rejects_number_of_connections(self, tiny, tmp_path, connections):
        assert message(tiny, tmp_path, connections=connections) == (
            f"cannot use {connections} connections; choose 1 to 16"
        )

    def test_rejects_number_of_retries(self, tiny, tmp_path):
        assert message(tiny, tmp_path, retries=-1) == "cannot retry -1 times; choose 0 or more"


class TestResume:
    def test_goes_on_where_the_part_ends(self, tiny, server, contents, tmp_path):
        (tmp_path / "1.dat.part").write_bytes(contents["1.dat"][:150_000])
        fetch(tiny, tmp_path)
        assert ("1.dat", "bytes=150000-") in server.requests
        assert server.bytes_sent == 450_000
        assert names_in(tmp_path) == NAMES
        assert holds_all(tmp_path, contents)

    def test_starts_over_where_the_server_sends_no_ranges(self, tiny, server, contents, tmp_path):
        server.ranges = False
        (tmp_path / "1.dat.part").write_bytes(contents["1.dat"][:150_000])
        fetch(tiny, tmp_path, retries=0)
        assert server.bytes_sent == 600_000
        assert holds_all(tmp_path, contents)

    def test_complete_part_costs_no_download(self, tiny, server, contents, tmp_path):
        (tmp_path / "1.dat.part").write_bytes(contents["1.dat"])
        fetch(tiny, tmp_path, retries=0)
        assert server.bytes_sent == 400_000
        assert names_in(tmp_path) == NAMES
        assert holds_all(tmp_path, contents)

    @pytest.mark.parametrize("size", [1000, 300_000])
    def test_part_of_something_else_is_thrown_away(self, tiny, server, contents, tmp_path, size):
        (tmp_path / "1.dat.part").write_bytes(bytes(size))
        fetch(tiny, tmp_path, retries=1)
        asked = [wanted for name, wanted in server.requests if name == "1.dat"]
        assert asked == [f"bytes={size}-", None]
        assert holds_all(tmp_path, contents)

    def test_broken_connection_is_taken_up_again(self, tiny, server, reply, contents, tmp_path):
        server.answer("1.dat", reply(bytes_sent=70_000), reply())
        fetch(tiny, tmp_path, retries=1)
        asked = [wanted for name, wanted in server.requests if name == "1.dat"]
        assert asked == [None, "bytes=65536-"]  # whole chunks of 16,384 bytes are kept
        assert holds_all(tmp_path, contents)

    @pytest.mark.skipif(sys.platform == "win32", reason="an interrupt is a signal only on POSIX")
    def test_interrupt_leaves_only_a_part(self, tiny, server, reply, contents, tmp_path):
        hold = threading.Event()
        server.answer("1.dat", reply(bytes_sent=140_000, hold=hold), reply())
        program = (
            "import signal, sys; from pathlib import Path\n"
            # A suite that runs in the background ignores the signal, and so would its children.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from ectopy.data.fetch import fetch\n"
            "from ectopy.data.registry import Database\n"
            "address, digest, folder = sys.argv[1:]\n"
            "fetch(Database('tiny', '1', '', '', '', address, {'1.dat': digest}), folder)\n"
        )
        digest = tiny.files["1.dat"]
        part = tmp_path / "1.dat.part"
        with subprocess.Popen(
            [sys.executable, "-c", program, server.url, digest, str(tmp_path)],
            stderr=subprocess.PIPE,
        ) as process:
            try:
                deadline = time.monotonic() + 30
                while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                # The server stays silent: the program must not wait for it to end.
                _, errors = process.communicate(timeout=10)
            finally:
                hold.set()
                process.kill()
        assert b"KeyboardInterrupt" in errors
        assert names_in(tmp_path) == ["1.dat.part"]
        size = part.stat().st_size
        assert part.read_bytes() == contents["1.dat"][:size]

        fetch(tiny, tmp_path)
        assert ("1.dat", f"bytes={size}-") in server.requests
        assert holds_all(tmp_path, contents)


class TestServerErrors:
    def test_no_network(self, tiny, tmp_path, monkeypatch):
        monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        folder = tmp_path / "tiny"
        assert message(tiny, None, base_url=url, retries=1) == (
            f"cannot reach 127.0.0.1:{port} ({os.strerror(errno.ECONNREFUSED)}); 3 of 3 files of "
            f"tiny are missing or wrong in {folder} (1.atr, 1.dat, 1.hea): run `ectopy data fetch "
            f"tiny` again, or put the files of {url} into that folder"
        )
        assert names_in(folder) == []

    def test_not_found_stops_at_once_and_keeps_what_came(self, tiny, server, reply, tmp_path):
        server.answer("1.dat", reply(status=404))
        assert message(tiny, tmp_path, connections=1) == (
            f"{server.url}1.dat answers 404 Not Found"
            + what_is_left(tmp_path, server.url, ["1.dat", "1.hea"])
        )
        assert [name for name, _ in server.requests] == ["1.atr", "1.dat"]
        assert names_in(tmp_path) == ["1.atr"]

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_passing_trouble_is_retried(self, tiny, server, reply, contents, tmp_path, status):
        server.answer("1.dat", reply(status=status), reply())
        fetch(tiny, tmp_path, retries=1)
        assert holds_all(tmp_path, contents)

    def test_lasting_trouble(self, tiny, server, reply, tmp_path):
        server.answer("1.atr", reply(status=500))
        assert message(tiny, tmp_path, connections=1, retries=1) == (
            f"{server.url}1.atr answers 500 Internal Server Error"
            + what_is_left(tmp_path, server.url, NAMES)
        )
        assert server.requests == [("1.atr", None)] * 2

    def test_connection_that_always_breaks(self, tiny, server, reply, contents, tmp_path):
        server.ranges = False
        server.answer("1.atr", reply(bytes_sent=70_000))
        error = message(tiny, tmp_path, connections=1, retries=1)
        assert error.startswith(f"the connection broke off in {server.url}1.atr (")
        assert error.endswith(", attempts: 2" + what_is_left(tmp_path, server.url, NAMES))
        assert (tmp_path / "1.atr.part").read_bytes() == contents["1.atr"][:65_536]

    def test_wrong_bytes_once(self, tiny, server, reply, contents, tmp_path):
        server.answer("1.dat", reply(content=b"other"), reply())
        fetch(tiny, tmp_path, retries=1)
        assert names_in(tmp_path) == NAMES
        assert holds_all(tmp_path, contents)

    def test_wrong_bytes_always(self, tiny, server, reply, contents, tmp_path):
        (tmp_path / "1.atr").write_bytes(b"what was there")
        server.answer("1.atr", reply(content=b"other"))
        assert message(tiny, tmp_path, connections=1, retries=1) == (
            f"{server.url}1.atr has SHA-256 {short(b'other')}..., not "
            f"{short(contents['1.atr'])}... as the registry says, attempts: 2"
            + what_is_left(tmp_path, server.url, NAMES)
        )
        assert server.requests == [("1.atr", None)] * 2
        assert names_in(tmp_path) == ["1.atr"]
        assert (tmp_path / "1.atr").read_bytes() == b"what was there"


class TestFolderErrors:
    def write_error(self, path: Path, number: int) -> str:
        return (
            f"cannot write {path}: {os.strerror(number)}; make that folder writable, with room for "
            "the files, or choose another with --folder or ECTOPY_DATA"
        )

    def test_folder_that_cannot_be_made(self, tiny, server, tmp_path):
        (tmp_path / "file").touch()
        folder = tmp_path / "file" / "tiny"
        assert message(tiny, folder) == self.write_error(folder, errno.ENOTDIR)
        assert server.requests == []

    def test_folder_in_the_place_of_a_file(self, tiny, tmp_path):
        (tmp_path / "1.atr").mkdir()
        assert message(tiny, tmp_path, connections=1) == (
            self.write_error(tmp_path / "1.atr", errno.EISDIR)
        )

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
    def test_full_disk(self, tiny, tmp_path):
        (tmp_path / "1.atr.part").symlink_to("/dev/full")
        assert message(tiny, tmp_path, connections=1) == (
            self.write_error(tmp_path / "1.atr", errno.ENOSPC)
        )
        assert not (tmp_path / "1.atr").exists()


class TestVerify:
    def test_all_right(self, tiny, tmp_path):
        fetch(tiny, tmp_path)
        (tmp_path / "notes.txt").write_text("mine")
        report = verify(tiny, tmp_path)
        assert report == VerifyReport(tiny, tmp_path, right=tuple(NAMES), missing=(), wrong=())
        assert report.ok
        assert report.describe() == f"tiny 2.1: all 3 files are right in {tmp_path}"

    def test_missing_and_wrong(self, tiny, tmp_path, contents):
        (tmp_path / "1.atr").write_bytes(contents["1.atr"])
        (tmp_path / "1.hea").write_bytes(contents["1.hea"][:-1])
        report = verify(tiny, tmp_path)
        assert report == VerifyReport(tiny, tmp_path, ("1.atr",), ("1.dat",), ("1.hea",))
        assert not report.ok
        assert report.describe() == (
            f"tiny 2.1 in {tmp_path}: of 3 files, 1 missing (1.dat), 1 wrong (1.hea); run "
            f"`ectopy data fetch tiny --folder {tmp_path}` to mend it"
        )

    def test_folder_in_the_place_of_a_file_is_wrong(self, tiny, tmp_path):
        (tmp_path / "1.dat").mkdir()
        assert verify(tiny, tmp_path).wrong == ("1.dat",)

    def test_absent_folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
        assert verify(get_database("mitdb")).describe() == (
            f"mitdb 1.0.0 in {tmp_path / 'mitdb'}: of 146 files, 146 missing (100.atr, 100.dat, "
            "100.hea, 101.atr, 101.dat, 101.hea, 102.atr, 102.dat, 102.hea, 103.atr, 103.dat, "
            "103.hea and 134 more); run `ectopy data fetch mitdb` to mend it"
        )

    @pytest.mark.parametrize("name", list(DATABASES))
    def test_real_files(self, data_dir, name):
        folder = data_dir / name
        if not folder.is_dir():
            pytest.skip(f"no {name} in {data_dir}")
        report = verify(get_database(name), folder)
        assert (report.missing, report.wrong) == ((), ())
        assert len(report.right) == {"mitdb": 146, "nstdb": 6}[name]

    def test_real_files_need_no_server(self, mitdb_dir):
        database = get_database("mitdb")
        assert fetch(database, mitdb_dir, base_url="http://127.0.0.1:9/", retries=0) == mitdb_dir
