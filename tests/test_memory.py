"""Freed memory is kept where the C library can be told."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from ectopy import memory

CODE = """
from pathlib import Path
import numpy as np
from ectopy import memory

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

told = memory.keep_freed_memory()
arrays = [np.ones(500_000) for _ in range(20)]  # 80 MB
full = resident_mb()
del arrays
kept = resident_mb()
memory.give_freed_memory_back()
print(told, kept > full - 10, resident_mb() < full - 60)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="there is no /proc here")
def test_freed_memory_is_kept_and_goes_back():
    """In a process of its own, as it is told for good."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_elsewhere_nothing_happens(monkeypatch, error):
    def no_library(name: object) -> None:
        raise error("none")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert not memory.keep_freed_memory()
    memory.give_freed_memory_back()
