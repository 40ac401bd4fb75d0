"""The signal over time: which seconds of it could be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.signal.second_flags import MAINS, REASONS
from ectopy.writers.report_axes import AXIS_MM, LEFT_MM, PLOT_MM, WIDTH_MM
from ectopy.writers.report_blocks import Chart, Section, Words
from ectopy.writers.report_svg import coordinate, path, picture, svg, text
from ectopy.writers.report_tables import count, decimal, stretches_table

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from ectopy.signal.seconds import SecondsQuality
    from ectopy.writers.report_axes import TimeAxis
    from ectopy.writers.report_blocks import Block

ROW_MM, BETWEEN_MM = 3.6, 1.2
COLUMNS = 1060
COLOUR = "#1c1c1c"
CAPTION = (
    "Darker where more seconds have it. A single second of noise between good ones is let pass, "
    "and mains hum leaves a second usable."
)


def signal_section(quality: SecondsQuality, axis: TimeAxis) -> Section:
    """Which seconds could not be used, and why."""
    stretches = quality.stretches()
    lost_s = sum(one.stop_s - one.start_s for one in stretches)
    text = (
        f"{decimal(quality.usable_percent, 1)} % of the seconds can be used. In the others no beat "
        "is classed, and rates, runs and pauses do not reach across them."
        if stretches
        else "Every second can be used."
    )
    blocks: list[Block] = [Words(text)]
    rows = _rows(quality)
    if rows:
        blocks.append(Chart(_timeline(rows, axis), CAPTION))
    if stretches:
        blocks.append(stretches_table(stretches, lost_s, axis.times))
    return Section("signal", "Signal", blocks)


def _rows(quality: SecondsQuality) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and seconds of each thing that was found."""
    rows = [("unusable", ~quality.usable)]
    rows += [(reason, (quality.flags & flag) != 0) for flag, reason in REASONS.items()]
    rows.append(("mains hum", (quality.flags & MAINS) != 0))
    return [(name, seconds) for name, seconds in rows if seconds.any()]


def _timeline(rows: list[tuple[str, NDArray[np.bool_]]], axis: TimeAxis) -> Markup:
    """One row for each: how many of the seconds of each column have it."""
    top = 1.0
    bottom = top + len(rows) * (ROW_MM + BETWEEN_MM)
    parts = axis.draw(top, bottom)
    for row, (name, seconds) in enumerate(rows):
        y = top + row * (ROW_MM + BETWEEN_MM)
        levels = np.ceil(15 * _shares(seconds, axis.span_s)).astype(np.uint8)[np.newaxis]
        outline = f"M{LEFT_MM:g} {coordinate(y)}h{PLOT_MM:g}v{ROW_MM:g}h-{PLOT_MM:g}z"
        share = decimal(100 * float(seconds.mean()), 1)
        parts += [
            path(outline, class_="grid"),
            picture(levels, COLOUR, LEFT_MM, y, PLOT_MM, ROW_MM),
            text(LEFT_MM - 1.2, y + 2.7, name, size=2.4, anchor="end", class_="tick"),
            text(LEFT_MM + PLOT_MM + 1.2, y + 2.7, f"{share} %", size=2.4, class_="tick"),
        ]
    names = ", ".join(f"{name} {count(int(seconds.sum()))} s" for name, seconds in rows)
    return svg(WIDTH_MM, bottom + AXIS_MM, f"Signal over time: {names}", parts, "chart")


def _shares(seconds: NDArray[np.bool_], span_s: float) -> NDArray[np.float64]:
    """Share of the seconds of each column that are true; a column has one at least."""
    starts = (np.arange(COLUMNS) * span_s / COLUMNS).astype(np.int64).clip(0, len(seconds) - 1)
    stops = np.maximum(starts + 1, np.append(starts[1:], len(seconds)))
    pairs = zip(starts.tolist(), stops.tolist(), strict=True)
    counts = np.array([np.count_nonzero(seconds[start:stop]) for start, stop in pairs])
    return np.asarray(counts / (stops - starts))
