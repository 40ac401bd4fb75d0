"""Figures of the benchmarks, from their results and from nothing else.

python benchmarks/figures.py    # figures/*.png
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keeping import RESULTS, load
from page_text import duration, significant
from settings import command_line

from ectopy.evaluation.figure_style import (
    DPI,
    HATCHES,
    INK,
    LOOKS,
    legend_below,
    log_axis,
    new_figure,
    plain_settings,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "figures"
WIDTH_PX, HEIGHT_PX = 1200, 560
BAR_PX, AROUND_PX = 34, 150
"""Height of a bar with its gap, and of what is above and below all bars."""

COMPARED = "signal to classes"
COLOURS = {"ectopy": 0, "peer": 1, "floor": 5}
"""Which of `LOOKS` a bar has, by what it belongs to."""


def main() -> None:
    options = command_line(__doc__).parse_args()
    for name in draw_all(options.out, FOLDER if options.out == RESULTS else options.out):
        print(name)


def draw_all(results: Path, folder: Path) -> list[Path]:
    """Draw every figure whose results are there; gives the files."""
    drawn = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, (needs, draw) in FIGURES.items():
        kept = [load(one, results) for one in needs]
        if not any(kept):
            continue
        path = folder / f"{name}.png"
        with plain_settings():
            draw(*kept).savefig(path, dpi=DPI, metadata={"Software": "ectopy"})
        drawn.append(path)
    return drawn


def growth(long: Mapping[str, Any] | None, short: Mapping[str, Any] | None) -> Figure:
    """Draw time and memory of the whole chain by length, of the long form where it is there."""
    kept = long or short  # never points of both: they may come from different machines
    rows = kept["rows"] if kept else []
    points: dict[str, dict[float, Mapping[str, Any]]] = {}
    for row in rows:
        points.setdefault(row["chain"], {})[row["hours"]] = row
    figure = new_figure(WIDTH_PX, HEIGHT_PX)
    panels = figure.subplots(1, 2)
    hours = sorted({row["hours"] for row in rows})
    for panel, key, what in zip(
        panels, ("wall_s", "peak_mb"), ("Time, s", "Peak memory, MB"), strict=True
    ):
        for (chain, own), (colour, marker, dashes) in zip(points.items(), LOOKS, strict=False):
            x = sorted(own)
            y = [own[one][key] for one in x]
            panel.plot(x, y, color=colour, marker=marker, linestyle=dashes, label=chain)
        panel.set(xscale="log", yscale="log", xlabel="Length of the recording", ylabel=what)
        panel.set_xticks(hours, [duration(one) for one in hours], minor=False)
        panel.set_xticks([], minor=True)
        _decades(panel, [own[key] for chain in points.values() for own in chain.values()])
        _fine_log_axis(panel.yaxis)
        tidy(panel)
    figure.suptitle("From a recording on disk to its files on disk, by length", fontsize=13)
    legend_below(figure, panels[0])
    return figure


def throughput(network: Mapping[str, Any]) -> Figure:
    """Draw beats a second from signal to classes, of models and published baseline."""
    rows = [row for row in network["rows"] if row["way"] == COMPARED]
    threads = sorted({row["threads"] for row in rows})
    names = list(dict.fromkeys(row["model"] for row in rows))
    rate = {(row["model"], row["threads"]): row["beats_per_s"] for row in rows}
    names.sort(key=lambda name: rate.get((name, threads[-1]), 0))
    figure = new_figure(WIDTH_PX, AROUND_PX + BAR_PX * len(names) * len(threads))
    panel = figure.subplots()
    height = 0.8 / len(threads)
    for number, count in enumerate(threads):
        places = [row + height * (number - (len(threads) - 1) / 2) for row in range(len(names))]
        values = [rate.get((name, count), 0) for name in names]
        bars = panel.barh(
            places,
            values,
            height=height,
            color=LOOKS[number][0],
            hatch=HATCHES[number],
            edgecolor="white",
            label=f"{count} thread{'s' * (count > 1)}",
        )
        panel.bar_label(bars, [significant(one) for one in values], padding=4, fontsize=10)
    panel.set_yticks(range(len(names)), names)
    panel.set_xlabel("Beats per second, from a lead in memory to classes")
    panel.margins(x=0.12)
    tidy(panel)
    figure.suptitle("Classing beats: models and published baseline", fontsize=13)
    legend_below(figure, panel)
    return figure


def finders(results: Mapping[str, Any]) -> Figure:
    """Draw how much signal each finder reads in a second."""
    rows = sorted(results["rows"], key=lambda row: row["hours_per_s"])
    bars = [
        (row["finder"], row["hours_per_s"], "ectopy" if "beat-finder" in row["finder"] else "peer")
        for row in rows
    ]
    figure = _bars(bars, lambda value: f"{significant(value)} h")
    figure.axes[0].set_xlabel("Hours of signal that are read in a second")
    figure.suptitle("Finding beats in a lead in memory", fontsize=13)
    return figure


def roofline(results: Mapping[str, Any]) -> Figure:
    """Draw the roofs and what the models reach under them, a panel a number of threads."""
    figure = new_figure(WIDTH_PX, HEIGHT_PX)
    panels = figure.subplots(1, len(results["figure"]), sharey=True, squeeze=False)[0]
    for panel, (threads, found) in zip(panels, results["figure"].items(), strict=True):
        roof = found["roof"]
        gflops = [value / 1e9 for value in roof["flops"]]
        panel.plot(roof["intensity"], gflops, color=INK, label="what the machine can do")
        for point, (colour, marker, _) in zip(found["points"], LOOKS, strict=False):
            panel.plot(
                point["intensity"],
                point["flops"] / 1e9,
                color=colour,
                marker=marker,
                markersize=9,
                markerfacecolor="none",  # models of one cost lie on top of each other
                markeredgewidth=2,
                linestyle="none",
                label=point["model"],
            )
        panel.set(xscale="log", yscale="log", xlabel="Operations per byte that has to move")
        panel.set_title(f"{threads} thread{'s' * (threads != '1')}", fontsize=11)
        log_axis(panel.xaxis)
        log_axis(panel.yaxis)
        tidy(panel)
    panels[0].set_ylabel("GFLOP/s")
    figure.suptitle("What the networks reach of what the machine can do", fontsize=13)
    legend_below(figure, panels[0], columns=3)
    return figure


def stream_latency(results: Mapping[str, Any]) -> Figure:
    """Draw how many beats still wait after which time, for the signal and for the work."""
    waiting = [100 - share for share in results["shares"]][:-1]  # at the most, none waits
    figure = new_figure(WIDTH_PX, HEIGHT_PX)
    panels = figure.subplots(1, 2, sharey=True)
    titles = {
        "signal_s": "Signal after the beat, s",
        "processing_ms": "Work of the push that brought the label, ms",
    }
    for panel, (key, title) in zip(panels, titles.items(), strict=True):
        for (model, found), (colour, _, dashes) in zip(
            results["quantiles"].items(), LOOKS, strict=False
        ):
            panel.plot(
                found[key][:-1], waiting, color=colour, linestyle=dashes, label=model, linewidth=2
            )
        panel.set(xlabel=title, yscale="log")
        log_axis(panel.yaxis)
        tidy(panel)
    panels[0].set_ylabel("Beats that still wait for their label, %")
    panels[1].set_xscale("log")
    _fine_log_axis(panels[1].xaxis)
    figure.suptitle("From sample to label in a stream, portions of 0.1 s, one thread", fontsize=13)
    legend_below(figure, panels[0])
    return figure


def startup(results: Mapping[str, Any]) -> Figure:
    """Draw what starting takes, with the goals."""
    rows = results["rows"][::-1]
    bars = [(row["what"], row["median_s"], row["group"]) for row in rows]
    goals = {row["what"]: row["goal_s"] for row in rows if row["goal_s"] is not None}
    figure = _bars(bars, lambda value: f"{significant(value)} s", goals)
    panel = figure.axes[0]
    panel.set_xlabel("Seconds from the start of the process")
    figure.suptitle("Starting up", fontsize=13)
    legend_below(figure, panel)
    return figure


def _bars(
    bars: Sequence[tuple[str, float, str]],
    shown: Callable[[float], str],
    goals: Mapping[str, float] | None = None,
) -> Figure:
    """Horizontal bars with their values and goals, coloured by what they belong to."""
    goals = goals or {}
    figure = new_figure(WIDTH_PX, AROUND_PX + BAR_PX * len(bars))
    panel = figure.subplots()
    for group, look in COLOURS.items():
        rows = [(place, value) for place, (_, value, own) in enumerate(bars) if own == group]
        if rows:
            places, values = zip(*rows, strict=True)
            panel.barh(
                places,
                values,
                height=0.7,
                color=LOOKS[look][0],
                hatch=HATCHES[min(look, 2)],
                edgecolor="white",
                label={"floor": "Python alone", "peer": "others"}.get(group, group),
            )
    for place, (name, value, _) in enumerate(bars):
        right = max(value, goals.get(name, 0))  # beyond the line of the goal
        panel.annotate(
            shown(value),
            (right, place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
        if name in goals:
            panel.vlines(goals[name], place - 0.45, place + 0.45, color=INK, linewidth=2.5)
    if goals:
        panel.plot([], [], color=INK, linewidth=2.5, label="goal")
    panel.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    panel.set_xlim(0, 1.12 * max(value for _, value, _ in bars))
    tidy(panel)
    panel.grid(visible=False, axis="y")
    return figure


def _fine_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis of few powers of ten at their doubles and halves too."""
    from matplotlib.ticker import LogLocator

    log_axis(axis)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _decades(panel: Axes, values: Sequence[float]) -> None:
    """Widen a logarithmic axis to whole powers of ten, so that it has labels."""
    low = 10.0
    while low > min(values):
        low /= 10
    while 10 * low <= min(values):
        low *= 10
    high = low
    while high < max(values):
        high *= 10
    panel.set_ylim(low, high)


FIGURES: dict[str, tuple[tuple[str, ...], Callable[..., Figure]]] = {
    "growth": (("chain_long", "chain"), growth),
    "throughput": (("network",), throughput),
    "finders": (("finder_speed",), finders),
    "roofline": (("roofline",), roofline),
    "stream_latency": (("stream_latency",), stream_latency),
    "startup": (("startup",), startup),
}
"""By name: which results it is drawn from, and what draws it."""


if __name__ == "__main__":
    main()
