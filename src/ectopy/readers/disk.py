"""A single file of a recording: whether it is there, how it begins, bytes and text out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError

if TYPE_CHECKING:
    from os import PathLike
    from typing import BinaryIO


def first_bytes(path: str | PathLike[str], n_bytes: int) -> bytes:
    """Read so many bytes a file begins with; none where there is no file that can be read."""
    try:
        with Path(path).open("rb") as stream:
            return stream.read(n_bytes)
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return b""


def existing_file(path: str | PathLike[str]) -> Path:
    """Path of a file that is there.

    Raises
    ------
    RecordingError
        If there is none of that name, or it is a folder.
    """
    found = Path(path)
    try:
        there, is_folder = found.exists(), found.is_dir()
    except (OSError, ValueError):  # a name too long, or with a zero byte
        there = is_folder = False
    if is_folder:
        raise RecordingError(f"{found} is a folder; name one recording in it")
    if not there:
        shown = str(path) if len(str(path)) <= 200 else str(path)[:197] + "..."
        raise RecordingError(f"there is no recording {shown!r}; check the name and the folder")
    return found


def read_fully(stream: BinaryIO, n_bytes: int) -> bytes:
    """Read so many bytes, or all up to the end; an unbuffered stream may give fewer at a time."""
    parts = []
    while n_bytes > 0:
        part = stream.read(n_bytes)
        if not part:
            break
        parts.append(part)
        n_bytes -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def one_line(text: str) -> str:
    """Text in one line: blanks in place of what cannot be printed, none at either end."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
