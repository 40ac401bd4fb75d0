"""The head of the report: what was analysed, and the numbers that are looked at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ectopy.measures.pauses import PAUSE_S
from ectopy.writers.paper import time_text
from ectopy.writers.report_tables import NOTHING, count, decimal

if TYPE_CHECKING:
    from ectopy.analysis import Analysis, Summary
    from ectopy.measures.patterns import Patterns
    from ectopy.writers.report_svg import Times

Tile = tuple[str, str, str]
"""Title, number with its unit, and what to know beside it."""


def facts(analysis: Analysis, times: Times) -> list[tuple[str, str]]:
    """Say what was analysed, each fact with its name."""
    start = "not in the file" if times.start is None else f"{times.start:%Y-%m-%d %H:%M:%S}"
    finder = (analysis.model.get("finder") or {}).get("name")
    source = f"{analysis.beat_source} by {finder}" if finder else analysis.beat_source
    return [
        ("Lead", analysis.lead),
        ("Start", start),
        ("Duration", duration_text(times.duration_s)),
        ("Sampling", f"{analysis.fs:g} Hz"),
        ("Beats", source),
        ("Classes", str(analysis.model.get("name", "model without a name"))),
    ]


def duration_text(seconds: float) -> str:
    """How long, in the units that are read out.

    Examples
    --------
    >>> duration_text(30), duration_text(1805.6), duration_text(14 * 86400)
    ('30 s', '30 min 06 s', '14 d 00 h 00 min')
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02d} h {minutes:02d} min"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def tiles(analysis: Analysis) -> list[Tile]:
    """Numbers that are looked at first."""
    summary = analysis.summary
    rates = (
        f"{decimal(summary.heart_rate_min_bpm)} to {decimal(summary.heart_rate_max_bpm)}"
        if summary.heart_rate_min_bpm is not None
        else "too few beats for its range"
    )
    pauses = "none"
    if summary.longest_pause_s is not None:
        when = time_text(summary.longest_pause_start_s or 0.0)
        pauses = f"longest {summary.longest_pause_s:.2f} s, at {when}"
    shown = [
        ("Beats", count(summary.n_beats), _not_classed(summary)),
        ("Heart rate", _unit(summary.heart_rate_mean_bpm, 0, "/min"), rates),
        ("Ventricular, V", _unit(summary.v_burden_percent, 2, "%"), _beats(summary, "V")),
        ("Supraventricular, S", _unit(summary.s_burden_percent, 2, "%"), _beats(summary, "S")),
        ("V runs", count(len(summary.v_patterns.runs)), _longest(summary.v_patterns)),
        ("S runs", count(len(summary.s_patterns.runs)), _longest(summary.s_patterns)),
        (f"Pauses over {PAUSE_S:g} s", count(summary.pauses), pauses),
        _irregular(summary),
    ]
    if summary.usable_percent is not None:
        lost = f"{time_text((1 - summary.usable_percent / 100) * summary.duration_s)} unusable"
        shown.append(("Usable signal", _unit(summary.usable_percent, 1, "%"), lost))
    return shown


def _not_classed(summary: Summary) -> str:
    n = summary.n_unusable
    return f"and {count(n)} that could not be classed" if n else "all with a class"


def _unit(value: float | None, digits: int, unit: str) -> str:
    return NOTHING if value is None else f"{decimal(value, digits)} {unit}"


def _beats(summary: Summary, name: str) -> str:
    n = summary.counts[name]
    return f"{count(n)} beat{'s' * (n != 1)}"


def _longest(patterns: Patterns) -> str:
    if patterns.longest is None:
        return "of 3 beats or more"
    run = patterns.runs.row(patterns.longest)
    rate = f", {decimal(run['rate_bpm'])}/min" if run["rate_bpm"] else ""
    return f"longest {run['beats']} beats{rate}"


def _irregular(summary: Summary) -> Tile:
    """Screen for atrial fibrillation."""
    screen, title = summary.fibrillation, "Irregular rhythm"
    if screen.burden_percent is None:
        return title, NOTHING, "too few beats to screen"
    n = len(screen)
    episodes = f"{count(n)} episode{'s' * (n != 1)}; a screen, no diagnosis"
    return title, f"{decimal(screen.burden_percent, 1)} %", episodes
