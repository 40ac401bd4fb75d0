"""A comparison in one table and a few sentences, for a README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASSES
from ectopy.evaluation.compare_pairs import NAMED_PAIRS
from ectopy.printing import number, p_text, percent, with_spread

if TYPE_CHECKING:
    from collections.abc import Mapping


def summary(results: Mapping[str, Any]) -> str:
    """Make the short report of a comparison, made from its results and from nothing else.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.

    Returns
    -------
    str
        Markdown: scores of every model and of the published ones, S without some records, KAN
        minus MLP, certainty.
    """
    counts = ", ".join(f"{name} {n:,}" for name, n in results["counts"].items())
    intervals = results["intervals"]
    parts = [
        f"Protocol `{results['protocol']}`: {results['protocol_title']}. {results['n']:,} test "
        f"beats ({counts}). Mean ± standard deviation over {_seeds(results)} training seeds "
        f"[{100 * intervals['level']:g} % interval over {intervals['unit']}].",
        _table(results),
        *_without(results),
        "\n".join(_differences(results)),
        _certainty(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _seeds(results: Mapping[str, Any]) -> str:
    numbers = sorted({len(one["seeds"]) for one in results["models"].values()})
    return " or ".join(map(str, numbers))


def _table(results: Mapping[str, Any]) -> str:
    head = ["model", "parameters", "multiply-adds", "accuracy", "macro F1", "over N S V F"]
    rows = [[*head, *(f"F1 {name}" for name in CLASSES)]]
    rows.append(["---"] * len(rows[0]))
    for one in results["published"]:
        f1 = (number(one["per_class"][name]["f1"], 3) for name in CLASSES)
        scores = (number(one[key], 3) for key in ("accuracy", "macro_f1", "macro_f1_nsvf"))
        rows.append([one["name"], f"{one['parameters']:,}", "-", *scores, *f1])
    for name, one in results["models"].items():
        scores = one["scores"]
        macro = scores["macro_f1"]
        rows.append(
            [
                f"`{name}`",
                f"{one['parameters']:,}",
                "-" if one["multiply_adds"] is None else f"{one['multiply_adds']:,}",
                number(scores["accuracy"]["mean"], 3),
                with_spread(macro, 3),
                with_spread(scores["macro_f1_nsvf"], 3, interval=False),
                *(with_spread(one["per_class"][c]["f1"], 3, interval=False) for c in CLASSES),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _without(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for record, rest in results["without"].items():
        parts = [
            f"`{name}` S {with_spread(one['per_class']['S']['f1'], 3, interval=False)}, V "
            f"{with_spread(one['per_class']['V']['f1'], 3, interval=False)}, macro over N S V F "
            f"{with_spread(one['scores']['macro_f1_nsvf'], 3, interval=False)}"
            for name, one in rest["models"].items()
        ]
        text = f"Without record {record} ({rest['reason']}; {rest['counts']['S']:,} S beats left)"
        lines.append(f"{text}: F1 of {'; '.join(parts)}.")
    return lines


def _differences(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for one in results["comparisons"]:
        if (one["first"], one["second"]) not in NAMED_PAIRS:
            continue
        shown = []
        for key, title in (
            ("macro_f1", "macro F1"),
            ("macro_f1_nsvf", "over N S V F"),
            ("f1_S", "F1 of S"),
            ("f1_V", "F1 of V"),
        ):
            gap = one["differences"][key]
            low, high = (number(gap[end], signed=True) for end in ("low", "high"))
            tested = gap["p"] if "p_flip" not in gap else gap["p_flip"]
            shown.append(
                f"{title} {number(gap['point'], signed=True)} [{low}, {high}], p {p_text(tested)}"
            )
        lines.append(f"- `{one['first']}` minus `{one['second']}`: {'; '.join(shown)}.")
    if lines:
        test = (
            "swapping the two models' answers, record by record"
            if results["intervals"]["unit"] == "records"
            else "bootstrap"
        )
        lines.append(
            f"- p is by {test}, before any correction for many tests; the corrected ones are in "
            "the full tables."
        )
    return lines


def _certainty(results: Mapping[str, Any]) -> str:
    parts = []
    for name, one in results["models"].items():
        errors = ", ".join(percent(error["mean"]) for error in one["risk_coverage"]["errors"])
        parts.append(f"`{name}` {number(one['scores']['ece']['mean'])}; {errors} %")
    first = next(iter(results["models"].values()))
    shares = ", ".join(f"{100 * share:g}" for share in first["risk_coverage"]["referred"])
    return (
        "Expected calibration error, and the error rate when the least certain "
        f"{shares} % of beats are left to a human: {'. '.join(parts)}."
    )
