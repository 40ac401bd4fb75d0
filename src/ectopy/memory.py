"""Memory that is given back and fetched again costs more time than much of the arithmetic."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
KEPT, LARGEST = 128 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes of freed memory that are kept, and of the largest block that may be made of them."""


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory for the next arrays; for a program, not a library.

    glibc gives large blocks back to the system at once. Where arrays of some megabytes come and go
    all the time, each page of them is then fetched and cleared anew: a tenth of the time of an
    analysis. Elsewhere than with glibc nothing is changed.

    Returns
    -------
    bool
        Whether it was told.
    """
    library = _glibc()
    if library is None:
        return False
    told = library.mallopt(M_TRIM_THRESHOLD, KEPT), library.mallopt(M_MMAP_THRESHOLD, LARGEST)
    return all(told)


def give_freed_memory_back() -> None:
    """Give back what was kept, that of threads that have ended too, which no other would use."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Give the C library where it is glibc: in others the same names may mean something else."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018
    except (AttributeError, OSError, TypeError):
        return None
    return library
