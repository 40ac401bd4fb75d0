"""A comparison as Markdown tables, made from its results and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASSES
from ectopy.evaluation import compare_scores
from ectopy.printing import number, p_text, percent_with_spread, with_spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCORE_TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "macro_f1_nsvf": "macro F1, N S V F",
    "weighted_f1": "weighted F1",
    "macro_auc": "macro AUC",
    **{f"f1_{name}": f"F1 of {name}" for name in CLASSES},
}
"""What tables and figures call a score."""

WHOLE = (*compare_scores.WHOLE, "macro_auc")
"""Scores of all beats together, as tables have them."""

RATES = (*compare_scores.RATES, "auc")
"""Scores of one class, as tables have them."""


def markdown(results: Mapping[str, Any]) -> str:
    """Make the whole report.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.

    Returns
    -------
    str
        Markdown: scores, classes, differences, certainty, scores without some records, each
        record, confusion matrices, notes; those that the results have.
    """
    counts = ", ".join(f"{name} {n:,}" for name, n in results["counts"].items())
    level = f"{100 * results['intervals']['level']:g} %"
    parts = [
        f"# Comparison under `{results['protocol']}`",
        f"Protocol: {results['protocol_title']}. {results['n']:,} test beats: {counts}.",
        f"Mean ± standard deviation over seeds [{level} interval over "
        f"{results['intervals']['unit']}, {results['intervals']['resamples']:,} draws].",
        *_section("Scores", _score_table(results)),
        *_section("Classes", _class_table(results["models"])),
        *_section("Differences", _difference_table(results["comparisons"])),
        results["multiplicity"]["method"] + "." if results["comparisons"] else "",
        *_section("Certainty", _certainty_table(results["models"])),
    ]
    for record, rest in results["without"].items():
        parts += _section(f"Without record {record}", _without_table(rest))
        parts += [f"Left out because {rest['reason']}; {rest['n']:,} beats are left."]
    parts += _section("Records", _record_table(results["models"]))
    parts += _section("Confusion matrices, summed over seeds", _matrix_table(results["models"]))
    parts += ["## Notes", "\n".join(f"- {note}" for note in results["notes"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> list[str]:
    """Heading and table, or nothing where the table has no row."""
    head, rows = table
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *rows]
    return [f"## {title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]


def _score_table(results: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    head = ["model", "seeds", "parameters", "multiply-adds", *(SCORE_TITLES[k] for k in WHOLE)]
    rows = [
        [
            name,
            str(len(one["seeds"])),
            f"{one['parameters']:,}",
            "-" if one["multiply_adds"] is None else f"{one['multiply_adds']:,}",
            *(with_spread(one["scores"][key]) for key in WHOLE),
        ]
        for name, one in results["models"].items()
    ]
    for one in results["published"]:
        scores = (number(one[key]) for key in WHOLE)
        rows.append([one["name"], "1", f"{one['parameters']:,}", "-", *scores])
    floor = results["always_n"]
    rows.append(["always N", "-", "0", "0", *(number(floor.get(key)) for key in WHOLE)])
    return head, rows


def _class_table(models: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    head = ["class", "n", "model", "precision", "recall", "F1", "AUC", "average precision"]
    rows = []
    for name in CLASSES:
        for model, one in models.items():
            scores = one["per_class"][name]
            curves = one["curves"]["classes"][name]
            area = "-" if curves is None else with_spread(curves["average_precision"])
            cells = (with_spread(scores[rate]) for rate in RATES)
            rows.append([name, f"{scores['n']:,}", model, *cells, area])
    return head, rows


def _difference_table(
    comparisons: Sequence[Mapping[str, Any]],
) -> tuple[list[str], list[list[str]]]:
    """Differences with their tests: of swaps by record, or of McNemar, as far as they were made."""
    by_record = any("flips" in one for one in comparisons)
    last = "p, swaps by record" if by_record else "p, McNemar"
    head = ["first minus second", "score", "difference", "p, bootstrap", "Holm", last, "Holm"]
    rows = []
    for one in comparisons:
        for key, difference in one["differences"].items():
            shown = number(difference["point"], signed=True)
            if difference["low"] is not None:
                ends = (number(difference[end], signed=True) for end in ("low", "high"))
                shown += f" [{', '.join(ends)}]"
            test = difference if by_record else {}
            if key == "accuracy" and "mcnemar" in one:
                test = {f"p_flip{end}": one["mcnemar"][f"p{end}"] for end in ("", "_holm")}
            rows.append(
                [
                    f"{one['first']} minus {one['second']}",
                    SCORE_TITLES[key],
                    shown,
                    *(p_text(difference[name]) for name in ("p", "p_holm")),
                    *(p_text(test.get(name)) for name in ("p_flip", "p_flip_holm")),
                ]
            )
    return head, rows


def _certainty_table(models: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    errors = {
        "ece_unscaled": "calibration error before it",
        "ece": "as given",
        "classwise_ece_unscaled": "class-wise before it",
        "classwise_ece": "as given",
    }
    referred = next(iter(models.values()))["risk_coverage"]["referred"]
    left = [f"% wrong, {100 * share:g} % left out" for share in referred]
    head = ["model", "temperature", *errors.values(), *left, "area"]
    rows = []
    for name, one in models.items():
        wrong = (percent_with_spread(error) for error in one["risk_coverage"]["errors"])
        rows.append(
            [
                name,
                with_spread(one["calibration"]["temperature"], 2),
                *(with_spread(one["scores"][key]) for key in errors),
                *wrong,
                with_spread(one["risk_coverage"]["area"], 5),
            ]
        )
    return head, rows


def _without_table(rest: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    whole = ("accuracy", "macro_f1", "macro_f1_nsvf")
    head = ["model", *(SCORE_TITLES[key] for key in whole)]
    head += [f"F1 of {name}" for name in CLASSES]
    rows = [
        [
            name,
            *(with_spread(one["scores"][key]) for key in whole),
            *(with_spread(one["per_class"][c]["f1"]) for c in CLASSES),
        ]
        for name, one in rest["models"].items()
    ]
    return head, rows


def _record_table(models: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Classes of each record that are there, or that some model sees there."""
    head = ["record", "class", "n", *(f"{name}: found / missed / false" for name in models)]
    if not all("per_record" in one for one in models.values()):
        return head, []
    tables = [one["per_record"] for one in models.values()]
    rows = []
    for record, classes in tables[0].items():
        for name, one in classes.items():
            cells = [table[record][name] for table in tables]
            if one["n"] or any(cell["false"] for cell in cells):
                rows.append([record, name, f"{one['n']:,}", *map(_found_missed_false, cells)])
    return head, rows


def _found_missed_false(cell: Mapping[str, float]) -> str:
    return " / ".join(f"{cell[key]:,.1f}" for key in ("found", "missed", "false"))


def _matrix_table(models: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [model, name, *(f"{n:,}" for n in row)]
        for model, one in models.items()
        for name, row in zip(CLASSES, one["confusion_matrix"], strict=True)
    ]
    return ["model", "true", *(f"called {name}" for name in CLASSES)], rows
