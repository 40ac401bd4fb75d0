"""When beats come: an endless sequence of beats for each rhythm, in continuous time.

Nothing here knows a sampling frequency, so the same seed gives the same beats at any.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.simulate.settings import (
    BIGEMINY,
    FIBRILLATION,
    MIXED,
    PACED,
    SINUS,
    SUPRAVENTRICULAR_RUN,
    TRIGEMINY,
    VENTRICULAR_RUN,
    Simulation,
)
from ectopy.simulate.shapes import FUSION_DEGREES, Patient, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

REFRACTORY_S = 0.25  # no beat follows another sooner
NO_P = float("nan")


class Beat(NamedTuple):
    """One beat of the truth.

    `p_delay_s` is by how much the P wave comes later than it would before a normal beat: 0 in
    sinus rhythm, the time to the sinus beat that did not come for an ectopic one, NaN where the
    beat has no P wave. `qt_rr_s` is the RR interval the QT interval has adapted to.
    """

    time_s: float
    shape: Shape
    episode: str
    p_delay_s: float
    qt_rr_s: float


class Heart:
    """A patient's pacemakers and the time of the beat that they last gave."""

    def __init__(self, settings: Simulation, patient: Patient, rng: np.random.Generator) -> None:
        self.rng = rng
        self.mean_rr_s = 60.0 / settings.heart_rate_bpm
        self.interpolated_share = settings.interpolated_share
        self._breathing = patient.breathing
        self._two_foci = patient.two_foci
        # Variation by breathing, by the 0.1 Hz blood pressure waves, and over minutes.
        self._swings = rng.uniform([0.015, 0.01, 0.01], [0.05, 0.025, 0.03])
        self._phases = rng.uniform(0, 2 * np.pi, size=2)
        self._drift_hz = rng.uniform(0.002, 0.006)
        # Premature beats of one focus follow the beat before at a nearly fixed distance.
        self._coupling = rng.uniform(0.52, 0.68)
        self.time_s = -1.5 - self.mean_rr_s * rng.random()
        self._qt_rr_s = self.mean_rr_s

    def rr_s(self) -> float:
        """Interval to the next sinus beat in seconds."""
        breath, pressure, drift = self._swings
        swing = (
            breath * float(self._breathing.at(self.time_s))
            + pressure * np.sin(2 * np.pi * 0.1 * self.time_s + self._phases[0])
            + drift * np.sin(2 * np.pi * self._drift_hz * self.time_s + self._phases[1])
            + 0.006 * self.rng.standard_normal()
        )
        return float(self.mean_rr_s * (1 + swing))

    def coupling_s(self, rr_s: float) -> float:
        """Interval before a premature ventricular beat in seconds."""
        jitter = 0.02 * self.rng.standard_normal()
        return max(REFRACTORY_S, float(rr_s * np.clip(self._coupling + jitter, 0.42, 0.75)))

    def focus(self) -> Shape:
        """Where the next ventricular beat comes from."""
        second = self.rng.random() < 0.3
        return Shape.SECOND_FOCUS if self._two_foci and second else Shape.VENTRICULAR

    def beat(
        self, interval_s: float, shape: Shape, episode: str = SINUS, p_delay_s: float = NO_P
    ) -> Beat:
        """Move on to the next beat."""
        interval_s = max(REFRACTORY_S, interval_s)
        self.time_s += interval_s
        # The QT interval follows the rate with a lag of several beats.
        self._qt_rr_s += 0.2 * (min(interval_s, 1.6) - self._qt_rr_s)
        return Beat(self.time_s, shape, episode, p_delay_s, self._qt_rr_s)

    def sinus(self, interval_s: float, episode: str = SINUS) -> Beat:
        """Move on to a conducted sinus beat."""
        return self.beat(interval_s, Shape.NORMAL, episode, 0.0)


def _sinus(heart: Heart) -> Beat:
    return heart.sinus(heart.rr_s())


def _fibrillation(heart: Heart) -> Beat:
    # A skewed distribution with a coefficient of variation of 0.2, as the conduction of a
    # fibrillating atrium has: a floor set by the node, and a tail.
    rr_s = heart.mean_rr_s / 1.2 * (0.45 + 0.55 * heart.rng.gamma(7.5, 1 / 7.5))
    return heart.beat(max(0.3, rr_s), Shape.NORMAL, FIBRILLATION)


def _paced(heart: Heart) -> Beat:
    return heart.beat(
        heart.mean_rr_s * (1 + 0.001 * heart.rng.standard_normal()), Shape.PACED, PACED
    )


def _premature_atrial(heart: Heart) -> Iterator[Beat]:
    """Early beat that resets the sinus node, so the pause is less than compensatory."""
    rr_s = heart.rr_s()
    has_p = heart.rng.random() < 0.85  # the others start in the node between atria and ventricles
    coupling_s = rr_s * heart.rng.uniform(0.58, 0.78)
    yield heart.beat(coupling_s, Shape.ATRIAL, p_delay_s=0.0 if has_p else NO_P)
    yield heart.sinus(rr_s * heart.rng.uniform(1.02, 1.16))


def _premature_ventricular(heart: Heart) -> Iterator[Beat]:
    """Early beat with a full compensatory pause, or now and then without any."""
    rr_s = heart.rr_s()
    coupling_s = heart.coupling_s(rr_s)
    interpolated = heart.rng.random() < heart.interpolated_share and rr_s > 0.7
    if interpolated:
        yield heart.beat(coupling_s, heart.focus())
        yield heart.sinus(1.03 * rr_s - coupling_s)
    else:
        yield from _with_full_pause(heart, rr_s, coupling_s, heart.focus(), SINUS)


def _with_full_pause(
    heart: Heart, rr_s: float, coupling_s: float, shape: Shape, episode: str
) -> Iterator[Beat]:
    """Ectopic beat during which the sinus node keeps its time; its own beat is blocked."""
    yield heart.beat(coupling_s, shape, episode, p_delay_s=rr_s - coupling_s)
    yield heart.sinus(2 * rr_s - coupling_s, episode)


def _couplet(heart: Heart) -> Iterator[Beat]:
    rr_s = heart.rr_s()
    yield heart.beat(heart.coupling_s(rr_s), heart.focus())
    yield heart.beat(min(0.6 * rr_s, heart.rng.uniform(0.36, 0.5)), heart.focus())
    yield heart.sinus(1.2 * rr_s)


def _fusion(heart: Heart) -> Iterator[Beat]:
    """Ectopic beat so late that the sinus beat meets it half-way: P wave there, PR short."""
    rr_s = heart.rr_s()
    shape = list(FUSION_DEGREES)[heart.rng.integers(len(FUSION_DEGREES))]
    late_s = heart.rng.uniform(0.02, 0.06)
    yield from _with_full_pause(heart, rr_s, rr_s - late_s, shape, SINUS)


def _ventricular_run(heart: Heart, most: int = 7) -> Iterator[Beat]:
    rr_s = heart.rr_s()
    step_s = min(heart.rng.uniform(0.33, 0.48), 0.6 * rr_s)
    focus = heart.focus()
    yield heart.beat(heart.coupling_s(rr_s), focus, VENTRICULAR_RUN)
    for _ in range(heart.rng.integers(2, most)):
        step = step_s * (1 + 0.03 * heart.rng.standard_normal())
        yield heart.beat(step, focus, VENTRICULAR_RUN)
    yield heart.sinus(1.25 * rr_s)  # the sinus node recovers late after fast beats


def _supraventricular_run(heart: Heart, most: int = 9) -> Iterator[Beat]:
    rr_s = heart.rr_s()
    step_s = min(heart.rng.uniform(0.36, 0.5), 0.72 * rr_s)
    yield heart.beat(rr_s * heart.rng.uniform(0.58, 0.72), Shape.ATRIAL, SUPRAVENTRICULAR_RUN, 0.0)
    for _ in range(heart.rng.integers(2, most)):
        step = step_s * (1 + 0.015 * heart.rng.standard_normal())
        yield heart.beat(step, Shape.ATRIAL, SUPRAVENTRICULAR_RUN, 0.0)
    yield heart.sinus(1.25 * rr_s)


def _bigeminy(heart: Heart) -> Iterator[Beat]:
    for _ in range(heart.rng.integers(3, 10)):
        rr_s = heart.rr_s()
        yield from _with_full_pause(
            heart, rr_s, heart.coupling_s(rr_s), Shape.VENTRICULAR, BIGEMINY
        )


def _trigeminy(heart: Heart) -> Iterator[Beat]:
    for _ in range(heart.rng.integers(3, 8)):
        yield heart.sinus(heart.rr_s(), TRIGEMINY)
        rr_s = heart.rr_s()
        yield from _with_full_pause(
            heart, rr_s, heart.coupling_s(rr_s), Shape.VENTRICULAR, TRIGEMINY
        )


def _fibrillation_episode(heart: Heart) -> Iterator[Beat]:
    for _ in range(heart.rng.integers(20, 61)):
        yield _fibrillation(heart)
    yield heart.sinus(heart.mean_rr_s * heart.rng.uniform(1.2, 1.6))


def _paced_episode(heart: Heart) -> Iterator[Beat]:
    yield heart.beat(1.15 * heart.mean_rr_s, Shape.PACED, PACED)
    for _ in range(heart.rng.integers(14, 34)):
        yield _paced(heart)
    yield _sinus(heart)


def _ventricular_in_fibrillation(heart: Heart) -> Iterator[Beat]:
    yield heart.beat(heart.coupling_s(heart.mean_rr_s / 1.2), heart.focus(), FIBRILLATION)
    after = _fibrillation(heart)
    heart.time_s += 0.15  # conduction back into the node delays the next beat
    yield after._replace(time_s=heart.time_s)


def _ventricular_in_pacing(heart: Heart) -> Iterator[Beat]:
    yield heart.beat(heart.coupling_s(heart.mean_rr_s), heart.focus(), PACED)
    yield _paced(heart)  # the pacemaker senses the beat and starts anew


class Event(NamedTuple):
    """Something that interrupts the basic rhythm.

    `fraction` is the part of the beats of the share `share` that come in events of this kind,
    `mean_beats` how many one event brings on average.
    """

    play: Callable[[Heart], Iterator[Beat]]
    share: str
    fraction: float
    mean_beats: float


SINGLE = (
    Event(_premature_atrial, "s_share", 1.0, 1),
    Event(_premature_ventricular, "v_share", 1.0, 1),
    Event(_fusion, "f_share", 1.0, 1),
    Event(_paced_episode, "paced_share", 1.0, 24.5),
)
MANIFOLD = (
    Event(_premature_atrial, "s_share", 0.75, 1),
    Event(_supraventricular_run, "s_share", 0.25, 6),
    Event(_premature_ventricular, "v_share", 0.58, 1),
    Event(_couplet, "v_share", 0.1, 2),
    Event(_ventricular_run, "v_share", 0.12, 5),
    Event(_bigeminy, "v_share", 0.12, 6),
    Event(_trigeminy, "v_share", 0.08, 5),
    Event(_fusion, "f_share", 1.0, 1),
    Event(_paced_episode, "paced_share", 1.0, 24.5),
    Event(_fibrillation_episode, "af_share", 1.0, 40),
)
IN_FIBRILLATION = (Event(_ventricular_in_fibrillation, "v_share", 1.0, 1),)
IN_PACING = (Event(_ventricular_in_pacing, "v_share", 1.0, 1),)


def beats(settings: Simulation, patient: Patient, rng: np.random.Generator) -> Iterator[Beat]:
    """Endless sequence of beats in ascending time; the first lie before time 0.

    Parameters
    ----------
    settings : Simulation
    patient : Patient
    rng : Generator
        The random stream of the rhythm.

    Yields
    ------
    Beat
    """
    heart = Heart(settings, patient, rng)
    patterns: dict[str, Callable[[], Iterator[Beat]]] = {
        SINUS: lambda: _interrupted(heart, _sinus, SINGLE, settings.shares),
        MIXED: lambda: _interrupted(heart, _sinus, MANIFOLD, settings.shares),
        FIBRILLATION: lambda: _interrupted(heart, _fibrillation, IN_FIBRILLATION, settings.shares),
        PACED: lambda: _interrupted(heart, _paced, IN_PACING, settings.shares),
        BIGEMINY: lambda: _repeated(heart, _bigeminy),
        TRIGEMINY: lambda: _repeated(heart, _trigeminy),
        VENTRICULAR_RUN: lambda: _between_sinus(heart, lambda h: _ventricular_run(h, most=12)),
        SUPRAVENTRICULAR_RUN: lambda: _between_sinus(
            heart, lambda h: _supraventricular_run(h, most=16)
        ),
    }
    return patterns[settings.rhythm]()


def _repeated(heart: Heart, play: Callable[[Heart], Iterator[Beat]]) -> Iterator[Beat]:
    for _ in count():
        yield from play(heart)


def _between_sinus(heart: Heart, play: Callable[[Heart], Iterator[Beat]]) -> Iterator[Beat]:
    for _ in count():
        for _ in range(heart.rng.integers(6, 20)):
            yield _sinus(heart)
        yield from play(heart)


def _interrupted(
    heart: Heart,
    basic: Callable[[Heart], Beat],
    events: Sequence[Event],
    shares: dict[str, float],
) -> Iterator[Beat]:
    """Interrupt a basic rhythm by events as often as the shares ask for.

    Each basic beat adds to the credit of each kind of event, which happens when its credit
    exceeds a random threshold. The thresholds vary less than those of a Poisson process would, so
    that recordings of a few minutes come close to the shares, too.
    """
    basic_share = 1.0 - sum(shares[name] for name in {event.share for event in events})
    gain = np.array([shares[e.share] * e.fraction / e.mean_beats for e in events]) / basic_share
    credit = heart.rng.random(len(events))
    threshold = heart.rng.uniform(0.3, 1.7, len(events))
    first = basic(heart)
    yield first
    while True:
        due = np.flatnonzero((credit >= threshold) & (gain > 0))
        if due.size:
            chosen = int(heart.rng.choice(due))
            credit[chosen] -= threshold[chosen]
            threshold[chosen] = heart.rng.uniform(0.3, 1.7)
            played = events[chosen].play(heart)
        else:
            played = iter((basic(heart),))
        for beat in played:
            same_atria = (beat.episode == FIBRILLATION) == (first.episode == FIBRILLATION)
            if beat.shape is first.shape and same_atria:
                credit += gain
            yield beat
