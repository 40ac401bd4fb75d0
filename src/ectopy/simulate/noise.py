"""What is in a recording beside beats: fibrillation, noise, wander, mains and drop-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.simulate.shapes import LEADS, Breathing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ectopy.simulate.settings import Simulation

COARSE_S = 0.05  # slow curves are computed 20 times a second and drawn straight in between
MUSCLE_HZ = 40.0  # corner of the noise, which is not white in recordings
RAIL_MV = 5.0  # the limit of the recorders of the MIT-BIH database is about 5 mV
RECOVERY_S = 0.4  # time constant with which the baseline returns after a drop-out
RECOVERED = 8  # time constants after which nothing is left of the step


class FibrillatoryWaves:
    """Sawtooth waves of fibrillating atria, 4 to 8 Hz.

    A fundamental and two harmonics whose frequency and amplitude vary slowly, after Stridh and
    Sörnmo (2001), "Spatiotemporal QRST cancellation techniques for analysis of atrial
    fibrillation", IEEE Trans Biomed Eng 48(1), section on simulated signals.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rate_hz = rng.uniform(4.8, 7.2)
        self._amplitude_mv = np.array([rng.uniform(0.03, 0.08), rng.uniform(0.04, 0.12)])
        self._phases = rng.uniform(0, 2 * np.pi, size=4)
        self._lag = rng.uniform(0.5, 2.0)  # of V1 behind MLII, radians of the fundamental

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Waves in mV, shape (times, leads)."""
        a, b, c, d = self._phases
        phase = (
            2 * np.pi * self._rate_hz * times_s
            + 2.2 * np.sin(2 * np.pi * 0.13 * times_s + a)
            + 0.5 * np.sin(2 * np.pi * 0.9 * times_s + b)
        )
        swell = 1 + 0.3 * np.sin(2 * np.pi * 0.31 * times_s + c)
        waves = np.empty((len(times_s), len(LEADS)))
        for lead in range(len(LEADS)):
            theta = phase - lead * self._lag
            saw = np.sin(theta) + 0.4 * np.sin(2 * theta + 0.3 * d) + 0.15 * np.sin(3 * theta)
            waves[:, lead] = self._amplitude_mv[lead] * swell * saw
        return waves


class _SlowCurve:
    """Sum of slow sine waves with a root mean square of 1."""

    def __init__(
        self, hz: NDArray[np.float64], share: NDArray[np.float64], phases: NDArray[np.float64]
    ) -> None:
        self._hz = hz
        self._amplitude = np.sqrt(2 * share / share.sum())
        self._phases = phases

    def at(self, start: int, length: int, fs: float) -> NDArray[np.float64]:
        first = int(start / fs / COARSE_S)
        last = int((start + length) / fs / COARSE_S) + 2
        knots_s = np.arange(first, last) * COARSE_S
        angles = 2 * np.pi * knots_s[:, None] * self._hz + self._phases
        times_s = np.arange(start, start + length) / fs
        knots: NDArray[np.float64] = np.sin(angles) @ self._amplitude
        return np.interp(times_s, knots_s, knots)


class Interference:
    """Noise, wander and mains of a recording, drawn stretch by stretch in order.

    Parameters
    ----------
    settings : Simulation
    breathing : Breathing
        Part of the wander follows the patient's breathing.
    shape_rng, noise_rng : Generator
        The random streams of the slow curves and of the samples of the noise.
    """

    def __init__(
        self,
        settings: Simulation,
        breathing: Breathing,
        shape_rng: np.random.Generator,
        noise_rng: np.random.Generator,
    ) -> None:
        self._settings = settings
        self._rng = noise_rng
        self._wander = [self._draw_wander(breathing, shape_rng) for _ in LEADS]
        self._bursts = [
            _SlowCurve(
                shape_rng.uniform(0.02, 0.2, 3), np.ones(3), shape_rng.uniform(0, 2 * np.pi, 3)
            )
            for _ in LEADS
        ]
        self._muscle_state = np.zeros((1, len(LEADS)))
        self._mains_gain = [1.0, float(shape_rng.uniform(0.5, 1.2))]
        self._mains_phase = shape_rng.uniform(0, 2 * np.pi)

    @staticmethod
    def _draw_wander(breathing: Breathing, rng: np.random.Generator) -> _SlowCurve:
        hz = np.exp(rng.uniform(np.log(0.03), np.log(0.5), size=6))
        share = 0.05 / (hz + 0.05)  # slower is larger
        return _SlowCurve(
            np.append(hz, breathing.rate_hz),
            np.append(share, 0.4 * share.sum()),
            np.append(rng.uniform(0, 2 * np.pi, size=6), breathing.phase),
        )

    def at(self, start: int, length: int) -> NDArray[np.float64]:
        """Interference in mV at the next `length` samples, shape (length, leads)."""
        settings, fs = self._settings, self._settings.fs
        total = np.zeros((length, len(LEADS)))
        if settings.wander_mv:
            for lead, wander in enumerate(self._wander):
                total[:, lead] += settings.wander_mv * wander.at(start, length, fs)
        if settings.noise_mv:
            muscle = self._muscle(length)
            for lead, burst in enumerate(self._bursts):
                # Three sines of unit total power reach sqrt(6): the variance stays positive.
                variance = 1 + 0.9 * burst.at(start, length, fs) / np.sqrt(6)
                total[:, lead] += settings.noise_mv * np.sqrt(variance) * muscle[:, lead]
        if settings.mains_mv and settings.mains_hz < fs / 2:
            cycles = np.arange(start, start + length) * (settings.mains_hz / fs)
            hum = settings.mains_mv * np.sin(2 * np.pi * cycles + self._mains_phase)
            total += hum[:, None] * self._mains_gain
        return total

    def _muscle(self, length: int) -> NDArray[np.float64]:
        """Noise of unit power that falls off above `MUSCLE_HZ`, shape (length, leads)."""
        from scipy.signal import lfilter

        pole = np.exp(-2 * np.pi * MUSCLE_HZ / self._settings.fs)
        white = self._rng.standard_normal((length, len(LEADS)))
        noise, self._muscle_state = lfilter(
            [np.sqrt(1 - pole**2)], [1.0, -pole], white, axis=0, zi=self._muscle_state
        )
        return np.asarray(noise)


class Dropout(NamedTuple):
    """A time without contact between electrode and skin, in s and mV."""

    start_s: float
    end_s: float
    level_mv: float
    rebound_mv: float


def draw_dropouts(per_hour: float, rng: np.random.Generator) -> Iterator[Dropout]:
    """Endless sequence of drop-outs in ascending time; nothing where `per_hour` is 0."""
    time_s = 0.0
    while per_hour > 0:
        length_s = float(rng.uniform(0.5, 6.0))
        # The gap is shortened by the mean length so that the number an hour comes out right.
        time_s += float(rng.exponential(3600 / per_hour - 3.25))
        level_mv = float(rng.choice([0.0, RAIL_MV, -RAIL_MV]))
        sign = np.sign(level_mv) or rng.choice([-1.0, 1.0])
        rebound_mv = float(sign * rng.uniform(0.5, 2.5))
        yield Dropout(time_s, time_s + length_s, level_mv, rebound_mv)
        time_s += length_s


@dataclass
class Contact:
    """Applies drop-outs to a recording, stretch by stretch in order.

    Attributes
    ----------
    coming : iterator of Dropout
    fs : float
        Sampling frequency in Hz.
    """

    coming: Iterator[Dropout]
    fs: float

    def __post_init__(self) -> None:
        self._near: list[Dropout] = []
        self._ended = False

    def apply(self, signal_mv: NDArray[np.float64], start: int) -> NDArray[np.bool_]:
        """Overwrite a stretch of signal where contact is lost, in place.

        Parameters
        ----------
        signal_mv : ndarray of float64, shape (samples, leads)
        start : int
            Sample index of its first row.

        Returns
        -------
        ndarray of bool, shape (samples,)
            True under a drop-out.
        """
        end_s = (start + len(signal_mv)) / self.fs
        while not self._ended and (not self._near or self._near[-1].start_s < end_s):
            dropout = next(self.coming, None)
            self._ended = dropout is None
            if dropout:
                self._near.append(dropout)
        faded_s = RECOVERED * RECOVERY_S
        self._near = [d for d in self._near if d.end_s + faded_s >= start / self.fs]
        dropped = np.zeros(len(signal_mv), dtype=np.bool_)
        for dropout in self._near:
            first, stop, faded = (
                int(np.clip(np.ceil(t * self.fs) - start, 0, len(signal_mv)))
                for t in (dropout.start_s, dropout.end_s, dropout.end_s + faded_s)
            )
            since_s = (np.arange(stop, faded) + start) / self.fs - dropout.end_s
            signal_mv[stop:faded] += dropout.rebound_mv * np.exp(-since_s / RECOVERY_S)[:, None]
            dropped[first:stop] = True
            signal_mv[first:stop] = dropout.level_mv
        return dropped
