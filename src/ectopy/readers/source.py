"""A recording that stays in its file: what a reader gives, read part by part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError
from ectopy.readers.disk import one_line
from ectopy.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

BLOCK_SAMPLES = 600_000
"""Samples of a lead that are converted at a time where a whole recording is read."""


@dataclass(frozen=True, eq=False)
class Source(ABC):
    """The signal of one patient session in a file, of which parts can be read.

    Opening one reads the header alone; each reader of a format has a class of its own. Nothing that
    names the patient (name, birth date, number) is kept.

    Attributes
    ----------
    name : str
        Name of the recording, of its file, used for output files.
    fs : float
        Sampling frequency in Hz of all leads.
    leads : tuple of str
        Names of the leads that measure a voltage, no two alike.
    n_samples : int
        Samples of each lead.
    start : datetime, optional
        Wall-clock time of the first sample, where the file gives one.
    notes : mapping of str to str
        What the file says of device and recording, without anything of the patient.
    """

    name: str
    fs: float
    leads: tuple[str, ...]
    n_samples: int
    start: datetime | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def read(
        self, first: int = 0, stop: int | None = None, columns: Sequence[int] | None = None
    ) -> NDArray[np.float32]:
        """Read a part of some leads.

        Parameters
        ----------
        first, stop : int
            From sample `first` up to, but without, `stop`; to the end unless given.
        columns : sequence of int, optional
            Indices into `leads`; all of them unless given.

        Returns
        -------
        ndarray of float32, shape (stop - first, columns)
            In millivolts; missing samples are NaN.

        Raises
        ------
        RecordingError
            If the part does not lie within the recording, or the file cannot be read there.
        """
        last = self.n_samples if stop is None else stop
        if not 0 <= first <= last <= self.n_samples:
            msg = f"samples {first} to {last} are not within 0 to {self.n_samples} of {self.name!r}"
            raise RecordingError(msg + "; ask for a part of the recording")
        wanted = range(len(self.leads)) if columns is None else columns
        if not all(0 <= column < len(self.leads) for column in wanted):
            msg = f"leads {list(wanted)} are not within 0 to {len(self.leads) - 1} of {self.name!r}"
            raise RecordingError(msg + "; ask for leads of the recording")
        return self._read(first, last, tuple(wanted))

    @abstractmethod
    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        """Do what `read` says; what is asked for is known to be there."""

    def recording(self) -> Recording:
        """Read all of it into memory."""
        signal = np.empty((self.n_samples, len(self.leads)), dtype=np.float32)
        for first in range(0, self.n_samples, BLOCK_SAMPLES):
            stop = min(first + BLOCK_SAMPLES, self.n_samples)
            signal[first:stop] = self.read(first, stop)
        return Recording(signal, self.fs, self.leads, self.name, self.start)


@dataclass(frozen=True, eq=False)
class MemorySource(Source):
    """A recording that is in memory already, read as one in a file is.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (samples, leads)
        In millivolts.
    """

    signal_mv: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    @classmethod
    def of(cls, recording: Recording) -> MemorySource:
        """Make one of a recording."""
        return cls(
            name=recording.name,
            fs=float(recording.fs),
            leads=tuple(recording.leads),
            n_samples=recording.n_samples,
            start=recording.start,
            signal_mv=recording.signal_mv,
        )

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        return np.asarray(self.signal_mv[first:stop, list(columns)], dtype=np.float32)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Make lead names that differ: a second `II` becomes `II-2`, an empty one its number.

    `ii` and `II` are alike, so that names of files differ on any system.

    Examples
    --------
    >>> unique_names(["II", "", "II"])
    ('II', '2', 'II-2')
    """
    seen: set[str] = set()
    out = []
    for number, raw in enumerate(names, start=1):
        name = " ".join(one_line(raw).split()) or str(number)
        chosen, again = name, 2
        while chosen.casefold() in seen:
            chosen, again = f"{name}-{again}", again + 1
        seen.add(chosen.casefold())
        out.append(chosen)
    return tuple(out)
