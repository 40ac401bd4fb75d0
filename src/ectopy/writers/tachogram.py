"""Tachogram: every RR interval of a recording over its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.mapped import pieces, release
from ectopy.writers.paper import CLASS_COLOURS, ECTOPIC, time_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable
    from ectopy.writers.paper import Sheet

COLUMNS, ROWS = 1000, 200
"""Of all points in one cell of such a grid one is drawn; each covers several cells."""

SAMPLED = 200_000
"""Of up to so many beats the scale is taken from all."""

MOST_SHAPES = 5000
"""With more beats an SVG file holds the points as a picture, not each as a shape."""

LONGEST_S = 3.0
"""Highest end of the scale, in seconds; what is longer is drawn at the edge."""

TIME_STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400)

FAINT = "#666666"
UNUSABLE_SHADE = "#e4e4e4"


def draw_tachogram(axes: Axes, analysis: Analysis, sheet: Sheet) -> None:
    """Draw each interval at the time of the beat that ends it, in that beat's colour.

    Unusable stretches are shaded, and intervals from or to an unusable beat left out.
    """
    beats = analysis.beats
    duration_s = max(analysis.n_samples / analysis.fs, 1.0)
    low, high = interval_range(beats)
    axes.set(xlim=(0, duration_s), ylim=(low, high))
    if sheet.stop_s - sheet.start_s < duration_s:
        axes.axvspan(sheet.start_s, sheet.stop_s, color="#f3e9c8", linewidth=0, zorder=0)
    if analysis.quality is not None:
        spans = [(one.start_s, one.stop_s - one.start_s) for one in analysis.quality.stretches()]
        axes.broken_barh(spans, (low, high - low), color=UNUSABLE_SHADE, linewidth=0, zorder=0.5)
    size = 3.4 if len(beats) < 4000 else 2.2
    # N first: ectopic beats are few and lie on top.
    for index, name in enumerate(CLASSES):
        for marker, (x, y) in _points(beats, index, low, high, duration_s).items():
            axes.plot(
                x,
                y,
                marker,
                markersize=size if marker == "o" else size + 3,
                color="#8a8a8a" if name == "N" else CLASS_COLOURS[name],
                markeredgewidth=0,
                clip_on=marker == "o",
                zorder=2 + index / 10,
                rasterized=len(beats) > MOST_SHAPES,
            )
    _tachogram_axes(axes, duration_s, low, high)


def _tachogram_axes(axes: Axes, duration_s: float, low: float, high: float) -> None:
    """Ticks at round times and intervals, and the heart rate that each interval means."""
    step = next((s for s in TIME_STEPS_S if duration_s / s <= 12), duration_s / 8)
    x_ticks = np.arange(0, duration_s + 1e-9, step)
    axes.set_xticks(x_ticks, [time_text(tick) for tick in x_ticks], fontsize=8)
    axes.set_xlabel("time from the start", fontsize=8, color=FAINT)
    height = high - low
    tick = 0.1 if height <= 0.6 else 0.2 if height <= 1.2 else 0.5
    y_ticks = np.arange(np.ceil(low / tick - 1e-9), np.floor(high / tick + 1e-9) + 1) * tick
    axes.set_yticks(y_ticks, [f"{y:.1f}" for y in y_ticks], fontsize=8)
    axes.set_ylabel("RR, s", fontsize=8, color=FAINT)
    rates = axes.secondary_yaxis("right")
    rates.set_yticks(y_ticks, [f"{60 / y:.0f}" if y > 0 else "" for y in y_ticks], fontsize=8)
    rates.set_ylabel("beats per minute", fontsize=8, color=FAINT)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in (*axes.spines.values(), *rates.spines.values()):
        spine.set_color("#bbbbbb")


def interval_range(beats: BeatTable) -> tuple[float, float]:
    """Lowest and highest interval in seconds to show: few pauses flatten nothing.

    Ectopic beats are few as well, and are shown whatever their share.
    """
    # Of two days and more a part of the beats says it as well.
    step = 1 + len(beats) // SAMPLED
    rows = np.arange(step, len(beats), step)
    intervals = np.empty(len(rows))
    for part in pieces(len(rows)):
        intervals[part] = (beats.peaks[rows[part]] - beats.peaks[rows[part] - 1]) / beats.fs
        release(beats.peaks)
    premature = np.isin(beats.classes[rows], [CLASSES.index(name) for name in ECTOPIC])
    if len(intervals) == 0:
        return 0.4, 1.4
    low, high = np.percentile(intervals, [0.5, 99.5])
    if premature.any():
        low = min(low, np.percentile(intervals[premature], 2))
    low, high = min(0.9 * low, 1.0), min(max(1.1 * high, low + 0.4), LONGEST_S)
    low = max(0.0, min(low, high - 0.4))
    return float(np.floor(low * 10) / 10), float(np.ceil(high * 10) / 10)


def _points(
    beats: BeatTable, index: int, low: float, high: float, duration_s: float
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Choose times and intervals of one class to draw: within the scale, above it, below it."""
    found: dict[str, list[NDArray[np.float64]]] = {"o": [], "^": [], "v": []}
    for rows in pieces(len(beats)):
        chosen = np.flatnonzero(beats.classes[rows] == index)
        chosen = chosen[chosen + rows.start > 0]
        chosen = chosen[beats.usable[chosen + rows.start - 1]]
        times = beats.peaks[rows][chosen] / beats.fs
        intervals = beats.intervals_s(rows)[chosen]
        within = intervals.clip(low, high)
        for marker, part in (
            ("o", within == intervals),
            ("^", intervals > high),
            ("v", intervals < low),
        ):
            points = np.stack([times[part], within[part]])
            found[marker].append(_thin(points, duration_s, high - low))
        release(beats.peaks)
    thinned = {}
    for marker in list(found):
        some = found.pop(marker)  # of many days there are many: each is held once
        if some:
            points = np.concatenate(some, axis=1)
            del some
            thinned[marker] = _thin(points, duration_s, high - low)
    return {marker: (points[0], points[1]) for marker, points in thinned.items()}


def _thin(points: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Of the points, shape (2, points), that fall on one pixel keep one."""
    columns = np.round(points[0] / width * COLUMNS).astype(np.int64)
    rows = np.round(points[1] / height * ROWS).astype(np.int64)
    _, kept = np.unique(columns * 2**20 + rows, return_index=True)
    return np.asarray(points[:, kept])
