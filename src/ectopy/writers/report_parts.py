"""The sections of the report, in their order, each with its tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ectopy.beats import CLASS_MEANINGS, CLASSES
from ectopy.mapped import release
from ectopy.writers.paper import MM_PER_S
from ectopy.writers.report_axes import TimeAxis
from ectopy.writers.report_beats import SHOWN, ClassShape, class_shapes
from ectopy.writers.report_blocks import Chart, Figure, Points, Section, Strips, Terms, Words
from ectopy.writers.report_charts import MOST_DOTS, tachogram, trends
from ectopy.writers.report_reference import reference_section
from ectopy.writers.report_runs import pauses_section, runs_section
from ectopy.writers.report_shapes import shape_panels
from ectopy.writers.report_signal import signal_section
from ectopy.writers.report_strips import Paper
from ectopy.writers.report_tables import (
    LONGEST_HOURLY,
    class_table,
    count,
    decimal,
    episodes_table,
    hourly_table,
    patterns_table,
    variability_table,
)
from ectopy.writers.report_tiles import duration_text
from ectopy.writers.report_words import (
    TERMS,
    accuracy_tables,
    accuracy_words,
    limits,
    made_with,
    meanings,
)

if TYPE_CHECKING:
    from ectopy.analysis import Analysis
    from ectopy.writers.report_blocks import Block
    from ectopy.writers.report_svg import Times


def report_sections(analysis: Analysis, times: Times) -> list[Section]:
    """All sections."""
    summary, paper = analysis.summary, Paper(analysis)
    shapes = class_shapes(analysis)
    sections = [
        Section("classes", "Beats by class", [class_table(analysis)]),
        _over_time(analysis, times),
        *_signal(analysis, times),
        *([] if len(summary.hourly) < 2 else [_hours(analysis, times)]),
        _ectopy(analysis),
        runs_section("V", summary.v_patterns, paper, times),
        runs_section("S", summary.s_patterns, paper, times),
        pauses_section(summary.pause_list, paper, times),
        _rhythm(analysis, times),
        _shapes(shapes),
        _beats(analysis, shapes, paper, times),
    ]
    if analysis.reference is not None and len(analysis.reference):
        sections.append(reference_section(analysis, analysis.reference))
    return [*sections, _accuracy(analysis), _reading(), _settings(analysis)]


def _over_time(analysis: Analysis, times: Times) -> Section:
    axis = TimeAxis(times)
    picture, step_s = trends(analysis, axis, analysis.quality)
    n_normal = analysis.summary.counts["N"]
    dense = " Beats of class N are drawn as their density." if n_normal > MOST_DOTS else ""
    intervals = (
        "Each RR interval at the time of the beat that ends it, with the mark of its class; what "
        f"lies beyond the scale is drawn on its edge.{dense}"
    )
    ectopic = len(analysis.beats) > n_normal
    rates = (
        f"In steps of {duration_text(step_s)}: the median heart rate with the range of the middle "
        "90 % of intervals"
        + (", and beats a minute of each class, each on its own scale." if ectopic else ".")
    )
    return Section("time", "Over time", [Chart(tachogram(analysis, axis), intervals),
                                         Chart(picture, rates)])  # fmt: skip


def _signal(analysis: Analysis, times: Times) -> list[Section]:
    quality = analysis.quality
    return [] if quality is None else [signal_section(quality, TimeAxis(times))]


def _hours(analysis: Analysis, times: Times) -> Section:
    hourly = analysis.summary.hourly
    title = "Hour by hour" if len(hourly) <= LONGEST_HOURLY else "Day by day"
    return Section("hours", title, [hourly_table(hourly, times)])


def _ectopy(analysis: Analysis) -> Section:
    summary = analysis.summary
    patterns = {"V": summary.v_patterns, "S": summary.s_patterns}
    return Section("ectopy", "Ectopic beats", [patterns_table(patterns)])


def _rhythm(analysis: Analysis, times: Times) -> Section:
    """Screen for atrial fibrillation, and heart rate variability."""
    summary = analysis.summary
    screen, found = summary.fibrillation, summary.variability
    blocks: list[Block] = []
    if screen.burden_percent is None:
        text = "Too few intervals between beats of class N to screen for an irregular rhythm."
    elif len(screen) == 0:
        text = "The screen for an irregular rhythm, as in atrial fibrillation, found no episode."
    else:
        text = (
            f"The rhythm is as irregular as in atrial fibrillation in {count(len(screen))} "
            f"episode{'s' * (len(screen) > 1)}, {decimal(screen.burden_percent, 1)} % of what "
            "could be screened."
        )
    text += " It is a screen of intervals alone, no diagnosis: P waves are not looked at."
    blocks.append(Words(text))
    if len(screen):
        blocks.append(episodes_table(screen, times))
    if found.mean_nn_ms is None:
        blocks.append(Words("Too few beats of class N in a row to measure heart rate variability."))
    else:
        blocks.append(variability_table(found))
    if found.note:
        blocks.append(Words(_sentence(found.note)))
    return Section("rhythm", "Regularity", blocks)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _shapes(shapes: list[ClassShape]) -> Section:
    picture = shape_panels(shapes)
    if picture is None:
        return Section("shapes", "Shapes", [Words("No beat lies whole within the signal.")])
    caption = (
        "Median of a sample of each class, spread over the recording and taken from its more "
        "certain half; the ground holds the middle 80 % of them."
    )
    if len(shapes) > 1 and shapes[0].index == 0:
        caption += " The median of class N is repeated as a broken line."
    return Section("shapes", "Shapes", [Chart(picture, caption)])


def _beats(analysis: Analysis, shapes: list[ClassShape], paper: Paper, times: Times) -> Section:
    """Show the most typical and the least certain beats of each class."""
    blocks: list[Block] = []
    for shape in shapes:
        name = CLASSES[shape.index]
        all_of_them = shape.n <= SHOWN
        what = (
            f"Class {name}: all {shape.n} beats" if all_of_them and shape.n > 1
            else f"Class {name}: its only beat" if all_of_them
            else f"Class {name}: most typical"
        )  # fmt: skip
        blocks.append(_strips(what, shape.typical.tolist(), analysis, paper, times))
        if len(shape.uncertain):
            title = f"Class {name}: least certain"
            blocks.append(_strips(title, shape.uncertain.tolist(), analysis, paper, times))
    missing = [name for name, n in analysis.summary.counts.items() if n == 0]
    if missing:
        blocks.append(Words("No beat of class " + ", ".join(
            f"{name} ({CLASS_MEANINGS[name]})" for name in missing) + "."))  # fmt: skip
    words = Words(
        "Typical beats are those nearest to the median of their class. Above each strip stands "
        "the probability of its class, and of the next one where that has more than 0.05. "
        f"All strips: {MM_PER_S:g} mm/s, 10 mm/mV unless another gain is written on them."
    )
    return Section("beats", "Typical and uncertain beats", [words, *blocks])


def _strips(
    title: str, chosen: list[int], analysis: Analysis, paper: Paper, times: Times
) -> Strips:
    beats = analysis.beats
    figures = []
    for beat, strip in zip(chosen, paper.around(chosen), strict=True):
        odds = beats.probabilities[beat]
        first, second = (-odds).argsort(kind="stable")[:2].tolist()
        note = f"{CLASSES[first]} {odds[first]:.2f}"
        if odds[second] >= 0.05:
            note += f", {CLASSES[second]} {odds[second]:.2f}"
        figures.append(Figure(times.both(int(beats.peaks[beat]) / beats.fs), note, [strip]))
    release(beats.peaks)
    release(beats.probabilities)
    return Strips(title, figures, short=True)


def _accuracy(analysis: Analysis) -> Section:
    measured = Words(" ".join(accuracy_words(analysis.model)))
    tables = accuracy_tables(analysis.model)
    name = analysis.model.get("name", "the model")
    words = Words(f"What to know of {name} and of this analysis:")
    points = Points(limits(analysis))
    return Section("accuracy", "How far to trust the classes", [measured, *tables, words, points])


def _reading() -> Section:
    terms = Terms([(term, "", text) for term, text in TERMS])
    return Section("reading", "How to read this report", [Terms(meanings()), terms])


def _settings(analysis: Analysis) -> Section:
    return Section("settings", "Settings and versions", [made_with(analysis)])
