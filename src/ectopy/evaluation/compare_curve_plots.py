"""Figures of curves: ROC, precision and recall, training, reliability, risk and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.evaluation.figure_style import (
    INK,
    LOOKS,
    legend_below,
    log_axis,
    new_figure,
    tidy,
)
from ectopy.printing import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST_ERROR = 1e-5
"""Where an error rate of 0 is drawn, on an axis that has no 0."""


def draw_roc(results: Mapping[str, Any]) -> Figure:
    """ROC curve of each class against the rest, false positive rates on a logarithmic axis."""
    figure, panels = _class_panels()
    for panel, name in zip(panels, CLASSES, strict=False):
        # A rate of 0 has no place on the axis.
        _draw_class(panel, name, results, "false_positive_rate", "sensitivity", first=1)
        panel.set_xscale("log")
        log_axis(panel.xaxis)
        panel.set_xlim(1e-4, 1)
        panel.set_xlabel("False positive rate")
        panel.set_ylabel("Sensitivity")
    what = "ROC curves of each class against the rest, mean over seeds"
    areas = {
        model: [one["per_class"][name]["auc"]["mean"] for name in CLASSES]
        for model, one in results["models"].items()
    }
    _table_of_areas(panels, "Area under the ROC curve", areas)
    return _finish_classes(figure, what, results)


def draw_precision_recall(results: Mapping[str, Any]) -> Figure:
    """Precision against recall of each class, interpolated."""
    figure, panels = _class_panels()
    for panel, name in zip(panels, CLASSES, strict=False):
        _draw_class(panel, name, results, "recall", "precision")
        panel.set_xlim(0, 1.01)
        panel.set_xlabel("Recall")
        panel.set_ylabel("Precision")
    what = "Precision and recall of each class against the rest, mean over seeds"
    areas = {
        model: [_average_precision(one["curves"]["classes"][name]) for name in CLASSES]
        for model, one in results["models"].items()
    }
    _table_of_areas(panels, "Average precision", areas)
    return _finish_classes(figure, what, results)


def _average_precision(curves: Mapping[str, Any] | None) -> float | None:
    return None if curves is None else curves["average_precision"]["mean"]


def _class_panels() -> tuple[Figure, list[Axes]]:
    figure = new_figure(1500, 960)
    return figure, list(figure.subplots(2, 3).ravel())


def _draw_class(
    panel: Axes, name: str, results: Mapping[str, Any], x: str, y: str, first: int = 0
) -> None:
    """Draw one class's curve of every model, from a point on, down to the lowest of them."""
    lowest = 1.0
    for place, (model, one) in enumerate(results["models"].items()):
        curves = one["curves"]["classes"][name]
        if curves is not None:
            heights = curves[y][first:]
            lowest = min(lowest, *heights)
            _draw_line(panel, one["curves"][x][first:], heights, place, model)
    panel.set_ylim(max(0.0, lowest - 0.05), 1 + 0.05 * (1.05 - lowest))
    tidy(panel)
    panel.set_title(f"{name}, {results['counts'][name]:,} beats", fontsize=12)
    if not panel.lines:
        panel.text(0.5, 0.5, "no beats", transform=panel.transAxes, ha="center", color=INK)


def _draw_line(panel: Axes, x: Sequence[float], y: Sequence[float], place: int, label: str) -> None:
    colour, marker, line = LOOKS[place]
    panel.plot(
        x,
        y,
        color=colour,
        linestyle=line,
        linewidth=1.8,
        marker=marker,
        markersize=5,
        # Not on every point, and not all on the same ones.
        markevery=(5 * place, max(1, len(x) // 4)),
        label=label,
    )


def _table_of_areas(
    panels: Sequence[Axes], what: str, areas: Mapping[str, Sequence[float | None]]
) -> None:
    """Name the models, and give their areas, in the panel that no class needs."""
    from matplotlib.transforms import Bbox

    panel = panels[len(CLASSES)]
    height = min(0.07 * (len(areas) + 1), 0.36)
    panel.set_axis_off()
    for place, name in enumerate(areas):
        _draw_line(panel, [], [], place, name)
    panel.legend(loc="upper center", frameon=False, handlelength=5)
    panel.text(0.5, 0.42, what, ha="center", transform=panel.transAxes)
    table = panel.table(
        [[number(area) for area in row] for row in areas.values()],
        colLabels=CLASSES,
        rowLabels=list(areas),
        cellLoc="center",
        edges="open",
        bbox=Bbox.from_bounds(0.2, 0.36 - height, 0.8, height),
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)


def _finish_classes(figure: Figure, what: str, results: Mapping[str, Any]) -> Figure:
    figure.suptitle(
        f"{what}\nprotocol {results['protocol']}, {results['n']:,} test beats", fontsize=13
    )
    return figure


def draw_training(results: Mapping[str, Any]) -> Figure | None:
    """Loss and macro F1 over the epochs, mean and range of the seeds; None without epochs."""
    titles = {
        "train_loss": "Training loss",
        "val_loss": "Validation loss",
        "val_macro_f1": "Validation macro F1",
    }
    if not any(one["epochs"] for one in results["models"].values()):
        return None
    figure = new_figure(1500, 600)
    panels = figure.subplots(1, 3)
    for panel, (key, label) in zip(panels, titles.items(), strict=True):
        for place, (name, one) in enumerate(results["models"].items()):
            colour, marker, line = LOOKS[place]
            rows = [row for row in one["epochs"] if row[key] is not None]
            epochs = [row["epoch"] for row in rows]
            low, mean, high = ([row[key][k] for row in rows] for k in ("low", "mean", "high"))
            panel.plot(
                epochs, mean, color=colour, linestyle=line, linewidth=1.8, marker=marker,
                markersize=5, markevery=max(1, len(rows) // 6), label=name,
            )  # fmt: skip
            panel.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
        panel.set_title(label, fontsize=12)
        panel.set_xlabel("Epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
        tidy(panel)
    figure.suptitle(
        f"Training, mean and range over seeds\nprotocol {results['protocol']}", fontsize=13
    )
    legend_below(figure, panels[0])
    return figure


def draw_reliability(results: Mapping[str, Any]) -> Figure:
    """Error rate that a model's certainty promises, and the one that it has.

    Logarithmic, since nearly all beats are at certainties above 0.99, where a linear diagram is one
    point.
    """
    figure = new_figure(1300, 720)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    titles = {
        "unscaled": "Before temperature scaling",
        "as_given": "As given, at the temperature of validation",
    }
    errors = {"unscaled": "ece_unscaled", "as_given": "ece"}
    for panel, (key, label) in zip(panels, titles.items(), strict=True):
        panel.plot([_LEAST_ERROR, 1], [_LEAST_ERROR, 1], color="#777777", linewidth=1)
        for place, (name, one) in enumerate(results["models"].items()):
            table = one["calibration"][key]
            promised = np.array([max(1 - row["confidence"], _LEAST_ERROR) for row in table])
            found = np.array([1 - row["accuracy"] for row in table])
            colour, marker, line = LOOKS[place]
            error = one["scores"][errors[key]]["mean"]
            wrong = found > 0
            panel.plot(
                promised[wrong], found[wrong], color=colour, linestyle=line, marker=marker,
                linewidth=1.5, markersize=6, label=f"{name}  calibration error {error:.4f}",
            )  # fmt: skip
            panel.plot(
                promised[~wrong], np.full((~wrong).sum(), _LEAST_ERROR), color=colour,
                linestyle="none", marker=marker, markersize=6, fillstyle="none",
            )  # fmt: skip
        for axis, scale in ((panel.xaxis, panel.set_xscale), (panel.yaxis, panel.set_yscale)):
            scale("log")
            log_axis(axis)
        panel.set_xlim(_LEAST_ERROR / 1.5, 1)
        panel.set_ylim(_LEAST_ERROR / 1.5, 1)
        panel.set_title(label, fontsize=12)
        panel.set_xlabel("1 - certainty: the error rate that is promised")
        panel.tick_params(labelleft=True)
        panel.legend(fontsize=9, loc="upper left", handlelength=3.5)
        tidy(panel)
    panels[0].set_ylabel("Error rate that was found")
    figure.suptitle(
        "Reliability, the beats of all seeds in groups of equal size; on the line is honest\n"
        f"protocol {results['protocol']}, {results['n']:,} test beats; "
        "open, at the foot: groups without any error",
        fontsize=13,
    )
    return figure


def draw_risk_coverage(results: Mapping[str, Any]) -> Figure:
    """Error rate of the rest as the least certain beats are left to a human."""
    figure = new_figure(1100, 680)
    panel = figure.subplots()
    for place, (name, one) in enumerate(results["models"].items()):
        colour, marker, line = LOOKS[place]
        curve, risk = one["risk_coverage"]["curve"], one["risk_coverage"]
        shares = 100 * np.array(curve["referred"])
        panel.plot(
            shares, 100 * np.array(curve["error"]), color=colour, linestyle=line, linewidth=1.8
        )
        at = 100 * np.array(risk["referred"])
        means = [100 * one["mean"] for one in risk["errors"]]
        spreads = [100 * (one["sd"] or 0.0) for one in risk["errors"]]
        panel.errorbar(
            at, means, yerr=spreads, color=colour, marker=marker, linestyle="none", capsize=3,
            label=f"{name}  area {100 * risk['area']['mean']:.3f} %",
        )  # fmt: skip
    panel.set_xlim(-0.3, 20)
    panel.set_ylim(bottom=0)
    panel.set_xlabel("Beats left to a human, the least certain first, %")
    panel.set_ylabel("Wrong among the others, %")
    tidy(panel)
    panel.legend(handlelength=3, frameon=False)
    figure.suptitle(
        f"What is wrong once the least certain beats are left out; bars: SD over seeds\n"
        f"protocol {results['protocol']}, {results['n']:,} test beats",
        fontsize=13,
    )
    return figure
