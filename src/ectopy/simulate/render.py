"""From beats to samples: place each beat's waves in time and add them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.simulate.shapes import BLOCKED_P_S, LEADS, Part, Patient, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.simulate.rhythm import Beat

REACH_S = 1.5
"""No wave of a beat lies farther than this from its fiducial point, in seconds."""

CUT = 5.0  # standard deviations after which a Gaussian is left out: below 4e-6 of its height
HIDDEN_P_S = 0.1  # a blocked P wave nearer to a ventricular QRS than this drowns in it

# Beat-to-beat spread: of the amplitude of P, QRS, T (share), of their place (s), of width (share).
GAIN_SPREAD = np.array([0.06, 0.02, 0.05, 0.02])
PLACE_SPREAD_S = np.array([0.003, 0.0, 0.004, 0.001])
WIDTH_SPREAD = np.array([0.03, 0.015, 0.03, 0.0])
# Ectopic beats of one focus differ more from one to the next than conducted ones.
WILD = np.array([1.0, 1.0, 2.5, 2.5, 2.0, 2.0, 2.0, 1.0])  # by Shape
WAVE_SPREAD = 0.02  # of each wave's own amplitude


@dataclass(frozen=True, eq=False)
class WaveList:
    """Waves placed in time, beat by beat.

    Attributes
    ----------
    beat_s : ndarray of float64, shape (waves,)
        Time of the fiducial point of the beat that the wave belongs to.
    centre_s, rise_s, fall_s : ndarray of float64, shape (waves,)
        Centre from the start of the recording, standard deviations before and after it.
    amplitude_mv : ndarray of float64, shape (waves, leads)
    """

    beat_s: NDArray[np.float64]
    centre_s: NDArray[np.float64]
    rise_s: NDArray[np.float64]
    fall_s: NDArray[np.float64]
    amplitude_mv: NDArray[np.float64]

    def after(self, time_s: float) -> WaveList:
        """Only the waves of beats after a time."""
        keep = self.beat_s > time_s
        return WaveList(
            self.beat_s[keep],
            self.centre_s[keep],
            self.rise_s[keep],
            self.fall_s[keep],
            self.amplitude_mv[keep],
        )

    def join(self, other: WaveList) -> WaveList:
        """Put other waves behind these."""
        return WaveList(
            np.concatenate([self.beat_s, other.beat_s]),
            np.concatenate([self.centre_s, other.centre_s]),
            np.concatenate([self.rise_s, other.rise_s]),
            np.concatenate([self.fall_s, other.fall_s]),
            np.concatenate([self.amplitude_mv, other.amplitude_mv]),
        )


_NONE = np.zeros(0)
NO_WAVES = WaveList(_NONE, _NONE, _NONE, _NONE, np.zeros((0, len(LEADS))))


def place_waves(
    beats: Sequence[Beat], patient: Patient, fs: float, rng: np.random.Generator
) -> WaveList:
    """Give each beat its waves, each a little different from the last.

    Parameters
    ----------
    beats : sequence of Beat
    patient : Patient
    fs : float
        Sampling frequency in Hz, which blunts the pacing spike as a recorder would.
    rng : Generator
        The random stream of beat-to-beat variation; each beat takes equally many numbers.

    Returns
    -------
    WaveList
        The largest deflection of the QRS of each beat in the first lead lies at the beat's time.
    """
    if not beats:
        return NO_WAVES
    times_s = np.array([beat.time_s for beat in beats])
    shape = np.array([beat.shape for beat in beats])
    table = patient.templates
    part = table.part[shape]  # (beats, waves)
    rows = np.arange(len(beats))[:, None]

    waves = part.shape[1]
    draws = rng.standard_normal((len(beats), 3 * len(Part) + waves)) * WILD[shape][:, None]
    by_part = draws[:, : 3 * len(Part)].reshape(-1, 3, len(Part))
    gain = (1 + by_part[:, 0] * GAIN_SPREAD)[rows, part]
    gain *= 1 + WAVE_SPREAD * draws[:, 3 * len(Part) :]
    gain *= 1 + patient.breathing.depth * patient.breathing.at(times_s)[:, None]
    move_s = (by_part[:, 1] * PLACE_SPREAD_S)[rows, part]
    width = (1 + by_part[:, 2] * WIDTH_SPREAD)[rows, part]

    # QT grows with the cube root of RR (Fridericia 1920, Acta Med Scand 53:469).
    qt_rr_s = np.array([beat.qt_rr_s for beat in beats])
    stretch = np.where(part == Part.T, np.cbrt(qt_rr_s)[:, None], 1.0)
    centre_s = table.centre_s[shape] * stretch + move_s
    rise_s = table.rise_s[shape] * stretch * width
    fall_s = table.fall_s[shape] * stretch * width

    delay_s = np.array([beat.p_delay_s for beat in beats])
    ectopic = np.isin(shape, (Shape.VENTRICULAR, Shape.SECOND_FOCUS))
    # Comparisons with NaN, the delay of beats without a P wave, are false.
    seen = np.where(ectopic, delay_s > BLOCKED_P_S + HIDDEN_P_S, delay_s >= 0)
    is_p = part == Part.P
    gain[is_p & ~seen[:, None]] = 0.0
    centre_s += np.where(is_p & seen[:, None], delay_s[:, None], 0.0)

    # A recorder's low-pass filter spreads a spike shorter than its sampling interval.
    is_spike = part == Part.SPIKE
    blunt_s = np.hypot(rise_s, 0.4 / fs)
    gain = np.where(is_spike, gain * rise_s / blunt_s, gain)
    rise_s = np.where(is_spike, blunt_s, rise_s)
    fall_s = np.where(is_spike, blunt_s, fall_s)

    amplitude_mv = table.amplitude_mv[shape] * gain[..., None]
    smooth_ii = np.where(is_spike, 0.0, amplitude_mv[..., 0])
    centre_s -= _peak_offset_s(centre_s, rise_s, fall_s, smooth_ii)[:, None]
    keep = np.any(amplitude_mv != 0.0, axis=2)
    return WaveList(
        beat_s=np.broadcast_to(times_s[:, None], keep.shape)[keep],
        centre_s=(times_s[:, None] + centre_s)[keep],
        rise_s=rise_s[keep],
        fall_s=fall_s[keep],
        amplitude_mv=amplitude_mv[keep],
    )


def _peak_offset_s(
    centre_s: NDArray[np.float64],
    rise_s: NDArray[np.float64],
    fall_s: NDArray[np.float64],
    amplitude_mv: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How far each beat's largest deflection has moved from 0, in seconds, shape (beats,)."""
    grid_s = np.arange(-0.010, 0.0101, 0.0005)
    off = grid_s - centre_s[..., None]  # (beats, waves, grid)
    sigma = np.where(off < 0, rise_s[..., None], fall_s[..., None])
    value = np.abs(np.einsum("bw,bwg->bg", amplitude_mv, np.exp(-0.5 * (off / sigma) ** 2)))
    best = np.clip(value.argmax(axis=1), 1, len(grid_s) - 2)
    rows = np.arange(len(best))
    before, at, behind = value[rows, best - 1], value[rows, best], value[rows, best + 1]
    bend = before - 2 * at + behind
    # Vertex of the parabola through the three values around the largest.
    vertex = np.where(bend < 0, 0.5 * (before - behind) / np.where(bend < 0, bend, -1.0), 0.0)
    return np.asarray(grid_s[best] + np.clip(vertex, -1, 1) * 0.0005)


def draw(waves: WaveList, start: int, length: int, fs: float) -> NDArray[np.float64]:
    """Sum of waves at the samples of one stretch of the recording.

    Parameters
    ----------
    waves : WaveList
    start : int
        First sample.
    length : int
        Number of samples.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray of float64, shape (length, leads)
        In mV.
    """
    lowest = np.ceil((waves.centre_s - CUT * waves.rise_s) * fs).astype(np.int64) - start
    highest = np.floor((waves.centre_s + CUT * waves.fall_s) * fs).astype(np.int64) - start
    lowest, highest = np.clip(lowest, 0, length), np.clip(highest + 1, 0, length)
    lengths = np.maximum(highest - lowest, 0)
    # One long list of (wave, sample) pairs instead of a loop over waves.
    wave = np.repeat(np.arange(len(lengths)), lengths)
    sample = np.arange(len(wave)) + np.repeat(lowest - np.cumsum(lengths) + lengths, lengths)
    off = (sample + start) / fs - waves.centre_s[wave]
    sigma = np.where(off < 0, waves.rise_s[wave], waves.fall_s[wave])
    bump = np.exp(-0.5 * (off / sigma) ** 2)
    columns = [
        np.bincount(sample, bump * waves.amplitude_mv[wave, lead], minlength=length)
        for lead in range(len(LEADS))
    ]
    return np.stack(columns, axis=1)
