"""Time the beat finder and its peers on a long lead in memory, in turn.

python benchmarks/finders.py    # results/finder_speed.json

XQRS and NeuroKit2 are slow, and get the beginning of the lead only; what each takes an hour of
signal can be compared all the same. sleepecg takes longer than linear time in one call, and gets
the lead in slices of half an hour.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from keeping import keep
from measuring import interleaved, spread
from page_text import duration
from settings import command_line, settings_of

from ectopy import BeatFinder
from ectopy.evaluation.peers import get_peer
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

SLICE_S = 1800
OURS = "beat-finder, 2 threads"
PACKAGES = {"sleepecg": "sleepecg", "neurokit2": "neurokit2", "xqrs": "wfdb"}
SLICED = "sleepecg, slices of 30 min"


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--hours", type=float, help="length of the lead")
    parser.add_argument("--rounds", type=int, help="runs of each contestant")
    options = parser.parse_args()
    config = settings_of("finders", long=options.long)
    hours, fs = options.hours or config["hours"], float(config["fs"])
    rounds = options.rounds or config["rounds"]
    # The same half hour over and over: to simulate a day takes longer than to find its beats.
    piece = simulate(SLICE_S, fs=fs, seed=config["seed"])[0].signal_mv[:, 0]
    lead = np.resize(np.ascontiguousarray(piece), round(hours * 3600 * fs))
    shorter = {name: config[f"{name}_hours"] for name in ("neurokit2", "xqrs")}
    contestants = finders(lead, fs, shorter)
    beats: dict[str, int] = {}

    def counting(name: str) -> Callable[[], None]:
        def run() -> None:
            beats[name] = contestants[name][0]()

        return run

    seconds = interleaved({name: counting(name) for name in contestants}, rounds)
    rows = []
    for name, taken in seconds.items():
        found = spread(taken)
        own_hours = contestants[name][1] / fs / 3600
        rows.append(
            {
                "finder": name,
                "hours": own_hours,
                "rounds": rounds,
                **{f"{key}_s": round(value, 4) for key, value in found.items()},
                "s_per_hour": round(found["median"] / own_hours, 5),
                "hours_per_s": round(own_hours / found["median"], 1),
                "beats": beats[name],
            }
        )
        print(f"{name:28} {found['median']:7.3f} s for {own_hours:g} h, {beats[name]:,} beats")
    keep("finder_speed", rows, folder=options.out, hours=hours, fs=fs, rounds=rounds)


def finders(
    lead: NDArray[np.float32], fs: float, shorter: Mapping[str, float]
) -> dict[str, tuple[Callable[[], int], int]]:
    """By name, what finds beats and says how many, and how many samples of the lead it reads."""
    step = round(SLICE_S * fs)
    ours = {threads: BeatFinder(threads=threads) for threads in (1, 2)}
    found: dict[str, tuple[Callable[[], int], int]] = {
        OURS: (lambda: len(ours[2].find(lead, fs)), len(lead)),
        "beat-finder, 1 thread": (lambda: len(ours[1].find(lead, fs)), len(lead)),
    }
    there = {name: get_peer(name) for name, package in PACKAGES.items() if find_spec(package)}
    for name in PACKAGES.keys() - there.keys():
        print(f"without {name}: {PACKAGES[name]} is not installed")
    if "sleepecg" in there:
        slices = [lead[first : first + step] for first in range(0, len(lead), step)]
        sleepecg = there["sleepecg"]
        found[SLICED] = (lambda: sum(len(sleepecg(part, fs)) for part in slices), len(lead))
    for name in sorted(shorter.keys() & there.keys()):
        part, find = lead[: round(shorter[name] * 3600 * fs)], there[name]
        whole = len(part) == len(lead)
        title = name if whole else f"{name}, {duration(shorter[name])}"
        found[title] = (lambda find=find, part=part: len(find(part, fs)), len(part))
    return found


if __name__ == "__main__":
    main()
