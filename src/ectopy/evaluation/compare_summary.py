"""A comparison in one table and a few sentences, for a README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASSES
from ectopy.evaluation.compare_pairs import NAMED_PAIRS
from ectopy.evaluation.compare_tables import number, p_text

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
        four = sum(one["per_class"][name]["f1"] for name in CLASSES if name != "Q") / 4
        f1 = (number(one["per_class"][name]["f1"], 3) for name in CLASSES)
        scores = (number(value, 3) for value in (one["accuracy"], one["macro_f1"], four))
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
                f"{_mean(macro)} [{number(macro['low'], 3)}, {number(macro['high'], 3)}]",
                _mean(scores["macro_f1_nsvf"]),
                *(_mean(one["per_class"][c]["f1"]) for c in CLASSES),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _mean(one: Mapping[str, float | None]) -> str:
    spread = "" if one["sd"] is None else f" ± {number(one['sd'], 3)}"
    return number(one["mean"], 3) + spread


def _without(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for record, rest in results["without"].items():
        parts = [
            f"`{name}` S {_mean(one['per_class']['S']['f1'])}, V "
            f"{_mean(one['per_class']['V']['f1'])}, macro over N S V F "
            f"{_mean(one['scores']['macro_f1_nsvf'])}"
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
        risk = one["risk_coverage"]
        errors = ", ".join(number(100 * error["mean"], 2) for error in risk["errors"])
        parts.append(f"`{name}` {number(one['scores']['ece']['mean'])}; {errors} %")
    shares = ", ".join(f"{100 * share:g}" for share in risk["referred"])
    return (
        "Expected calibration error, and the error rate when the least certain "
        f"{shares} % of beats are left to a human: {'. '.join(parts)}."
    )
