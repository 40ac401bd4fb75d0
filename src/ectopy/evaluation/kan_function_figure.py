"""Figure of what a KAN head learned: for each ectopic class its most important features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.evaluation.figure_style import INK, legend_below, new_figure, tidy
from ectopy.evaluation.kan_functions import HELD_FIXED, MIDDLE_SD
from ectopy.writers.paper import CLASS_COLOURS, ECTOPIC

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ectopy.evaluation.kan_functions import FeatureFunction, KANFunctions

COLUMNS = 6
"""Features of each class, the most important ones."""

_WIDTH_PX, _HEIGHT_PX = 1840, 1180
_SHADE = "#eeeeee"
_APART = 0.16
"""Share of a panel's width that two labels of its axis are apart at least."""


def draw_functions(functions: KANFunctions) -> Figure:
    """Draw the effect on S, V and F against N of the six features that matter most for each.

    Parameters
    ----------
    functions : KANFunctions
        What `ectopy.evaluation.kan_functions.kan_functions` gives.

    Returns
    -------
    Figure
        One row a class, its panels on one scale.
    """
    figure = new_figure(_WIDTH_PX, _HEIGHT_PX)
    rows = figure.subplots(len(ECTOPIC), COLUMNS, sharey="row")
    for panels, name in zip(rows, ECTOPIC, strict=True):
        for panel, one in zip(panels, functions.ranking(name), strict=False):
            _draw_panel(panel, one, name)
        panels[0].set_ylabel(f"effect on logit {name} \N{MINUS SIGN} logit N", fontsize=11)
    figure.suptitle(f"What {functions.model} learned of its named features\n{HELD_FIXED}")
    legend_below(figure, rows[0, 0])
    return figure


def _draw_panel(panel: Axes, one: FeatureFunction, name: str) -> None:
    panel.axvspan(
        *one.middle,
        color=_SHADE,
        linewidth=0,
        label=f"middle of the distribution: mean ± {MIDDLE_SD:g} SD in training",
    )
    panel.axhline(0, color=INK, linewidth=0.8)
    panel.plot(one.x, one.effect(name), color=CLASS_COLOURS[name], linewidth=2.2)
    panel.plot([one.mean], [0], "o", color=INK, markersize=5, linestyle="none", label="at the mean")
    panel.plot([], [], " ", label="bent: share that is not linear, over the middle")
    tidy(panel)
    panel.set_xlim(one.x[0], one.x[-1])
    places, labels = axis_ticks(one)
    panel.set_xticks(places, labels)
    panel.tick_params(labelsize=9)
    panel.set_xlabel(one.scale.unit, fontsize=10)
    panel.set_title(f"{one.scale.label}\n{_facts(one, name)}", fontsize=10, color=INK)


def _facts(one: FeatureFunction, name: str) -> str:
    """Say how far the curve goes in the middle, and how bent the functions behind it are."""
    share = one.first_layer_not_linear
    bent = "" if share is None else f"; first layer {100 * share:.0f} % bent"
    return f"range {one.importance(name):.1f}{bent}"


def axis_ticks(one: FeatureFunction) -> tuple[list[float], list[str]]:
    """Where to label the axis of a feature, in its own values, and with what plain values.

    Curves are drawn over the feature's own values, which the model sees, and labelled with the
    plain ones, so that an axis of ratios is logarithmic.
    """
    width = one.x[-1] - one.x[0]
    places: list[float] = []
    labels: list[str] = []
    ticks = np.array(one.scale.ticks)
    for place, plain in zip(one.scale.feature(ticks), ticks, strict=True):
        within = one.x[0] - 1e-9 <= place <= one.x[-1] + 1e-9
        if within and all(abs(place - other) >= _APART * width for other in places):
            places.append(float(place))
            labels.append(f"{plain:g}".replace("-", "\N{MINUS SIGN}"))
    return places, labels
