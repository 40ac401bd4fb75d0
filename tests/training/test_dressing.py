"""Made-up beats: whose shapes they have, and that they are what their class says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rhythm_patients import INTERVAL_S, SHAPES, P, T, X, bump, patients

from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.training import dressing
from ectopy.training.dressing import Dressed, Dresser, F, N, Q, S, V
from ectopy.training.rhythm_beats import PEAK, RhythmBeats
from ectopy.training.rhythm_recipe import DressSettings
from ectopy.training.rhythms import RhythmPool, make_pool

NAMES = list(RHYTHM_FEATURES)
PLAIN = DressSettings(lasting_change=0.0, other_conduction=0.0)
P_REGION, QRS_REGION = slice(PEAK - 80, PEAK - 35), slice(PEAK - 20, PEAK + 20)


@pytest.fixture(scope="module")
def pool() -> RhythmPool:
    return make_pool(20, 1)


@pytest.fixture(scope="module")
def beats() -> RhythmBeats:
    """Two patients with N alone, one with V as well, one paced; nobody has a beat of class S."""
    records = {"101": "N" * 60, "103": "N" * 60, "106": "NNNV" * 15, "107": "Q" * 20 + "N" * 20}
    return patients(records, sizes={"103": 2.0, "106": 0.5})


def steady(n: int, kind: int, *, fibrillation: bool = False, early: float = 0.0) -> RhythmPool:
    """Beats of N with nothing in their rhythm, and of one class that come early by a logarithm."""
    classes = np.concatenate([np.full(n, c) for c in (N, S, V, Q)])
    features = np.zeros((4 * n, len(NAMES)), dtype=np.float32)
    features[classes == kind, NAMES.index("before_to_overall")] = early
    atria = np.full(4 * n, fibrillation)
    return RhythmPool(classes, features, atria, np.zeros(4 * n, np.int64))


def only(kind: int, **changes: float) -> DressSettings:
    shares = {f"{c}_share": float(k == kind) for k, c in enumerate("nsvfq")}
    return replace(PLAIN, **shares, **changes)


def draw(
    beats: RhythmBeats, pool: RhythmPool, settings: DressSettings, n: int = 200, seed: int = 0
) -> Dressed:
    dresser = Dresser(beats, np.arange(len(beats)), pool, settings)
    return dresser.draw(n, np.random.default_rng(seed))


def zero_mean(shape: np.ndarray) -> np.ndarray:
    return shape - shape[32:-32].mean()


def test_what_there_is(beats, pool):
    for n in (1, 7, 500):
        found = draw(beats, pool, DressSettings(), n)
        assert [part.shape for part in found] == [(n, 320)] * 3 + [(n, 23), (n,)]
        assert [part.dtype for part in found] == [np.float32] * 4 + [np.int64]
        assert all(np.isfinite(part).all() for part in found)


def test_classes_come_as_often_as_the_recipe_says(beats, pool):
    shares = {"n": 0.35, "s": 0.25, "v": 0.2, "f": 0.1, "q": 0.1}
    settings = replace(PLAIN, **{f"{c}_share": share for c, share in shares.items()})
    counts = np.bincount(draw(beats, pool, settings, 4000).classes, minlength=5) / 4000
    np.testing.assert_allclose(counts, list(shares.values()), atol=0.02)
    for kind in (N, S, V, F, Q):
        assert set(draw(beats, pool, only(kind)).classes) == {kind}
    half = replace(PLAIN, **{f"{c}_share": share / 2 for c, share in shares.items()})
    assert np.array_equal(draw(beats, pool, half).classes, draw(beats, pool, settings).classes)


def test_the_seeds_decide_everything(beats, pool):
    one, other, third = (draw(beats, pool, DressSettings(), seed=s) for s in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one.beat, third.beat)


def test_drawing_changes_no_beat(beats, pool):
    before = beats.inputs.windows.copy(), beats.inputs.overall.copy(), beats.inputs.local.copy()
    draw(beats, pool, DressSettings(lasting_change=0.5), 500)
    after = beats.inputs.windows, beats.inputs.overall, beats.inputs.local
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_normal_beat_with_nothing_in_its_rhythm_is_a_real_one(beats):
    found = draw(beats, steady(50, N), only(N))
    for size in (1.0, 2.0, 0.5):
        mine = np.isclose(found.beat.max(axis=1), size * zero_mean(SHAPES["N"]).max(), atol=1e-3)
        assert mine.sum() > 30
        shape = size * zero_mean(SHAPES["N"])
        np.testing.assert_allclose(found.beat[mine], np.tile(shape, (mine.sum(), 1)), atol=1e-5)
        np.testing.assert_allclose(found.overall[mine], found.beat[mine], atol=1e-5)
        np.testing.assert_allclose(found.local[mine], found.beat[mine], atol=1e-5)


def test_timing_is_of_the_class(beats, pool):
    found = draw(beats, pool, DressSettings(), 3000)
    early = found.rhythm[:, NAMES.index("before_to_overall")]
    assert np.median(early[found.classes == S]) < np.median(early[found.classes == N]) - 0.1
    rows = {row.tobytes(): c for row, c in zip(pool.features, pool.classes, strict=True)}
    for row, kind in zip(found.rhythm, found.classes, strict=True):
        assert rows[row[:-1].tobytes()] == (N if kind == F else kind)


def test_s_beats_are_made_of_patients_who_have_none(beats):
    """The QRS complex is a normal one's; P wave changed as often as the recipe says."""
    assert not (beats.classes == S).any()
    for share in (0.0, 0.5, 1.0):
        found = draw(beats, steady(50, S), only(S, other_p=share), 400)
        assert set(found.classes) == {S}
        qrs, usual = (part[:, QRS_REGION] for part in (found.beat, found.overall))
        assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(qrs, usual, strict=True)) > 0.98
        difference = np.abs(found.beat - found.overall)[:, P_REGION].max(axis=1)
        size = found.overall.max(axis=1)
        assert (difference > 0.01 * size).mean() == pytest.approx(share, abs=0.08)


def test_a_long_run_s_p_wave_is_the_local_one(beats):
    pool = steady(50, S)
    pool.features[:, NAMES.index("stretch_length")] = 1.9
    found = draw(beats, pool, only(S, other_p=1.0, real_s=0.0), 400)
    followed = np.abs(found.local - found.beat)[:, P_REGION].max(axis=1) < 1e-4
    assert 0.65 < followed.mean() < 0.95
    pool.features[:, NAMES.index("stretch_length")] = 1.0
    found = draw(beats, pool, only(S, other_p=1.0, real_s=0.0), 400)
    assert np.allclose(found.local, found.overall, atol=1e-5)


def test_a_patient_s_own_s_beats_are_used_where_there_are_any():
    own = patients({"101": "N" * 40, "106": "NNNS" * 15})
    found = draw(own, steady(50, S, early=-0.4), only(S, other_p=1.0, real_s=1.0))
    shape = zero_mean(SHAPES["S"])[PEAK - 20 : PEAK + 60]
    level = found.beat[:, PEAK - 20 : PEAK + 60]
    level = level - level.mean(axis=1, keepdims=True) + shape.mean()
    np.testing.assert_allclose(level, np.tile(shape, (len(level), 1)), atol=0.02)


def test_in_fibrillation_there_is_no_p_wave(beats, monkeypatch):
    monkeypatch.setattr(dressing, "F_WAVE_HEIGHT", (1e-9, 1e-9))
    found = draw(beats, steady(50, N, fibrillation=True), only(N), 400)
    for part in (found.beat, found.local):
        size = np.ptp(part, axis=1)
        assert (np.ptp(part[:, P_REGION], axis=1) < 0.02 * size).all()
    had = np.ptp(found.overall[:, P_REGION], axis=1) > 0.1 * np.ptp(found.overall, axis=1)
    assert 0.4 < had.mean() < 0.6  # at other times, perhaps
    low, high = dressing.STEADY_IN_FIBRILLATION
    assert (low <= found.rhythm[:, -1]).all()
    assert (found.rhythm[:, -1] <= high).all()
    calm = draw(beats, steady(50, N), only(N), 50)
    assert (calm.rhythm[:, -1] > 1).all()


def test_fibrillation_has_waves_of_its_own(beats):
    found = draw(beats, steady(50, N, fibrillation=True), only(N), 400)
    rest = found.beat[:, P_REGION]
    size = np.ptp(found.overall, axis=1)
    waves = np.ptp(rest, axis=1) / size
    low, high = dressing.F_WAVE_HEIGHT
    assert low < np.quantile(waves, 0.1) < 0.02  # fine fibrillation
    assert 0.2 < np.quantile(waves, 0.95) < 2 * high  # and coarse
    assert (np.diff(np.sign(np.diff(rest[waves > 0.1], axis=1)), axis=1) != 0).sum(axis=1).min() > 0


@pytest.mark.parametrize("early", [-0.3, -0.6, -0.9])
def test_the_t_wave_of_the_beat_before_comes_along(early):
    """Where it lands is known; there is a P wave or not, which is looked away from."""
    one = patients({"101": "N" * 60})
    found = draw(one, steady(50, S, early=early), only(S, other_p=0.0, real_s=0.0))
    interval = INTERVAL_S["N"] * np.exp(early)
    place = 95 - interval * 360
    added = found.beat - zero_mean(SHAPES["N"])
    peaks = X[added[:, : PEAK - 10].argmax(axis=1)]
    assert np.abs(peaks - place).max() <= 2
    heights = added[:, : PEAK - 10].max(axis=1) / T.max()
    assert heights.min() > 0.65
    assert heights.max() < 1.25
    # Where it lay in the beat that it was made of, it is gone; beyond, all is as it was.
    np.testing.assert_allclose(added[:, PEAK:], 0, atol=0.4 * T.max() if early < -0.8 else 0.02)


def test_ventricular_beats_fit_their_new_patient(beats):
    """106 alone has any: its own, or at others' sizes and on top of their normal beats."""
    own = draw(beats, steady(50, V), only(V, crossed_v=0.0))
    shape = 0.5 * zero_mean(SHAPES["V"])
    np.testing.assert_allclose(own.beat, np.tile(shape, (200, 1)), atol=1e-4)
    two = patients(
        {"103": "N" * 40 + "NNNV" * 10, "106": "NNNV" * 15}, sizes={"103": 2.0, "106": 0.5}
    )
    crossed = draw(two, steady(50, V), only(V, crossed_v=1.0), 400)
    typical = crossed.overall.max(axis=1)
    for size in (2.0, 0.5):
        mine = np.isclose(typical, size * zero_mean(SHAPES["N"]).max(), rtol=1e-3)
        assert mine.sum() > 100
        height = np.ptp(crossed.beat[mine][:, QRS_REGION], axis=1)
        assert (0.75 * size < height).all()
        assert (height < 1.7 * size).all()


def test_fusion_beats_are_between_the_two(beats):
    found = draw(beats, steady(50, N), only(F), 300)
    normal, ventricular = zero_mean(SHAPES["N"]), zero_mean(SHAPES["V"])
    for row, usual in zip(found.beat, found.overall, strict=True):
        size = usual.max() / normal.max()
        shape = np.stack([normal, ventricular], axis=1)[QRS_REGION] * size
        parts, *_ = np.linalg.lstsq(shape, row[QRS_REGION], rcond=None)
        np.testing.assert_allclose(shape @ parts, row[QRS_REGION], atol=0.02 * size)
        assert 0.25 < parts[0] < 0.75
        assert parts[1] > 0.15


def test_without_any_ventricular_beat_normal_ones_stand_in(pool):
    one = patients({"101": "N" * 40})
    found = draw(one, pool, DressSettings(), 300)
    assert {V, F} < set(found.classes)
    assert np.isfinite(found.beat).all()


def test_a_lasting_change_is_another_patient_s_shape_at_this_one_s_size():
    two = patients({"101": "N" * 40, "106": "V" * 40}, sizes={"106": 3.0})
    found = draw(two, steady(50, N), only(N, lasting_change=1.0), 300)
    likeness = [np.corrcoef(row, SHAPES["V"])[0, 1] for row in found.overall]
    assert 0.3 < (np.array(likeness) > 0.999).mean() < 0.7
    heights = np.ptp(found.overall, axis=1)
    np.testing.assert_allclose(heights, np.ptp(SHAPES["N"]), rtol=0.01)
    plain = draw(two, steady(50, N), only(N), 300)
    assert np.array_equal(plain.local, found.local)


def test_another_conduction_is_another_patient_s_qrs_and_t_behind_this_one_s_p_wave():
    two = patients({"101": "N" * 40, "106": "Q" * 40})  # 106: neither P nor T wave
    two = replace(two, classes=np.zeros_like(two.classes))
    found = draw(two, steady(50, N), only(N, other_conduction=0.6), 800)
    t_wave = np.ptp(found.beat[:, PEAK + 70 : PEAK + 120], axis=1)
    host = np.ptp(found.overall[:, PEAK + 70 : PEAK + 120], axis=1) > 0.2
    changed = host & (t_wave < 0.05)
    assert 0.22 < changed.sum() / host.sum() < 0.38  # half of 60 %: the others kept their own
    p_wave = np.ptp(found.beat[changed][:, P_REGION], axis=1)
    np.testing.assert_allclose(p_wave, np.ptp(P[P_REGION]), rtol=0.05)
    size = np.ptp(found.beat[changed][:, QRS_REGION], axis=1)
    assert (size > 0.5).all()
    assert (size < 1.6).all()
    lasts = np.ptp(found.local[:, PEAK + 70 : PEAK + 120], axis=1) < 0.05
    assert not (lasts & host & ~changed).any()
    assert 0.3 < lasts[changed].mean() < 0.5
    plain = draw(two, steady(50, N), only(N), 800)
    np.testing.assert_allclose(plain.beat, plain.overall, atol=1e-4)


def test_another_conduction_leaves_no_t_wave_of_the_record_it_is_taken_of():
    """Beats of 103 came early, on the T wave of the beat before; in 101's rhythm none does."""
    two = patients({"101": "N" * 60, "103": "N" * 60}, sizes={"103": 2.0})
    theirs = two.inputs.piece == 1
    rhythm = two.inputs.rhythm.copy()
    rhythm[theirs, NAMES.index("before_to_overall")] = -0.3
    samples = INTERVAL_S["N"] * np.exp(-0.3) * 360
    wave = 2 * np.interp(X + samples, X, T)
    windows = (two.inputs.windows + theirs[:, None] * wave).astype(np.float32)
    two = replace(two, inputs=replace(two.inputs, windows=windows, rhythm=rhythm))
    found = draw(two, steady(50, N), only(N, other_conduction=1.0), 600)
    host = np.ptp(found.overall, axis=1) < 1.5 * np.ptp(SHAPES["N"])
    place = PEAK + round(95 - samples)
    left = found.beat[host, place] - found.beat[host, place - 40]
    # As it was taken: 0.6 to 1.4 of T's height; what is taken off is 0.7 to 1.2 of it.
    assert np.abs(left).max() < 0.45 * T.max()
    assert abs(left.mean()) < 0.1 * T.max()


def test_paced_patients_give_paced_beats_alone(beats):
    dresser = Dresser(beats, np.arange(len(beats)), steady(50, N), PLAIN)
    paced = beats.records.index("107")
    for kind, groups in dresser.by_class.items():
        assert all((beats.inputs.piece[g] == paced).all() == (kind == Q) for g in groups)
        assert all((beats.classes[g] == kind).all() for g in groups)
    assert len(dresser.by_class[Q]) == 1
    assert sorted(dresser.normal_of) == [0, 1, 2]


@pytest.fixture(scope="module")
def paced() -> RhythmBeats:
    """Two patients who are not paced, of one and two mV, and one of three mV who is."""
    records = {"101": "N" * 60, "103": "N" * 60, "102": "Q" * 60}
    return patients(records, sizes={"103": 2.0, "102": 3.0})


@pytest.mark.parametrize("early", [0.0, -0.6])
def test_a_beat_paced_throughout_is_its_record_s(paced, early):
    """And so are its typical beats; no T wave is added, however early the beat comes."""
    found = draw(paced, steady(50, Q, early=early), only(Q, on_demand=0.0))
    assert set(found.classes) == {Q}
    shape = np.tile(3 * zero_mean(SHAPES["Q"]), (200, 1))
    for part in (found.beat, found.overall, found.local):
        np.testing.assert_allclose(part, shape, atol=1e-5)
    np.testing.assert_allclose(found.rhythm[:, NAMES.index("before_to_overall")], early)
    assert set(found.rhythm[:, -1]) <= set(paced.inputs.rhythm[paced.inputs.piece == 2, -1])


def of_host(found: Dressed) -> list[np.ndarray]:
    """Which of the made-up beats have the typical beat of patient 101, and which that of 103."""
    return [np.abs(found.overall - s * zero_mean(SHAPES["N"])).max(1) < 1e-4 for s in (1.0, 2.0)]


@pytest.mark.parametrize("early", [0.0, -0.6])
def test_a_beat_paced_on_demand_is_among_beats_of_a_patient_who_is_not(paced, early):
    """Of the paced record's shape, to the ends of the window, at a size near this patient's."""
    found = draw(paced, steady(50, Q, early=early), only(Q, on_demand=1.0), 400)
    assert set(found.classes) == {Q}
    hosts = of_host(found)
    assert (hosts[0] ^ hosts[1]).all()
    assert 0.4 < hosts[0].mean() < 0.6
    np.testing.assert_allclose(found.local, found.overall, atol=1e-5)
    likeness = [np.corrcoef(row, SHAPES["Q"])[0, 1] for row in found.beat]
    assert min(likeness) > 0.99999
    size = np.ptp(found.beat[:, QRS_REGION], axis=1) / np.ptp(found.overall[:, QRS_REGION], axis=1)
    for mine in hosts:
        assert 0.65 < size[mine].min() < 0.8
        assert 1.5 < size[mine].max() < 1.7
    assert 0.3 <= found.rhythm[:, -1].min() < 0.5
    assert 1.6 < found.rhythm[:, -1].max() <= 1.8


def test_a_long_paced_stretch_s_local_typical_beat_is_paced(paced):
    pool = steady(50, Q)
    pool.features[:, NAMES.index("stretch_length")] = 1.9
    found = draw(paced, pool, only(Q, on_demand=1.0), 400)
    assert (of_host(found)[0] ^ of_host(found)[1]).all()
    followed = np.abs(found.local - found.beat).max(axis=1) < 1e-4
    assert 0.7 < followed.mean() < 0.9
    np.testing.assert_allclose(found.local[~followed], found.overall[~followed], atol=1e-5)
    low, high = dressing.STEADY_IN_FIBRILLATION
    assert (low <= found.rhythm[followed, -1]).all()
    assert (found.rhythm[followed, -1] <= high).all()
    assert (found.rhythm[~followed, -1] > high).any()


def test_as_many_are_paced_on_demand_as_the_recipe_says(paced):
    found = draw(paced, steady(50, Q), only(Q, on_demand=0.3), 1000)
    hosts = of_host(found)
    assert (hosts[0] | hosts[1]).mean() == pytest.approx(0.3, abs=0.05)
    # Beats of other classes know nothing of it.
    for kind in (N, S, V, F):
        one, other = (draw(paced, steady(50, N), only(kind, on_demand=s)) for s in (0.0, 1.0))
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("why", ["none held", "held out", "of others", "few", "no such rhythm"])
def test_without_paced_beats_none_are_made_and_the_others_keep_their_shares(paced, why):
    rows, pool = np.arange(len(paced)), steady(50, N)
    if why == "none held":
        paced = patients({"101": "N" * 60})
        rows = np.arange(60)
    elif why == "held out":
        rows = rows[paced.inputs.piece[rows] != 2]
    elif why == "of others":  # what nobody could class is no shape of a paced beat
        paced = replace(paced, records=("101", "103", "106"))
    elif why == "few":
        rows = rows[:124]
    else:
        pool = RhythmPool(*(part[pool.classes != Q] for part in pool))
    settings = replace(PLAIN, q_share=0.5)
    dresser = Dresser(paced, rows, pool, settings)
    assert dresser.makes == [N, S, V]
    total = sum(settings.shares[:4])
    np.testing.assert_allclose(dresser.shares, [*np.array(settings.shares[:4]) / total, 0])
    found = dresser.draw(4000, np.random.default_rng(0)).classes
    np.testing.assert_allclose(np.bincount(found, minlength=5) / 4000, dresser.shares, atol=0.03)


def test_a_class_that_no_made_up_patient_has_is_not_made(paced):
    pool = steady(50, N)
    rows = np.arange(len(paced))
    for missing, makes in ((V, [N, S, Q]), (S, [N, V, Q]), (N, [S, V, Q])):
        other = RhythmPool(*(part[pool.classes != missing] for part in pool))
        dresser = Dresser(paced, rows, other, PLAIN)
        assert dresser.makes == makes
        found = dresser.draw(500, np.random.default_rng(0))
        gone = {missing, F} if missing == N else {missing}  # fusion beats are timed as N
        assert set(found.classes) == {N, S, V, F, Q} - gone
        assert np.isfinite(found.beat).all()


@pytest.mark.parametrize("held_out", [[1, 3], [1]])
def test_nothing_comes_of_beats_that_are_not_for_training(beats, pool, held_out):
    """Everything of the patients held out is no number: one that is taken would show."""
    inputs = beats.inputs
    windows, overall, local = (a.copy() for a in (inputs.windows, inputs.overall, inputs.local))
    out = np.isin(inputs.piece, held_out)
    windows[out], overall[held_out], local[np.unique(inputs.block[out])] = np.nan, np.nan, np.nan
    windows[:5] = np.nan  # and some beats of a patient who is not
    marked = replace(beats, inputs=replace(inputs, windows=windows, overall=overall, local=local))
    rows = np.flatnonzero(~out)[5:]
    dresser = Dresser(marked, rows, pool, DressSettings(lasting_change=0.5))
    found = dresser.draw(2000, np.random.default_rng(0))
    assert all(np.isfinite(part).all() for part in found)
    assert (Q in found.classes) == (3 not in held_out)


def test_few_beats_of_a_class_make_no_others():
    few = patients({"101": "N" * 40 + "V" * 4, "106": "N" * 40 + "V" * 5})
    rows = np.arange(len(few))
    assert [len(group) for group in few.by_record("V", rows)] == [5]
    assert [len(group) for group in few.by_record("N", rows[:44])] == [40]
    assert few.by_record("S", rows) == []


def test_waves_are_those_of_each_patient(beats):
    for row, size in enumerate((1.0, 2.0, 0.5)):
        np.testing.assert_allclose(beats.p_waves[row], size * P, atol=0.01 * size)
    assert beats.t_waves.shape[0] == len(beats.records)
    assert np.abs(bump(-58, 8, 0.15) - P).max() == 0
