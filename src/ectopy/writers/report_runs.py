"""Runs and pauses: all in a table, those that matter most as strips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASS_MEANINGS
from ectopy.measures.intervals import GAP_S
from ectopy.measures.pauses import PAUSE_S
from ectopy.writers.report_blocks import Figure, Section, Strips, Words
from ectopy.writers.report_strips import LONG_S
from ectopy.writers.report_tables import count, decimal, pauses_table, runs_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.measures.patterns import Patterns
    from ectopy.measures.pauses import Pauses
    from ectopy.measures.runs import RunTable
    from ectopy.writers.report_blocks import Block
    from ectopy.writers.report_strips import Paper
    from ectopy.writers.report_svg import Times

LONGEST_SHOWN, FASTEST_SHOWN = 20, 10
"""Runs of a class to show as strips: the longest ones, and of the others the fastest ones."""

PAUSES_SHOWN = 10

MOST_ROWS, RUN_ROWS, PAUSE_ROWS = 3, 40, 16
"""Rows of strips: of one run or pause, of all runs of a class, and of all pauses."""

LEAST_S, BEFORE_S = 0.7, 1.4
"""What strips show around a run or pause: at least, and before one that takes several rows."""


def run_order(runs: RunTable) -> NDArray[np.int64]:
    """Rows from the longest to the shortest run, in beats; the faster first among equals."""
    return np.lexsort((runs.start_s, -np.nan_to_num(runs.rate_bpm), -runs.beats))


def shown_places(runs: RunTable, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places in `order` of the runs to show: the longest ones, then the fastest others."""
    n = len(order)
    longest = np.arange(min(LONGEST_SHOWN, n))
    rates = np.nan_to_num(runs.rate_bpm[order[len(longest) :]])
    fastest = len(longest) + np.argsort(-rates, kind="stable")[:FASTEST_SHOWN]
    return np.concatenate([longest, np.sort(fastest)])


def runs_section(name: str, patterns: Patterns, paper: Paper, times: Times) -> Section:
    """Every run of one class."""
    runs, title = patterns.runs, f"Runs of class {name}"
    key = f"runs-{name.lower()}"
    if len(runs) == 0:
        words = Words(f"No run of three beats or more of class {name} ({CLASS_MEANINGS[name]}).")
        return Section(key, title, [words])
    order = run_order(runs)
    places = shown_places(runs, order)
    links = {f"{name}{place + 1}": f"run-{name.lower()}{place + 1}" for place in places.tolist()}
    chosen = [runs.row(int(order[place])) for place in places.tolist()]
    windows = _windows([(run["start_s"], run["duration_s"]) for run in chosen], RUN_ROWS)
    figures = [
        _run_figure(f"{name}{place + 1}", run, window, paper, times)
        for place, run, window in zip(places.tolist(), chosen, windows, strict=True)
    ]
    table = runs_table(name, patterns, order.tolist(), times, links)
    return Section(key, title, [table, Strips(_strips_title(len(runs), name), figures,
                                              _left_out(len(runs), len(places)))])  # fmt: skip


def _strips_title(n: int, name: str) -> str:
    return f"The run of class {name}" if n == 1 else f"Strips of runs of class {name}"


def _left_out(n: int, shown: int) -> str:
    """Say which runs have no strip."""
    if shown == n:
        return ""
    return (
        f"The {LONGEST_SHOWN} longest runs, and of the others the {shown - LONGEST_SHOWN} fastest. "
        f"{count(n - shown)} further runs are in the table and not shown here."
    )


def _run_figure(
    number: str, run: dict[str, Any], window: Window, paper: Paper, times: Times
) -> Figure:
    rate = f", {decimal(run['rate_bpm'])}/min" if run["rate_bpm"] else ""
    note = f"{count(run['beats'])} beats in {run['duration_s']:.1f} s{rate}, from "
    note += times.both(run["start_s"]) + window.remark
    return Figure(f"Run {number}", note, paper.rows(*window.span), f"run-{number.lower()}")


@dataclass(frozen=True)
class Window:
    """From when to when strips go, in seconds, and what to say of that."""

    span: tuple[float, float]
    remark: str


def _windows(stretches: list[tuple[float, float]], rows: int) -> list[Window]:
    """Choose windows around stretches of signal, each given by its start and its length in seconds.

    A stretch lies in the middle of a row where it fits in, else near the start of several. There
    are no more than `rows` in all, and `MOST_ROWS` of one; the first ones may have more than one.
    """
    windows = []
    for place, (start_s, length_s) in enumerate(stretches, start=1):
        first = start_s + length_s / 2 - LONG_S / 2
        n, remark = 1, ""
        if length_s + 2 * LEAST_S > LONG_S:
            first = start_s - BEFORE_S
            needed = int(np.ceil((BEFORE_S + length_s + LEAST_S) / LONG_S))
            n = max(1, min(needed, MOST_ROWS, rows - (len(stretches) - place)))
            shown = n * LONG_S - BEFORE_S
            remark = f"; the first {shown:.1f} s are shown" if shown < length_s else ""
        rows -= n
        windows.append(Window((first, first + n * LONG_S), remark))
    return windows


def pauses_section(pauses: Pauses, paper: Paper, times: Times) -> Section:
    """Every pause."""
    if len(pauses) == 0:
        return Section("pauses", "Pauses", [Words(f"No pause longer than {PAUSE_S:g} s.")])
    order = np.argsort(-pauses.length_s, kind="stable")
    shown = order[:PAUSES_SHOWN].tolist()
    links = {f"P{place}": f"pause-{place}" for place in range(1, len(shown) + 1)}
    stretches = [(float(pauses.start_s[row]), float(pauses.length_s[row])) for row in shown]
    windows = _windows(stretches, PAUSE_ROWS)
    figures = []
    for place, (window, (start_s, length_s)) in enumerate(
        zip(windows, stretches, strict=True), start=1
    ):
        note = f"{length_s:.2f} s, from {times.both(start_s)}{window.remark}"
        strips = paper.rows(*window.span)
        figures.append(Figure(f"Pause P{place}", note, strips, f"pause-{place}"))
    table = pauses_table(pauses, order.tolist(), times, links)
    left_out = len(pauses) - len(shown)
    text = f"The {len(shown)} longest; {count(left_out)} more are in the table." if left_out else ""
    doubt = Words(
        f"A pause of more than {GAP_S:g} s may be a stretch in which beats were there but could "
        "not be found. Look at the strip."
    )
    doubtful = bool((pauses.length_s > GAP_S).any())
    title = "The longest pauses" if len(pauses) > 1 else "The pause"
    blocks: list[Block] = [table, Strips(title, figures, text)]
    if doubtful:
        blocks.insert(1, doubt)
    return Section("pauses", "Pauses", blocks)
