"""Download files in parallel: each resumed, checked, and only then given its own name."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ectopy._version import __version__
from ectopy.checksum import sha256_of
from ectopy.data.registry import DATA_VARIABLE
from ectopy.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import requests

PART_SUFFIX = ".part"
"""What the name of a file ends in until all of it is there and right."""

_TIMEOUT_S = (10.0, 30.0)  # to connect, between two packets
_BACKOFF_S = 0.5  # pauses of 0.5, 1, 2 ... seconds between attempts
_PASSING_STATUS = (429, 500, 502, 503, 504)  # a server that may well answer a moment later
_CHUNK_BYTES = 1 << 14  # a chunk that breaks off halfway is lost, so keep it small
_JOIN_S = 1.0


class TransferError(Exception):
    """A file could not be had from the server; the message says why, without a next step."""


@dataclass(frozen=True)
class FetchProgress:
    """How far a fetch has come.

    Attributes
    ----------
    files_done : int
        Files that are there and right, those that already were included.
    files_total : int
        Files of the database.
    bytes_received : int
        Bytes received so far, those of failed attempts included.
    """

    files_done: int
    files_total: int
    bytes_received: int


class Tally:
    """Counts what has arrived, for every thread, and reports it.

    Parameters
    ----------
    done : int
        Files that are right from the start.
    total : int
        Files altogether.
    report : callable, optional
        Called with a `FetchProgress` at the start and at every change, one call at a time.
    """

    def __init__(
        self, done: int, total: int, report: Callable[[FetchProgress], None] | None
    ) -> None:
        self.names_done: set[str] = set()
        self._done_before = done
        self._total = total
        self._bytes = 0
        self._report = report
        self._lock = threading.Lock()
        self.add()

    def add(self, received: int = 0, done: str | None = None) -> None:
        """Count some bytes, or a file that is now there and right."""
        with self._lock:
            self._bytes += received
            if done is not None:
                self.names_done.add(done)
            if self._report is not None:
                files_done = self._done_before + len(self.names_done)
                self._report(FetchProgress(files_done, self._total, self._bytes))


class Transfer:
    """One download of several files: what its threads share.

    Parameters
    ----------
    checksums : mapping of str to str
        SHA-256 of each file to download, by name.
    folder : Path
        Existing folder to put the files in.
    base_url : str
        Address of the files, up to their names.
    retries : int
        Further attempts after the first, for each file.
    tally : Tally
        Where to count what arrives.
    """

    def __init__(
        self,
        checksums: Mapping[str, str],
        folder: Path,
        *,
        base_url: str,
        retries: int,
        tally: Tally,
    ) -> None:
        self._checksums = checksums
        self._folder = folder
        self._base_url = base_url
        self._retries = retries
        self._tally = tally
        self._stop = threading.Event()

    def run(self, connections: int) -> None:
        """Download every file; the first failure stops all threads.

        Raises
        ------
        TransferError
            If the server cannot be reached, refuses a file or serves other bytes than expected.
        DataError
            If the folder cannot be written.
        """
        todo: queue.SimpleQueue[str] = queue.SimpleQueue()
        outcomes: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        for name in self._checksums:
            todo.put(name)
        with _open_session(connections, self._retries) as session:
            # Daemon threads, because an executor waits for its threads at exit: an interrupt
            # would hang for as long as the server keeps a connection open and silent.
            threads = [
                threading.Thread(target=self._work, args=(session, todo, outcomes), daemon=True)
                for _ in range(min(connections, len(self._checksums)))
            ]
            for thread in threads:
                thread.start()
            try:
                for _ in self._checksums:
                    if (error := outcomes.get()) is not None:
                        raise error
            except Exception:
                # Let the others end, so that nothing is written after the caller hears of it.
                for thread in threads:
                    thread.join(timeout=_JOIN_S)
                raise
            finally:
                self._stop.set()

    def _work(
        self,
        session: requests.Session,
        todo: queue.SimpleQueue[str],
        outcomes: queue.SimpleQueue[BaseException | None],
    ) -> None:
        while not self._stop.is_set():
            try:
                name = todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._fetch_one(session, name)
            except BaseException as error:  # raised again in the calling thread
                self._stop.set()
                outcomes.put(error)
            else:
                outcomes.put(None)

    def _fetch_one(self, session: requests.Session, name: str) -> None:
        """Download one file, in as many attempts as are allowed, and name it once it is right."""
        url = self._base_url + quote(name)
        part = self._folder / (name + PART_SUFFIX)
        expected = self._checksums[name]
        problem = ""
        for attempt in range(self._retries + 1):
            if attempt and self._stop.wait(_BACKOFF_S * 2 ** (attempt - 1)):
                raise _StoppedError
            try:
                self._download(session, url, part)
                digest = sha256_of(part)
                if digest == expected:
                    part.replace(self._folder / name)
                    self._tally.add(done=name)
                    return
                part.unlink()
                problem = (
                    f"{url} has SHA-256 {digest[:12]}..., not {expected[:12]}... as the registry "
                    "says"
                )
            except _BrokenOffError as error:
                problem = f"the connection broke off in {url} ({error})"
            except OSError as error:
                raise DataError(cannot_write(error, self._folder / name)) from error
        msg = f"{problem}, attempts: {self._retries + 1}"
        raise TransferError(msg)

    def _download(self, session: requests.Session, url: str, part: Path) -> None:
        """Append to the part what it lacks, or start over where the server cannot do that."""
        import requests

        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            response = session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            msg = f"cannot reach {urlsplit(url).netloc or url} ({_root_cause(error)})"
            raise TransferError(msg) from error
        with response:
            if have and response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # nothing lies beyond what is here: its SHA-256 decides
            if not response.ok:
                msg = f"{url} answers {response.status_code} {response.reason}"
                raise TransferError(msg)
            content_range = response.headers.get("Content-Range", "")
            goes_on = response.status_code == requests.codes.partial_content and (
                content_range.startswith(f"bytes {have}-")
            )
            with part.open("ab" if goes_on else "wb") as file:
                try:
                    for chunk in response.iter_content(_CHUNK_BYTES):
                        if self._stop.is_set():
                            raise _StoppedError
                        file.write(chunk)
                        self._tally.add(received=len(chunk))
                except requests.RequestException as error:
                    raise _BrokenOffError(_root_cause(error)) from error


class _BrokenOffError(Exception):
    """The connection ended before the file did; the part that came is kept."""


class _StoppedError(Exception):
    """Another thread failed, or the user interrupted."""


def _open_session(connections: int, retries: int) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    policy = Retry(
        total=retries,
        backoff_factor=_BACKOFF_S,
        status_forcelist=_PASSING_STATUS,
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers["User-Agent"] = f"ectopy/{__version__}"
    # Without this a server may compress what it sends, and a byte range then means bytes of the
    # compressed stream.
    session.headers["Accept-Encoding"] = "identity"
    adapter = HTTPAdapter(pool_maxsize=connections, max_retries=policy)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def cannot_write(error: OSError, path: Path) -> str:
    """Say on one line that a file or folder cannot be written, and what to do about it."""
    return (
        f"cannot write {path}: {error.strerror or error}; make that folder writable, with room for "
        f"the files, or choose another with --folder or {DATA_VARIABLE}"
    )


def _root_cause(error: BaseException) -> str:
    # The libraries wrap what the system said three or four times.
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(words).split())
