"""Errors of the file system and of memory, in one clear line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of a file and of memory into a `RecordingError`.

    Parameters
    ----------
    path : Path
        The file that is read.

    Raises
    ------
    RecordingError
        In place of `OSError` and `MemoryError`.
    """
    try:
        yield
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror or error}; check the file and its permissions"
        raise RecordingError(msg) from error
    except MemoryError as error:
        msg = f"{path} does not fit into memory; cut it into shorter recordings"
        raise RecordingError(msg) from error
