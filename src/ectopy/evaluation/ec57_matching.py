"""Beat-by-beat matching as the WFDB comparator does it.

Two annotation files are read side by side. Of the two beats at hand the earlier one is settled in
each step: it is matched to the other, or it has no counterpart. The rules, with their corner cases,
are those of `bxb` (bxb(1), WFDB Applications Guide), which is the reference implementation of
ANSI/AAMI EC57: totals have to come out equal to the last beat.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NEVER = 2**62
"""Time of a beat that a file does not have any more, later than any sample."""

_FLUTTER_STARTS, _FLUTTER_ENDS, _QUALITY = "[", "]", "~"

# Both bits are set in the subtype of a quality mark from which on no signal can be read.
_UNREADABLE = 0x30

_NO_END = -1


class Stretches(NamedTuple):
    """Stretches of one kind, such as flutter, in the order in which a file tells of them.

    Attributes
    ----------
    first, last : ndarray of int64, shape (stretches,)
        Samples at which each begins and ends, both inside it.
    known : ndarray of int64, shape (beats + 3,)
        How many of them have been met once the file is read up to each step.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    known: NDArray[np.int64]

    def hold(self, times: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which times lie inside one of the two latest stretches known at each step."""
        inside = np.zeros(len(times), dtype=np.bool_)
        for back in (1, 2):
            index = self.known[steps] - back
            is_there = index >= 0
            chosen = index[is_there]
            at = times[is_there]
            inside[is_there] |= (self.first[chosen] <= at) & (at <= self.last[chosen])
        return inside


@dataclass(frozen=True, eq=False)
class Track:
    """The beats of one annotation file, step by step as a reader meets them.

    Step 0 stands for the beginning of the file, where there is no beat; the last two steps stand
    for its end.

    Attributes
    ----------
    times : list of int, length beats + 3
        Sample of each step's beat: 0 at the beginning, `NEVER` at the end.
    rows : ndarray of int64, shape (beats + 3,)
        Row of each step's beat among all marks; -1 at the beginning and the end.
    flutter, unreadable : Stretches
        Ventricular flutter or fibrillation, and stretches that cannot be read.
    unreadable_samples : ndarray of int64, shape (beats + 3,)
        Length of the stretches that cannot be read, as far as each step knows of them.
    """

    times: list[int]
    rows: NDArray[np.int64]
    flutter: Stretches
    unreadable: Stretches
    unreadable_samples: NDArray[np.int64]


class Match(NamedTuple):
    """What matching two tracks gives, all as steps of the tracks.

    Attributes
    ----------
    pairs : ndarray of int64, shape (pairs, 2)
        Steps of the reference and the test track that belong together.
    missed, extra : ndarray of int64, shape (beats, 2)
        Steps of the reference and the test track at hand when a reference beat was found to have
        no counterpart, and when a test beat was.
    end : tuple of int
        Steps of the reference and the test track at which the comparison ended.
    """

    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    end: tuple[int, int]


def read_track(
    samples: NDArray[np.int64],
    symbols: NDArray[np.str_],
    subtypes: NDArray[np.int8],
    *,
    beat_symbols: Mapping[str, object],
    window: int,
    stop: int | None,
    is_reference: bool,
) -> Track:
    """Follow an annotation file from beat to beat.

    From `[` on, every mark up to the next `]` is passed over, beats included. A quality mark `~`
    whose subtype has both bits of 48 begins a stretch that cannot be read; it lasts to the quality
    mark that comes next and has not. Where another mark comes next, the quality mark stands
    somewhere inside the stretch, as in the AHA database, and the stretch is taken to reach from
    `window` after the beat, or the flutter, before it to `window` before the mark after it.

    A stretch that no mark ends lasts for ever, and no beat follows. For `bxb` that holds only for
    the first flutter of a file, and in a test file only for the first stretch that cannot be read:
    a later one is empty, since the end of the stretch before it is still taken for its own.

    Parameters
    ----------
    samples, symbols, subtypes : ndarray, shape (marks,)
        Every mark of the file, in the order of the file.
    beat_symbols : mapping from str
        Symbols of the marks that take part in the matching.
    window : int
        The match window in samples.
    stop : int, optional
        Last sample of the test period, where it is known.
    is_reference : bool
        Whether this is the reference file.

    Returns
    -------
    Track
    """
    reader = _Reader(samples.tolist(), symbols.tolist(), subtypes.tolist(), window)
    reader.read(beat_symbols, stop=stop, is_reference=is_reference)
    # At the end of the file all is known.
    n_flutter, n_unreadable = len(reader.flutter), len(reader.unreadable)
    unreadable_samples = [*reader.unreadable_samples, reader.total, reader.total]
    return Track(
        times=[0, *(reader.samples[row] for row in reader.rows), NEVER, NEVER],
        rows=np.array([-1, *reader.rows, -1, -1], dtype=np.int64),
        flutter=_stretches(reader.flutter, [*reader.known_flutter, n_flutter, n_flutter]),
        unreadable=_stretches(
            reader.unreadable, [*reader.known_unreadable, n_unreadable, n_unreadable]
        ),
        unreadable_samples=np.array(unreadable_samples, dtype=np.int64),
    )


def _stretches(bounds: list[tuple[int, int]], known: list[int]) -> Stretches:
    table = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    return Stretches(table[:, 0], table[:, 1], np.array(known, dtype=np.int64))


class _Reader:
    """What has been read of an annotation file, mark by mark."""

    def __init__(
        self, samples: list[int], symbols: list[str], subtypes: list[int], window: int
    ) -> None:
        self.samples, self.symbols, self.subtypes, self.window = samples, symbols, subtypes, window
        self.rows: list[int] = []
        self.flutter: list[tuple[int, int]] = []
        self.unreadable: list[tuple[int, int]] = []
        self.total = 0
        # One entry a step, the first for the beginning of the file.
        self.known_flutter, self.known_unreadable, self.unreadable_samples = [0], [0], [0]

    def read(
        self, beat_symbols: Mapping[str, object], *, stop: int | None, is_reference: bool
    ) -> None:
        at = 0
        while at < len(self.samples):
            symbol = self.symbols[at]
            if symbol in beat_symbols:
                self._add_beat(at)
            elif symbol == _FLUTTER_STARTS:
                at = self._pass_flutter(at)
            elif self._is_unreadable(at):
                at = self._pass_unreadable(at, stop=stop, is_reference=is_reference)
            at += 1

    def _add_beat(self, at: int) -> None:
        self.rows.append(at)
        self.known_flutter.append(len(self.flutter))
        self.known_unreadable.append(len(self.unreadable))
        self.unreadable_samples.append(self.total)

    def _is_unreadable(self, at: int) -> bool:
        is_quality = self.symbols[at] == _QUALITY
        return is_quality and self.subtypes[at] & _UNREADABLE == _UNREADABLE

    def _pass_flutter(self, at: int) -> int:
        """Pass over a flutter; return the row of the mark that ends it."""
        first = self.samples[at]
        try:
            end = self.symbols.index(_FLUTTER_ENDS, at + 1)
        except ValueError:
            last = self.flutter[-1][1] if self.flutter else NEVER
            self.flutter.append((first, last))
            return len(self.samples)
        self.flutter.append((first, self.samples[end]))
        return end

    def _pass_unreadable(self, at: int, *, stop: int | None, is_reference: bool) -> int:
        """Pass over a stretch that cannot be read; return the row of the last mark it takes up."""
        first, after = self.samples[at], at + 1
        if after == len(self.samples):
            earlier = [last for _, last in self.unreadable[-1:]]
            # A stretch that ended at -1 looks to bxb as if it had no end yet.
            last = NEVER if is_reference or earlier in ([], [_NO_END]) else earlier[0]
            self.unreadable.append((first, last))
            # The tally knows when the test period ends, even where the stretch is empty.
            self.total += 0 if stop is None else stop - first
            return after
        if self.symbols[after] == _QUALITY and not self._is_unreadable(after):
            last, at = self.samples[after], after
        else:
            beat = self.samples[self.rows[-1]] if self.rows else 0
            flutter = self.flutter[-1][1] if self.flutter else -1
            last = self.samples[after] - self.window
            first = min(max(beat, flutter) + self.window, last)
        self.unreadable.append((first, last))
        self.total += last - first
        return at


def match(
    reference: list[int], test: list[int], *, start: int, stop: int | None, window: int
) -> Match:
    """Match the beats of two tracks one to one.

    Parameters
    ----------
    reference, test : list of int
        `Track.times` of the two files.
    start : int
        First sample of the test period.
    stop : int, optional
        Last sample of the test period. Without it, the comparison ends with the reference.
    window : int
        Largest distance of two beats that match, in samples.

    Returns
    -------
    Match
    """
    pairs: list[tuple[int, int]] = []
    missed: list[tuple[int, int]] = []
    extra: list[tuple[int, int]] = []
    r, t = _begin(reference, test, start, window, pairs)
    while reference[r] != NEVER if stop is None else reference[r] <= stop or test[t] <= stop:
        is_test_first = test[t] < reference[r]
        ahead, behind = (test[t : t + 2], reference[r : r + 2])
        if not is_test_first:
            ahead, behind = behind, ahead
        if _belong_together(ahead, behind, window):
            pairs.append((r, t))
            r, t = r + 1, t + 1
        elif is_test_first:
            extra.append((r, t))
            t += 1
        else:
            missed.append((r, t))
            r += 1
    return Match(_steps(pairs), _steps(missed), _steps(extra), (r, t))


def _begin(
    reference: list[int], test: list[int], start: int, window: int, pairs: list[tuple[int, int]]
) -> tuple[int, int]:
    """Settle the border at the start, and return the first steps of both tracks after it.

    The first reference beat of the test period may belong to the last test beat before it, and
    the first test beat of the period to a reference beat before it: then the latter counts
    nowhere.
    """
    r = bisect_left(reference, start)
    t = bisect_left(test, start, lo=1)
    first, (before, now, after) = reference[r], test[t - 1 : t + 2]
    if first - before < abs(first - now) and first - before <= window:
        pairs.append((r, t - 1))
        return r + 1, t
    if now - start <= window and abs(first - after) < abs(first - now):
        t += 1
    return r, t


def _belong_together(ahead: list[int], behind: list[int], window: int) -> bool:
    """Tell whether the beat ahead matches the one behind it, given the beat after each.

    It does not if the next beat of its own file lies closer to the one behind, unless that next
    beat lies closer still to the next beat of the other file.
    """
    distance, rival = behind[0] - ahead[0], abs(behind[0] - ahead[1])
    return distance <= window and (distance < rival or abs(behind[1] - ahead[1]) < rival)


def _steps(rows: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64).reshape(-1, 2)
