"""The summary of a recording: every measure of its beats in one place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ectopy.beats import count_classes
from ectopy.measures.fibrillation import Fibrillation, screen_fibrillation
from ectopy.measures.hourly import Hourly, count_hours
from ectopy.measures.intervals import Intervals
from ectopy.measures.patterns import Patterns, find_patterns
from ectopy.measures.pauses import Pauses, find_pauses
from ectopy.measures.rates import extremes, mean_rate_bpm
from ectopy.measures.runs import Runs
from ectopy.measures.variability import (
    TimeVariability,
    Variability,
    measure_time_variability,
    measure_variability,
)
from ectopy.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from ectopy.beats import BeatTable

DECIMALS = 3
"""Decimals of the summary's numbers in plain data."""


@dataclass(frozen=True, eq=False)
class Summary:
    """A recording in a few numbers. What too few beats leave undefined is None.

    Each number is defined, with its source, in ``docs/measures.md``.

    Attributes
    ----------
    duration_s : float
        Length of the recording in seconds.
    n_beats : int
        Beats that have a class.
    counts : dict of str to int
        Beats of each class, in the order of `ectopy.beats.CLASSES`.
    heart_rate_mean_bpm : float or None
        60 over the mean interval between neighbouring beats of any class, in seconds. Intervals
        longer than `ectopy.measures.intervals.GAP_S` are left out.
    heart_rate_min_bpm, heart_rate_max_bpm : float or None
        60 over the longest and the shortest median of `ectopy.measures.rates.RATE_WINDOW`
        consecutive intervals: a median, so that one missed or one additional beat moves neither.
        Windows that hold a longer interval than that are left out; None where no window is left.
    v_burden_percent, s_burden_percent : float or None
        Beats of class V, and of class S, per 100 beats that have a class.
    ectopic_burden_percent : float or None
        Beats of classes S, V and F per 100 beats that have a class.
    v_runs, s_runs : Runs
        Singles, couplets and runs of class V, and of class S.
    pauses : int
        Intervals longer than `ectopy.measures.pauses.PAUSE_S`. An interval in which beats were
        there but could not be found counts too, so look at the signal.
    longest_pause_s : float or None
        The longest of them in seconds; None without a pause.
    longest_pause_start_s : float or None
        Time in seconds of the beat before it.
    long_pauses : int
        Pauses of `ectopy.measures.pauses.LONG_PAUSE_S` or more.
    n_unusable : int
        Beats that could not be classed, because the signal is too poor there.
    usable_percent : float or None
        Seconds that can be used, per 100; None where it was not looked at.
    pause_list : Pauses
        Every pause.
    v_patterns, s_patterns : Patterns
        Runs, tachycardias, bigeminy and its kin, of class V and of class S.
    fibrillation : Fibrillation
        Where the rhythm is as irregular as in atrial fibrillation: a screen, no diagnosis.
    hourly : Hourly
        The recording hour by hour.
    """

    duration_s: float
    n_beats: int
    counts: Mapping[str, int]
    heart_rate_mean_bpm: float | None
    heart_rate_min_bpm: float | None
    heart_rate_max_bpm: float | None
    v_burden_percent: float | None
    s_burden_percent: float | None
    ectopic_burden_percent: float | None
    v_runs: Runs
    s_runs: Runs
    pauses: int
    longest_pause_s: float | None
    longest_pause_start_s: float | None
    long_pauses: int
    n_unusable: int
    usable_percent: float | None
    pause_list: Pauses
    v_patterns: Patterns
    s_patterns: Patterns
    fibrillation: Fibrillation
    hourly: Hourly
    measured_from: Mapping[str, Any] = field(repr=False)

    @cached_property
    def variability(self) -> Variability:
        """Heart rate variability, worked out when it is first asked for."""
        return measure_variability(**self.measured_from)

    @cached_property
    def time_variability(self) -> TimeVariability:
        """Its part in the time domain, for which no SciPy is loaded."""
        return measure_time_variability(**self.measured_from)

    def to_dict(self) -> dict[str, Any]:
        """Summary as plain data for JSON: the attributes' names as keys, three decimals."""
        content: dict[str, Any] = {}
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if isinstance(value, Runs):
                content[name] = asdict(value)
            elif isinstance(value, Pauses | Patterns | Fibrillation | Hourly):
                content[name] = value.to_dict()
            elif name == "measured_from":
                content["variability"] = self.variability.to_dict()
            else:
                content[name] = value
        plain_content: dict[str, Any] = plain(content, decimals=DECIMALS)
        return plain_content


def summarise(
    beats: BeatTable,
    n_samples: int,
    *,
    start: datetime | None = None,
    usable_s: NDArray[np.bool_] | None = None,
) -> Summary:
    """Sum up the beats of a recording; `Summary` defines each number.

    Parameters
    ----------
    beats : BeatTable
        The beats, none or more.
    n_samples : int
        Samples of the recording, at `beats.fs`.
    start : datetime, optional
        Wall-clock time of the first sample.
    usable_s : ndarray of bool, shape (seconds,), optional
        Whether each second of the recording can be used. Nothing is said across one that cannot.

    Examples
    --------
    >>> import numpy as np
    >>> from ectopy.beats import BeatTable
    >>> one_hot = np.eye(5, dtype=np.float32)
    >>> beats = BeatTable(np.array([100, 400, 580, 1000]), one_hot[[0, 0, 2, 0]], fs=360.0)
    >>> summary = summarise(beats, n_samples=1200)
    >>> summary.heart_rate_mean_bpm, summary.v_burden_percent, summary.v_runs.singles
    (72.0, 25.0, 1)
    """
    times_s, classes, duration_s = beats.times, beats.classes, n_samples / beats.fs
    counts = count_classes(classes)
    n_beats = sum(counts.values())
    intervals = Intervals.between(times_s, classes, usable_s)
    patterns = {name: find_patterns(times_s, classes, name, usable_s) for name in ("V", "S")}
    pauses = find_pauses(times_s, classes, usable_s)
    longest = pauses.longest
    fibrillation = screen_fibrillation(times_s, classes, usable_s)
    hourly = count_hours(times_s, classes, duration_s, start=start, usable_s=usable_s)
    return Summary(
        duration_s=duration_s,
        n_beats=n_beats,
        counts=counts,
        heart_rate_mean_bpm=mean_rate_bpm(intervals.joined_s, int(intervals.joined.sum())),
        heart_rate_min_bpm=extremes(hourly.heart_rate_min_bpm)[0],
        heart_rate_max_bpm=extremes(hourly.heart_rate_max_bpm)[1],
        v_burden_percent=_percent(counts["V"], n_beats),
        s_burden_percent=_percent(counts["S"], n_beats),
        ectopic_burden_percent=_percent(counts["S"] + counts["V"] + counts["F"], n_beats),
        v_runs=Runs.of(patterns["V"].stretches),
        s_runs=Runs.of(patterns["S"].stretches),
        pauses=len(pauses),
        longest_pause_s=None if longest is None else float(pauses.length_s[longest]),
        longest_pause_start_s=None if longest is None else float(pauses.start_s[longest]),
        long_pauses=pauses.n_long,
        n_unusable=len(beats) - n_beats,
        usable_percent=_mean_percent(usable_s),
        pause_list=pauses,
        v_patterns=patterns["V"],
        s_patterns=patterns["S"],
        fibrillation=fibrillation,
        hourly=hourly,
        measured_from={
            "times_s": times_s,
            "classes": classes,
            "usable_s": usable_s,
            "irregular_percent": fibrillation.burden_percent,
        },
    )


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def _mean_percent(usable_s: NDArray[np.bool_] | None) -> float | None:
    return None if usable_s is None or len(usable_s) == 0 else 100.0 * float(usable_s.mean())
