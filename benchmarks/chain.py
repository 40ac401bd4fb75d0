"""The whole chain, from a recording on disk to its files on disk, against one of public parts.

python benchmarks/chain.py           # up to a day: results/chain.json
python benchmarks/chain.py --long    # up to 14 days: results/chain_long.json

Every run is a process of its own, timed from its start to its end: Python, imports, reading,
finding, classing and writing. Contestants take turns. Recordings are simulated once and kept in
out/bench; --record 24=out/long/day takes one that is there already.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from growth import growth
from keeping import keep
from measuring import Usage, run_process
from recordings import FOLDER, given_records, read_through, recording
from settings import command_line, settings_of

from ectopy import open_recording
from ectopy.defaults import DEFAULT_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).resolve().parent
LABELS, ALL_FILES = "ectopy, annotations", "ectopy, all files"
PEER = "NeuroKit2 + PyTorch"
PEER_PACKAGES = ("neurokit2", "torch", "wfdb")
ANALYZE = (sys.executable, "-m", "ectopy", "analyze")

CHAINS: dict[str, Callable[[Path, str], list[str]]] = {
    LABELS: lambda record, out: [*ANALYZE, str(record), "--out", out, "--files", "annotations"],
    ALL_FILES: lambda record, out: [*ANALYZE, str(record), "--out", out],
    PEER: lambda record, out: [sys.executable, str(HERE / "peer_chain.py"), str(record), out],
}
"""What is run, by name: a command for a record and a folder."""


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=int, help="runs of each contestant")
    parser.add_argument("--record", action="append", default=[], metavar="HOURS=PATH")
    parser.add_argument("--recordings", type=Path, default=FOLDER, help="where they are kept")
    options = parser.parse_args()
    config = settings_of("chain", long=options.long)
    how = {
        "seed": config["seed"],
        "dropouts_per_hour": config["dropouts_per_hour"],
        "folder": options.recordings,
        "there": given_records(options.record),
    }
    wanted = [(chain, hours) for hours in config["hours"] for chain in (LABELS, ALL_FILES)]
    lacking = [package for package in PEER_PACKAGES if find_spec(package) is None]
    if lacking:
        print(f"without the chain of public parts: {lacking[0]} is not installed")
    else:
        wanted += [(PEER, hours) for hours in config["peer_hours"]]
    records = {hours: recording(hours, **how) for hours in {hours for _, hours in wanted}}
    runs = measure(wanted, records, options.rounds or config["rounds"])
    rows = [row(*what, records[what[1]], found) for what, found in runs.items()]
    keep(
        "chain_long" if options.long else "chain",
        rows,
        folder=options.out,
        files={ALL_FILES: list(DEFAULT_FILES), LABELS: ["annotations"]},
        growth={chain: grown(rows, chain) for chain in (LABELS, ALL_FILES)},
        ratios=compare(rows, runs),
        seconds={
            f"{chain}, {hours:g} h": [round(usage.wall_s, 3) for usage, _ in found]
            for (chain, hours), found in runs.items()
        },
    )


Runs = dict[tuple[str, float], list[tuple[Usage, dict[str, int]]]]
"""By chain and hours, each round's process and the bytes of the files it left, by their suffix."""


def measure(wanted: list[tuple[str, float]], records: Mapping[float, Path], rounds: int) -> Runs:
    """Run everything once a round and in turn; the first of each chain also once unmeasured."""
    for record in records.values():
        read_through(record)
    for chain in dict.fromkeys(chain for chain, _ in wanted):
        run(chain, records[min(hours for name, hours in wanted if name == chain)])
    runs: Runs = {what: [] for what in wanted}
    for number in range(rounds):
        for (chain, hours), found in runs.items():
            found.append(run(chain, records[hours]))
            usage = found[-1][0]
            print(
                f"round {number + 1} of {rounds}: {chain}, {hours:g} h: {usage.wall_s:.2f} s, "
                f"{usage.peak_mb:.0f} MB",
                flush=True,
            )
    return runs


def run(chain: str, record: Path) -> tuple[Usage, dict[str, int]]:
    with tempfile.TemporaryDirectory() as out:
        usage = run_process(CHAINS[chain](record, out))
        left = {file.suffix: file.stat().st_size for file in Path(out).iterdir()}
    if not left:
        sys.exit(f"{chain} left no file for {record.name}")
    return usage, left


def row(
    chain: str, hours: float, record: Path, found: list[tuple[Usage, dict[str, int]]]
) -> dict[str, Any]:
    """Medians of all rounds, and the least and most of the time."""
    walls = [usage.wall_s for usage, _ in found]
    source = open_recording(record)
    left = found[-1][1]
    return {
        "chain": chain,
        "hours": hours,
        "leads": len(source.leads),
        "fs_hz": source.fs,
        "rounds": len(found),
        "wall_s": round(statistics.median(walls), 3),
        "wall_least_s": round(min(walls), 3),
        "wall_most_s": round(max(walls), 3),
        "cpu_s": round(statistics.median(usage.cpu_s for usage, _ in found), 3),
        "peak_mb": round(statistics.median(usage.peak_mb for usage, _ in found), 1),
        "output_mb": round(sum(left.values()) / 1e6, 3),
        "report_mb": round(left.get(".html", 0) / 1e6, 3),
    }


def grown(rows: list[dict[str, Any]], chain: str) -> dict[str, Any]:
    """Growth of wall time and of peak memory with length."""
    own = [one for one in rows if one["chain"] == chain]
    hours = [one["hours"] for one in own]
    return {key: growth(hours, [one[key] for one in own]) for key in ("wall_s", "peak_mb")}


def compare(rows: list[dict[str, Any]], runs: Runs) -> list[dict[str, Any]]:
    """How much more each takes than another: medians of the rounds' own ratios.

    Of each chain the longest recording against the one before it, and the chain of public parts
    against ours on the same recording.
    """
    found = []
    for chain in (LABELS, ALL_FILES):
        hours = sorted(one["hours"] for one in rows if one["chain"] == chain)
        found.append(((chain, hours[-1]), (chain, hours[-2])))
        found += [
            ((PEER, h), (chain, h)) for name, h in runs if name == PEER and (chain, h) in runs
        ]
    return [
        {
            "of": f"{one[0]}, {one[1]:g} h",
            "to": f"{other[0]}, {other[1]:g} h",
            "time": ratio(runs, one, other, "wall_s"),
            "memory": ratio(runs, one, other, "peak_mb"),
        }
        for one, other in found
    ]


def ratio(runs: Runs, one: tuple[str, float], other: tuple[str, float], key: str) -> float:
    pairs = zip(runs[one], runs[other], strict=True)
    return round(
        statistics.median(getattr(a, key) / getattr(b, key) for (a, _), (b, _) in pairs), 3
    )


if __name__ == "__main__":
    main()
