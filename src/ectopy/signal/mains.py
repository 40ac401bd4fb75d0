"""Hum of the mains in a lead, second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.products import product

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAINS_HZ = (50.0, 60.0)
HARMONICS = 3
BESIDE_HZ = 5.0
"""A hum is a line of the spectrum: it is compared with what lies this far on both sides of it."""

LINE = 10.0
"""How often the power beside it a line must have; QRS complexes and muscles give no line."""

MAINS_SHARE = 0.01
"""Share of the power of a second above which hum is told of."""

HIGHEST = 0.49
"""Highest frequency, in sampling frequencies, that can be told from another."""


class Mains:
    """Finds hum by a discrete Fourier transform with a Hann window, and takes it out.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz. With less than 103 Hz no hum can be seen, with less than 123 Hz
        none of 60 Hz.
    """

    def __init__(self, fs: float) -> None:
        self._length = int(fs)
        time_s = np.arange(self._length + 1) / fs  # where a second has one sample more
        window = np.hanning(self._length + 2)[1:-1]
        window /= window.sum() / 2
        hz: list[float] = []
        self._lines: list[tuple[list[int], list[int]]] = []  # harmonics, and what lies beside
        for mains in MAINS_HZ:
            if mains > HIGHEST * fs:
                continue
            lines = [mains * n for n in range(1, HARMONICS + 1) if mains * n <= HIGHEST * fs]
            above = mains + BESIDE_HZ
            beside = [mains - BESIDE_HZ, above if above <= HIGHEST * fs else mains - 2 * BESIDE_HZ]
            first, split = len(hz), len(hz) + len(lines)
            hz += lines + beside
            self._lines.append((list(range(first, split)), list(range(split, len(hz)))))
        angles = 2 * np.pi * time_s[:, None] * np.array(hz)
        waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
        self._waves = waves.astype(np.float32)  # (samples + 1, 2 * frequencies)
        self._windowed = (waves[:-1] * window[:, None]).astype(np.float32)

    def take_out(
        self, signal: NDArray[np.float32], edges: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Measure hum, and take it out of the seconds that have any.

        Parameters
        ----------
        signal : ndarray of float32, shape (samples,)
            Without missing samples.
        edges : ndarray of int64, shape (seconds + 1,)
            Where each second starts, and where the last one ends.

        Returns
        -------
        rest : ndarray of float32, shape (samples,)
            The signal itself where there is no hum.
        amplitudes : ndarray of float32, shape (seconds,)
            Of the hum and its harmonics, as that of one sine of their power; 0 where there is none.
        """
        amplitudes = np.zeros(len(edges) - 1, dtype=np.float32)
        if not self._lines:
            return signal, amplitudes
        length = self._length
        if (np.diff(edges) == length).all():
            seconds = signal[edges[0] : edges[-1]].reshape(-1, length)
        else:
            seconds = np.lib.stride_tricks.sliding_window_view(signal, length)[edges[:-1]]
        seconds = seconds - seconds.mean(axis=1, keepdims=True)
        total = np.einsum("ij,ij->i", seconds, seconds) / length
        spectrum = product(seconds, self._windowed)
        half = spectrum.shape[1] // 2
        power = (spectrum[:, :half] ** 2 + spectrum[:, half:] ** 2) / 2
        rest = signal
        for lines, beside in self._lines:
            of_lines = power[:, lines].sum(axis=1)
            hums = (
                (power[:, lines[0]] > LINE * power[:, beside].max(axis=1))
                & (of_lines >= MAINS_SHARE * total)
                & (total > 0)
            )
            rows = np.flatnonzero(hums)
            if len(rows) == 0:
                continue
            amplitudes[rows] = np.sqrt(amplitudes[rows] ** 2 + 2 * of_lines[rows])
            columns = lines + [half + line for line in lines]
            hum = product(spectrum[np.ix_(rows, columns)], self._waves[:, columns].T)
            rest = signal.copy() if rest is signal else rest
            places = edges[rows, None] + np.arange(length + 1)
            own = places < edges[rows + 1, None]
            rest[places[own]] -= hum[own]
        return rest, amplitudes
