"""Errors of the file system and of memory, in one clear line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike


@contextmanager
def clear_errors(
    what: str | PathLike[str], too_large: str = "cut it into shorter recordings"
) -> Iterator[None]:
    """Turn what the system says of a file and of memory into a `RecordingError`.

    Parameters
    ----------
    what : path or str
        What is read.
    too_large : str
        What to do where it does not fit into memory.

    Raises
    ------
    RecordingError
        In place of `OSError` and `MemoryError`.
    """
    try:
        yield
    except OSError as error:
        msg = f"cannot read {what}: {error.strerror or error}; check the file and its permissions"
        raise RecordingError(msg) from error
    except MemoryError as error:
        msg = f"{what} does not fit into memory; {too_large}"
        raise RecordingError(msg) from error
