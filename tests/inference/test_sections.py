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
    peaks = peaks_of(lead)
    together = section_windows(lead, peaks, CONTRACT)
    for rows in (slice(0, 3), slice(30, 40), slice(len(peaks) - 1, len(peaks))):
        alone = section_windows(lead, peaks[rows], CONTRACT)
        np.testing.assert_allclose(alone, together[rows], atol=2e-5)


def test_gaps_are_bridged_alike_whatever_else_is_cut(lead):
    """Short and long, some longer than what is read beside a beat."""
    signal, fs = lead.read().copy(), lead.fs
    gaps = np.zeros(len(signal), dtype=bool)
    for start_s, length_s in ((0, 0.5), (5, 0.02), (9, 0.4), (15, 0.95), (22, 1.05), (30, 9)):
        gaps[round(start_s * fs) : round((start_s + length_s) * fs)] = True
    gaps[round(58 * fs) :] = True
    signal[gaps] = np.nan
    broken = Lead.of(signal, fs)
    peaks = peaks_of(lead)
    peaks = peaks[~gaps[peaks]]
    together = section_windows(broken, peaks, CONTRACT)
    alone = [section_windows(broken, peaks[k : k + 1], CONTRACT) for k in range(len(peaks))]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=2e-5)
    assert np.abs(together - section_windows(lead, peaks, CONTRACT)).max() > 0.1  # gaps show


def test_what_a_long_gap_is_bridged_with():
    """The last value up to its middle, the next one from there; a line over a short one."""
    signal = np.concatenate([np.full(720, 1.0), np.full(720, np.nan), np.full(720, 3.0)])
    peaks = np.array([700, 1460])
    before, after = section_windows(Lead.of(signal.astype(np.float32), 360.0), peaks, CONTRACT)
    assert set(before) == {1.0}
    assert set(after) == {3.0}
    signal[1000:] = 3.0
    (window,) = section_windows(Lead.of(signal.astype(np.float32), 360.0), peaks[:1], CONTRACT)
    expected = 1 + 2 * (np.arange(572, 828) - 719) / 281
    np.testing.assert_allclose(window, expected.clip(1), atol=1e-5)


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
