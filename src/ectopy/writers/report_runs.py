"""Runs and pauses: all in a table, those that matter most as strips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASS_MEANINGS
from ectopy.measures.intervals import GAP_S
from ectopy.measures.pauses import PAUSE_S
from ectopy.writers.report_blocks import Figure, Section, Strips, Words
from ectopy.writers.report_strips import LONG_S, MOST_ROWS
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
    figures = [
        _run_figure(name, place, runs.row(int(order[place])), paper, times)
        for place in places.tolist()
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


def _run_figure(name: str, place: int, run: dict[str, float], paper: Paper, times: Times) -> Figure:
    start_s, stop_s = _window(run["start_s"], run["start_s"] + run["duration_s"])
    rate = f", {decimal(run['rate_bpm'])}/min" if run["rate_bpm"] else ""
    note = f"{count(run['beats'])} beats in {run['duration_s']:.1f} s{rate}, from "
    note += times.both(run["start_s"]) + _cut_short(start_s, stop_s)
    number = f"{name}{place + 1}"
    return Figure(f"Run {number}", note, paper.rows(start_s, stop_s), f"run-{number.lower()}")


def _cut_short(start_s: float, stop_s: float) -> str:
    shown = LONG_S * MOST_ROWS
    return f"; the first {shown:g} s are shown" if stop_s - start_s > shown + 1e-6 else ""


def _window(start_s: float, stop_s: float) -> tuple[float, float]:
    """Give full rows around a stretch: in the middle of one where it fits, else near its start."""
    length = stop_s - start_s
    if length + 2 * LEAST_S <= LONG_S:
        first = (start_s + stop_s - LONG_S) / 2
        return first, first + LONG_S
    rows = int(np.ceil((BEFORE_S + length + LEAST_S) / LONG_S))
    return start_s - BEFORE_S, start_s - BEFORE_S + rows * LONG_S


def pauses_section(pauses: Pauses, paper: Paper, times: Times) -> Section:
    """Every pause."""
    if len(pauses) == 0:
        return Section("pauses", "Pauses", [Words(f"No pause longer than {PAUSE_S:g} s.")])
    order = np.argsort(-pauses.length_s, kind="stable")
    shown = order[:PAUSES_SHOWN].tolist()
    links = {f"P{place}": f"pause-{place}" for place in range(1, len(shown) + 1)}
    figures = []
    for place, row in enumerate(shown, start=1):
        start_s, length_s = float(pauses.start_s[row]), float(pauses.length_s[row])
        window = _window(start_s, start_s + length_s)
        note = f"{length_s:.2f} s, from {times.both(start_s)}{_cut_short(*window)}"
        figures.append(Figure(f"Pause P{place}", note, paper.rows(*window), f"pause-{place}"))
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
