"""Stretches of a recording that hold no signal: gaps and flat lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.slices import slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Stretches that keep one value this long are no signal, nor are stretches this long without any
# known sample. Beats are not placed there.
FLAT_S = 0.2
GAP_S = 0.05


def bridge(
    signal: NDArray[np.float32], missing: NDArray[np.bool_], fs: float, slice_s: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bridge flat stretches as gaps are, and mark where no beat can be.

    A lost contact leaves a flat line at some other voltage: without it there is no step, which
    would look like a beat.
    """
    flat = np.zeros(len(signal), dtype=np.bool_)
    lost = np.zeros(len(signal), dtype=np.bool_)
    for start, stop, outer in slices(len(signal), fs, slice_s):
        inner = slice(start - outer.start, stop - outer.start)
        flat[start:stop] = constant(signal[outer], FLAT_S * fs)[inner]
        gaps = missing[outer] & constant(missing[outer], GAP_S * fs)
        lost[start:stop] = flat[start:stop] | gaps[inner]
    if not flat.any():
        return signal, lost
    # A gap beside a flat stretch leads to its voltage, so both are bridged as one.
    bridged, last = signal.copy(), len(signal) - 1
    unknown = np.concatenate([[False], flat | missing, [False]])
    edges = np.flatnonzero(unknown[1:] != unknown[:-1])
    for start, stop in edges.reshape(-1, 2).tolist():
        if flat[start:stop].any():
            # At an end of the recording the only neighbour is held; with none, nothing changes.
            before = start - 1 if start > 0 else min(stop, last)
            after = stop if stop <= last else max(start - 1, 0)
            ends = signal[before], signal[after]
            bridged[start:stop] = np.linspace(*ends, stop - start + 2)[1:-1]
    return bridged, lost


def constant(
    values: NDArray[np.float32] | NDArray[np.bool_], min_length: float
) -> NDArray[np.bool_]:
    """Mark the samples of stretches that keep one value for at least `min_length` samples."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    lengths = np.diff(changes, prepend=0, append=len(values))
    return np.repeat(lengths >= min_length, lengths)
