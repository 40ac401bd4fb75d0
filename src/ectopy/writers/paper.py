"""ECG strips as on paper: 25 mm a second, 10 mm a millivolt, each beat with its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES, UNUSABLE_LABEL
from ectopy.mapped import pieces

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable, ReferenceBeats

# Colours that people with any common colour blindness tell apart: M. Okabe and K. Ito, "Color
# Universal Design" (2008), their purple darkened to be seen as a thin line. Letters say the same.
CLASS_COLOURS = {"N": "#5a5a5a", "S": "#0072B2", "V": "#D55E00", "F": "#009E73", "Q": "#B0589A"}

ECTOPIC = ("S", "V", "F")

MATCH_S = 0.15
"""An annotated beat no further away than this, in seconds, is the same beat, as in EC57."""

ROW_S = 10.0
"""Seconds in one row."""

MAX_ROWS = 6
MM_PER_S = 25.0
GAINS = (20.0, 10.0, 5.0, 2.5)
"""Millimetres a millivolt to choose from; these are what ECG machines offer."""

TALLEST_MM = 50.0
SMALL_MV = 0.5
"""Up to this the largest gain is taken; else readers expect 10 mm/mV."""

LETTERS_MM = 7.0
"""Height above each trace for the letters of its beats."""

PULSE_MM = 10.0
"""Width left of each trace for the calibration pulse of 1 mV."""

PAPER_MM = PULSE_MM + ROW_S * MM_PER_S

_TRACE = "#111111"
_GRID_FINE, _GRID_COARSE, _PAPER = "#f8e3df", "#eec4bc", "#fffdfc"


def time_text(seconds: float) -> str:
    """Time from the start of a recording as it is read out: m:ss, or h:mm:ss from an hour on.

    Examples
    --------
    >>> time_text(65.4), time_text(3600)
    ('1:05', '1:00:00')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def busiest_window(beats: BeatTable, duration_s: float) -> tuple[float, float]:
    """Start and stop in seconds of the minute with the most ectopic beats and classes.

    Each minute that starts at a full second, and the last one, scores the sum, over S, V and F, of
    the square root of its beats of the class: a few of another class outweigh more of the same.
    Of the first stretch of equally good minutes the middle one is taken, which puts a single
    ectopic beat amid its surroundings. Without an ectopic beat it is the first minute, and a
    recording of up to a minute is taken whole.
    """
    span = ROW_S * MAX_ROWS
    if duration_s <= span:
        return 0.0, duration_s
    parts, last = list(pieces(int(duration_s - span) + 2)), duration_s - span
    most = [_scores(beats, _starts(rows, last), span).max() for rows in parts]
    if max(most) == 0:
        return 0.0, span
    # Scores are worked out again where they may be best: all of many days would be much to hold.
    best = np.concatenate(
        [
            rows.start
            + np.flatnonzero(_scores(beats, _starts(rows, last), span) > max(most) - 1e-9)
            for rows, score in zip(parts, most, strict=True)
            if score > max(most) - 1e-9
        ]
    )
    stretch = best[: int(np.argmax(np.append(np.diff(best), 2) > 1)) + 1]
    start = min(float(stretch[len(stretch) // 2]), last)
    return start, start + span


def _starts(rows: slice, last_s: float) -> NDArray[np.float64]:
    """Every full second, and at the end the last time at which a minute may start."""
    return np.minimum(np.arange(rows.start, rows.stop), last_s)


def _scores(beats: BeatTable, starts: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Score of the minutes that start at some times, ascending; see `busiest_window`."""
    near = slice(*beats.times.searchsorted([starts[0], starts[-1] + span]).tolist())
    times, classes = beats.times[near], beats.classes[near]
    scores = np.zeros(len(starts))
    for name in ECTOPIC:
        mine = times[classes == CLASSES.index(name)]
        scores += np.sqrt(np.searchsorted(mine, starts + span) - np.searchsorted(mine, starts))
    return scores


@dataclass(frozen=True)
class Sheet:
    """The strips of one window of a recording, and how they lie on paper.

    Attributes
    ----------
    start_s, stop_s : float
        The window, in seconds.
    low_mv, high_mv : float
        What each row shows, in millivolts from the row's median.
    gain : float
        Millimetres a millivolt.
    """

    start_s: float
    stop_s: float
    low_mv: float
    high_mv: float
    gain: float

    @classmethod
    def of(cls, analysis: Analysis) -> Sheet:
        """Choose the window and the gain for a recording."""
        start_s, stop_s = busiest_window(analysis.beats, analysis.n_samples / analysis.fs)
        low, high = _range_mv(analysis, start_s, stop_s)
        small = max(high, -low) <= SMALL_MV
        low, high = min(low, -0.4) - 0.1, max(high, 1.0) + 0.1  # room for the calibration pulse
        gains = GAINS if small else GAINS[1:]
        gain = next((g for g in gains if (high - low) * g <= TALLEST_MM), GAINS[-1])
        low = max(low, -TALLEST_MM / gain / 2)
        return cls(start_s, stop_s, low, min(high, low + TALLEST_MM / gain), gain)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max(1, int(np.ceil((self.stop_s - self.start_s) / ROW_S - 1e-9)))

    @property
    def pitch_mm(self) -> float:
        """Height of a row with its letters, in whole millimetres."""
        return float(np.ceil((self.high_mv - self.low_mv) * self.gain)) + LETTERS_MM

    @property
    def height_mm(self) -> float:
        """Height of the paper, in coarse squares of 5 mm."""
        return float(np.ceil((self.rows * self.pitch_mm + 1) / 5) * 5)

    def baseline_mm(self, row: int) -> float:
        """Height of the median of a row, from the top of the paper down (negative)."""
        return -(row * self.pitch_mm + LETTERS_MM + self.high_mv * self.gain)


def centred(signal_mv: NDArray[np.float32]) -> NDArray[np.float64]:
    """Signal from its median, NaN where it is missing."""
    values = signal_mv.astype(np.float64)
    finite = np.isfinite(values)
    values[~finite] = np.nan
    return values - np.median(values[finite]) if finite.any() else values


def _range_mv(analysis: Analysis, start_s: float, stop_s: float) -> tuple[float, float]:
    """Lowest and highest millivolts from the median that matter, few artefacts left aside.

    Of the extremes of each second, and again of those of each ectopic beat, one in twenty may lie
    outside: a single ectopic beat is shown whole, and a spike flattens nothing.
    """
    fs = analysis.fs
    first, last = round(start_s * fs), round(stop_s * fs)
    second, row = max(1, round(fs)), max(1, round(ROW_S * fs))
    window = analysis.signal_mv[first:last]
    pieces = [centred(window[i : i + row]) for i in range(0, len(window), row)]
    values = np.concatenate([*pieces, np.full(-len(window) % second, np.nan)])

    beats = analysis.beats
    inside = slice(*np.searchsorted(beats.peaks, [first, first + len(window)]))
    ectopic = np.isin(beats.classes[inside], [CLASSES.index(name) for name in ECTOPIC])
    peaks = beats.peaks[inside][ectopic] - first
    around = peaks[:, np.newaxis] + np.arange(-second // 4, second // 4 + 1)

    low, high = 0.0, 0.0
    for blocks in (values.reshape(-1, second), values[around.clip(0, len(values) - 1)]):
        seen = blocks[np.isfinite(blocks).any(axis=1)]
        if len(seen):
            low = min(low, float(np.percentile(np.nanmin(seen, axis=1), 5)))
            high = max(high, float(np.percentile(np.nanmax(seen, axis=1), 95)))
    return low, high


def draw_paper(axes: Axes, analysis: Analysis, sheet: Sheet) -> None:
    """Draw the strips of `sheet` into `axes`, in millimetres of paper."""
    axes.set(xlim=(-PULSE_MM, ROW_S * MM_PER_S), ylim=(-sheet.height_mm, 0), xticks=[], yticks=[])
    axes.set_facecolor(_PAPER)
    for spine in axes.spines.values():
        spine.set_color(_GRID_COARSE)
    _draw_grid(axes, sheet)
    remarks = annotated_otherwise(analysis.beats, analysis.reference)
    for row in range(sheet.rows):
        start_s = sheet.start_s + row * ROW_S
        first = round(start_s * analysis.fs)
        last = round(min(start_s + ROW_S, sheet.stop_s) * analysis.fs)
        _draw_margin(axes, sheet, row, start_s)
        _draw_trace(axes, analysis, sheet, row, first, last)
        height = sheet.baseline_mm(row) + sheet.high_mv * sheet.gain + LETTERS_MM / 2 - 0.5
        _draw_letters(axes, analysis.beats, remarks, first, last, height)


def _draw_grid(axes: Axes, sheet: Sheet) -> None:
    from matplotlib.collections import LineCollection

    left, right, bottom = -int(PULSE_MM), int(ROW_S * MM_PER_S), -int(sheet.height_mm)
    for step, colour in ((1, _GRID_FINE), (5, _GRID_COARSE)):
        upright = [[(x, 0), (x, bottom)] for x in range(left, right + 1, step)]
        level = [[(left, y), (right, y)] for y in range(0, bottom - 1, -step)]
        lines = LineCollection(upright + level, colors=colour, linewidths=0.5, zorder=step / 10)
        lines.set_antialiased(False)
        axes.add_collection(lines, autolim=False)


def _draw_margin(axes: Axes, sheet: Sheet, row: int, start_s: float) -> None:
    """Draw what stands left of a trace: a calibration pulse of 1 mV and the time."""
    base = sheet.baseline_mm(row)
    x, y = [-8.5, -7.5, -7.5, -2.5, -2.5, -1.5], np.array([0, 0, 1, 1, 0, 0]) * sheet.gain
    axes.plot(x, base + y, color=_TRACE, linewidth=0.9)
    axes.text(-8.5, base - 1.5, time_text(start_s), fontsize=7, color="#444444", va="top")


def _draw_trace(
    axes: Axes, analysis: Analysis, sheet: Sheet, row: int, first: int, last: int
) -> None:
    """Draw the samples from `first` up to `last` as one row, ectopic beats in their colours."""
    from matplotlib.patches import Rectangle

    base = sheet.baseline_mm(row)
    values = centred(analysis.signal_mv[first:last])
    x = np.arange(len(values)) / analysis.fs * MM_PER_S
    if np.isnan(values).all():
        middle = (last - first) / analysis.fs * MM_PER_S / 2
        axes.text(middle, base, "no signal", fontsize=8, color="#777777", ha="center", va="center")
        return
    # What an artefact throws beyond its own row would be read as signal of another.
    low, high = base + sheet.low_mv * sheet.gain - 0.5, base + sheet.high_mv * sheet.gain + 0.5
    band = Rectangle((0, low), ROW_S * MM_PER_S, high - low, transform=axes.transData)
    kinds = class_of_samples(
        analysis.beats.peaks, analysis.beats.classes, analysis.fs, first, first + len(values)
    )
    kinds = kinds.clip(0)  # an unusable beat is drawn as a normal one is
    for index in range(len(CLASSES)):
        shown = kinds == index
        shown[1:] |= shown[:-1]  # neighbouring colours meet
        if shown.any():
            (line,) = axes.plot(
                x,
                np.where(shown, base + values * sheet.gain, np.nan),
                color=CLASS_COLOURS[CLASSES[index]] if index else _TRACE,
                linewidth=1.3 if index else 0.9,
            )
            line.set_clip_path(band)


def class_of_samples(
    peaks: NDArray[np.int64], classes: NDArray[np.int8], fs: float, first: int, last: int
) -> NDArray[np.int8]:
    """Class index of the beat that each sample from `first` up to `last` belongs to, else 0.

    A beat takes 0.25 s before its peak to 0.4 s after it, but no more than half the way to its
    neighbours. An unusable one has `UNUSABLE`.
    """
    kinds = np.zeros(last - first, dtype=np.int8)
    second = round(fs)  # whole: a float would have all peaks turned into floats
    near = slice(*np.searchsorted(peaks, [first - second, last + second]))
    places = peaks[near]
    middles = (places[1:] + places[:-1]) // 2
    starts, stops = places - round(0.25 * fs), places + round(0.4 * fs)
    starts[1:] = np.maximum(starts[1:], middles)
    stops[:-1] = np.minimum(stops[:-1], middles)
    bounds = (np.stack([starts, stops]) - first).clip(0, len(kinds))
    for start, stop, index in zip(*bounds, classes[near], strict=True):
        kinds[start:stop] = index
    return kinds


def annotated_otherwise(
    beats: BeatTable, reference: ReferenceBeats | None
) -> list[tuple[int, str]]:
    """Where the annotations say something else: the sample, and the class that they give.

    A beat has the class of the nearest annotated beat within `MATCH_S`, or "-" without one. An
    annotated beat with no beat within `MATCH_S` is listed at its own place. Of unusable beats
    nothing is said.
    """
    if reference is None or len(reference) == 0:
        return []
    tolerance = MATCH_S * beats.fs
    nearest, distance = nearest_beats(beats.peaks, reference.peaks)
    annotated = np.where(distance <= tolerance, reference.classes[nearest], -1)
    remarks = [
        (int(beats.peaks[i]), CLASSES[annotated[i]] if annotated[i] >= 0 else "-")
        for i in np.flatnonzero((annotated != beats.classes) & beats.usable)
    ]
    _, distance = nearest_beats(reference.peaks, beats.peaks)
    missed = np.flatnonzero(distance > tolerance)
    remarks += [(int(reference.peaks[i]), CLASSES[reference.classes[i]]) for i in missed]
    return sorted(remarks)


def nearest_beats(
    points: NDArray[np.int64], among: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each of `points` the index of the nearest of the ascending `among`, and how far it is."""
    if len(among) == 0:
        return np.zeros(len(points), dtype=np.int64), np.full(len(points), np.inf)
    after = np.searchsorted(among, points).clip(0, len(among) - 1)
    before = (after - 1).clip(0)
    nearer = np.abs(among[before] - points) <= np.abs(among[after] - points)
    nearest = np.where(nearer, before, after)
    return nearest, np.abs(among[nearest] - points).astype(np.float64)


def _draw_letters(
    axes: Axes,
    beats: BeatTable,
    remarks: list[tuple[int, str]],
    first: int,
    last: int,
    height: float,
) -> None:
    """Write the class of each beat above it, and after it in brackets what annotations say else."""
    mm_per_sample = MM_PER_S / beats.fs
    inside = slice(*np.searchsorted(beats.peaks, [first, last]))
    letters = np.asarray((*CLASSES, UNUSABLE_LABEL))[beats.classes[inside]]
    for peak, label in zip(beats.peaks[inside], letters, strict=True):
        weight, size = ("normal", 7.5) if label in ("N", UNUSABLE_LABEL) else ("bold", 10)
        axes.text(
            (peak - first) * mm_per_sample,
            height,
            "?" if label == UNUSABLE_LABEL else str(label),
            color=CLASS_COLOURS.get(label, CLASS_COLOURS["N"]),
            fontsize=size,
            fontweight=weight,
            ha="center",
            va="center",
        )
    for sample, letter in remarks:
        if first <= sample < last:
            x = (sample - first) * mm_per_sample + 1.2
            axes.text(x, height, f"({letter})", color=_TRACE, fontsize=7, ha="left", va="center")
