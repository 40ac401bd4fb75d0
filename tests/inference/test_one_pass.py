"""Finding and classing in one pass: the same as one after the other, and nothing left running."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from ectopy.errors import SignalError
from ectopy.inference import one_pass
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import BeatFinder, shipped_finder
from ectopy.inference.one_pass import find_and_classify
from ectopy.models.bundle import find_bundle
from ectopy.readers.lead import Lead
from ectopy.simulate import simulate

FS = 128.0
BUNDLE = find_bundle("rhythm-kan")


@pytest.fixture(scope="module")
def half_hour() -> np.ndarray:
    recording, _ = simulate(1800, fs=FS, seed=8, rhythm="mixed")
    return np.ascontiguousarray(recording.signal_mv[:, 0])


def no_look(block_mv: np.ndarray) -> None:
    pass


def lead_of(half_hour: np.ndarray, pattern: str) -> Lead:
    """Half hours with signal (x) and without (.), and shorter rests (1 for a tenth)."""
    missing = np.full(len(half_hour), np.nan, dtype=np.float32)
    tenth = half_hour[: len(half_hour) // 10]
    return Lead.of(
        np.concatenate([{"x": half_hour, ".": missing, "1": tenth}[sign] for sign in pattern]), FS
    )


@pytest.mark.parametrize("pattern", ["1", "x", "x1", "xxxx111", "x...x1", ".x", "1."])
@pytest.mark.parametrize("model", ["rhythm-kan", "cnn-mlp"])
def test_it_is_what_one_after_the_other_gives(half_hour, pattern, model):
    lead, bundle = lead_of(half_hour, pattern), find_bundle(model)
    expected = shipped_finder().find_lead(lead)
    looked: list[np.ndarray] = []
    found, probabilities = find_and_classify(shipped_finder(), bundle, lead, seen=looked.append)
    for name in ("peaks", "confidences", "positions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_array_equal(
        probabilities, Classifier(bundle).classify_lead(lead, expected.positions)
    )
    assert len(found) > 100
    np.testing.assert_array_equal(np.concatenate(looked), lead.read())


def test_threads_change_nothing(half_hour):
    lead = lead_of(half_hour, "xx1")
    results = [
        find_and_classify(BeatFinder(threads=threads), BUNDLE, lead, seen=no_look)
        for threads in (1, 2, 5)
    ]
    for found, probabilities in results[1:]:
        np.testing.assert_array_equal(found.positions, results[0][0].positions)
        np.testing.assert_array_equal(probabilities, results[0][1])


def test_classing_begins_while_beats_are_being_found(half_hour):
    told: list[tuple[str, float]] = []
    find_and_classify(
        shipped_finder(),
        BUNDLE,
        lead_of(half_hour, "xxxxxx"),
        seen=no_look,
        searched=lambda up_to_s: told.append(("searched", up_to_s)),
        classed=lambda up_to_s: told.append(("classed", up_to_s)),
    )
    names = [name for name, _ in told]
    assert names.index("classed") < len(names) - 1 - names[::-1].index("searched")
    for name in ("searched", "classed"):
        times = [up_to_s for each, up_to_s in told if each == name]
        assert times == sorted(times)
        assert times[-1] == 6 * 1800


@pytest.mark.parametrize("n_beats", [0, 1])
def test_of_one_beat_or_none_nothing_is_classed(half_hour, n_beats):
    signal = np.full(int(20 * FS), np.nan, dtype=np.float32)
    peak = shipped_finder().find(half_hour, FS).peaks[20]
    if n_beats:  # a second and a half around one beat
        signal[1200:1392] = half_hour[peak - 96 : peak + 96]
    found, probabilities = find_and_classify(
        shipped_finder(), BUNDLE, Lead.of(signal, FS), seen=no_look
    )
    assert len(found) == n_beats
    assert probabilities.shape == (0, 5)


@pytest.mark.parametrize("at", [0, 3, 7])
def test_what_a_look_raises_is_raised_and_no_thread_is_left(half_hour, at):
    before = threading.active_count()
    looks = 0

    def look(block_mv: np.ndarray) -> None:
        nonlocal looks
        looks += 1
        if looks == at + 1:
            raise SignalError("no")

    with pytest.raises(SignalError, match="no"):
        find_and_classify(shipped_finder(), BUNDLE, lead_of(half_hour, "xxxx"), seen=look)
    assert looks == at + 1
    assert threading.active_count() == before


def test_what_classing_raises_is_raised(half_hour, monkeypatch):
    def refuse(*_: object) -> None:
        raise SignalError("not this part")

    monkeypatch.setattr(one_pass.Classifier, "classify_part", refuse)
    with pytest.raises(SignalError, match="not this part"):
        find_and_classify(shipped_finder(), BUNDLE, lead_of(half_hour, "xxx"), seen=no_look)


def test_half_hours_that_wait_hold_up_the_search(half_hour, monkeypatch):
    """They hold the places of their beats, and there may be hundreds of them."""
    class_part, add = Classifier.classify_part, one_pass._Classing.add

    def slow(self: Classifier, *rest: object, **more: object) -> np.ndarray:
        time.sleep(0.05)
        return class_part(self, *rest, **more)

    def most_waiting(bound: int) -> int:
        waiting = []

        def counted(self: one_pass._Classing, positions: np.ndarray) -> None:
            add(self, positions)
            waiting.append(len(self._waiting))

        with monkeypatch.context() as patches:
            patches.setattr(one_pass, "MOST_WAITING", bound)
            patches.setattr(Classifier, "classify_part", slow)
            patches.setattr(one_pass._Classing, "add", counted)
            lead = lead_of(half_hour, 8 * "x")
            find_and_classify(BeatFinder(threads=6), BUNDLE, lead, seen=no_look)
        return max(waiting)

    assert most_waiting(1) == 1
    assert most_waiting(100) > 1
