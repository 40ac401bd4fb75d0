"""From digital values to millivolts: what takes the short way is the same to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ectopy.readers import wfdb as reader
from ectopy.readers.wfdb_header import read_header

DIGITAL = np.arange(-(2**15), 2**15, dtype=np.int16)


def signal(tmp_path, gain: float, baseline: int, unit: str = "mV"):
    header = tmp_path / "r.hea"
    header.write_text(f"r 1 360 10\nr.dat 16 200({baseline})/{unit} 16 0 0 0 0 II\n")
    return replace(read_header(header).signals[0], gain=gain)


@pytest.mark.parametrize("gain", [200.0, 1000.0, 7.0, 0.3, 409.6, 1e-3, 12345.678, 1e25])
@pytest.mark.parametrize("baseline", [0, 1024, -32768, 8_000_000, 2**29])
def test_float32_on_the_way_changes_nothing(tmp_path, gain, baseline):
    one = signal(tmp_path, gain, baseline)
    expected = ((DIGITAL.astype(np.float64) - one.baseline) / one.gain).astype(np.float32)
    expected[0] = np.nan  # of format 16, what stands for a missing sample
    found = reader._millivolts(DIGITAL, one).astype(np.float32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("gain", "unit", "bits", "short"),
    [
        (200.0, "mV", 16, True),
        (409.6, "mV", 16, False),  # has no exact float32
        (200.0, "uV", 16, False),  # a second operation would round once more
        (200.0, "mV", 32, False),
        (1e25, "mV", 16, False),
    ],
)
def test_who_goes_the_short_way(tmp_path, gain, unit, bits, short):
    digital = DIGITAL.astype(f"i{bits // 8}")
    found = reader._millivolts(digital, signal(tmp_path, gain, 0, unit))
    assert found.dtype == (np.float32 if short else np.float64)


def test_a_baseline_far_away_goes_the_long_way(tmp_path):
    one = replace(signal(tmp_path, 200.0, 0), baseline=2**23)
    assert reader._millivolts(DIGITAL, one).dtype == np.float64
