"""Where the files of a WFDB record lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat

if TYPE_CHECKING:
    from pathlib import Path


def header_path(path: Path) -> Path:
    """Header of the record that a path means.

    Raises
    ------
    RecordingError
        If there is none.
    UnsupportedFormat
        If there is such a file, but no header beside it.
    """
    if path.name:
        for header in (path.with_name(path.name + ".hea"), path.with_suffix(".hea")):
            if header.is_file():
                return header
    if path.is_dir():
        msg = f"{path} is a folder; name one recording in it, such as {path / '100.hea'}"
        raise RecordingError(msg)
    if path.is_file():
        msg = (
            f"{path} is not read: it has no WFDB header {path.with_suffix('.hea').name} beside it, "
            "and no other format is known; convert the recording to WFDB"
        )
        raise UnsupportedFormat(msg)
    what = "no such file"
    if path.exists():
        what = "it is a pipe or a device, not a file"
    elif path.is_symlink():
        what = "it is a link to nothing"
    if path.suffix != ".hea":
        what += f", and no WFDB header {path.name}.hea"
    msg = f"there is no recording {path}: {what}; check the name and the folder"
    raise RecordingError(msg)


def inside_folder(header: Path, name: str) -> Path:
    """Path of a file that a header names, which must lie in the header's own folder.

    A header comes from anywhere, and must not make other files of the system be read: neither by a
    path nor by a link that leads out of the folder. Links within the folder are followed.

    Raises
    ------
    RecordingError
        If the name leads elsewhere, or there is no such file.
    """
    path = header.parent / name
    is_plain = "/" not in name and "\\" not in name and name not in (".", "..")
    if is_plain and not path.is_file():
        msg = f"{header.name} names the file {name!r}, which is not in {header.parent}; add it"
        raise RecordingError(msg)
    if not is_plain or path.resolve().parent != header.parent.resolve():
        msg = (
            f"{header.name} names the file {name!r}, which lies outside its own folder; "
            "put all files of the recording into one folder"
        )
        raise RecordingError(msg)
    return path
