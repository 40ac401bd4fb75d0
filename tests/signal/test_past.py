"""Features of a stream: by hand, beat by beat or many at once, and without a look ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import SignalError
from ectopy.signal.past import FIRST_BEATS, RENEWED, PastInputs, intervals_after
from ectopy.signal.rhythm import RHYTHM_FEATURES, log_intervals, rhythm_features, until
from ectopy.signal.typical import BeatInputs, beat_inputs

NAMES = list(RHYTHM_FEATURES)
STRETCHES = NAMES[16:]
N = 300
RNG = np.random.default_rng(4)
# Regular beats, some early, then irregular ones, and a run.
INTERVALS = np.concatenate(
    [
        np.where(RNG.random(120) < 0.1, 0.5, 0.8),
        RNG.uniform(0.4, 1.2, 60),
        np.full(20, 0.35),
        RNG.normal(0.9, 0.02, N - 200),
    ]
)
TIMES = np.cumsum(INTERVALS)
WINDOWS = (RNG.normal(0, 0.05, (N, 256)) + np.hanning(256) ** 8).astype(np.float32)
WINDOWS[::7] *= -1


def described(
    sizes: list[int], windows: np.ndarray = WINDOWS, times: np.ndarray = TIMES
) -> list[BeatInputs]:
    """What comes out when beats are pushed in portions of these sizes, over and over."""
    past, parts, start = PastInputs(), [], 0
    after = np.append(np.diff(times), np.nan)
    while start < len(times):
        stop = start + sizes[len(parts) % len(sizes)]
        parts.append(past.push(windows[start:stop], times[start:stop], after[start:stop]))
        start = stop
    parts.append(past.finish())
    return [part for part in parts if len(part)]


def rhythm(*args: object) -> np.ndarray:
    return np.concatenate([part.rhythm for part in described(*args)])


def shapes(*args: object) -> np.ndarray:
    return np.concatenate([part.shapes(slice(None)) for part in described(*args)])


WHOLE, WHOLE_SHAPES = rhythm([N]), shapes([N])


def by_name(name: str, values: np.ndarray = WHOLE) -> np.ndarray:
    return values[:, NAMES.index(name)]


# --- however beats come --------------------------------------------------------------------------


def test_one_by_one():
    assert WHOLE.shape == (N, 23)
    assert WHOLE.dtype == np.float32
    assert np.isfinite(WHOLE).all()
    np.testing.assert_allclose(rhythm([1]), WHOLE, atol=1e-5)
    np.testing.assert_array_equal(shapes([1]), WHOLE_SHAPES)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 80), min_size=1, max_size=8).filter(lambda x: sum(x) > 5))
def test_any_portions_give_the_same(sizes):
    np.testing.assert_allclose(rhythm(sizes), WHOLE, atol=1e-5)
    np.testing.assert_array_equal(shapes(sizes), WHOLE_SHAPES)


@pytest.mark.parametrize("known", [17, 40, 60, 61, 150, 211])
def test_what_comes_later_changes_nothing(known):
    windows, times = WINDOWS.copy(), TIMES.copy()
    windows[known:] = 5
    times[known + 1 :] += np.arange(N - known - 1) * 0.37  # the interval after is known
    np.testing.assert_array_equal(rhythm([N], windows, times)[:known], WHOLE[:known])
    np.testing.assert_array_equal(shapes([N], windows, times)[:known], WHOLE_SHAPES[:known])


def test_the_first_beats_wait_for_each_other():
    past = PastInputs()
    for row in range(FIRST_BEATS + 2):
        one = slice(row, row + 1)
        count = len(past.push(WINDOWS[one], TIMES[one], np.array([0.8])))
        assert count == (0 if row < FIRST_BEATS - 1 else max(1, (row == FIRST_BEATS - 1) * 16))


@pytest.mark.parametrize("n", [2, 3, 15, 16, 17])
def test_few_beats(n):
    found = rhythm([4], WINDOWS[:n], TIMES[:n])
    assert found.shape == (n, 23)
    assert np.isfinite(found).all()


def test_no_beat_and_one_beat():
    past = PastInputs()
    nothing = past.push(WINDOWS[:0], TIMES[:0], TIMES[:0])
    assert len(nothing) == len(past.finish()) == 0
    past.push(WINDOWS[:1], TIMES[:1], np.array([np.nan]))
    with pytest.raises(SignalError, match=r"^1 beat: rhythm needs at least 2; give a longer"):
        past.finish()


# --- what is said --------------------------------------------------------------------------------


def test_the_values_before():
    values = np.arange(30.0)
    assert until(values, 3)[20].tolist() == list(range(14, 21))
    assert until(values, 3)[2].tolist() == [4, 3, 2, 1, 0, 1, 2]  # mirrored at the start


def test_around_means_up_to_the_beat():
    before = log_intervals(TIMES)
    change = np.abs(np.diff(before, prepend=before[0]))
    alike = np.array(
        [np.mean(np.abs(before[i - 60 : i + 1] - before[i]) < 0.08) for i in range(60, N)]
    )
    for i in (150, 185, 199, 260, N - 2):
        median = np.median(before[i - 16 : i + 1])
        long = np.percentile(before[i - 60 : i + 1], 80)
        expected = {
            "before_to_median": before[i] - median,
            "after_to_median": before[i + 1] - median,
            "before_to_long": before[i] - long,
            "change": before[i] - before[i - 1],
            "previous_to_median": before[i - 1] - median,
            "second_previous_to_median": before[i - 2] - median,
            "next_to_median": 0.0,
            "median_to_long": median - long,
            "irregularity": np.median(change[i - 24 : i + 1]),
            "irregularity_long": np.median(change[i - 120 : i + 1]),
            "alike": np.log(alike[i - 60] + 0.02),
            "alike_around": np.log(alike[i - 120 : i - 59].mean() + 0.02),
        }
        found = {name: float(by_name(name)[i]) for name in expected}
        assert found == pytest.approx(expected, abs=1e-5), i


def test_slow_intervals_are_of_the_beats_before_the_block():
    before = log_intervals(TIMES)
    for i in (130, 179, 180, 239):
        known = before[: i // RENEWED * RENEWED]
        for name, percentile in (("before_to_overall", 80), ("before_to_slow", 92)):
            expected = before[i] - np.percentile(known, percentile)
            assert by_name(name)[i] == pytest.approx(expected, abs=1e-3), (name, i)


def test_stretches_are_those_of_a_recording_that_ends_here():
    columns = [NAMES.index(name) for name in STRETCHES]
    for i in range(20, N, 7):
        expected = rhythm_features(TIMES[: i + 1])[-1, columns]
        np.testing.assert_allclose(WHOLE[i, columns], expected, atol=1e-4, err_msg=str(i))


def test_an_unknown_interval_after_is_taken_for_the_usual_one():
    assert by_name("after_to_median")[-1] == 0
    past = PastInputs()
    found = past.push(WINDOWS[:50], TIMES[:50], np.full(50, 90.0)).rhythm
    before = log_intervals(TIMES[:50])
    median = np.median(before[30:47])
    assert by_name("after_to_median", found)[46] == pytest.approx(np.log(4) - median, abs=1e-5)


def test_p_waves_are_compared_with_the_local_beat():
    steady = np.tile(WINDOWS[1], (N, 1))
    assert rhythm([N], steady, TIMES)[:, -1].min() > 1.5
    assert rhythm([N], WINDOWS, TIMES)[:, -1].max() < 1.5  # noise alone


def test_typical_beats_are_of_the_beats_before():
    shape = np.hanning(256).astype(np.float32)
    level = np.arange(400.0, dtype=np.float32)[:, None]  # each beat carries its number
    windows, times = shape * level, 0.8 * np.arange(400)
    found = shapes([400], windows, times).max(axis=2) - shapes([400], windows, times).min(axis=2)
    for beat in (100, 104, 105, 250, 399):
        block = beat // 15 * 15
        assert block - 60 <= found[beat, 2] <= block - 1
        assert 0 <= found[beat, 1] <= beat // RENEWED * RENEWED - 1


def test_the_half_hour_before_is_what_counts():
    n = 6000  # 100 minutes of a beat a second, another shape and rate from the middle on
    turned = np.arange(n) >= n // 2
    times = np.cumsum(np.where(turned, 0.5, 1.0))
    one, other = np.hanning(256) ** 8, -(np.hanning(256) ** 4)
    windows = np.where(turned[:, None], other, one).astype(np.float32)
    found, features = shapes([500], windows, times), rhythm([500], windows, times)
    late = by_name("before_to_slow", features)
    assert late[n // 2 + 1000] == pytest.approx(np.log(0.5), abs=1e-3)
    assert np.corrcoef(found[n // 2 + 1000, 1], one)[0, 1] > 0.99
    # Half an hour later, 3,600 beats would be needed; the slow ones are forgotten before the end.
    past = PastInputs()
    more = np.concatenate([times, times[-1] + 0.5 * np.arange(1, 1500)])
    more_windows = np.concatenate([windows, np.tile(windows[-1], (1499, 1))])
    last = past.push(more_windows, more, np.append(np.diff(more), np.nan))
    assert by_name("before_to_slow", last.rhythm)[-1] == pytest.approx(0, abs=1e-3)
    assert np.corrcoef(last.shapes(slice(-1, None))[0, 1], other)[0, 1] > 0.99
    kept = past._recent.known
    assert len(kept.times_s) < 3700
    assert len(past._recent._arrays.times_s) < 2 * 3700


def test_in_a_steady_rhythm_it_is_what_a_whole_recording_says():
    times = 0.8 * np.arange(400)
    windows = np.tile(WINDOWS[1], (400, 1))
    whole = beat_inputs(windows, times)
    found = described([400], windows, times)[0]
    grows = [NAMES.index(name) for name in ("stretch_length",)]
    columns = [k for k in range(23) if k not in grows]
    np.testing.assert_allclose(found.rhythm[:, columns], whole.rhythm[:, columns], atol=1e-5)
    np.testing.assert_allclose(found.shapes(slice(None)), whole.shapes(slice(None)), atol=1e-5)


def test_intervals_after():
    times = np.array([1.0, 2.0, 4.5])
    assert intervals_after(times, 8.49)[:2].tolist() == [1.0, 2.5]
    assert np.isnan(intervals_after(times, 8.5)[2])  # a beat may still be rounded to there
    assert intervals_after(times, 8.52)[2] == 4.0
    assert intervals_after(times[:0], 8.5).shape == (0,)
