"""Which lead is analysed."""

from __future__ import annotations

import numpy as np
import pytest

import ectopy
from ectopy.errors import LeadNotFound
from ectopy.inference.leads import LeadChoice, choose_lead, is_dead, survey
from ectopy.readers.lead import Lead
from ectopy.readers.source import MemorySource
from ectopy.recording import Recording
from ectopy.simulate import simulate


@pytest.fixture(scope="module")
def ecg() -> np.ndarray:
    return simulate(60, seed=5, rhythm="sinus")[0].signal_mv[:, 0]


def source(**leads: np.ndarray) -> MemorySource:
    signal = np.stack(list(leads.values()), axis=1).astype(np.float32)
    return MemorySource.of(Recording(signal, 360.0, tuple(leads), "r"))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.5, n)


def test_a_preferred_name_comes_first(ecg):
    both = source(V5=ecg, II=noise(len(ecg)))
    assert choose_lead(both) == LeadChoice(1)
    assert choose_lead(both, preference=("V5",)) == LeadChoice(0)


@pytest.mark.parametrize("dead", [np.nan, 0.0, 1.5])
def test_a_dead_lead_gives_way_and_that_is_told(ecg, dead):
    recording = source(MLII=np.full(len(ecg), dead), V1=noise(len(ecg)), V5=ecg)
    assert choose_lead(recording) == LeadChoice(
        2, "lead MLII has no signal at all; lead V5 is analysed in its place"
    )


def test_a_lead_that_lives_for_a_while_is_not_dead(ecg):
    some = np.zeros(len(ecg))
    some[-3600:] = ecg[-3600:]
    assert choose_lead(source(MLII=some, V5=ecg)) == LeadChoice(0)


def test_without_a_preferred_name_the_best_is_taken(ecg):
    worse = ecg.copy()
    worse[3600:9000] = 0
    assert choose_lead(source(V1=noise(len(ecg)), V2=worse, V5=ecg, V6=ecg)) == LeadChoice(2)
    assert choose_lead(source(V1=ecg, V2=ecg)) == LeadChoice(0)


def test_the_lead_asked_for_is_taken_whatever_it_is(ecg):
    recording = source(MLII=ecg, V1=np.zeros(len(ecg)))
    assert choose_lead(recording, "v1") == LeadChoice(1)
    with pytest.raises(LeadNotFound, match="no lead 'V9'"):
        choose_lead(recording, "V9")


def test_where_all_are_dead_nothing_changes():
    assert choose_lead(source(V1=np.zeros(9000), MLII=np.full(9000, np.nan))) == LeadChoice(1)


def test_a_long_lead_is_judged_by_pieces(ecg):
    long = np.tile(ecg, 20)
    long[len(long) // 2 :] = 0
    assert survey(Lead.of(long.astype(np.float32), 360.0)) == pytest.approx(50, abs=8)


def test_dead_in_every_piece(ecg):
    long = np.zeros(10 * len(ecg), dtype=np.float32)
    assert is_dead(Lead.of(long, 360.0))
    long[-2000:] = ecg[:2000]
    assert not is_dead(Lead.of(long, 360.0))


def test_an_analysis_says_which_lead_it_took(ecg):
    recording = Recording(
        np.stack([np.zeros(len(ecg)), ecg], axis=1).astype(np.float32), 360.0, ("MLII", "V5"), "r"
    )
    analysis = ectopy.analyze(recording)
    assert analysis.lead == "V5"
    assert analysis.warnings[0].startswith("lead MLII has no signal at all; lead V5 is")


def test_the_next_preferred_lead_goes_before_others():
    recording, _ = simulate(60, seed=1)
    dead, good = np.zeros(recording.n_samples, np.float32), recording.signal_mv[:, 0].copy()
    good[3600:4700] = 0  # a few seconds without signal
    signal = np.stack([dead, good, recording.signal_mv[:, 1]], axis=1)
    source = MemorySource.of(Recording(signal, recording.fs, ("MLII", "II", "V1"), "rec"))
    chosen = choose_lead(source)
    assert chosen.column == 1
    assert chosen.warning == "lead MLII has no signal at all; lead II is analysed in its place"
