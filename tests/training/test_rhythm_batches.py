"""Batches for rhythm models: what is drawn, what is done to it, and what is left alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from rhythm_patients import patients

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load
from ectopy.data.protocols import load_beats
from ectopy.errors import RecipeError
from ectopy.inference.engine import BATCH, Classifier
from ectopy.signal.typical import AFTER, BEFORE
from ectopy.training.beats import VALIDATION_BATCH
from ectopy.training.dressing import Dressed
from ectopy.training.rhythm_batches import (
    SMOOTHING,
    KnownBeats,
    RhythmData,
    RhythmDataset,
    _noise,
    disturb,
)
from ectopy.training.rhythm_beats import MARGIN, RhythmBeats, load_rhythm_beats
from ectopy.training.rhythm_recipe import DisturbSettings, DressSettings, RhythmRecipe
from ectopy.training.rhythms import make_pool

NOTHING = DisturbSettings(**{one.name: 0.0 for one in fields(DisturbSettings)})
RECIPE = RhythmRecipe("tiny", "A test.", batch_size=40, made_up_share=0.25)
N, V = CLASSES.index("N"), CLASSES.index("V")


@pytest.fixture(scope="module")
def beats() -> RhythmBeats:
    records = {"101": "N" * 60, "103": "NNS" * 20, "106": "NNNV" * 15, "107": "Q" * 20 + "N" * 20}
    return patients(records, noise=0.01)


@pytest.fixture(scope="module")
def pool():
    return make_pool(3, 1)


def dataset(beats, pool, rows=None, **changes) -> RhythmDataset:
    rows = np.arange(len(beats)) if rows is None else rows
    return RhythmDataset(beats, rows, pool, replace(RECIPE, **changes))


def all_of(beats: RhythmBeats) -> Dressed:
    inputs = beats.inputs
    return Dressed(
        inputs.windows,
        inputs.overall[inputs.piece],
        inputs.local[inputs.block],
        inputs.rhythm,
        beats.classes,
    )


# --- what is drawn --------------------------------------------------------------------------------


def test_a_batch(beats, pool):
    shapes, rhythm, classes = dataset(beats, pool)[(0, 0, 0, 0)]
    assert shapes.shape == (40, 3, BEFORE + AFTER)
    assert rhythm.shape == (40, 23)
    assert classes.shape == (40,)
    assert (shapes.dtype, rhythm.dtype, classes.dtype) == (
        torch.float32, torch.float32, torch.int64,
    )  # fmt: skip
    assert all(torch.isfinite(part).all() for part in (shapes, rhythm))
    assert shapes.mean(dim=-1).abs().max() < 1e-6


def test_the_seeds_decide_everything(beats, pool):
    one, again = dataset(beats, pool), dataset(beats, pool)
    _ = one[(0, 0, 1, 0)]  # what came before does not matter
    first, second = one[(3, 1, 2, 0)], again[(3, 1, 2, 0)]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    for other in ((4, 1, 2, 0), (3, 2, 2, 0), (3, 1, 3, 0), (3, 1, 2, 1)):
        assert not torch.equal(one[other][0], first[0])


@pytest.mark.parametrize(("share", "real"), [(0.0, 40), (0.25, 30), (1.0, 0)])
def test_share_of_real_beats(beats, pool, share, real):
    found = dataset(beats, pool, made_up_share=share)[(0, 0, 0, 0)]
    known = {row.tobytes() for row in beats.inputs.rhythm}
    rows = [row.numpy().tobytes() in known for row in found[1]]
    assert rows == [True] * real + [False] * (40 - real)


def test_made_up_beats_of_classes_that_cannot_be_made(beats, pool):
    paced = DressSettings(n_share=0, s_share=0, v_share=0, f_share=0, q_share=1)
    rows = np.flatnonzero(beats.inputs.piece != 3)
    with pytest.raises(RecipeError) as caught:
        dataset(beats, pool, rows, dress=paced)
    assert str(caught.value) == (
        "recipe value dress: none of the classes that its shares ask for can be made up of these "
        "records; expected a share above 0 of: N, S, V"
    )
    found = dataset(beats, pool, rows, dress=paced, made_up_share=0.0)[(0, 0, 0, 0)]
    assert len(found[2]) == 40


def test_paced_beats_are_made_up(beats):
    pool = make_pool(8, 1)
    paced = DressSettings(n_share=0, s_share=0, v_share=0, f_share=0, q_share=1)
    shapes, rhythm, classes = dataset(beats, pool, dress=paced, made_up_share=1.0)[(0, 0, 0, 0)]
    assert set(classes.tolist()) == {CLASSES.index("Q")}
    known = {row.tobytes() for row in pool.features[pool.classes == CLASSES.index("Q")]}
    assert all(row[:-1].numpy().tobytes() in known for row in rhythm)
    assert torch.isfinite(shapes).all()


def test_real_beats_come_with_their_own_features_and_shapes(beats, pool):
    chosen = dataset(beats, pool, made_up_share=0.0, disturb=NOTHING, batch_size=200)
    shapes, rhythm, classes = chosen[(0, 0, 0, 0)]
    known = KnownBeats(beats, np.arange(len(beats)))[torch.arange(len(beats))]
    rows = np.abs(shapes[:, None, 0].numpy() - known[0][None, :, 0].numpy()).max(-1).argmin(1)
    torch.testing.assert_close(shapes, known[0][rows], atol=1e-5, rtol=0)
    assert torch.equal(rhythm, known[1][rows])
    assert torch.equal(classes, known[2][rows])


def drawn(data: RhythmDataset, beats: RhythmBeats) -> np.ndarray:
    """How often each beat is drawn in the long run."""
    place = np.searchsorted(data._cumulative, (np.arange(200_000) + 0.5) / 200_000)
    return np.bincount(data.rows[place], minlength=len(beats)) / 200_000


def test_classes_are_made_more_equal_within_a_record(beats, pool):
    free = np.flatnonzero(beats.inputs.piece < 3)
    as_they_are = drawn(dataset(beats, pool, free, flatten=0.0), beats)
    np.testing.assert_allclose(as_they_are[free], 1 / len(free), rtol=0.02)
    equal = drawn(dataset(beats, pool, free, flatten=1.0), beats)
    kinds = beats.inputs.piece * 5 + beats.classes
    sums = [equal[kinds == kind].sum() for kind in np.unique(kinds[free])]
    np.testing.assert_allclose(sums, 1 / len(sums), rtol=0.02)
    between = drawn(dataset(beats, pool, free, flatten=0.4), beats)
    v = (beats.classes == V) & (beats.inputs.piece == 2)
    n = (beats.classes == N) & (beats.inputs.piece == 2)
    assert between[v].mean() / between[n].mean() == pytest.approx((45 / 15) ** 0.4, rel=0.02)


def test_paced_patients_come_less_often(beats, pool):
    paced = beats.inputs.piece == 3
    usual = drawn(dataset(beats, pool, paced_share=1.0, flatten=0.0), beats)
    less = drawn(dataset(beats, pool, paced_share=0.3, flatten=0.0), beats)
    ratio = (less[paced].sum() / less[~paced].sum()) / (usual[paced].sum() / usual[~paced].sum())
    assert ratio == pytest.approx(0.3, rel=0.02)
    assert drawn(dataset(beats, pool, paced_share=0.0), beats)[paced].sum() == 0


def test_aberrated_beats_are_left_out_unless_asked_for(beats, pool):
    symbols = beats.symbols.copy()
    of_s = np.flatnonzero(beats.classes == CLASSES.index("S"))
    symbols[of_s[:10]] = "a"
    other = replace(beats, symbols=symbols)
    assert not np.isin(of_s[:10], dataset(other, pool).rows).any()
    assert np.isin(of_s[10:], dataset(other, pool).rows).all()
    assert np.isin(of_s, dataset(other, pool, aberrated=True).rows).all()
    taken = dataset(other, pool).dresser.by_class[CLASSES.index("S")]
    assert not np.isin(of_s[:10], np.concatenate(taken)).any()


def test_only_beats_for_training_are_drawn(beats, pool):
    rows = np.arange(0, len(beats), 2)
    data = dataset(beats, pool, rows)
    assert set(np.flatnonzero(drawn(data, beats))) <= set(rows)


# --- what is done to it ---------------------------------------------------------------------------


def test_nothing_done_is_what_validation_sees(beats):
    found = disturb(all_of(beats), NOTHING, np.random.default_rng(0))
    known = KnownBeats(beats, np.arange(len(beats)))[torch.arange(len(beats))]
    np.testing.assert_allclose(found, known[0].numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({"stretch": 0.1}, (True, True, True)),
        ({"own_stretch": 0.1}, (True, False, False)),
        ({"shift": 3.0}, (True, False, False)),
        ({"gain": 0.3}, (True, False, False)),
        ({"noise": 1.0, "noise_height": 0.05}, (True, False, False)),
        ({"wander": 1.0, "wander_height": 0.2}, (True, False, False)),
        ({"mains": 1.0, "mains_height": 0.1}, (True, False, False)),
        ({"invert": 1.0}, (True, True, True)),
        ({"noise": 1.0}, (False, False, False)),  # of no height
    ],
)
def test_what_each_disturbance_moves(beats, changes, moves):
    plain = disturb(all_of(beats), NOTHING, np.random.default_rng(1))
    found = disturb(all_of(beats), replace(NOTHING, **changes), np.random.default_rng(1))
    moved = np.abs(found - plain).max(axis=(0, 2)) > 1e-4
    assert tuple(moved.tolist()) == moves


def test_upside_down_is_all_of_a_beat(beats):
    plain = disturb(all_of(beats), NOTHING, np.random.default_rng(1))
    found = disturb(all_of(beats), replace(NOTHING, invert=1.0), np.random.default_rng(1))
    np.testing.assert_allclose(found, -plain, atol=1e-6)
    half = disturb(all_of(beats), replace(NOTHING, invert=0.5), np.random.default_rng(1))
    sign = np.sign((half * plain).sum(axis=-1))
    assert (sign == sign[:, :1]).all()
    assert 0.3 < (sign[:, 0] < 0).mean() < 0.7


def test_gain_and_shift():
    many = patients({"101": "N" * 400})
    plain = disturb(all_of(many), NOTHING, np.random.default_rng(0))[:, 0]
    found = disturb(all_of(many), replace(NOTHING, gain=0.2), np.random.default_rng(0))[:, 0]
    gain = np.ptp(found, axis=1) / np.ptp(plain, axis=1)
    assert np.log(gain).std() == pytest.approx(0.2, rel=0.15)
    found = disturb(all_of(many), replace(NOTHING, shift=1.5), np.random.default_rng(0))[:, 0]
    shift = found.argmax(axis=1) - plain.argmax(axis=1)
    assert shift.std() == pytest.approx(1.5, rel=0.15)
    assert np.abs(shift).max() <= 6


def test_time_runs_as_fast_in_beat_and_typical_beats():
    many = patients({"101": "N" * 200})
    found = disturb(all_of(many), replace(NOTHING, stretch=0.05), np.random.default_rng(0))
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-5)
    places = found[:, 0, BEFORE + 60 :].argmax(axis=1) + 60
    speed = 95 / places  # of the T wave
    assert np.log(speed).std() == pytest.approx(0.05, rel=0.2)


def test_noise_is_of_its_size_and_of_two_kinds():
    found = _noise(2000, np.random.default_rng(0))
    assert found.shape == (2000, BEFORE + AFTER)
    assert found.std() == pytest.approx(1, rel=0.02)
    rough = np.diff(found, axis=1).std(axis=1) / found.std(axis=1)
    white = rough > 1
    assert 0.45 < white.mean() < 0.55
    assert np.median(rough[white]) == pytest.approx(2**0.5, rel=0.03)
    assert np.median(rough[~white]) == pytest.approx((2 / SMOOTHING) ** 0.5, rel=0.1)


def test_drawing_changes_no_beat(beats, pool):
    before = beats.inputs.windows.copy()
    _ = dataset(beats, pool)[(0, 0, 0, 0)]
    assert np.array_equal(beats.inputs.windows, before)


# --- what is left alone ---------------------------------------------------------------------------


def seen_by_inference(
    classifier: Classifier, signal: np.ndarray, fs: float, peaks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the network is given when a lead is classed."""
    taken = []
    run = classifier._run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "_run", lambda *parts: taken.append(parts) or run(*parts))
        classifier.classify(signal, fs, peaks)
    assert len(taken) == -(-len(peaks) // BATCH)
    return tuple(np.concatenate(parts) for parts in zip(*taken, strict=True))


@pytest.fixture(scope="module")
def classifier(untrained_bundle) -> Classifier:
    return Classifier(untrained_bundle("rhythm-mlp"), threads=1)


def test_training_and_inference_see_the_same(classifier, made_up_mitdb):
    names = ("101", "114", "104")  # 114 has its leads the other way round, 104 has no MLII
    beats = load_rhythm_beats(names, folder=made_up_mitdb)
    known = KnownBeats(beats, np.arange(len(beats)))
    for place, name in enumerate(names):
        rows = np.flatnonzero(beats.inputs.piece == place)
        shapes, rhythm, classes = known[torch.from_numpy(rows)]
        recording, reference = load(name, made_up_mitdb)
        found = seen_by_inference(classifier, recording.lead()[1], recording.fs, reference.peaks)
        np.testing.assert_allclose(found[0], shapes.numpy(), atol=1e-6)
        np.testing.assert_allclose(found[1], rhythm.numpy(), atol=1e-5)
        assert np.array_equal(classes.numpy(), reference.classes)


def test_training_and_inference_see_the_same_of_a_real_record(classifier, mitdb_dir):
    beats = load_rhythm_beats(["106"], folder=mitdb_dir)
    shapes, rhythm, _ = KnownBeats(beats, np.arange(len(beats)))[torch.arange(len(beats))]
    recording, reference = load("106", mitdb_dir)
    found = seen_by_inference(classifier, recording.lead()[1], recording.fs, reference.peaks)
    assert len(found[0]) == len(beats) > 2000
    np.testing.assert_allclose(found[0], shapes.numpy(), atol=2e-6)
    np.testing.assert_allclose(found[1], rhythm.numpy(), atol=1e-4)


def test_records_as_they_are_read(made_up_mitdb):
    names = ("101", "114", "102")
    for lead_by in ("name", "index"):
        beats = load_rhythm_beats(names, lead_by=lead_by, folder=made_up_mitdb)
        plain = load_beats(
            names, lead_by=lead_by, whole_windows=False, margin=MARGIN, folder=made_up_mitdb
        )
        centred = plain.windows - plain.windows[:, 32:-32].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(beats.inputs.windows, centred, atol=1e-6)
        assert np.array_equal(beats.classes, plain.classes)
        assert np.array_equal(beats.peaks, plain.peaks)
        assert np.array_equal(np.asarray(names)[beats.inputs.piece], plain.records)
        assert beats.records == names
        assert (beats.symbols[beats.classes == V] == "V").all()
        assert beats.inputs.overall.shape == (3, 320)
        np.testing.assert_allclose(beats.usual_s, 0.8, rtol=1e-6)  # they all come as regularly
        # The first and the last beat of each lie too near its ends.
        assert np.flatnonzero(~beats.whole).tolist() == [0, 14, 15, 29, 30, 44]


def test_a_record_is_the_same_beside_others(made_up_mitdb):
    alone = load_rhythm_beats(["114"], folder=made_up_mitdb)
    beside = load_rhythm_beats(["101", "114"], folder=made_up_mitdb)
    rows = np.flatnonzero(beside.inputs.piece == 1)
    assert np.array_equal(beside.inputs.shapes(rows), alone.inputs.shapes(np.arange(15)))
    assert np.array_equal(beside.inputs.rhythm[rows], alone.inputs.rhythm)


def test_validation_is_every_beat_once_in_order(beats, pool):
    rows = np.arange(5, 185)
    known = KnownBeats(beats, rows)
    data = RhythmData(dataset(beats, pool), known, n_batches=3, seed=7)
    batches = list(data.val_dataloader())
    assert [len(batch[2]) for batch in batches] == [VALIDATION_BATCH, 180 - VALIDATION_BATCH]
    assert np.array_equal(torch.cat([batch[2] for batch in batches]), beats.classes[rows])
    assert np.array_equal(torch.cat([batch[1] for batch in batches]), beats.inputs.rhythm[rows])
    assert len(known) == 180


def test_training_batches_of_an_epoch(beats, pool):
    training = dataset(beats, pool)
    data = RhythmData(training, KnownBeats(beats, np.arange(0)), n_batches=3, seed=7)
    loader = data.train_dataloader()
    found = list(loader)
    assert len(found) == 3
    for number, batch in enumerate(found):
        expected = training[(7, 0, number, 0)]
        assert all(torch.equal(a, b) for a, b in zip(batch, expected, strict=True))
    loader.sampler.set_epoch(2)
    assert torch.equal(next(iter(loader))[0], training[(7, 2, 0, 0)][0])


def test_rhythms_are_needed_where_beats_are_made_up(beats, pool):
    with pytest.raises(RecipeError, match="made_up_share is above 0, but there are no made-up rhy"):
        dataset(beats, None)
    found = dataset(beats, None, made_up_share=0.0)
    assert found.dresser is None
    assert len(found[(0, 0, 0, 0)][-1]) == 40
