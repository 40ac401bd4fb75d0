"""The tables of the benchmarks' page, from the results of one kind each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from page_text import duration, plain_table, significant, table

if TYPE_CHECKING:
    from collections.abc import Callable

Results = dict[str, Any]
"""What one results file holds."""


def network(results: Results) -> str:
    """Beats a second, ratios, single beats."""
    rows = results["rows"]
    parts = [
        "The networks alone, beats a second by batch size:",
        networks_alone([row for row in rows if row["way"] == "network"]),
        "From what is in memory to classes, in batches of 128:",
        table(
            [row for row in rows if row["way"] != "network"],
            {
                "model": lambda row: model_text(row["model"]),
                "what": lambda row: f"{row['way']}, {row['engine']}",
                "threads": lambda row: str(row["threads"]),
                "ms a beat": lambda row: significant(row["ms_per_beat"]),
                "least to most": lambda row: (
                    f"{significant(row['least_ms_per_beat'])} to "
                    f"{significant(row['most_ms_per_beat'])}"
                ),
                "beats/s": lambda row: significant(row["beats_per_s"]),
            },
        ),
        "Ratios, medians of the rounds' own:",
        table(
            results["ratios"],
            {
                "what": lambda row: row["what"],
                "threads": lambda row: str(row["threads"]),
                "times": lambda row: significant(row["value"]),
            },
        ),
        "One beat a call, one thread:",
        table(
            results["single_beats"],
            {
                "model": lambda row: f"`{row['model']}`",
                "what": lambda row: row["way"],
                "calls": lambda row: f"{row['calls']:,}",
                "median, ms": lambda row: significant(row["p50_ms"]),
                "99th percentile, ms": lambda row: significant(row["p99_ms"]),
                "ratio": lambda row: significant(row["p99_to_p50"]),
            },
        ),
    ]
    return "\n\n".join(parts)


def networks_alone(rows: list[Results]) -> str:
    """One row a network and number of threads, one column a batch size."""
    rates: dict[tuple[str, str, int], dict[int, float]] = {}
    for row in rows:
        key = (row["model"], row["engine"], row["threads"])
        rates.setdefault(key, {})[row["batch"]] = row["beats_per_s"]
    columns: dict[str, Callable[[Any], str]] = {
        "model": lambda one: f"{model_text(one[0][0])}, {one[0][1]}",
        "threads": lambda one: str(one[0][2]),
    }
    for batch in sorted({row["batch"] for row in rows}):
        columns[f"batch {batch}"] = lambda one, batch=batch: significant(one[1].get(batch))
    return table(rates.items(), columns)


def model_text(name: str) -> str:
    """A bundle's name as code, others as they are."""
    return f"`{name}`" if "/" in name else name


def heads(results: Results) -> str:
    """Heads alone, and which peers there are none of."""
    shown = table(
        results["rows"],
        {
            "head": lambda row: row["head"],
            "threads": lambda row: str(row["threads"]),
            "batch": lambda row: str(row["batch"]),
            "ms": lambda row: significant(row["ms"]),
            "times our KAN head in ONNX Runtime": lambda row: significant(row["to_ours"]),
            "times the MLP head in ONNX Runtime": lambda row: significant(row["to_mlp"]),
        },
    )
    missing = [f"- Left out, {name}: {why}." for name, why in results["missing_peers"].items()]
    return "\n\n".join([shown, "\n".join(missing)] if missing else [shown])


def roofline(results: Results) -> str:
    """What is reached of what is possible, and what is possible."""
    shown = table(
        results["rows"],
        {
            "model": lambda row: f"`{row['model']}`",
            "threads": lambda row: str(row["threads"]),
            "operations a byte": lambda row: significant(row["intensity"]),
            "GFLOP/s reached": lambda row: significant(row["reached_flops"] / 1e9),
            "bound": lambda row: significant(row["bound_flops"] / 1e9),
            "bound by": lambda row: row["bound_by"],
            "share, %": lambda row: significant(100 * row["share_of_bound"]),
        },
    )
    counting = table(
        [one for one in results["probes"] if one["counts"]],
        {
            "probe that counts": lambda row: row["probe"],
            "threads": lambda row: str(row["threads"]),
            "reached": lambda row: f"{significant(row['per_s'] / 1e9)} G{row['of']}",
        },
    )
    return f"{shown}\n\n{counting}"


def chain(results: Results) -> str:
    """Time and memory by length, growth, ratios."""
    columns = {
        "chain": lambda row: row["chain"],
        "length": lambda row: duration(row["hours"]),
        "s": lambda row: significant(row["wall_s"]),
        "least to most": lambda row: (
            f"{significant(row['wall_least_s'])} to {significant(row['wall_most_s'])}"
        ),
        "CPU, s": lambda row: significant(row["cpu_s"]),
        "peak memory, MB": lambda row: significant(row["peak_mb"]),
        "written, MB": lambda row: significant(row["output_mb"]),
        "rounds": lambda row: str(row["rounds"]),
    }
    ratios = {
        "what": lambda row: f"{row['of']} to {row['to']}",
        "times the time": lambda row: significant(row["time"]),
        "times the memory": lambda row: significant(row["memory"]),
    }
    grown = [
        f"- {name}: time is {significant(fit['wall_s']['fixed'])} s and "
        f"{significant(fit['wall_s']['per_hour'])} s an hour of recording (the line is off by at "
        f"most {significant(100 * fit['wall_s']['worst'], 2)} %). Log-log slope between the two "
        f"longest: time {significant(fit['wall_s']['last_slope'])}, memory "
        f"{significant(fit['peak_mb']['last_slope'], 2)}."
        for name, fit in results["growth"].items()
    ]
    parts = [table(results["rows"], columns), table(results["ratios"], ratios), "\n".join(grown)]
    return "\n\n".join(parts)


def finders(results: Results) -> str:
    """Seconds and hours a second."""
    return table(
        results["rows"],
        {
            "finder": lambda row: row["finder"],
            "signal": lambda row: duration(row["hours"]),
            "s": lambda row: significant(row["median_s"]),
            "ms an hour of signal": lambda row: significant(1e3 * row["s_per_hour"]),
            "beats found": lambda row: f"{row['beats']:,}",
            "rounds": lambda row: str(row["rounds"]),
        },
    )


def stream_latency(results: Results) -> str:
    """Percentiles of both times."""

    def percentiles(row: Results, key: str) -> str:
        return " / ".join(significant(row[f"{key}_{name}"]) for name in ("p50", "p99", "p99_9"))

    return table(
        results["rows"],
        {
            "model": lambda row: f"`{row['model']}`",
            "beats": lambda row: f"{row['beats']:,}",
            "signal time, s: p50 / p99 / p99.9": lambda row: percentiles(row, "signal_s"),
            "most": lambda row: significant(row["signal_s_most"]),
            "processing time, ms: p50 / p99 / p99.9": lambda row: percentiles(row, "processing_ms"),
            "first 16 beats, s": lambda row: significant(row["first_beats_s_most"]),
            "CPU, ms a second of signal": lambda row: significant(row["cpu_ms_per_s"]),
            "rounds, all counted": lambda row: str(row["rounds"]),
        },
    )


def startup(results: Results) -> str:
    """Seconds, least and most, memory."""
    return table(
        results["rows"],
        {
            "what": lambda row: row["what"],
            "s": lambda row: significant(row["median_s"]),
            "least to most": lambda row: (
                f"{significant(row['least_s'])} to {significant(row['most_s'])}"
            ),
            "CPU, s": lambda row: significant(row["cpu_s"]),
            "peak memory, MB": lambda row: significant(row["peak_mb"]),
            "rounds": lambda row: str(row["rounds"]),
        },
    )


def accuracy(results: Results) -> str:
    """Scores of the engine and of PyTorch, side by side."""
    return table(
        results["rows"],
        {
            "model": lambda row: model_text(row["model"]),
            "test beats": lambda row: f"{row['beats']:,}",
            "macro F1": lambda row: f"{row['macro_f1']:.6f}",
            "in PyTorch": lambda row: f"{row['macro_f1_torch']:.6f}",
            "classes that differ": lambda row: str(row["classes_that_differ"]),
            "probabilities differ by at most": lambda row: f"{row['largest_difference']:.1e}",
        },
    )


def any_rows(results: Results) -> str:
    """All rows as they are, and ratios where there are any."""
    ratios = results.get("ratios", {})
    rows = [{"ratio": what, "times": times} for what, times in ratios.items()]
    tables = [plain_table(one) for one in (results["rows"], rows) if one]
    return "\n\n".join([*tables, *(f"On: {results[key]}." for key in ("data",) if key in results)])
