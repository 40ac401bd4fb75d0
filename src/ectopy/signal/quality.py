"""Say how much of a lead can be used at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT_S = 1.0
"""A lead that keeps one value this long, in seconds, is off: even a standstill of the heart shows
noise of the skin and the amplifier."""

CLIPPED_S = 0.02
"""A lead that keeps its extreme value this long, in seconds, has met the end of its range: the
true extreme of a wave lasts a sample or two (at most three at 360 Hz in the MIT-BIH database)."""

CLIPPED_SAMPLES = 3
"""The least number of samples for that, whatever the sampling frequency."""

MISSING_SHARE = 0.01
"""Share of missing samples worth a warning: 36 s, some 40 beats, an hour."""

FLAT_SHARE = 0.01
"""Share of flat samples worth a warning, for the same reason."""

CLIPPED_SHARE = 0.005
"""Share of clipped samples worth a warning: half as much, since clipping takes the peak of a QRS
complex, a quarter of its length, and so spoils more beats than its share."""

CLIPPED_TOO_MUCH = 0.5
"""Share of clipped samples beyond which no wave's shape is left to judge."""

TYPICAL_S = 2.0
"""Length in seconds of the blocks whose range is a lead's deflection: it holds a beat at 30/min."""

TYPICAL_MV = (0.05, 20.0)
"""Typical deflection of a lead in millivolts: the leads of the MIT-BIH database have 0.17 to 5.1.
Less is a signal in volts, more one in microvolts or in counts of the converter."""


def check_lead(signal_mv: NDArray[np.floating], fs: float, lead_name: str) -> tuple[str, ...]:
    """Warn of a partly unusable lead, and refuse one that is hopeless.

    Parameters
    ----------
    signal_mv : ndarray of float, shape (samples,)
        One lead in millivolts; missing samples are NaN.
    fs : float
        Sampling frequency in Hz.
    lead_name : str
        Name of the lead, for the messages.

    Returns
    -------
    tuple of str
        One sentence for each thing wrong: missing, flat, clipped, in a wrong unit. Empty for a
        good lead.

    Raises
    ------
    SignalError
        If the signal is empty or not one-dimensional, if every sample is missing or part of a flat
        stretch, or if more than half are clipped at both ends of the range. One end alone is only
        warned of: it may be the resting level of a signal without noise.

    Examples
    --------
    >>> signal = np.sin(np.arange(2000) / 10)
    >>> check_lead(signal, 250, "II")
    ()
    >>> signal[500:1000] = 0
    >>> check_lead(signal, 250, "II")
    ('lead II is flat for 25.0 % of its samples; no beats are found there',)
    """
    signal = np.asarray(signal_mv)
    if signal.ndim != 1 or len(signal) == 0:
        msg = f"lead {lead_name} has shape {signal.shape}; expected (samples,) and at least one"
        raise SignalError(msg)
    missing = ~np.isfinite(signal)
    if missing.all():
        msg = f"lead {lead_name} has no signal: all samples are missing; choose another lead"
        raise SignalError(msg)
    flat = _flat(signal, fs)
    if (flat | missing).all():
        msg = f"lead {lead_name} has no signal: it is flat throughout; choose another lead"
        raise SignalError(msg)
    low, high = (_clipped(signal, extreme, fs) for extreme in _range(signal))
    clipped = low + high
    if clipped > CLIPPED_TOO_MUCH and min(low, high) >= CLIPPED_SHARE:
        msg = (
            f"lead {lead_name} is clipped at both ends of its range for {100 * clipped:.1f} % of "
            "its samples; choose another lead"
        )
        raise SignalError(msg)
    shares = (
        (missing.mean(), MISSING_SHARE, "misses {} of its samples; no beats are found there"),
        (flat.mean(), FLAT_SHARE, "is flat for {} of its samples; no beats are found there"),
        (
            clipped,
            CLIPPED_SHARE,
            "is clipped for {} of its samples; beats there may be classed wrongly",
        ),
    )
    found = [
        f"lead {lead_name} " + text.format(f"{100 * share:.1f} %")
        for share, limit, text in shares
        if share >= limit
    ]
    typical_mv = _typical_deflection(np.where(flat | missing, np.nan, signal), fs)
    if not TYPICAL_MV[0] <= typical_mv <= TYPICAL_MV[1]:
        shown = f"{typical_mv:.2g}" if typical_mv < 1 else f"{typical_mv:.0f}"
        found.append(
            f"lead {lead_name}: typical deflection of {shown} mV; is the signal in millivolts?"
        )
    return tuple(found)


def _typical_deflection(signal: NDArray[np.floating], fs: float) -> float:
    """Median range of the blocks of `TYPICAL_S` that hold any sample; the last may be longer."""
    starts = np.arange(0, max(len(signal) // round(TYPICAL_S * fs), 1)) * round(TYPICAL_S * fs)
    ranges = np.fmax.reduceat(signal, starts) - np.fmin.reduceat(signal, starts)
    return float(np.nanmedian(ranges))


def _range(signal: NDArray[np.floating]) -> tuple[float, float]:
    known = signal[np.isfinite(signal)]
    return float(known.min()), float(known.max())


def _flat(signal: NDArray[np.floating], fs: float) -> NDArray[np.bool_]:
    """Mark the samples of stretches that keep one value for at least `FLAT_S`."""
    starts, stops = _runs(signal[1:] == signal[:-1])
    stops = stops + 1  # n equal neighbours are n + 1 equal samples
    is_long = stops - starts >= FLAT_S * fs
    edges = np.zeros(len(signal) + 1, dtype=np.int64)
    edges[starts[is_long]] += 1
    edges[stops[is_long]] -= 1
    return np.asarray(edges.cumsum()[:-1] > 0)


def _clipped(signal: NDArray[np.floating], extreme: float, fs: float) -> float:
    """Share of the samples that stay at the extreme value for at least `CLIPPED_S`."""
    starts, stops = _runs(signal == extreme)
    lengths = stops - starts
    is_long = lengths >= max(CLIPPED_S * fs, CLIPPED_SAMPLES)
    return float(lengths[is_long].sum() / len(signal))


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First index of each run of True, and the index after its last."""
    steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
