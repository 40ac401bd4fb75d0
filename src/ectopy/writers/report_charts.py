"""Charts of the report over time: every interval, rates and beats of each class, the signal."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASS_MEANINGS, CLASSES
from ectopy.mapped import pieces, release
from ectopy.measures.intervals import Intervals
from ectopy.writers.report_axes import AXIS_MM, LEFT_MM, PLOT_MM, WIDTH_MM, TimeAxis, level_lines
from ectopy.writers.report_svg import COLOURS, coordinate, marks, path, picture, svg, text
from ectopy.writers.tachogram import interval_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markupsafe import Markup
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable
    from ectopy.signal.second_flags import SecondsQuality

TACHOGRAM_MM = 62.0
MOST_DOTS = 4000
"""Above this many beats of class N they are drawn as a picture of their density, not as dots."""

FEW_BEATS = 300
"""Up to so many beats have larger marks."""

COLUMNS, ROWS = 1060, 240
"""Pixels of that picture: 0.15 mm wide and 0.25 mm high."""

MOST_MARKS = 5000
"""Marks of other classes: of those that fall on one cell one is drawn, on cells as large as need be
for that."""

TREND_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
TREND_COLUMNS = 180
RATES_MM, BARS_MM, BETWEEN_MM = 30.0, 13.0, 4.5
WELL_SPREAD = (5, 50, 95)


def tachogram(analysis: Analysis, axis: TimeAxis) -> Markup:
    """Every interval over the time of the beat that ends it, with the mark of that beat's class."""
    beats = analysis.beats
    low, high = interval_range(beats)
    top, bottom = 2.0, 2.0 + TACHOGRAM_MM

    def y(intervals: NDArray[np.float64]) -> NDArray[np.float64]:
        return bottom - (intervals.clip(low, high) - low) * (TACHOGRAM_MM / (high - low))

    height = high - low
    step = 0.1 if height <= 0.7 else 0.2 if height <= 1.4 else 0.5
    rr = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    lines = [
        (place, f"{value:.1f}", f"{60 / value:.0f}" if value > 0.01 else "")
        for value, place in zip(rr.tolist(), y(rr).tolist(), strict=True)
    ]
    parts = [*axis.draw(top, bottom), *level_lines(lines)]
    counts = {i: np.count_nonzero(beats.classes[1:] == i) for i in range(-1, len(CLASSES))}
    # N first, then the most: the few lie on top.
    order = sorted(counts, key=lambda i: (i != 0, -counts[i]))
    size = 1.6 if len(beats) <= FEW_BEATS else 1.0 if len(beats) <= MOST_DOTS else 0.65
    for index in order:
        if counts[index] == 0:
            continue
        if index == 0 and counts[index] > MOST_DOTS:
            levels = _density(_of_class(beats, index), axis.span_s, (low, high))
            parts.append(picture(levels, COLOURS[0], LEFT_MM, top, PLOT_MM, TACHOGRAM_MM))
            continue
        some = []
        for times, intervals in _of_class(beats, index):
            x, heights = axis.x(times), y(intervals)
            kept = thinned(x, heights, len(x))
            some.append(np.stack([x[kept], heights[kept]]))
        x, heights = np.concatenate(some, axis=1)
        kept = thinned(x, heights, MOST_DOTS if index == 0 else MOST_MARKS)
        parts.append(marks(index, x[kept], heights[kept], size=size))
    parts += [
        text(LEFT_MM - 10.5, top + TACHOGRAM_MM / 2, "RR, s", size=2.4, anchor="middle",
             class_="axis", transform=_turned(LEFT_MM - 10.5, top + TACHOGRAM_MM / 2)),
        text(WIDTH_MM - 2.6, top + TACHOGRAM_MM / 2, "beats per minute", size=2.4,
             anchor="middle", class_="axis",
             transform=_turned(WIDTH_MM - 2.6, top + TACHOGRAM_MM / 2)),
    ]  # fmt: skip
    title = f"Tachogram: {len(beats):,} beats, RR intervals from {low:g} to {high:g} s over time"
    return svg(WIDTH_MM, bottom + AXIS_MM, title, parts, "chart")


def _turned(x: float, y: float) -> str:
    return f"rotate(-90 {coordinate(x)} {coordinate(y)})"


def _of_class(
    beats: BeatTable, index: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Give times of the beats of one class and the intervals before them, some at a time."""
    for rows in pieces(len(beats)):
        these = np.flatnonzero(beats.classes[rows] == index)
        these = these[these + rows.start > 0]
        yield beats.times[rows][these], beats.intervals_s(rows)[these]
        release(beats.peaks)


def _density(
    points: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    span_s: float,
    limits: tuple[float, float],
) -> NDArray[np.uint8]:
    """How many intervals fall on each pixel, as 16 levels of equal ratio."""
    low, high = limits
    counts = np.zeros(ROWS * COLUMNS, dtype=np.int64)
    for times, intervals in points:
        column = (times * (COLUMNS / span_s)).astype(np.int64).clip(0, COLUMNS - 1)
        row = ((high - intervals) * (ROWS / (high - low))).astype(np.int64)
        np.add.at(counts, row.clip(0, ROWS - 1) * COLUMNS + column, 1)
    levels = np.zeros(len(counts), dtype=np.uint8)
    seen = counts > 0
    # A single beat is to be seen; the most are opaque.
    share = np.log(counts[seen]) / max(np.log(counts.max()), 1e-9)
    levels[seen] = 6 + np.rint(9 * share).astype(np.uint8)
    return levels.reshape(ROWS, COLUMNS)


def thinned(x: NDArray[np.float64], y: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Rows of one point in each cell, with cells of 0.25 mm or as large as `most` points need."""
    kept, cell = np.arange(len(x)), 0.25
    while True:
        keys = (x[kept] / cell).astype(np.int64) * 2**20 + (y[kept] / cell).astype(np.int64)
        kept = kept[np.sort(np.unique(keys, return_index=True)[1])]
        if len(kept) <= most:
            return kept
        cell *= 1.5


def trends(
    analysis: Analysis, axis: TimeAxis, quality: SecondsQuality | None = None
) -> tuple[Markup, float]:
    """Heart rate, and beats a minute of each other class, in equal parts of the recording.

    Returns
    -------
    picture : Markup
    step_s : float
        Seconds in each part.
    """
    step = next((s for s in TREND_STEPS_S if axis.span_s / s <= TREND_COLUMNS), None)
    step_s = float(step if step is not None else np.ceil(axis.span_s / TREND_COLUMNS / 3600) * 3600)
    edges = np.arange(0, axis.span_s + step_s - 1e-9, step_s)
    edges[-1] = axis.span_s
    times, classes = analysis.beats.times, analysis.beats.classes
    shown = [i for i in range(1, len(CLASSES)) if (classes == i).any()]
    top = 2.0
    bottom = top + RATES_MM + len(shown) * (BARS_MM + BETWEEN_MM)
    parts = axis.draw(top, bottom)
    intervals = Intervals.between(times, classes, None if quality is None else quality.usable)
    rows = times.searchsorted(edges)
    parts += _rates(intervals, axis, edges, top)
    for row, index in enumerate(shown):
        base = top + RATES_MM + (row + 1) * (BARS_MM + BETWEEN_MM)
        counts = np.array(
            [np.count_nonzero(classes[a:b] == index) for a, b in pairwise(rows.tolist())]
        )
        parts += _bars(counts * 60 / np.diff(edges), axis, edges, base, index)
    names = ", ".join(CLASSES[index] for index in shown)
    title = "Heart rate over time" + (f", and beats a minute of class {names}" if names else "")
    return svg(WIDTH_MM, bottom + AXIS_MM, title, parts, "chart"), step_s


def _rates(
    intervals: Intervals, axis: TimeAxis, edges: NDArray[np.float64], top: float
) -> list[str]:
    """Median heart rate of each part, and the band that nine of ten intervals lie in."""
    # The interval that ends with beat i is row i - 1 of the intervals.
    rows = np.maximum(intervals.times_s.searchsorted(edges) - 1, 0)
    rates = np.full((len(WELL_SPREAD), len(edges) - 1), np.nan)
    for column, (first, last) in enumerate(pairwise(rows.tolist())):
        part = intervals.rr_s(slice(first, last))[intervals.joined[first:last]]
        part = part[part > 0]
        if len(part):
            rates[:, column] = np.percentile(60 / part, WELL_SPREAD)
    if not np.isfinite(rates).any():
        return [text(LEFT_MM + 2, top + 5, "no heart rate: no two beats within 3 s")]
    low, high = np.floor(np.nanmin(rates) / 20) * 20, np.ceil(np.nanmax(rates) / 20) * 20
    high = max(high, low + 40)
    bottom = top + RATES_MM
    step = next(s for s in (20, 40, 50, 100, 200, 1000) if (high - low) / s <= 5)
    scale = RATES_MM / (high - low)
    ticks = np.arange(np.ceil(low / step) * step, high + 1, step)
    parts = level_lines([(bottom - (t - low) * scale, f"{t:.0f}", "") for t in ticks.tolist()])
    x, y = axis.x(edges), bottom - (rates - low) * scale
    band, line = [], []
    for column in np.flatnonzero(np.isfinite(y[1])).tolist():
        left, width = coordinate(x[column]), coordinate(x[column + 1] - x[column])
        tall = coordinate(y[0, column] - y[2, column])
        band.append(f"M{left} {coordinate(y[2, column])}h{width}v{tall}h-{width}z")
        line.append(f"M{left} {coordinate(y[1, column])}h{width}")
    return [
        *parts,
        path("".join(band), class_="band"),
        path("".join(line), class_="median"),
        text(LEFT_MM - 10.5, top + RATES_MM / 2, "per minute", size=2.4, anchor="middle",
             class_="axis", transform=_turned(LEFT_MM - 10.5, top + RATES_MM / 2)),
    ]  # fmt: skip


def _bars(
    rates: NDArray[np.float64],
    axis: TimeAxis,
    edges: NDArray[np.float64],
    base: float,
    index: int,
) -> list[str]:
    """Beats a minute of one class as bars on `base`, on a scale of their own."""
    most = float(rates.max())
    x = axis.x(edges)
    heights = rates * (BARS_MM / most)
    d = "".join(
        f"M{coordinate(x[i])} {coordinate(base)}v-{coordinate(max(heights[i], 0.3))}"
        f"H{coordinate(x[i + 1])}V{coordinate(base)}z"
        for i in np.flatnonzero(rates > 0).tolist()
    )
    top = base - BARS_MM
    return [
        path(f"M{LEFT_MM:g} {coordinate(base)}h{PLOT_MM:g}", class_="base"),
        path(d, class_=f"b{index}"),
        text(2, base - 1, CLASSES[index], size=4, class_=f"l{index}"),
        text(LEFT_MM - 1.2, top + 1.8, f"{most:.3g}", size=2.4, anchor="end", class_="tick"),
        text(LEFT_MM - 1.2, base + 0.3, "0", size=2.4, anchor="end", class_="tick"),
        text(LEFT_MM + PLOT_MM, top - 0.6, CLASS_MEANINGS[CLASSES[index]], size=2.4, anchor="end",
             class_="tick"),
    ]  # fmt: skip
