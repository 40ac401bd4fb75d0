"""Noticing a lead that looks upside down, as it does when electrodes are exchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.inference.sections import section_windows
from ectopy.mapped import PIECE, pieces, release
from ectopy.models.contract import rhythm_contract
from ectopy.signal.typical import LATE_SHARE_LOCAL, late, median_of_alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.readers.lead import Lead

UPRIGHT_LEADS = ("MLII", "II", "I", "V5", "V6")
"""Leads in which QRS complex and T wave of most people point up; of others nothing is said."""

GROUPS, GROUP = 20, 30
"""So many groups of so many beats, spread through the recording, are looked at."""

LEAST_BEATS = 20

QRS_S = (-0.085, 0.125)
T_S = (0.14, 0.35)
"""Where they lie, in seconds from the peak."""

QRS_DOWN = -0.3
"""Sum of the QRS complex's highest and lowest point, in its heights, from which it points down.

Of the 22 records DS1 of the MIT-BIH Arrhythmia Database one lies below in MLII (207, with bundle
branch block), and 17 do once they are turned upside down.
"""

T_UP = 0.1
"""Mean of the T wave, in heights of the QRS complex, from which it clearly points the other way, as
it does in bundle branch block and paced beats: 0.23 in record 207."""


class Usable:
    """The usable ones of many beats, of which some neighbours are taken at a time.

    Parameters
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample indices, ascending.
    usable : ndarray of bool, shape (beats,)
    """

    def __init__(self, peaks: NDArray[np.int64], usable: NDArray[np.bool_]) -> None:
        self._peaks, self._usable = peaks, usable
        counts = [np.count_nonzero(usable[rows]) for rows in pieces(len(peaks))]
        self._before = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._before[-1])

    def __getitem__(self, rows: slice) -> NDArray[np.int64]:
        """Give their sample indices, as a slice of all of them would."""
        first, stop, _ = rows.indices(len(self))
        begin = int(np.searchsorted(self._before, first, side="right")) - 1
        end = max(begin + 1, int(np.searchsorted(self._before, stop)))
        part = slice(begin * PIECE, end * PIECE)
        found = np.asarray(self._peaks[part])[self._usable[part]]
        release(self._peaks)
        skipped = int(self._before[begin])
        return found[first - skipped : stop - skipped]


def looks_inverted(lead: Lead, peaks: NDArray[np.int64] | Usable) -> str | None:
    """Say that a lead looks upside down, or nothing.

    Parameters
    ----------
    lead : Lead
    peaks : ndarray of int64, shape (beats,), or Usable
        Sample indices of its usable beats, ascending.

    Returns
    -------
    str or None
        One sentence; None for a lead that points up, that tells nothing, or whose name is not one
        of `UPRIGHT_LEADS`.
    """
    known = [name.lower() for name in UPRIGHT_LEADS]
    if lead.name.strip().lower() not in known or len(peaks) < LEAST_BEATS:
        return None
    qrs, t_wave = polarity(lead, peaks)
    if qrs > QRS_DOWN or t_wave > T_UP:
        return None
    return (
        f"lead {lead.name} looks inverted: the QRS complex of its typical beat points down, and "
        "the T wave does not point the other way; were electrodes exchanged?"
    )


def polarity(lead: Lead, peaks: NDArray[np.int64] | Usable) -> tuple[float, float]:
    """Tell where QRS complex and T wave of the typical late beat point to.

    Parameters
    ----------
    lead : Lead
    peaks : ndarray of int64, shape (beats,)
        Ascending, at least two.

    Returns
    -------
    qrs : float
        Highest and lowest point added, in heights of the QRS complex: 1 for one that only points
        up, -1 for one that only points down.
    t_wave : float
        Mean of the T wave, in the same heights.
    """
    contract = rhythm_contract()
    firsts = np.unique(np.linspace(0, max(len(peaks) - GROUP, 0), GROUPS).astype(np.int64))
    chosen = []
    for first in firsts.tolist():
        group = peaks[first : first + GROUP]
        rows = np.sort(late(np.diff(group).astype(np.float64), LATE_SHARE_LOCAL)) + 1
        chosen.append(section_windows(lead, group, contract)[rows])
    windows = np.concatenate(chosen)
    windows = windows - np.median(windows, axis=1, keepdims=True)
    beat = median_of_alike(windows, contract.before)
    beat = beat - np.median(beat)

    def between(span_s: tuple[float, float]) -> NDArray[np.float32]:
        start, stop = (contract.before + round(place * contract.fs) for place in span_s)
        return beat[start:stop]

    qrs = between(QRS_S)
    height = max(float(np.ptp(qrs)), 1e-30)
    return float(qrs.max() + qrs.min()) / height, float(between(T_S).mean()) / height
