"""Figures of scores: confusion matrices, F1 by class, radar, scores against size."""

from __future__ import annotations

from math import floor, pi
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.evaluation.compare_tables import SCORE_TITLES
from ectopy.evaluation.figure_style import (
    GRID,
    HATCHES,
    INK,
    LOOKS,
    legend_below,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BARS_SHARE = 0.84
"""How much of the room between two classes their bars take."""


def title(what: str, results: Mapping[str, Any]) -> str:
    """Say in two lines what a figure shows, and of which beats."""
    return (
        f"{what}\nprotocol {results['protocol']}, {results['n']:,} test beats, "
        f"{100 * results['intervals']['level']:g} % intervals over {results['intervals']['unit']}"
    )


def draw_confusion(results: Mapping[str, Any]) -> Figure:
    """Confusion matrix of each model; colours are shares of a true class, counts are beats."""
    models = results["models"]
    columns = min(3, len(models)) if len(models) != 4 else 2  # four look best two by two
    rows = -(-len(models) // columns)
    figure = new_figure(max(640, 520 * columns), 500 * rows + 80)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (name, one) in zip(panels, models.items(), strict=False):
        _draw_matrix(panel, np.array(one["confusion_matrix"]))
        panel.set_title(f"{name}, {_seeds(one)}", fontsize=12)
    for panel in panels[len(models) :]:
        panel.set_visible(False)
    figure.suptitle(
        f"Share of each true class, and beats summed over seeds\nprotocol {results['protocol']}, "
        f"{results['n']:,} test beats a seed",
        fontsize=13,
    )
    return figure


def _draw_matrix(panel: Axes, matrix: Any) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # The root makes small shares of errors visible beside the diagonal.
    panel.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(matrix.shape):
        share, n = shares[row, column], matrix[row, column]
        panel.text(
            column,
            row,
            f"{100 * share:.1f} %\n{n:,}" if n else "0",
            ha="center",
            va="center",
            fontsize=9,
            color="white" if np.sqrt(share) > 0.6 else INK,
        )
    ticks = range(len(CLASSES))
    panel.set_xticks(ticks, CLASSES)
    panel.set_yticks(ticks, CLASSES)
    panel.set_xlabel("called")
    panel.set_ylabel("true")
    panel.tick_params(length=0)


def _seeds(one: Mapping[str, Any]) -> str:
    n = len(one["seeds"])
    return f"{n} seed{'' if n == 1 else 's'}"


def draw_f1(results: Mapping[str, Any]) -> Figure:
    """F1 of each class as bars with intervals; what others published as crosses."""
    figure = new_figure(1400, 680)
    panel = figure.subplots()
    models = results["models"]
    width = _BARS_SHARE / len(models)
    for place, (name, one) in enumerate(models.items()):
        colour = LOOKS[place][0]
        scores = [one["per_class"][c]["f1"] for c in CLASSES]
        at = np.arange(len(CLASSES)) + (place - (len(models) - 1) / 2) * width
        heights = [score["mean"] or 0.0 for score in scores]
        panel.bar(
            at,
            heights,
            0.92 * width,
            yerr=_reach(scores),
            color=colour,
            hatch=HATCHES[place],
            edgecolor="white",
            ecolor=INK,
            capsize=3,
            label=f"{name} ({_seeds(one)})",
        )
        for x, score in zip(at, scores, strict=True):
            _write_in_bar(panel, x, score["mean"])
        for other in results["published"]:
            if other["model"] == name:
                published = [other["per_class"][c]["f1"] for c in CLASSES]
                panel.plot(at, published, "x", color="black", markersize=9, markeredgewidth=2)
    if panel.lines and results["published"]:
        panel.plot([], [], "x", color="black", markersize=9, markeredgewidth=2,
                   label="published, of the same architecture")  # fmt: skip
    counts = results["counts"]
    panel.set_xticks(range(len(CLASSES)), [f"{c}\n{counts[c]:,} beats" for c in CLASSES])
    panel.set_ylabel("F1, mean over seeds")
    panel.set_ylim(0, 1.03)
    tidy(panel)
    panel.grid(visible=False, axis="x")
    figure.suptitle(title("F1 of each class", results), fontsize=13)
    legend_below(figure, panel)
    return figure


def _write_in_bar(panel: Axes, x: float, mean: float | None) -> None:
    """Print the value low in the bar, where neither its interval nor its neighbour lies."""
    panel.text(
        x,
        0.02,
        "no beats" if mean is None else f"{mean:.3f}",
        rotation=90,
        ha="center",
        va="bottom",
        fontsize=9,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )


def _reach(scores: list[dict[str, float | None]]) -> Any:
    """How far intervals reach below and above their means, 0 where there is none."""
    reach = [
        (0.0, 0.0)
        if (mean := one["mean"]) is None or one.get("low") is None or one.get("high") is None
        # An interval by percentiles need not hold the mean.
        else (max(0.0, mean - (one["low"] or 0.0)), max(0.0, (one["high"] or 0.0) - mean))
        for one in scores
    ]
    return np.array(reach).T


def draw_efficiency(results: Mapping[str, Any]) -> Figure:
    """Macro F1 against parameters and against multiply-adds."""
    figure = new_figure(1300, 640)
    panels = figure.subplots(1, 2, sharey=True)
    sizes = {"parameters": "Trained parameters", "multiply_adds": "Multiply-adds for one beat"}
    for panel, (key, label) in zip(panels, sizes.items(), strict=True):
        known = [one[key] for one in results["models"].values() if one[key]]
        for place, (name, one) in enumerate(results["models"].items()):
            score = one["scores"]["macro_f1"]
            colour, marker, _ = LOOKS[place]
            panel.errorbar(
                [one[key] or float("nan")],
                [score["mean"]],
                yerr=_reach([score]),
                color=colour,
                marker=marker,
                markersize=10,
                linestyle="none",
                capsize=4,
                label=f"{name} ({_seeds(one)})",
            )
        for other in results["published"] if key == "parameters" else []:
            place = list(results["models"]).index(other["model"]) if _has(results, other) else -1
            panel.plot(
                [other[key]], [other["macro_f1"]], LOOKS[place][1], color=LOOKS[place][0],
                fillstyle="none", markersize=10, markeredgewidth=2, label=other["name"],
            )  # fmt: skip
            known.append(other[key])
        _size_axis(panel, known)
        panel.set_xlabel(label)
        panel.tick_params(labelleft=True)
        tidy(panel)
    panels[0].set_ylabel("Macro F1 over five classes")
    figure.suptitle(title("Score against size", results), fontsize=13)
    legend_below(figure, panels[0])
    return figure


def _has(results: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return other["model"] in results["models"]


def _size_axis(panel: Axes, sizes: list[float]) -> None:
    """Logarithmic, with room beside the outermost models and labels that read as numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    panel.set_xscale("log")
    if not sizes:
        panel.text(0.5, 0.5, "not counted", transform=panel.transAxes, ha="center", color=INK)
        panel.set_xticks([])
        return
    panel.set_xlim(min(sizes) / 2, max(sizes) * 2)
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda size, _: short_count(size)))


def short_count(size: float) -> str:
    """Print a large number in thousands or millions.

    Examples
    --------
    >>> short_count(175_973), short_count(4_200_000), short_count(500)
    ('176 k', '4.2 M', '500')
    """
    if size >= 1e6:
        return f"{size / 1e6:.3g} M"
    return f"{size / 1e3:.3g} k" if size >= 1e3 else f"{size:.3g}"


def draw_radar(results: Mapping[str, Any]) -> Figure:
    """Several scores of each model as the corners of a polygon."""
    keys = ("accuracy", "macro_f1", "weighted_f1", "macro_auc")
    labels = [SCORE_TITLES[key] for key in keys] + [SCORE_TITLES[f"f1_{c}"] for c in CLASSES]
    values = {
        name: [one["scores"][key]["mean"] or 0.0 for key in keys]
        + [one["per_class"][c]["f1"]["mean"] or 0.0 for c in CLASSES]
        for name, one in results["models"].items()
    }
    # From the ten below the lowest, or what differs would hardly be seen; never above 0.9.
    inner = min(0.9, floor(10 * min(map(min, values.values()))) / 10)
    figure = new_figure(1000, 880)
    panel = figure.subplots(subplot_kw={"projection": "polar"})
    angles = [2 * pi * corner / len(labels) for corner in range(len(labels))]
    for (colour, marker, line), (name, corners) in zip(LOOKS, values.items(), strict=False):
        closed = [*corners, corners[0]]
        panel.plot(
            [*angles, angles[0]], closed, color=colour, marker=marker, linestyle=line,
            markersize=6, linewidth=2, label=name,
        )  # fmt: skip
    _radar_axes(panel, labels, angles, inner)
    figure.suptitle(
        f"Scores, mean over seeds; the centre is {inner:.1f}, the rim 1\n"
        f"protocol {results['protocol']}, {results['n']:,} test beats",
        fontsize=13,
    )
    legend_below(figure, panel)
    return figure


def _radar_axes(panel: Any, labels: list[str], angles: list[float], inner: float) -> None:
    panel.set_theta_offset(pi / 2)  # the first corner is on top, the others follow clockwise
    panel.set_theta_direction(-1)
    panel.set_xticks(angles, labels)
    for text, angle in zip(panel.get_xticklabels(), angles, strict=True):
        # Beside the rim, not across it: to its right on the right, to its left on the left.
        side = np.sin(angle)
        text.set_horizontalalignment("left" if side > 0.1 else "right" if side < -0.1 else "center")
    panel.tick_params(axis="x", pad=8)
    panel.set_ylim(inner, 1)
    step = 0.02 if inner > 0.85 else 0.1 if inner > 0.45 else 0.2
    rings = np.arange(1, inner + step / 2, -step)[::-1]
    panel.set_yticks(rings, [f"{ring:.2f}" for ring in rings], fontsize=9, color=INK)
    for text in panel.get_yticklabels():
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})
    panel.set_rlabel_position(180 / len(labels))  # between two corners
    panel.grid(color=GRID)
