"""How long a beat's label takes in a stream, and what the stream costs.

python benchmarks/stream_latency.py    # results/stream_latency.json

A simulated lead is pushed in portions of 0.1 s, on one thread. Two times are told of each beat:

- signal time: seconds from the beat's sample to the sample whose arrival brought its label. It is
  the same on any machine;
- processing time: how long the push took that brought the label. It comes on top.

The first 16 beats of a rhythm model wait for each other, and are told apart; beats that only the
end of the stream brings out wait for nothing, and are left out. What streams do to the classes is
measured on the database: benchmarks/streaming.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keeping import keep
from settings import command_line, settings_of

from ectopy import BeatFinder
from ectopy.inference.engine import Classifier
from ectopy.inference.stream import Stream
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FIRST = 16
"""Beats that a rhythm model gives together."""

SHARES = (*range(100), *(99 + tenth / 10 for tenth in range(1, 10)), 100)
"""Percentiles that are kept, to draw a distribution from."""

Times = dict[str, "NDArray[np.float64]"]
"""Measured times by what they are; a row takes most of its keys from here."""


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--minutes", type=float, help="length of the lead")
    parser.add_argument("--rounds", type=int, help="streams of each model")
    options = parser.parse_args()
    settings = settings_of("stream", long=options.long)
    minutes, fs = options.minutes or settings["minutes"], float(settings["fs"])
    rounds = options.rounds or settings["rounds"]
    lead = simulate(60 * minutes, fs=fs, seed=settings["seed"])[0].signal_mv[:, 0]
    size = round(settings["portion_s"] * fs)
    finder = BeatFinder(threads=1)
    models = {name: Classifier(name, threads=1) for name in settings["models"]}
    runs: dict[str, list[Streamed]] = {name: [] for name in models}
    for classifier in models.values():  # what is loaded once
        streamed(Stream(fs, classifier, finder=finder), lead[: round(30 * fs)], size)
    for number in range(rounds):
        for name, classifier in models.items():
            runs[name].append(streamed(Stream(fs, classifier, finder=finder), lead, size))
            one = runs[name][-1]
            print(f"round {number + 1} of {rounds}: {name}, {one.cpu_s:.1f} s of CPU", flush=True)
    rows = [row(name, found, minutes, len(lead) / fs) for name, found in runs.items()]
    quantiles = {
        name: {key: percentiles(of, SHARES) for key, of in gathered(found).items()}
        for name, found in runs.items()
    }
    further = {"settings": settings | {"minutes": minutes, "rounds": rounds}}
    keep("stream_latency", rows, folder=options.out, shares=SHARES, quantiles=quantiles, **further)


@dataclass(frozen=True, eq=False)
class Streamed:
    """What came out of a stream, and when.

    Attributes
    ----------
    peaks, classes : ndarray of int64, shape (beats,)
    wait_s : ndarray of float64, shape (beats before the end,)
        Signal time of each label.
    label_push_s : ndarray of float64, shape (beats before the end,)
        Processing time of each label.
    push_s : ndarray of float64, shape (pushes,)
        How long each push took, whether it brought labels or not.
    cpu_s : float
        Processor time of it all.
    """

    peaks: NDArray[np.int64]
    classes: NDArray[np.int64]
    wait_s: NDArray[np.float64]
    label_push_s: NDArray[np.float64]
    push_s: NDArray[np.float64]
    cpu_s: float


def streamed(stream: Stream, signal_mv: NDArray[np.float32], size: int) -> Streamed:
    """Push a lead through a stream, `size` samples at a time, and take the time."""
    parts, waits, label_push_s, push_s = [], [], [], []
    cpu = time.process_time()
    for start in range(0, len(signal_mv), size):
        portion = signal_mv[start : start + size]
        begin = time.perf_counter()
        part = stream.push(portion)
        push_s.append(time.perf_counter() - begin)
        parts.append(part)
        waits.append((start + len(portion) - part.peaks) / stream.fs)
        label_push_s += [push_s[-1]] * len(part)
    parts.append(stream.finish())
    cpu_s = time.process_time() - cpu
    peaks, classes = (np.concatenate([getattr(p, k) for p in parts]) for k in ("peaks", "classes"))
    times = (np.concatenate(waits), np.array(label_push_s), np.array(push_s))
    return Streamed(peaks, classes, *times, cpu_s)


def gathered(runs: Sequence[Streamed]) -> Times:
    """Times of the beats after the first ones, of all runs; the signal time is the same in each."""
    return {
        "signal_s": runs[0].wait_s[FIRST:],
        "processing_ms": 1e3 * np.concatenate([one.label_push_s[FIRST:] for one in runs]),
    }


def summary(times: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Median, 99th and 99.9th percentile, and most of each kind of time."""
    return {
        f"{key}_{name}": round(float(value), 3)
        for key, of in times.items()
        for name, value in zip(
            ("p50", "p99", "p99_9", "most"), np.percentile(of, (50, 99, 99.9, 100)), strict=True
        )
    }


def row(name: str, runs: Sequence[Streamed], minutes: float, signal_s: float) -> dict[str, Any]:
    """One row of the results."""
    return {
        "model": name,
        "minutes": minutes,
        "rounds": len(runs),
        "beats": len(runs[0].wait_s) - FIRST,
        **summary(gathered(runs)),
        "first_beats_s_most": round(float(runs[0].wait_s[:FIRST].max()), 3),
        "cpu_ms_per_s": round(1e3 * float(np.median([one.cpu_s for one in runs])) / signal_s, 3),
    }


def percentiles(values: NDArray[np.float64], shares: Sequence[float]) -> list[float]:
    """Round percentiles for the file."""
    return [round(float(value), 4) for value in np.percentile(values, shares)]


if __name__ == "__main__":
    main()
