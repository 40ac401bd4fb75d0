"""Settings of one benchmark, of the short run or the long one, and the command line they share."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from keeping import RESULTS

from ectopy.evaluation.published import published_results
from ectopy.models.bundle import find_bundle

CONFIG = Path(__file__).with_name("config.toml")


def settings_of(name: str, *, long: bool = False) -> dict[str, Any]:
    """Read one table of the configuration; a long run changes what its own table names."""
    table = tomllib.loads(CONFIG.read_text(encoding="utf-8"))[name]
    changes = table.pop("long", {})
    table.pop("short", None)
    return {**table, **changes} if long else table


def published_f1() -> float:
    """Macro F1 of the published CNN+MLP on the published test beats."""
    ours = find_bundle("cnn-mlp", "intra").results() or {}
    counts = {name: one["n"] for name, one in ours.get("per_class", {}).items()}
    return next(
        float(one["macro_f1"])
        for one in published_results("intra", counts)
        if one["model"] == "cnn-mlp"
    )


def command_line(description: str | None) -> argparse.ArgumentParser:
    """Make the parser that the benchmarks share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="as `make bench` does it (the default)")
    size.add_argument("--long", action="store_true", help="as `make bench-long` does it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    return parser
