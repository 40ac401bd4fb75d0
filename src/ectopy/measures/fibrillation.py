"""A screen for atrial fibrillation by the irregularity of RR intervals. It is no diagnosis.

Petrėnas A, Marozas V, Sörnmo L: Low-complexity detection of atrial fibrillation in continuous
long-term monitoring. Computers in Biology and Medicine 65:184-191 (2015), sections 2.1 to 2.4.

The paper calms single ectopic beats by a median of three intervals. Here the beats have classes, so
the intervals on both sides of a beat that is not N are left out before; what remains is screened as
in the paper, with its parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ectopy.mapped import pieces
from ectopy.measures.intervals import TIE_S, Intervals, stretches
from ectopy.measures.pauses import longest_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ectopy.measures.intervals import Times

WINDOW = 8
"""Intervals that are compared in pairs (N in the paper)."""

DIFFERENCE_S = 0.03
"""Two intervals this far apart, in seconds, or further, are different (gamma in the paper)."""

SMOOTHING = 0.02
"""Weight of each new value in the exponential averages (alpha in the paper)."""

BIGEMINY = 2e-4
"""What a median filter changes in an irregular rhythm, at least (delta in the paper)."""

THRESHOLD = 0.725
"""Irregularity over mean interval, per second, above which the screen is positive.

It is eta in the paper, which reports a sensitivity of 97.1 % and a specificity of 98.3 % with it on
the MIT-BIH Atrial Fibrillation Database.
"""

SHORTEST_S = 30.0
"""Shortest episode in seconds; the European guidelines ask for 30 s of atrial fibrillation."""

MIN_INTERVALS = 30
"""With fewer intervals between N beats nothing is said."""

_BLOCK = 16_384
# An exponential average forgets what lies this many intervals away: 0.98 ** 1024 is 1e-9.
_MARGIN = 1024
_FORGOTTEN = 1e-18  # a value that counts this much less is not heard of any more


@dataclass(frozen=True, eq=False)
class Fibrillation:
    """Where the rhythm is as irregular as in atrial fibrillation. A screen, no diagnosis.

    Attributes
    ----------
    start_s, stop_s : ndarray of float64, shape (episodes,)
        Time of the first and the last beat of each episode in seconds.
    screened_s : float
        Seconds that could be screened: known intervals no longer than 3 s. 0 where there are fewer
        than `MIN_INTERVALS` between N beats.
    """

    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    screened_s: float

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def burden_percent(self) -> float | None:
        """Seconds in episodes, per 100 seconds that could be screened; None without any."""
        seconds = float((self.stop_s - self.start_s).sum())
        return 100.0 * seconds / self.screened_s if self.screened_s > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Give the episodes, the longest if there are many, and their sums, as plain data."""
        length_s = self.stop_s - self.start_s
        longest = int(length_s.argmax()) if len(self) else None
        rows = longest_rows(length_s)
        pairs = zip(self.start_s[rows].tolist(), self.stop_s[rows].tolist(), strict=True)
        return {
            "episodes": len(self),
            "burden_percent": self.burden_percent,
            "screened_s": self.screened_s,
            "longest_s": None if longest is None else float(length_s[longest]),
            "longest_start_s": None if longest is None else float(self.start_s[longest]),
            "episode_list": [{"start_s": start, "stop_s": stop} for start, stop in pairs],
        }


def screen_fibrillation(
    times_s: Times,
    classes: NDArray[np.int8],
    usable_s: NDArray[np.bool_] | None = None,
) -> Fibrillation:
    """Find stretches in which RR intervals are irregular throughout.

    Intervals beside a beat that is not N are judged as the nearest judged interval before them,
    the first ones as the first judged. A gap ends an episode. Episodes shorter than `SHORTEST_S`
    are dropped.

    Atrial flutter or tachycardia with varying conduction, and frequent supraventricular beats that
    were taken for N, are irregular as well; atrial fibrillation with a regular ventricular
    response, as with a pacemaker, is not.

    Parameters
    ----------
    times_s, classes, usable_s
        As in `ectopy.measures.intervals.Intervals.between`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> steady, wild = 0.8 + 0.01 * rng.standard_normal(300), rng.uniform(0.4, 1.1, 300)
    >>> times = np.cumsum(np.concatenate([steady, wild]))
    >>> screen = screen_fibrillation(times, np.zeros(600, dtype=np.int8))
    >>> len(screen), bool(abs(screen.start_s[0] - times[300]) < 20)
    (1, True)
    """
    intervals = Intervals.between(times_s, classes, usable_s)
    judged = intervals.normal(classes)
    nothing = np.zeros(0)
    if judged.sum() < MIN_INTERVALS:
        return Fibrillation(nothing, nothing, 0.0)
    parts = pieces(len(intervals), _BLOCK)
    verdicts = _find_in_parts(intervals.rr_s(rows)[judged[rows]] for rows in parts)
    first, rows = stretches(_spread_out(verdicts, judged) & intervals.joined)
    start_s, stop_s = times_s[first], times_s[first + rows]
    long = stop_s - start_s >= SHORTEST_S
    return Fibrillation(start_s[long], stop_s[long], intervals.joined_s)


def _spread_out(verdicts: NDArray[np.bool_], judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Verdict of each interval: its own, or that of the last judged one before it."""
    irregular, done = np.empty(len(judged), dtype=np.bool_), 0
    for rows in pieces(len(judged), _BLOCK):
        count = done + np.cumsum(judged[rows])
        irregular[rows] = verdicts[np.maximum(count - 1, 0)]
        done = int(count[-1])
    return irregular


def find_irregular(rr_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each interval whether the rhythm around it is irregular, as the paper decides it.

    Parameters
    ----------
    rr_s : ndarray of float64, shape (intervals,)
        RR intervals in seconds, in order, above 0. At least `WINDOW`.

    Returns
    -------
    ndarray of bool, shape (intervals,)
    """
    return _find_in_parts(rr_s[rows] for rows in pieces(len(rr_s), _BLOCK))


def _find_in_parts(parts: Iterable[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Do as `find_irregular` with parts of any length that follow each other."""
    # What is at hand overlaps with what was, and is to be, by what the averages remember.
    at_hand, decided, irregular = np.zeros(0), 0, []
    for rr_s, is_last in _with_last(parts):
        at_hand = np.concatenate([at_hand, rr_s])
        until = len(at_hand) if is_last else len(at_hand) - _MARGIN
        if until > decided:
            irregular.append(_decide(at_hand)[decided:until] > THRESHOLD)
            forgotten = max(until - _MARGIN, 0)
            at_hand, decided = at_hand[forgotten:], until - forgotten
    return np.concatenate(irregular)


def _with_last(
    parts: Iterable[NDArray[np.float64]],
) -> Iterator[tuple[NDArray[np.float64], bool]]:
    """Give each part, and whether it is the last."""
    earlier = None
    for part in parts:
        if earlier is not None:
            yield earlier, False
        earlier = part
    if earlier is not None:
        yield earlier, True


def _decide(rr_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decision function O of the paper (section 2.4), one value an interval."""
    before, after = np.append(rr_s[:1], rr_s[:-1]), np.append(rr_s[1:], rr_s[-1:])
    # Median of three (section 2.1): the greater of the lesser two, unless the third lies between.
    middle = np.maximum(np.minimum(before, rr_s), np.minimum(np.maximum(before, rr_s), after))
    windows = sliding_window_view(middle, WINDOW)
    different = np.zeros(len(windows))
    for one in range(WINDOW):
        for other in range(one + 1, WINDOW):
            different += np.abs(windows[:, one] - windows[:, other]) >= DIFFERENCE_S - TIE_S
    irregularity = different / (WINDOW * (WINDOW - 1) / 2)  # M, section 2.2
    sums = [sliding_window_view(each, WINDOW).sum(axis=1) for each in (middle, rr_s)]
    changed = (sums[0] / sums[1] - 1) ** 2  # B, section 2.3
    smooth_changed = _average(_spread(changed))
    decided = _average(_spread(irregularity)) / _average(rr_s)
    return np.where(smooth_changed >= BIGEMINY, decided, smooth_changed)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each interval the value of the window around it; the first and last ones are kept."""
    return np.pad(values, (WINDOW // 2, WINDOW - 1 - WINDOW // 2), mode="edge")


def _average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential average forward, then backward, so that nothing comes late (section 2.1)."""
    for _ in range(2):
        average = SMOOTHING * values
        average[0] += (1 - SMOOTHING) * values[: round(1 / SMOOTHING)].mean()
        # Sums over the last 2, 4, 8 ... values, until nothing is left of those before.
        kept, ago = 1 - SMOOTHING, 1
        while ago < len(values) and kept > _FORGOTTEN:
            average[ago:] += kept * average[:-ago]
            kept, ago = kept**2, 2 * ago
        values = average[::-1]
    return values
