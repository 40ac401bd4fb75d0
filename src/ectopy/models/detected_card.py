"""What a model card says of a model's classes on beats found in the raw signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.printing import percent

if TYPE_CHECKING:
    from ectopy.models.bundle import Bundle


def detected_part(bundle: Bundle) -> list[str]:
    """Section on protocol `detected` in Markdown; nothing where it has not been measured."""
    results = bundle.results("detected")
    if results is None:
        return []
    leak = f"\nIt leaks, so this says nothing of a new patient: {results['leak']}.\n"
    return [
        "## From the raw signal\n",
        f"{detected_title(results)}:\n",
        detected_table(results) + "\n" + (leak if results["leak"] else ""),
    ]


def detected_title(results: dict[str, Any]) -> str:
    """Say in one sentence what `detected_table` shows, without its full stop."""
    qrs = results["gross"]["qrs"]
    return (
        f"Protocol `{results['protocol']}`: {len(results['records'])} records, beats found by "
        f"`{results['finder']['name']}` (Se {percent(qrs['se'])} %, +P {percent(qrs['ppv'])} %), "
        f"scored beat by beat as ANSI/AAMI EC57 from {results['start_s']:g} s on. VEB are "
        "ventricular, SVEB supraventricular ectopic beats, Se / +P / FPR in %"
    )


def detected_table(results: dict[str, Any]) -> str:
    """Ventricular and supraventricular ectopic beats as a Markdown table."""
    lines = [
        "| records | VEB | VEB Se / +P / FPR | SVEB | SVEB Se / +P / FPR | "
        "SVEB with e and j in S, as `bxb` |",
        "|---|---|---|---|---|---|",
        _row("all, gross", results),
        _row("all, mean of the records", results, "average"),
    ]
    for names, rest in results["without"].items():
        lines.append(_row(f"without {names.replace('+', ' and ')}, gross", rest))
    return "\n".join(lines)


def _row(name: str, results: dict[str, Any], sums: str = "gross") -> str:
    scores = results[sums]
    cells = [name]
    for group in ("veb", "sveb"):
        counts = results["gross"][group]
        cells += [f"{counts['tp'] + counts['fn']:,}", _rates(scores[group])]
    return "| " + " | ".join([*cells, _rates(results["bxb_map"][sums]["sveb"])]) + " |"


def _rates(scores: dict[str, Any]) -> str:
    return f"{percent(scores['se'])} / {percent(scores['ppv'])} / {percent(scores['fpr'], 3)}"
