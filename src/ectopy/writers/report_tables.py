"""Tables of the report: the classes, the hours, runs, pauses, patterns and variability."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASS_MEANINGS, CLASSES
from ectopy.measures.hourly import HOUR_S
from ectopy.printing import number
from ectopy.writers.paper import time_text
from ectopy.writers.report_blocks import Table
from ectopy.writers.report_svg import UNUSABLE_MARK, class_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

    from ectopy.analysis import Analysis
    from ectopy.measures.fibrillation import Fibrillation
    from ectopy.measures.hourly import Hourly
    from ectopy.measures.patterns import Episodes, Patterns
    from ectopy.measures.pauses import Pauses
    from ectopy.measures.variability import Variability
    from ectopy.signal.seconds import Stretch
    from ectopy.writers.report_svg import Times

LONGEST_HOURLY = 72
"""Hours up to which each has a row of its own; of longer recordings each day has."""

LISTED = 30
"""Rows of a long table that are seen at once; the others unfold."""

MOST_LISTED = 3000
"""Rows of a table in all. What is beyond is counted, and stands in the table of beats."""


NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""


def long_table(
    caption: str, head: Sequence[str], rows: list[list[str]], n: int, links: dict[str, str]
) -> Table:
    """Give a table of the first of `n` rows, the others unfolding."""
    return Table(caption, head, rows[:LISTED], rows[LISTED:], n - len(rows), links=links)


def decimal(value: float | None, digits: int = 0) -> str:
    """Print a number, or a dash where there is none, NaN among them."""
    known = value is not None and math.isfinite(value)
    return number(value if known else None, digits).replace(
        "-", "\N{MINUS SIGN}" if known else NOTHING
    )


def count(value: int | float) -> str:
    """Whole number with thousands apart."""
    return f"{value:,.0f}"


def class_table(analysis: Analysis) -> Table:
    """How many beats each class has, and how sure the model is of them."""
    classes = analysis.beats.classes
    counts = [int((classes == index).sum()) for index in range(len(CLASSES))]
    total = max(1, sum(counts))
    rows: list[list[str | Markup]] = []
    for index, name in enumerate(CLASSES):
        mine = analysis.beats.confidences_of(index)
        low = int((mine < 0.7).sum())
        middle = float(np.median(mine, overwrite_input=True)) if len(mine) else None
        rows.append([
            name, class_mark(index), CLASS_MEANINGS[name], count(counts[index]),
            f"{100 * counts[index] / total:.2f}", decimal(middle, 3), count(low),
        ])  # fmt: skip
    unusable = len(classes) - sum(counts)
    if unusable:
        what = "signal too poor to class the beat"
        rows.append(
            [UNUSABLE_MARK, class_mark(-1), what, count(unusable), NOTHING, NOTHING, NOTHING]
        )
    head = ("Class", "Mark", "Meaning", "Beats", "%", "Median certainty", "Below 0.7")
    return Table("Beats of each class", head, rows, words=(1, 2), quiet=True)


def hourly_table(hourly: Hourly, times: Times) -> Table:
    """Each hour; of a long recording each day, the hours unfolding."""
    head = [
        "From",
        "Beats",
        "Rate min",
        "Rate mean",
        "Rate max",
        *CLASSES[1:],
        "V runs",
        "S runs",
        "Pauses",
    ]
    usable = bool(np.isfinite(hourly.usable_percent).any())
    if hourly.unusable.any():
        head.append("Unusable beats")
    if usable:
        head.append("Usable %")
    hours = [_hour(hourly, hour, times, usable) for hour in range(len(hourly))]
    if len(hours) <= LONGEST_HOURLY:
        return Table("Hour by hour", head, hours, quiet=True)
    return Table("Day by day, counted from the start", head, _days(hourly, times, usable), hours)


def _hour(hourly: Hourly, hour: int, times: Times, usable: bool) -> list[str]:
    start = float(hourly.start_s[hour])
    row = [
        times.clock(start) or f"{hour} h",
        count(int(hourly.counts[hour].sum())),
        *(decimal(float(rate[hour])) for rate in _rates(hourly)),
        *(count(n) for n in hourly.counts[hour, 1:].tolist()),
        *(count(int(n[hour])) for n in (hourly.v_runs, hourly.s_runs, hourly.pauses)),
    ]
    if hourly.unusable.any():
        row.append(count(int(hourly.unusable[hour])))
    return [*row, decimal(float(hourly.usable_percent[hour]), 1)] if usable else row


def _rates(hourly: Hourly) -> tuple[np.ndarray, ...]:
    return hourly.heart_rate_min_bpm, hourly.heart_rate_mean_bpm, hourly.heart_rate_max_bpm


def _days(hourly: Hourly, times: Times, usable: bool) -> list[list[str]]:
    """Add up 24 hours each; the mean rate is that of the hours by their beats."""
    rows = []
    for first in range(0, len(hourly), 24):
        part = slice(first, first + 24)
        start = first * HOUR_S
        low, mean, high = (rate[part] for rate in _rates(hourly))
        beats = hourly.counts[part].sum(axis=1)
        known = np.isfinite(mean) & (beats > 0)
        # Beats over minutes: the mean interval is the harmonic mean of the rates.
        minutes = (beats[known] / mean[known]).sum()
        row = [
            times.clock(start) or f"day {first // 24 + 1}",
            count(int(beats.sum())),
            decimal(float(np.nanmin(low)) if np.isfinite(low).any() else None),
            decimal(float(beats[known].sum() / minutes) if minutes > 0 else None),
            decimal(float(np.nanmax(high)) if np.isfinite(high).any() else None),
            *(count(int(n)) for n in hourly.counts[part, 1:].sum(axis=0)),
            *(count(int(n[part].sum())) for n in (hourly.v_runs, hourly.s_runs, hourly.pauses)),
        ]
        if hourly.unusable.any():
            row.append(count(int(hourly.unusable[part].sum())))
        rows.append([*row, decimal(float(np.nanmean(hourly.usable_percent[part])), 1)]
                    if usable else row)  # fmt: skip
    return rows


def runs_table(
    name: str, patterns: Patterns, order: Iterable[int], times: Times, links: dict[str, str]
) -> Table:
    """List runs of one class, in the order given."""
    runs = patterns.runs
    rates, starts = runs.rate_bpm, runs.start_s
    rows = [
        [f"{name}{place}", *_when(float(starts[row]), times), count(int(runs.beats[row])),
         f"{runs.duration_s[row]:.1f}", decimal(float(rates[row]))]
        for place, row in enumerate(order, start=1)
        if place <= MOST_LISTED
    ]  # fmt: skip
    head = ("Run", *_when_head(times), "Beats", "Length, s", "Rate, /min")
    return long_table(f"Runs of class {name}, the longest first", head, rows, len(runs), links)


def pauses_table(
    pauses: Pauses, order: Iterable[int], times: Times, links: dict[str, str]
) -> Table:
    """Pauses, in the order given."""
    rows = [
        [f"P{place}", *_when(float(pauses.start_s[row]), times), f"{pauses.length_s[row]:.2f}"]
        for place, row in enumerate(order, start=1)
        if place <= MOST_LISTED
    ]
    head = ("Pause", *_when_head(times), "Length, s")
    return long_table("Pauses, the longest first", head, rows, len(pauses), links)


def episodes_table(screen: Fibrillation, times: Times) -> Table:
    """Episodes of the screen for atrial fibrillation, in the order of time."""
    rows = [
        [str(place), *_when(start, times), time_text(stop - start)]
        for place, (start, stop) in enumerate(
            zip(screen.start_s.tolist(), screen.stop_s.tolist(), strict=True), start=1
        )
        if place <= MOST_LISTED
    ]
    head = ("Episode", *_when_head(times), "Length")
    return long_table("Irregular rhythm", head, rows, len(screen), {})


def stretches_table(stretches: Sequence[Stretch], lost_s: float, times: Times) -> Table:
    """Stretches of signal that could not be used, in the order of time."""
    rows = [
        [str(place), *_when(one.start_s, times), count(one.stop_s - one.start_s),
         ", ".join(one.reasons)]
        for place, one in enumerate(stretches[:MOST_LISTED], start=1)
    ]  # fmt: skip
    head = ("Stretch", *_when_head(times), "Seconds", "Reasons")
    caption = f"Unusable stretches, {time_text(lost_s)} in all"
    table = long_table(caption, head, rows, len(stretches), {})
    return replace(table, words=(len(head) - 1,))


def _when_head(times: Times) -> tuple[str, ...]:
    return ("From the start",) if times.start is None else ("From the start", "Time of day")


def _when(seconds: float, times: Times) -> tuple[str, ...]:
    clock = times.clock(seconds)
    return (time_text(seconds), clock) if clock else (time_text(seconds),)


def patterns_table(patterns: dict[str, Patterns]) -> Table:
    """How ectopic beats come, one column a class."""
    rows = [
        ["Single beats", *(count(len(p.singles)) for p in patterns.values())],
        ["Couplets", *(count(len(p.couplets)) for p in patterns.values())],
        ["Runs of 3 or more", *(count(len(p.runs)) for p in patterns.values())],
        ["Beats in runs", *(count(int(p.runs.beats.sum())) for p in patterns.values())],
        ["Runs above 100/min", *(count(len(p.tachycardias)) for p in patterns.values())],
        ["Longest run", *(_run(p, p.longest) for p in patterns.values())],
        ["Fastest run", *(_run(p, p.fastest) for p in patterns.values())],
        ["Bigeminy", *(_episodes(p.bigeminy) for p in patterns.values())],
        ["Trigeminy", *(_episodes(p.trigeminy) for p in patterns.values())],
        ["Quadrigeminy", *(_episodes(p.quadrigeminy) for p in patterns.values())],
    ]
    rows = [row for row in rows if set(row[1:]) != {NOTHING}]
    head = ("Pattern", *(f"{name}, {CLASS_MEANINGS[name]}" for name in patterns))
    return Table("How ectopic beats come", head, rows, quiet=True)


def _run(patterns: Patterns, row: int | None) -> str:
    if row is None:
        return NOTHING
    run = patterns.runs.row(row)
    return f"{run['beats']} beats, {decimal(run['rate_bpm'])}/min"


def _episodes(episodes: Episodes) -> str:
    n = len(episodes)
    if n == 0:
        return NOTHING
    seconds = float((episodes.stop_s - episodes.start_s).sum())
    return f"{count(n)} episode{'s' * (n > 1)}, {time_text(seconds)} in all"


def variability_table(found: Variability) -> Table:
    """Heart rate variability; no more than what could be measured."""
    values = (
        ("NN intervals", count(found.n_nn), "between beats of class N that follow each other"),
        ("Mean NN", decimal(found.mean_nn_ms), "ms"),
        ("SDNN", decimal(found.sdnn_ms, 1), "ms"),
        ("SDANN", decimal(found.sdann_ms, 1), "ms, of the means of 5 minutes"),
        ("SDNN index", decimal(found.sdnn_index_ms, 1), "ms, mean within 5 minutes"),
        ("RMSSD", decimal(found.rmssd_ms, 1), "ms"),
        ("pNN50", decimal(found.pnn50_percent, 1), "%"),
        ("VLF", decimal(found.vlf_ms2), "ms², 0.0033 to 0.04 Hz"),
        ("LF", decimal(found.lf_ms2), "ms², 0.04 to 0.15 Hz"),
        ("HF", decimal(found.hf_ms2), "ms², 0.15 to 0.4 Hz"),
        ("LF/HF", decimal(found.lf_hf, 2), ""),
    )
    rows = [[name, value, unit] for name, value, unit in values if value != NOTHING]
    return Table("Heart rate variability", ("Measure", "Value", "Unit"), rows, words=(2,))
