"""What happens to a recording outside a hospital's quiet room, done to training segments.

Every function takes a generator and works on frames in units of the lead's usual deflection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.frames import FRAME_HZ, KAISER_BETA, LOW_PASS_HZ, LOW_PASS_S
from ectopy.training.noises import coloured, draw_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from ectopy.training.noises import RecordedNoise
    from ectopy.training.recipe import DistortSettings

# The low-pass of `ectopy.signal.frames` spreads a spike over so many frames on either side.
_SPIKE_FRAMES = 8
_SPIKE_SIZES = (0.2, 12.0)

# What is taken out begins after the QRS complex of the beat before, and before that of its own.
_AFTER_QRS_S, _BEFORE_QRS_S = 0.15, 0.075


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
    noise: Mapping[str, RecordedNoise],
    settings: DistortSettings,
    rng: Generator,
) -> Segment:
    """Distort a segment in several ways, each with its own probability.

    Parameters
    ----------
    segment : Segment
    noise : mapping of str to RecordedNoise
        By kind.
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
        added = draw_noise(len(segment), noise, rng)
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
        before = _BEFORE_QRS_S * FRAME_HZ + (0 if keep_p else 0.3 * interval)
        room = 0.26 if interval > 0.5 * FRAME_HZ else 0.1  # the next beat keeps its P wave
        start = max(1, int(peaks[row] - before))
        if row > 0 and kept[row - 1]:
            start = max(start, int(peaks[row - 1] + _AFTER_QRS_S * FRAME_HZ))
        stop = int(min(peaks[row] + 0.48 * FRAME_HZ, peaks[row + 1] - room * FRAME_HZ))
        stop = min(stop, len(frames) - 2)
        if stop - start < 0.15 * FRAME_HZ or start > peaks[row] - _BEFORE_QRS_S * FRAME_HZ + 1:
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
    """Make artefacts of one sample, anywhere between frames, as the low-pass leaves them."""
    made = np.zeros(n, dtype=np.float32)
    reach = np.arange(-_SPIKE_FRAMES, _SPIKE_FRAMES + 1)
    for _ in range(rng.integers(1, 9)):
        centre = rng.integers(_SPIKE_FRAMES, n - _SPIKE_FRAMES)
        time_s = (reach + rng.uniform(-0.5, 0.5)) / FRAME_HZ
        inside = np.sqrt((1 - (2 * time_s / LOW_PASS_S) ** 2).clip(0))
        taper = np.i0(KAISER_BETA * inside) / np.i0(KAISER_BETA) * (inside > 0)
        size = rng.choice([-1, 1]) * np.exp(rng.uniform(*np.log(_SPIKE_SIZES)))
        made[centre + reach] += size * np.sinc(2 * LOW_PASS_HZ * time_s) * taper
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
