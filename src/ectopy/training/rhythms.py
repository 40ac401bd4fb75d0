"""Rhythms made up for training: class and RR interval of each beat of a patient.

The 22 patients of DS1 hold few kinds of rhythm, and hardly any where ectopic beats outnumber normal
ones. What is drawn here is wide on purpose: prematurity, coupling, density, length of runs, pauses
and irregularity come from ranges that include what clinical texts call rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.beats import CLASSES
from ectopy.signal.rhythm import rhythm_features

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

N, S, V, Q = (CLASSES.index(name) for name in "NSVQ")
SHORTEST_S = 0.2

Episode = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


class Rhythm(NamedTuple):
    """Beats of one made-up patient.

    `classes` is N, S, V or Q, `intervals_s` the RR interval before each beat, `fibrillation`
    whether the atria fibrillate; each of shape (beats,).
    """

    classes: NDArray[np.int64]
    intervals_s: NDArray[np.float64]
    fibrillation: NDArray[np.bool_]


class RhythmPool(NamedTuple):
    """Beats of many made-up patients with their features, shape (beats, 22), and the patient."""

    classes: NDArray[np.int64]
    features: NDArray[np.float32]
    fibrillation: NDArray[np.bool_]
    patient: NDArray[np.int64]


def make_pool(n_patients: int, seed: int) -> RhythmPool:
    """Draw patients and compute their rhythm features.

    Parameters
    ----------
    n_patients : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    rhythms = [make_rhythm(rng) for _ in range(n_patients)]
    return RhythmPool(
        np.concatenate([r.classes for r in rhythms]),
        np.concatenate([rhythm_features(np.cumsum(r.intervals_s)) for r in rhythms]),
        np.concatenate([r.fibrillation for r in rhythms]),
        np.repeat(np.arange(n_patients), [len(r.classes) for r in rhythms]),
    )


def make_rhythm(rng: Generator, n_beats: int = 1500) -> Rhythm:
    """Draw one patient: some kinds of episode, and how they follow one another.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_beats : int
    """
    base_s = 60 / rng.uniform(45, 115)
    weights = rng.dirichlet(5 * np.array([weight for _, weight in EPISODES]))
    parts, fibrillation, n = [], [], 0
    while n < n_beats:
        length = int(_log_uniform(rng, 40, 800))
        if rng.random() < 0.25:
            episode, play = (np.zeros(length, np.int64), sinus(length, rng, base_s)), None
        else:
            play = EPISODES[int(rng.choice(len(EPISODES), p=weights))][0]
            episode = play(length, rng, base_s)
        parts.append(episode)
        fibrillation.append(np.full(length, play is _fibrillation))
        n += length
    return Rhythm(
        np.concatenate([classes for classes, _ in parts])[:n_beats],
        np.maximum(SHORTEST_S, np.concatenate([rr for _, rr in parts])[:n_beats]),
        np.concatenate(fibrillation)[:n_beats],
    )


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def sinus(n: int, rng: Generator, base_s: float) -> NDArray[np.float64]:
    """Intervals of sinus rhythm: breathing, drift, now and then a change of rate."""
    beat = np.arange(n)
    depth = rng.uniform(0, 0.03) if rng.random() < 0.7 else rng.uniform(0.03, 0.16)
    time_s = np.cumsum(base_s * np.exp(0.2 * rng.standard_normal(n)))
    swing = depth * np.sin(2 * np.pi * time_s / rng.uniform(2.5, 7) + rng.uniform(0, 2 * np.pi))
    drift = np.cumsum(rng.normal(0, rng.uniform(0.001, 0.008), n))
    drift -= np.linspace(0, drift[-1], n) * rng.uniform(0, 1)
    drift = drift.clip(-0.3, 0.3)
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 4)):
            slope = ((beat - rng.integers(0, n)) / rng.uniform(3, 60)).clip(-30, 30)
            drift += rng.uniform(-0.25, 0.25) / (1 + np.exp(-slope))
    scatter = rng.normal(0, rng.uniform(0.004, 0.03), n)
    return np.asarray(base_s * np.exp(swing + drift + scatter))


def _isolated_s(n: int, rng: Generator, base_s: float) -> Episode:
    """Premature supraventricular beats, alone or a few together, that reset the sinus node."""
    normal = sinus(n, rng, base_s)
    classes, rr = np.zeros(n, np.int64), normal.copy()
    density = _log_uniform(rng, 0.003, 0.35)
    coupling, scatter, after = (
        rng.uniform(0.45, 0.9),
        rng.uniform(0.01, 0.07),
        rng.uniform(0.9, 1.3),
    )
    i = 1
    while i < n - 1:
        if rng.random() < density:
            length = 1 if rng.random() < 0.75 else int(rng.integers(2, 7))
            for j in range(i, min(i + length, n - 1)):
                rr[j] = max(0.25, normal[i] * np.clip(rng.normal(coupling, scatter), 0.33, 0.93))
                classes[j] = S
            i += length
            if i < n:
                reset = normal[i] * after * rng.normal(1, 0.03)
                full = max(0.9 * normal[i], 2 * normal[i] - rr[i - 1])
                rr[i] = reset if rng.random() < 0.8 else full
        i += 1
    return classes, rr


def _runs_of_s(n: int, rng: Generator, base_s: float) -> Episode:
    """Supraventricular tachycardia: runs of two to 250 beats that warm up or slow down."""
    rr, classes = sinus(n, rng, base_s), np.zeros(n, np.int64)
    rate, scatter = rng.uniform(0.35, 0.85), rng.uniform(0.005, 0.07)
    i = int(rng.integers(1, 20))
    while i < n - 1:
        stop = min(i + int(_log_uniform(rng, 2, 250)), n - 1)
        length = stop - i
        warm = rng.uniform(-0.15, 0.25) * np.exp(-np.arange(length) / rng.uniform(1, 6))
        level = base_s * min(rate * rng.normal(1, 0.06), 0.9)
        rr[i:stop] = np.maximum(0.26, level * np.exp(warm + rng.normal(0, scatter, length)))
        classes[i:stop] = S
        rr[stop] *= rng.uniform(0.95, 1.7)
        i = stop + int(_log_uniform(rng, 1, 150))
    return classes, rr


def _sick_sinus(n: int, rng: Generator, base_s: float) -> Episode:
    """Give normal beats only after pauses, an ectopic atrial rhythm in between: mostly S."""
    del base_s  # the sinus node hardly comes to work
    classes, rr = np.zeros(n, np.int64), np.zeros(n)
    ectopic_s = rng.uniform(0.5, 0.9)
    shortest = ectopic_s * rng.uniform(1.3, 1.7)
    longest = shortest * rng.uniform(1.2, 2.4)
    mean_run = rng.uniform(1.2, 12)
    i = 0
    while i < n:
        rr[i] = rng.uniform(shortest, longest)
        i += 1
        if rng.random() < 0.15:
            while i < n and rng.random() < 0.6:
                rr[i] = rng.uniform(shortest, longest)
                i += 1
        stop = min(i + 1 + int(rng.geometric(1 / mean_run)), n)
        rr[i:stop] = ectopic_s * np.exp(rng.normal(0, 0.03, stop - i))
        classes[i:stop] = S
        i = stop
    return classes, rr


def _fibrillation(n: int, rng: Generator, base_s: float) -> Episode:
    """Atrial fibrillation from nearly regular to wild; all conducted beats are N."""
    mean_s, variation = base_s * rng.uniform(0.55, 1.15), rng.uniform(0.08, 0.42)
    shape = (0.65 / variation) ** 2
    rr = np.maximum(0.27, mean_s * (0.35 + 0.65 * rng.gamma(shape, 1 / shape, n)))
    classes = np.zeros(n, np.int64)
    if rng.random() < 0.6:
        _add_v(classes, rr, rng, _log_uniform(rng, 0.005, 0.3), mean_s)
    return classes, rr


def _ventricular(n: int, rng: Generator, base_s: float) -> Episode:
    """Sinus rhythm with premature ventricular beats, up to bigeminy and runs."""
    rr, classes = sinus(n, rng, base_s), np.zeros(n, np.int64)
    _add_v(classes, rr, rng, _log_uniform(rng, 0.003, 0.6))
    return classes, rr


def _s_bigeminy(n: int, rng: Generator, base_s: float) -> Episode:
    """Every second, third or fourth beat is premature and supraventricular."""
    rr, classes = sinus(n, rng, base_s), np.zeros(n, np.int64)
    period = int(rng.integers(2, 5))
    early = np.arange(period - 1, n, period)
    rr[early] *= rng.uniform(0.45, 0.88) * np.exp(rng.normal(0, 0.03, len(early)))
    classes[early] = S
    after = early[early + 1 < n] + 1
    rr[after] *= rng.uniform(0.95, 1.4)
    return classes, rr


def _blocks(n: int, rng: Generator, base_s: float) -> Episode:
    """Drop beats at random, or in Wenckebach's periods; all beats are N."""
    rr = sinus(n, rng, base_s)
    if rng.random() < 0.5:
        dropped = rng.random(n) < _log_uniform(rng, 0.01, 0.4)
        rr[dropped] *= rng.uniform(1.4, 2.1)
    else:
        phase = np.arange(n) % int(rng.integers(3, 7))
        rr *= 1 - 0.06 * np.maximum(phase - 1, 0) * rng.uniform(0.3, 1)
        rr[phase == 0] *= rng.uniform(1.4, 1.9)
    return np.zeros(n, np.int64), rr


def _mixed(n: int, rng: Generator, base_s: float) -> Episode:
    """Premature beats of both kinds."""
    rr, classes = sinus(n, rng, base_s), np.zeros(n, np.int64)
    early = np.flatnonzero(rng.random(n) < _log_uniform(rng, 0.005, 0.2))
    early = early[(early > 0) & (early < n - 2)]
    early = early[np.diff(early, prepend=-5) > 1]
    coupling = rng.normal(rng.uniform(0.5, 0.88), 0.04, len(early)).clip(0.35, 0.92)
    rr[early] *= coupling
    classes[early] = S
    rr[early + 1] *= rng.uniform(0.95, 1.3)
    _add_v(classes, rr, rng, _log_uniform(rng, 0.005, 0.2))
    return classes, rr


def _paced(n: int, rng: Generator, base_s: float) -> Episode:
    """Pacemaker rhythm, all but regular: throughout, or on demand with normal beats between."""
    scatter = _log_uniform(rng, 0.001, 0.012)
    rr = base_s * rng.uniform(0.75, 1.2) * np.exp(rng.normal(0, scatter, n))
    classes = np.full(n, Q, np.int64)
    if rng.random() < 0.5:
        i = 0
        while i < n:
            i += int(_log_uniform(rng, 2, 120))
            stop = min(i + int(_log_uniform(rng, 1, 120)), n)
            if i < stop:
                # Little faster only: whole runs that are much faster are S elsewhere.
                rr[i:stop] *= rng.uniform(0.9, 1.0) * np.exp(rng.normal(0, 0.02, stop - i))
                classes[i:stop] = N
            i = stop
    return classes, rr


def _arrhythmia(n: int, rng: Generator, base_s: float) -> Episode:
    """Strong sinus arrhythmia; all beats are N."""
    swing = rng.uniform(0.05, 0.2) * np.sin(np.arange(n) / rng.uniform(2, 15))
    return np.zeros(n, np.int64), np.asarray(sinus(n, rng, base_s) * np.exp(swing))


def _add_v(
    classes: NDArray[np.int64],
    rr: NDArray[np.float64],
    rng: Generator,
    density: float,
    fixed_s: float | None = None,
) -> None:
    """Put ventricular beats into a rhythm, in place.

    Parameters
    ----------
    classes, rr : ndarray, shape (beats,)
    rng : numpy.random.Generator
    density : float
        Chance of one at each normal beat.
    fixed_s : float, optional
        Interval that couplings are shares of; the beat's own unless given.
    """
    n = len(rr)
    coupling, free, in_runs = rng.uniform(0.45, 0.85), rng.random() < 0.3, rng.random() * 0.3
    i = 1
    while i < n - 1:
        if classes[i] == N and rng.random() < density:
            length = 1 if rng.random() >= in_runs else int(rng.integers(2, 12))
            own_s = rr[i]
            level = own_s if fixed_s is None else fixed_s
            share = rng.uniform(0.4, 1.0) if free else coupling
            stop = min(i + length, n - 1)
            for j in range(i, stop):
                rr[j] = max(0.22, level * np.clip(rng.normal(share, 0.05), 0.3, 1.05))
                classes[j] = V
            i = stop
            kind = rng.random()
            if kind < 0.75 and fixed_s is None:  # a full pause
                rr[i] = max(rr[i], level * (2 - share)) * rng.normal(1, 0.03)
            elif kind < 0.75:  # conduction back into the node delays the next beat
                rr[i] *= rng.uniform(1, 1.5)
            elif kind < 0.85:
                rr[i] *= rng.uniform(0.9, 1.3)
            elif length == 1:  # between two normal beats
                rr[i - 1] = own_s * 0.5 * rng.uniform(0.8, 1.2)
                rr[i] = max(0.3, own_s - rr[i - 1])
        i += 1


EPISODES: tuple[tuple[Callable[[int, Generator, float], Episode], float], ...] = (
    (_isolated_s, 0.2),
    (_runs_of_s, 0.15),
    (_sick_sinus, 0.12),
    (_fibrillation, 0.15),
    (_ventricular, 0.15),
    (_s_bigeminy, 0.05),
    (_blocks, 0.07),
    (_mixed, 0.1),
    (_arrhythmia, 0.05),
    (_paced, 0.06),
)
"""Kinds of episode and how often each is drawn, on average over patients."""
