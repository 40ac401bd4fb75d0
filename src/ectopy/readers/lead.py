"""One lead of a recording, read part by part: what beats are found and classed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.readers.source import MemorySource, Source
from ectopy.recording import Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Lead:
    """A lead that stays where it is, in a file or in memory; parts are sliced out of it.

    Attributes
    ----------
    source : Source
        The recording.
    column : int
        Index of the lead in ``source.leads``.
    """

    source: Source
    column: int
    _reading: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def of(cls, signal_mv: NDArray[np.float32], fs: float, name: str = "lead1") -> Lead:
        """Make one of a signal in memory, shape (samples,), in millivolts."""
        recording = Recording(np.asarray(signal_mv)[:, None], fs, (name,), name)
        return cls(MemorySource.of(recording), 0)

    @property
    def name(self) -> str:
        """Name of the lead."""
        return self.source.leads[self.column]

    @property
    def fs(self) -> float:
        """Sampling frequency in Hz."""
        return self.source.fs

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return self.source.n_samples

    @property
    def shape(self) -> tuple[int]:
        """As an array has it: one axis of `n_samples`."""
        return (self.n_samples,)

    def __len__(self) -> int:
        return self.n_samples

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Read a part as it would be sliced out of an array."""
        first, stop, step = part.indices(self.n_samples)
        return self.read(first, max(first, stop))[::step] if step > 0 else self.read()[part]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all of it, for NumPy."""
        return self.read().astype(dtype or np.float32, copy=bool(copy))

    def read(self, first: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Read from sample `first` up to, but without, `stop`, shape (samples,), in millivolts.

        Threads that share a lead wait for each other: a file has one place to read at.
        """
        with self._reading:
            return np.ascontiguousarray(self.source.read(first, stop, [self.column])[:, 0])
