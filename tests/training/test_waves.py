"""P and T waves: taken off typical beats, and where they land."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.training.waves import (
    P_WAVE,
    T_BEGIN,
    height,
    moved,
    p_waves,
    t_wave_before,
    t_waves,
)

PEAK, WIDTH, FS = 160, 320, 360.0
X = np.arange(WIDTH) - PEAK


def bump(place: float, width: float, size: float) -> np.ndarray:
    return size * np.exp(-(((X - place) / width) ** 2) / 2)


P, QRS, T = bump(-58, 8, 0.15), bump(0, 4, 1.0), bump(95, 12, 0.3)
BEATS = np.stack([P + QRS + T, -2 * P + QRS + 2 * T, QRS]).astype(np.float32)


def test_a_p_wave_is_what_stands_above_its_surroundings():
    found = p_waves(BEATS, PEAK)
    assert found.shape == BEATS.shape
    assert found.dtype == np.float32
    for row, size in enumerate((1, -2, 0)):
        np.testing.assert_allclose(found[row], size * P, atol=0.01)
    outside = np.ones(WIDTH, dtype=bool)
    outside[PEAK + P_WAVE[0] : PEAK + P_WAVE[1]] = False
    assert (found[:, outside] == 0).all()


def test_a_p_wave_on_a_slope_is_the_same():
    sloped = (BEATS + 0.002 * X + 5).astype(np.float32)
    # Levels are means of 8 samples, so a line's ends are 3.5 samples off.
    found = p_waves(sloped, PEAK)
    np.testing.assert_allclose(found, p_waves(BEATS, PEAK), atol=3.5 * 0.002 + 1e-3)


def test_taken_off_and_put_back_it_is_the_beat():
    wave = p_waves(BEATS, PEAK)
    without = BEATS - wave
    np.testing.assert_allclose(without + wave, BEATS, atol=1e-6)
    np.testing.assert_allclose(without, BEATS - np.outer([1, -2, 0], P), atol=0.01)
    np.testing.assert_allclose(p_waves(without, PEAK), 0, atol=0.03)


def test_its_ends_are_soft():
    """A step at an end would be a sign that a wave was made."""
    found = p_waves(BEATS, PEAK)
    assert np.abs(np.diff(found, axis=1)).max() < 1.3 * np.abs(np.diff(2 * P)).max()


def test_a_t_wave():
    found = t_waves(BEATS, PEAK)
    assert found.shape == (3, WIDTH - PEAK - T_BEGIN)
    assert found.dtype == np.float32
    for row, size in enumerate((1, 2, 0)):
        np.testing.assert_allclose(found[row], size * T[PEAK + T_BEGIN :], atol=0.01)
    np.testing.assert_allclose(found[:, [0, -1]], 0, atol=1e-6)
    np.testing.assert_allclose(t_waves(BEATS + 3, PEAK), found, atol=1e-5)


@pytest.mark.parametrize("interval_s", [0.3, 0.4, 0.5, 0.601, 0.75])
def test_the_t_wave_before_lands_where_it_should(interval_s):
    waves = t_waves(BEATS[:1], PEAK)
    found = t_wave_before(waves, np.array([interval_s]), PEAK, WIDTH, FS)[0]
    expected = np.exp(-(((X + interval_s * FS - 95) / 12) ** 2) / 2) * 0.3
    begin = PEAK - round(interval_s * FS) + T_BEGIN
    inside = (np.arange(WIDTH) >= begin) & (np.arange(WIDTH) < begin + waves.shape[1])
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.02)
    assert (found[~inside] == 0).all()
    if interval_s <= 0.6:  # whole within the window
        assert found.argmax() == pytest.approx(PEAK + 95 - interval_s * FS, abs=1)


def test_a_t_wave_long_past_is_not_in_the_window():
    waves = t_waves(BEATS, PEAK)
    assert (t_wave_before(waves, np.full(3, 2.0), PEAK, WIDTH, FS) == 0).all()


def test_each_beat_has_its_own_interval():
    waves = t_waves(BEATS[[0, 0]], PEAK)
    together = t_wave_before(waves, np.array([0.4, 0.5]), PEAK, WIDTH, FS)
    for row, interval in enumerate((0.4, 0.5)):
        alone = t_wave_before(waves[:1], np.array([interval]), PEAK, WIDTH, FS)
        assert np.array_equal(together[row], alone[0])
    assert not np.array_equal(together[0], together[1])
    assert np.array_equal(moved(together[1:], np.array([36]))[0, 36:200], together[0, 36:200])


def test_moved():
    waves = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = moved(waves, np.array([1, -2]))
    assert found.tolist() == [[0, 0, 1, 2], [6, 7, 7, 7]]
    assert found.dtype == np.float32
    assert np.array_equal(moved(waves, np.zeros(2, np.int64)), waves)


def test_height():
    assert height(np.array([[1.0, -2.0, 0.5], [3.0, 3.0, 3.0]], np.float32)).tolist() == [[3], [0]]
