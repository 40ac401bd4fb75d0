"""The shape of each class of beats: its median, and how much its beats differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.writers.report_axes import WIDTH_MM
from ectopy.writers.report_beats import AFTER_S, BEFORE_S, ClassShape
from ectopy.writers.report_svg import coordinate, path, polyline, svg, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

LEFT_MM, BETWEEN_MM = 9.0, 2.0
WIDEST_MM = 56.0
PLOT_MM = 34.0
TITLE_MM, AXIS_MM = 8.0, 9.0
TICKS_MS = (-200, 0, 200, 400)
LEAST_MV = 1.0
"""Height of the scale at least, so that a flat lead looks flat."""


def shape_panels(shapes: Sequence[ClassShape]) -> Markup | None:
    """All medians in one panel, then one panel a class with its spread; None without any beat.

    All panels have one scale. The median of class N is repeated in each as a broken line.
    """
    drawn = [shape for shape in shapes if len(shape.median_mv)]
    if not drawn:
        return None
    panels = len(drawn) + (len(drawn) > 1)
    width = min(WIDEST_MM, (WIDTH_MM - LEFT_MM) / panels - BETWEEN_MM)
    low = min(float(shape.low_mv.min()) for shape in drawn)
    high = max(float(shape.high_mv.max()) for shape in drawn)
    low, high = _widened(low, high)
    normal = next((shape for shape in drawn if shape.index == 0), None)
    parts = _level_lines(low, high, panels * (width + BETWEEN_MM) - BETWEEN_MM)
    panel = _Panel(low, high, width)
    left = LEFT_MM
    if len(drawn) > 1:
        parts += panel.frame(left, "all", "")
        parts += [panel.line(left, shape, f"c{shape.index}") for shape in drawn]
        parts += panel.letters(left, drawn)
        left += width + BETWEEN_MM
    for shape in drawn:
        note = f"median of {shape.sampled:,}" if width > 26 else f"of {shape.sampled:,}"
        parts += panel.frame(left, CLASSES[shape.index], note, f"l{shape.index}")
        parts.append(panel.band(left, shape))
        if normal is not None and shape is not normal:
            parts.append(panel.line(left, normal, "other"))
        parts.append(panel.line(left, shape, f"c{shape.index}"))
        left += width + BETWEEN_MM
    height = TITLE_MM + PLOT_MM + AXIS_MM
    names = ", ".join(CLASSES[shape.index] for shape in drawn)
    title = f"Median beat of each class ({names}) with the middle 80 % of its beats"
    return svg(max(left, 60.0), height, title, parts, "chart")


def _widened(low: float, high: float) -> tuple[float, float]:
    """Give a little room above and below, and no less than `LEAST_MV` between."""
    middle, half = (low + high) / 2, max(1.08 * (high - low), LEAST_MV) / 2
    return middle - half, middle + half


def _level_lines(low: float, high: float, width: float) -> list[str]:
    """Lines across all panels at round millivolts, with their labels."""
    step = next(s for s in (0.2, 0.5, 1, 2, 5, 10, 50, 1e9) if (high - low) / s <= 7)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    scale = PLOT_MM / (high - low)
    parts, d = [], ""
    for tick in ticks.tolist():
        y = TITLE_MM + (high - tick) * scale
        d += f"M{LEFT_MM:g} {coordinate(y)}h{coordinate(width)}"
        label = f"{tick + 0.0:.1f}" if step < 1 else f"{tick + 0.0:.0f}"
        parts.append(text(LEFT_MM - 1.2, y + 0.9, label, size=2.4, anchor="end", class_="tick"))
    parts.append(text(LEFT_MM - 1.2, TITLE_MM - 3, "mV", size=2.4, anchor="end", class_="axis"))
    return [path(d, class_="grid"), *parts]


class _Panel:
    """Draws one panel of the row."""

    def __init__(self, low: float, high: float, width: float) -> None:
        self.high = high
        self.scale = PLOT_MM / (high - low)
        self.width = width
        self.mm_per_s = width / (BEFORE_S + AFTER_S)

    def frame(self, left: float, name: str, note: str, kind: str = "tick") -> list[str]:
        """Title, time axis and the line of the peak."""
        bottom = TITLE_MM + PLOT_MM
        parts = [text(left, TITLE_MM - 2.4, name, size=4, class_=kind)]
        if note:
            parts.append(text(left + self.width, TITLE_MM - 2.6, note, size=2.3, anchor="end",
                              class_="tick"))  # fmt: skip
        d = ""
        for tick in TICKS_MS:
            x = left + (BEFORE_S + tick / 1000) * self.mm_per_s
            d += f"M{coordinate(x)} {TITLE_MM:g}v{PLOT_MM:g}"
            label = (
                f"{tick} ms" if tick == TICKS_MS[-1] else f"{tick}".replace("-", "\N{MINUS SIGN}")
            )
            parts.append(text(x, bottom + 3.4, label, size=2.2, anchor="middle", class_="tick"))
        return [path(d, class_="grid"), *parts]

    def line(self, left: float, shape: ClassShape, kind: str) -> str:
        """Median of a class."""
        x = left + (shape.times_s + BEFORE_S) * self.mm_per_s
        y = TITLE_MM + (self.high - shape.median_mv) * self.scale
        return path(polyline(x, y), scaled=True, class_=f"t {kind}")

    def letters(self, left: float, shapes: Sequence[ClassShape]) -> list[str]:
        """Letter of each class beside the tallest point of its line, no two on one another."""
        parts: list[str] = []
        taken: list[tuple[float, float]] = []
        for shape in shapes:
            tallest = int(np.abs(shape.median_mv).argmax())
            x = left + (float(shape.times_s[tallest]) + BEFORE_S) * self.mm_per_s + 1.8
            y = TITLE_MM + (self.high - float(shape.median_mv[tallest])) * self.scale + 1.0
            while any(abs(x - a) < 2.8 and abs(y - b) < 3.2 for a, b in taken):
                x += 2.8
            taken.append((x, y))
            kind = f"halo l{shape.index}"
            parts.append(text(x, y, CLASSES[shape.index], size=3, anchor="middle", class_=kind))
        return parts

    def band(self, left: float, shape: ClassShape) -> str:
        """Ground between 10 % and 90 %."""
        x = left + (shape.times_s + BEFORE_S) * self.mm_per_s
        over, under = (TITLE_MM + (self.high - edge) * self.scale
                       for edge in (shape.high_mv, shape.low_mv))  # fmt: skip
        outline = np.concatenate([np.stack([x, over]), np.stack([x, under])[:, ::-1]], axis=1)
        points = " ".join(f"{coordinate(a)} {coordinate(b)}" for a, b in outline.T.tolist())
        return path(f"M{points}z", class_=f"s{shape.index}")
