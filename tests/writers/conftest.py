"""Small analyses to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ectopy.analysis import Analysis
from ectopy.beats import CLASSES, BeatTable

if TYPE_CHECKING:
    from collections.abc import Callable


def small_analysis(
    labels: str = "NSVFQNNN",
    *,
    duration_s: float = 10.0,
    fs: float = 250.0,
    peaks: list[int] | None = None,
    unusable: tuple[int, ...] = (),
    **changes: Any,
) -> Analysis:
    """A bell of 1 mV and 0.03 s for each beat, evenly spaced where no peaks are given."""
    n_samples = round(duration_s * fs)
    if peaks is None:
        middles = (np.arange(len(labels)) + 0.5) / max(len(labels), 1)
        places = (middles * n_samples).astype(np.int64)
    else:
        places = np.array(peaks, dtype=np.int64)
    signal_mv = np.zeros(n_samples)
    around = np.arange(-round(0.2 * fs), round(0.2 * fs) + 1)
    bell = np.exp(-0.5 * (around / fs / 0.03) ** 2)
    for place in places[places < n_samples]:
        inside = (place + around >= 0) & (place + around < n_samples)
        signal_mv[(place + around)[inside]] += bell[inside]
    probabilities = np.full((len(labels), 5), 0.05, dtype=np.float32)
    probabilities[np.arange(len(labels)), [CLASSES.index(label) for label in labels]] = 0.8
    usable = np.ones(len(labels), dtype=np.bool_)
    usable[list(unusable)] = False
    content: dict[str, Any] = {
        "recording": "r1",
        "fs": fs,
        "n_samples": n_samples,
        "start": None,
        "lead": "MLII",
        "signal_mv": signal_mv.astype(np.float32),
        "beats": BeatTable(places, probabilities, fs, usable),
        "beat_source": "detected",
        "model": {"name": "cnn-mlp/intra", "measured": {"protocol": "intra", "accuracy": 0.98}},
        "reference": None,
        "warnings": (),
        "version": "0.1.0",
    }
    return Analysis(**{**content, **changes})


@pytest.fixture(scope="session")
def make_analysis() -> Callable[..., Analysis]:
    """Function that makes a small analysis; see `small_analysis`."""
    return small_analysis
