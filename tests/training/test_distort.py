"""Distortions of training segments: what each does, and that beats are marked where they are."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from ectopy.signal.frames import FRAME_HZ, Rate, resample_to_frames
from ectopy.training.distort import Segment, distort
from ectopy.training.noises import RecordedNoise
from ectopy.training.recipe import DistortSettings

N = 3600
EVERY = 96
"""Frames from beat to beat: 0.8 s."""

KINDS = tuple(field.name for field in fields(DistortSettings))
NOT_HERE = ("stretch", "mix")  # done where the segment is cut
SILENT = dict.fromkeys(KINDS, 0.0)

_rng = np.random.default_rng(7)
NOISE = {
    kind: RecordedNoise.of(_rng.standard_normal((2, n)).astype(np.float32))
    for kind, n in (("bw", 9000), ("em", 8000), ("ma", 20000))
}


def wave(time: np.ndarray, place_s: float, width_s: float) -> np.ndarray:
    return np.exp(-(((time / FRAME_HZ - place_s) / width_s) ** 2) / 2)


@cache
def segment(n: int = N, every: int = EVERY) -> Segment:
    """Regular beats with P and T waves on a baseline of 3; the first and last lie outside."""
    peaks = np.arange(-20.5, n + 30, every)
    time = np.arange(n)[:, None] - peaks
    beat = wave(time, 0, 0.015) + 0.2 * wave(time, -0.16, 0.02) + 0.3 * wave(time, 0.28, 0.04)
    return Segment(
        frames=(3 + beat.sum(axis=1)).astype(np.float32),
        peaks=peaks,
        unsure=np.zeros(n, dtype=np.bool_),
        lost=np.zeros(n, dtype=np.bool_),
    )


def only(**shares: float) -> DistortSettings:
    return DistortSettings(**(SILENT | shares))


def change(seed: int, *kinds: str, source: Segment | None = None) -> Segment:
    settings = only(**dict.fromkeys(kinds, 1.0))
    return distort(source or segment(), NOISE, settings, np.random.default_rng(seed))


def added(seed: int, kind: str) -> np.ndarray:
    """What a distortion adds to the frames."""
    return change(seed, kind).frames - change(seed).frames


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def is_whole(found: Segment, n: int) -> None:
    for array, dtype in (
        (found.frames, np.float32),
        (found.unsure, np.bool_),
        (found.lost, np.bool_),
    ):
        assert array.shape == (n,)
        assert array.dtype == dtype
    assert len(found) == n
    assert found.peaks.dtype == np.float64
    assert (np.diff(found.peaks) > 0).all()
    assert np.isfinite(found.frames).all()


def test_nothing_to_do_takes_the_median_off_and_no_more():
    source = segment()
    found = change(0)
    np.testing.assert_allclose(found.frames, source.frames - np.median(source.frames))
    assert np.array_equal(found.peaks, source.peaks)
    assert not found.unsure.any()
    assert not found.lost.any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NOT_HERE])
def test_each_distortion_does_something_and_leaves_its_source_alone(kind):
    source = segment()
    before = source.frames.copy(), source.peaks.copy()
    for seed in range(20):
        found = change(seed, kind, source=source)
        is_whole(found, N)
        assert not np.array_equal(found.frames, change(seed, source=source).frames)
        assert np.array_equal(found.frames, change(seed, kind, source=source).frames)
    assert np.array_equal(source.frames, before[0])
    assert np.array_equal(source.peaks, before[1])
    assert not source.unsure.any()
    assert not source.lost.any()


def test_each_share_is_one_of_segments():
    settings = only(invert=0.25)
    flipped = [
        distort(segment(1200), NOISE, settings, np.random.default_rng(seed)).frames.min() < -0.5
        for seed in range(400)
    ]
    assert np.mean(flipped) == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize(
    "source",
    [
        segment(),
        segment(1200, every=37),
        segment(1201, every=500),
        replace(segment(1200), peaks=np.empty(0)),
        replace(segment(), frames=np.zeros(N, np.float32)),
        replace(segment(), frames=np.full(N, -1e4, np.float32), unsure=np.ones(N, np.bool_)),
    ],
    ids=["regular", "fast", "slow", "no beats", "flat", "unsure"],
)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_everything_at_once_is_sound(source, share):
    settings = DistortSettings(**dict.fromkeys(KINDS, share) | {"silence": 0.1})
    for seed in range(200):
        found = distort(source, NOISE, settings, np.random.default_rng(seed))
        is_whole(found, len(source))
        assert set(found.peaks) <= set(source.peaks)
        seen = found.peaks[(found.peaks >= 0) & (found.peaks < len(source))].astype(np.int64)
        assert not found.lost[seen].any()


def test_polarity():
    found, plain = change(0, "invert"), change(0)
    assert np.array_equal(found.frames, -plain.frames)
    assert np.array_equal(found.peaks, plain.peaks)


def test_a_gap_is_bridged_as_inference_does_and_hides_its_beats():
    plain = change(0)
    lengths = []
    for seed in range(200):
        found = change(seed, "gap")
        ((start, stop),) = stretches(found.lost)
        lengths.append(stop - start)
        assert (found.frames[start:stop] == found.frames[start - 1]).all()
        assert np.array_equal(found.frames[:start], plain.frames[:start])
        shift = found.frames[stop:] - plain.frames[stop:]
        np.testing.assert_allclose(shift, shift[0], atol=1e-6)
        assert found.frames[stop] == pytest.approx(found.frames[start - 1], abs=1e-6)
        inside = (plain.peaks > start) & (plain.peaks < stop)
        assert np.array_equal(found.peaks, plain.peaks[~inside])
        unsure = stretches(found.unsure)
        assert unsure[0] == (max(0, start - 12), start)  # 0.1 s
        assert unsure[1:] == [(stop, min(N, stop + 12))]
    assert min(lengths) < 30
    assert max(lengths) > 600
    assert max(lengths) <= 1200


def test_a_standstill_takes_out_the_beats_it_flattens_and_no_others():
    plain = change(0)
    places = np.arange(N)
    n_removed, p_waves, patterns = [], [], set()
    for seed in range(300):
        found = change(seed, "standstill")
        assert not found.unsure.any()
        assert not found.lost.any()
        removed = sorted(set(plain.peaks) - set(found.peaks))
        n_removed.append(len(removed))
        assert plain.peaks[0] in found.peaks
        assert plain.peaks[-1] in found.peaks
        changed = found.frames != plain.frames
        near = np.zeros(N, dtype=np.bool_)
        for peak in removed:
            around = np.abs(places - peak) < 0.07 * FRAME_HZ
            assert np.ptp(found.frames[around]) < 0.15, "the QRS complex is still there"
            near |= (places > peak - 0.4 * FRAME_HZ) & (places < peak + 0.5 * FRAME_HZ)
            p_wave = np.abs(places - (peak - 0.16 * FRAME_HZ)) < 3
            p_waves.append(bool((~changed[p_wave]).all()))
        assert not (changed & ~near).any()
        for peak in found.peaks:
            around = np.abs(places - peak) < 0.07 * FRAME_HZ
            assert not changed[around].any(), "a beat that is marked was touched"
        rows = np.searchsorted(plain.peaks, removed)
        patterns.add("pause" if (np.diff(rows) == 1).all() else "every other")
    assert 0 not in n_removed
    assert patterns == {"pause", "every other"}
    assert 0.2 < np.mean(p_waves) < 0.8


def test_too_few_beats_are_left_to_beat():
    source = segment(1200, every=300)
    assert len(source.peaks) == 5
    found = change(1, "standstill", source=source)
    assert np.array_equal(found.frames, change(1, source=source).frames)
    assert np.array_equal(found.peaks, source.peaks)


def test_silence_leaves_noise_and_no_beats():
    source = replace(segment(), unsure=np.ones(N, dtype=np.bool_))
    other = segment(every=50)
    for seed in range(50):
        found = change(seed, "silence", source=source)
        assert len(found.peaks) == 0
        assert not found.unsure.any()
        assert found.frames.std() > 0
        # Nothing of the segment is left.
        assert np.array_equal(found.frames, change(seed, "silence", source=other).frames)


@pytest.mark.parametrize("frames", [30, 24, 22, 20])
def test_a_beat_right_after_another_is_taken_out_whole_or_not_at_all(frames):
    source = segment(every=96)
    early = source.peaks.copy()
    early[::2] -= 96 - frames  # a quarter of a second or less after the beat before
    time = np.arange(N)[:, None] - early
    source = replace(source, frames=wave(time, 0, 0.015).sum(axis=1).astype(np.float32))
    source = replace(source, peaks=early)
    places = np.arange(N)
    n_removed = 0
    for seed in range(200):
        found = change(seed, "standstill", source=source)
        changed = found.frames != change(seed, source=source).frames
        for peak in early:
            around = np.abs(places - peak) < 0.06 * FRAME_HZ
            if peak in found.peaks:
                assert not changed[around].any(), "a beat that is marked was touched"
            else:
                n_removed += 1
                assert np.ptp(found.frames[around]) < 0.15, "the QRS complex is still there"
    assert n_removed > 100


def test_noise_leaves_the_beats_where_they_are():
    for kind in ("noise", "wander", "steps", "spikes", "gain"):
        found = change(3, kind)
        assert np.array_equal(found.peaks, segment().peaks)
        assert not found.unsure.any()
        assert not found.lost.any()


def test_nobody_can_see_a_beat_in_a_burst():
    plain = change(0)
    lengths, heights = [], []
    for seed in range(100):
        found = change(seed, "burst")
        ((start, stop),) = stretches(found.unsure)
        lengths.append((stop - start) / FRAME_HZ)
        noise = found.frames - plain.frames
        assert np.array_equal(noise != 0, found.unsure)
        heights.append(noise[start:stop].std())
        assert np.array_equal(found.peaks, plain.peaks)
    assert 1 - 1 / FRAME_HZ <= min(lengths) < 2
    assert 9 < max(lengths) <= 10
    assert 0.99 < min(heights) < 1.5
    assert 12 < max(heights) < np.exp(3) + 0.1


def test_gain_swells_and_jumps():
    high_low = np.resize(np.float32([1, -1]), N)
    source = replace(segment(), frames=high_low)
    logs = [np.log(change(seed, "gain", source=source).frames * high_low) for seed in range(200)]
    assert np.ptp(logs, axis=1).min() < 0.2
    assert 1.2 < np.max(np.abs(logs)) < 0.7 + 1.5
    jumped = np.abs(np.diff(logs, axis=1)).max(axis=1) > 0.05
    assert np.mean(jumped) == pytest.approx(0.25, abs=0.08)


def test_wander_is_slow_and_larger_than_beats():
    made = np.stack([added(seed, "wander") for seed in range(100)])
    assert np.abs(made).max() <= 9
    assert made.std(axis=1).max() > 2
    assert np.abs(np.diff(made, axis=1)).max() < 9 * 2 * np.pi * 0.6 / FRAME_HZ


def test_steps_are_steps():
    counts = set()
    for seed in range(60):
        made = added(seed, "steps")
        jumps = np.abs(np.diff(made, prepend=0)) > 1e-4
        counts.add(int(jumps.sum()))
        assert np.abs(np.diff(made, prepend=0)).max() <= 12
    assert {1, 2, 3} <= counts <= {0, 1, 2, 3}


def test_spikes_are_what_the_low_pass_makes_of_single_samples():
    sizes, counts = [], []
    for seed in range(60):
        made = added(seed, "spikes")
        touched = stretches(np.abs(made) > 1e-4)
        counts.append(len(touched))
        assert max(stop - start for start, stop in touched) <= 8 * 17
        sizes.append(np.abs(made).max())
    assert min(sizes) > 0.1
    assert 5 < max(sizes) <= 12 * 3
    assert min(counts) < 4 < max(counts)
    # One of them, against a sample that was filtered.
    alone = (
        made for made in map(added, range(99), ["spikes"] * 99) if len(stretches(made != 0)) == 1
    )
    made = next(alone)
    fs, rate = 3600.0, Rate.of(3600.0)
    found = []
    for early in range(-15, 16):
        samples = np.zeros(N * rate.down, dtype=np.float32)
        samples[int(np.abs(made).argmax()) * rate.down + early] = 1
        filtered = resample_to_frames(samples, fs, rate, 0.0)
        size = float(filtered @ made / (filtered @ filtered))
        found.append(np.abs(made - size * filtered).max() / np.abs(made).max())
    assert min(found) < 0.06
