"""Time and memory of `ectopy analyze` by the length of a recording.

ectopy simulate out/long/day --hours 24
ectopy simulate out/long/days --hours 336
python benchmarks/lengths.py out/long/day out/long/days --json benchmarks/results/lengths.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ectopy import open_recording
from ectopy._version import code_version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {record: [] for record in options.records}
    for _ in range(options.rounds):  # in turn, so that a busy moment strikes all alike
        for record in options.records:
            runs[record].append(measure(record))
            print(record, runs[record][-1], flush=True)
    results = []
    for record, found in runs.items():
        source = open_recording(record)
        results.append(
            {
                "hours": round(source.duration_s / 3600, 3),
                "fs_hz": source.fs,
                "leads": len(source.leads),
                **{key: statistics.median(run[key] for run in found) for key in found[0]},
            }
        )
    first = results[0]
    for one in results:
        one["memory_ratio"] = one["peak_mb"] / first["peak_mb"]
        one["time_ratio"] = one["wall_s"] / first["wall_s"]
        print(
            f"{one['hours']:8.1f} h: {one['wall_s']:7.1f} s ({one['time_ratio']:.2f} times), "
            f"{one['cpu_s']:7.1f} s of CPU, peak {one['peak_mb']:.0f} MB "
            f"({one['memory_ratio']:.3f} times)"
        )
    if options.json:
        content = {
            "code_version": code_version(),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "rounds": options.rounds,
            "lengths": results,
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(content, indent=2) + "\n")


def measure(record: str) -> dict[str, float]:
    """Wall and CPU time in seconds, and peak memory in MB, of one analysis with all its files."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "ectopy", "analyze", record, "--out", out]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        if status:
            sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
        report_mb = sum(file.stat().st_size for file in Path(out).glob("*.html")) / 1e6
    return {
        "wall_s": round(wall_s, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "report_mb": round(report_mb, 2),
    }


if __name__ == "__main__":
    main()
