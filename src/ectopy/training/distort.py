"""What happens to a recording outside a hospital's quiet room, done to training segments.

Every function takes a generator and works on frames in units of the lead's usual deflection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.frames import FRAME_HZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from ectopy.training.recipe import DistortSettings

# A usual QRS complex reaches from peak to peak over nearly twice the usual deflection; the power of
# a signal is that of a sine wave of the same range, as the noise stress test counts it.
_SIGNAL_POWER = 1.7**2 / 8

_HIGHEST_NOISE_HZ = 40.0


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of one lead.

    Attributes
    ----------
    frames : ndarray of float32, shape (frames,)
        In units of the lead's usual deflection.
    peaks : ndarray of float64, shape (beats,)
        Places of the beats in frames; some may lie beyond the ends.
    unsure : ndarray of bool, shape (frames,)
        Where nobody can say whether there is a beat.
    lost : ndarray of bool, shape (frames,)
        Where there is no signal.
    """

    frames: NDArray[np.float32]
    peaks: NDArray[np.float64]
    unsure: NDArray[np.bool_]
    lost: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)


def distort(
    segment: Segment,
    noise: Mapping[str, NDArray[np.float32]],
    settings: DistortSettings,
    rng: Generator,
) -> Segment:
    """Distort a segment in several ways, each with its own probability.

    Parameters
    ----------
    segment : Segment
    noise : mapping of str to ndarray of float32, shape (2, frames)
        Recorded noise by kind.
    settings : DistortSettings
    rng : numpy.random.Generator
    """
    frames = segment.frames - np.median(segment.frames)
    if rng.random() < settings.invert:
        frames = -frames
    segment = replace(segment, frames=frames)
    if rng.random() < settings.standstill:
        segment = _stop_beats(segment, rng)
    silent = rng.random() < settings.silence
    if silent:
        nothing = np.zeros_like(segment.unsure)
        segment = replace(
            segment,
            frames=np.zeros_like(segment.frames),
            peaks=segment.peaks[:0],
            unsure=nothing,
        )
    if rng.random() < settings.gain:
        segment = replace(segment, frames=segment.frames * _gain(len(segment), rng))
    if silent or rng.random() < settings.noise:
        added = _noise(len(segment), noise, rng)
        segment = replace(segment, frames=segment.frames + added)
    if rng.random() < settings.wander:
        segment = replace(segment, frames=segment.frames + _wander(len(segment), rng))
    if rng.random() < settings.steps:
        segment = replace(segment, frames=segment.frames + _steps(len(segment), rng))
    if rng.random() < settings.spikes:
        segment = replace(segment, frames=segment.frames + _spikes(len(segment), rng))
    if rng.random() < settings.burst:
        segment = _burst(segment, rng)
    if rng.random() < settings.gap:
        segment = _lose(segment, rng)
    return segment


def _stop_beats(segment: Segment, rng: Generator) -> Segment:
    """Take QRS complexes and T waves out: a pause, or every other beat, P waves left or not."""
    peaks = segment.peaks
    n = len(peaks)
    if n < 6:
        return segment
    first = int(rng.integers(1, n - 2))
    keep_p = rng.random() < 0.5
    if rng.random() < 0.7:
        rows = range(first, min(first + int(rng.integers(1, 8)), n - 1))
    else:
        rows = range(first, n - 1, 2)
    frames, kept = segment.frames.copy(), np.ones(n, dtype=np.bool_)
    for row in rows:
        interval = peaks[row + 1] - peaks[row]
        before = 0.075 * FRAME_HZ + (0 if keep_p else 0.3 * interval)
        room = 0.26 if interval > 0.5 * FRAME_HZ else 0.1  # the next beat keeps its P wave
        start = max(1, int(peaks[row] - before))
        stop = int(min(peaks[row] + 0.48 * FRAME_HZ, peaks[row + 1] - room * FRAME_HZ))
        stop = min(stop, len(frames) - 2)
        if stop - start < 0.15 * FRAME_HZ:
            continue
        line = np.linspace(frames[start - 1], frames[stop], stop - start)
        frames[start:stop] = line + 0.01 * rng.standard_normal(stop - start)
        kept[row] = False
    return replace(segment, frames=frames, peaks=peaks[kept])


def _gain(n: int, rng: Generator) -> NDArray[np.float32]:
    """Make a gain that swells and ebbs, and now and then jumps."""
    time_s = np.arange(n) / FRAME_HZ
    phase = 2 * np.pi * (rng.uniform(0.02, 0.4) * time_s + rng.random())
    gain = np.exp(rng.uniform(0, 0.7) * np.sin(phase))
    if rng.random() < 0.25:
        gain[rng.integers(n) :] *= np.exp(rng.uniform(-1.5, 1.5))
    return gain.astype(np.float32)


def _noise(n: int, noise: Mapping[str, NDArray[np.float32]], rng: Generator) -> NDArray[np.float32]:
    """Make noise at a random level, over the whole segment or a part of it."""
    kind = rng.choice([*noise, "em", "ma", "coloured", "jerks", "all"])
    if kind == "all":
        mixed = _unit(_recorded(noise["em"], n, rng)) + sum(
            rng.uniform(0, 1) * _unit(_recorded(noise[other], n, rng)) for other in ("ma", "bw")
        )
    elif kind == "coloured":
        mixed = coloured(n, rng.choice([0.0, 0.5, 1.0, 1.5, 2.0]), rng)
    elif kind == "jerks":
        mixed = _jerks(n, rng)
    else:
        mixed = _recorded(noise[kind], n, rng)
    snr_db = rng.uniform(-3, 24)
    mixed = _unit(mixed) * np.sqrt(_SIGNAL_POWER * 10 ** (-snr_db / 10))
    if rng.random() < 0.4:
        start, stop = np.sort(rng.uniform(0, n, 2))
        time = np.arange(n)
        soft = 0.1 * FRAME_HZ
        mixed = mixed * (_sigmoid((time - start) / soft) - _sigmoid((time - stop) / soft))
    return np.asarray(mixed, dtype=np.float32)


def _recorded(channels: NDArray[np.float32], n: int, rng: Generator) -> NDArray[np.float32]:
    """Take recorded noise in a random direction between its two channels."""
    speed = np.exp(rng.uniform(np.log(0.6), np.log(1.7)))
    n_read = int(n * speed) + 2
    rows = (rng.integers(channels.shape[1]) + np.arange(n_read)) % channels.shape[1]
    angle = rng.uniform(0, 2 * np.pi)
    stretch = channels[0, rows] * np.cos(angle) + channels[1, rows] * np.sin(angle)
    stretch = np.interp(np.arange(n) * speed, np.arange(n_read), stretch)
    backwards = rng.random() < 0.3
    return np.asarray(stretch[::-1] if backwards else stretch, dtype=np.float32)


def _jerks(n: int, rng: Generator) -> NDArray[np.float32]:
    """Make electrode motion up: pushes that build up and die away, of random size and length."""
    made = 0.15 * coloured(n, 1.5, rng)
    for centre in rng.uniform(0, n, rng.poisson(n / FRAME_HZ * rng.uniform(0.2, 1.5))):
        time_s = (np.arange(n) - centre) / FRAME_HZ
        rise, fall = np.exp(rng.uniform(np.log(0.01), np.log(0.4), 2))
        push = np.exp(time_s.clip(max=0) / rise - time_s.clip(min=0) / fall)
        made = made + rng.standard_normal() * push.astype(np.float32)
    return made


def coloured(n: int, slope: float, rng: Generator) -> NDArray[np.float32]:
    """Make noise whose power falls as frequency to the power `slope`, up to 40 Hz; deviation 1."""
    frequency = np.fft.rfftfreq(n, 1 / FRAME_HZ)
    frequency[0] = frequency[1]
    height = frequency ** (-slope / 2) * (frequency < _HIGHEST_NOISE_HZ)
    waves = rng.standard_normal((2, len(frequency)))
    return _unit(np.fft.irfft((waves[0] + 1j * waves[1]) * height, n))


def _wander(n: int, rng: Generator) -> NDArray[np.float32]:
    time_s = np.arange(n) / FRAME_HZ
    waves = (
        rng.uniform(0, 3) * np.sin(2 * np.pi * (rng.uniform(0.03, 0.6) * time_s + rng.random()))
        for _ in range(rng.integers(1, 4))
    )
    return np.asarray(np.sum(list(waves), axis=0), dtype=np.float32)


def _steps(n: int, rng: Generator) -> NDArray[np.float32]:
    made = np.zeros(n, dtype=np.float32)
    for _ in range(rng.integers(1, 4)):
        made[rng.integers(n) :] += rng.uniform(-6, 6)
    return made


def _spikes(n: int, rng: Generator) -> NDArray[np.float32]:
    made = np.zeros(n, dtype=np.float32)
    for _ in range(rng.integers(1, 6)):
        centre = rng.integers(1, n - 1)
        made[centre - 1 : centre + 2] += np.array([0.5, 1, 0.5], np.float32) * rng.uniform(-12, 12)
    return made


def _burst(segment: Segment, rng: Generator) -> Segment:
    """Loosen the lead: noise far above the signal, in which nobody can see a beat."""
    length = int(min(rng.uniform(1, 10) * FRAME_HZ, len(segment) // 2))
    start = int(rng.integers(0, len(segment) - length))
    part = slice(start, start + length)
    frames, unsure = segment.frames.copy(), segment.unsure.copy()
    frames[part] += np.exp(rng.uniform(0, 3)) * coloured(length, rng.choice([0.0, 1.0, 2.0]), rng)
    unsure[part] = True
    return replace(segment, frames=frames, unsure=unsure)


def _lose(segment: Segment, rng: Generator) -> Segment:
    """Make a gap, bridged as inference does: last value held, what follows shifted to it."""
    n = len(segment)
    start = int(rng.integers(1, n - round(0.1 * FRAME_HZ)))
    longest = np.log(10 * FRAME_HZ)
    stop = min(start + int(np.exp(rng.uniform(np.log(0.1 * FRAME_HZ), longest))), n - 1)
    frames, lost, unsure = segment.frames.copy(), segment.lost.copy(), segment.unsure.copy()
    frames[stop:] -= frames[stop] - frames[start - 1]
    frames[start:stop] = frames[start - 1]
    lost[start:stop] = True
    # A beat that is cut at an edge can be seen, or not.
    edge = round(0.1 * FRAME_HZ)
    unsure[max(0, start - edge) : start] = unsure[stop : stop + edge] = True
    hidden = (segment.peaks > start) & (segment.peaks < stop)
    return replace(segment, frames=frames, lost=lost, unsure=unsure, peaks=segment.peaks[~hidden])


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    centred = values - values.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), dtype=np.float32)


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values.clip(-30, 30))), dtype=np.float64)
