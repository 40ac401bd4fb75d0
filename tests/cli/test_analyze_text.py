"""What `ectopy analyze` prints of patterns, the screen for fibrillation and variability."""

from __future__ import annotations

from io import StringIO

import numpy as np
from rich.console import Console

from ectopy.analysis import Analysis
from ectopy.beats import CLASSES, BeatTable
from ectopy.cli.analyze import show_analysis


def printed(labels: str, gaps: np.ndarray) -> str:
    peaks = np.cumsum(np.concatenate([[500], np.round(1000 * gaps)])).astype(np.int64)
    probabilities = np.eye(5, dtype=np.float32)[[CLASSES.index(label) for label in labels]]
    analysis = Analysis(
        recording="r1",
        fs=1000.0,
        n_samples=int(peaks[-1]) + 500,
        start=None,
        lead="II",
        signal_mv=np.zeros(1, dtype=np.float32),
        beats=BeatTable(peaks, probabilities, 1000.0),
        beat_source="detected",
        model={"name": "m", "measured": None},
        reference=None,
        warnings=(),
        version="0",
    )
    console = Console(file=StringIO(), width=200)
    show_analysis(analysis, {}, console)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_patterns_are_counted_in_words() -> None:
    labels = "N" * 200 + "VVNVVNVVVNVNVNVNNVNNVN"
    text = printed(labels, np.full(len(labels) - 1, 0.5))
    assert (
        "V patterns      2 couplets, 1 triplet, 1 tachycardia, 1 episode of bigeminy, "
        "1 episode of trigeminy" in text
    )
    assert "S patterns" not in text
    assert "AF screen       no stretch of 30 s or more is irregular" in text
    assert "variability     SDNN 0 ms, RMSSD 0 ms, from " in text


def test_an_irregular_rhythm_is_told() -> None:
    gaps = np.random.default_rng(0).uniform(0.4, 1.1, 500)
    text = printed("N" * 501, gaps)
    assert "AF screen       irregular for 100.0 % of the time, once; no diagnosis" in text
    assert "from 500 normal intervals; says little, the rhythm is irregular" in text


def test_too_few_beats_for_screen_and_variability() -> None:
    text = printed("NN", np.array([0.8]))
    assert "AF screen       too few beats" in text
    assert "variability" not in text
