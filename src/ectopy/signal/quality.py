"""Say how much of a lead can be used at all."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.signal.kept_rows import KeptRows
from ectopy.signal.order import long_median
from ectopy.signal.runs_of_equals import first_run, long_runs, runs_at

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

_PIECE = 65_536  # ranges that are looked at together

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
        self._flat_length = max(2, ceil(FLAT_S * fs))
        shortest = max(ceil(CLIPPED_S * fs), CLIPPED_SAMPLES)
        self._low, self._high = _Extreme(-1.0, shortest), _Extreme(1.0, shortest)
        self._ranges = KeptRows(1)
        # The last run of equal samples, which may go on: its value and length.
        self._open: tuple[float, int] = (np.nan, 0)

    def push(self, block_mv: NDArray[np.floating]) -> None:
        """Take the next samples, shape (samples,), in millivolts; missing ones are NaN."""
        block = np.asarray(block_mv)
        if block.dtype.kind != "f":
            block = block.astype(np.float64)
        if len(block) == 0:
            return
        self._n += len(block)
        low, high = (
            extreme.reduceat(block, _block_starts(len(block), self.fs))
            for extreme in (np.minimum, np.maximum)
        )
        if not (np.isfinite(low) & np.isfinite(high)).all():
            known = np.isfinite(block)
            self._missing += len(block) - int(known.sum())
            block = np.where(known, block, np.nan)
            low, high = _known_extremes(block, self.fs)
        starts, stops = long_runs(block, self._flat_length)
        self._count(block, low, high, starts, stops)
        if len(starts):
            flat = _marked(starts, stops, len(block))
            low, high = _known_extremes(np.where(flat, np.nan, block), self.fs)
        self._ranges.add((high - low).astype(np.float32)[:, None])

    def _count(
        self,
        block: NDArray[np.floating],
        low: NDArray[np.floating],
        high: NDArray[np.floating],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
    ) -> None:
        """Count runs of equal samples: long ones anywhere, and all at the extremes."""
        within = (starts > 0) & (stops < len(block))
        self._flat += int((stops - starts)[within].sum())
        self._low.take(block, float(np.fmin.reduce(low)))
        self._high.take(block, float(np.fmax.reduce(high)))
        (value, length), first = self._open, first_run(block)
        if block[0] != value:
            self._close(value, length)
            value, length = float(block[0]), 0
        if first < len(block):
            self._close(value, length + first)
            value, length, first = float(block[-1]), 0, first_run(block[::-1])
        self._open = (value, length + first)

    def _close(self, value: float, length: int) -> None:
        """Count a run at the border of two blocks that is over."""
        if np.isfinite(value):
            self._flat += length if length >= self._flat_length else 0
            self._low.close(value, length)
            self._high.close(value, length)

    def finish(self) -> tuple[str, ...]:
        """Say what is wrong, as `check_lead` does.

        Raises
        ------
        SignalError
            As `check_lead`.
        """
        name = self.name
        self._close(*self._open)
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
        typical_mv = float(
            long_median(lambda: (rows[:, 0] for _, rows in self._ranges.around(_PIECE)))
        )
        if not TYPICAL_MV[0] <= typical_mv <= TYPICAL_MV[1]:
            shown = f"{typical_mv:.2g}" if typical_mv < 1 else f"{typical_mv:.0f}"
            found.append(
                f"lead {name}: typical deflection of {shown} mV; is the signal in millivolts?"
            )
        return tuple(found)


class _Extreme:
    """Samples that stay at the lowest (`sign` -1) or highest value of a lead for long."""

    def __init__(self, sign: float, shortest: int) -> None:
        self.sign, self.value, self.samples = sign, -np.inf, 0
        self._shortest = shortest

    def take(self, block: NDArray[np.floating], extreme: float) -> None:
        """Count those within a block of this extreme; runs at its borders are closed later."""
        most = self.sign * extreme
        if most < self.value or np.isnan(most):
            return
        if most > self.value:
            self.value, self.samples = most, 0
        starts, stops = runs_at(block, extreme)
        lengths = (stops - starts)[(starts > 0) & (stops < len(block))]
        self.samples += int(lengths[lengths >= self._shortest].sum())

    def close(self, value: float, length: int) -> None:
        """Count a run that is over."""
        if self.sign * value == self.value and length >= self._shortest:
            self.samples += length


def _marked(
    starts: NDArray[np.int64], stops: NDArray[np.int64], n_samples: int
) -> NDArray[np.bool_]:
    """Whether each sample is part of a run, shape (n_samples,)."""
    steps = np.zeros(n_samples + 1, dtype=np.int8)
    steps[starts] += 1
    steps[stops] -= 1
    return np.asarray(np.cumsum(steps[:-1], dtype=np.int8) != 0)


def _block_starts(n_samples: int, fs: float) -> NDArray[np.int64]:
    """Where the blocks of `TYPICAL_S` start; the last may be longer."""
    length = round(TYPICAL_S * fs)
    return np.arange(0, max(n_samples // length, 1)) * length


def _known_extremes(
    signal: NDArray[np.floating], fs: float
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Least and largest sample of each block; NaN only for one that holds nothing else."""
    starts = _block_starts(len(signal), fs)
    return np.fmin.reduceat(signal, starts), np.fmax.reduceat(signal, starts)
