"""Write the benchmarks' page from their results, and from nothing else.

python benchmarks/pages.py            # README.md
python benchmarks/pages.py --check    # says whether it is up to date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import FIGURES
from goals import all_goals
from keeping import RESULTS, load
from page_sections import SECTIONS, Section
from page_text import table
from settings import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goals import Goal

HERE = Path(__file__).resolve().parent
NOT_YET = "Not measured yet."

INTRODUCTION = """\
# Benchmarks

What `ectopy` costs in time and memory, beside what one would take instead. `make bench` measures \
the short form of everything in a few minutes and writes this page and its figures anew; \
`make bench-long` takes the long forms, up to recordings of 14 days. Every number here comes from \
a file in [results](results), made by the command that its section names, on the machine and with \
the versions that stand below its tables; what has a CSV file beside the JSON has the rows of its \
table there. `python benchmarks/pages.py --check` says whether the page is what the results give.

All contestants of a benchmark take turns on one machine, so that a busy moment strikes them all. \
A time is the median of at least seven rounds unless its table says otherwise, a ratio the median \
of the rounds' own ratios. Peers are called as their documentation does it, on the same input and, \
where they let themselves be told, on as many threads. Signals are simulated, so that anyone can \
make them again; none of this needs a database, except where it says so."""

OTHERS = """\
## On the database

Older results, which take the MIT-BIH Arrhythmia Database:

- labels at other sampling frequencies: [rates.json](results/rates.json), `benchmarks/rates.py`, \
table in the [README](../README.md#analyse-a-recording);
- the screen for atrial fibrillation: [fibrillation_ds1.json](results/fibrillation_ds1.json), \
[fibrillation_ds2.json](results/fibrillation_ds2.json), `benchmarks/fibrillation.py`, table in \
[measures](../docs/measures.md);
- classes in streams: [streaming_ds1.json](results/streaming_ds1.json), \
[streaming_ds2.json](results/streaming_ds2.json), `benchmarks/streaming.py`, table in \
[rhythm features](../docs/rhythm-features.md)."""


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the page is stale")
    options = parser.parse_args()
    target = (HERE if options.out == RESULTS else options.out) / "README.md"
    fresh = page(options.out)
    if not options.check:
        target.write_text(fresh, encoding="utf-8")
    elif not target.is_file() or target.read_text(encoding="utf-8") != fresh:
        sys.exit(f"{target.name} of the benchmarks is stale: run python benchmarks/pages.py")


def page(results: Path) -> str:
    """Text of the page for the results in a folder."""
    kept = {name: load(name, results) for section in SECTIONS for name in section.shows}
    parts = [INTRODUCTION, "## Goals", goals_table(dict(all_goals(kept.get)))]
    parts += [part for section in SECTIONS for part in section_parts(section, kept)]
    issues = HERE / "known_issues.md"
    parts += [OTHERS, "## Known issues", issues.read_text(encoding="utf-8").strip()]
    return "\n\n".join(parts) + "\n"


def goals_table(goals: dict[str, list[Goal]]) -> str:
    """All goals beside what was reached."""
    heads = ("goal", "bound", "reached", "")
    rows = [goal.cells() for found in goals.values() for goal in found]
    return table(rows, {head: (lambda row, head=head: row[head]) for head in heads})


def section_parts(section: Section, kept: dict[str, dict[str, Any] | None]) -> list[str]:
    """Title, text, command, tables with their machine, figure."""
    commands = "\n".join(section.commands)
    parts = [f"## {section.title}", section.text, f"```\n{commands}\n```"]
    there = {name: one for name in section.shows if (one := kept[name])}
    if not there:
        return [*parts, NOT_YET]
    for name, results in there.items():
        parts.append(section.shows[name](results))
        parts += [f"{note[0].upper()}{note[1:]}." for note in [results.get("note")] if note]
        parts.append(facts_line(name, results))
    if section.figure and any(kept[name] for name in FIGURES[section.figure][0]):
        parts.append(f"![{section.figure_title}](figures/{section.figure}.png)")
    return parts


def facts_line(name: str, results: dict[str, Any]) -> str:
    """Where the numbers are, and on what they were measured."""
    machine, versions = results["machine"], results.get("versions", {})
    if isinstance(machine, dict):
        machine = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
            f"{machine['system']} {machine['architecture']}"
        )
    told: Sequence[str] = [
        f"[{name}.json](results/{name}.json)",
        *([results["date"]] if "date" in results else []),
        machine,
        *([", ".join(f"{key} {value}" for key, value in versions.items())] if versions else []),
        f"ectopy {results['code_version']}",
    ]
    return f"<sub>{'; '.join(told)}</sub>"


if __name__ == "__main__":
    main()
