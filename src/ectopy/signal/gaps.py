"""Stretches of a recording that hold no signal: gaps and flat lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT_S = 0.2
"""A lead that keeps one value this long, in seconds, has no contact there."""

GAP_S = 0.05
"""Missing samples for this long, in seconds, may hide a beat; fewer are bridged by a line."""


def bridge(
    signal_mv: NDArray[np.float32], fs: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Bridge gaps and flat lines so that they leave neither a step nor a spike.

    A few missing samples are interpolated. Over a longer gap, and over a flat line, the last value
    is held, and what follows is shifted by a constant so that it goes on from there: contact is
    often lost and found at another voltage, and the step between would look like a beat. Nothing
    of this needs to know when a gap will end, so that a stream is bridged as a recording is.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        One lead in millivolts; NaN and infinite samples are missing. At least one is not.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    bridged : ndarray of float32, shape (samples,)
        The signal itself where there is nothing to bridge.
    lost : ndarray of bool, shape (samples,), or None
        Where there was no signal for so long that no beat can be placed; None for nowhere.

    Examples
    --------
    >>> ecg = np.float32([0, 1, 2, 3, 9, 9, 9, 9, 5, 6])
    >>> bridged, lost = bridge(ecg, fs=10)
    >>> bridged.tolist()
    [0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 4.0]
    """
    missing = ~np.isfinite(signal_mv)
    shortest_flat = max(2, round(FLAT_S * fs))
    if not missing.any():
        bridged, lost = signal_mv, _flat_lines(signal_mv, shortest_flat)
    else:
        bridged = signal_mv.copy()
        bridged[missing] = np.interp(
            np.flatnonzero(missing), np.flatnonzero(~missing), signal_mv[~missing]
        ).astype(np.float32)
        gaps = _long_runs(missing, GAP_S * fs)
        # A few missing samples do not make a flat line less flat.
        flat = _flat_lines(np.where(gaps, np.float32(np.nan), bridged), shortest_flat)
        lost = _with_missing_beside(gaps if flat is None else gaps | flat, missing)
    if lost is None or not lost.any():
        return bridged, None
    return _without_jumps(bridged, lost), lost


def _with_missing_beside(lost: NDArray[np.bool_], missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Count missing samples beside a lost stretch to it: a line from its voltage is a step."""
    unknown = lost | missing
    edges = np.flatnonzero(np.diff(unknown, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    unknown[unknown] = np.repeat(np.logical_or.reduceat(lost, starts), stops - starts)
    return unknown


def _without_jumps(signal: NDArray[np.float32], lost: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hold the last value over lost stretches, and go on from it after each."""
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    last = len(signal) - 1
    # At an end of the recording there is only one neighbour.
    before = np.where(starts > 0, (starts - 1).clip(0), stops.clip(max=last))
    after = np.where(stops <= last, stops.clip(max=last), before)
    shift = np.cumsum(signal[after].astype(np.float64) - signal[before])
    lengths = np.diff(np.concatenate([[0], stops, [len(signal)]]))
    bridged = signal - np.repeat(np.concatenate([[0.0], shift]), lengths)
    held = signal[before] - np.concatenate([[0.0], shift[:-1]])
    bridged[lost] = np.repeat(held, stops - starts)
    return np.asarray(bridged, dtype=np.float32)


def _flat_lines(signal: NDArray[np.float32], length: int) -> NDArray[np.bool_] | None:
    """Mark the stretches of one value that have at least `length` samples; None for nowhere."""
    # Such a stretch holds two neighbours of every grid this fine, so that few samples are looked at
    # where there is none.
    step = max(1, length // 2)
    grid = signal[::step]
    candidates = np.flatnonzero(grid[1:] == grid[:-1]) * step
    if len(candidates) == 0:
        return None
    between = signal[candidates[:, None] + np.arange(step)]
    if not (between == between[:, :1]).all(axis=1).any():
        return None
    return _long_runs(signal, length, of_one_value=True)


def _long_runs(
    values: NDArray[Any], min_length: float, *, of_one_value: bool = False
) -> NDArray[np.bool_]:
    """Mark runs of at least `min_length` samples: of True, or of any one value."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    lengths = np.diff(changes, prepend=0, append=len(values))
    long = np.repeat(lengths >= min_length, lengths)
    return long if of_one_value else long & values
