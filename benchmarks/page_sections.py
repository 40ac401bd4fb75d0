"""The sections of the benchmarks' page: what was measured, how, and which tables show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import page_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from page_tables import Results


@dataclass(frozen=True)
class Section:
    """One kind of benchmark on the page.

    Attributes
    ----------
    key : str
        What goals name it by.
    title, text : str
        The text says what was measured, and how.
    commands : tuple of str
        What makes the results.
    shows : mapping of str to callable
        Results by name, and what makes Markdown of them.
    figure, figure_title : str, optional
    """

    key: str
    title: str
    text: str
    commands: tuple[str, ...]
    shows: Mapping[str, Callable[[Results], str]]
    figure: str | None = None
    figure_title: str = ""


SECTIONS = (
    Section(
        "network",
        "Classing beats",
        "The networks alone, and the way from a lead in memory and the places of its beats to "
        "their classes, against the published baseline in eager PyTorch, which cuts and normalises "
        "in a loop over beats. Its weights are those of our bundles of the same architecture. A "
        "rhythm model's way includes typical beats and rhythm features. With two threads, each has "
        "a batch of its own in ONNX Runtime, as the engine does it, and PyTorch shares one between "
        "them; at batch 1 the hand-over is part of the time.",
        ("python benchmarks/network.py",),
        {"network": page_tables.network},
        "throughput",
        "Beats per second from signal to classes, of our models and the published baseline",
    ),
    Section(
        "heads",
        "KAN heads",
        "The KAN head alone at the published sizes, 256-64-5, cubic splines on 5 intervals, beside "
        "other implementations of the same functions and the MLP head. Threads share one batch.",
        ("python benchmarks/heads.py",),
        {"heads": page_tables.heads},
    ),
    Section(
        "roofline",
        "What the machine could do",
        "A network's operations per second against the most that this machine does in matrix "
        "products and convolutions in their best round, or can feed from memory, whichever is "
        "lower; networks count with their median. With two threads, "
        "each has a batch of its own.",
        ("python benchmarks/roofline.py",),
        {"roofline": page_tables.roofline},
        "roofline",
        "Operations per second of each network under the machine's roofs",
    ),
    Section(
        "training",
        "Training",
        "Steps of training as the recipe does them, in turn with a plain loop of the published "
        "baseline, scaled up to an epoch; in the long form whole epochs too. An epoch of the "
        "recipe has fewer beats, as it draws a share of the many N beats anew each time; "
        "compiling, which comes once, is told apart.",
        ("python benchmarks/training.py", "python benchmarks/training.py --until-baseline"),
        dict.fromkeys(
            ("training", "training_epochs", "training_until_baseline"), page_tables.any_rows
        ),
    ),
    Section(
        "accuracy",
        "Accuracy",
        "No accuracy is given up for speed: scores of the engine, in ONNX Runtime, and of the same "
        "weights in PyTorch, under each bundle's own protocol. This takes the MIT-BIH Arrhythmia "
        "Database in the folder that `ECTOPY_DATA` names.",
        ("python benchmarks/accuracy.py",),
        {"accuracy": page_tables.accuracy},
    ),
    Section(
        "chain",
        "From file to file",
        "A simulated WFDB record of two leads at 360 Hz on disk becomes annotations on disk, or "
        "all files that `ectopy analyze` writes by default. Every run is a process of its own, "
        "from the start of Python to its end; recordings are in the system's cache. The chain of "
        "public parts (`peer_chain.py`) reads the first lead with wfdb, finds beats with "
        "NeuroKit2, cuts windows in a loop, classes them with the published CNN+MLP in PyTorch on "
        "two threads, and writes annotations with wfdb.",
        ("python benchmarks/chain.py", "python benchmarks/chain.py --long"),
        {"chain_long": page_tables.chain, "chain": page_tables.chain},
        "growth",
        "Time and peak memory by length of the recording, both axes logarithmic",
    ),
    Section(
        "finders",
        "Finding beats",
        "One lead in memory, at 360 Hz. What is slow gets its beginning only. How well each finder "
        "finds is in the [README](../README.md#finding-beats).",
        ("python benchmarks/finders.py",),
        {"finder_speed": page_tables.finders},
        "finders",
        "Hours of signal that each finder reads in a second",
    ),
    Section(
        "stream",
        "Streams",
        "A simulated lead is pushed in portions of 0.1 s, one thread. Signal time runs from a "
        "beat's sample to the sample whose arrival brought its label; processing time is how long "
        "the push took that brought it. The first 16 beats of a rhythm model wait for each other. "
        "What streams do to the classes: [rhythm features](../docs/rhythm-features.md) and "
        "[streaming_ds1.json](results/streaming_ds1.json), "
        "[streaming_ds2.json](results/streaming_ds2.json) (`benchmarks/streaming.py`).",
        ("python benchmarks/stream_latency.py",),
        {"stream_latency": page_tables.stream_latency},
        "stream_latency",
        "Share of beats that still wait for their label, by signal time and by processing time",
    ),
    Section(
        "startup",
        "Starting up",
        "Processes in turn, from start to end. The first label is timed from the start of Python "
        "to the moment at which another process reads the class of the first beat of half a "
        "minute of a CSV file (`first_label.py`); below it the whole command on the same file.",
        ("python benchmarks/startup.py",),
        {"startup": page_tables.startup},
        "startup",
        "Seconds until help, imports, first label and whole analysis, with the goals",
    ),
)
