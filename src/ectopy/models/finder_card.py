"""The beat finder's model card, written from its bundle's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.printing import number, percent

if TYPE_CHECKING:
    from ectopy.models.bundle import Bundle


def finder_card(bundle: Bundle) -> str:
    """Text of the model card in Markdown."""
    config, contract, training = bundle.config, bundle.finder_contract, bundle.config["training"]
    chosen = (
        f"epoch {training['epoch']}, chosen by {training['selected_by']} on records "
        f"{', '.join(training['held_out'])} ({training['selected_value']:.4f})"
        if training["held_out"]
        else f"the last of {training['epoch']} epochs, since no patient was held out"
    )
    parts = [
        f"# {bundle.full_name}\n",
        f"Finds the heartbeats of one ECG lead: {config['parameters']:,} parameters, weights as "
        "safetensors and ONNX.\n",
        "Research software, not a medical device.\n",
        "## Input\n",
        f"One lead at any sampling frequency from 80 Hz on, resampled to {contract.frame_hz:g} Hz: "
        f"{contract.filter}. Level: {contract.level}. Gaps: {contract.gaps}. Fiducial point: "
        f"{contract.fiducial}.\n",
        "## Output\n",
        f"For every {contract.stride} frames: {contract.output}. Beats are peaks of at least "
        f"{contract.threshold:g}, no two within {contract.refractory_s:g} s.\n",
        "## Limits\n",
        "Ventricular flutter has no beats to find: what is reported there means little. Noise "
        "without any beat gives some, and a spike of one sample can pass for one. It was "
        "trained on subjects recorded between 1975 and 1979 with Holter recorders of that time, "
        "and on leads like MLII, V1, V2 and V5.\n",
        "## Training\n",
        f"{training['beats']:,} beats of {len(training['records'])} records ({training['part']}; "
        f"{training['database']}); recipe `{training['recipe']['name']}`, seed {training['seed']}; "
        f"{chosen}.\n",
        "## Results\n",
        _results(bundle),
    ]
    return "\n".join(parts)


def _results(bundle: Bundle) -> str:
    results = bundle.results("detected")
    if results is None:
        return "Not measured yet: `ectopy evaluate FOLDER --record` with this folder.\n"
    n = len(next(iter(results["finders"].values()))["records"])
    return (
        f"Protocol `detected`: {n} records of patients that were not trained on, beat by beat as "
        f"ANSI/AAMI EC57, the first five minutes left out, lead 0.\n\n{finders_table(results)}\n"
    )


def finders_table(results: dict[str, Any]) -> str:
    """Every finder's scores as a Markdown table."""
    first = next(iter(results["finders"].values()))
    missed = " | ".join(f"{name} missed of {row['of']:,}" for name, row in first["missed"].items())
    lines = [
        f"| finder | Se % | +P % | made up | {missed} | timing SD, p95 ms |",
        "|---" * (5 + len(first["missed"])) + "|",
    ]
    for name, one in results["finders"].items():
        gross, timing = one["gross"], one["timing_ms"]
        counts = " | ".join(str(row["missed"]) for row in one["missed"].values())
        lines.append(
            f"| {name} | {percent(gross['se'])} | {percent(gross['ppv'])} | {one['made_up']} | "
            f"{counts} | {number(timing['sd'], 1)}, {number(timing['p95_abs'], 1)} |"
        )
    return "\n".join(lines)


def noise_table(results: dict[str, Any]) -> str:
    """Every finder's F1 in noise as a Markdown table."""
    levels = [point["snr_db"] for point in _any(_any(results["noise"]["curves"]))]
    heads = " | ".join("clean" if level is None else f"{level:g} dB" for level in levels)
    lines = [f"| noise | finder | {heads} |", "|---" * (2 + len(levels)) + "|"]
    for key, calibrated in (("noise", ""), ("noise_as_nst", ", calibrated as `nst`")):
        for schedule, by_finder in results[key]["curves"].items():
            for name, points in by_finder.items():
                row = " | ".join(percent(point["f1"]) for point in points)
                lines.append(f"| {schedule}{calibrated} | {name} | {row} |")
    return "\n".join(lines)


def _any(table: dict[str, Any]) -> Any:
    return next(iter(table.values()))
