"""Classed beats while a lead is recorded: those of the whole lead, in time, in bounded memory."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.data.protocols import DS1
from ectopy.errors import SignalError
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import BeatFinder
from ectopy.inference.stream import Stream, StreamBeats
from ectopy.readers.lead import Lead
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

FS = 125.0
NAN = np.nan


@functools.cache
def classifier(name: str = "rhythm-kan/inter") -> Classifier:
    return Classifier(name, threads=1)


@functools.cache
def finder() -> BeatFinder:
    return BeatFinder(threads=1)


@functools.cache
def simulated(fs: float) -> np.ndarray:
    recording, _ = simulate(150, fs=fs, seed=6, rhythm="mixed", dropouts_per_hour=0)
    return recording.signal_mv[:, 0]


def with_gaps(fs: float) -> np.ndarray:
    """Gaps short and long, at beats and between them, a pause of signal, one at each end."""
    lead = simulated(fs).copy()
    for start_s, length_s in (
        (0, 0.4), (10, 0.03), (20.2, 0.3), (30.1, 0.9), (40.3, 1.1), (50, 3), (60, 12), (149.7, 1),
    ):  # fmt: skip
        lead[round(start_s * fs) : round((start_s + length_s) * fs)] = NAN
    lead[round(90 * fs) : round(96 * fs)] = 0.1
    return lead


def streamed(stream: Stream, lead: np.ndarray, sizes: list[int]) -> list[StreamBeats]:
    """All that comes out; along the way, that it comes in time."""
    out, start = [], 0
    while start < len(lead):
        size = sizes[len(out) % len(sizes)]
        out.append(stream.push(lead[start : start + size]))
        start += size
        is_first = stream.classifier.reads_rhythm and out[-1].given == 0
        if not is_first:
            waited = (min(start, len(lead)) - out[-1].peaks) / stream.fs
            assert (waited <= stream.latency_s + (size + 4) / stream.fs).all()
    return [*out, stream.finish()]


def offline(name: str, lead: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    found = finder().find(lead, fs)
    lead_of = Lead.of(lead, fs)
    return found.peaks, classifier(name).classify_lead(lead_of, found.positions, causal=True)


def assert_same(found: list[StreamBeats], expected: tuple[np.ndarray, np.ndarray]) -> None:
    peaks, probabilities = expected
    np.testing.assert_array_equal(np.concatenate([one.peaks for one in found]), peaks)
    together = np.concatenate([one.probabilities for one in found])
    np.testing.assert_allclose(together, probabilities, atol=3e-5)
    labels = np.concatenate([one.classes for one in found])
    np.testing.assert_array_equal(labels, probabilities.argmax(axis=1))
    assert together.dtype == np.float32


# --- what a whole lead gives ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rhythm-kan/inter", "cnn-mlp/inter"])
@pytest.mark.parametrize(("fs", "size_s"), [(125, 0.4), (257.3, 0.1), (360, 7), (500, 1000)])
def test_a_stream_gives_what_the_lead_gives(name, fs, size_s):
    lead = with_gaps(fs)
    expected = offline(name, lead, fs)
    assert len(expected[0]) > 100
    assert len(np.unique(expected[1].argmax(axis=1))) > 1
    stream = Stream(fs, classifier(name), finder=finder())
    assert_same(streamed(stream, lead, [max(1, round(size_s * fs))]), expected)


LEAD = with_gaps(FS)
PART = LEAD[round(8.3 * FS) : round(75 * FS)]


@functools.cache
def expected_part() -> tuple[np.ndarray, np.ndarray]:
    return offline("rhythm-kan/inter", PART, FS)


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 20 * 125), min_size=1, max_size=5).filter(lambda x: sum(x) > 200)
)
def test_any_portions_give_the_same(sizes):
    stream = Stream(FS, classifier(), finder=finder())
    assert_same(streamed(stream, PART, sizes), expected_part())


def test_sample_by_sample():
    lead = simulated(100)[:3000]
    stream = Stream(100, classifier(), finder=finder())
    assert_same(streamed(stream, lead, [1]), offline("rhythm-kan/inter", lead, 100))


def test_a_model_of_single_beats_says_what_an_analysis_says():
    beats = finder().find(LEAD, FS)
    model = classifier("cnn-kan/inter")
    expected = model.classify_lead(Lead.of(LEAD, FS), beats.positions)
    found = streamed(Stream(FS, model, finder=finder()), LEAD, [50])
    assert_same(found, (beats.peaks, expected))


def test_a_rhythm_model_agrees_with_an_analysis_on_most_beats():
    _, probabilities = offline("rhythm-kan/inter", LEAD, FS)
    whole = classifier().classify_lead(Lead.of(LEAD, FS), finder().find(LEAD, FS).positions)
    agreement = (whole.argmax(axis=1) == probabilities.argmax(axis=1)).mean()
    assert agreement > 0.85
    assert np.abs(whole - probabilities).max() > 1e-3  # but it does not look ahead


def test_many_beats_go_through_in_blocks():
    lead = np.tile(simulated(FS), 4)
    expected = offline("rhythm-kan/inter", lead, FS)
    assert len(expected[0]) > 400
    assert_same(streamed(Stream(FS, classifier(), finder=finder()), lead, [500]), expected)


@pytest.mark.slow
@pytest.mark.parametrize("record", DS1)
def test_real_records(record, mitdb_dir: Path):
    from ectopy.data.mitdb import load

    recording, _ = load(record, mitdb_dir)
    lead = recording.lead()[1]
    expected = offline("rhythm-kan/inter", lead, 360.0)
    stream = Stream(360.0, classifier(), finder=finder())
    assert_same(streamed(stream, lead, [211]), expected)
    whole = classifier().classify_lead(Lead.of(lead, 360.0), expected[0])
    # Measured: 98.9 % of all beats of DS1; least, 94.9 %, in record 207.
    assert (whole.argmax(axis=1) == expected[1].argmax(axis=1)).mean() > 0.93


# --- in time, and no more than needed ------------------------------------------------------------


def test_latency_is_stated():
    assert Stream(FS, classifier("cnn-mlp/inter")).latency_s == pytest.approx(6.45)
    assert Stream(FS, classifier()).latency_s == pytest.approx(10.45)


def test_beats_come_while_the_recording_goes_on():
    stream = Stream(FS, classifier(), finder=finder())
    lead = simulated(FS)
    found = sum(len(stream.push(lead[k : k + 25])) for k in range(0, len(lead), 25))
    due = finder().find(lead, FS).peaks < len(lead) - stream.latency_s * FS
    assert found >= due.sum() > 100


def test_the_last_beat_before_a_pause_does_not_wait_for_the_next():
    lead = np.concatenate([simulated(FS)[: round(40 * FS)], np.full(round(15 * FS), NAN)])
    stream = Stream(FS, classifier(), finder=finder())
    found = [stream.push(lead[k : k + 25]) for k in range(0, len(lead), 25)]
    last = finder().find(lead, FS).peaks
    assert np.concatenate([one.peaks for one in found]).tolist() == last.tolist()
    assert len(stream.finish()) == 0


@pytest.mark.parametrize("fs", [125, 257.3])
def test_a_long_stream_remembers_only_what_decides(fs):
    stream, lead = Stream(fs, classifier(), finder=finder()), np.tile(simulated(fs), 2)
    longest = 0
    for start in range(0, len(lead), round(fs)):
        stream.push(lead[start : start + round(fs)])
        longest = max(longest, sum(len(one) for one in stream._signal._portions))
    assert longest < 31 * fs  # 10 s to spare, 10 s for the steps in which both rates meet
    assert len(stream._waiting) <= 1


def test_an_array_may_be_used_again():
    stream, lead = Stream(FS, classifier(), finder=finder()), LEAD
    portion, found = np.empty(50, dtype=np.float32), []
    for start in range(0, len(lead) // 50 * 50, 50):
        portion[:] = lead[start : start + 50]
        found.append(stream.push(portion))
        portion[:] = 9
    found.append(stream.finish())
    assert_same(found, offline("rhythm-kan/inter", lead[: len(lead) // 50 * 50], FS))


def test_two_streams_share_a_model_and_nothing_else():
    leads = LEAD, -simulated(FS)
    streams = [Stream(FS, classifier(), finder=finder()) for _ in leads]
    found: list[list[StreamBeats]] = [[], []]
    for start in range(0, len(LEAD), 200):
        for stream, lead, out in zip(streams, leads, found, strict=True):
            out.append(stream.push(lead[start : start + 200]))
    for stream, lead, out in zip(streams, leads, found, strict=True):
        out.append(stream.finish())
        assert_same(out, offline("rhythm-kan/inter", lead, FS))


# --- tables --------------------------------------------------------------------------------------


def test_rows_go_on_from_portion_to_portion():
    from ectopy.analysis import BEAT_COLUMNS, beat_rows
    from ectopy.beats import BeatTable

    found = streamed(Stream(FS, classifier(), finder=finder()), LEAD, [90])
    assert sum(len(one) > 0 for one in found) > 30
    rows = [row for one in found for row in one.rows()]
    table = BeatTable(
        np.concatenate([one.peaks for one in found]),
        np.concatenate([one.probabilities for one in found]),
        FS,
    )
    assert rows == beat_rows(table)
    assert tuple(rows[0]) == BEAT_COLUMNS
    assert rows[0]["rr_s"] is None
    intervals = np.concatenate([one.rr_s for one in found])
    np.testing.assert_allclose(intervals[1:], np.diff(table.times_s))
    assert np.isnan(intervals[0])


# --- the end, and what is refused ----------------------------------------------------------------


def test_a_stream_ends_once():
    stream = Stream(FS, classifier(), finder=finder())
    stream.push(LEAD)
    assert len(stream.finish()) > 3
    assert len(stream.finish()) == 0
    message = "the stream has been finished; open another one for another recording"
    with pytest.raises(SignalError, match=f"^{re.escape(message)}$"):
        stream.push(LEAD)


@pytest.mark.parametrize("duration_s", [2.5, 6.0, 9.0, 20.0])
def test_short_recordings(duration_s):
    lead = simulated(FS)[: round(duration_s * FS)]
    expected = offline("rhythm-kan/inter", lead, FS)
    assert len(expected[0]) >= 2
    stream = Stream(FS, classifier(), finder=finder())
    assert_same(streamed(stream, lead, [40]), expected)
    assert len(stream.finish()) == 0


def test_no_signal_has_no_beats():
    stream = Stream(FS, classifier(), finder=finder())
    for _ in range(30):
        assert stream.push(np.full(125, NAN)).probabilities.shape == (0, 5)
    assert len(stream.finish()) == 0


def test_one_beat_has_no_rhythm():
    lead = simulated(FS)[: round(1.2 * FS)]
    assert len(finder().find(lead, FS)) == 1
    stream = Stream(FS, classifier(), finder=finder())
    stream.push(lead)
    with pytest.raises(SignalError, match=r"^1 beat: rhythm needs at least 2; give a longer"):
        stream.finish()
    single = Stream(FS, classifier("cnn-mlp/inter"), finder=finder())
    single.push(lead)
    assert len(single.finish()) == 1


@pytest.mark.parametrize("samples", [["a"], np.zeros((5, 2)), 1.5])
def test_samples_that_are_none_are_refused_and_not_taken(samples):
    stream = Stream(FS, classifier(), finder=finder())
    found = [stream.push(LEAD[:6000])]
    with pytest.raises(SignalError, match=r"^(the samples are not numeric|samples of shape)"):
        stream.push(samples)
    found += [stream.push(LEAD[6000:]), stream.finish()]
    assert_same(found, offline("rhythm-kan/inter", LEAD, FS))


def test_less_than_a_second_is_refused_and_may_go_on():
    stream = Stream(FS, classifier(), finder=finder())
    stream.push(LEAD[:100])
    with pytest.raises(SignalError, match=r"^a signal of 100 samples at 125 Hz is too short"):
        stream.finish()
    assert_same([stream.push(LEAD[100:]), stream.finish()], offline("rhythm-kan/inter", LEAD, FS))


def test_the_default_is_the_default_model():
    assert Stream(FS).classifier.bundle.full_name == "rhythm-kan/inter"
    with pytest.raises(SignalError, match=r"^sampling frequency 50 Hz is not usable"):
        Stream(50)
