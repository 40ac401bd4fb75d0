"""Windows that are cut section by section."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.inference.sections import section_windows
from ectopy.models.contract import InputContract
from ectopy.readers.lead import Lead
from ectopy.readers.source import MemorySource
from ectopy.recording import Recording
from ectopy.signal.conditioning import resample, rescale_peaks
from ectopy.signal.windows import cut_windows

CONTRACT = InputContract()


@pytest.fixture(scope="module", params=[100.0, 250.0, 257.3, 360.0, 1000.0])
def lead(request) -> Lead:
    rng = np.random.default_rng(3)
    signal = np.cumsum(rng.normal(0, 0.05, int(60 * request.param)))
    signal -= np.linspace(0, signal[-1], len(signal))
    return Lead.of(signal.astype(np.float32), request.param)


def peaks_of(lead: Lead) -> np.ndarray:
    return np.round(np.arange(0.1, 59.9, 0.7) * lead.fs).astype(np.int64)


def test_windows_are_those_of_the_whole_lead(lead):
    peaks = peaks_of(lead)
    whole = resample(lead.read(), lead.fs, 360.0)
    places = rescale_peaks(peaks, lead.fs, 360.0, len(whole))
    expected = cut_windows(whole, places, CONTRACT.before, CONTRACT.after)
    np.testing.assert_allclose(section_windows(lead, peaks, CONTRACT), expected, atol=1e-5)


def test_other_beats_far_away_change_nothing(lead):
    """But for the last digits: the filter's ripple on an offset."""
    peaks = peaks_of(lead)
    together = section_windows(lead, peaks, CONTRACT)
    for rows in (slice(0, 3), slice(30, 40), slice(len(peaks) - 1, len(peaks))):
        alone = section_windows(lead, peaks[rows], CONTRACT)
        np.testing.assert_allclose(alone, together[rows], atol=2e-3)


def test_only_what_is_near_is_read():
    class Watched(MemorySource):
        def _read(self, first, stop, columns):
            asked.append((first, stop))
            return super()._read(first, stop, columns)

    asked: list[tuple[int, int]] = []
    signal = np.random.default_rng(0).normal(0, 1, (3_600_000, 2)).astype(np.float32)
    recording = Recording(signal, 500.0, ("I", "II"), "long")
    source = Watched(**vars(MemorySource.of(recording)))
    section_windows(Lead(source, 1), np.array([1_000_000, 1_000_400]), CONTRACT)
    ((first, stop),) = asked
    assert 999_000 < first < 999_900
    assert 1_000_500 < stop < 1_001_400
