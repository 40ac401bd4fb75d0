"""Rhythm features: by hand for simple rhythms, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.signal.rhythm import (
    LONGEST_S,
    RHYTHM_FEATURES,
    SHORTEST_S,
    around,
    log_intervals,
    rhythm_features,
)

NAMES = list(RHYTHM_FEATURES)


def features(intervals: list[float]) -> dict[str, np.ndarray]:
    """Features by name of beats with these intervals before them; a first beat comes on top."""
    times = np.cumsum([0.0, *intervals])
    return dict(zip(NAMES, rhythm_features(times).T, strict=True))


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-5)


def test_each_name_once_and_a_column_for_it():
    assert len(set(NAMES)) == len(NAMES) == 22
    assert all(text and not text.endswith(".") for text in RHYTHM_FEATURES.values())
    found = rhythm_features(np.arange(20.0))
    assert found.shape == (20, len(NAMES))
    assert found.dtype == np.float32


def test_a_regular_rhythm_is_nothing():
    found = features([0.8] * 99)
    still = set(NAMES) - {"stretch_length", "stretch_age", "alike", "alike_around"}
    for name in still:
        np.testing.assert_allclose(found[name], 0, atol=1e-6, err_msg=name)
    for name in ("alike", "alike_around"):
        np.testing.assert_allclose(found[name], np.log(1.02), rtol=1e-5, err_msg=name)  # all are
    np.testing.assert_allclose(found["stretch_length"], 2.0)  # log of 100, at most 4, halved
    age = np.minimum(np.log1p(np.arange(100)), 4) / 2
    np.testing.assert_allclose(found["stretch_age"], age, rtol=1e-6)


def test_a_single_premature_beat():
    """After 0.5 s where 0.8 s are usual, and a pause that makes up for it."""
    found = features([0.8] * 40 + [0.5, 1.1] + [0.8] * 40)
    early, pause = np.log(0.5 / 0.8), np.log(1.1 / 0.8)
    beat = 41
    expected = {
        "before_to_median": early,
        "after_to_median": pause,
        "before_to_long": early,
        "before_to_overall": early,
        "before_to_slow": early,
        "change": early,
        "previous_to_median": 0.0,
        "next_to_median": 0.0,
        "second_previous_to_median": 0.0,
        "median_to_long": 0.0,
        "irregularity": 0.0,
        "least_irregularity": 0.0,
        "irregularity_long": 0.0,
        "alike": np.log(1 / 61 + 0.02),
        "alike_around": np.log((58 * 59 + 60 + 2) / 61**2 + 0.02),
        "pair_to_median": 0.0,
        "stretch_to_past": early,
        "stretch_to_future": early,
        "before_to_past": early,
        "before_to_future": early,
        "stretch_length": 0.0,
        "stretch_age": 0.0,
    }
    assert {name: float(found[name][beat]) for name in NAMES} == {
        name: near(value) for name, value in expected.items()
    }
    assert found["change"][beat + 1] == near(np.log(1.1 / 0.5))
    assert found["previous_to_median"][beat + 1] == near(early)
    assert found["second_previous_to_median"][beat + 2] == near(early)
    assert found["next_to_median"][beat - 1] == near(pause)
    assert found["pair_to_median"][beat - 1] == near(np.log(0.65 / 0.8))


def test_a_run():
    """Five beats at 0.5 s within beats at 0.8 s: each knows what was before and after the run."""
    found = features([0.8] * 30 + [0.5] * 5 + [0.8] * 30)
    run = slice(31, 36)
    for name in ("stretch_to_past", "stretch_to_future", "before_to_past", "before_to_future"):
        np.testing.assert_allclose(found[name][run], np.log(0.5 / 0.8), rtol=1e-5)
    np.testing.assert_allclose(found["stretch_length"][run], np.log(5) / 2, rtol=1e-5)
    np.testing.assert_allclose(found["stretch_age"][run], np.log1p(np.arange(5)) / 2, rtol=1e-5)
    changes = [np.log(0.5 / 0.8), 0, 0, 0, 0]
    np.testing.assert_allclose(found["change"][run], changes, atol=1e-5)


def test_a_long_run_hides_from_the_median_but_not_from_the_long_intervals():
    found = features([0.8] * 60 + [0.5] * 30 + [0.8] * 60)
    middle = 75
    assert found["before_to_median"][middle] == near(0)
    names = ("before_to_long", "before_to_overall", "before_to_slow", "before_to_past")
    for name in (*names, "median_to_long"):
        assert found[name][middle] == near(np.log(0.5 / 0.8)), name


def test_more_early_beats_than_late_ones():
    """As in a sick sinus: three beats at 0.6 s between pauses, so that the median is theirs."""
    found = features(([1.2] + [0.6] * 3) * 40)
    early = np.arange(60, 100)[(np.arange(60, 100) - 1) % 4 != 0]
    late = np.arange(60, 100)[(np.arange(60, 100) - 1) % 4 == 0]
    np.testing.assert_allclose(found["before_to_median"][early], 0, atol=1e-5)
    np.testing.assert_allclose(found["before_to_overall"][early], np.log(0.5), atol=1e-5)
    np.testing.assert_allclose(found["before_to_long"][early], np.log(0.5), atol=1e-5)
    np.testing.assert_allclose(found["before_to_overall"][late], 0, atol=1e-5)
    np.testing.assert_allclose(found["least_irregularity"][60:100], 0, atol=1e-5)  # four apart


def test_so_many_early_beats_that_only_the_slowest_tell():
    """Nine beats at 0.6 s between pauses: of ten intervals nine are early, more than 80 %."""
    found = features(([1.2] + [0.6] * 9) * 40)
    early = np.arange(60, 160)[(np.arange(60, 160) - 1) % 10 != 0]
    late = np.arange(60, 160)[(np.arange(60, 160) - 1) % 10 == 0]
    for name in ("before_to_median", "before_to_long", "before_to_overall"):
        np.testing.assert_allclose(found[name][early], 0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(found["before_to_slow"][early], np.log(0.5), atol=1e-5)
    np.testing.assert_allclose(found["before_to_slow"][late], 0, atol=1e-5)


def test_a_pause():
    found = features([0.8] * 30 + [2.4] + [0.8] * 30)
    beat = 31
    assert found["before_to_median"][beat] == near(np.log(3))
    assert found["after_to_median"][beat] == near(0)
    assert found["change"][beat] == near(np.log(3))
    assert found["change"][beat + 1] == near(-np.log(3))
    assert found["stretch_to_past"][beat] == near(np.log(3))
    assert found["before_to_overall"][10] == near(0)


def test_irregular_intervals():
    rng = np.random.default_rng(0)
    wild = features(list(0.8 * np.exp(rng.normal(0, 0.25, 300))))
    calm = features(list(0.8 * np.exp(rng.normal(0, 0.01, 300))))
    pairs = features([0.5, 1.1] * 150)
    for name in ("irregularity", "least_irregularity"):
        assert wild[name].min() > 0.1 > 0.03 > calm[name].max(), name
    assert wild["irregularity_long"].min() > 0.15 > 0.03 > calm["irregularity_long"].max()
    assert pairs["irregularity"].min() == near(np.log(1.1 / 0.5))
    assert pairs["least_irregularity"].max() == near(0)  # bigeminy is regular two beats apart


@pytest.mark.parametrize("factor", [0.6, 0.93, 1.7])
def test_the_patient_s_own_rate_does_not_matter(factor):
    rng = np.random.default_rng(1)
    intervals = 0.9 * np.exp(rng.normal(0, 0.3, 200)).clip(0.5, 2)
    times = np.cumsum(intervals)
    np.testing.assert_allclose(rhythm_features(times * factor), rhythm_features(times), atol=1e-5)
    np.testing.assert_allclose(rhythm_features(times + 3600), rhythm_features(times), atol=1e-5)


def test_intervals_are_kept_within_limits():
    times = np.cumsum([0, 0.8, 0.8, 0.01, 60.0, 0.8])
    expected = np.log([0.8, 0.8, SHORTEST_S, LONGEST_S, 0.8])
    np.testing.assert_allclose(log_intervals(times)[1:], expected)
    assert log_intervals(times)[0] == pytest.approx(np.log(0.8))  # the median stands in


@pytest.mark.parametrize("n", [2, 3, 4, 5, 9, 18, 31])
@pytest.mark.parametrize("kind", ["even", "wild", "same"])
def test_few_beats_are_enough(n, kind):
    rng = np.random.default_rng(n)
    times = {
        "even": 0.8 * np.arange(n),
        "wild": np.cumsum(rng.uniform(0.1, 5, n)),
        "same": np.zeros(n),
    }[kind]
    found = rhythm_features(times)
    assert found.shape == (n, len(NAMES))
    assert np.isfinite(found).all()


def test_the_first_two_beats_by_hand():
    found = rhythm_features(np.array([0.0, 0.8]))
    set_apart = ("stretch_length", "stretch_age", "alike", "alike_around")
    zero = [name for name in NAMES if name not in set_apart]
    for name in zero:
        np.testing.assert_allclose(found[:, NAMES.index(name)], 0, atol=1e-6, err_msg=name)


def test_ectopic_beats_among_regular_ones_are_no_fibrillation():
    """Every third beat early, at its own coupling: most intervals have others like them."""
    rng = np.random.default_rng(1)
    early = rng.uniform(0.45, 0.7, 80)
    ectopy = features([rr for one in early for rr in (0.8, one, 1.1)])
    wild = features(list(0.8 * np.exp(rng.normal(0, 0.25, 240))))
    assert ectopy["irregularity"].min() > 0.25  # no more regular than fibrillation
    assert wild["irregularity"].min() < 0.25
    assert ectopy["alike_around"][60:180].min() > -1.3 > wild["alike_around"][60:180].max()
    beats = np.arange(61, 181)
    normal = (beats - 1) % 3 == 0
    assert ectopy["alike"][beats[normal]].min() > ectopy["alike"][beats[(beats - 1) % 3 == 1]].max()


def test_a_minute_of_irregular_beats_is_not_two():
    rng = np.random.default_rng(2)
    wild = list(0.8 * np.exp(rng.normal(0, 0.25, 40)))
    found = features([0.8] * 100 + wild + [0.8] * 100)
    assert found["irregularity"][120] > 0.2
    assert found["irregularity_long"][120] < 0.02


@pytest.mark.parametrize("n", [0, 1])
def test_one_beat_has_no_rhythm(n):
    with pytest.raises(SignalError) as caught:
        rhythm_features(np.zeros(n))
    assert str(caught.value) == (f"{n} beat: rhythm needs at least 2; give a longer recording")


def test_some_beats_stand_for_the_recording():
    intervals = np.array([0.8] * 50 + [0.5] * 50)
    times = np.cumsum(intervals)
    columns = [NAMES.index(name) for name in ("before_to_overall", "before_to_slow")]
    whole = rhythm_features(times)
    first, second = (rhythm_features(times, own) for own in (slice(0, 50), slice(50, 100)))
    np.testing.assert_allclose(whole[50:, columns], np.log(0.5 / 0.8), atol=1e-5)
    np.testing.assert_allclose(first[50:, columns], np.log(0.5 / 0.8), atol=1e-5)
    np.testing.assert_allclose(second[51:, columns], 0, atol=1e-5)
    np.testing.assert_allclose(second[1:50, columns], np.log(0.8 / 0.5), atol=1e-5)
    others = [k for k in range(len(NAMES)) if k not in columns]
    np.testing.assert_array_equal(whole[:, others], second[:, others])


@pytest.mark.parametrize("n", [2, 8, 9, 40])
def test_values_around(n):
    values = np.arange(float(n))
    found = around(values, 8)
    assert found.shape == (n, 17)
    assert np.array_equal(found[:, 8], values)
    if n > 8:  # mirrored without the end itself twice
        assert found[0].tolist() == [*range(8, 0, -1), *range(9)]
    else:
        assert found[0, :9].tolist() == [0.0] * 9
