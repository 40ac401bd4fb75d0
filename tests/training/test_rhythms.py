"""Made-up rhythms: which classes they have, and when beats of each class come."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.training import rhythms
from ectopy.training.rhythms import EPISODES, SHORTEST_S, N, Q, S, V, make_pool, make_rhythm

KINDS = {play.__name__: play for play, _ in EPISODES}
SEEDS = range(12)


def feature(pool: rhythms.RhythmPool, name: str) -> np.ndarray:
    return pool.features[:, list(RHYTHM_FEATURES).index(name)]


@pytest.fixture(scope="module")
def pool() -> rhythms.RhythmPool:
    return make_pool(60, 5)


def test_a_patient():
    for seed in SEEDS:
        rhythm = make_rhythm(np.random.default_rng(seed), 700)
        assert [len(part) for part in rhythm] == [700] * 3
        assert set(np.unique(rhythm.classes)) <= {N, S, V, Q}
        assert np.isfinite(rhythm.intervals_s).all()
        assert rhythm.intervals_s.min() >= SHORTEST_S
        assert rhythm.intervals_s.max() < 8
        assert set(rhythm.classes[rhythm.fibrillation]) <= {N, V}


def test_the_seed_decides_everything():
    one, other, third = (make_rhythm(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one.intervals_s, third.intervals_s)
    one, other, third = make_pool(3, 7), make_pool(3, 7), make_pool(3, 8)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one.features, third.features)


def test_more_patients_are_further_ones():
    few, many = make_pool(2, 7), make_pool(3, 7)
    assert np.array_equal(many.features[: len(few.features)], few.features)


def test_a_pool(pool):
    n = 60 * 1500
    assert pool.features.shape == (n, len(RHYTHM_FEATURES))
    assert pool.features.dtype == np.float32
    assert pool.classes.shape == pool.fibrillation.shape == (n,)
    assert np.array_equal(pool.patient, np.repeat(np.arange(60), 1500))
    assert np.isfinite(pool.features).all()
    shares = np.bincount(pool.classes, minlength=5) / n
    assert shares[3] == 0
    assert 0.6 < shares[N] < 0.9
    assert 0.05 < shares[S] < 0.35
    assert 0.01 < shares[V] < 0.12
    assert 0.01 < shares[Q] < 0.06
    assert 0.02 < pool.fibrillation.mean() < 0.3


def test_a_few_patients_have_all_classes_with_the_seed_of_training():
    from ectopy.training.rhythm_job import POOL_SEED

    assert set(make_pool(8, POOL_SEED).classes) == {N, S, V, Q}


def test_ectopic_beats_come_early_and_normal_ones_do_not(pool):
    calm = ~pool.fibrillation
    early = feature(pool, "before_to_overall")
    assert np.median(early[(pool.classes == S)]) < -0.2
    assert np.median(early[(pool.classes == V) & calm]) < -0.2
    assert abs(np.median(early[(pool.classes == N) & calm])) < 0.1
    assert abs(np.median(early[pool.classes == Q])) < 0.1


def test_fibrillation_is_irregular(pool):
    irregular = feature(pool, "irregularity")
    assert np.median(irregular[pool.fibrillation]) > 0.1
    assert np.median(irregular[~pool.fibrillation]) < 0.06


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_episode(kind, seed):
    for n in (40, 300):
        classes, rr = KINDS[kind](n, np.random.default_rng(seed), 0.8)
        assert classes.shape == rr.shape == (n,)
        assert classes.dtype == np.int64
        assert np.isfinite(rr).all()
        assert (rr > 0).all()
        own = {
            "_isolated_s": {N, S}, "_runs_of_s": {N, S}, "_sick_sinus": {N, S},
            "_s_bigeminy": {N, S}, "_fibrillation": {N, V}, "_ventricular": {N, V},
            "_mixed": {N, S, V}, "_blocks": {N}, "_arrhythmia": {N},
            "_paced": {N, Q},
        }  # fmt: skip
        assert set(classes) <= own[kind]


def play(kind: str, n: int = 600, base_s: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Many episodes of one kind, one after the other."""
    parts = [KINDS[kind](n, np.random.default_rng(seed), base_s) for seed in SEEDS]
    return np.stack([c for c, _ in parts]), np.stack([rr for _, rr in parts])


def test_a_sick_sinus_is_mostly_s_and_its_normal_beats_come_late():
    classes, rr = play("_sick_sinus")
    assert np.median((classes == S).mean(axis=1)) > 0.6
    for one, intervals in zip(classes, rr, strict=True):
        assert intervals[one == N].min() > np.percentile(intervals[one == S], 90)


def test_bigeminy_has_a_period():
    classes, rr = play("_s_bigeminy")
    for one, intervals in zip(classes, rr, strict=True):
        places = np.flatnonzero(one == S)
        assert len(set(np.diff(places))) == 1
        assert np.diff(places)[0] in (2, 3, 4)
        assert np.median(intervals[one == S]) < 0.93 * np.median(intervals[one == N])


def test_premature_beats_are_premature():
    classes, rr = play("_isolated_s")
    ratios = np.concatenate(
        [
            intervals[one == S] / np.median(intervals)
            for one, intervals in zip(classes, rr, strict=True)
        ]
    )
    assert np.percentile(ratios, 95) < 1
    classes, rr = play("_ventricular")
    assert (classes == V).any()
    assert np.median(rr[classes == V]) < 0.85 * np.median(rr[classes == N])


def test_runs_are_runs():
    classes, _ = play("_runs_of_s", n=2000)
    changes = np.diff(np.pad(classes == S, ((0, 0), (1, 1))).astype(int), axis=1)
    lengths = np.flatnonzero(changes.ravel() == -1) - np.flatnonzero(changes.ravel() == 1)
    assert lengths.min() >= 1
    assert np.median(lengths) > 5
    assert lengths.max() > 80


def test_paced_rhythm_is_regular_and_begins_paced():
    classes, rr = play("_paced")
    assert (classes[:, :2] == Q).all()
    for one, intervals in zip(classes, rr, strict=True):
        assert np.log(intervals[one == Q]).std() < 0.015
        assert 0.75 * 0.8 * 0.95 < np.median(intervals[one == Q]) < 1.2 * 0.8 * 1.05


def test_about_half_are_paced_on_demand_with_faster_normal_beats_between():
    episodes = [KINDS["_paced"](600, np.random.default_rng(seed), 0.8) for seed in range(60)]
    on_demand = [(one, rr) for one, rr in episodes if (one == N).any()]
    assert all((one == Q).all() for one, _ in episodes if not (one == N).any())
    assert 0.3 < len(on_demand) / len(episodes) < 0.7
    shares = [(one == N).mean() for one, _ in on_demand]
    assert min(shares) < 0.3 < 0.7 < max(shares)
    for one, rr in on_demand:
        pacer_s = np.median(rr[one == Q])
        assert np.percentile(rr[one == N], 90) < 1.05 * pacer_s  # or it would have paced
        assert np.log(rr[one == N] / pacer_s).min() > np.log(0.7) - 0.15
        # Both kinds come in stretches, of which there are several.
        assert 2 <= np.count_nonzero(np.diff(one)) < 0.5 * len(one)


def test_flags_are_those_of_fibrillation(monkeypatch):
    monkeypatch.setattr(rhythms, "EPISODES", ((KINDS["_fibrillation"], 1.0),))
    # With a single kind, only stretches of plain sinus rhythm lie in between.
    rhythm = make_rhythm(np.random.default_rng(2), 3000)
    assert 0.3 < rhythm.fibrillation.mean() < 1
    change = np.abs(np.diff(np.log(rhythm.intervals_s), prepend=0))
    flags = rhythm.fibrillation
    assert np.median(change[flags]) > 3 * np.median(change[~flags])
    monkeypatch.setattr(rhythms, "EPISODES", ((KINDS["_arrhythmia"], 1.0),))
    assert not make_rhythm(np.random.default_rng(2), 1000).fibrillation.any()
