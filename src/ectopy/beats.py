"""Heartbeats: the five AAMI classes, the symbols that stand for them, and the table of beats."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.mapped import PIECE, pieces, release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

CLASSES = ("N", "S", "V", "F", "Q")
"""Class names in the order that every array, table and file here uses."""

CLASS_MEANINGS = {
    "N": "normal or bundle branch block",
    "S": "supraventricular ectopic",
    "V": "ventricular ectopic",
    "F": "fusion of ventricular and normal",
    "Q": "paced or unclassifiable",
}

# ANSI/AAMI EC57 groups as de Chazal et al. (2004) use them: nodal and atrial escape beats (e, j)
# are N. The comparator `bxb` counts e and j as S instead.
SYMBOLS = {
    "N": ("N", "L", "R", "e", "j"),
    "S": ("A", "a", "J", "S"),
    "V": ("V", "E"),
    "F": ("F",),
    "Q": ("/", "f", "Q"),
}
"""WFDB annotation symbols of each class; every other symbol is not a beat."""

SYMBOL_TO_INDEX = {symbol: index for index, name in enumerate(CLASSES) for symbol in SYMBOLS[name]}

NOT_A_BEAT = -1

UNUSABLE, UNUSABLE_LABEL = -1, "unusable"
"""What stands in the place of a class where the signal is too poor to tell it."""


def class_indices(symbols: Iterable[str]) -> NDArray[np.int8]:
    """Class index of each annotation symbol.

    Parameters
    ----------
    symbols : iterable of str
        WFDB annotation symbols.

    Returns
    -------
    ndarray of int8, shape (symbols,)
        Index into `CLASSES`, or -1 where the symbol is not a beat.

    Examples
    --------
    >>> class_indices(["N", "a", "+", "V"]).tolist()
    [0, 1, -1, 2]
    """
    return np.fromiter((SYMBOL_TO_INDEX.get(s, NOT_A_BEAT) for s in symbols), dtype=np.int8)


def count_classes(classes: NDArray[np.int8]) -> dict[str, int]:
    """Count the beats of each class, every class named even when it has none.

    Parameters
    ----------
    classes : ndarray of int8, shape (beats,)
        Indices into `CLASSES`.

    Examples
    --------
    >>> count_classes(np.array([0, 0, 2], dtype=np.int8))
    {'N': 2, 'S': 0, 'V': 1, 'F': 0, 'Q': 0}
    """
    found = [int(np.count_nonzero(classes == index)) for index in range(len(CLASSES))]
    return dict(zip(CLASSES, found, strict=True))


@dataclass(frozen=True, eq=False)
class ReferenceBeats:
    """Beats as cardiologists, or a simulation, marked them.

    Attributes
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample index of each beat's fiducial point, ascending, at the recording's own `fs`.
    classes : ndarray of int8, shape (beats,)
        Index into `CLASSES`.
    symbols : ndarray of str, shape (beats,)
        The original annotation symbols.
    """

    peaks: NDArray[np.int64]
    classes: NDArray[np.int8]
    symbols: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.peaks)

    @classmethod
    def from_annotations(cls, samples: NDArray[np.int64], symbols: Iterable[str]) -> ReferenceBeats:
        """Keep the beats of an annotation file and drop every other mark.

        Parameters
        ----------
        samples : ndarray of int64, shape (annotations,)
            Sample index of each annotation.
        symbols : iterable of str
            Symbol of each annotation.
        """
        marks = np.asarray(list(symbols), dtype=np.str_)
        classes = class_indices(marks)
        is_beat = classes != NOT_A_BEAT
        return cls(
            peaks=np.asarray(samples, dtype=np.int64)[is_beat],
            classes=classes[is_beat],
            symbols=marks[is_beat],
        )


@dataclass(frozen=True, eq=False)
class BeatTimes:
    """Times of beats in seconds, worked out for the rows that are asked for.

    It takes rows as an array does, and needs no memory for the others.

    Attributes
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample indices, ascending.
    fs : float
        Sampling frequency in Hz.

    Examples
    --------
    >>> times = BeatTimes(np.array([90, 360, 720]), 360.0)
    >>> times[1:].tolist(), times.searchsorted([1.0, 1.1]).tolist()
    ([1.0, 2.0], [1, 2])
    """

    peaks: NDArray[np.int64]
    fs: float

    def __len__(self) -> int:
        return len(self.peaks)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the times of a slice of the beats, or of those in an array of row numbers."""
        if isinstance(rows, slice):
            times: NDArray[np.float64] = np.asarray(self.peaks[rows]) / self.fs
            release(self.peaks)
            return times
        times = np.empty(len(rows))
        for part in pieces(len(rows)):
            times[part] = self.peaks[rows[part]] / self.fs
            release(self.peaks)
        return times

    def searchsorted(self, edges: ArrayLike) -> NDArray[np.int64]:
        """Row of the first beat at each of some times or after it, as `numpy.searchsorted` does."""
        at = np.atleast_1d(np.asarray(edges, dtype=np.float64))
        # The first sample whose time, as it is rounded, is not before the edge.
        near = np.floor(at * self.fs).astype(np.int64)[:, np.newaxis] + np.arange(-1, 3)
        first = np.argmax(near / self.fs >= at[:, np.newaxis], axis=1)
        samples = near[np.arange(len(at)), first]
        rows: NDArray[np.int64] = np.searchsorted(self.peaks, samples)
        release(self.peaks)
        return rows


@dataclass(frozen=True, eq=False)
class BeatTable:
    """One row a beat: where it is, which class it has, and how sure the model is.

    Of a recording of many days the arrays lie in a temporary file; `pieces` gives them in turn.

    Attributes
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample indices at the recording's own `fs`, ascending.
    probabilities : ndarray of float32, shape (beats, 5)
        Probability of each class in the order of `CLASSES`; rows sum to 1.
    fs : float
        Sampling frequency of the recording in Hz.
    usable : ndarray of bool, shape (beats,)
        Where the signal is good enough to tell a beat's class; everywhere unless given. The class
        of another beat is `UNUSABLE`, whatever its probabilities are, and its confidence NaN.

    Raises
    ------
    SignalError
        If `usable` is not as long as `peaks`.
    """

    peaks: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    fs: float
    usable: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        if len(self.usable) == 0:
            object.__setattr__(self, "usable", np.ones(len(self.peaks), dtype=np.bool_))
        if len(self.usable) != len(self.peaks):
            msg = f"usable tells of {len(self.usable)} beats, there are {len(self.peaks)}; "
            raise SignalError(f"{msg}give one value a beat")

    def __len__(self) -> int:
        return len(self.peaks)

    @property
    def times(self) -> BeatTimes:
        """The same as `times_s`, of which only what is asked for takes memory."""
        return BeatTimes(self.peaks, self.fs)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each beat from the start of the recording, in seconds."""
        return self.peaks / self.fs

    @property
    def rr_s(self) -> NDArray[np.float64]:
        """Interval to the preceding beat in seconds; NaN for the first beat."""
        return np.concatenate([[np.nan], np.diff(self.times_s)])[: len(self)]

    @cached_property
    def classes(self) -> NDArray[np.int8]:
        """Most probable class of each beat, as an index into `CLASSES`, or `UNUSABLE`."""
        classes = np.empty(len(self), dtype=np.int8)
        for rows in pieces(len(self)):
            classes[rows] = self.probabilities[rows].argmax(axis=1)
            release(self.probabilities)
        classes[~self.usable] = UNUSABLE
        classes.flags.writeable = False  # the same array every time
        return classes

    @property
    def labels(self) -> NDArray[np.str_]:
        """Most probable class of each beat, as its letter, or "unusable"."""
        if self.usable.all():
            return np.asarray(CLASSES)[self.classes]
        return np.asarray((*CLASSES, UNUSABLE_LABEL))[self.classes]

    @property
    def confidences(self) -> NDArray[np.float32]:
        """Probability of the most probable class; NaN where the signal is not usable."""
        most = np.array(self.probabilities.max(axis=1), dtype=np.float32)
        most[~self.usable] = np.nan
        return most

    def confidences_of(self, index: int) -> NDArray[np.float32]:
        """Probability of one class, given by its index, for each beat that has this class."""
        most = np.empty(np.count_nonzero(self.classes == index), dtype=np.float32)
        done = 0
        for rows in pieces(len(self)):
            part = self.probabilities[rows][self.classes[rows] == index, index]
            most[done : done + len(part)] = part
            done += len(part)
            release(self.probabilities)
        return most

    def pieces(self, size: int = PIECE) -> Iterator[tuple[slice, BeatTable]]:
        """Give the table in parts of `size` rows, with the rows that they are.

        Nothing of a part stays in memory unless it is kept. Its first beat has no `rr_s`, as that
        of the whole; see `intervals_s`.
        """
        for rows in pieces(len(self), size):
            yield rows, self.part(rows)

    def part(self, rows: slice) -> BeatTable:
        """Copy some rows; of a table in a file, nothing else stays in memory."""
        part = BeatTable(
            np.array(self.peaks[rows]),
            np.array(self.probabilities[rows]),
            self.fs,
            self.usable[rows],
        )
        release(self.peaks)
        release(self.probabilities)
        return part

    def intervals_s(self, rows: slice) -> NDArray[np.float64]:
        """Interval to the preceding beat in seconds, of some rows; NaN for the very first beat."""
        first, stop, _ = rows.indices(len(self))
        times = np.asarray(self.peaks[max(0, first - 1) : stop]) / self.fs
        intervals = np.diff(times)
        return np.concatenate([[np.nan], intervals])[:stop] if first == 0 else intervals

    def counts(self) -> dict[str, int]:
        """Usable beats of each class, every class named even when it has none."""
        return count_classes(self.classes[self.usable])
