"""Freed memory is kept where the C library can be told."""

from __future__ import annotations

import ctypes
import platform

import pytest

from ectopy import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_glibc_takes_both_numbers():
    assert memory.keep_freed_memory()


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_elsewhere_nothing_happens(monkeypatch, error):
    def no_library(name: object) -> None:
        raise error("none")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert not memory.keep_freed_memory()
