"""How every output file comes to its place: whole, under a safe name, or not at all."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from stat import S_ISDIR
from tempfile import TemporaryDirectory
from threading import get_ident
from typing import TYPE_CHECKING

from ectopy.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Path separators of any system, what Windows forbids in a file name, and control characters.
_UNSAFE = re.compile(r'[/\\<>:"|?*\x00-\x1f\x7f]')

# What stands in a name for a byte that is no UTF-8, see PEP 383, and other lone surrogates.
_UNDECODED = re.compile("[\ud800-\udfff]")
_FIRST_UNDECODED = 0xDC00

# How often to make a folder anew that another process has removed before it was used.
# Of 4 threads that do nothing but make and remove it, 1 try in 150 meets that, and 1 in 4000 three
# times in a row; on a machine that is busy otherwise it is more often.
_ATTEMPTS = 100

# File systems allow 255 bytes; the rest is for the extension.
_LONGEST_STEM_BYTES = 200


def file_stem(recording: str) -> str:
    r"""File name, without its extension, for the results of a recording.

    Path separators, characters that some system forbids in a file name, and leading and trailing
    dots and spaces give way to "_", so that the file lies in the folder it was meant for. A byte
    that is no UTF-8 is written as its number, so that two such names stay two.

    Examples
    --------
    >>> file_stem("my rec.1"), file_stem("../etc/passwd"), file_stem("")
    ('my rec.1', '___etc_passwd', 'recording')
    >>> file_stem(os.fsdecode(b"r\xe9c"))
    'r%E9c'
    """
    stem = _UNSAFE.sub("_", recording)
    stem = re.sub(r"^[. ]+|[. ]+$", lambda match: "_" * len(match.group()), stem)
    stem = _UNDECODED.sub(_numbered, stem)
    return stem.encode()[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore") or "recording"


def _numbered(undecoded: re.Match[str]) -> str:
    code = ord(undecoded.group())
    is_byte = 0x80 <= code - _FIRST_UNDECODED <= 0xFF
    return f"%{code - _FIRST_UNDECODED if is_byte else code:X}"


def cannot_write(folder: Path, reason: str) -> OutputError:
    """Make the error for a folder that results cannot be written to."""
    msg = (
        f"cannot write to {str(folder)!r}: {reason}; "
        "name a folder that can be written to and has space left"
    )
    return OutputError(msg)


@contextmanager
def staging(folder: str | os.PathLike[str], *, make: bool = False) -> Iterator[Path]:
    """Give a temporary folder, and move the files in it to `folder` once the block has succeeded.

    Where the block raises, whatever it is, `folder` stays as it was, or missing.

    Parameters
    ----------
    folder : path
        An existing folder, unless `make` is given.
    make : bool
        Whether to make `folder`, with its parents, where it is missing.

    Yields
    ------
    Path
        A new folder inside `folder`, so that moving a file is one step of the file system.

    Raises
    ------
    OutputError
        If `folder` is missing, no folder, not writable or full, or if it holds a folder of the
        name of an output file.
    """
    target = Path(folder)
    made: set[Path] = set()
    try:
        with _temporary(target, made if make else None) as name:
            staged = Path(name)
            yield staged
            files = sorted(staged.iterdir())
            for file in files:
                if (target / file.name).is_dir():
                    raise cannot_write(target, f"{file.name!r} in it is a folder")
            for file in files:
                file.replace(target / file.name)
        made.clear()
    except OSError as error:
        raise cannot_write(target, _reason(target, error)) from error
    except OutputError as error:
        # A writer that staged inside this block names the temporary folder, which no one knows.
        if isinstance(error.__cause__, OSError):
            raise cannot_write(target, _reason(target, error.__cause__)) from error.__cause__
        raise
    except BaseException:
        # One that comes from outside, by Ctrl-C, may come between making a folder and having it.
        with suppress(OSError):  # another process may be removing the folder
            for left in target.glob(f"{_own_prefix()}*"):
                rmtree(left, ignore_errors=True)
        raise
    finally:
        for path in sorted(made, reverse=True):  # the innermost first
            with suppress(OSError):  # another process may have filled or removed it
                path.rmdir()


def _own_prefix() -> str:
    """Begin of the names of this thread's temporary folders, of which it uses one at a time."""
    return f".ectopy-{os.getpid()}-{get_ident()}-"


def _temporary(target: Path, made: set[Path] | None) -> TemporaryDirectory[str]:
    """Make a temporary folder in `target`, which is made as well where `made` is given.

    The folders made for that are added to `made`, even where it fails.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            if made is not None:
                made.update(path for path in (target, *target.parents) if not path.exists())
                target.mkdir(parents=True, exist_ok=True)
            return TemporaryDirectory(prefix=_own_prefix(), dir=target, ignore_cleanup_errors=True)
        except (FileNotFoundError, FileExistsError):
            # Another process that failed has removed the folders it made, which are these: before
            # they were used, or between finding them there and seeing that they are folders.
            if made is None or attempt == _ATTEMPTS or _file_in(target):
                raise
    raise AssertionError  # the last attempt returns or raises


def _reason(folder: Path, error: OSError) -> str:
    """Say in a few words why `folder` cannot be written to."""
    if isinstance(error, (FileExistsError, NotADirectoryError)) and (file := _file_in(folder)):
        return f"{str(file)!r} is a file, not a folder"
    return (error.strerror or str(error)).lower()


def _file_in(folder: Path) -> Path | None:
    """Find a file where the path of a folder needs a folder."""
    return next((path for path in (folder, *folder.parents) if path.is_file()), None)


def check_folder(folder: str | os.PathLike[str]) -> None:
    """See whether results can be written to a folder, before the work rather than after it.

    Nothing is made, not even for a moment: others may be making or using the same folder.

    Raises
    ------
    OutputError
        If the folder is missing and cannot be made, is a file, or cannot be written to.
    """
    target = Path(folder)
    for path in (target, *target.parents):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise cannot_write(target, _reason(target, error)) from error
        if not S_ISDIR(mode):
            raise cannot_write(target, f"{str(path)!r} is a file, not a folder")
        if os.access(path, os.W_OK | os.X_OK):
            return
        if path.exists():  # another process may have removed it since
            raise cannot_write(target, f"{str(path)!r} is not writable")


def write_text(path: Path, text: str) -> None:
    """Write one file, whole or not at all; its folder is made where it is missing.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with staging(path.parent, make=True) as staged:
        (staged / path.name).write_text(text, encoding="utf-8")
