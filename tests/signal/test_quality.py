"""What is said about bad leads, and that nothing is said about good ones."""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import SignalError
from ectopy.readers import read
from ectopy.signal.quality import LeadCheck, check_lead
from ectopy.simulate import simulate

FS = 250.0


@pytest.fixture
def signal() -> np.ndarray:
    """One minute of waves and noise."""
    time_s = np.arange(0, 60, 1 / FS)
    noise = np.random.default_rng(0).normal(0, 0.02, len(time_s))
    return (np.sin(2 * np.pi * 1.2 * time_s) ** 15 + noise).astype(np.float32)


def refusal(signal: np.ndarray) -> str:
    with pytest.raises(SignalError) as caught:
        check_lead(signal, FS, "MLII")
    return str(caught.value)


def test_a_good_lead(signal):
    assert check_lead(signal, FS, "MLII") == ()


def test_missing_samples(signal):
    signal[:140] = np.nan  # 0.93 %
    assert check_lead(signal, FS, "MLII") == ()
    signal[:3000] = np.nan
    assert check_lead(signal, FS, "MLII") == (
        "lead MLII misses 20.0 % of its samples; no beats are found there",
    )


def test_flat_stretches(signal):
    signal[:3000] = 0.3
    assert check_lead(signal, FS, "MLII") == (
        "lead MLII is flat for 20.0 % of its samples; no beats are found there",
    )


def test_a_pause_shorter_than_a_second_is_not_flat(signal):
    for start in range(0, len(signal) - 500, 500):
        signal[start : start + 249] = 0.3
    assert check_lead(signal, FS, "MLII") == ()
    signal[:250] = 0.3
    signal[1000:1250] = 0.3
    assert check_lead(signal, FS, "MLII") == (
        "lead MLII is flat for 3.3 % of its samples; no beats are found there",
    )


def test_clipping_at_one_end(signal):
    assert check_lead(np.minimum(signal, 0.8), FS, "MLII")[0].startswith(
        "lead MLII is clipped for "
    )
    few = signal.copy()
    few[few > 0.99 * few.max()] = few.max()
    assert check_lead(few, FS, "MLII") == ()


def test_everything_at_once(signal):
    signal = np.minimum(signal, 0.5)
    signal[:3000] = np.nan
    signal[3000:6000] = 0.1
    found = check_lead(signal, FS, "V1")
    assert [text.split()[2] for text in found] == ["misses", "is", "is"]
    assert all(text.startswith("lead V1 ") for text in found)


def test_hopeless_leads(signal):
    nothing = np.full(len(signal), np.nan)
    assert refusal(nothing) == (
        "lead MLII has no signal: all samples are missing; choose another lead"
    )
    assert refusal(np.zeros(len(signal))) == (
        "lead MLII has no signal: it is flat throughout; choose another lead"
    )
    nothing[:3000] = 1.0
    nothing[6000:9000] = -1.0
    assert refusal(nothing) == (
        "lead MLII has no signal: it is flat throughout; choose another lead"
    )
    assert re.fullmatch(
        r"lead MLII is clipped at both ends of its range for \d\d\.\d % of its samples; "
        "choose another lead",
        refusal(np.clip(1000 * signal, -1, 1)),
    )


def test_the_resting_level_of_a_signal_without_noise_is_not_refused():
    time_s = np.arange(0, 60, 1 / FS)
    pulses = np.maximum(0, np.sin(2 * np.pi * 1.2 * time_s) - 0.9).astype(np.float32)
    assert len(check_lead(pulses, FS, "II")) == 1


@pytest.mark.parametrize("shape", [(0,), (100, 2)])
def test_what_is_no_lead(shape):
    assert refusal(np.zeros(shape)) == (
        f"lead MLII has shape {shape}; expected (samples,) and at least one"
    )


def test_no_false_alarm_on_the_real_records(mitdb_dir):
    # 116 is clipped for 2.6 s in all, the most of the 48; 103 and 223 for less.
    records = sorted(mitdb_dir.glob("*.hea"))
    assert len(records) == 48
    for record in records:
        recording = read(record)
        for name, lead in zip(recording.leads, recording.signal_mv.T, strict=True):
            assert check_lead(lead, recording.fs, name) == ()


@pytest.mark.parametrize(
    ("factor", "shown"), [(0.001, "0.002"), (0.02, "0.041"), (12, "24"), (1000, "2041")]
)
def test_a_wrong_unit(signal, factor, shown):
    expected = f"lead II: typical deflection of {shown} mV; is the signal in millivolts?"
    assert check_lead(signal * factor, FS, "II") == (expected,)
    # One artefact does not hide it, nor does a part that is missing or flat.
    signal[3000:3010] = 50
    signal[5000:9000] = np.nan
    signal[9000:] = 0
    missing, flat, unit = check_lead(signal * factor, FS, "II")
    assert "misses" in missing
    assert "flat" in flat
    assert unit.endswith("is the signal in millivolts?")


@pytest.mark.parametrize("factor", [0.03, 0.1, 5, 9])
def test_small_and_large_waves_are_no_wrong_unit(signal, factor):
    assert check_lead(signal * factor, FS, "II") == ()


def test_a_lead_that_is_mostly_missing_or_flat_has_its_unit_judged_by_the_rest(signal):
    signal[1000:8000] = np.nan
    signal[8000:] = 0.2
    assert len(check_lead(signal, FS, "II")) == 2
    assert check_lead(signal[:100], FS, "II") == ()  # shorter than one block


def test_no_false_alarm_on_simulated_signals():
    for seed in range(3):
        recording, _ = simulate(30, seed=seed)
        for name, lead in zip(recording.leads, recording.signal_mv.T, strict=True):
            assert check_lead(lead, recording.fs, name) == ()


def test_a_real_record_in_volts_or_counts(mitdb_dir):
    name, lead = read(mitdb_dir / "100").lead()
    for factor in (0.001, 200):
        found = check_lead(lead * factor, 360, name)
        assert [text.split(";")[1] for text in found] == [" is the signal in millivolts?"]


@pytest.mark.parametrize("block", [1, 7, 1000, 40_000])
def test_blocks_tell_what_the_whole_tells(block):
    """Gaps, flat stretches and clipping lie across the borders of the blocks."""
    rng = np.random.default_rng(8)
    fs = 100.0
    signal = np.cumsum(rng.normal(0, 0.05, 40_000)).astype(np.float32)
    signal -= np.linspace(0, signal[-1], len(signal), dtype=np.float32)
    signal = signal.clip(np.quantile(signal, 0.02), np.quantile(signal, 0.97))
    signal[3500:4700] = np.nan
    signal[6990:8010] = signal[6990]
    signal[20_000:20_150] = signal[20_000]
    if block < 10:
        signal = signal[2000:9000]
    check = LeadCheck(fs, "II")
    for start in range(0, len(signal), block):
        check.push(signal[start : start + block])
    found, whole = check.finish(), check_lead(signal, fs, "II")
    assert len(whole) == (2 if block < 10 else 3)
    assert found[: len(whole)] == whole  # blocks of a few samples have no typical deflection


def test_nothing_but_flat_blocks():
    check = LeadCheck(250, "II")
    for _ in range(9):
        check.push(np.full(100, 0.25, np.float32))
    with pytest.raises(SignalError, match="it is flat throughout"):
        check.finish()


def told_of(signal: np.ndarray) -> tuple[str, ...]:
    """What a loop over the runs of equal samples says of a lead in millivolts."""
    known = [value for value in signal.tolist() if np.isfinite(value)]
    runs = [(value, len(list(same))) for value, same in groupby(signal.tolist())]
    runs = [(value, length) for value, length in runs if np.isfinite(value)]
    flat = sum(length for _, length in runs if length >= FS)
    low, high = (
        sum(length for value, length in runs if length >= 5 and value == extreme) / len(signal)
        for extreme in (min(known), max(known))
    )
    return tuple(
        f"lead II {what} {100 * share:.1f} % of its samples"
        for what, share, limit in (
            ("misses", (len(signal) - len(known)) / len(signal), 0.01),
            ("is flat for", flat / len(signal), 0.01),
            ("is clipped for", low + high, 0.005),
        )
        if share >= limit
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 4000), min_size=1, max_size=4))
def test_any_blocks_say_what_a_loop_does(seed, sizes):
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 0.3, 8000).astype(np.float32).round(2)
    for _ in range(rng.integers(1, 8)):
        start, length = rng.integers(0, 8000), rng.choice([3, 20, 200, 260, 900])
        signal[start : start + length] = rng.choice([np.nan, np.inf, 0.1, 3.0, 3.0, -3.0])
    if max(sizes) < 100:
        sizes = [*sizes, 1000]
    check, first, number = LeadCheck(FS, "II"), 0, 0
    while first < len(signal):
        size = sizes[number % len(sizes)]
        check.push(signal[first : first + size])
        first, number = first + size, number + 1
    said = check.finish()
    assert tuple(text.split(";")[0] for text in said if "typical" not in text) == told_of(signal)
