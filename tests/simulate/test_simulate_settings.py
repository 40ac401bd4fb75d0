"""The settings of a simulation: what they are by default and how wrong ones are refused."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.simulate import RHYTHMS, Simulation, dropouts, simulate, stream

RHYTHM_LIST = (
    "sinus, bigeminy, trigeminy, ventricular run, supraventricular run, atrial fibrillation, "
    "paced, mixed"
)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fs": 0}, "fs 0 Hz cannot be simulated; give 50 or more"),
        ({"fs": -360}, "fs -360 Hz cannot be simulated; give 50 or more"),
        ({"fs": float("nan")}, "fs nan Hz cannot be simulated; give 50 or more"),
        ({"fs": float("inf")}, "fs inf Hz cannot be simulated; give 50 or more"),
        ({"seed": -1}, "seed -1 is not usable; give a whole number from 0"),
        ({"seed": 1.5}, "seed 1.5 is not usable; give a whole number from 0"),
        ({"rhythm": "flutter"}, f"unknown rhythm 'flutter'; choose one of: {RHYTHM_LIST}"),
        (
            {"heart_rate_bpm": 300},
            "heart_rate_bpm 300 beats a minute cannot be simulated; give from 30 to 200",
        ),
        ({"noise_mv": -0.1}, "noise_mv -0.1 mV cannot be simulated; give from 0 to 10"),
        ({"wander_mv": 11}, "wander_mv 11 mV cannot be simulated; give from 0 to 10"),
        ({"mains_hz": 0}, "mains_hz 0 Hz cannot be simulated; give from 1 to 1000"),
        (
            {"dropouts_per_hour": 1000},
            "dropouts_per_hour 1000 an hour cannot be simulated; give from 0 to 360",
        ),
        ({"v_share": 1}, "v_share 1 is not a share of beats; give 0 or more and less than 1"),
        ({"s_share": -0.1}, "s_share -0.1 is not a share of beats; give 0 or more and less than 1"),
        (
            {"interpolated_share": 2},
            "interpolated_share 2 is not a share of beats; give 0 or more and less than 1",
        ),
        (
            {"rhythm": "bigeminy", "v_share": 0.1},
            "v_share does not apply to rhythm 'bigeminy', which takes no shares, its pattern "
            "fixes them",
        ),
        (
            {"rhythm": "sinus", "af_share": 0.1},
            "af_share does not apply to rhythm 'sinus', which takes s_share, v_share, f_share, "
            "paced_share",
        ),
        (
            {"rhythm": "sinus", "v_share": 0.3, "s_share": 0.2},
            "s_share, v_share and f_share sum to 0.5; give at most 0.4, the rest are basic beats",
        ),
        (
            {"paced_share": 0.5, "af_share": 0.3},
            "all shares sum to 0.96; give at most 0.8, the rest are basic beats",
        ),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SignalError) as caught:
        Simulation(**wrong)
    assert str(caught.value) == message


@pytest.mark.parametrize("duration_s", [0, -5, float("nan"), float("inf"), 0.001])
def test_wrong_duration_is_refused(duration_s: float) -> None:
    message = (
        f"duration_s {duration_s:g} s holds no sample; "
        "give a positive length in seconds, such as 60"
    )
    for make in (
        lambda: simulate(duration_s),
        lambda: stream(Simulation(), duration_s),
        lambda: dropouts(Simulation(), duration_s),
    ):
        with pytest.raises(SignalError) as caught:
            make()
        assert str(caught.value) == message


def test_wrong_block_is_refused_before_the_first_block() -> None:
    with pytest.raises(SignalError, match=r"^block_s 0 s holds no sample; give a positive length"):
        stream(Simulation(), 10, block_s=0)


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_shares_default_to_those_of_the_rhythm(rhythm: str) -> None:
    shares = Simulation(rhythm=rhythm).shares
    assert set(shares) == {"s_share", "v_share", "f_share", "paced_share", "af_share"}
    assert (sum(shares.values()) > 0) == (rhythm == "mixed")


def test_a_share_that_is_set_leaves_the_others() -> None:
    changed = Simulation(v_share=0.2).shares
    assert changed["v_share"] == 0.2
    assert changed["s_share"] == Simulation().shares["s_share"]


def test_settings_and_keywords_say_the_same() -> None:
    settings = Simulation(fs=250, seed=4, rhythm="sinus", v_share=0.1, noise_mv=0.05)
    recording, truth = simulate(20, **asdict(settings))
    again, truth_again = simulate(
        20, 250, seed=np.int64(4), rhythm="sinus", v_share=0.1, noise_mv=0.05
    )
    np.testing.assert_array_equal(recording.signal_mv, again.signal_mv)
    np.testing.assert_array_equal(truth.peaks, truth_again.peaks)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'noise'"):
        simulate(10, noise=1)
