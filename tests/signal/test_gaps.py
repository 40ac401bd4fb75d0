"""Bridging gaps and flat lines without leaving a step behind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.signal.gaps import FLAT_S, GAP_S, _flat_lines, bridge

NAN = np.nan
FS = 100  # flat from 20 samples on, a gap from 5


def wave(n: int = 600) -> np.ndarray:
    time_s = np.arange(n) / FS
    return (np.sin(2 * np.pi * 1.3 * time_s) + 0.1 * np.sin(2 * np.pi * 7 * time_s)).astype("f4")


def stretch(start: int, stop: int, n: int = 600) -> np.ndarray:
    marks = np.zeros(n, dtype=bool)
    marks[start:stop] = True
    return marks


def largest_step(signal: np.ndarray) -> float:
    return float(np.abs(np.diff(signal)).max())


def test_nothing_is_copied_where_there_is_nothing_to_bridge():
    ecg = wave()
    bridged, lost = bridge(ecg, FS)
    assert bridged is ecg
    assert lost is None


def test_the_signal_that_is_given_stays_as_it_is():
    ecg = wave()
    ecg[100:150] = NAN
    ecg[300:340] = 9
    before = ecg.copy()
    bridge(ecg, FS)
    np.testing.assert_array_equal(ecg, before)


@pytest.mark.parametrize(
    ("signal", "bridged", "lost"),
    [
        # A flat line is held at the last voltage before it, and what follows goes on from there.
        ([0, 1, 2, 3, 9, 9, 9, 9, 5, 6], [0, 1, 2, 3, 3, 3, 3, 3, 3, 4], "....####.."),
        ([0, 1, 2, 3, NAN, NAN, 5, 6], [0, 1, 2, 3, 3, 3, 3, 4], "....##.."),
        # At an end there is one neighbour only.
        ([9, 9, 5, 6, 5, 7], [5, 5, 5, 6, 5, 7], "##...."),
        ([5, 6, 5, 7, 9, 9], [5, 6, 5, 7, 7, 7], "....##"),
        ([NAN, NAN, 5, 6, 5, 7], [5, 5, 5, 6, 5, 7], "##...."),
        ([5, 6, 5, 7, NAN, NAN], [5, 6, 5, 7, 7, 7], "....##"),
        # Each stretch shifts all that follows it.
        ([0, 9, 9, 1, 2, 7, 7, 4, 5], [0, 0, 0, 0, 1, 1, 1, 1, 2], ".##..##.."),
        # Two flat lines beside each other, and a flat line from end to end.
        ([1, 9, 9, 7, 7, 2, 3], [1, 1, 1, 1, 1, 1, 2], ".####.."),
        ([4, 4, 4], [4, 4, 4], "###"),
        ([4, 4, 4, 7, 7], [7, 7, 7, 7, 7], "#####"),
    ],
)
def test_what_becomes_of_flat_lines_and_gaps(signal, bridged, lost):
    found, marks = bridge(np.float32(signal), fs=10)  # 2 samples are flat, 1 is a gap
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, bridged)
    assert "".join("#" if mark else "." for mark in marks) == lost


def test_a_few_missing_samples_are_interpolated():
    ecg = wave()
    missing = stretch(100, 104) | stretch(300, 301) | stretch(0, 3) | stretch(598, 600)
    ecg[missing] = NAN
    ecg[301] = np.inf
    bridged, lost = bridge(ecg, FS)
    assert lost is None
    known = np.isfinite(ecg)
    np.testing.assert_array_equal(bridged[known], ecg[known])
    np.testing.assert_array_equal(bridged[:3], ecg[3])
    np.testing.assert_array_equal(bridged[-2:], ecg[-3])
    np.testing.assert_allclose(bridged[99:105], np.linspace(ecg[99], ecg[104], 6), atol=1e-6)
    np.testing.assert_allclose(bridged[299:303], np.linspace(ecg[299], ecg[302], 4), atol=1e-6)


@pytest.mark.parametrize(("length", "is_gap"), [(4, False), (5, True), (6, True)])
@pytest.mark.parametrize("missing", [NAN, np.inf, -np.inf])
def test_a_gap_has_50_ms(length, is_gap, missing):
    ecg = wave()
    ecg[100 : 100 + length] = missing
    lost = bridge(ecg, FS)[1]
    assert (GAP_S, FLAT_S) == (0.05, 0.2)
    if is_gap:
        np.testing.assert_array_equal(lost, stretch(100, 100 + length))
    else:
        assert lost is None


@pytest.mark.parametrize(("length", "is_flat"), [(19, False), (20, True), (21, True)])
def test_a_flat_line_has_200_ms(length, is_flat):
    ecg = wave()
    ecg[100 : 100 + length] = ecg[100]
    bridged, lost = bridge(ecg, FS)
    if is_flat:
        np.testing.assert_array_equal(lost, stretch(100, 100 + length))
    else:
        assert lost is None
        assert bridged is ecg


@pytest.mark.parametrize("rail", [NAN, np.inf, -10.0, 0.0, 15.0])
@pytest.mark.parametrize(("start", "stop"), [(0, 200), (250, 350), (400, 600)])
def test_no_step_is_left_at_any_rail(rail, start, stop):
    ecg = wave()
    step = largest_step(ecg)
    ecg[start:stop] = rail
    bridged, lost = bridge(ecg, FS)
    np.testing.assert_array_equal(lost, stretch(start, stop))
    assert largest_step(bridged) <= step * 1.001
    assert largest_step(bridged[lost]) == 0
    # What lies before is untouched, what lies after only moved.
    np.testing.assert_array_equal(bridged[:start], ecg[:start])
    moved = bridged[stop:] - ecg[stop:]
    assert np.ptp(moved) < 1e-6 if len(moved) else True


@pytest.mark.parametrize("side", ["before", "after", "both", "within"])
def test_missing_samples_beside_a_flat_line_belong_to_it(side):
    ecg = wave()
    step = largest_step(ecg)
    ecg[200:300] = 15
    if side in ("before", "both"):
        ecg[197:200] = NAN
    if side in ("after", "both"):
        ecg[300:303] = NAN
    if side == "within":  # so often that no part of it is long enough by itself
        ecg[205:300:10] = NAN
    bridged, lost = bridge(ecg, FS)
    start, stop = (197 if side in ("before", "both") else 200), 300
    np.testing.assert_array_equal(lost, stretch(start, stop + 3 * (side in ("after", "both"))))
    assert largest_step(bridged) <= step * 1.001


def test_many_shifts_do_not_add_up_to_rounding_noise():
    ecg = np.tile(wave(100), 300)
    ecg[50::100] = NAN
    for k in range(6):
        ecg[40 + k :: 100] = NAN
    ecg += 100.0
    bridged, lost = bridge(ecg, FS)
    assert lost.sum() == 300 * 6
    later = bridged[-30:]
    np.testing.assert_allclose(later - later[0], wave(100)[-30:] - wave(100)[-30], atol=2e-5)


# --- against brute force -----------------------------------------------------------------------


def flat_lines_one_by_one(signal: np.ndarray, length: int) -> np.ndarray:
    marks = np.zeros(len(signal), dtype=bool)
    start = 0
    for i in range(1, len(signal) + 1):
        if i == len(signal) or signal[i] != signal[start]:
            if i - start >= length:
                marks[start:i] = True
            start = i
    return marks


runs = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 12)), min_size=1, max_size=25
).map(lambda pairs: np.concatenate([np.full(n, value, dtype=np.float32) for value, n in pairs]))


@given(runs, st.integers(2, 13))
def test_every_flat_line_is_found(signal, length):
    found = _flat_lines(signal, length)
    expected = flat_lines_one_by_one(signal, length)
    if found is None:
        assert not expected.any()
    else:
        np.testing.assert_array_equal(found, expected)


@given(runs, st.lists(st.integers(0, 299), max_size=12), st.floats(10, 60))
def test_bridged_signals_are_whole_and_step_only_where_there_is_signal(signal, missing, fs):
    signal = np.r_[0.25, signal].astype(np.float32)
    signal[[place for place in missing if 0 < place < len(signal)]] = NAN
    bridged, lost = bridge(signal, fs)
    assert np.isfinite(bridged).all()
    if lost is not None:
        # Into a lost stretch, within it and out of it the voltage does not change.
        beside = lost[1:] | lost[:-1]
        np.testing.assert_allclose(np.diff(bridged)[beside], 0, atol=1e-6)
        # Between samples that are known and not lost it changes as it did.
        kept = np.isfinite(np.diff(signal)) & ~beside
        np.testing.assert_allclose(np.diff(bridged)[kept], np.diff(signal)[kept], atol=1e-6)
