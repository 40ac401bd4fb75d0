"""Beats while a lead is recorded: those of the whole recording, in time, and each once."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import SignalError
from ectopy.inference.finder import BeatFinder
from ectopy.inference.finder_stream import BeatStream
from ectopy.inference.found_beats import FoundBeats
from ectopy.signal.frames import Rate
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

NAN = np.nan


@pytest.fixture(scope="module")
def finder() -> BeatFinder:
    return BeatFinder(threads=1)


@functools.cache
def simulated(fs: float) -> np.ndarray:
    recording, _ = simulate(120, fs=fs, seed=4, rhythm="mixed", dropouts_per_hour=0)
    return recording.signal_mv[:, 0]


def lead_of(fs: float, duration_s: float = 60.0) -> np.ndarray:
    return simulated(fs)[: round(duration_s * fs)].copy()


def with_gaps(fs: float) -> np.ndarray:
    """Two minutes with gaps and rails: short, long, longer than the stream remembers."""
    lead = lead_of(fs, 120)
    for start_s, length_s, value in (
        (0, 2.3, NAN),
        (8.1, 0.04, NAN),
        (9.4, 0.06, NAN),
        (12, 0.3, -5.0),
        (15, 1.7, 0.0),
        (16.7, 0.03, NAN),
        (25, 5, 10.0),
        (40, 40, NAN),
        (60, 0.4, 0.2),
        (117, 0.19, 1.0),
        (119.5, 0.5, NAN),
    ):
        lead[round(start_s * fs) : round((start_s + length_s) * fs)] = value
    island = slice(round(70 * fs), round(70.45 * fs))
    lead[island] = lead_of(fs, 120)[island]
    return lead


def cut(signal: np.ndarray, sizes: Iterable[int]) -> list[np.ndarray]:
    """Portions of these sizes, the sizes over and over."""
    sizes, portions, start = list(sizes), [], 0
    while start < len(signal):
        size = sizes[len(portions) % len(sizes)]
        portions.append(signal[start : start + size])
        start += size
    return portions


def streamed(finder: BeatFinder, fs: float, portions: list[np.ndarray]) -> FoundBeats:
    """All beats of a stream; along the way, that each comes in time and once."""
    stream, out, pushed = BeatStream(fs, finder), [], 0
    for portion in portions:
        beats = stream.push(portion)
        pushed += len(portion)
        # Rounding to whole samples: one for each of the three parts of the latency, one for a peak.
        assert (pushed - beats.peaks <= stream.latency_s * fs + len(portion) + 4).all()
        out.append(beats)
    out.append(stream.finish())
    assert (pushed - out[-1].peaks <= stream.latency_s * fs + 4).all()
    peaks = np.concatenate([beats.peaks for beats in out])
    positions = np.concatenate([beats.positions for beats in out])
    assert np.rint(positions).tolist() == peaks.tolist()
    assert (np.diff(peaks) > 0).all()
    assert all(beats.peaks.dtype == np.int64 for beats in out)
    assert all(beats.confidences.dtype == np.float32 for beats in out)
    return FoundBeats(peaks, np.concatenate([beats.confidences for beats in out]), positions)


def assert_same(found: FoundBeats, expected: FoundBeats) -> None:
    np.testing.assert_array_equal(found.peaks, expected.peaks)
    np.testing.assert_allclose(found.confidences, expected.confidences, atol=1e-4)


# --- the beats of the whole recording ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fs", "size_s"),
    [(125, 0.5), (125, 7.7), (257.3, 0.05), (257.3, 25), (360, 1), (360, 1000)],
)
def test_a_stream_gives_the_beats_of_the_recording(finder, fs, size_s):
    lead = with_gaps(fs)
    expected = finder.find(lead, fs)
    assert len(expected) > 80
    assert_same(streamed(finder, fs, cut(lead, [max(1, round(size_s * fs))])), expected)


def test_sample_by_sample(finder):
    lead = lead_of(100, 30)
    assert_same(streamed(finder, 100, cut(lead, [1])), finder.find(lead, 100))


FS = 125
LEAD = with_gaps(FS)


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40 * FS), min_size=1, max_size=6).filter(lambda x: sum(x) > 50),
    first_s=st.floats(0, 60),
)
def test_any_portions_give_the_same(sizes, first_s):
    lead = LEAD[round(first_s * FS) :]
    finder = BeatFinder(threads=1)
    assert_same(streamed(finder, FS, cut(lead, sizes)), finder.find(lead, FS))


class EagerFinder(BeatFinder):
    """Takes every hump for a beat, so that each frame and each border counts."""

    def _run(self, frames: np.ndarray) -> np.ndarray:
        padded = np.pad(frames, (0, -len(frames) % 4)).reshape(-1, 4)
        return np.stack([3 * padded.mean(axis=1), padded[:, 0] - padded[:, 3]])


@pytest.mark.parametrize("fs", [125, 257.3, 360])
def test_a_finder_that_finds_something_everywhere_gives_the_same(fs):
    finder, random = EagerFinder(threads=1), np.random.default_rng(5)
    loudness = np.exp(random.normal(0, 1.5, 91)).repeat(round(fs))[: round(90 * fs)]
    lead = (random.normal(0, 1, len(loudness)) * loudness).astype(np.float32)
    lead[round(30 * fs) : round(30.5 * fs)] = NAN
    expected = finder.find(lead, fs, slice_s=1e6)
    assert len(expected) > 180
    for slice_s in (1, 7.7, 20):
        assert_same(finder.find(lead, fs, slice_s=slice_s), expected)
    for size_s in (0.1, 0.5, 3.3):
        assert_same(streamed(finder, fs, cut(lead, [round(size_s * fs)])), expected)


@pytest.mark.parametrize("rail", [NAN, 5.0])
@pytest.mark.parametrize("offset_s", np.arange(0, 0.5, 0.07).round(2).tolist())
def test_wherever_the_stream_is_when_a_gap_begins(finder, rail, offset_s):
    # Portions of half a second: in all places that a gap and its ends can have in one.
    lead = lead_of(FS, 40)
    for start_s, stop_s in ((10 + offset_s, 10.3 + offset_s), (20, 22 + offset_s)):
        lead[round(start_s * FS) : round(stop_s * FS)] = rail
    assert_same(streamed(finder, FS, cut(lead, [62])), finder.find(lead, FS))


@pytest.mark.parametrize("duration_s", [1.0, 1.3, 3.0, 5.8, 6.4, 12.0])
def test_short_recordings(finder, duration_s):
    lead = lead_of(FS)[: round(duration_s * FS)]
    assert_same(streamed(finder, FS, cut(lead, [37])), finder.find(lead, FS))


def test_two_streams_do_not_disturb_each_other(finder):
    leads = lead_of(FS), -2 * lead_of(FS)[::-1]
    streams, found = (BeatStream(FS, finder), BeatStream(FS, finder)), ([], [])
    for portions in zip(*(cut(lead, [200]) for lead in leads), strict=True):
        for stream, portion, peaks in zip(streams, portions, found, strict=True):
            peaks.extend(stream.push(portion).peaks.tolist())
    for stream, lead, peaks in zip(streams, leads, found, strict=True):
        peaks.extend(stream.finish().peaks.tolist())
        assert peaks == finder.find(lead, FS).peaks.tolist()


def test_the_shipped_finder_is_the_default():
    lead = lead_of(FS)
    stream = BeatStream(FS)
    first = stream.push(lead.tolist())
    peaks = np.concatenate([first.peaks, stream.finish().peaks])
    np.testing.assert_array_equal(peaks, BeatFinder().find(lead, FS).peaks)


# --- latency and memory --------------------------------------------------------------------------


def test_beats_come_out_while_the_recording_goes_on(finder):
    stream = BeatStream(FS, finder)
    assert stream.latency_s == pytest.approx(6.45)
    given_so_far = sum(len(stream.push(portion)) for portion in cut(lead_of(FS), [10]))
    before = finder.find(lead_of(FS), FS).peaks < (60 - stream.latency_s) * FS
    assert given_so_far >= before.sum()


@pytest.mark.parametrize("fs", [125, 250])
def test_a_long_stream_remembers_only_what_decides(finder, fs):
    stream, lead = BeatStream(fs, finder), np.tile(lead_of(fs, 120), 2)
    for portion in cut(lead, [fs]):
        stream.push(portion)
    assert len(stream._buffer) <= 24 * fs + 2 * Rate.of(fs).samples_per_step
    assert len(stream._choice._waiting) < 20


# --- nothing in it, and what is refused ----------------------------------------------------------


def test_no_samples_and_no_signal_give_no_beats(finder):
    for signal in (np.full(20 * FS, NAN), np.zeros(20 * FS)):
        stream = BeatStream(FS, finder)
        for portion in [signal[:0], *cut(signal, [77]), []]:
            beats = stream.push(portion)
            assert beats.peaks.shape == beats.confidences.shape == (0,)
            assert beats.peaks.dtype == np.int64
        assert len(stream.finish()) == 0


def test_a_stream_ends_once(finder):
    stream = BeatStream(FS, finder)
    lead = lead_of(FS)
    first = stream.push(lead)
    rest = stream.finish()
    assert len(first) > 40
    assert len(rest) >= 5
    assert len(stream.finish()) == 0
    message = "the stream has been finished; open another one for another recording"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        stream.push(lead)


def test_less_than_a_second_is_refused_and_may_go_on(finder):
    stream, lead = BeatStream(FS, finder), lead_of(FS, 10)
    stream.push(lead[:124])
    message = "a signal of 124 samples at 125 Hz is too short; beats need at least 1 s"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        stream.finish()
    first, rest = stream.push(lead[124:]), stream.finish()
    peaks = np.concatenate([first.peaks, rest.peaks])
    np.testing.assert_array_equal(peaks, finder.find(lead, FS).peaks)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (
            ["a", "b"],
            "the samples are not numeric (could not convert string to float: 'a'); "
            "give millivolts as numbers",
        ),
        (
            np.zeros((5, 2)),
            "samples of shape (5, 2); expected one lead with shape (samples,)",
        ),
        (1.5, "samples of shape (); expected one lead with shape (samples,)"),
    ],
)
def test_samples_that_are_none(finder, samples, message):
    stream, lead = BeatStream(FS, finder), lead_of(FS)
    first = stream.push(lead)
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        stream.push(samples)
    # Nothing of it was taken.
    peaks = np.concatenate([first.peaks, stream.finish().peaks])
    np.testing.assert_array_equal(peaks, finder.find(lead, FS).peaks)


@pytest.mark.parametrize("fs", [79.9, 0, -125, NAN, "125"])
def test_a_sampling_frequency_that_is_not_usable(finder, fs):
    message = f"sampling frequency {fs!r} Hz is not usable; beats need at least 80 Hz"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        BeatStream(fs, finder)
