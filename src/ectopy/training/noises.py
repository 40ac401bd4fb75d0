"""Noise for training segments: recorded and made up, at a random level, in units of the signal.

A level is a signal-to-noise ratio as the noise stress test counts it (`ectopy.evaluation.noise`):
by the deviations within each second, so that slow wander, which the frames are freed of anyway,
counts little; and by the first 300 s of a recording of noise, so that a stretch may be far louder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.evaluation.noise import noise_amplitude
from ectopy.signal.frames import FRAME_HZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

LEVELS_DB = (-8.0, 24.0)
"""Lowest and highest signal-to-noise ratio in decibels."""

# A usual QRS complex reaches from peak to peak over nearly twice the usual deflection; the power of
# a signal is that of a sine wave of the same range.
_SIGNAL_POWER = 1.7**2 / 8

_HIGHEST_HZ = 40.0
_SPEEDS = (0.6, 1.7)
_BACKWARDS_SHARE = 0.3
_PART_SHARE = 0.4
_SOFT_FRAMES = 0.1 * FRAME_HZ

# Electrode motion, recorded or made up, is drawn most often: it looks like beats.
_MADE_UP = ("coloured", "jerks", "jerks")
_MOST = "em"
_MOST_TIMES = 3
_ALL = "all"

_ANGLES = np.linspace(0, np.pi, 33)


@dataclass(frozen=True, eq=False)
class RecordedNoise:
    """Two channels of recorded noise, each of amplitude 1 in its first 300 s.

    Attributes
    ----------
    channels : ndarray of float32, shape (2, frames)
    amplitudes : ndarray of float64, shape (33,)
        Amplitude of a mixture of the two, in directions from 0 to pi.
    """

    channels: NDArray[np.float32]
    amplitudes: NDArray[np.float64]

    @classmethod
    def of(cls, frames: NDArray[np.float32]) -> RecordedNoise:
        """Measure noise, shape (2, frames).

        Raises
        ------
        SignalError
            If a channel is shorter than a second, or has no amplitude.
        """
        scale = noise_amplitude(frames.T, FRAME_HZ)[:, None]
        channels = np.asarray(frames / scale, dtype=np.float32)
        mixtures = np.outer(np.cos(_ANGLES), channels[0]) + np.outer(np.sin(_ANGLES), channels[1])
        return cls(channels, noise_amplitude(mixtures.T, FRAME_HZ))

    def draw(self, n: int, rng: Generator) -> NDArray[np.float32]:
        """Take `n` frames from anywhere, in a random direction and at a random speed."""
        speed = np.exp(rng.uniform(*np.log(_SPEEDS)))
        n_read = int(n * speed) + 2
        frames = self.channels.shape[1]
        rows = (rng.integers(frames) + np.arange(n_read)) % frames
        angle = rng.uniform(0, 2 * np.pi)
        mixed = self.channels[0, rows] * np.cos(angle) + self.channels[1, rows] * np.sin(angle)
        mixed /= np.interp(angle % np.pi, _ANGLES, self.amplitudes)
        stretch = np.interp(np.arange(n) * speed, np.arange(n_read), mixed - mixed.mean())
        backwards = rng.random() < _BACKWARDS_SHARE
        return np.asarray(stretch[::-1] if backwards else stretch, dtype=np.float32)


def draw_noise(
    n: int, recorded: Mapping[str, RecordedNoise], rng: Generator
) -> NDArray[np.float32]:
    """Make noise of a random kind at a random level, over a whole segment or a part of it.

    Parameters
    ----------
    n : int
        Frames.
    recorded : mapping of str to RecordedNoise
        By kind; ``em`` has to be there.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (n,)
        In units of the lead's usual deflection.
    """
    kind = rng.choice([*recorded, *[_MOST] * (_MOST_TIMES - 1), *_MADE_UP, _ALL])
    if kind == _ALL:
        made = recorded[_MOST].draw(n, rng)
        for other in sorted(set(recorded) - {_MOST}):
            made = made + rng.uniform(0, 1) * recorded[other].draw(n, rng)
    elif kind == "coloured":
        made = _of_one_level(coloured(n, rng.choice([0.0, 0.5, 1.0, 1.5, 2.0]), rng))
    elif kind == "jerks":
        made = _of_one_level(_jerks(n, rng))
    else:
        made = recorded[kind].draw(n, rng)
    made = made * np.sqrt(_SIGNAL_POWER * 10 ** (-rng.uniform(*LEVELS_DB) / 10))
    if rng.random() < _PART_SHARE:
        start, stop = np.sort(rng.uniform(0, n, 2))
        time = np.arange(n)
        made = made * (
            _sigmoid((time - start) / _SOFT_FRAMES) - _sigmoid((time - stop) / _SOFT_FRAMES)
        )
    return np.asarray(made, dtype=np.float32)


def coloured(n: int, slope: float, rng: Generator) -> NDArray[np.float32]:
    """Make noise whose power falls as frequency to the power `slope`, up to 40 Hz; deviation 1."""
    frequency = np.fft.rfftfreq(n, 1 / FRAME_HZ)
    frequency[0] = frequency[1]
    height = frequency ** (-slope / 2) * (frequency < _HIGHEST_HZ)
    waves = rng.standard_normal((2, len(frequency)))
    made = np.fft.irfft((waves[0] + 1j * waves[1]) * height, n)
    centred = made - made.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), dtype=np.float32)


def _jerks(n: int, rng: Generator) -> NDArray[np.float32]:
    """Make electrode motion up: pushes that build up and die away, of random size and length."""
    made = 0.15 * coloured(n, 1.5, rng)
    for centre in rng.uniform(0, n, rng.poisson(n / FRAME_HZ * rng.uniform(0.2, 1.5))):
        time_s = (np.arange(n) - centre) / FRAME_HZ
        rise, fall = np.exp(rng.uniform(np.log(0.01), np.log(0.4), 2))
        push = np.exp(time_s.clip(max=0) / rise - time_s.clip(min=0) / fall)
        made = made + rng.standard_normal() * push.astype(np.float32)
    return made


def _of_one_level(made: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide by the mean deviation within a second."""
    second = round(FRAME_HZ)
    whole = made[: len(made) // second * second].reshape(-1, second)
    centred = made - made.mean()
    return np.asarray(centred / max(float(whole.std(axis=1).mean()), 1e-6), dtype=np.float32)


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values.clip(-30, 30))), dtype=np.float64)
