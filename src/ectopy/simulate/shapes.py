"""How a beat looks: a patient's beats as sums of skewed Gaussian waves in continuous time.

A beat as a sum of Gaussians follows McSharry et al. (2003), "A dynamical model for generating
synthetic electrocardiogram signals", IEEE Trans Biomed Eng 50(3); here each Gaussian has its own
width on either side. The leads are a modified lead II and V1. Amplitudes, widths and times are
set by eye and measure to lie in the range of the records of the MIT-BIH Arrhythmia Database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LEADS = ("MLII", "V1")
BLOCKED_P_S = 0.155  # from the P wave to the sinus beat that an ectopic ventricular one stopped


class Shape(IntEnum):
    """The shapes of a patient's beats; three blends are fusion beats of different degree."""

    NORMAL = 0
    ATRIAL = 1
    VENTRICULAR = 2
    SECOND_FOCUS = 3
    FUSION_EARLY = 4
    FUSION_EVEN = 5
    FUSION_LATE = 6
    PACED = 7


SHAPE_SYMBOLS = np.array(["N", "A", "V", "V", "F", "F", "F", "/"])
"""WFDB annotation symbol of each `Shape`."""

# How much of a fusion beat's heart muscle the ventricular focus has taken.
FUSION_DEGREES = {Shape.FUSION_EARLY: 0.3, Shape.FUSION_EVEN: 0.4, Shape.FUSION_LATE: 0.5}
FUSION_WIDTH = 0.65  # of the ventricular QRS, since the other front takes the rest of the muscle


class Part(IntEnum):
    """The part of a beat a wave belongs to; parts scale and move on their own."""

    P = 0
    QRS = 1
    T = 2
    SPIKE = 3


class Wave(NamedTuple):
    """One skewed Gaussian.

    Times are in seconds relative to the beat's fiducial point; those of `Part.T` hold at an RR
    interval of 1 s. `rise_s` and `fall_s` are the standard deviations before and after the
    centre. Amplitudes are in mV.
    """

    part: Part
    centre_s: float
    rise_s: float
    fall_s: float
    ii_mv: float
    v1_mv: float


@dataclass(frozen=True, eq=False)
class Templates:
    """The waves of every `Shape`, one row a shape; spare waves have amplitude 0.

    Attributes
    ----------
    part : ndarray of int64, shape (shapes, waves)
    centre_s, rise_s, fall_s : ndarray of float64, shape (shapes, waves)
    amplitude_mv : ndarray of float64, shape (shapes, waves, leads)
    """

    part: NDArray[np.int64]
    centre_s: NDArray[np.float64]
    rise_s: NDArray[np.float64]
    fall_s: NDArray[np.float64]
    amplitude_mv: NDArray[np.float64]


@dataclass(frozen=True)
class Breathing:
    """Breathing, which moves the heart rate, the amplitudes and the baseline.

    Attributes
    ----------
    rate_hz : float
    phase : float
        In radians at time 0.
    depth : float
        Share by which the amplitude of a beat changes.
    """

    rate_hz: float
    phase: float
    depth: float

    def at(self, times_s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Fill of the lungs at each time, -1 to 1, same shape as `times_s`."""
        return np.asarray(np.sin(2 * np.pi * self.rate_hz * np.asarray(times_s) + self.phase))


@dataclass(frozen=True, eq=False)
class Patient:
    """What stays the same through a recording.

    Attributes
    ----------
    templates : Templates
    breathing : Breathing
    two_foci : bool
        Whether ventricular beats come from two places.
    """

    templates: Templates
    breathing: Breathing
    two_foci: bool


def draw_patient(rng: np.random.Generator) -> Patient:
    """Draw one patient.

    Parameters
    ----------
    rng : Generator
        The patient's own random stream.
    """
    normal = _centred(_normal_waves(rng))
    # Most ectopic ventricular beats of the database are upright in MLII; a second focus differs.
    upright = bool(rng.random() < 0.7)
    ventricular = _centred(_ventricular_waves(rng, upright=upright))
    shapes: dict[Shape, list[Wave]] = {
        Shape.NORMAL: normal,
        Shape.ATRIAL: _atrial_waves(rng, normal),
        Shape.VENTRICULAR: ventricular,
        Shape.SECOND_FOCUS: _centred(_ventricular_waves(rng, upright=not upright)),
        Shape.PACED: _centred(_paced_waves(rng)),
    }
    for shape, degree in FUSION_DEGREES.items():
        shapes[shape] = _centred(_fusion_waves(normal, ventricular, degree))
    breathing = Breathing(
        rate_hz=float(rng.uniform(0.18, 0.3)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        depth=float(rng.uniform(0.02, 0.08)),
    )
    return Patient(_templates(shapes), breathing, two_foci=bool(rng.random() < 0.4))


def evaluate(
    waves: Iterable[Wave], times_s: NDArray[np.float64], lead: int = 0
) -> NDArray[np.float64]:
    """Sum of waves at an RR interval of 1 s.

    Parameters
    ----------
    waves : iterable of Wave
    times_s : ndarray of float64, shape (times,)
        Times relative to the fiducial point in seconds.
    lead : int
        Index into `LEADS`.

    Returns
    -------
    ndarray of float64, shape (times,)
        In mV.
    """
    total = np.zeros_like(times_s)
    for wave in waves:
        off = times_s - wave.centre_s
        sigma = np.where(off < 0, wave.rise_s, wave.fall_s)
        total += (wave.ii_mv, wave.v1_mv)[lead] * np.exp(-0.5 * (off / sigma) ** 2)
    return total


def _normal_waves(rng: np.random.Generator) -> list[Wave]:
    """P of 0.1 s, PR 0.14 to 0.2 s, QRS of 0.09 s, T at a QTc of 0.38 to 0.43 s."""
    u = rng.uniform
    axis_deg = u(15.0, 85.0)
    r = u(1.1, 2.2) * np.cos(np.deg2rad(axis_deg - 60.0))  # lead II looks along +60 degrees
    s = r * u(0.03, 0.2) + 0.4 * max(0.0, (40.0 - axis_deg) / 40.0)
    sigma = u(0.009, 0.015)
    p = u(0.09, 0.22)
    p_at = -u(0.13, 0.175)
    t = r * u(0.14, 0.35)
    t_at = u(0.265, 0.30)
    t_v1 = u(-0.12, 0.15)
    v1_s = u(0.5, 1.4)
    return [
        Wave(Part.P, p_at - 0.012, 0.019, 0.019, 0.65 * p, u(0.03, 0.07)),
        Wave(Part.P, p_at + 0.016, 0.018, 0.018, 0.6 * p, -u(0.02, 0.07)),
        Wave(Part.QRS, -u(0.02, 0.026), 0.009, 0.008, -u(0.02, 0.2), v1_s * u(0.1, 0.3)),
        Wave(Part.QRS, 0.0, sigma, sigma * u(0.9, 1.1), r, -0.3 * v1_s),
        Wave(Part.QRS, u(0.02, 0.026), 0.009, u(0.009, 0.013), -s, -0.8 * v1_s),
        Wave(Part.QRS, u(0.042, 0.05), 0.009, 0.012, u(-0.03, 0.06), u(-0.03, 0.1)),
        Wave(Part.T, 0.12, 0.035, 0.06, u(-0.06, 0.03), u(-0.02, 0.05)),
        Wave(Part.T, t_at, u(0.055, 0.075), u(0.036, 0.048), t, t_v1),
        Wave(Part.T, t_at + 0.16, 0.03, 0.04, 0.06 * t, 0.06 * t_v1),
    ]


def _atrial_waves(rng: np.random.Generator, normal: list[Wave]) -> list[Wave]:
    """Sinus QRS and T behind the P wave of an ectopic focus in the atria."""
    p_gain = rng.uniform(-1.1, -0.5) if rng.random() < 0.6 else rng.uniform(0.3, 0.6)
    p_shift = rng.uniform(0.005, 0.035)
    waves = []
    for wave in normal:
        if wave.part is Part.P:
            centre = wave.centre_s + p_shift
            waves.append(
                wave._replace(
                    centre_s=centre, ii_mv=p_gain * wave.ii_mv, v1_mv=abs(wave.v1_mv) * 1.2
                )
            )
        else:
            waves.append(wave)
    return waves


def _ventricular_waves(rng: np.random.Generator, *, upright: bool) -> list[Wave]:
    """QRS of 0.14 to 0.18 s and a T wave against it; the P waves are blocked sinus ones."""
    u = rng.uniform
    a = u(1.3, 2.8)
    t_at = u(0.245, 0.285)
    t_rise, t_fall = u(0.075, 0.095), u(0.05, 0.065)
    if upright:
        waves = [
            Wave(Part.QRS, -u(0.045, 0.055), 0.014, 0.016, a * u(-0.08, 0.12), 0.0),
            Wave(Part.QRS, 0.0, u(0.023, 0.032), u(0.026, 0.034), a, 0.0),
            Wave(Part.QRS, u(0.046, 0.058), 0.017, u(0.018, 0.023), a * u(0.2, 0.6), 0.0),
            Wave(Part.T, 0.13, 0.045, 0.07, -a * u(0.08, 0.2), 0.0),
            Wave(Part.T, t_at, t_rise, t_fall, -a * u(0.28, 0.45), 0.0),
        ]
    else:
        waves = [
            Wave(Part.QRS, -u(0.042, 0.052), 0.013, 0.012, a * u(0.08, 0.25), 0.0),
            Wave(Part.QRS, 0.0, u(0.019, 0.027), u(0.03, 0.038), -a, 0.0),
            Wave(Part.QRS, u(0.06, 0.072), 0.02, u(0.022, 0.028), -a * u(0.15, 0.4), 0.0),
            Wave(Part.T, 0.13, 0.045, 0.07, a * u(0.05, 0.12), 0.0),
            Wave(Part.T, t_at, t_rise, t_fall, a * u(0.3, 0.48), 0.0),
        ]
    # Foci in the right ventricle point away from V1, those in the left towards it.
    v1 = -u(1.0, 2.0) if rng.random() < 0.6 else u(0.5, 1.4)
    p = u(0.08, 0.18)
    return [
        *waves,
        Wave(Part.QRS, -u(0.04, 0.05), 0.013, 0.013, 0.0, -v1 * u(0.05, 0.18)),
        Wave(Part.QRS, u(0.0, 0.015), u(0.024, 0.032), u(0.03, 0.038), 0.0, v1),
        Wave(Part.T, t_at - 0.01, t_rise, t_fall, 0.0, -v1 * u(0.25, 0.45)),
        Wave(Part.P, -BLOCKED_P_S, 0.022, 0.022, p, 0.3 * p),
    ]


def _paced_waves(rng: np.random.Generator) -> list[Wave]:
    """Spike, then a wide QRS from the tip of the right ventricle, and a T wave against it."""
    u = rng.uniform
    a = u(1.2, 2.2)
    spike_s = u(0.0008, 0.0016)  # standard deviation: a spike of 2 to 4 ms
    spike = u(0.4, 1.0)
    v1 = u(0.8, 1.8)
    return [
        Wave(Part.SPIKE, -u(0.022, 0.03), spike_s, spike_s, spike, -0.8 * spike),
        Wave(Part.QRS, 0.0, u(0.009, 0.013), u(0.026, 0.034), a, -0.35 * v1),
        Wave(Part.QRS, u(0.088, 0.1), u(0.024, 0.03), u(0.026, 0.036), -a * u(0.68, 0.92), -v1),
        Wave(Part.T, 0.17, 0.05, 0.08, a * u(0.0, 0.12), 0.05 * v1),
        Wave(Part.T, u(0.32, 0.36), u(0.08, 0.1), u(0.055, 0.07), a * u(0.4, 0.6), v1 * 0.4),
    ]


def _fusion_waves(normal: list[Wave], ventricular: list[Wave], degree: float) -> list[Wave]:
    """Two wave fronts that meet: both QRS begin together, and the wide one ends early."""
    shift = _onset_s(normal) - FUSION_WIDTH * _onset_s(ventricular)
    blend = []
    for wave in normal:
        share = 1.0 if wave.part is Part.P else 1 - degree
        blend.append(wave._replace(ii_mv=share * wave.ii_mv, v1_mv=share * wave.v1_mv))
    for wave in ventricular:
        if wave.part is not Part.P:
            width = FUSION_WIDTH if wave.part is Part.QRS else 1.0
            blend.append(
                Wave(
                    part=wave.part,
                    centre_s=width * wave.centre_s + shift,
                    rise_s=width * wave.rise_s,
                    fall_s=width * wave.fall_s,
                    ii_mv=degree * wave.ii_mv,
                    v1_mv=degree * wave.v1_mv,
                )
            )
    return blend


def _qrs(waves: list[Wave]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times_s = np.arange(-0.12, 0.14, 0.00025)
    return times_s, np.abs(evaluate([w for w in waves if w.part is Part.QRS], times_s))


def _centred(waves: list[Wave]) -> list[Wave]:
    """Move waves so that the largest deflection of the QRS in MLII lies at time 0.

    That is where the annotators of the MIT-BIH database set a beat's mark.
    """
    times_s, qrs = _qrs(waves)
    peak_s = float(times_s[qrs.argmax()])
    return [wave._replace(centre_s=wave.centre_s - peak_s) for wave in waves]


def _onset_s(waves: list[Wave]) -> float:
    times_s, qrs = _qrs(waves)
    return float(times_s[np.argmax(qrs > 0.1 * qrs.max())])


def _templates(shapes: dict[Shape, list[Wave]]) -> Templates:
    most = max(len(waves) for waves in shapes.values())
    blank = Wave(Part.QRS, 0.0, 0.01, 0.01, 0.0, 0.0)
    rows = [[*shapes[shape], *[blank] * (most - len(shapes[shape]))] for shape in Shape]
    table = np.array(rows, dtype=np.float64)  # (shapes, waves, fields of Wave)
    return Templates(
        part=table[..., 0].astype(np.int64),
        centre_s=table[..., 1],
        rise_s=table[..., 2],
        fall_s=table[..., 3],
        amplitude_mv=table[..., 4:],
    )
