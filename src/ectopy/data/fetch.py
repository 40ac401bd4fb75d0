"""Download a database, and check that every byte of it is right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.checksum import sha256_of
from ectopy.data.registry import data_dir, fetch_command
from ectopy.data.transfer import (
    FetchProgress,
    Tally,
    Transfer,
    TransferError,
    cannot_write,
)
from ectopy.errors import DataError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ectopy.data.registry import Database

MAX_CONNECTIONS = 16
"""More parallel connections than this would be a burden to the publisher's server."""

_HASH_THREADS = 4
_NAMES_IN_MESSAGE = 12


@dataclass(frozen=True)
class VerifyReport:
    """What was found when the files of a database were checked.

    Attributes
    ----------
    database : Database
    folder : Path
        Folder that was checked.
    right, missing, wrong : tuple of str
        Names of the files that have the SHA-256 of the registry, that are not there, and that
        have any other content. Files that the registry does not know are in none of the three.
    """

    database: Database
    folder: Path
    right: tuple[str, ...]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every file is there and right."""
        return not self.missing and not self.wrong

    def describe(self) -> str:
        """Say on one line what was found and, if anything is off, how to mend it."""
        name, total = self.database.name, len(self.database.files)
        if self.ok:
            return f"{name} {self.database.version}: all {total} files are right in {self.folder}"
        found = [
            f"{len(names)} {what} ({_some(names)})"
            for what, names in (("missing", self.missing), ("wrong", self.wrong))
            if names
        ]
        return (
            f"{name} {self.database.version} in {self.folder}: of {total} files, "
            f"{', '.join(found)}; run `{fetch_command(name, self.folder)}` to mend it"
        )


def verify(database: Database, folder: str | os.PathLike[str] | None = None) -> VerifyReport:
    """Compare every file of a database with the SHA-256 in its registry.

    Parameters
    ----------
    database : Database
    folder : path, optional
        Folder that holds the files; the database's own folder if not given. It need not exist.

    Returns
    -------
    VerifyReport

    Raises
    ------
    DataError
        If a file is there but cannot be read.

    Examples
    --------
    >>> from ectopy.data.registry import get_database
    >>> verify(get_database("nstdb"), "no/such/folder").missing[:2]
    ('bw.dat', 'bw.hea')
    """
    place = data_dir() / database.name if folder is None else Path(folder)
    # Threads, because hashing releases the interpreter lock.
    with ThreadPoolExecutor(max_workers=_HASH_THREADS) as pool:
        digests = list(pool.map(_existing_sha256, [place / name for name in database.files]))
    found = list(zip(database.files.items(), digests, strict=True))
    return VerifyReport(
        database=database,
        folder=place,
        right=tuple(name for (name, expected), digest in found if digest == expected),
        missing=tuple(name for (name, _), digest in found if digest is None),
        wrong=tuple(
            name for (name, expected), digest in found if digest is not None and digest != expected
        ),
    )


def fetch(
    database: Database,
    folder: str | os.PathLike[str] | None = None,
    *,
    connections: int = 4,
    retries: int = 3,
    base_url: str | None = None,
    progress: Callable[[FetchProgress], None] | None = None,
) -> Path:
    """Download what is missing or wrong of a database, and check every file.

    Files that are there and right are not downloaded again. Each file arrives under a name that
    ends in ``.part``, from where a later fetch goes on, and takes its own name only once its
    SHA-256 is right. Files that the registry does not know are left alone.

    Parameters
    ----------
    database : Database
    folder : path, optional
        Folder for the files; the database's own folder if not given. Made if it does not exist.
    connections : int
        Files to download at the same time, 1 to 16.
    retries : int
        Further attempts after the first, for each file, when the connection breaks, the server
        is busy or the content is wrong.
    base_url : str, optional
        Where to get the files, such as a mirror; the publisher's address if not given.
    progress : callable, optional
        Called with a `FetchProgress` whenever bytes arrive; from several threads, one at a time.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If the server cannot be reached, refuses a file or serves other bytes than the registry
        names, or if the folder cannot be written.

    Examples
    --------
    >>> from ectopy.data.registry import get_database
    >>> fetch(get_database("mitdb"))  # doctest: +SKIP
    PosixPath('/home/ada/.cache/ectopy/mitdb')
    """
    if not 1 <= connections <= MAX_CONNECTIONS:
        msg = f"cannot use {connections} connections; choose 1 to {MAX_CONNECTIONS}"
        raise DataError(msg)
    if retries < 0:
        msg = f"cannot retry {retries} times; choose 0 or more"
        raise DataError(msg)
    found = verify(database, folder)
    tally = Tally(len(found.right), len(database.files), progress)
    if found.ok:
        return found.folder

    _make_folder(found.folder)
    url = (base_url or database.base_url).rstrip("/") + "/"
    left = {n: digest for n, digest in database.files.items() if n not in found.right}
    transfer = Transfer(left, found.folder, base_url=url, retries=retries, tally=tally)
    try:
        transfer.run(connections)
    except TransferError as error:
        absent = [name for name in left if name not in tally.names_done]
        msg = (
            f"{error}; {len(absent)} of {len(database.files)} files of {database.name} are missing "
            f"or wrong in {found.folder} ({_some(absent)}): run "
            f"`{fetch_command(database.name, found.folder)}` again, or put the files of {url} "
            "into that folder"
        )
        raise DataError(msg) from error
    return found.folder


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(cannot_write(error, folder)) from error


def _existing_sha256(path: Path) -> str | None:
    """Hash a file: None where there is nothing, "" where there is something else than a file."""
    try:
        if not path.is_file():
            return "" if path.exists() else None
        return sha256_of(path)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror or error}; make it readable or delete it"
        raise DataError(msg) from error


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_IN_MESSAGE])
    hidden = len(names) - _NAMES_IN_MESSAGE
    return f"{shown} and {hidden} more" if hidden > 0 else shown
