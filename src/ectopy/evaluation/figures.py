"""Figures that are made from results, and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy.errors import OutputError
from ectopy.evaluation.figure_style import (
    DPI,
    INK,
    LOOKS,
    legend_below,
    new_figure,
    plain_settings,
    tidy,
)
from ectopy.writers.output import staging

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX, HEIGHT_PX = 1200, 640

MEASURES = {
    "se": "Sensitivity (beats found), %",
    "ppv": "Positive predictivity (found beats that are real), %",
    "f1": "F1 of sensitivity and positive predictivity, %",
}
"""What can be drawn against the noise, and the title of its axis."""

PAUSES = {"continuous": "without pause", "alternating": "two minutes with, two without"}
"""What the title says of each schedule of noise."""


def plot_noise_curves(
    results: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    schedule: str = "continuous",
    measures: Sequence[str] = ("se", "ppv"),
) -> Path:
    """Draw how finders hold out as noise grows, as PNG, 1200 pixels wide.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.noise_curves.noise_curves` gives.
    path : path
        File to write, in an existing folder; its name ends in ``.png``.
    schedule : str
        Which of the schedules in `results`.
    measures : sequence of str
        One panel each; of `MEASURES`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the results do not have that schedule, there is no such measure or file type, there are
        more than six finders, or the file cannot be written.
    """
    target = Path(path)
    _check(results, target, schedule, measures)
    with staging(target.parent) as staged, plain_settings():
        figure = _draw(results, schedule, measures)
        figure.savefig(staged / target.name, dpi=DPI, metadata={"Software": "ectopy"})
    return target


def _check(
    results: Mapping[str, Any], target: Path, schedule: str, measures: Sequence[str]
) -> None:
    curves = results["curves"]
    if schedule not in curves:
        msg = f"the results have no schedule {schedule!r}; they have: {', '.join(curves)}"
        raise OutputError(msg)
    unknown = [measure for measure in measures if measure not in MEASURES]
    if unknown or not measures:
        what = f"measure {unknown[0]!r}" if unknown else "panel without a measure"
        msg = f"cannot draw a {what}; choose from: {', '.join(MEASURES)}"
        raise OutputError(msg)
    if target.suffix.lower() != ".png":
        msg = f"cannot draw {target.name!r}; name a file that ends in .png"
        raise OutputError(msg)
    if len(curves[schedule]) > len(LOOKS):
        msg = (
            f"{len(curves[schedule])} finders cannot be told apart in one figure; "
            f"draw {len(LOOKS)} at most"
        )
        raise OutputError(msg)


def _draw(results: Mapping[str, Any], schedule: str, measures: Sequence[str]) -> Figure:
    figure = new_figure(WIDTH_PX, HEIGHT_PX)
    panels = figure.subplots(1, len(measures), squeeze=False, sharey=True)[0]
    curves = results["curves"][schedule]
    for panel, measure in zip(panels, measures, strict=True):
        _draw_panel(panel, curves, measure)
    panels[0].set_ylim(top=101)  # only now: it ends the scaling to what is drawn, in all panels
    figure.suptitle(_title(results, schedule), fontsize=13)
    legend_below(figure, panels[0], columns=len(LOOKS))
    return figure


def _title(results: Mapping[str, Any], schedule: str) -> str:
    number = len(results["records"])
    noise = results["noise"]["meaning"]
    return (
        f"Finding beats in {noise} noise, {PAUSES.get(schedule, schedule)}\n"
        f"{number} record{'' if number == 1 else 's'} of the MIT-BIH Arrhythmia Database"
    )


def _draw_panel(panel: Axes, curves: Mapping[str, Any], measure: str) -> None:
    """Draw one measure of every finder."""
    ticks: list[str] = []
    for (name, points), (colour, marker, line) in zip(curves.items(), LOOKS, strict=False):
        # From the clean recording towards more noise, whatever order the results have.
        ordered = sorted(points, key=lambda point: _noise_rank(point["snr_db"]))
        ticks = [_tick(point["snr_db"]) for point in ordered]
        shares = [point[measure] for point in ordered]
        panel.plot(
            range(len(ordered)),
            [float("nan") if share is None else 100 * share for share in shares],
            color=colour,
            marker=marker,
            linestyle=line,
            linewidth=2,
            markersize=7,
            label=name,
        )
    panel.set_xticks(range(len(ticks)), ticks)
    panel.set_xlabel("Signal-to-noise ratio, dB (more noise to the right)", color=INK)
    panel.set_ylabel(MEASURES[measure], color=INK)
    panel.tick_params(labelleft=True)  # a shared axis would be labelled on the first panel only
    tidy(panel)


def _noise_rank(snr_db: float | None) -> float:
    return float("-inf") if snr_db is None else -snr_db


def _tick(snr_db: float | None) -> str:
    # A true minus sign is as wide as a digit, a hyphen is easily overlooked.
    return "clean" if snr_db is None else f"{snr_db:g}".replace("-", "\N{MINUS SIGN}")
