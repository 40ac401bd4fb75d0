"""Noise for training: at the level that is asked for, of every kind, anywhere in a segment."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.evaluation.noise import noise_amplitude
from ectopy.signal.frames import FRAME_HZ
from ectopy.training import noises
from ectopy.training.noises import LEVELS_DB, RecordedNoise, coloured, draw_noise

N = 3600
SIGNAL_POWER = 1.7**2 / 8  # of a sine wave that reaches as far as a usual QRS complex

_rng = np.random.default_rng(7)
WALK = np.cumsum(_rng.standard_normal((2, 9000)), axis=1).astype(np.float32)
HISS = (3 * _rng.standard_normal((2, 8000))).astype(np.float32)
NOISE = {kind: RecordedNoise.of(HISS) for kind in ("bw", "em", "ma")}


def draw(seed: int) -> np.ndarray:
    return draw_noise(N, NOISE, np.random.default_rng(seed))


def seconds(noise: np.ndarray) -> np.ndarray:
    """Deviation within each second."""
    return noise[: len(noise) // 120 * 120].reshape(-1, 120).std(axis=1)


@pytest.mark.parametrize("frames", [WALK, HISS, np.stack([WALK[0, :8000], HISS[0]])])
def test_recorded_noise_has_amplitude_1_in_every_direction(frames):
    recorded = RecordedNoise.of(frames)
    assert recorded.channels.dtype == np.float32
    np.testing.assert_allclose(noise_amplitude(recorded.channels.T, FRAME_HZ), 1, rtol=1e-5)
    amplitudes = []
    for seed in range(60):
        drawn = recorded.draw(frames.shape[1], np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        amplitudes.append(seconds(drawn).mean())
    # Played faster or slower it is somewhat louder or softer within a second.
    assert np.median(amplitudes) == pytest.approx(1, abs=0.2)
    assert 0.5 < min(amplitudes) < max(amplitudes) < 2


def test_channels_that_cancel_out_do_so_in_one_direction_only():
    recorded = RecordedNoise.of(np.stack([HISS[0], HISS[0] + 0.01 * HISS[1]]))
    levels = [seconds(recorded.draw(2400, np.random.default_rng(s))).mean() for s in range(200)]
    assert max(levels) < 3
    assert min(levels) > 0.4  # though nearly nothing is left of the sum in some directions


def test_a_stretch_may_be_louder_than_the_whole():
    loud = HISS.copy()
    loud[:, :1200] *= 10
    recorded = RecordedNoise.of(loud)
    levels = [seconds(recorded.draw(600, np.random.default_rng(s))).mean() for s in range(100)]
    assert max(levels) > 5 * np.median(levels)


@pytest.mark.parametrize(
    ("frames", "problem"),
    [(HISS[:, :100], "there are no seconds of noise"), (np.zeros((2, 900)), "amplitudes are")],
)
def test_what_is_no_noise_is_refused(frames, problem):
    with pytest.raises(SignalError, match=f"^{problem}"):
        RecordedNoise.of(frames.astype(np.float32))


def test_levels():
    levels, whole = [], []
    for seed in range(400):
        parts = seconds(draw(seed))
        levels.append(10 * np.log10(SIGNAL_POWER / parts.mean() ** 2))
        whole.append(parts.min() > 0.2 * parts.max())
    everywhere = np.array(levels)[np.array(whole)]
    low, high = LEVELS_DB
    assert len(everywhere) > 160
    assert min(levels) > low - 4  # several kinds at once are louder
    share = 0.05 * (high - low)
    assert np.percentile(everywhere, 5) == pytest.approx(low + share, abs=3)
    assert np.percentile(everywhere, 50) == pytest.approx((low + high) / 2, abs=3)
    assert np.percentile(everywhere, 95) == pytest.approx(high - share, abs=3)


def test_noise_comes_and_goes_within_a_segment():
    parts = 0
    for seed in range(100):
        loud = np.abs(draw(seed)).reshape(60, -1).max(axis=1) > 1e-6
        edges = np.flatnonzero(np.diff(loud, prepend=False, append=False))
        parts += not loud.all()
        assert len(edges) in (0, 2)
    assert 10 < parts < 60


def test_every_kind_is_drawn_and_electrode_motion_most_often(monkeypatch):
    drawn: list[str] = []

    def note(kind, function):
        def noting(*arguments):
            drawn.append(kind)
            return function(*arguments)

        return noting

    recorded = {kind: RecordedNoise.of(HISS) for kind in ("bw", "em", "ma")}
    for kind, noise in recorded.items():
        object.__setattr__(noise, "draw", note(kind, noise.draw))
    for name in ("_jerks", "coloured"):
        monkeypatch.setattr(noises, name, note(name, getattr(noises, name)))
    alone = []
    for seed in range(900):
        drawn.clear()
        draw_noise(240, recorded, np.random.default_rng(seed))
        # Jerks have coloured noise below them; all kinds at once begin with electrode motion.
        alone.append(
            {"_jerks": "jerks", "em": "em" if len(drawn) == 1 else "all"}.get(drawn[0], drawn[0])
        )
    share = {kind: alone.count(kind) / 900 for kind in set(alone)}
    expected = {"em": 3, "jerks": 2, "bw": 1, "ma": 1, "coloured": 1, "all": 1}
    assert share == pytest.approx({kind: n / 9 for kind, n in expected.items()}, abs=0.05)
    assert np.array_equal(draw(3), draw(3))
    assert draw(3).dtype == np.float32


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_colour_of_noise(slope):
    made = np.stack([coloured(N, slope, np.random.default_rng(seed)) for seed in range(40)])
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(made.std(axis=1), 1, atol=1e-4)
    power = (np.abs(np.fft.rfft(made, axis=1)) ** 2).mean(axis=0)
    hz = np.fft.rfftfreq(N, 1 / FRAME_HZ)
    assert power[hz >= 40].max() < 1e-6 * power[(hz > 0) & (hz < 40)].min()
    band = (hz > 0.5) & (hz < 39)
    fitted, _ = np.polyfit(np.log(hz[band]), np.log(power[band]), 1)
    assert fitted == pytest.approx(-slope, abs=0.05)
