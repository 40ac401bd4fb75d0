"""Which lead to analyse where none is asked for.

A lead of a preferred name is taken, unless it has no signal at all. Where none has such a name, it
is the lead with the most usable seconds in ten minutes spread through the recording; of leads that
are within one percent of each other, the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.readers.lead import Lead
from ectopy.recording import PREFERRED_LEADS, select_lead
from ectopy.signal.second_flags import FLAT, MISSING
from ectopy.signal.seconds import measure_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ectopy.readers.source import Source

SURVEY_PIECES, SURVEY_PIECE_S = 10, 60.0
"""Pieces of so many seconds that leads are judged by; the whole of a recording that is shorter."""

ALIKE_PERCENT = 1.0
"""Leads whose usable seconds differ by no more are equally good."""


class LeadChoice(NamedTuple):
    """The lead to analyse.

    Attributes
    ----------
    column : int
        Its index among the recording's leads.
    warning : str or None
        One sentence where it is not the one that its name would have been chosen for.
    """

    column: int
    warning: str | None = None


def choose_lead(
    recording: Source,
    wanted: str | int | None = None,
    preference: Sequence[str] = PREFERRED_LEADS,
) -> LeadChoice:
    """Choose the lead to analyse: by name, and by its signal where names do not decide.

    Parameters
    ----------
    recording : Source
    wanted : str or int, optional
        The lead asked for, by name or number from 0; it is taken whatever its signal is.
    preference : sequence of str
        Names to try in turn where `wanted` is not given.

    Raises
    ------
    LeadNotFound
        If the recording has no lead called `wanted`.
    RecordingError
        If it cannot be read.

    Examples
    --------
    >>> from ectopy.readers.source import MemorySource
    >>> from ectopy.simulate import simulate
    >>> recording, _ = simulate(30, seed=1)
    >>> recording.signal_mv[:, 0] = 0
    >>> choose_lead(MemorySource.of(recording)).warning
    'lead MLII has no signal at all; lead V1 is analysed in its place'
    """
    if isinstance(wanted, int):
        return LeadChoice(wanted)
    named = select_lead(recording.leads, wanted, preference)
    if wanted is not None or len(recording.leads) == 1:
        return LeadChoice(named)
    names = [name.strip().lower() for name in recording.leads]
    preferred = [names.index(name.lower()) for name in preference if name.lower() in names]
    alive = next((c for c in preferred if not is_dead(Lead(recording, c))), None)
    if alive is None:
        columns = [c for c in range(len(names)) if c not in preferred]
        usable = [survey(Lead(recording, column)) for column in columns]
        most = max(usable, default=0.0)
        if preferred and most <= 0:  # no better: what is wrong is told where it is analysed
            return LeadChoice(named)
        alike = (c for c, u in zip(columns, usable, strict=True) if u >= most - ALIKE_PERCENT)
        alive = next(alike)
    if not preferred or alive == preferred[0]:
        return LeadChoice(alive)
    return LeadChoice(
        alive,
        f"lead {recording.leads[named]} has no signal at all; lead {recording.leads[alive]} is "
        "analysed in its place",
    )


def survey(lead: Lead) -> float:
    """Usable seconds per 100 of ten minutes that are spread through a lead."""
    fs, n = lead.fs, lead.n_samples
    length = round(SURVEY_PIECE_S * fs)
    if n <= SURVEY_PIECES * length:
        return measure_seconds(lead.read(), fs).usable_percent
    starts = np.linspace(0, n - length, SURVEY_PIECES).astype(np.int64).tolist()
    pieces = [measure_seconds(lead.read(first, first + length), fs) for first in starts]
    return float(np.mean([piece.usable_percent for piece in pieces]))


def is_dead(lead: Lead) -> bool:
    """Whether every second of a lead is missing or flat; read no further than to the first other.

    A second that is quieter than the rest of its lead is flat as well, so that a lead of nothing
    but an amplifier's noise is not dead by this; its beats, if any are found, are not usable.
    """
    length = round(SURVEY_PIECE_S * lead.fs)
    for first in range(0, lead.n_samples, length):
        piece = measure_seconds(lead.read(first, min(first + length, lead.n_samples)), lead.fs)
        if ((piece.flags & (MISSING | FLAT)) == 0).any():
            return False
    return True
