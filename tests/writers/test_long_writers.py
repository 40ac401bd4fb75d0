"""What writers choose from recordings longer than one piece is what whole arrays give."""

import numpy as np

from ectopy.beats import CLASSES, BeatTable
from ectopy.mapped import PIECE
from ectopy.writers.paper import ECTOPIC, MAX_ROWS, ROW_S, busiest_window
from ectopy.writers.report_beats import SAMPLED, SHOWN, _choose

FS = 250.0


def long_beats(n: int) -> BeatTable:
    rng = np.random.default_rng(4)
    rest = rng.uniform(0.0, 0.1, (n, len(CLASSES))).astype(np.float32)
    classes = np.where(rng.random(n) < 0.98, 0, rng.integers(0, len(CLASSES), n))
    rest[np.arange(n), classes] = rng.uniform(0.5, 1.0, n)
    usable = rng.random(n) < 0.99
    return BeatTable(np.cumsum(rng.integers(120, 320, n)), rest, FS, usable)


def test_the_busiest_minute_of_a_long_recording() -> None:
    beats = long_beats(40_000)
    duration_s = beats.times_s[-1] + 0.7
    span = ROW_S * MAX_ROWS
    assert duration_s > 2 * PIECE
    starts = np.append(np.arange(int(duration_s - span) + 1), duration_s - span)
    scores = np.zeros(len(starts))
    for name in ECTOPIC:
        times = beats.times_s[beats.classes == CLASSES.index(name)]
        scores += np.sqrt(np.searchsorted(times, starts + span) - np.searchsorted(times, starts))
    best = np.flatnonzero(scores > scores.max() - 1e-9)
    stretch = best[: int(np.argmax(np.append(np.diff(best), 2) > 1)) + 1]
    start = float(starts[stretch[len(stretch) // 2]])
    assert busiest_window(beats, duration_s) == (start, start + span)


def test_typical_and_uncertain_beats_are_chosen_from_all() -> None:
    beats = long_beats(3 * PIECE + 5)
    for index in range(len(CLASSES)):
        mine = np.flatnonzero(beats.classes == index)
        sure = beats.confidences[mine]
        assert np.array_equal(beats.confidences_of(index), sure)
        sample, least, n = _choose(beats, index)
        assert n == len(mine)
        assert least.tolist() == mine[np.argsort(sure)[:SHOWN]].tolist()
        upper = mine[sure >= np.median(sure)]
        places = np.linspace(0, len(upper) - 1, min(SAMPLED, len(upper))).round().astype(int)
        assert sample.tolist() == upper[places].tolist()
