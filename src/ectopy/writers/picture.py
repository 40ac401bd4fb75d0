"""A recording on one page: its busiest minute on ECG paper, its rhythm, its beats in numbers."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.analysis import GAP_S, PAUSE_S
from ectopy.beats import CLASS_MEANINGS, CLASSES
from ectopy.printing import number
from ectopy.writers.output import file_stem, staging
from ectopy.writers.paper import (
    CLASS_COLOURS,
    MM_PER_S,
    PAPER_MM,
    Sheet,
    annotated_otherwise,
    draw_paper,
    time_text,
)
from ectopy.writers.tables import NOTE
from ectopy.writers.tachogram import draw_tachogram

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Any

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ectopy.analysis import Analysis, Runs
    from ectopy.beats import BeatTable

DPI = 150
WIDTH_PX = 1800
MARGIN_PX = 40
MM_PX = (WIDTH_PX - 2 * MARGIN_PX) / PAPER_MM
HEADER_PX, TITLE_PX, TACHOGRAM_PX, NUMBERS_PX, FOOTER_LINE_PX = 100, 54, 270, 210, 26
NUMBERS_X_PX = 780
AXIS_PX = 62
"""Space for the tick labels left, right and below of the tachogram."""

LINE_LETTERS = 190
"""Letters of small text that fit into the width of the page."""

MOST_WARNINGS = 4

_INK, _FAINT = "#222222", "#666666"


def write_picture(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Draw the recording on one page as PNG, 1800 pixels wide.

    From top to bottom: what was analysed; the minute with the most ectopic beats on ECG paper,
    each beat with the letter of its class; every RR interval of the recording; the beats of each
    class and the numbers of `ectopy.analysis.Summary`; the model and the warnings.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.png`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    about = {"Software": f"ectopy {analysis.version}"}
    return _write(analysis, folder, "png", about)


def write_svg(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Draw the page of `write_picture` as SVG, sharp at any size; letters are drawn as shapes.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.svg`. The same analysis gives the same bytes.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    about = {"Creator": f"ectopy {analysis.version}", "Date": None}
    return _write(analysis, folder, "svg", about)


def _write(
    analysis: Analysis,
    folder: str | os.PathLike[str],
    kind: str,
    about: Mapping[str, str | None],
) -> Path:
    """Draw the page into a file of one kind, with metadata."""
    import matplotlib as mpl

    name = f"{file_stem(analysis.recording)}.{kind}"
    with staging(folder) as staged, mpl.rc_context():
        mpl.rcdefaults()  # the page is the same whatever a user's own settings are
        mpl.rcParams.update({"agg.path.chunksize": 20_000, "text.parse_math": False})
        mpl.rcParams["svg.hashsalt"] = "ectopy"  # else its ids differ each time
        _draw_page(analysis).savefig(staged / name, dpi=DPI, metadata=dict(about))
    return Path(folder) / name


class _Page:
    """Allots the page from the top down, in pixels."""

    def __init__(self, height_px: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.height_px = height_px
        self.used_px = 0.0
        self.figure = Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)

    def axes(self, height_px: float, left_px: float, right_px: float) -> Axes:
        """Axes below all others, from `left_px` to `right_px`."""
        self.used_px += height_px
        bottom = 1 - self.used_px / self.height_px
        width = (right_px - left_px) / WIDTH_PX
        return self.figure.add_axes((left_px / WIDTH_PX, bottom, width, height_px / self.height_px))

    def text(self, x_px: float, y_px: float, text: str, size: float, **style: str) -> None:
        """One line of text, its baseline `y_px` below all that is used."""
        height = 1 - (self.used_px + y_px) / self.height_px
        look: dict[str, Any] = {"color": _INK, "fontsize": size, **style}
        self.figure.text(x_px / WIDTH_PX, height, _printable(text), **look)


def _draw_page(analysis: Analysis) -> Figure:
    sheet = Sheet.of(analysis)
    footer = _footer(analysis)
    paper_px = sheet.height_mm * MM_PX
    page = _Page(
        HEADER_PX
        + 3 * TITLE_PX
        + paper_px
        + TACHOGRAM_PX
        + AXIS_PX
        + NUMBERS_PX
        + FOOTER_LINE_PX * (len(footer) + 1)
    )
    right_px = WIDTH_PX - MARGIN_PX

    page.text(MARGIN_PX, 48, _shorten(analysis.recording, 70), 16, fontweight="bold")
    page.text(MARGIN_PX, 84, _shorten(_description(analysis), 130), 10, color=_FAINT)
    page.used_px += HEADER_PX

    page.text(MARGIN_PX, TITLE_PX - 18, _strip_title(analysis, sheet), 10, fontweight="bold")
    page.used_px += TITLE_PX
    draw_paper(page.axes(paper_px, MARGIN_PX, right_px), analysis, sheet)

    page.text(MARGIN_PX, TITLE_PX - 18, "RR intervals of the recording", 10, fontweight="bold")
    page.used_px += TITLE_PX
    draw_tachogram(
        page.axes(TACHOGRAM_PX, MARGIN_PX + AXIS_PX, right_px - AXIS_PX), analysis, sheet
    )
    page.used_px += AXIS_PX

    page.text(MARGIN_PX, TITLE_PX - 18, "Beats of each class", 10, fontweight="bold")
    page.text(NUMBERS_X_PX, TITLE_PX - 18, "In numbers", 10, fontweight="bold")
    page.used_px += TITLE_PX
    _list_numbers(page, analysis)
    _draw_counts(page.axes(NUMBERS_PX, MARGIN_PX, NUMBERS_X_PX - 2 * MARGIN_PX), analysis.beats)

    for line in footer:
        page.text(MARGIN_PX, FOOTER_LINE_PX, line, 8, color=_FAINT)
        page.used_px += FOOTER_LINE_PX
    return page.figure


def _description(analysis: Analysis) -> str:
    """Say in one line what was analysed."""
    parts = [
        f"lead {analysis.lead}",
        f"{time_text(analysis.n_samples / analysis.fs)} at {analysis.fs:g} Hz",
        f"{len(analysis.beats)} beats, {analysis.beat_source}",
        f"model {analysis.model.get('name', 'without a name')}",
    ]
    if analysis.start is not None:
        parts.insert(1, f"{analysis.start:%Y-%m-%d %H:%M:%S}")
    return " · ".join(parts)


def _strip_title(analysis: Analysis, sheet: Sheet) -> str:
    """Which part of the recording the strips show, and at which scale."""
    what = f"{time_text(sheet.start_s)} to {time_text(sheet.stop_s)}"
    if analysis.start is not None:
        clock = analysis.start + timedelta(seconds=sheet.start_s)
        what += f" (from {clock:%H:%M:%S} on the clock)"
    if sheet.stop_s - sheet.start_s >= analysis.n_samples / analysis.fs:
        what += ", the whole recording"
    elif analysis.summary.ectopic_burden_percent:
        what += ", the minute with the most ectopic beats and classes"
    else:
        what += ", the first minute, as no beat is ectopic"
    return f"{what}; {MM_PER_S:g} mm/s, {sheet.gain:g} mm/mV"


def _draw_counts(axes: Axes, beats: BeatTable) -> None:
    """One bar a class with its letter, meaning, count and share: the legend of the page."""
    axes.set(xlim=(0, 100), ylim=(-len(CLASSES) + 0.5, 0.5))
    axes.axis("off")
    counts = beats.counts()
    total = max(1, int(beats.usable.sum()))
    for row, (name, count) in enumerate(counts.items()):
        colour = CLASS_COLOURS[name]
        axes.text(0, -row, name, fontsize=12, fontweight="bold", color=colour, va="center")
        axes.text(4, -row, CLASS_MEANINGS[name], fontsize=9, color=_INK, va="center")
        axes.text(66, -row, f"{count}", fontsize=9, color=_INK, va="center", ha="right")
        share = f"{100 * count / total:.1f} %"
        axes.text(79, -row, share, fontsize=9, color=_FAINT, va="center", ha="right")
        axes.barh(-row, 19, left=81, height=0.5, color="#f0f0f0")
        axes.barh(-row, 19 * count / total, left=81, height=0.5, color=colour)


def _list_numbers(page: _Page, analysis: Analysis) -> None:
    """Heart rate, burden, runs, pauses and quality, one line each, right of the counts."""
    summary = analysis.summary
    pauses = "none"
    if summary.longest_pause_s is not None:
        when = time_text(summary.longest_pause_start_s or 0.0)
        pauses = f"{summary.pauses}, the longest {summary.longest_pause_s:.2f} s at {when}"
        if summary.longest_pause_s > GAP_S:
            pauses += ", unless beats were not found there"
    lines = {
        "Heart rate": (
            f"mean {number(summary.heart_rate_mean_bpm, 0)}, "
            f"lowest {number(summary.heart_rate_min_bpm, 0)}, "
            f"highest {number(summary.heart_rate_max_bpm, 0)} per minute"
        ),
        "Ectopic beats": (
            f"{number(summary.ectopic_burden_percent, 1)} %   "
            f"(V {number(summary.v_burden_percent, 1)} %, "
            f"S {number(summary.s_burden_percent, 1)} %)"
        ),
        "Ventricular": _runs_text(summary.v_runs),
        "Supraventricular": _runs_text(summary.s_runs),
        f"Pauses over {PAUSE_S:g} s": pauses,
    }
    if analysis.quality is not None:
        text = analysis.quality.text()
        if summary.n_unusable:
            text += f"; {summary.n_unusable} beats there are not classed (?)"
        lines["Signal usable"] = text
    for row, (label, text) in enumerate(lines.items()):
        y = NUMBERS_PX * (row + 0.5) / len(lines) + 6
        page.text(NUMBERS_X_PX, y, label, 9, color=_FAINT)
        page.text(NUMBERS_X_PX + 180, y, text, 9)


def _runs_text(runs: Runs) -> str:
    if runs.longest_start_s is None:
        return "none"
    text = f"{runs.singles} single, {runs.couplets} couplets, {runs.runs} runs of 3 or more"
    if runs.longest_rate_bpm is None:
        return text
    when = time_text(runs.longest_start_s)
    return f"{text}; longest {runs.longest_beats} at {when}, {runs.longest_rate_bpm:.0f}/min"


def _footer(analysis: Analysis) -> list[str]:
    """Lines below all: warnings, what brackets mean, how the model was measured, what it is for."""
    notes = [f"Warning: {warning}" for warning in analysis.warnings[:MOST_WARNINGS]]
    left_out = len(analysis.warnings) - MOST_WARNINGS
    if left_out > 0:
        notes.append(f"{left_out} more warnings stand in the JSON file.")
    if analysis.reference is not None:
        other = len(annotated_otherwise(analysis.beats, analysis.reference))
        note = f"Annotations: {len(analysis.reference)} beats, "
        note += "which all agree" if other == 0 else f"and {other} beats differ or have no partner"
        if other:
            note += (
                "; letters in brackets give the annotated class, (-) says that none is annotated"
            )
        notes.append(f"{note}.")
    measured = _measured_text(analysis.model)
    if measured:
        notes.append(measured)
    notes.append(f"{NOTE} ectopy {analysis.version}.")
    return [line for note in notes for line in textwrap.wrap(note, LINE_LETTERS)]


def _measured_text(model: Mapping[str, Any]) -> str:
    """How the model was measured, as far as it says so."""
    measured = model.get("measured") or {}
    parts = [
        f"{name} {measured[key]:{form}}"
        for key, name, form in (("accuracy", "accuracy", ".1%"), ("macro_f1", "macro F1", ".3f"))
        if isinstance(measured.get(key), (int, float))
    ]
    if not parts:
        return ""
    where = f"protocol {measured.get('protocol', 'unnamed')}"
    if measured.get("n"):
        where += f", {measured['n']} beats"
    note = f"; {measured['note']}" if measured.get("note") else ""
    return f"Model {model.get('name', '')} as measured ({where}): {', '.join(parts)}{note}."


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _printable(text: str) -> str:
    """Text without line breaks, with "?" for each letter that the font lacks."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_char_index
    return "".join(c if known(ord(c)) else "?" for c in " ".join(text.split()))
