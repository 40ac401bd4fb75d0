"""How every output file comes to its place: whole, under a safe name, or not at all."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ectopy.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Path separators of any system, what Windows forbids in a file name, and control characters.
_UNSAFE = re.compile(r'[/\\<>:"|?*\x00-\x1f\x7f]')

# File systems allow 255 bytes; the rest is for the extension.
_LONGEST_STEM_BYTES = 200


def file_stem(recording: str) -> str:
    """File name, without its extension, for the results of a recording.

    Path separators, characters that some system forbids in a file name, and leading and trailing
    dots and spaces give way to "_", so that the file lies in the folder it was meant for.

    Examples
    --------
    >>> file_stem("my rec.1"), file_stem("../etc/passwd"), file_stem("")
    ('my rec.1', '___etc_passwd', 'recording')
    """
    stem = _UNSAFE.sub("_", recording)
    stem = re.sub(r"^[. ]+|[. ]+$", lambda match: "_" * len(match.group()), stem)
    return os.fsencode(stem)[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore") or "recording"


def cannot_write(folder: Path, reason: str) -> OutputError:
    """Make the error for a folder that results cannot be written to."""
    msg = (
        f"cannot write to {str(folder)!r}: {reason}; "
        "name a folder that can be written to and has space left"
    )
    return OutputError(msg)


@contextmanager
def staging(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder, and move the files in it to `folder` once the block has succeeded.

    Where the block raises, whatever it is, `folder` stays as it was.

    Parameters
    ----------
    folder : path
        An existing folder.

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
    try:
        with TemporaryDirectory(prefix=".ectopy-", dir=target, ignore_cleanup_errors=True) as name:
            staged = Path(name)
            yield staged
            files = sorted(staged.iterdir())
            for file in files:
                if (target / file.name).is_dir():
                    raise cannot_write(target, f"{file.name!r} in it is a folder")
            for file in files:
                file.replace(target / file.name)
    except OSError as error:
        raise cannot_write(target, _reason(target, error)) from error
    except OutputError as error:
        # A writer that staged inside this block names the temporary folder, which no one knows.
        if isinstance(error.__cause__, OSError):
            raise cannot_write(target, _reason(target, error.__cause__)) from error.__cause__
        raise


def make_folder(folder: Path) -> list[Path]:
    """Make a folder with its parents where they are missing.

    Returns
    -------
    list of Path
        The folders that were made, the innermost first.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, _reason(folder, error)) from error
    return missing


def _reason(folder: Path, error: OSError) -> str:
    """Say in a few words why `folder` cannot be written to."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        for path in (folder, *folder.parents):
            if path.exists() and not path.is_dir():
                return f"{str(path)!r} is a file, not a folder"
    return (error.strerror or str(error)).lower()


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Make sure that results can be written to a folder, before the work rather than after it.

    Nothing is left behind; a folder that is missing is still missing afterwards.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    made = make_folder(Path(folder))
    try:
        with staging(folder):
            pass
    finally:
        for path in made:
            path.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write one file, whole or not at all; its folder is made where it is missing.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    make_folder(path.parent)
    with staging(path.parent) as staged:
        (staged / path.name).write_text(text, encoding="utf-8")
