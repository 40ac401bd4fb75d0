"""Axes of time that the charts of a report share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from ectopy.writers.paper import time_text
from ectopy.writers.report_svg import Times, coordinate, path, text
from ectopy.writers.tachogram import TIME_STEPS_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH_MM = 186.0
LEFT_MM, RIGHT_MM = 15.0, 12.0
PLOT_MM = WIDTH_MM - LEFT_MM - RIGHT_MM
AXIS_MM = 9.0
"""Height of the labels below a chart."""

_MOST_TICKS = 12


@dataclass(frozen=True)
class TimeAxis:
    """Where the times of a recording lie on a chart that is `WIDTH_MM` wide.

    Attributes
    ----------
    times : Times
    """

    times: Times

    @property
    def span_s(self) -> float:
        """Seconds from the left to the right end."""
        return max(self.times.duration_s, 1.0)

    def x(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give places in millimetres."""
        return LEFT_MM + seconds * (PLOT_MM / self.span_s)

    def draw(self, top: float, bottom: float) -> list[str]:
        """Upright lines at round times from `top` to `bottom` in millimetres, labels below."""
        ticks, labels = self._ticks()
        x = [coordinate(place) for place in self.x(ticks).tolist()]
        lines = "".join(f"M{place} {coordinate(top)}V{coordinate(bottom)}" for place in x)
        what = "time of day" if self.times.start is not None else "time from the start"
        return [
            path(lines, class_="grid"),
            *(text(float(place), bottom + 3.4, label, size=2.4, anchor="middle", class_="tick")
              for place, label in zip(x, labels, strict=True)),
            text(LEFT_MM + PLOT_MM / 2, bottom + 7.2, what, size=2.4, anchor="middle",
                 class_="axis"),
        ]  # fmt: skip

    def _ticks(self) -> tuple[NDArray[np.float64], list[str]]:
        """Round times, of day where the start is known, and how they are read."""
        days = self.span_s > 3 * 86400
        steps = (*TIME_STEPS_S, 2 * 86400, 7 * 86400, 28 * 86400)
        step = next((s for s in steps if self.span_s / s <= _MOST_TICKS), steps[-1])
        start, first = self.times.start, 0.0
        if start is not None:
            midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
            first = -((start - midnight).total_seconds()) % step
        ticks = np.arange(first, self.span_s + 1e-6, step)
        if start is None:
            if days:
                return ticks, [f"{tick / 86400:g} d" for tick in ticks.tolist()]
            hours = step >= 60 and self.span_s >= 3600
            return ticks, [_hours(t) if hours else time_text(t) for t in ticks.tolist()]
        form = "%m-%d" if step >= 86400 else "%m-%d %H h" if days else "%H:%M"
        if step < 60:
            form = "%H:%M:%S"
        # Rounded: a tick a microsecond before the hour is that hour.
        clocks = [start + timedelta(seconds=tick + 0.0005) for tick in ticks.tolist()]
        return ticks, [f"{clock:{form}}" for clock in clocks]


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"


def level_lines(places: list[tuple[float, str, str]]) -> list[str]:
    """Lines across a chart at heights in millimetres, with labels left and right of each."""
    lines = "".join(f"M{LEFT_MM:g} {coordinate(y)}h{PLOT_MM:g}" for y, _, _ in places)
    labels = [path(lines, class_="grid")]
    for y, left, right in places:
        labels.append(text(LEFT_MM - 1.2, y + 0.9, left, size=2.4, anchor="end", class_="tick"))
        if right:
            labels.append(text(LEFT_MM + PLOT_MM + 1.2, y + 0.9, right, size=2.4, class_="tick"))
    return labels
