"""Which beats come in which batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ectopy.data.protocols import BeatSet, Split
from ectopy.training.beats import BatchSampler, BeatData, BeatDataset, ShuffledBatchSampler

CLASSES = torch.from_numpy(np.random.default_rng(0).choice(5, 523, p=[0.7, 0.1, 0.1, 0.05, 0.05]))
N_NORMAL = int((CLASSES == 0).sum())


def rows(sampler: BatchSampler) -> list[int]:
    return [row for batch in sampler for row in batch.tolist()]


def shuffled(epoch: int = 0, *, seed: int = 1, **settings) -> ShuffledBatchSampler:
    sampler = ShuffledBatchSampler(CLASSES, 16, seed=seed, **settings)
    sampler.set_epoch(epoch)
    return sampler


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 64, 127])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_validation_covers_each_row_once(n, world):
    parts = [list(BatchSampler(n, 16, rank=rank, world=world)) for rank in range(world)]
    covered = [row for part in parts for batch in part for row in batch.tolist()]
    assert sorted(covered) == list(range(n))
    # Every process takes part in the same number of batches, else the others would wait for it.
    lengths = {len(part) for part in parts}
    assert lengths == {len(BatchSampler(n, 16, world=world))}
    assert all(len(batch) <= 16 for part in parts for batch in part)


def test_validation_is_in_order():
    assert rows(BatchSampler(37, 8)) == list(range(37))


def test_order_is_a_function_of_seed_and_epoch_alone():
    first = rows(shuffled(3))
    torch.manual_seed(99)
    torch.rand(5)
    again = shuffled(0)
    rows(again)
    again.set_epoch(3)
    assert rows(again) == first
    assert rows(again) == first
    assert rows(shuffled(4)) != first
    assert rows(shuffled(3, seed=2)) != first


def test_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    rows(shuffled(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_whole_batches_only():
    sampler = shuffled()
    batches = list(sampler)
    assert len(batches) == len(sampler) == 523 // 16
    assert {len(batch) for batch in batches} == {16}
    flat = rows(sampler)
    assert len(set(flat)) == len(flat)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 1.0])
def test_share_of_the_normal_beats(share):
    sampler = shuffled(normal_share=share)
    order = sampler.order()
    taken = CLASSES[order]
    assert int((taken == 0).sum()) == round(N_NORMAL * share)
    others = order[taken != 0]
    assert sorted(others.tolist()) == torch.nonzero(CLASSES != 0).flatten().tolist()
    assert len(set(order.tolist())) == len(order) == sampler.n
    assert len(sampler) == len(order) // 16


def test_each_epoch_takes_other_normal_beats():
    one, other = (set(shuffled(epoch, normal_share=0.3).order().tolist()) for epoch in (0, 1))
    normal = set(torch.nonzero(CLASSES == 0).flatten().tolist())
    assert one & normal != other & normal
    seen = set.union(
        *(set(shuffled(epoch, normal_share=0.3).order().tolist()) for epoch in range(40))
    )
    assert seen == set(range(523))


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_the_rows_of_every_batch(world):
    parts = [list(shuffled(1, rank=rank, world=world)) for rank in range(world)]
    order = shuffled(1).order().tolist()
    assert {len(part) for part in parts} == {523 // (16 * world)}
    for i, together in enumerate(zip(*parts, strict=True)):
        assert {len(batch) for batch in together} == {16}
        shared = sorted(row for batch in together for row in batch.tolist())
        assert shared == sorted(order[16 * world * i : 16 * world * (i + 1)])


def beat_set(n: int, margin: int = 2) -> BeatSet:
    windows = np.arange(n * 10, dtype=np.float32).reshape(n, 10)
    classes = (np.arange(n) % 4).astype(np.int8)
    return BeatSet(windows, classes, np.full(n, "100"), np.arange(n), margin)


def test_a_batch_of_rows_at_once():
    beats = beat_set(8)
    dataset = BeatDataset(beats)
    assert len(dataset) == 8
    windows, classes = dataset[torch.tensor([5, 0, 5])]
    assert windows.tolist() == beats.windows[[5, 0, 5]].tolist()
    assert classes.tolist() == [1, 0, 1]
    assert classes.dtype == torch.int64


def test_loaders_hand_out_whole_batches():
    data = BeatData(
        Split(beat_set(50), beat_set(7), beat_set(3)), batch_size=8, seed=3, normal_share=0.5
    )
    assert data.class_counts.tolist() == [13, 13, 12, 12, 0]
    training = list(data.train_dataloader())
    assert [len(classes) for _, classes in training] == [8] * 5  # 6 + 37 rows
    ((windows, classes),) = data.val_dataloader()
    assert windows.shape == (7, 10)
    assert classes.tolist() == [0, 1, 2, 3, 0, 1, 2]
    sampler = data.train_dataloader().sampler
    assert isinstance(sampler, ShuffledBatchSampler)
    assert rows(sampler) == rows(
        ShuffledBatchSampler(data.training.classes, 8, seed=3, normal_share=0.5)
    )
