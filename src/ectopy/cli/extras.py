"""One answer to what is not installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needs_extra(what: str, extra: str) -> Iterator[None]:
    """Say which extra to install where an import in the block finds nothing.

    Raises
    ------
    MissingExtra
        If it does not.
    """
    from ectopy.errors import MissingExtra

    try:
        yield
    except ModuleNotFoundError as error:
        msg = f"{what} needs {error.name}; install it with: pip install 'ectopy[{extra}]'"
        raise MissingExtra(msg) from error
