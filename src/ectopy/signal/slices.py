"""Slices of a long recording that reach into their neighbours."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_S = 1.0
"""Length in seconds of the blocks that slices are made of."""

# Seconds that a slice reaches into its neighbours: more than the blocks and intervals that a
# decision looks at, so that both sides of a border decide alike.
OVERLAP_S = 30.0


class Slice(NamedTuple):
    """Samples `start` to `stop` of a recording, and the larger stretch worked on for them."""

    start: int
    stop: int
    outer: slice


def slices(n_samples: int, fs: float, slice_s: float) -> Iterator[Slice]:
    """Cut a recording into slices of about `slice_s` seconds that reach into their neighbours.

    Borders lie on whole blocks, so that every slice sees the same blocks as one pass would.
    """
    block = block_samples(fs)
    reach = ceil(OVERLAP_S / BLOCK_S) * block
    n_slices = max(1, round(n_samples / (max(slice_s, BLOCK_S) * fs)))
    bounds = (np.linspace(0, n_samples // block, n_slices + 1).astype(int) * block).tolist()
    bounds[-1] = n_samples
    for start, stop in pairwise(bounds):
        yield Slice(start, stop, slice(max(0, start - reach), min(n_samples, stop + reach)))


def block_samples(fs: float) -> int:
    """Count the samples of a block."""
    return round(BLOCK_S * fs)
