"""A recording: the signal of one patient session with its leads and sampling frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.errors import LeadNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

PREFERRED_LEADS = ("MLII", "II")
"""Leads to take first where none is named; after these, the first lead of the recording."""


def select_lead(
    names: Sequence[str], wanted: str | None = None, preference: Sequence[str] = PREFERRED_LEADS
) -> int:
    """Index of the lead to work on, chosen by name.

    Parameters
    ----------
    names : sequence of str
        Lead names of the recording.
    wanted : str, optional
        The lead asked for, compared without regard to case. When it is not given, the first name
        of `preference` that the recording has is taken, else its first lead.
    preference : sequence of str
        Names to try in turn where `wanted` is not given.

    Raises
    ------
    LeadNotFound
        If the recording has no lead called `wanted`.

    Examples
    --------
    >>> select_lead(["V5", "MLII"])
    1
    """
    lowered = [name.strip().lower() for name in names]
    if wanted is not None:
        if wanted.strip().lower() in lowered:
            return lowered.index(wanted.strip().lower())
        msg = f"no lead {wanted!r} in this recording; it has: {', '.join(names)}"
        raise LeadNotFound(msg)
    for name in preference:
        if name.lower() in lowered:
            return lowered.index(name.lower())
    return 0


@dataclass(frozen=True, eq=False)
class Recording:
    """The signal of one patient session.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (samples, leads)
        The signal in millivolts. Missing samples are NaN.
    fs : float
        Sampling frequency in Hz.
    leads : tuple of str
        Name of each column of `signal_mv`.
    name : str
        Name of the recording, used for its output files.
    start : datetime, optional
        Wall-clock time of the first sample, where the file gives one.
    """

    signal_mv: NDArray[np.float32]
    fs: float
    leads: tuple[str, ...]
    name: str
    start: datetime | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples per lead."""
        return len(self.signal_mv)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def lead(
        self, wanted: str | None = None, preference: Sequence[str] = PREFERRED_LEADS
    ) -> tuple[str, NDArray[np.float32]]:
        """Name and signal of one lead, chosen as `select_lead` does.

        Returns
        -------
        name : str
        signal_mv : ndarray of float32, shape (samples,)
        """
        index = select_lead(self.leads, wanted, preference)
        return self.leads[index], self.signal_mv[:, index]
