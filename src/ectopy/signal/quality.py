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
    check = LeadCheck(fs, lead_name)
    check.push(signal)
    return check.finish()


class LeadCheck:
    """The same for a lead that comes in blocks of seconds or more, of which nothing is kept.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    lead_name : str
        Name of the lead, for the messages.
    """

    def __init__(self, fs: float, lead_name: str) -> None:
        self.fs, self.name = fs, lead_name
        self._n = self._missing = self._flat = 0
        self._low, self._high = _Extreme(-1.0), _Extreme(1.0)
        self._ranges: list[NDArray[np.float32]] = []
        # The last run of equal samples, which may go on: its value and length.
        self._open: tuple[float, int] = (np.nan, 0)

    def push(self, block_mv: NDArray[np.floating]) -> None:
        """Take the next samples, shape (samples,), in millivolts; missing ones are NaN."""
        block = np.asarray(block_mv)
        if len(block) == 0:
            return
        missing = ~np.isfinite(block)
        self._n += len(block)
        self._missing += int(missing.sum())
        begins = np.flatnonzero(np.concatenate([[True], block[1:] != block[:-1]]))
        values, lengths = block[begins], np.diff(np.concatenate([begins, [len(block)]]))
        flat = np.repeat(lengths >= FLAT_S * self.fs, lengths)
        value, length = self._open
        if values[0] == value:
            lengths[0] += length
        else:
            self._close(np.array([value]), np.array([length]))
        self._close(values[:-1], lengths[:-1])
        self._open = (float(values[-1]), int(lengths[-1]))
        self._ranges.append(_block_ranges(np.where(flat | missing, np.nan, block), self.fs))

    def _close(self, values: NDArray[np.floating], lengths: NDArray[np.int64]) -> None:
        """Count runs of equal samples that are over."""
        known = np.isfinite(values)
        values, lengths = values[known], lengths[known]
        if len(values) == 0:
            return
        self._flat += int(lengths[(lengths >= FLAT_S * self.fs) & (lengths > 1)].sum())
        shortest = max(CLIPPED_S * self.fs, CLIPPED_SAMPLES)
        for extreme in (self._low, self._high):
            extreme.take(values, lengths, shortest)

    def finish(self) -> tuple[str, ...]:
        """Say what is wrong, as `check_lead` does.

        Raises
        ------
        SignalError
            As `check_lead`.
        """
        name = self.name
        self._close(np.array([self._open[0]]), np.array([self._open[1]]))
        self._open = (np.nan, 0)
        if self._missing == self._n:
            msg = f"lead {name} has no signal: all samples are missing; choose another lead"
            raise SignalError(msg)
        if self._flat + self._missing >= self._n:
            msg = f"lead {name} has no signal: it is flat throughout; choose another lead"
            raise SignalError(msg)
        low, high = (extreme.samples / self._n for extreme in (self._low, self._high))
        clipped = low + high
        if clipped > CLIPPED_TOO_MUCH and min(low, high) >= CLIPPED_SHARE:
            msg = (
                f"lead {name} is clipped at both ends of its range for {100 * clipped:.1f} % of "
                "its samples; choose another lead"
            )
            raise SignalError(msg)
        shares = (
            (
                self._missing / self._n,
                MISSING_SHARE,
                "misses {} of its samples; no beats are found there",
            ),
            (
                self._flat / self._n,
                FLAT_SHARE,
                "is flat for {} of its samples; no beats are found there",
            ),
            (
                clipped,
                CLIPPED_SHARE,
                "is clipped for {} of its samples; beats there may be classed wrongly",
            ),
        )
        found = [
            f"lead {name} " + text.format(f"{100 * share:.1f} %")
            for share, limit, text in shares
            if share >= limit
        ]
        typical_mv = float(np.nanmedian(np.concatenate(self._ranges)))
        if not TYPICAL_MV[0] <= typical_mv <= TYPICAL_MV[1]:
            shown = f"{typical_mv:.2g}" if typical_mv < 1 else f"{typical_mv:.0f}"
            found.append(
                f"lead {name}: typical deflection of {shown} mV; is the signal in millivolts?"
            )
        return tuple(found)


class _Extreme:
    """Samples that stay at the lowest (`sign` -1) or highest value of a lead for long."""

    def __init__(self, sign: float) -> None:
        self.sign, self.value, self.samples = sign, -np.inf, 0

    def take(
        self, values: NDArray[np.floating], lengths: NDArray[np.int64], shortest: float
    ) -> None:
        outward = self.sign * values
        most = float(outward.max())
        if most < self.value:
            return
        if most > self.value:
            self.value, self.samples = most, 0
        there = (outward == most) & (lengths >= shortest)
        self.samples += int(lengths[there].sum())


def _block_ranges(signal: NDArray[np.floating], fs: float) -> NDArray[np.float32]:
    """Range of each block of `TYPICAL_S` that holds any sample; the last may be longer."""
    starts = np.arange(0, max(len(signal) // round(TYPICAL_S * fs), 1)) * round(TYPICAL_S * fs)
    ranges = np.fmax.reduceat(signal, starts) - np.fmin.reduceat(signal, starts)
    return ranges.astype(np.float32)
