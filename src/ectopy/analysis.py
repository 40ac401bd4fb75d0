"""What an analysis adds up to: the beats with their classes, and the summary of a recording."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ectopy.beats import CLASSES, count_classes

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from ectopy.beats import BeatTable, ReferenceBeats
    from ectopy.readers.lead import Lead
    from ectopy.signal.second_flags import SecondsQuality

PAUSE_S = 2.0
"""An interval between two beats that is longer than this, in seconds, counts as a pause."""

GAP_S = 3.0
"""An interval longer than this, in seconds, says nothing about the heart rate and ends a run.

It is a long pause, or a stretch in which no beat could be found.
"""

RATE_WINDOW = 8
"""Intervals in each window whose median gives the lowest and the highest heart rate."""

BEAT_COLUMNS = (
    "beat",
    "sample",
    "time_s",
    "rr_s",
    "class",
    "confidence",
    *(f"p_{name}" for name in CLASSES),
)
"""Keys of each row of `beat_rows`, in order."""


@dataclass(frozen=True)
class Runs:
    """How the beats of one class follow each other.

    A run is a stretch of beats of the class with no other beat, no unusable signal, and no interval
    longer than `GAP_S`, between them.

    Attributes
    ----------
    singles : int
        Beats of the class that stand alone.
    couplets : int
        Runs of exactly two beats.
    runs : int
        Runs of three beats or more.
    longest_beats : int
        Beats of the longest run, the earliest of several; 1 where all stand alone, 0 without any.
    longest_start_s : float or None
        Time of its first beat in seconds; None without any beat of the class.
    longest_rate_bpm : float or None
        60 over its mean interval in seconds; None where it is shorter than two beats.
    """

    singles: int
    couplets: int
    runs: int
    longest_beats: int
    longest_start_s: float | None
    longest_rate_bpm: float | None


@dataclass(frozen=True)
class Summary:
    """A recording in a few numbers. What too few beats leave undefined is None.

    Attributes
    ----------
    duration_s : float
        Length of the recording in seconds.
    n_beats : int
        Beats that were found, usable or not.
    n_unusable : int
        Those of them whose class the signal is too poor to tell. They are in no other number here,
        nor are intervals that such a beat, or an unusable second, is part of.
    usable_percent : float or None
        Seconds of the recording whose signal can be used, per 100; None where it was not judged.
    counts : dict of str to int
        Usable beats of each class, in the order of `ectopy.beats.CLASSES`.
    heart_rate_mean_bpm : float or None
        60 over the mean interval between neighbouring beats of any class, in seconds. Intervals
        longer than `GAP_S` are left out.
    heart_rate_min_bpm, heart_rate_max_bpm : float or None
        60 over the longest and the shortest median of `RATE_WINDOW` consecutive intervals: a
        median, so that one missed or one additional beat moves neither. Windows that hold an
        interval longer than `GAP_S` are left out; None where no window is left.
    v_burden_percent, s_burden_percent : float or None
        Beats of class V, and of class S, per 100 usable beats.
    ectopic_burden_percent : float or None
        Beats of classes S, V and F per 100 usable beats.
    v_runs, s_runs : Runs
        Singles, couplets and runs of class V, and of class S.
    pauses : int
        Intervals longer than `PAUSE_S`. An interval in which beats were there but could not be
        found counts too, so look at the signal.
    longest_pause_s : float or None
        The longest of them in seconds; None without a pause.
    longest_pause_start_s : float or None
        Time in seconds of the beat before it.
    """

    duration_s: float
    n_beats: int
    n_unusable: int
    usable_percent: float | None
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

    def to_dict(self) -> dict[str, Any]:
        """Summary as plain data for JSON: the attributes' names as keys, three decimals."""
        return {key: _plain(value, decimals=3) for key, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class Analysis:
    """The beats of one recording, their classes, and what they were found with.

    Attributes
    ----------
    recording : str
        Name of the recording.
    fs : float
        Sampling frequency in Hz.
    n_samples : int
        Samples of the recording.
    start : datetime or None
        Wall-clock time of the first sample, where the recording gives one.
    lead : str
        Name of the lead that was analysed.
    signal_mv : ndarray of float32, or Lead, shape (samples,)
        That lead in millivolts, at the recording's own `fs`. Missing samples are NaN. A lead that
        stays in its file gives parts of itself when it is sliced.
    beats : BeatTable
        One row a beat.
    beat_source : str
        "detected" where the beats were found in the signal, "annotated" where they were given.
    model : mapping
        The model and how it was measured, as plain data that JSON can hold: `name`,
        `weights_sha256`, and `measured` with `protocol`, `accuracy`, `macro_f1`, `n`, `note`.
    reference : ReferenceBeats or None
        The annotations of the recording, where the analysis used or found them.
    warnings : tuple of str
        What a reader of the results has to know, one sentence each.
    version : str
        Version of ectopy that made the analysis.
    quality : SecondsQuality or None
        What is wrong with each second of the lead; None where that was not judged.
    """

    recording: str
    fs: float
    n_samples: int
    start: datetime | None
    lead: str
    signal_mv: NDArray[np.float32] | Lead
    beats: BeatTable
    beat_source: str
    model: Mapping[str, Any]
    reference: ReferenceBeats | None
    warnings: tuple[str, ...]
    version: str
    quality: SecondsQuality | None = None

    @cached_property
    def summary(self) -> Summary:
        """The recording in a few numbers."""
        return summarise(self.beats, self.n_samples, self.quality)

    def to_dict(self, *, beats: bool = True) -> dict[str, Any]:
        """Everything but the signal, as plain data for JSON: no arrays, no NaN.

        Parameters
        ----------
        beats : bool
            Whether to add the rows of `beat_rows` under the key `beats`, and the samples and
            symbols of every reference beat.

        Returns
        -------
        dict
            Keys: `recording`, `start` (ISO 8601 or None), `fs_hz`, `n_samples`, `lead`,
            `beat_source`, `model`, `ectopy_version`, `warnings`, `summary` (see `Summary`),
            `quality` (None, or see `SecondsQuality.to_dict`), `reference` (None, or `n_beats` and
            `counts`), and `beats`.
        """
        content: dict[str, Any] = {
            "recording": self.recording,
            "start": None if self.start is None else self.start.isoformat(),
            "fs_hz": float(self.fs),
            "n_samples": int(self.n_samples),
            "lead": self.lead,
            "beat_source": self.beat_source,
            "model": _plain(self.model),
            "ectopy_version": self.version,
            "warnings": list(self.warnings),
            "summary": self.summary.to_dict(),
            "quality": None if self.quality is None else self.quality.to_dict(),
            "reference": None if self.reference is None else _reference(self.reference, rows=beats),
        }
        if beats:
            content["beats"] = beat_rows(self.beats)
        return content


def summarise(beats: BeatTable, n_samples: int, quality: SecondsQuality | None = None) -> Summary:
    """Sum up the beats of a recording; `Summary` defines each number.

    Parameters
    ----------
    beats : BeatTable
        The beats, none or more.
    n_samples : int
        Samples of the recording, at `beats.fs`.
    quality : SecondsQuality, optional
        Which seconds of it can be used; all unless given.

    Examples
    --------
    >>> from ectopy.beats import BeatTable
    >>> one_hot = np.eye(5, dtype=np.float32)
    >>> beats = BeatTable(np.array([100, 400, 580, 1000]), one_hot[[0, 0, 2, 0]], fs=360.0)
    >>> summary = summarise(beats, n_samples=1200)
    >>> summary.heart_rate_mean_bpm, summary.v_burden_percent, summary.v_runs.singles
    (72.0, 25.0, 1)
    """
    counts = beats.counts()
    # An interval of which nothing is known is endless: too long for a rate or a run.
    intervals = np.where(_known_intervals(beats, quality), beats.rr_s[1:], np.inf)
    slowest, fastest = _rate_extremes(intervals)
    pauses = np.flatnonzero(np.isfinite(intervals) & (intervals > PAUSE_S))
    longest = int(pauses[intervals[pauses].argmax()]) if len(pauses) else None
    n_usable = int(beats.usable.sum())
    return Summary(
        duration_s=n_samples / beats.fs,
        n_beats=len(beats),
        n_unusable=len(beats) - n_usable,
        usable_percent=None if quality is None else quality.usable_percent,
        counts=counts,
        heart_rate_mean_bpm=_rate_bpm(intervals[intervals <= GAP_S]),
        heart_rate_min_bpm=slowest,
        heart_rate_max_bpm=fastest,
        v_burden_percent=_percent(counts["V"], n_usable),
        s_burden_percent=_percent(counts["S"], n_usable),
        ectopic_burden_percent=_percent(counts["S"] + counts["V"] + counts["F"], n_usable),
        v_runs=_runs(beats, intervals, "V"),
        s_runs=_runs(beats, intervals, "S"),
        pauses=len(pauses),
        longest_pause_s=None if longest is None else float(intervals[longest]),
        longest_pause_start_s=None if longest is None else float(beats.times_s[longest]),
    )


def _known_intervals(beats: BeatTable, quality: SecondsQuality | None) -> NDArray[np.bool_]:
    """Whether each interval lies between usable beats, with no unusable second between them."""
    known = beats.usable[1:] & beats.usable[:-1]
    if quality is None or len(quality) == 0:
        return known
    bad_before = np.concatenate([[0], np.cumsum(~quality.usable)])
    second = np.floor(beats.times_s).astype(np.int64).clip(0, len(quality) - 1)
    return np.asarray(known & (bad_before[second[1:] + 1] == bad_before[second[:-1]]))


def beat_rows(beats: BeatTable) -> list[dict[str, Any]]:
    """One dict a beat, as plain data for tables: keys are `BEAT_COLUMNS`.

    `beat` counts from 0; `sample` is at the recording's own fs; `time_s` and `rr_s` (None for the
    first beat) are in seconds to the microsecond; `confidence` and the probabilities `p_N` to
    `p_Q` have six significant digits. An unusable beat has the class "unusable" and None for these.

    Examples
    --------
    >>> from ectopy.beats import BeatTable
    >>> beats = BeatTable(np.array([90]), np.eye(5, dtype=np.float32)[[2]], fs=360.0)
    >>> row = beat_rows(beats)[0]
    >>> row["time_s"], row["rr_s"], row["class"], row["p_V"]
    (0.25, None, 'V', 1.0)
    """
    blank = np.where(beats.usable, np.float32(0), np.float32(np.nan))
    columns = (
        range(len(beats)),
        beats.peaks.tolist(),
        beats.times_s.round(6).tolist(),
        [None, *beats.rr_s[1:].round(6).tolist()],
        beats.labels.tolist(),
        _six_digits(beats.confidences),
        *(_six_digits(column + blank) for column in beats.probabilities.T),
    )
    # The first beat has no interval: without any beat that column is the longer one.
    return [dict(zip(BEAT_COLUMNS, row, strict=True)) for row in zip(*columns, strict=False)]


def _rate_bpm(intervals: NDArray[np.float64]) -> float | None:
    """Give 60 over the mean interval; None without an interval to divide by."""
    mean = float(intervals.mean()) if len(intervals) else 0.0
    return 60.0 / mean if mean > 0 else None


def _rate_extremes(intervals: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Lowest and highest heart rate in beats per minute, as `Summary` defines them."""
    if len(intervals) < RATE_WINDOW:
        return None, None
    windows = sliding_window_view(intervals, RATE_WINDOW)
    medians = np.median(windows[windows.max(axis=1) <= GAP_S], axis=1)
    medians = medians[medians > 0]
    if len(medians) == 0:
        return None, None
    return float(60.0 / medians.max()), float(60.0 / medians.min())


def _runs(beats: BeatTable, intervals: NDArray[np.float64], name: str) -> Runs:
    """Singles, couplets and runs of the class called `name`."""
    is_class = beats.classes == CLASSES.index(name)
    goes_on = np.zeros(len(beats), dtype=bool)
    goes_on[1:] = is_class[1:] & is_class[:-1] & (intervals <= GAP_S)
    begins = is_class & ~goes_on
    first = np.flatnonzero(begins)
    if len(first) == 0:
        return Runs(0, 0, 0, 0, None, None)
    lengths = np.bincount(np.cumsum(begins)[is_class] - 1)
    longest = int(lengths.argmax())
    start, n = int(first[longest]), int(lengths[longest])
    return Runs(
        singles=int((lengths == 1).sum()),
        couplets=int((lengths == 2).sum()),
        runs=int((lengths >= 3).sum()),
        longest_beats=n,
        longest_start_s=float(beats.times_s[start]),
        longest_rate_bpm=_rate_bpm(beats.rr_s[start + 1 : start + n]),
    )


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def _six_digits(values: NDArray[np.float32]) -> list[float | None]:
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]


def _reference(reference: ReferenceBeats, *, rows: bool) -> dict[str, Any]:
    """Give reference beats as plain data: how many, and with `rows` where and which."""
    content: dict[str, Any] = {
        "n_beats": len(reference),
        "counts": count_classes(reference.classes),
    }
    if rows:
        content["samples"] = reference.peaks.tolist()
        content["symbols"] = reference.symbols.tolist()
    return content


def _plain(value: Any, decimals: int | None = None) -> Any:
    """Turn data into what strict JSON can hold; what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, decimals) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, decimals) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if decimals is None else round(value, decimals)
    return value
