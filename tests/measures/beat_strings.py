"""Beats written as letters, for tests of what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES, BeatTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FS = 1000.0


def beats(
    labels: str, intervals_s: Sequence[float] | float = 0.8
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Times and classes of beats; ``x`` is one that could not be classed."""
    gaps = np.broadcast_to(intervals_s, max(len(labels) - 1, 0))
    times = np.concatenate([[0.5], 0.5 + np.cumsum(gaps)])[: len(labels)]
    classes = [-1 if label == "x" else CLASSES.index(label) for label in labels]
    return times.round(3), np.array(classes, dtype=np.int8)


def table(labels: str, intervals_s: Sequence[float] | float = 0.8) -> BeatTable:
    """The same as a table, without ``x``."""
    times, classes = beats(labels, intervals_s)
    probabilities = np.full((len(labels), len(CLASSES)), 0.05, dtype=np.float32)
    probabilities[np.arange(len(labels)), classes] = 0.8
    return BeatTable(np.round(times * FS).astype(np.int64), probabilities, FS)
