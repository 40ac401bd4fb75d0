"""P and T waves of typical beats, taken off and put back elsewhere.

A premature supraventricular beat is a normal QRS complex with another P wave before it, or none, on
the T wave of the beat before. So it can be made of any patient's normal beats, which is how the
models learn of supraventricular beats from patients who have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

P_WAVE = (-98, -16)
"""Where it may lie, in samples at 360 Hz from the peak."""

P_EDGE, P_LEVEL = 20, 8
T_BEGIN = 45
T_RISE, T_FALL, T_LEVEL = 25, 15, 12


def p_waves(typical: NDArray[np.float32], peak: int) -> NDArray[np.float32]:
    """Take the P wave out of typical beats: all else is 0.

    Parameters
    ----------
    typical : ndarray of float32, shape (beats, samples)
    peak : int
        Sample of the peak.

    Returns
    -------
    ndarray of float32, shape (beats, samples)
        What stands above the straight line from one end of its region to the other, with soft ends.
    """
    begin, end = peak + P_WAVE[0], peak + P_WAVE[1]
    region = typical[:, begin:end]
    place = np.linspace(0, 1, end - begin, dtype=np.float32)
    first = region[:, :P_LEVEL].mean(axis=1, keepdims=True)
    last = region[:, -P_LEVEL:].mean(axis=1, keepdims=True)
    rise = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, P_EDGE))).astype(np.float32)
    window = np.ones(end - begin, dtype=np.float32)
    window[:P_EDGE], window[-P_EDGE:] = rise, rise[::-1]
    out = np.zeros_like(typical)
    out[:, begin:end] = (region - first * (1 - place) - last * place) * window
    return out


def t_waves(typical: NDArray[np.float32], peak: int) -> NDArray[np.float32]:
    """Take the T wave out of typical beats, from `T_BEGIN` after the peak to the window's end.

    Returns
    -------
    ndarray of float32, shape (beats, samples - peak - T_BEGIN)
    """
    region = typical[:, peak + T_BEGIN :]
    window = np.ones(region.shape[1], dtype=np.float32)
    window[:T_RISE] = np.linspace(0, 1, T_RISE)
    window[-T_FALL:] = np.linspace(1, 0, T_FALL)
    level = region[:, -T_LEVEL:].mean(axis=1, keepdims=True)
    return np.asarray((region - level) * window)


def t_wave_before(
    t_wave: NDArray[np.float32],
    interval_s: NDArray[np.float64],
    peak: int,
    n_samples: int,
    fs: float,
) -> NDArray[np.float32]:
    """T wave of the beat before, where it falls into a beat's window.

    Parameters
    ----------
    t_wave : ndarray of float32, shape (beats, samples)
        As `t_waves` gives them.
    interval_s : ndarray of float64, shape (beats,)
        Time from the beat before in seconds.
    peak, n_samples : int
        Of the window.
    fs : float
        Its sampling frequency in Hz.

    Returns
    -------
    ndarray of float32, shape (beats, n_samples)
    """
    begin = peak - np.rint(interval_s * fs).astype(np.int64) + T_BEGIN
    place = np.arange(n_samples) - begin[:, None]
    inside = (place >= 0) & (place < t_wave.shape[1])
    values = np.take_along_axis(t_wave, place.clip(0, t_wave.shape[1] - 1), axis=1)
    return np.where(inside, values, np.float32(0))


def moved(waves: NDArray[np.float32], samples: NDArray[np.int64]) -> NDArray[np.float32]:
    """Shift each row to the right by so many samples; its ends are repeated."""
    n = waves.shape[1]
    place = (np.arange(n) - samples[:, None]).clip(0, n - 1)
    return np.take_along_axis(waves, place, axis=1)


def height(waves: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest minus smallest value of each row, shape (rows, 1)."""
    return np.asarray(waves.max(axis=1, keepdims=True) - waves.min(axis=1, keepdims=True))
