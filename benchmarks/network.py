"""Beats a second of each shipped classifier's network, and the way from a signal to classes.

python benchmarks/network.py

Three things are measured, each with its contestants in turn:

- the networks alone, at several batch sizes, with the sessions that the engine opens: with two
  threads each of these has a batch of its own, as in the engine;
- the way from a lead in memory and the places of its beats to their classes, ours and the
  published baseline's: windows are cut and normalised, and the rhythm models' way includes typical
  beats and rhythm features. Ours works on half hours side by side, as it does in `analyze`;
- single beats, one thread: how long a call takes, and how long one call in a hundred takes.

The beats are those of a simulated recording. The published baseline runs in eager PyTorch; the
weights are those of our bundles of the same architecture, see `published`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keeping import keep
from limiting import limited, together
from measuring import interleaved, ratios, spread
from published import TITLES, make_baseline, zscored
from settings import command_line, settings_of

from ectopy.inference.engine import BATCH, Classifier, open_graph
from ectopy.models.bundle import find_bundle
from ectopy.readers.lead import Lead
from ectopy.signal.typical import BeatInputs, beat_inputs
from ectopy.signal.windows import cut_windows, window_fits, zscore
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

FS = 360.0

BATCHES = {1: 100, 128: 9, 1024: 3}
"""Calls a round, of which the median counts, by batch size."""

NETWORK, INPUTS, SIGNAL = "network", "inputs to classes", "signal to classes"
RHYTHM, PUBLISHED = "rhythm-kan/inter", TITLES["cnn-mlp"]
HEADS = "cnn-kan to cnn-mlp, network, batch 128: time"
WHOLE = f"{RHYTHM} to {PUBLISHED}, both from signal to classes: beats a second"
ALONE = f"{RHYTHM} to {PUBLISHED}, both from the network's inputs to classes: beats a second"

GOALS = {HEADS: "<= 1.10", ALONE: ">= 8", WHOLE: ">= 8", "p50_ms": "<= 0.15", "p99_to_p50": "<= 3"}
"""What is aimed at; p50 and p99 are those of every network, one beat a call, one thread."""

NOTE = "published baseline: weights of our bundles of the same architecture"


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats to class, in memory.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        A lead at 360 Hz.
    peaks : ndarray of int64, shape (beats,)
    windows_mv : ndarray of float32, shape (beats, 256)
    inputs : BeatInputs
        What a rhythm model sees of them.
    """

    signal_mv: NDArray[np.float32]
    peaks: NDArray[np.int64]
    windows_mv: NDArray[np.float32]
    inputs: BeatInputs

    def feed(self, names: list[str], n: int) -> dict[str, NDArray[np.float32]]:
        """Inputs of a graph for the first `n` beats."""
        if names == ["windows"]:
            return {"windows": zscore(self.windows_mv[:n])[:, None, :]}
        parts = (self.inputs.shapes(slice(n)), self.inputs.rhythm[:n])
        return {name: np.ascontiguousarray(p) for name, p in zip(names, parts, strict=True)}


def main() -> None:
    options = command_line(__doc__).parse_args()
    settings = settings_of("network", long=options.long)
    beats = make_beats(settings["beats"], settings["seed"])
    rows, told, raw = [], [], {}
    for threads in settings["threads"]:
        with limited(threads):
            for batch in settings["batches"]:
                seconds = measure_networks(settings["models"], batch, threads, beats, settings)
                rows += rows_of(seconds, threads, batch, batch * threads)
                raw[f"networks, batch {batch}, {threads} threads"] = texts(seconds)
                if batch == BATCH:
                    told.append(_ratio(HEADS, threads, heads_ratio(seconds)))
            seconds = measure_ways(settings["models"], threads, beats, settings["rounds"])
            rows += rows_of(seconds, threads, BATCH, len(beats.windows_mv))
            raw[f"ways, {threads} threads"] = texts(seconds)
            told += [_ratio(what, threads, r) for what, r in ways_ratios(seconds).items()]
    with limited(1):
        singles = measure_singles(settings["models"], beats, settings["single_beats"])
    show(rows, told, singles)
    further = {"settings": settings, "goals": GOALS, "note": NOTE, "raw_seconds": raw}
    keep("network", rows, folder=options.out, ratios=told, single_beats=singles, **further)


def make_beats(n: int, seed: int) -> Beats:
    """Cut the first `n` beats of a simulated recording out of it."""
    recording, marks = simulate(1.2 * n + 60, seed=seed)
    signal = np.ascontiguousarray(recording.signal_mv[:, 0])
    peaks = marks.peaks[window_fits(marks.peaks, len(signal), 128, 128)][:n]
    windows = cut_windows(signal, peaks, 128, 128)
    signal = signal[: peaks[-1] + round(recording.fs)]
    return Beats(signal, peaks, windows, beat_inputs(windows, peaks / recording.fs))


Key = tuple[str, str, str]
"""Whose model, which way, which engine."""


def measure_networks(
    models: list[str], batch: int, threads: int, beats: Beats, settings: Mapping[str, Any]
) -> dict[Key, list[float]]:
    """Seconds of one call of each network, by the engine's own sessions."""
    contestants = {
        (model, NETWORK, "ONNX Runtime"): network_call(model, batch, threads, beats)
        for model in models
    }
    return interleaved(contestants, settings["rounds"], repeats=BATCHES.get(batch, 3))


def network_call(model: str, n: int, threads: int, beats: Beats) -> Callable[[], Any]:
    """One call of a network in each thread, with its first `n` beats."""
    session = open_graph(find_bundle(model))
    feed = beats.feed([one.name for one in session.get_inputs()], n)
    return together(lambda: session.run(None, feed), threads)


def measure_ways(
    models: list[str], threads: int, beats: Beats, rounds: int
) -> dict[Key, list[float]]:
    """Seconds from the signal to classes, or part of the way, for all beats in batches of 128."""
    contestants: dict[Key, Callable[[], Any]] = {}
    for model in models:
        contestants |= our_ways(Classifier(model, threads=threads), beats)
    for kind, title in TITLES.items():
        baseline = make_baseline(kind)
        normalised = zscored(beats.windows_mv)
        engine = "PyTorch, eager"
        contestants[title, NETWORK, engine] = lambda b=baseline, z=normalised: b.network(z)
        contestants[title, SIGNAL, engine] = lambda b=baseline: b(cut(beats))
    return interleaved(contestants, rounds)


def cut(beats: Beats) -> NDArray[np.float32]:
    """Cut windows beat by beat, as the published project does it."""
    return np.stack([beats.signal_mv[peak - 128 : peak + 128] for peak in beats.peaks])


def our_ways(classifier: Classifier, beats: Beats) -> dict[Key, Callable[[], Any]]:
    """Ways of one classifier: a rhythm model's inputs can be made beforehand as well."""
    name, engine = classifier.bundle.full_name, "ONNX Runtime"
    lead = Lead.of(beats.signal_mv, FS)
    ways: dict[Key, Callable[[], Any]] = {
        (name, SIGNAL, engine): lambda: classifier.classify_lead(lead, beats.peaks).argmax(axis=1)
    }
    if classifier.reads_rhythm:
        inputs = beats.inputs
        ways[name, INPUTS, engine] = lambda: classifier.classify_inputs(inputs).argmax(axis=1)
    return ways


def measure_singles(models: list[str], beats: Beats, calls: int) -> list[dict[str, Any]]:
    """Times of calls with one beat each, one thread, in blocks of 250 calls in turn.

    Both the network alone and the engine's way from a beat's inputs to its probabilities.
    """
    contestants: dict[tuple[str, str], Callable[[int], Any]] = {}
    for model in models:
        contestants[model, NETWORK] = single_network(model, beats)
        contestants[model, INPUTS] = single_way(Classifier(model, threads=1), beats)
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in contestants}
    block = min(250, calls)
    for start in range(-block, calls, block):
        for key, call in contestants.items():
            for row in range(start, start + block):
                began = time.perf_counter()
                call(row % len(beats.windows_mv))
                taken[key].append(time.perf_counter() - began)
    # The first block is left out: caches and branch predictors are still cold.
    return [_single(*key, 1e3 * np.array(seconds[block:])) for key, seconds in taken.items()]


def _single(model: str, way: str, ms: NDArray[np.float64]) -> dict[str, Any]:
    p50, p99 = (float(np.percentile(ms, q)) for q in (50, 99))
    times = {"p50_ms": p50, "p99_ms": p99, "p99_to_p50": p99 / p50, "most_ms": float(ms.max())}
    return {"model": model, "way": way, "threads": 1, "calls": len(ms), **times}


def single_network(model: str, beats: Beats) -> Callable[[int], Any]:
    """Call a network with one beat, another one each time."""
    session = open_graph(find_bundle(model))
    feed = beats.feed([one.name for one in session.get_inputs()], len(beats.windows_mv))
    return lambda row: session.run(None, {k: part[row : row + 1] for k, part in feed.items()})


def single_way(classifier: Classifier, beats: Beats) -> Callable[[int], Any]:
    """Call the engine with one beat, another one each time."""
    if classifier.reads_rhythm:
        return lambda row: classifier.classify_inputs(beats.inputs, slice(row, row + 1))
    return lambda row: classifier.classify_windows(beats.windows_mv[row : row + 1])


def rows_of(
    seconds: Mapping[Key, list[float]], threads: int, batch: int, n: int
) -> list[dict[str, Any]]:
    """One row a contestant, for `n` beats a call."""
    return [
        {
            "model": model,
            "way": way,
            "engine": engine,
            "threads": threads,
            "batch": batch,
            "beats": n,
            "ms_per_beat": 1e3 * times["median"] / n,
            "beats_per_s": n / times["median"],
            "least_ms_per_beat": 1e3 * times["least"] / n,
            "most_ms_per_beat": 1e3 * times["most"] / n,
        }
        for (model, way, engine), times in ((key, spread(s)) for key, s in seconds.items())
    ]


def heads_ratio(seconds: Mapping[Key, list[float]]) -> float:
    """Time of the KAN model to that of the MLP model, which have the same encoder."""
    mlp, kan = (key_of(seconds, name, NETWORK) for name in ("cnn-mlp", "cnn-kan"))
    return ratios(seconds, mlp)[kan]


def ways_ratios(seconds: Mapping[Key, list[float]]) -> dict[str, float]:
    """How many times as many beats a second as the published CNN+MLP, over the same way."""
    models = dict.fromkeys(name for name, way, _ in seconds if way == INPUTS)
    pairs = {WHOLE: (SIGNAL, SIGNAL), ALONE: (INPUTS, NETWORK)}
    return {
        what.replace(RHYTHM, model): ratios(seconds, key_of(seconds, model, ours))[
            key_of(seconds, PUBLISHED, theirs)
        ]
        for model in models
        for what, (ours, theirs) in pairs.items()
    }


def _ratio(what: str, threads: int, value: float) -> dict[str, Any]:
    return {"what": what, "threads": threads, "value": value, "goal": GOALS.get(what)}


def key_of(seconds: Mapping[Key, list[float]], name: str, way: str) -> Key:
    """The contestant of this name, or whose model has it under whichever protocol."""
    return next(k for k in seconds if name in (k[0], k[0].partition("/")[0]) and k[1] == way)


def texts(seconds: Mapping[Key, list[float]]) -> dict[str, list[float]]:
    """Raw seconds by names that JSON takes."""
    return {", ".join(key): values for key, values in seconds.items()}


def show(
    rows: list[dict[str, Any]], told: list[dict[str, Any]], singles: list[dict[str, Any]]
) -> None:
    """Print small tables."""
    for row in rows:
        print(
            f"{row['model']:18} {row['way']:18} {row['engine']:14} {row['threads']} threads, batch "
            f"{row['batch']:4}  {row['ms_per_beat']:.4f} ms/beat  {row['beats_per_s']:9,.0f}/s"
        )
    for one in told:
        print(f"{one['what']}, {one['threads']} threads: {one['value']:.2f} ({one['goal']})")
    for one in singles:
        print(
            f"{one['model']:18} {one['way']:18} one beat a call, 1 thread: "
            f"p50 {one['p50_ms']:.3f} ms, p99 {one['p99_ms']:.3f} ms ({one['p99_to_p50']:.2f} x)"
        )


if __name__ == "__main__":
    main()
