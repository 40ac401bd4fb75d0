"""When simulated beats come, and which."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.simulate import RHYTHMS, Simulation, demo, simulate, stream
from ectopy.simulate.rhythm import beats
from ectopy.simulate.shapes import SHAPE_SYMBOLS, draw_patient

if TYPE_CHECKING:
    from ectopy.beats import ReferenceBeats

CLEAN = {"noise_mv": 0.0, "wander_mv": 0.0, "mains_mv": 0.0}
FS = 100.0


def truth_of(duration_s: float, seed: int = 0, **settings: object) -> ReferenceBeats:
    return simulate(duration_s, FS, seed=seed, **{**CLEAN, **settings})[1]


def rr_of(truth: ReferenceBeats) -> np.ndarray:
    return np.diff(truth.peaks) / FS


def variation(rr_s: np.ndarray) -> float:
    return float(np.std(rr_s) / np.mean(rr_s))


def around(truth: ReferenceBeats, symbol: str) -> np.ndarray:
    """RR intervals (two before, two behind) of each single `symbol` among N; shape (beats, 4)."""
    pattern = ["N", "N", symbol, "N", "N"]
    found = [
        i for i in range(2, len(truth) - 2) if truth.symbols[i - 2 : i + 3].tolist() == pattern
    ]
    return np.array([np.diff(truth.peaks[i - 2 : i + 3]) / FS for i in found])


@pytest.mark.parametrize("rhythm", ["sinus", "mixed"])
def test_classes_follow_the_shares(rhythm: str) -> None:
    asked = {"s_share": 0.12, "v_share": 0.15, "f_share": 0.05, "paced_share": 0.12}
    rng = np.random.default_rng(5)
    sequence = beats(Simulation(rhythm=rhythm, **asked), draw_patient(rng), rng)
    symbols = SHAPE_SYMBOLS[[beat.shape for beat in islice(sequence, 40_000)]]
    for share, symbol in zip(asked.values(), "AVF/", strict=True):
        assert np.mean(symbols == symbol) == pytest.approx(share, rel=0.08)


def test_share_of_fibrillation() -> None:
    settings = Simulation(fs=100, seed=1, af_share=0.3, **CLEAN)
    episodes = np.concatenate([block.episodes for block in stream(settings, 2 * 3600)])
    assert np.mean(episodes == "atrial fibrillation") == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("seed", range(10))
def test_demo_holds_every_class_but_paced(seed: int) -> None:
    _, truth = demo(seed=seed)
    shares = np.bincount(truth.classes, minlength=5) / len(truth)
    assert np.all(shares >= [0.83, 0.01, 0.03, 0.003, 0])
    assert np.all(shares <= [0.95, 0.05, 0.10, 0.02, 0])


@pytest.mark.parametrize(
    ("rhythm", "symbols"),
    [
        ("sinus", {"N"}),
        ("bigeminy", {"N", "V"}),
        ("trigeminy", {"N", "V"}),
        ("ventricular run", {"N", "V"}),
        ("supraventricular run", {"N", "A"}),
        ("atrial fibrillation", {"N"}),
        ("paced", {"/"}),
        ("mixed", {"N", "A", "V", "F", "/"}),
    ],
)
def test_symbols_of_each_rhythm(rhythm: str, symbols: set[str]) -> None:
    assert set(truth_of(900, rhythm=rhythm).symbols.tolist()) == symbols


@pytest.mark.parametrize("bpm", [40.0, 72.0, 150.0])
@pytest.mark.parametrize("rhythm", ["sinus", "paced"])
def test_mean_rate_is_the_one_asked_for(rhythm: str, bpm: float) -> None:
    rr_s = rr_of(truth_of(600, rhythm=rhythm, heart_rate_bpm=bpm))
    assert 60 / rr_s.mean() == pytest.approx(bpm, rel=0.02)


def test_sinus_rhythm_follows_breathing() -> None:
    rr_s = rr_of(truth_of(600, rhythm="sinus", seed=2))
    assert 0.01 < variation(rr_s) < 0.08
    # Breathing takes 3.3 to 5.5 s, four to six beats here: that is where the RR series swings.
    power = np.abs(np.fft.rfft(rr_s - rr_s.mean())) ** 2
    cycles_per_s = np.fft.rfftfreq(len(rr_s)) / rr_s.mean()
    breathing = (cycles_per_s > 0.17) & (cycles_per_s < 0.31)
    assert power[breathing].sum() > 3 * power[cycles_per_s > 0.31].sum()


def test_ventricular_beats_are_early_with_a_full_pause() -> None:
    truth = truth_of(3600, rhythm="sinus", v_share=0.05, interpolated_share=0)
    rr_s = around(truth, "V")
    basic = (rr_s[:, 0] + rr_s[:, 3]) / 2
    assert len(rr_s) > 100
    assert np.all(rr_s[:, 1] < 0.85 * basic)
    np.testing.assert_allclose(rr_s[:, 1] + rr_s[:, 2], 2 * basic, rtol=0.1)
    assert np.mean((rr_s[:, 1] + rr_s[:, 2]) / basic) == pytest.approx(2, rel=0.01)


def test_interpolated_ventricular_beats_leave_the_sinus_rhythm_alone() -> None:
    truth = truth_of(
        3600, rhythm="sinus", heart_rate_bpm=55, v_share=0.05, interpolated_share=0.99, seed=2
    )
    rr_s = around(truth, "V")
    pair = (rr_s[:, 1] + rr_s[:, 2]) / ((rr_s[:, 0] + rr_s[:, 3]) / 2)
    assert np.mean((pair > 0.9) & (pair < 1.2)) > 0.9


def test_supraventricular_beats_are_early_and_reset_the_sinus_node() -> None:
    rr_s = around(truth_of(3600, rhythm="sinus", s_share=0.05), "A")
    basic = (rr_s[:, 0] + rr_s[:, 3]) / 2
    assert len(rr_s) > 100
    assert np.all(rr_s[:, 1] < 0.88 * basic)
    pair = (rr_s[:, 1] + rr_s[:, 2]) / basic
    assert np.all((pair > 1.4) & (pair < 2.05))
    assert np.mean(pair) < 1.85


def test_fusion_beats_come_almost_in_time() -> None:
    rr_s = around(truth_of(3600, rhythm="sinus", f_share=0.05), "F")
    basic = (rr_s[:, 0] + rr_s[:, 3]) / 2
    assert np.mean(rr_s[:, 1] / basic) == pytest.approx(0.95, abs=0.03)


def test_bigeminy_alternates() -> None:
    truth = truth_of(300, rhythm="bigeminy")
    assert set(truth.symbols[0::2].tolist()) | set(truth.symbols[1::2].tolist()) == {"N", "V"}
    assert len(set(truth.symbols[0::2].tolist())) == 1
    rr_s = rr_of(truth)
    to_v = truth.symbols[1:] == "V"
    assert rr_s[to_v].max() < rr_s[~to_v].min()


def test_trigeminy_has_every_third_beat_ventricular() -> None:
    places = np.flatnonzero(truth_of(300, rhythm="trigeminy").symbols == "V")
    assert set(np.diff(places).tolist()) == {3}


@pytest.mark.parametrize(
    ("rhythm", "symbol"), [("ventricular run", "V"), ("supraventricular run", "A")]
)
def test_runs_are_long_and_fast(rhythm: str, symbol: str) -> None:
    truth = truth_of(900, rhythm=rhythm)
    groups = [(s, len(list(g))) for s, g in groupby(truth.symbols.tolist())]
    runs = [n for s, n in groups[1:-1] if s == symbol]
    assert min(runs) >= 3
    assert max(runs) > 6
    inside = (truth.symbols[1:] == symbol) & (truth.symbols[:-1] == symbol)
    assert np.all(60 / rr_of(truth)[inside] > 110)


def test_fibrillation_is_irregular_and_pacing_is_not() -> None:
    sinus = variation(rr_of(truth_of(600, rhythm="sinus")))
    assert variation(rr_of(truth_of(600, rhythm="atrial fibrillation"))) > 3 * sinus
    assert variation(rr_of(truth_of(600, rhythm="paced"))) < 0.008  # rounding to samples


@pytest.mark.parametrize("rhythm", ["atrial fibrillation", "paced"])
def test_ventricular_beats_in_other_rhythms(rhythm: str) -> None:
    truth = truth_of(3600, rhythm=rhythm, v_share=0.1)
    assert np.mean(truth.symbols == "V") == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("bpm", [30.0, 72.0, 200.0])
@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_no_beat_in_the_refractory_time_and_no_standstill(rhythm: str, bpm: float) -> None:
    rr_s = rr_of(truth_of(900, rhythm=rhythm, heart_rate_bpm=bpm))
    assert rr_s.min() >= 0.25 - 1 / FS
    assert rr_s.max() < 2.3 * 60 / bpm


def test_episodes_name_the_rhythm_of_each_beat() -> None:
    settings = Simulation(fs=100, seed=3, **CLEAN)
    blocks = list(stream(settings, 3600))
    episodes = np.concatenate([block.episodes for block in blocks])
    symbols = np.concatenate([block.beats.symbols for block in blocks])
    assert set(episodes.tolist()) == set(RHYTHMS) - {"mixed"}
    assert set(symbols[episodes == "paced"].tolist()) == {"/"}
    assert set(symbols[episodes == "ventricular run"].tolist()) == {"V"}
    assert set(symbols[episodes == "supraventricular run"].tolist()) == {"A"}
