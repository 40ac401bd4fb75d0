"""Made-up rhythms dressed with real beats: what rhythm models train on beside real records.

A made-up beat takes its timing from a made-up patient and its shape from a real training record. A
supraventricular beat is mostly a normal beat with another P wave; a ventricular one is a record's
own, or another's fitted to its size; a fusion beat is between the two; a paced beat comes from the
paced records, also into the rhythm of patients who are paced on demand; in fibrillation P waves are
taken off; a normal beat now and then gets another record's QRS complex and T wave, as when a bundle
branch is blocked for a beat or for minutes. The T wave of the beat before comes along where the
beat comes early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.beats import CLASSES
from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.signal.typical import QRS
from ectopy.training.augment import FS
from ectopy.training.rhythm_beats import PEAK, WIDTH
from ectopy.training.waves import height, moved, t_wave_before

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from ectopy.training.rhythm_beats import RhythmBeats
    from ectopy.training.rhythm_recipe import DressSettings
    from ectopy.training.rhythms import RhythmPool

N, S, V, F, Q = range(len(CLASSES))
_NAMES = tuple(RHYTHM_FEATURES)
OVERALL, MEDIAN, LENGTH = (
    _NAMES.index(name) for name in ("before_to_overall", "before_to_median", "stretch_length")
)
LONG_RUN = 1.6
"""`stretch_length` from which a run is the local typical beat: some 25 beats."""

LASTING_BLOCK = 0.4
"""Share of beats conducted otherwise whose local typical beat is so as well."""

EARLY, FAR = -0.15, -0.4
F_WAVE_HZ, F_WAVE_HEIGHT = (4.0, 8.0), (0.005, 0.25)
"""Heights as shares of the typical beat's: fine, and coarse as in the borderland of flutter."""

STEADY_IN_FIBRILLATION = (0.15, 0.65)


class Dressed(NamedTuple):
    """Beats to train on: windows in mV with a margin, features, classes.

    `beat`, `overall` and `local` have shape (beats, 320), `rhythm` (beats, 23), `classes` (beats,).
    """

    beat: NDArray[np.float32]
    overall: NDArray[np.float32]
    local: NDArray[np.float32]
    rhythm: NDArray[np.float32]
    classes: NDArray[np.int64]


class Dresser:
    """Make beats up.

    Parameters
    ----------
    beats : RhythmBeats
    rows : ndarray of int64
        Beats that shapes may be taken of: those of the training part.
    pool : RhythmPool
    settings : DressSettings

    Attributes
    ----------
    makes : list of int
        N, S, V and Q as far as there are beats of them in `pool`; Q only where there are paced
        records to take shapes of.
    shares : ndarray of float64, shape (5,)
        How often each class is drawn; all 0 where nothing that `settings` ask for can be made.
    """

    def __init__(
        self,
        beats: RhythmBeats,
        rows: NDArray[np.int64],
        pool: RhythmPool,
        settings: DressSettings,
    ) -> None:
        self.beats, self.pool, self.settings = beats, pool, settings
        self.records = np.unique(beats.inputs.piece[rows])
        self.by_class = {c: beats.by_record(CLASSES[c], rows) for c in (N, S, V)}
        self.by_class[Q] = beats.by_record(CLASSES[Q], rows, paced=True)
        self._timing = {c: np.flatnonzero(pool.classes == c) for c in (N, S, V, Q)}
        self.makes = [c for c, t in self._timing.items() if len(t) and (c != Q or self.by_class[Q])]
        made = [(N if c == F else c) in self.makes for c in range(len(CLASSES))]
        shares = np.where(made, settings.shares, 0.0)
        self.shares = shares / shares.sum() if shares.any() else shares
        self.normal_of = {int(beats.inputs.piece[g[0]]): g for g in self.by_class[N]}
        features = pool.features[self._timing[N]]
        # Normal beats that a hasty reader would take for early ones come more often.
        weight = 1.0 + 3.0 * pool.fibrillation[self._timing[N]]
        weight += 4.0 * (features[:, MEDIAN] < EARLY) + 4.0 * (features[:, OVERALL] < FAR)
        self._normal = np.cumsum(weight / weight.sum())

    def draw(self, n: int, rng: Generator) -> Dressed:
        """Make `n` beats up."""
        kind = rng.choice(len(CLASSES), size=n, p=self.shares)
        timing_class = np.where(kind == F, N, kind)
        timing = np.empty(n, np.int64)
        for c in self.makes:
            mine = np.flatnonzero(timing_class == c)
            timing[mine] = self._timing[c][self._pick_timing(c, len(mine), rng)]
        return self.dress(kind, timing, rng)

    def dress(self, kind: NDArray[np.int64], timing: NDArray[np.int64], rng: Generator) -> Dressed:
        """Give beats of the pool a shape.

        Parameters
        ----------
        kind : ndarray of int64, shape (beats,)
            Class of each: N, S, V, F with the timing of an N, or, where `makes` has it, Q.
        timing : ndarray of int64, shape (beats,)
            Row of each in the pool.
        rng : numpy.random.Generator
        """
        source = self._sources(np.where(kind == F, N, kind), rng)
        inputs, n = self.beats.inputs, len(kind)
        record = inputs.piece[source]
        beat, overall = inputs.windows[source].copy(), inputs.overall[record].copy()
        local, steady = inputs.local[inputs.block[source]].copy(), inputs.rhythm[source, -1].copy()
        features, atria = self.pool.features[timing], self.pool.fibrillation[timing]
        on_demand = (kind == Q) & (rng.random(n) < self.settings.on_demand)
        if on_demand.any():
            record = self._paced_on_demand(
                np.flatnonzero(on_demand), features, record, (beat, overall, local, steady), rng
            )
        beat, local, taken, size = self._conducted_otherwise(beat, local, kind, source, rng)
        fusion = kind == F
        beat = self._ventricular(beat, kind, record, rng)
        own = self.beats.p_waves[record]
        # Another P wave; in a long run, the run's is the local typical one.
        made = (kind == S) & (self.beats.classes[source] == N)
        changed = (made & (rng.random(n) < self.settings.other_p))[:, None]
        other = self._other_p(own, rng) - own
        beat += np.where(changed, other, 0)
        long_run = changed & ((features[:, LENGTH] > LONG_RUN) & (rng.random(n) < 0.8))[:, None]
        local += np.where(long_run, other, 0)
        # Fibrillation: no P waves, but the recording may have had them at other times.
        none = atria[:, None]
        beat += np.where(
            none, self._f_waves(overall, rng) - np.where(kind == V, 0, 1)[:, None] * own, 0
        )
        overall -= np.where(none & (rng.random((n, 1)) < 0.5), own, 0)
        local -= np.where(none, own, 0)
        steady = np.where(atria, rng.uniform(*STEADY_IN_FIBRILLATION, n), steady)
        kept = (fusion | (kind == Q))[:, None]
        beat += np.where(kept, 0, self._t_before(features, record, taken, size, rng))
        # Another shape of the QRS complex that lasts, as after a change of posture or conduction.
        lasting = ((kind == N) | (kind == S)) & (rng.random(n) < self.settings.lasting_change)
        strange = inputs.overall[self._any_record(n, rng)]
        fitted = strange / (height(strange) + 1e-3) * height(overall)
        overall = np.where(lasting[:, None], fitted, overall)
        return Dressed(
            beat.astype(np.float32),
            overall.astype(np.float32),
            local.astype(np.float32),
            np.concatenate([features, steady[:, None]], axis=1).astype(np.float32),
            kind.astype(np.int64),
        )

    def _pick_timing(self, kind: int, n: int, rng: Generator) -> NDArray[np.int64]:
        if kind == N:
            found = np.searchsorted(self._normal, rng.random(n))
            return np.asarray(found.clip(0, len(self._normal) - 1))
        return rng.integers(len(self._timing[kind]), size=n)

    def _sources(self, classes: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
        """Rows that the shapes are taken of: a record at random, then one of its beats."""
        taken = classes.copy()
        taken[(classes == S) & (rng.random(len(classes)) >= self.settings.real_s)] = N
        if not self.by_class[S]:
            taken[taken == S] = N
        out = np.empty(len(classes), np.int64)
        for c in (N, S, V, Q):
            mine = np.flatnonzero(taken == c)
            out[mine] = _one_of_each(self.by_class[c] or self.by_class[N], len(mine), rng)
        return out

    def _paced_on_demand(
        self,
        rows: NDArray[np.int64],
        features: NDArray[np.float32],
        record: NDArray[np.int64],
        parts: tuple[NDArray[np.float32], ...],
        rng: Generator,
    ) -> NDArray[np.int64]:
        """Put some paced beats into patients who are not paced, in place; return the records."""
        beat, overall, local, steady = parts
        inputs, n = self.beats.inputs, len(rows)
        host = _one_of_each(self.by_class[N], n, rng)
        hosts = inputs.piece[host]
        size = _qrs_height(overall[rows]) / _qrs_height(inputs.overall[hosts])
        size /= rng.uniform(0.7, 1.6, (n, 1)).astype(np.float32)
        paced = overall[rows] / size
        beat[rows] /= size
        overall[rows] = inputs.overall[hosts]
        lasting = (features[rows, LENGTH] > LONG_RUN) & (rng.random(n) < 0.8)
        local[rows] = np.where(lasting[:, None], paced, inputs.local[inputs.block[host]])
        steady[rows] = np.where(
            lasting, rng.uniform(*STEADY_IN_FIBRILLATION, n), rng.uniform(0.3, 1.8, n)
        )
        record = record.copy()
        record[rows] = hosts
        return record

    def _conducted_otherwise(
        self,
        beat: NDArray[np.float32],
        local: NDArray[np.float32],
        kind: NDArray[np.int64],
        source: NDArray[np.int64],
        rng: Generator,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Give some N beats the QRS complex and T wave of another record's normal beats.

        The P wave stays. Where the block lasts, the local typical beat is the other one as well.
        The other record may be the same one, of another size.

        Returns
        -------
        beat, local : ndarray of float32, shape (beats, 320)
        taken : ndarray of int64, shape (beats,)
            Row that each beat is taken of: `source`, or the other record's.
        size : ndarray of float32, shape (beats, 1)
            By what it was multiplied.
        """
        n, inputs = len(kind), self.beats.inputs
        record = inputs.piece[source]
        changed = (kind == N) & (rng.random(n) < self.settings.other_conduction)
        if not changed.any() or not self.by_class[N]:
            return beat, local, source, np.ones((n, 1), np.float32)
        foreign = _one_of_each(self.by_class[N], n, rng)
        theirs, p_waves = inputs.piece[foreign], self.beats.p_waves
        size = height(inputs.overall[record]) / (height(inputs.overall[theirs]) + 1e-3)
        size = size * rng.uniform(0.6, 1.4, (n, 1))
        mine = p_waves[record] - size * p_waves[theirs]
        blocked = size * inputs.windows[foreign] + mine
        typical = size * inputs.overall[theirs] + mine
        lasts = changed & (rng.random(n) < LASTING_BLOCK)
        return (
            np.where(changed[:, None], blocked, beat).astype(np.float32),
            np.where(lasts[:, None], typical, local).astype(np.float32),
            np.where(changed, foreign, source),
            np.where(changed[:, None], size, 1).astype(np.float32),
        )

    def _ventricular(
        self,
        beat: NDArray[np.float32],
        kind: NDArray[np.int64],
        record: NDArray[np.int64],
        rng: Generator,
    ) -> NDArray[np.float32]:
        """Fit other records' ventricular beats to this one, or fuse them with its normal beats."""
        n, inputs = len(kind), self.beats.inputs
        crossed = (kind == F) | ((kind == V) & (rng.random(n) < self.settings.crossed_v))
        if not crossed.any() or not self.by_class[V]:
            return beat
        foreign = _one_of_each(self.by_class[V], n, rng)
        size = _qrs_height(inputs.overall[inputs.piece[foreign]])
        shape = inputs.windows[foreign] / size * _qrs_height(inputs.overall[record])
        rows = [self.normal_of.get(int(r)) for r in record]
        places = rng.random(n)
        normal = np.array(
            [0 if g is None else g[int(u * len(g))] for g, u in zip(rows, places, strict=True)]
        )
        crossed &= np.array([g is not None for g in rows])
        part = np.where(kind == F, rng.uniform(0.3, 0.7, n), rng.uniform(0.75, 1, n))[:, None]
        mixed = part * shape + (1 - part) * inputs.windows[normal]
        return np.where(crossed[:, None], mixed, beat).astype(np.float32)

    def _other_p(self, own: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
        """Another P wave: none, upside down, of another size, or another record's; elsewhere."""
        n, which = len(own), rng.random(len(own))
        size = np.where(which < 0.3, 0, np.where(which < 0.55, -1.2, 1.4)) * rng.random(n)
        foreign = self.beats.p_waves[self._any_record(n, rng)]
        fitted = foreign / (height(foreign) + 1e-3) * (height(own) + 1e-3)
        shape = np.where(rng.random((n, 1)) < 0.35, fitted, own)
        return moved((shape * size[:, None]).astype(np.float32), rng.integers(-25, 25, n))

    def _any_record(self, n: int, rng: Generator) -> NDArray[np.int64]:
        """Draw records of the training part, of whichever beats they have."""
        return self.records[rng.integers(len(self.records), size=n)]

    def _f_waves(self, overall: NDArray[np.float32], rng: Generator) -> NDArray[np.float64]:
        """Waves of the fibrillating atria, also of a sawtooth's kind: two sines."""
        n = len(overall)
        turns = rng.uniform(*F_WAVE_HZ, (n, 1)) * np.arange(WIDTH) / FS
        wave = np.sin(2 * np.pi * (turns + rng.random((n, 1))))
        second = np.sin(2 * np.pi * (2 * turns + rng.random((n, 1))))
        wave = (wave + rng.uniform(0, 0.5, (n, 1)) * second) / 2
        low, high = np.log(F_WAVE_HEIGHT)
        size = np.exp(rng.uniform(low, high, (n, 1)))
        return np.asarray(wave * size * height(overall))

    def _t_before(
        self,
        features: NDArray[np.float32],
        record: NDArray[np.int64],
        taken: NDArray[np.int64],
        size: NDArray[np.float32],
        rng: Generator,
    ) -> NDArray[np.float64]:
        """T wave of the beat before where it now falls, less where it fell in the beat taken."""
        beats = self.beats
        theirs = beats.inputs.piece[taken]
        now, then = (
            t_wave_before(
                beats.t_waves[of],
                (beats.usual_s[of] * np.exp(f[:, OVERALL])).clip(0.25, 2.0),
                PEAK,
                WIDTH,
                FS,
            )
            for of, f in ((record, features), (theirs, beats.inputs.rhythm[taken]))
        )
        earlier = features[:, OVERALL] < beats.inputs.rhythm[taken, OVERALL]
        wanted = ((beats.classes[taken] == N) | earlier)[:, None]
        change = (now - size * then) * rng.uniform(0.7, 1.2, (len(taken), 1))
        return np.asarray(np.where(wanted, change, 0))


def _one_of_each(groups: list[NDArray[np.int64]], n: int, rng: Generator) -> NDArray[np.int64]:
    """Draw `n` rows: a group at random, then one of its rows."""
    which, place = rng.integers(len(groups), size=n), rng.random(n)
    sizes = np.array([len(g) for g in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.asarray(
        np.concatenate(groups)[starts[which] + (place * sizes[which]).astype(np.int64)]
    )


def _qrs_height(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    return height(windows[:, PEAK + QRS.start : PEAK + QRS.stop]) + np.float32(0.02)
