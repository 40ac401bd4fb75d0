"""Typical beats: which beats they are of, and what they are worth where signals are poor."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.signal.rhythm import RHYTHM_FEATURES, rhythm_features
from ectopy.signal.typical import (
    AROUND,
    BLOCK,
    STEADINESS,
    BeatInputs,
    beat_inputs,
    correlation,
    late,
    p_likeness,
    without_line,
)

T = np.arange(-128, 128)


def bump(place: float, width: float, height: float, samples: np.ndarray = T) -> np.ndarray:
    return height * np.exp(-(((samples - place) / width) ** 2) / 2)


NORMAL = bump(-60, 9, 0.15) + bump(0, 5, 1.0) + bump(80, 14, 0.25)
BROAD = bump(0, 16, 1.3) - bump(70, 20, 0.5)


def noisy(shapes: np.ndarray, sd: float = 0.01, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sd, shapes.shape)
    return (shapes + noise).astype(np.float32)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_what_there_is():
    n = 100
    found = beat_inputs(noisy(np.tile(NORMAL, (n, 1))), 0.8 * np.arange(n))
    assert found.windows.shape == (n, 256)
    assert found.overall.shape == (1, 256)
    assert found.local.shape == (-(-n // BLOCK), 256)
    assert found.rhythm.shape == (n, len(RHYTHM_FEATURES) + 1)
    assert STEADINESS not in RHYTHM_FEATURES
    assert (found.piece == 0).all()
    assert np.array_equal(found.block, np.arange(n) // BLOCK)
    for part in (found.windows, found.overall, found.local):
        assert part.dtype == np.float32
        np.testing.assert_allclose(part.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_array_equal(found.rhythm[:, :-1], rhythm_features(0.8 * np.arange(n)))
    shapes = found.shapes(np.array([3, 99]))
    assert shapes.shape == (2, 3, 256)
    assert np.array_equal(shapes[1, 0], found.windows[99])
    assert np.array_equal(shapes[1, 1], found.overall[0])
    assert np.array_equal(shapes[1, 2], found.local[6])
    assert np.array_equal(found.shapes(slice(3, 5))[0], shapes[0])


def test_late_beats_win_where_early_ones_outnumber_them():
    """Two broad beats of three come early: the typical beat is the third."""
    n = 300
    is_late = np.arange(n) % 3 == 0
    times = np.cumsum(np.where(is_late, 1.2, 0.5))
    found = beat_inputs(noisy(np.where(is_late[:, None], NORMAL, BROAD)), times)
    assert likeness(found.overall[0], NORMAL) > 0.99
    for local in found.local:
        assert likeness(local, NORMAL) > 0.98
    assert likeness(np.median(found.windows, axis=0), BROAD) > 0.9  # what a plain median gives


def test_a_few_late_beats_of_another_shape_do_not_win():
    """Escape beats come late and are broad; most late beats are normal."""
    n = 200
    escape = np.arange(n) % 20 == 0
    times = np.cumsum(np.where(escape, 1.6, 0.8))
    found = beat_inputs(noisy(np.where(escape[:, None], BROAD, NORMAL)), times)
    assert likeness(found.overall[0], NORMAL) > 0.99


def test_the_local_beat_follows_a_change_of_shape():
    n = 400
    turned = np.arange(n) >= 200
    flat = NORMAL - bump(0, 5, 1.6)
    found = beat_inputs(noisy(np.where(turned[:, None], flat, NORMAL)), 0.8 * np.arange(n))
    for beat, shape in ((50, NORMAL), (150, NORMAL), (260, flat), (390, flat)):
        assert likeness(found.local[found.block[beat]], shape) > 0.98, beat
    assert abs(likeness(found.overall[0], NORMAL) - likeness(found.overall[0], flat)) > 0.3


def test_the_local_beat_is_of_the_beats_around():
    """Every beat carries its number, so that it shows which ones were taken."""
    n = 600
    windows = np.zeros((n, 256), dtype=np.float32)
    windows[:] = NORMAL
    windows[:, 200] += np.arange(n)
    found = beat_inputs(windows, 0.8 * np.arange(n))
    level = found.local[:, 200] - found.local[:, 199]
    for block in range(n // BLOCK):
        middle = np.clip(block * BLOCK + BLOCK // 2, AROUND // 2, n - AROUND // 2)
        assert abs(level[block] - middle) <= AROUND // 2, block


def test_some_beats_stand_for_all():
    n = 4500
    second = np.arange(n) >= n // 2
    flat = NORMAL - bump(0, 5, 1.6)
    windows = noisy(np.where(second[:, None], flat, NORMAL))
    times = 0.8 * np.arange(n)
    for own, shape in ((slice(0, n // 2), NORMAL), (slice(n // 2, n), flat)):
        found = beat_inputs(windows, times, typical=own)
        assert found.overall.shape == (1, 256)
        assert likeness(found.overall[0], shape) > 0.99
        assert (found.piece == 0).all()
        whole = beat_inputs(windows, times)
        assert np.array_equal(found.local, whole.local)


def steadiness(windows: np.ndarray) -> np.ndarray:
    return beat_inputs(windows, 0.8 * np.arange(len(windows))).rhythm[:, -1]


def test_p_waves_are_steady_and_their_absence_is_not():
    n = 200
    with_p = np.tile(NORMAL, (n, 1))
    without = with_p - bump(-60, 9, 0.15)
    rng = np.random.default_rng(3)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    flutter = without + 0.05 * np.sin(2 * np.pi * 6 * T / 360 + phase)
    steady = steadiness(noisy(with_p, 0.02))
    unsteady = steadiness(noisy(flutter, 0.02))
    assert steady.min() > 1.5
    assert unsteady.max() < 0.9
    assert steadiness(noisy(without, 0.02)).max() < 1
    # A wave that is always 11 ms late is as steady.
    moved = without + bump(-56, 9, 0.15)
    assert steadiness(noisy(moved, 0.02)).min() > 1.5


def test_slow_wander_does_not_unsettle_p_waves():
    n = 200
    slope = np.random.default_rng(1).normal(0, 0.002, (n, 1))
    plain = steadiness(noisy(np.tile(NORMAL, (n, 1)), 0.02))
    np.testing.assert_allclose(steadiness(noisy(NORMAL + slope * T, 0.02)), plain, atol=0.3)


@pytest.mark.parametrize("n", [2, 3, 5, 14, 61])
@pytest.mark.parametrize("level", [0.0, -7.5, 1e4])
def test_signals_without_anything_are_finite(n, level):
    found = beat_inputs(np.full((n, 256), level, np.float32), 0.8 * np.arange(n))
    for part in (found.windows, found.overall, found.local):
        np.testing.assert_array_equal(part, 0)
    assert np.isfinite(found.rhythm).all()
    assert found.rhythm[:, -1].tolist() == [0.0] * n


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_beats(n):
    found = beat_inputs(noisy(np.tile(NORMAL, (n, 1))), 0.8 * np.arange(n))
    assert found.overall.shape == found.local.shape == (1, 256)
    assert likeness(found.overall[0], NORMAL) > 0.98
    assert likeness(found.local[0], NORMAL) > 0.98


def test_one_beat_is_refused():
    with pytest.raises(SignalError, match=r"^1 beat: rhythm needs at least 2; give a longer"):
        beat_inputs(np.zeros((1, 256), np.float32), np.zeros(1))


def test_a_margin_changes_nothing_inside():
    n = 90
    wide = np.arange(-160, 160)
    shape = bump(-60, 9, 0.15, wide) + bump(0, 5, 1, wide) + bump(150, 9, 3, wide)
    windows = noisy(np.tile(shape, (n, 1)))
    times = np.cumsum(np.random.default_rng(2).uniform(0.5, 1, n))
    narrow = beat_inputs(windows[:, 32:-32], times)
    found = beat_inputs(windows, times, margin=32)
    assert found.windows.shape == (n, 320)
    rows = np.arange(n)
    np.testing.assert_allclose(found.shapes(rows)[..., 32:-32], narrow.shapes(rows), atol=1e-6)
    np.testing.assert_allclose(found.rhythm, narrow.rhythm, atol=1e-5)


def test_it_is_the_same_in_other_millivolts_and_from_another_level():
    n = 90
    windows = noisy(np.tile(NORMAL, (n, 1)))
    times = np.cumsum(np.random.default_rng(2).uniform(0.5, 1, n))
    one, other = beat_inputs(windows, times), beat_inputs(2 * windows + 3, times)
    np.testing.assert_allclose(other.overall, 2 * one.overall, atol=1e-5)
    np.testing.assert_allclose(other.local, 2 * one.local, atol=1e-5)


def test_the_latest_beats():
    before = np.array([0.5, 1.0, 0.7, 1.0, 0.2])
    assert late(before, 0.2).tolist() == [1]
    assert late(before, 0.6).tolist() == [1, 3, 2]
    assert late(before, 0.01).tolist() == [1]
    assert late(np.stack([before, -before]), 0.4).tolist() == [[1, 3], [4, 0]]


def test_correlation():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 7, 50)).astype(np.float32)
    expected = [np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-5)
    assert correlation(a, np.ones_like(a)).tolist() == [0.0] * 7


def test_a_line_is_taken_off():
    x = np.linspace(0, 1, 60)
    wave = np.sin(6 * np.pi * x)
    wave -= np.polyval(np.polyfit(x, wave, 1), x)
    found = without_line((wave + 5 - 3 * x).astype(np.float32)[None])
    np.testing.assert_allclose(found[0], wave, atol=1e-5)


def test_inputs_are_compared_by_identity():
    one = beat_inputs(noisy(np.tile(NORMAL, (3, 1))), 0.8 * np.arange(3))
    assert isinstance(one, BeatInputs)
    assert one == one
    assert len({one, one}) == 1


@pytest.mark.parametrize("slope_mv", [0.0, 1.0, 30.0])
def test_likeness_of_p_waves_does_not_feel_the_slope_that_they_lie_on(slope_mv):
    rng = np.random.default_rng(4)
    place = np.arange(-128, 128)
    wave = np.exp(-(((place + 55) / 9) ** 2) / 2)
    flat = (0.15 * wave + rng.normal(0, 0.03, (50, 256))).astype(np.float32)
    sloping = (flat + slope_mv * np.linspace(-1, 1, 256)).astype(np.float32)
    typical_beat = (0.15 * wave + slope_mv * np.linspace(-1, 1, 256)).astype(np.float32)[None]
    expected = p_likeness(flat, (0.15 * wave).astype(np.float32)[None])
    assert expected.std() > 0.05
    np.testing.assert_allclose(p_likeness(sloping, typical_beat), expected, atol=1e-3)
