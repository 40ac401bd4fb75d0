"""No beats where there is no signal, and none where there is only noise."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.readers import read, read_annotations
from ectopy.signal.detection import detect_beats
from ectopy.signal.matching import match_beats
from ectopy.simulate import Simulation, dropouts, simulate

FS = 250


def with_noise(lead_mv: np.ndarray, fs: float, start_s: float, stop_s: float, sd_mv: float):
    """A standstill: noise around the usual voltage from `start_s` to `stop_s`."""
    where = slice(round(start_s * fs), round(stop_s * fs))
    noisy = lead_mv.copy()
    noise = np.random.default_rng(0).normal(0, sd_mv, where.stop - where.start)
    noisy[where] = np.median(lead_mv) + noise
    return noisy


def simulated(duration_s: float, **settings) -> tuple[np.ndarray, np.ndarray]:
    recording, truth = simulate(duration_s, fs=FS, seed=3, dropouts_per_hour=0, **settings)
    return recording.lead()[1], truth.peaks


def away_from(peaks: np.ndarray, start_s: float, stop_s: float, fs: float = FS) -> np.ndarray:
    """The peaks that a border between signal and no signal cannot have changed."""
    return peaks[(peaks < (start_s - 0.4) * fs) | (peaks > (stop_s + 0.4) * fs)]


@pytest.mark.parametrize("gain", [0.01, 1, 500])
@pytest.mark.parametrize("sd_mv", [0.001, 0.01, 0.03])
@pytest.mark.parametrize(("start_s", "stop_s"), [(100, 140), (0, 40), (260, 300), (90, 210)])
def test_a_standstill_is_not_filled_with_beats(start_s, stop_s, sd_mv, gain):
    lead, truth = simulated(300)
    found = detect_beats(gain * with_noise(lead, FS, start_s, stop_s, sd_mv), FS)
    assert not ((found > (start_s + 0.3) * FS) & (found < (stop_s - 0.3) * FS)).any()
    # What is left of the recording is found as ever.
    expected = away_from(detect_beats(lead, FS), start_s, stop_s)
    np.testing.assert_allclose(away_from(found, start_s, stop_s), expected, atol=2)
    assert len(expected) >= 0.98 * len(away_from(truth, start_s, stop_s))


def test_a_standstill_is_the_same_in_slices():
    lead = with_noise(simulated(900)[0], FS, 280, 340, 0.01)
    expected = detect_beats(lead, FS, slice_s=1e9)
    assert np.diff(expected).max() >= 59 * FS
    for slice_s in (20.0, 100.0, 313.0):
        np.testing.assert_array_equal(detect_beats(lead, FS, slice_s=slice_s), expected)


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_beats_are_found_where_the_gain_changes_for_good(factor):
    lead, truth = simulated(600)
    expected = detect_beats(lead, FS)
    lead = lead.copy()
    lead[300 * FS :] *= factor
    found = detect_beats(lead, FS)
    for peaks in (expected, truth):
        assert len(match_beats(peaks, found, 0.15 * FS)[0]) >= len(peaks) - 10
    assert len(found) <= len(expected) + 5


@pytest.mark.parametrize("seed", range(3))
def test_lost_contacts_make_no_beats(seed):
    settings = {"fs": FS, "seed": seed, "dropouts_per_hour": 60.0}
    recording, truth = simulate(900, **settings)
    spans = dropouts(Simulation(**settings), 900) * FS
    assert len(spans) >= 5
    found = detect_beats(recording.lead()[1], FS)
    inside = (found[:, None] > spans[:, 0]) & (found[:, None] < spans[:, 1])
    assert not inside.any()
    rows, found_rows = match_beats(truth.peaks, found, 0.15 * FS)
    made_up = np.delete(found, found_rows)
    from_edge = np.abs(made_up[:, None] - spans.ravel()).min(axis=1, initial=np.inf)
    assert (from_edge < FS).sum() <= 1
    # Beats cut in two by the border, or under the drop-out, cannot be found.
    missed = np.delete(truth.peaks, rows)
    near = (missed[:, None] > spans[:, 0] - 0.2 * FS) & (missed[:, None] < spans[:, 1] + 0.2 * FS)
    assert (~near.any(axis=1)).sum() <= 0.005 * len(truth.peaks)


@pytest.mark.parametrize("level", [np.nan, -5.0, 0.0, 15.0])
@pytest.mark.parametrize("length_s", [0.2, 0.5, 3.0])
def test_no_beat_lies_in_a_gap_or_at_the_step_beside_it(level, length_s):
    lead, truth = simulated(300)
    lead, length = lead.copy(), round(length_s * FS)
    # Half way between two beats, so that none is cut in two.
    starts = (truth[10:-20:10] + truth[11:-19:10]) // 2
    gaps = starts[:, None] + np.arange(length)
    lead[gaps] = level
    found = detect_beats(lead, FS)
    assert not np.isin(found, gaps).any()
    rows, found_rows = match_beats(truth, found, 0.15 * FS)
    assert len(found_rows) == len(found)
    assert np.isin(np.delete(truth, rows), gaps).all()


def test_a_missing_sample_on_a_peak_does_not_cost_the_beat():
    lead, _ = simulated(60)
    expected = detect_beats(lead, FS)
    lead = lead.copy()
    lead[expected] = np.nan
    found = detect_beats(lead, FS)
    np.testing.assert_allclose(found, expected, atol=0.05 * FS)


def test_a_signal_of_nothing_but_flat_stretches_has_no_beats():
    steps = np.repeat(np.arange(20.0) % 3, FS)
    assert len(detect_beats(steps, FS)) == 0


# --- real records --------------------------------------------------------------------------------


@pytest.mark.parametrize("sd_mv", [0.002, 0.005, 0.01, 0.03])
def test_a_standstill_in_a_real_record(mitdb_dir, sd_mv):
    recording = read(mitdb_dir / "100")
    fs, lead = recording.fs, recording.lead()[1]
    found = detect_beats(with_noise(lead, fs, 300, 340, sd_mv), fs)
    assert ((found > 300.3 * fs) & (found < 339.7 * fs)).sum() <= 2
    assert np.diff(found).max() >= 39 * fs
    np.testing.assert_array_equal(
        away_from(found, 300, 340, fs), away_from(detect_beats(lead, fs), 300, 340, fs)
    )


@pytest.mark.parametrize("is_flat", [False, True])
def test_gaps_in_a_real_record(mitdb_dir, is_flat):
    recording, truth = read(mitdb_dir / "208"), read_annotations(mitdb_dir / "208")
    fs, lead = recording.fs, recording.lead()[1].copy()
    before = detect_beats(lead, fs)
    lost = np.zeros(len(lead), dtype=bool)
    rng = np.random.default_rng(1)
    for start in rng.integers(3600, len(lead) - 3600, 60):
        stop = start + int(rng.uniform(0.5, 8) * fs)
        lost[start:stop] = True
        lead[start:stop] = lead[start] if is_flat else np.nan
    found = detect_beats(lead, fs)
    assert not lost[found].any()
    made_up_before = len(before) - len(match_beats(truth.peaks, before, 0.15 * fs)[0])
    made_up = len(found) - len(match_beats(truth.peaks[~lost[truth.peaks]], found, 0.15 * fs)[0])
    assert made_up <= made_up_before + 6
