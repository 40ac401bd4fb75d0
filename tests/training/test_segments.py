"""Segments and batches for the beat finder: what is drawn, what the network is to say of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ectopy.models.finder import STRIDE, BeatFinderNet
from ectopy.signal.frames import FRAME_HZ, Rate, level_frames
from ectopy.signal.picking import pick
from ectopy.training.distort import Segment
from ectopy.training.leads import Leads
from ectopy.training.noises import RecordedNoise
from ectopy.training.recipe import DistortSettings, FinderRecipe
from ectopy.training.segments import (
    HeldOutLeads,
    SeedSampler,
    SegmentData,
    SegmentDataset,
    draw_segment,
    make_batch,
    targets,
)

NOTHING = DistortSettings(*[0.0] * 12)
PLAIN = FinderRecipe(
    "test", "A test.", batch_size=6, segment_s=10.0, simulated_share=0.0, distort=NOTHING
)
EVERYTHING = replace(PLAIN, simulated_share=0.3, distort=DistortSettings(*[0.5] * 12))
N = 1200


def leads(seed: int, name: str = "made up", n: int = 9000) -> Leads:
    """Two leads of narrow waves, a few of them upside down: those are the beats that are not N."""
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.uniform(60, 130, n // 60)) - 40
    peaks = peaks[peaks < n - 10]
    ectopic = np.sort(rng.choice(peaks[:50], 4, replace=False))
    places = np.arange(n)
    nearest = np.searchsorted((peaks[1:] + peaks[:-1]) / 2, places)
    waves = np.exp(-(((places - peaks[nearest]) / 3) ** 2) / 2)
    one = waves * np.where(np.isin(peaks, ectopic), -1, 1)[nearest]
    one += 0.01 * rng.standard_normal(n)
    unsure = np.zeros(n, dtype=np.bool_)
    unsure[:60] = unsure[-60:] = unsure[4000:4400] = True
    return Leads(
        name=name,
        frames=np.stack([one, 0.5 * np.roll(one, 2)]).astype(np.float32),
        peaks=peaks,
        ectopic=ectopic,
        unsure=unsure,
    )


RECORDED = [leads(0), leads(1), leads(2)]
SIMULATED = [leads(10, n=60_000)]
NOISE = {
    kind: RecordedNoise.of(np.random.default_rng(i).standard_normal((2, 5000)).astype(np.float32))
    for i, kind in enumerate(("bw", "em", "ma"))
}


def dataset(recipe: FinderRecipe = EVERYTHING) -> SegmentDataset:
    return SegmentDataset(RECORDED, SIMULATED, NOISE, recipe)


def draw(seed: int, recipe: FinderRecipe, source: Leads) -> Segment:
    return draw_segment([source], [], NOISE, recipe, np.random.default_rng(seed))


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_targets_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    for n_steps in (0, 1, 7, 300):
        peaks = np.cumsum(rng.uniform(12, 200, 30)) - 20.3  # at least 0.1 s apart
        near, distance = targets(peaks, n_steps)
        assert near.shape == distance.shape == (n_steps,)
        assert near.dtype == distance.dtype == np.float32
        for step in range(n_steps):
            away = [peak / STRIDE - step for peak in peaks]
            away = [d for d in away if -1.5 < d <= 1.5]
            assert near[step] == len(away)
            assert distance[step] == pytest.approx(away[0] if away else 0.0, abs=1e-5)


def test_targets_at_the_ends():
    near, distance = targets(np.array([-5.9, -6.1, 41.9]), 10)
    assert np.flatnonzero(near).tolist() == [0, 9]
    np.testing.assert_allclose(distance[[0, 9]], [-5.9 / 4, 41.9 / 4 - 9], rtol=1e-5)
    near, distance = targets(np.empty(0), 10)
    assert not near.any()
    assert not distance.any()


def test_what_the_network_is_taught_is_what_is_picked():
    peaks = np.array([10.0, 41.3, 70.9, 104.5, 133.0])
    near, distance = targets(peaks, 50)
    found = pick(np.stack([np.where(near, 9, -9), distance]).astype(np.float32), Rate(1, 1), STRIDE)
    np.testing.assert_allclose(found.positions, peaks, atol=0.01)
    assert (found.confidences > 0.99).all()


def test_a_plain_segment_is_a_stretch_of_its_lead():
    source = leads(3)
    places = {0: 0, 1: 0}
    for seed in range(100):
        found = draw(seed, PLAIN, source)
        assert len(found) == N
        assert not found.lost.any()
        # Undistorted, the stretch is found again by its first beats.
        offsets = {
            (row, round(float(start)))
            for start in source.peaks - found.peaks[0]
            for row in (0, 1)
            if 0 <= start <= 9000 - N
            and np.ptp(source.frames[row, round(start) : round(start) + N] - found.frames) < 1e-5
        }
        ((row, start),) = offsets
        places[row] += 1
        inside = (source.peaks > start) & (source.peaks < start + N)
        assert set(source.peaks[inside] - start) <= set(found.peaks)
        assert found.peaks.min() > -32
        assert found.peaks.max() < N + 33
        assert np.array_equal(found.unsure, source.unsure[start : start + N])
    assert 45 <= places[0] <= 75  # the first lead a little more often


def test_time_runs_faster_and_slower():
    source = leads(4)
    recipe = replace(PLAIN, ectopic_share=0.0, distort=replace(NOTHING, stretch=1.0))
    speeds = []
    for seed in range(100):
        found = draw(seed, recipe, source)
        assert len(found) == N
        inside = found.peaks[(found.peaks > 5) & (found.peaks < N - 6)]
        # Peaks stay where the waves are.
        at = np.rint(inside).astype(np.int64)
        height = np.abs(found.frames - np.median(found.frames))
        reach = [height[i - 4 : i + 5].argmax() - 4 for i in at]
        assert np.abs(reach).max() <= 3
        gaps = np.diff(found.peaks)
        shifts = [
            (np.diff(source.peaks[i : i + len(gaps) + 1]) / gaps)
            for i in range(len(source.peaks) - len(gaps))
        ]
        speeds.append(next(float(s.mean()) for s in shifts if np.ptp(s) < 1e-9))
    assert 0.72 <= min(speeds) < 0.8
    assert 1.3 < max(speeds) <= 1.4
    assert np.median(speeds) == pytest.approx(1, abs=0.1)


def test_segments_around_beats_that_are_not_normal():
    source = leads(5, n=60_000)
    shares = []
    for ectopic_share in (0.0, 1.0):
        recipe = replace(PLAIN, ectopic_share=ectopic_share)
        found = [draw(seed, recipe, source) for seed in range(60)]
        # Ectopic waves are upside down.
        shares.append(np.mean([one.frames.min() < -0.4 for one in found]))
    assert shares[0] < 0.5
    assert shares[1] == 1.0


def test_a_lead_without_such_beats():
    source = replace(leads(5), ectopic=np.empty(0))
    assert len(draw(0, replace(PLAIN, ectopic_share=1.0), source)) == N


def test_mixtures_of_both_leads():
    source = leads(6)
    recipe = replace(PLAIN, distort=replace(NOTHING, mix=1.0))
    heights = [np.abs(draw(seed, recipe, source).frames).max() for seed in range(50)]
    assert min(heights) < 0.45  # lower than either lead
    assert max(heights) > 1.02  # higher than either


def test_simulated_leads_are_a_share():
    simulated = [replace(SIMULATED[0], frames=SIMULATED[0].frames * 50)]
    for share in (0.0, 0.25, 1.0):
        recipe = replace(PLAIN, simulated_share=share)
        found = [
            draw_segment(RECORDED, simulated, NOISE, recipe, np.random.default_rng(seed))
            for seed in range(100)
        ]
        large = np.mean([np.abs(one.frames).max() > 10 for one in found])
        assert large == pytest.approx(share, abs=0.12 if 0 < share < 1 else 0)


def test_a_batch():
    frames, near, distance, weight = dataset()[3, 0, 1, 0]
    assert frames.shape == (6, N)
    assert near.shape == distance.shape == weight.shape == (6, N // STRIDE)
    assert {x.dtype for x in (frames, near, distance, weight)} == {torch.float32}
    assert set(near.unique().tolist()) == {0, 1}
    assert set(weight.unique().tolist()) == {0, 1}
    assert distance.abs().max() <= 1.5
    assert (distance[near == 0] == 0).all()
    assert frames.isfinite().all()


def test_a_batch_of_known_segments():
    rng = np.random.default_rng(1)
    segments = [
        Segment(
            frames=rng.standard_normal(N).astype(np.float32),
            peaks=np.array([100.0, 333.3, 700.0]) + i,
            unsure=np.arange(N) // 100 == i,
            lost=(np.arange(N) // 300 == 2) & (i == 1),
        )
        for i in range(3)
    ]
    frames, near, distance, weight = make_batch(segments)
    for i, one in enumerate(segments):
        expected = level_frames(one.frames, one.lost if one.lost.any() else None)
        np.testing.assert_allclose(frames[i].numpy(), expected, atol=1e-6)
        a, b = targets(one.peaks, N // STRIDE)
        assert np.array_equal(near[i].numpy(), a)
        assert np.array_equal(distance[i].numpy(), b)
        assert np.array_equal(weight[i].numpy() == 0, one.unsure[::STRIDE])
        assert (weight[i] == 0).sum() == 25


@pytest.mark.parametrize("seconds", [10.0, 10.25, 10.01, 11.11])
def test_segments_are_whole_steps_of_the_network(seconds):
    recipe = replace(PLAIN, segment_s=seconds, batch_size=2)
    frames, near, _, weight = dataset(recipe)[0, 0, 0, 0]
    assert frames.shape[1] == pytest.approx(seconds * FRAME_HZ, abs=STRIDE / 2)
    assert BeatFinderNet(width=2, dilations=[1])(frames)[:, 0].shape == near.shape == weight.shape


def test_batches_are_a_function_of_their_seeds():
    data = dataset()
    first = data[3, 1, 4, 0]
    np.random.default_rng().random()
    torch.rand(3)
    for other in ((3, 1, 5, 0), (3, 2, 4, 0), (4, 1, 4, 0), (3, 1, 4, 1)):
        assert not same(data[other], first)
    assert same(data[3, 1, 4, 0], first)
    assert same(dataset()[3, 1, 4, 0], first)


def test_the_global_generators_are_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002  # the global one
    _ = dataset()[3, 1, 4, 0]
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_sampler():
    sampler = SeedSampler(7, 5, rank=2)
    assert len(sampler) == 5
    first = list(sampler)
    assert first == [(7, 0, batch, 2) for batch in range(5)]
    sampler.set_epoch(3)
    third = list(sampler)
    assert not set(first) & set(third)
    resumed = SeedSampler(7, 5, rank=2)
    resumed.set_epoch(3)
    assert list(resumed) == third
    others = [SeedSampler(7, 5, rank=1), SeedSampler(8, 5, rank=2)]
    for other in others:
        other.set_epoch(3)
        assert not set(other) & set(third)


def test_loaders():
    data = SegmentData(dataset(), RECORDED[:2], n_batches=3, seed=9)
    loader = data.train_dataloader()
    assert len(loader) == 3
    loader.sampler.set_epoch(2)
    batches = list(loader)
    assert len(batches) == 3
    assert same(batches[1], dataset()[9, 2, 1, 0])
    assert len(data.val_dataloader()) == 4
    assert len(SegmentData(dataset(), [], n_batches=3, seed=9).val_dataloader()) == 0


def test_leads_held_out_come_whole_and_one_at_a_time():
    source = leads(1, n=9001)
    held_out = HeldOutLeads([RECORDED[0], source])
    assert len(held_out) == 4
    frames, peaks, unsure = held_out[3]
    assert frames.shape == (9004,)  # whole steps; the last value is held
    assert frames.dtype == torch.float32
    expected = level_frames(np.pad(source.frames[1], (0, 3), mode="edge"))
    assert np.array_equal(frames.numpy(), expected)
    assert np.array_equal(peaks.numpy(), source.peaks)
    assert np.array_equal(unsure.numpy(), source.unsure)
    assert np.array_equal(held_out[0][0].numpy(), level_frames(RECORDED[0].frames[0]))
