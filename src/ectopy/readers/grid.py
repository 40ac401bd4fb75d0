"""From the times of rows to a sampling frequency and the samples that are missing.

Times are looked at block by block, so that hours of them need no memory; what is kept is where
samples are missing. Missing samples are made when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.options import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

JITTER = 0.2
"""Largest deviation of a step from whole sampling intervals, in intervals."""

LONG_GAP = 10
"""From so many missing samples on, what follows a gap goes to the nearest sample: recorders come
back whenever they are ready."""

MOST_MISSING_S = 24 * 3600.0
"""Seconds that may be missing in all; beyond that it is no recording but a mistake."""

# How well a measured frequency and one that is given have to agree.
_AGREE = 5e-3
# Hz, where numbers of samples are looked at before the frequency is known.
_FASTEST = 100_000.0
# Times looked at to find how finely they are written.
_LOOK = 10_000


@dataclass(frozen=True, eq=False)
class Gaps:
    """Where samples are missing between the rows of a file.

    Attributes
    ----------
    rows : ndarray of int64
        The first row after each gap, ascending.
    missing : ndarray of int64
        Samples that are missing before that row, in all gaps up to it.
    """

    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    missing: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def total(self) -> int:
        """Samples that are missing in all."""
        return int(self.missing[-1]) if len(self.missing) else 0

    def row_of(self, sample: int) -> int:
        """Find the first row that is at `sample` or after it."""
        after = int(np.searchsorted(self.rows + self.missing, sample, side="right"))
        row = sample - (int(self.missing[after - 1]) if after else 0)
        return min(row, int(self.rows[after])) if after < len(self.rows) else row

    def spread(
        self, rows: NDArray[np.float32], first_row: int, first: int, stop: int
    ) -> NDArray[np.float32]:
        """Put rows where they belong between samples `first` and `stop`; the others are NaN."""
        if len(rows) == stop - first:
            return rows
        out = np.full((stop - first, rows.shape[1]), np.nan, dtype=np.float32)
        numbers = np.arange(first_row, first_row + len(rows))
        before = np.concatenate([[0], self.missing])[
            np.searchsorted(self.rows, numbers, side="right")
        ]
        out[numbers + before - first] = rows
        return out


class Grid:
    """Takes the times of consecutive rows and finds sampling frequency and gaps.

    Parameters
    ----------
    file : str
        For messages.
    fs : float, optional
        Sampling frequency in Hz that is known from elsewhere.
    counts : bool
        Whether the times are numbers of samples, not seconds.
    """

    def __init__(self, file: str, fs: float | None = None, *, counts: bool = False) -> None:
        self._file, self._fs, self._counts = file, fs, counts
        self._step = 0.0  # in seconds, or samples
        self._fine = 0.0  # what times are rounded to; 0 if not at all
        self._slack = 0.0  # deviation of a step that is allowed
        self._still = False  # several rows share a time, so that only the average is checked
        self._last: float | None = None
        self._first = 0.0
        self._n_rows = 0
        self._regular, self._regular_s = 0, 0.0
        self._gap_rows: list[NDArray[np.int64]] = []
        self._gap_missing: list[NDArray[np.int64]] = []
        self._missing = 0.0

    def feed(self, times: NDArray[np.float64], where: Callable[[int], str]) -> None:
        """Take the times of the next rows.

        Parameters
        ----------
        times : ndarray of float64, shape (rows,)
            In seconds, or in samples where the grid counts them.
        where : callable
            Says where the row of an index into `times` stands, such as "line 7".

        Raises
        ------
        RecordingError
            If a row has no time, times go back, or are not regular.
        """
        if not len(times):
            return
        if not np.isfinite(times).all():
            row = int(np.flatnonzero(~np.isfinite(times))[0])
            msg = (
                f"{self._file}, {where(row)}: there is no time; add it or leave out the time column"
            )
            raise RecordingError(msg)
        with np.errstate(over="ignore", invalid="ignore"):  # of times that are refused
            if self._last is None:
                self._first = float(times[0])
                steps, offset = np.diff(times), 1
            else:
                steps, offset = np.diff(times, prepend=self._last), 0
            if self._step == 0 and not self._still and len(steps):
                self._settle(times, steps)
            self._check(steps, offset, where)
        self._last = float(times[-1])
        self._n_rows += len(times)

    def _settle(self, times: NDArray[np.float64], steps: NDArray[np.float64]) -> None:
        """Find the interval from the first times."""
        if self._counts:
            self._step = 1.0
            return
        self._fine = _resolution(times[:_LOOK])
        middle = float(np.median(steps))
        if middle <= 0 < np.ptp(times) and self._fs is not None:
            self._still = True
            return
        regular = steps[(steps > 0) & (steps < 1.5 * middle)]
        if not len(regular):
            msg = (
                f"{self._file}: its times are too coarse or do not rise (the middle step is "
                f"{middle:g} s); give the sampling frequency with --fs"
            )
            raise RecordingError(msg)
        self._step = float(regular.mean())
        if self._fs is not None:
            apart = abs(self._step * self._fs - 1)
            if apart > max(_AGREE, 2 * self._fine / float(regular.sum())):
                raise self._disagree(1 / self._step)
            self._step = 1 / self._fs
        parts = self._step / self._fine if self._fine else 0.0
        # Rounding moves steps by up to one unit of the last digit, unless intervals are whole ones.
        rounded = self._fine if abs(parts - round(parts)) > 0.01 else 0.0
        self._slack = max(JITTER * self._step, rounded) * (1 + 1e-6) + 1e-9 * self._step

    def _disagree(self, fs: float) -> RecordingError:
        msg = (
            f"{self._file}: the sampling frequency {self._fs:g} Hz that is given is not the "
            f"{fs:.6g} Hz of its times; leave --fs out or correct what is wrong"
        )
        return RecordingError(msg)

    def _check(self, steps: NDArray[np.float64], offset: int, where: Callable[[int], str]) -> None:
        """Refuse steps that are not whole intervals, and note gaps."""
        if self._still:
            bad = steps < 0
        else:
            whole = np.rint(steps / self._step) if self._step else np.ones_like(steps)
            apart = np.abs(steps - whole * self._step)
            slack = 1e-6 if self._counts else self._slack
            bad = (whole < 1) | ((apart > slack) & ((whole <= LONG_GAP) | self._counts))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise self._irregular(float(steps[row]), where(row + offset))
        if self._still:
            return
        gaps = np.flatnonzero(whole > 1)
        known = self._fs if self._counts or not self._step else 1 / self._step
        self._missing += float((whole[gaps] - 1).sum())
        if self._missing > MOST_MISSING_S * (known or _FASTEST) * (1 + 1e-9):
            row = int(gaps[np.argmax(whole[gaps])]) + offset
            msg = (
                f"{self._file}, {where(row)}: more than a day is missing before it, or in all; "
                "correct the times or cut the recording there"
            )
            raise RecordingError(msg)
        self._gap_rows.append(gaps + offset + self._n_rows)
        self._gap_missing.append(whole[gaps].astype(np.int64) - 1)
        single = steps[whole == 1]
        self._regular += len(single)
        self._regular_s += float(single.sum())

    def _irregular(self, step: float, where: str) -> RecordingError:
        unit = "samples" if self._counts else "s"
        if step <= 0:
            what = f"the time does not rise (by {step:g} {unit})"
        else:
            usual = 1.0 if self._counts else self._step
            what = (
                f"the time rises by {step:.6g} {unit}, which is no multiple of {usual:.6g} {unit} "
                f"within {JITTER:.0%} of it"
            )
        if self._fs is None and not self._counts:
            next_step = "give --fs if the times are only coarse, else correct them"
        else:
            next_step = "correct the times or remove their column"
        return RecordingError(f"{self._file}, {where}: {what}; {next_step}")

    def finish(self) -> tuple[Rate | None, Gaps]:
        """Give the sampling frequency, where times tell it, and gaps.

        Raises
        ------
        RecordingError
            If times that several rows share do not fit the frequency that is given.
        """
        rows = np.concatenate(self._gap_rows) if self._gap_rows else np.empty(0, np.int64)
        each = np.concatenate(self._gap_missing) if self._gap_missing else rows
        gaps = Gaps(rows, np.cumsum(each))
        if self._still and self._fs is not None and self._last is not None:
            span = self._last - self._first
            average = (self._n_rows - 1) / span
            if abs(average / self._fs - 1) > _AGREE + self._fine / span:
                raise self._disagree(average)
        if self._counts or not self._regular:
            return None, gaps
        fs = self._regular / self._regular_s
        unsure = max(2e-9, self._fine / self._regular_s)
        for digits in range(7):
            if abs(round(fs, digits) - fs) <= unsure * fs:
                fs = round(fs, digits)
                break
        return Rate(fs, "of its times", max(_AGREE, unsure)), gaps


def _resolution(times: NDArray[np.float64]) -> float:
    """Power of ten that all times are multiples of, in seconds; 0 if there is none down to 1 ns."""
    since = times - times[0]
    error = 4 * np.finfo(np.float64).eps * float(np.abs(times).max())
    for digits in range(10):
        scaled = since * 10.0**digits
        if (np.abs(scaled - np.rint(scaled)) <= 1e-6 + error * 10.0**digits).all():
            return float(10.0**-digits)
    return 0.0
