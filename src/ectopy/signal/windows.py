"""Windows around beats: what a beat model sees.

This is the only place where a signal becomes model input. Training, evaluation and analysis all
come through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A window flatter than this (mV) holds no beat; dividing by its spread would only blow up the
# quantisation noise. One step of an 11-bit converter over 10 mV is 5e-3 mV.
FLAT_MV = 1e-4


def window_fits(
    peaks: NDArray[np.int64], n_samples: int, before: int, after: int
) -> NDArray[np.bool_]:
    """Whether the whole window of each beat lies inside the signal.

    Parameters
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample indices.
    n_samples : int
        Length of the signal.
    before, after : int
        Samples of the window before the peak, and from the peak on.

    Returns
    -------
    ndarray of bool, shape (beats,)
        True where ``peak - before >= 0`` and ``peak + after < n_samples``.

    Notes
    -----
    The upper bound is strict, one sample more than the window needs: the rule of the published
    baseline, which decides which 109,451 beats its test part is drawn from.

    Examples
    --------
    >>> window_fits(np.array([127, 128, 871, 872]), 1000, 128, 128).tolist()
    [False, True, True, False]
    """
    return (peaks >= before) & (peaks + after < n_samples)


def cut_windows(
    signal_mv: NDArray[np.float32], peaks: NDArray[np.int64], before: int, after: int
) -> NDArray[np.float32]:
    """Cut one window per beat; beyond the ends of the signal its end samples are repeated.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        One lead.
    peaks : ndarray of int64, shape (beats,)
        Sample index of each beat.
    before, after : int
        Samples of the window before the peak, and from the peak on.

    Returns
    -------
    ndarray of float32, shape (beats, before + after)

    Examples
    --------
    >>> cut_windows(np.arange(10, dtype=np.float32), np.array([1, 5]), 2, 2).tolist()
    [[0.0, 0.0, 1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]
    """
    length = before + after
    if len(peaks) == 0:
        return np.empty((0, length), dtype=np.float32)
    first, last = int(peaks.min()) - before, int(peaks.max()) + after
    ahead, behind = max(0, -first), max(0, last - len(signal_mv))
    if ahead or behind:
        signal_mv = np.pad(signal_mv, (ahead, behind), mode="edge")
    windows = sliding_window_view(signal_mv, length)[peaks + (ahead - before)]
    return np.asarray(windows, dtype=np.float32)


def zscore(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring each window to mean 0 and population standard deviation 1.

    Parameters
    ----------
    windows : ndarray of float32, shape (beats, samples)
        Windows in mV.

    Returns
    -------
    ndarray of float32, shape (beats, samples)
        Windows without unit; a window flatter than 1e-4 mV becomes zeros.

    Examples
    --------
    >>> zscore(np.array([[1.0, 3.0], [2.0, 2.0]], dtype=np.float32)).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(np.square(centred), axis=1, keepdims=True))
    scaled = np.where(spread > FLAT_MV, centred / np.maximum(spread, FLAT_MV), 0)
    return np.asarray(scaled, dtype=np.float32)
