"""Time the beat finder and sleepecg on a long lead in memory; ratios from one run.

python benchmarks/finder_speed.py --hours 24 --json benchmarks/results/finder_speed.json
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy import BeatFinder
from ectopy._version import code_version
from ectopy.evaluation.peers import get_peer
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

SIMULATED_S = 1800.0
SLICE_S = 1800.0  # sleepecg takes longer than linear time in one call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--fs", type=float, default=360.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    recording, _ = simulate(SIMULATED_S, fs=options.fs, seed=11)
    n_samples = round(options.hours * 3600 * options.fs)
    lead = np.resize(np.ascontiguousarray(recording.signal_mv[:, 0]), n_samples)
    finders = {threads: BeatFinder(threads=threads) for threads in (1, 2)}
    sleepecg = get_peer("sleepecg")
    step = round(SLICE_S * options.fs)

    def with_sleepecg() -> int:
        return sum(len(sleepecg(lead[i : i + step], options.fs)) for i in range(0, n_samples, step))

    contestants: dict[str, Callable[[], int]] = {
        "beat-finder, 2 threads": lambda: len(finders[2].find(lead, options.fs)),
        "beat-finder, 1 thread": lambda: len(finders[1].find(lead, options.fs)),
        "sleepecg, slices of 30 min": with_sleepecg,
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    beats = {}
    for _ in range(options.rounds):  # in turn, so that a busy moment strikes all alike
        for name, run in contestants.items():
            start = time.perf_counter()
            beats[name] = run()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    first = medians["beat-finder, 2 threads"]
    result = {
        "hours": options.hours,
        "fs": options.fs,
        "rounds": options.rounds,
        "median_s": medians,
        "fastest_s": {name: min(values) for name, values in seconds.items()},
        "ratio_to_first": {name: value / first for name, value in medians.items()},
        "beats": beats,
        "machine": f"{platform.machine()}, {platform.processor() or platform.platform()}",
        "code_version": code_version(),
    }
    for name, value in medians.items():
        print(f"{name:28} {value:7.2f} s  ({value / first:.2f} times)  {beats[name]:,} beats")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
