"""Long arrays that lie in a temporary file: memory holds what is being looked at."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

PIECE = 16_384
"""Rows of a table that are looked at together: as text, with all its columns, some 10 MB."""

SMALL = 4 * 1024 * 1024
"""Bytes of an array that had better lie in memory: of a day it is the peaks and probabilities."""


def pieces(n_rows: int, size: int = PIECE) -> Iterator[slice]:
    """Consecutive rows of a table, `size` at a time.

    Examples
    --------
    >>> list(pieces(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def release(array: NDArray[Any]) -> None:
    """Give back the memory of an array that is mapped from a file; it is read again when needed.

    Of an array that lies in memory nothing is lost, and nothing is won.
    """
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def at_hand(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Bring a small array into memory, and leave a large one in its file."""
    return np.array(array) if array.nbytes <= SMALL else array
