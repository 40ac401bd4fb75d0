"""A recording: the signal of one patient session with its leads and sampling frequency."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import LeadNotFound, RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

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
        The lead asked for; without regard to case where no name is the same. When it is not given,
        the first name of `preference` that the recording has is taken, else its first lead.
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
        if wanted in names:
            return list(names).index(wanted)
        if wanted.strip().lower() in lowered:
            return lowered.index(wanted.strip().lower())
        msg = f"no lead {wanted!r} in this recording; it has: {', '.join(names)}"
        raise LeadNotFound(msg)
    for name in preference:
        if name.lower() in lowered:
            return lowered.index(name.lower())
    return 0


def _check_signal(signal_mv: object) -> None:
    if not isinstance(signal_mv, np.ndarray) or signal_mv.dtype.kind not in "fiu":
        kind = signal_mv.dtype if isinstance(signal_mv, np.ndarray) else type(signal_mv).__name__
        msg = f"signal_mv is {kind}; expected a NumPy array of real numbers, in millivolts"
        raise RecordingError(msg)
    if signal_mv.ndim != 2:
        hint = "reshape one lead to (samples, 1)" if signal_mv.ndim == 1 else "choose one recording"
        msg = f"signal_mv has shape {signal_mv.shape}; expected (samples, leads): {hint}"
        raise RecordingError(msg)


def _check_leads(leads: object, shape: tuple[int, ...]) -> None:
    if not isinstance(leads, (tuple, list)) or not all(isinstance(name, str) for name in leads):
        msg = f"leads is {leads!r}; expected a tuple of names such as ('MLII', 'V1')"
        raise RecordingError(msg)
    if len(leads) != shape[1] or not leads:
        hint = "transpose it" if len(leads) == shape[0] > 0 else "name each column"
        msg = (
            f"signal_mv has shape {shape}, but leads names {len(leads)}; "
            f"expected (samples, leads): {hint}"
        )
        raise RecordingError(msg)


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

    Raises
    ------
    RecordingError
        If `signal_mv` is no array of numbers with two axes, `leads` does not name each of its
        columns, or `fs` is no number above zero.

    Examples
    --------
    >>> one_lead_mv = np.zeros(1000, dtype=np.float32)
    >>> Recording(one_lead_mv.reshape(-1, 1), fs=250, leads=("II",), name="mine").duration_s
    4.0
    """

    signal_mv: NDArray[np.float32]
    fs: float
    leads: tuple[str, ...]
    name: str
    start: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what would only fail later, and less clearly."""
        _check_signal(self.signal_mv)
        _check_leads(self.leads, self.signal_mv.shape)
        # Checked by type as well: settings read from a file may come as text.
        fs: object = self.fs
        is_number = isinstance(fs, Real) and not isinstance(fs, bool)
        if not is_number or not isfinite(self.fs) or self.fs <= 0:
            msg = f"sampling frequency {fs!r} is not usable; expected a number of Hz above 0"
            raise RecordingError(msg)

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
