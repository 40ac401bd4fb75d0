"""Score the screen for atrial fibrillation against the rhythms that cardiologists marked.

python benchmarks/fibrillation.py --part ds1 --json benchmarks/results/fibrillation_ds1.json

Beats and classes are those of the reference, and those found and classed in the signal by the
default model, which was trained on the records of ds1. Every beat after the first mark of a rhythm
is scored: it is in atrial fibrillation or not, and in an episode of the screen or not. Atrial
flutter is scored as no atrial fibrillation, and once more left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import wfdb

from ectopy import analyze
from ectopy._version import code_version
from ectopy.data.mitdb import load
from ectopy.data.protocols import DS1, DS2
from ectopy.data.registry import database_dir
from ectopy.measures.fibrillation import screen_fibrillation

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = {"ds1": DS1, "ds2": DS2}
FIBRILLATION, FLUTTER = "(AFIB", "(AFL"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="ds1")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {"part": options.part, "code_version": code_version()}
    for source in ("annotated", "detected"):
        records = {name: score_record(name, source) for name in PARTS[options.part]}
        results[source] = {
            "beats": add_up([one["beats"] for one in records.values()]),
            "beats_without_flutter": add_up([one["no_flutter"] for one in records.values()]),
            "per_record": {
                name: one["beats"] | {"false_in": one["false_in"], "burden_percent": one["burden"]}
                for name, one in records.items()
                if one["beats"]["true_positive"] or one["wrong"]
            },
        }
    text = json.dumps(results, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def score_record(name: str, source: str) -> dict[str, Any]:
    """Count the beats of one record in and out of atrial fibrillation, and of episodes."""
    recording, beats = load(name)
    peaks, classes = beats.peaks, beats.classes
    if source == "detected":
        found = analyze(recording).beats
        peaks, classes = found.peaks, found.classes
    times_s = peaks / recording.fs
    screen = screen_fibrillation(times_s, classes)
    positive = np.zeros(len(peaks), dtype=bool)
    for start, stop in zip(screen.start_s, screen.stop_s, strict=True):
        positive |= (times_s >= start) & (times_s <= stop)
    rhythm = rhythms_at(name, peaks)
    known = rhythm != ""
    is_af, is_flutter = rhythm == FIBRILLATION, rhythm == FLUTTER
    counts = count(positive[known], is_af[known])
    false_in, n = np.unique(rhythm[known & positive & ~is_af], return_counts=True)
    return {
        "beats": counts,
        "no_flutter": count(positive[known & ~is_flutter], is_af[known & ~is_flutter]),
        "false_in": dict(zip(false_in.tolist(), n.tolist(), strict=True)),
        "burden": None if screen.burden_percent is None else round(screen.burden_percent, 1),
        "wrong": counts["false_positive"] + counts["false_negative"],
    }


def rhythms_at(name: str, peaks: NDArray[np.int64]) -> NDArray[np.str_]:
    """Mark of the rhythm that each beat is in; empty before the first mark."""
    marks = wfdb.rdann(str(database_dir("mitdb") / name), "atr")
    notes = [note.strip("\x00") for note in marks.aux_note]
    rows = [row for row, note in enumerate(notes) if note.startswith("(")]
    names = np.array(["", *(notes[row] for row in rows)])
    return names[np.searchsorted(marks.sample[rows], peaks, side="right")]


def count(positive: NDArray[np.bool_], is_af: NDArray[np.bool_]) -> dict[str, int]:
    return {
        "true_positive": int((positive & is_af).sum()),
        "false_positive": int((positive & ~is_af).sum()),
        "false_negative": int((~positive & is_af).sum()),
        "true_negative": int((~positive & ~is_af).sum()),
    }


def add_up(counts: list[dict[str, int]]) -> dict[str, float]:
    total = {key: sum(one[key] for one in counts) for key in counts[0]}
    tp, fp, fn, tn = total.values()
    return total | {
        "sensitivity": round(tp / (tp + fn), 4),
        "specificity": round(tn / (tn + fp), 4),
        "positive_predictivity": round(tp / (tp + fp), 4),
    }


if __name__ == "__main__":
    main()
