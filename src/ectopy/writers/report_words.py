"""What the report says in words: what letters mean, how good the classes are, how it was made."""

from __future__ import annotations

import platform
import shlex
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASSES
from ectopy.measures.intervals import GAP_S
from ectopy.measures.pauses import PAUSE_S
from ectopy.measures.runs import RUN_BEATS
from ectopy.printing import number, percent
from ectopy.writers.report_blocks import Table
from ectopy.writers.report_svg import LETTERS, UNUSABLE_MARK, class_mark
from ectopy.writers.report_tables import NOTHING, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ectopy.analysis import Analysis

CLASS_WORDS = {
    "N": "A beat that the heart's own pacemaker, the sinus node, started and that took the usual "
    "way or one blocked branch of it; escape beats count here too.",
    "S": "A beat that came early from above the ventricles: from an atrium or the junction. It "
    "mostly looks like N, and its timing gives it away.",
    "V": "A beat that came from a ventricle: wide and of another shape, most often early.",
    "F": "A ventricular and a normal beat at once: a shape between the two.",
    "Q": "A beat that a pacemaker paced or helped, or that cannot be told.",
    UNUSABLE_MARK: "A beat was found, but the signal around it is too poor to tell its class. It "
    "counts in no class.",
}
"""The AAMI classes for those who do not know them (ANSI/AAMI EC57; de Chazal et al. 2004)."""

TERMS = (
    ("RR", "time from one beat to the next; 60 over it, in seconds, is the heart rate"),
    ("Run", f"{RUN_BEATS} or more beats of one class in a row; two are a couplet"),
    ("Pause", f"more than {PAUSE_S:g} s without a beat, where none may have been missed"),
    ("Rate min, max", "lowest and highest median of 8 intervals in a row, so that one missed beat "
     f"changes neither; intervals above {GAP_S:g} s are left out"),
    ("Certainty", "the model's own probability for the class it chose; it can be wrong and sure"),
    ("Bigeminy", "every second beat is ectopic, three times or more; trigeminy every third"),
)  # fmt: skip

LIBRARIES = ("numpy", "scipy", "onnxruntime", "wfdb")


def meanings() -> list[tuple[str, Any, str]]:
    """Letter, mark and explanation of each class, and of beats that have none."""
    return [
        (letter, class_mark(index if index < len(CLASSES) else -1), CLASS_WORDS[letter])
        for index, letter in enumerate(LETTERS)
    ]


def accuracy_tables(model: Mapping[str, Any]) -> list[Table]:
    """How well model and finder were measured to do, as far as they say so."""
    measured, tables = model.get("measured") or {}, []
    per_class = measured.get("per_class") or {}
    if per_class:
        rows = [
            [name, count(one["n"]), percent(one["se"], 1), percent(one["ppv"], 1)]
            for name, one in per_class.items()
        ]
        where = f"{count(measured['n'])} of MIT-BIH, protocol {measured['protocol']}"
        head = ("Class", "Test beats", "Sensitivity %", "Positive predictive value %")
        tables.append(Table(f"On annotated beats: {where}", head, rows))
    found = model.get("from_signal")
    if found:
        names = {"qrs": "Any beat", "veb": "V, ventricular ectopic", "sveb": "S, supraventricular"}
        rows = [
            [title, count(found[key]["n"]), percent(found[key]["se"], 1 if key != "qrs" else 2),
             percent(found[key]["ppv"], 1 if key != "qrs" else 2)]
            for key, title in names.items()
        ]  # fmt: skip
        head = ("Beat", "Test beats", "Sensitivity %", "Positive predictive value %")
        what = (
            f"From the raw signal: {found['records']} records of MIT-BIH, scored as ANSI/AAMI EC57"
        )
        tables.append(Table(what, head, rows))
    return tables


def accuracy_words(model: Mapping[str, Any]) -> list[str]:
    """Sentences on how the model was measured."""
    measured = model.get("measured") or {}
    words = []
    if isinstance(measured.get("accuracy"), int | float):
        text = f"Accuracy {percent(measured['accuracy'], 1)} %"
        if isinstance(measured.get("macro_f1"), int | float):
            text += f", macro F1 {number(measured['macro_f1'], 3)}"
        if measured.get("note"):
            text += f"; {measured['note']}"
        words.append(text + ".")
    else:
        words.append("How well this model does has not been measured.")
    leak = (model.get("from_signal") or {}).get("leak")
    if leak:
        words.append(f"The figures from the raw signal leak: {leak}.")
    if per_class := measured.get("per_class"):
        weak = [name for name, one in per_class.items() if min(one["se"], one["ppv"]) < 0.5]
        if weak:
            letters = " and ".join([", ".join(weak[:-1]), weak[-1]] if weak[1:] else weak)
            words.append(
                f"Of class{'es' * (len(weak) > 1)} {letters} half or more were missed or made up "
                "in that test: take these letters as hints."
            )
    return words


def limits(analysis: Analysis) -> list[str]:
    """Say what the analysis cannot do, of the model and of the method."""
    model = analysis.model
    said = [str(one).replace("`", "") for one in model.get("limits") or ()]
    if model.get("certainty"):
        said.append(str(model["certainty"]))
    said.append(
        "One lead was analysed. The screen for irregular rhythm looks at intervals alone, not at P "
        "waves."
    )
    if analysis.beat_source == "detected":
        said.append(
            "Beats were found by a trained model: a pause may be beats that were not found, a very "
            "short interval one beat found twice. Look at the strips."
        )
    return said


def made_with(analysis: Analysis) -> Table:
    """Everything that decided the results, so that they can be made again."""
    model, asked = analysis.model, dict(analysis.settings)
    finder = model.get("finder") or {}
    notes = asked.pop("notes", None) or {}
    rows = [
        ["Recording", analysis.recording],
        ["Source", str(asked.pop("source", NOTHING))],
        ["Leads", ", ".join(map(str, asked.pop("leads", ()))) or analysis.lead],
        [
            "Lead analysed",
            analysis.lead + ("" if asked.pop("lead", None) else ", chosen by itself"),
        ],
        ["Sampling frequency", f"{analysis.fs:g} Hz"],
        ["Samples", count(analysis.n_samples)],
        ["Beats", analysis.beat_source],
        ["Model", str(model.get("name", NOTHING))],
        ["Weights, SHA-256", str(model.get("weights_sha256", NOTHING))],
    ]
    if finder:
        rows += [["Beat finder", str(finder.get("name"))],
                 ["Its weights, SHA-256", str(finder.get("weights_sha256"))]]  # fmt: skip
    for name in ("model", "beats"):
        asked.pop(name, None)
    rows += [[f"Option {name}", str(value)] for name, value in asked.items()]
    rows += [[f"File says: {name}", str(value)] for name, value in notes.items()]
    rows += [["ectopy", analysis.version], ["Python", platform.python_version()], *_versions()]
    if command := command_line(analysis):
        rows.append(["Command", command])
    return Table("Settings and versions", ("What", "Value"), rows, words=(1,))


def command_line(analysis: Analysis) -> str:
    """Give the command that makes these results again; empty where no file was read."""
    asked = analysis.settings
    if asked.get("source", "in memory") == "in memory" or "given" in str(asked.get("beats")):
        return ""
    words = ["ectopy", "analyze", str(asked["source"]), "--out", "FOLDER"]
    for name in ("model", "lead", "beats", "annotator", "fs", "unit", "part"):
        if name in asked:
            words += [f"--{name}", str(asked[name])]
    for column in asked.get("columns") or ():
        words += ["--column", str(column)]
    return shlex.join(words)


def _versions() -> list[list[str]]:
    found = []
    for name in LIBRARIES:
        try:
            found.append([name, metadata.version(name)])
        except metadata.PackageNotFoundError:
            continue
    return found
