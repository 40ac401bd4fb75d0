"""The databases that ectopy knows: where they come from, and the SHA-256 of every file."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ectopy.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_VARIABLE = "ECTOPY_DATA"
"""Environment variable that names the folder under which every database has its own folder."""


@dataclass(frozen=True)
class Database:
    """One version of one database.

    Attributes
    ----------
    name : str
        Short name, which is also the name of its folder.
    version : str
        Version, as its publisher counts.
    title : str
        Full name.
    licence : str
        Licence under which its publisher gives it away.
    citation : str
        What to cite when it is used.
    base_url : str
        Address under which its publisher serves each file by name, ending in a slash.
    files : mapping of str to str
        SHA-256, as 64 lower-case hexadecimal digits, of each file name.
    """

    name: str
    version: str
    title: str
    licence: str
    citation: str
    base_url: str
    files: Mapping[str, str] = field(repr=False, hash=False)


def parse_checksums(text: str) -> Mapping[str, str]:
    """Read the output of ``sha256sum``.

    Parameters
    ----------
    text : str
        One line a file: its SHA-256, white space, its name.

    Returns
    -------
    mapping of str to str
        SHA-256 of each file name, in the order of the lines; cannot be changed.

    Examples
    --------
    >>> dict(parse_checksums("00ff  100.dat"))
    {'100.dat': '00ff'}
    """
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return MappingProxyType({name.strip(): digest.lower() for digest, name in pairs})


def _packaged_checksums(name: str, version: str) -> Mapping[str, str]:
    file = resources.files("ectopy.data") / "checksums" / f"{name}-{version}.sha256"
    return parse_checksums(file.read_text(encoding="ascii"))


_LICENCE = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
_PHYSIONET = (
    "Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. "
    "Circulation 101(23):e215-e220 (2000)."
)

_MITDB = Database(
    name="mitdb",
    version="1.0.0",
    title="MIT-BIH Arrhythmia Database",
    licence=_LICENCE,
    citation=(
        "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. "
        f"IEEE Eng in Med and Biol 20(3):45-50 (2001). {_PHYSIONET}"
    ),
    base_url="https://physionet.org/files/mitdb/1.0.0/",
    files=_packaged_checksums("mitdb", "1.0.0"),
)

# The publisher's folder also has twelve mixtures of this noise with two records of mitdb. They
# are left out: a mixture is made here, at any signal-to-noise ratio, from the noise itself.
_NSTDB = Database(
    name="nstdb",
    version="1.0.0",
    title="MIT-BIH Noise Stress Test Database (its noise records bw, em and ma)",
    licence=_LICENCE,
    citation=(
        "Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. "
        f"Computers in Cardiology 11:381-384 (1984). {_PHYSIONET}"
    ),
    base_url="https://physionet.org/files/nstdb/1.0.0/",
    files=_packaged_checksums("nstdb", "1.0.0"),
)

DATABASES: Mapping[str, Database] = MappingProxyType({db.name: db for db in (_MITDB, _NSTDB)})
"""Every database that can be fetched and verified, by name."""


def get_database(name: str) -> Database:
    """Look up a database by name.

    Raises
    ------
    DataError
        If there is none of that name; the message names those that exist.

    Examples
    --------
    >>> get_database("mitdb").title
    'MIT-BIH Arrhythmia Database'
    """
    if name not in DATABASES:
        msg = f"unknown database {name!r}; choose one of: {', '.join(DATABASES)}"
        raise DataError(msg)
    return DATABASES[name]


def data_dir() -> Path:
    """Folder under which every database has its own folder.

    Returns
    -------
    Path
        The environment variable `ECTOPY_DATA` if it is set and not empty, else the user's cache
        folder. It need not exist.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ectopy", appauthor=False)


def database_dir(name: str) -> Path:
    """Folder that holds the files of a database unless another is asked for.

    Raises
    ------
    DataError
        If there is no database of that name.
    """
    return data_dir() / get_database(name).name


def fetch_command(name: str, folder: Path) -> str:
    """Command line that fetches a database into a folder, to be named in messages.

    Examples
    --------
    >>> fetch_command("mitdb", Path("ecg"))
    'ectopy data fetch mitdb --folder ecg'
    """
    if folder == data_dir() / name:
        return f"ectopy data fetch {name}"
    return f"ectopy data fetch {name} --folder {shlex.quote(str(folder))}"
