"""Tables of beat finders side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.printing import number, percent

if TYPE_CHECKING:
    from rich.console import Console


def show_detected(results: dict[str, Any], console: Console) -> None:
    """Print what `ectopy.evaluation.detected.evaluate_detected` found out."""
    from rich import box
    from rich.table import Table

    title = f"{results['model']} under {results['protocol']}: {len(_first(results)['records'])} "
    title += "records, from 5:00 on"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = ("finder", "Se %", "+P %", "made up", *(f"no {c}" for c in "NSVFQ"))
    for column in (*columns, "ms SD", "p95"):
        is_name = column == "finder"
        table.add_column(column, justify="left" if is_name else "right", no_wrap=is_name)
    for name, one in results["finders"].items():
        gross, timing = one["gross"], one["timing_ms"]
        missed = (str(row["missed"]) for row in one["missed"].values())
        table.add_row(
            name,
            *(percent(gross[key]) for key in ("se", "ppv")),
            str(one["made_up"]),
            *missed,
            *(number(timing[key], 1) for key in ("sd", "p95_abs")),
        )
    console.print(table)
    of = ", ".join(f"{name} {row['of']:,}" for name, row in _first(results)["missed"].items())
    console.print(f"'no V': V beats not found. Beats to find: {of}", highlight=False)
    if results["leak"]:
        console.print(f"LEAK: {results['leak']}", style="bold red")
    _show_records(_first(results), console)
    for key in ("noise", "noise_as_nst"):
        if key in results:
            _show_noise(results[key], console)
    for name, one in results.get("forms", {}).items():
        for row in one["forms"].values():
            console.print(
                f"{name}, {row['meaning']}: {percent(row['share'], 3)} % of {row['beats']:,} "
                f"beats found again within 20 ms, {row['new']} new",
                highlight=False,
            )
    for name, one in results["finders"].items():
        for record, problem in one["failed"].items():
            console.print(f"{name} failed on {record}: {problem}", highlight=False)
    for note in results["notes"]:
        console.print(f"note: {note}", style="dim", highlight=False)


def _first(results: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = next(iter(results["finders"].values()))
    return first


def _show_records(one: dict[str, Any], console: Console) -> None:
    worst = sorted(one["per_record"].items(), key=lambda item: -item[1]["fn"] - item[1]["fp"])
    lines = [f"{name}: missed {row['fn']}, made up {row['fp']}" for name, row in worst[:8]]
    console.print("records with most errors: " + "; ".join(lines), highlight=False)


def _show_noise(noise: dict[str, Any], console: Console) -> None:
    from rich import box
    from rich.table import Table

    for schedule, curves in noise["curves"].items():
        levels = [point["snr_db"] for point in next(iter(curves.values()))]
        heads = ["clean" if level is None else f"{level:g} dB" for level in levels]
        title = f"F1 % in {noise['noise']['meaning']}, {schedule}"
        if noise["noise"]["calibrated_on"] == "record":
            title += ", calibrated as nst does"
        table = Table("finder", *heads, title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name, points in curves.items():
            table.add_row(name, *(percent(point["f1"]) for point in points))
        console.print(table)
