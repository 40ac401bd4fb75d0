"""Freed memory is kept where the C library can be told."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import numpy as np
import pytest

from ectopy import memory


def resident_mb() -> float:
    pages = Path("/proc/self/statm")
    if not pages.is_file():
        pytest.skip("there is no /proc here")
    return int(pages.read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_glibc_takes_both_numbers():
    assert memory.keep_freed_memory()


def test_freed_memory_goes_back():
    memory.keep_freed_memory()
    arrays = [np.ones(500_000) for _ in range(20)]  # 80 MB, kept when freed
    del arrays
    kept = resident_mb()
    memory.give_freed_memory_back()
    if memory._glibc() is not None:
        assert resident_mb() < kept - 40


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_elsewhere_nothing_happens(monkeypatch, error):
    def no_library(name: object) -> None:
        raise error("none")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert not memory.keep_freed_memory()
    memory.give_freed_memory_back()
