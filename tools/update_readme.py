"""Write the numbers of README.md from the results that are kept with the shipped bundles.

Run it after `ectopy evaluate --record`; `--check` says whether the README is up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ectopy.beats import CLASSES
from ectopy.data.protocols import DETECTED, PROTOCOLS
from ectopy.defaults import DEFAULT_MODEL, DEFAULT_PROTOCOL
from ectopy.evaluation.compare_files import RESULTS_FILE
from ectopy.evaluation.compare_summary import summary
from ectopy.models.bundle import FINDER, Bundle, find_bundle, shipped_bundles
from ectopy.models.detected_card import detected_table, detected_title
from ectopy.models.finder_card import finders_table, noise_table
from ectopy.models.likeness import LIKENESS_FEATURES
from ectopy.printing import number, percent, percent_with_spread
from ectopy.signal.rhythm import RHYTHM_FEATURES

ROOT = Path(__file__).resolve().parents[1]
SPEED = ROOT / "benchmarks" / "results" / "finder_speed.json"
LENGTHS = SPEED.with_name("chain_long.json")
RATES = SPEED.with_name("rates.json")
STREAMING = [SPEED.with_name(f"streaming_{records}.json") for records in ("ds1", "ds2")]
COMPARED = ROOT / "results"
DETECTED_SEEDS = COMPARED / "inter" / "detected.json"
RESULTS, FINDERS, COMPARISON = "results", "finders", "comparison"


def comparison_block() -> str:
    """Models over seeds under each protocol, in Markdown."""
    files = [COMPARED / protocol / "comparison" / RESULTS_FILE for protocol in PROTOCOLS]
    known = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    return "\n".join(summary(results) for results in known) or "Not measured yet.\n"


def results_block() -> str:
    """Scores of every shipped bundle, in Markdown."""
    bundles = [b for b in (find_bundle(name) for name in shipped_bundles()) if not b.finds]
    chosen = [b for b in bundles if b.full_name == f"{DEFAULT_MODEL}/{DEFAULT_PROTOCOL}"]
    parts = [
        _scores([b for b in bundles if b.results()]),
        [line for bundle in bundles for line in _detected(bundle)],
        detected_seeds(),
        [line for bundle in chosen for line in _raw_signal(bundle)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _scores(bundles: list[Bundle]) -> list[str]:
    """Table of bundles, each under its own protocol."""
    lines = [
        "| weights | seed | accuracy | macro F1 | macro F1, N S V F | "
        + " | ".join(f"F1 {c}" for c in CLASSES)
        + " |",
        "|---" * (5 + len(CLASSES)) + "|",
    ]
    for bundle in bundles:
        results = bundle.results()
        if results is None:
            continue
        f1 = [results["per_class"][c]["f1"] for c in CLASSES]
        scores = [results["accuracy"], results["macro_f1"], results["macro_f1_nsvf"], *f1]
        shown = " | ".join(f"{score:.4f}" for score in scores)
        seed = bundle.config["training"]["seed"]
        lines.append(f"| `{bundle.full_name}` | {seed} | {shown} |")
    return lines


def _detected(bundle: Bundle) -> list[str]:
    """One sentence on the whole chain, from raw signal to class."""
    results = bundle.results(beats="detected")
    if results is None:
        return []
    whole = results["all_records"]
    missed = ", ".join(
        f"{c} {whole['missed'][c]:,} of {whole['reference_beats'][c]:,}" for c in CLASSES
    )
    additional = ", ".join(f"{c} {n:,}" for c, n in whole["additional"].items())
    return [
        f"- `{bundle.full_name}` with beats found in the raw signal: accuracy "
        f"{results['accuracy']:.4f} on the {results['n']:,} test beats that were found "
        f"({results['accuracy_with_missed']:.4f} with missed beats counted as wrong). Over all "
        f"{len(results['records'])} records, training beats among them: accuracy "
        f"{whole['accuracy']:.4f}; missed: {missed}; found where there is no beat: {additional} "
        f"(+P {whole['positive_predictivity']:.4f}; ventricular flutter, which record 207 holds, "
        "is not annotated beat by beat and counts here). "
        f"{results['finder']['note'][0].upper()}{results['finder']['note'][1:]}."
    ]


def _raw_signal(bundle: Bundle) -> list[str]:
    """Ectopic beats from the raw signal of the test patients, where that was measured."""
    results = bundle.results(DETECTED)
    if results is None:
        return []
    leak = f" It leaks: {results['leak']}." if results["leak"] else ""
    title = f"`{bundle.full_name}`, {results['params']:,} parameters. {detected_title(results)}."
    return [title + leak, "", detected_table(results)]


def detected_seeds() -> list[str]:
    """Ectopic beats from the raw signal over seeds, where that was measured."""
    if not DETECTED_SEEDS.is_file():
        return []
    kept = json.loads(DETECTED_SEEDS.read_text(encoding="utf-8"))
    lines = [
        "From the raw signal (protocol `detected`, EC57, gross), mean ± standard deviation over "
        "seeds, Se / +P in %:",
        "",
        "| model | seeds | VEB | SVEB | SVEB without 232 |",
        "|---|---|---|---|---|",
    ]
    for name, one in kept["models"].items():
        parts = (
            one["gross"]["veb"], one["gross"]["sveb"], one["without_232"]["sveb"],
        )  # fmt: skip
        shown = " | ".join(
            " / ".join(percent_with_spread(part[rate], 1) for rate in ("se", "ppv"))
            for part in parts
        )
        lines.append(f"| `{name}` | {len(one['runs'])} | {shown} |")
    return lines


def finders_block() -> str:
    """Tables of the beat finder and its peers, in Markdown."""
    bundle = find_bundle(FINDER)
    results = bundle.results(DETECTED)
    if results is None:
        return "Not measured yet.\n"
    first = next(iter(results["finders"].values()))
    forms = next(iter(results["forms"].values()))["forms"].values()
    worst = min(forms, key=lambda form: form["share"])
    versions = "peers are " + ", ".join(results["peer_versions"].values())
    louder = results["noise_as_nst"]["noise"]["louder_than_calibrated_db"][0]
    records = f"{len(first['records'])} records; {bundle.n_parameters:,} parameters; {versions}."
    in_noise = (
        f"F1 % in {results['noise']['noise']['meaning']} from the sixth minute on, all the time or "
        "every other two minutes. The noise is a stretch that was not trained on, calibrated by "
        "`nst`'s definitions on that stretch, so that a level is what it says. `nst` itself takes "
        f"the first 300 s of the whole noise record; in this lead that makes it {louder:.1f} dB "
        "louder than its label:"
    )
    again = (
        "The same recordings at 125, 250, 500 and 1000 Hz, upside down, at a fifth and at five "
        f"times the gain: at least {100 * worst['share']:.3f} % of beats are found again within "
        f"20 ms (least: {worst['meaning']})."
    )
    parts = (records, finders_table(results), in_noise, noise_table(results), again, _speed())
    return "\n\n".join(parts) + "\n"


def _speed() -> str:
    """One sentence on time, from the benchmark's own results."""
    timed = json.loads(SPEED.read_text(encoding="utf-8"))
    shown = "; ".join(
        f"{row['finder']}: {row['median_s']:.2f} s (best {row['least_s']:.2f})"
        for row in timed["rows"]
        if row["hours"] == timed["hours"]
    )
    return (
        f"{timed['hours']:g} h of one lead at {timed['fs']:g} Hz in memory, median of "
        f"{timed['rounds']} runs in turn on {timed['machine']['cores']} cores: {shown} "
        "(`benchmarks/finders.py`; one simulated half hour over and over)."
    )


def features_block(features: dict[str, str]) -> str:
    """Table of named features."""
    lines = ["| name | what |", "|---|---|"]
    return (
        "\n".join([*lines, *(f"| `{name}` | {text} |" for name, text in features.items())]) + "\n"
    )


def streaming_block() -> str:
    """Table of what a stream's classes cost, and a sentence on time, from the benchmark."""
    heads = " | ".join(f"F1 {c}, whole | stream" for c in "NSVF")
    lines = [f"| records | model | same class | {heads} |", "|---" * 11 + "|"]
    timed = {}
    for file in STREAMING:
        results = json.loads(file.read_text(encoding="utf-8"))
        timed[results["records"]] = results
        records = f"{results['records']} ({results['note']})"
        for model, agreement in results["agreement"].items():
            both = (results["scores"][f"{model}, {how}"] for how in ("whole recording", "stream"))
            whole, stream = (one["f1"] for one in both)
            shown = " | ".join(f"{number(whole[c])} | {number(stream[c])}" for c in "NSVF")
            lines.append(f"| {records} | `{model}` | {percent(agreement)} % | {shown} |")
    one = timed["DS1"]
    latency, work = one["latency_s"], one["classify_cpu_ms_per_beat"]
    time = (
        f"From a beat to the portion of {one['portion_s']:g} s that brought it out it took "
        f"{latency['median']:.1f} s in the median, at most {latency['max']:.1f} s (DS1; the first "
        "16 beats of a record wait for each other). To cut, describe and class a beat took "
        f"{work['median']:.1f} ms of one core in the median, {work['p99']:.1f} ms in the 99th "
        "percentile (`benchmarks/streaming.py`)."
    )
    return "\n".join([*lines, "", time]) + "\n"


def lengths_block() -> str:
    """Table of time and memory by length, from the benchmark."""
    results = json.loads(LENGTHS.read_text(encoding="utf-8"))
    rows = [row for row in results["rows"] if row["chain"] == "ectopy, all files"]
    lines = ["| length | leads | Hz | time | CPU | peak memory | report |", "|---" * 7 + "|"]
    lines += [
        f"| {duration(one['hours'])} | {one['leads']} | {one['fs_hz']:g} | "
        f"{seconds(one['wall_s'])} | {seconds(one['cpu_s'])} | "
        f"{one['peak_mb']:.0f} MB | {one['report_mb']:.1f} MB |"
        for one in rows
    ]
    machine = f"{results['machine']['processor']}, {results['machine']['cores']} cores"
    note = (
        f"Median of {rows[0]['rounds']} runs, {machine}; more in "
        "[benchmarks](benchmarks/README.md)."
    )
    return "\n".join([*lines, "", note]) + "\n"


def seconds(value: float) -> str:
    """Time in seconds as text."""
    return f"{value:.{0 if value >= 10 else 1}f} s"


def duration(hours: float) -> str:
    """Length of a recording as text."""
    if hours < 1:
        return f"{60 * hours:g} min"
    return f"{hours:g} h" if hours < 48 else f"{hours / 24:g} days"


def rates_block() -> str:
    """Table of labels at other sampling frequencies, from the benchmark."""
    results = json.loads(RATES.read_text(encoding="utf-8"))
    lines = ["| Hz | beats of DS1 with the label of 360 Hz, % | least of a record, % |"]
    lines.append("|---" * 3 + "|")
    for one in results["rates"]:
        least = f"{percent(one['least'], 2)} ({one['least_record']})"
        lines.append(f"| {one['fs_hz']} | {percent(one['same'], 2)} | {least} |")
    note = f"`{results['model']}`, beats found and classed anew (`benchmarks/rates.py`)."
    return "\n".join([*lines, "", note]) + "\n"


def updated(text: str, blocks: dict[str, str]) -> str:
    """Give a page's text with its blocks renewed."""
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}\n{block}{end}{after}"
    return text


def main() -> None:
    """Renew the pages, or with --check fail where one is stale."""
    pages = {
        "README.md": {
            COMPARISON: comparison_block(),
            RESULTS: results_block(),
            FINDERS: finders_block(),
            "lengths": lengths_block(),
            "rates": rates_block(),
        },
        "docs/rhythm-features.md": {
            "rhythm": features_block(RHYTHM_FEATURES),
            "likeness": features_block(LIKENESS_FEATURES),
            "streaming": streaming_block(),
        },
    }
    for name, blocks in pages.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        fresh = updated(text, blocks)
        if "--check" in sys.argv[1:] and fresh != text:
            sys.exit(f"{name} is stale: run python tools/update_readme.py")
        if fresh != text:
            path.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
