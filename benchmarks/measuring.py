"""Measure contestants in turn, so that a busy moment of the machine strikes all of them alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LEAST_ROUNDS = 7


def interleaved(
    contestants: Mapping[Any, Callable[[], Any]], rounds: int, *, repeats: int = 1
) -> dict[Any, list[float]]:
    """Seconds that each contestant takes, once a round and in turn.

    Parameters
    ----------
    contestants : mapping to callable
        What is measured, by name or what else tells it. Each is called once beforehand, unmeasured.
    rounds : int
        Rounds; medians are worth telling from `LEAST_ROUNDS` on.
    repeats : int
        Calls a round, of which the median counts: for what is over in microseconds.

    Returns
    -------
    dict to list of float, of length `rounds`
    """
    for run in contestants.values():
        run()
    seconds: dict[Any, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            taken = []
            for _ in range(repeats):
                start = time.perf_counter()
                run()
                taken.append(time.perf_counter() - start)
            seconds[name].append(statistics.median(taken))
    return seconds


def ratios(seconds: Mapping[Any, Sequence[float]], to: Any) -> dict[Any, float]:
    """Times of each contestant to those of another: the median of the rounds' own ratios."""
    return {
        name: statistics.median(a / b for a, b in zip(own, seconds[to], strict=True))
        for name, own in seconds.items()
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


@dataclass(frozen=True)
class Usage:
    """What a whole process took.

    Attributes
    ----------
    wall_s, cpu_s : float
        From its start to its end, and on all cores together, in seconds.
    peak_mb : float
        Most memory that it had, in MB of 2**20 bytes.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


def run_process(command: Sequence[str]) -> Usage:
    """Run a command from start to end; the benchmark ends with it where it fails."""
    return _launched(command, wants_answer=False)[0]


def run_until_answer(command: Sequence[str]) -> tuple[Usage, str]:
    """Run a command, timed until it prints its first line, which is given back as well."""
    return _launched(command, wants_answer=True)


def _launched(command: Sequence[str], *, wants_answer: bool) -> tuple[Usage, str]:
    launch = [sys.executable, "-S", str(Path(__file__).with_name("launch.py"))]
    done = subprocess.run(
        [*launch, "1" if wants_answer else "0", *command], stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout)
    if found["status"]:
        sys.exit(f"{' '.join(command)} ended with {found['status']}")
    return Usage(**found["took"]), found["answer"]
