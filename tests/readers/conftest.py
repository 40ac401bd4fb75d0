"""Small WFDB records to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import wfdb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_SAMPLES = 1000


@pytest.fixture
def digital() -> np.ndarray:
    """Two leads of whole numbers that fit into every format, none of them a missing sample."""
    random = np.random.default_rng(1)
    return random.integers(-120, 120, size=(N_SAMPLES, 2))


@pytest.fixture
def write_record(tmp_path: Path, digital: np.ndarray) -> Callable[..., Path]:
    """Write a record of two leads and return its header."""

    def write(name: str = "rec", fmt: str = "212", **changes: object) -> Path:
        fields = {
            "fs": 360,
            "units": ["mV", "mV"],
            "sig_name": ["MLII", "V5"],
            "d_signal": digital,
            "fmt": [fmt, fmt],
            "adc_gain": [200.0, 100.0],
            "baseline": [0, 20],
        } | changes
        wfdb.wrsamp(name, write_dir=str(tmp_path), **fields)
        return tmp_path / f"{name}.hea"

    return write
