"""What a stream costs: its classes against those of the whole recording, its latency, its work.

Each record is streamed in portions of 0.1 s. Classes are scored on found beats as `ectopy evaluate
--protocol detected` scores them, and compared with what the whole recording gives for the same
beats. Of DS1 both look better than they are: the models were trained on it.

python benchmarks/streaming.py --records DS1 --json benchmarks/results/streaming_ds1.json
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
from stream_latency import FIRST, streamed

from ectopy import BeatFinder
from ectopy._version import code_version
from ectopy.beats import CLASSES
from ectopy.data.protocols import DS1, DS2
from ectopy.evaluation.detected_classes import compare_classes, describe_classes
from ectopy.evaluation.finder_runs import load_lead
from ectopy.evaluation.metrics import confusion_matrix
from ectopy.inference.engine import Classifier
from ectopy.inference.sections import section_windows
from ectopy.inference.stream import Stream
from ectopy.readers.lead import Lead
from ectopy.signal.past import PastInputs, intervals_after

MODELS = ("rhythm-kan/inter", "rhythm-mlp/inter")
PORTION_S = 0.1
RECORDS = {"DS1": DS1, "DS2": DS2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", choices=RECORDS, default="DS1")
    parser.add_argument("--data", type=Path, help="Folder of the database, if not the usual one.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    classifiers = {name: Classifier(name, threads=1) for name in MODELS}
    finder = BeatFinder(threads=1)
    judged: dict[str, dict[str, Any]] = {f"{m}, {how}": {} for m in MODELS for how in HOW}
    both = {name: np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64) for name in MODELS}
    streams, beats_ms, signal_s, differing = [], [], 0.0, 0
    Stream(360.0, classifiers[MODELS[0]]).push(np.zeros(3600))  # what is loaded once
    for record in RECORDS[options.records]:
        loaded = load_lead(record, "name", options.data)
        lead = Lead.of(loaded.signal_mv, loaded.fs)
        stream = Stream(loaded.fs, classifiers[MODELS[0]], finder=finder)
        found = streamed(stream, lead.read(), round(PORTION_S * lead.fs))
        streams.append(found)
        signal_s += lead.n_samples / lead.fs
        for name, classifier in classifiers.items():
            causal = classifier.classify_lead(lead, found.peaks, causal=True).argmax(axis=1)
            whole = classifier.classify_lead(lead, found.peaks).argmax(axis=1)
            both[name] += confusion_matrix(whole, causal)
            if name == MODELS[0]:
                differing += int((causal != found.classes).sum())
                beats_ms.append(work_per_beat(classifier, lead, found.peaks))
            for how, classes in zip(HOW, (whole, causal), strict=True):
                one = compare_classes(loaded.marks, found.peaks, classes.astype(np.int8))
                judged[f"{name}, {how}"][record] = one
    results = {
        "records": options.records,
        "note": "trained on these records" if options.records == "DS1" else "test records",
        "scores": {name: scores(of) for name, of in judged.items()},
        "whole_by_stream": {name: matrix.tolist() for name, matrix in both.items()},
        "agreement": {name: float(m.trace() / m.sum()) for name, m in both.items()},
        "labels_of_stream_and_causal_that_differ": differing,
        # The first beats of a rhythm model wait for each other.
        "latency_s": spread(np.concatenate([one.wait_s[FIRST:] for one in streams])),
        "label_push_ms": spread(
            1e3 * np.concatenate([one.label_push_s[FIRST:] for one in streams])
        ),
        "push_ms": spread(1e3 * np.concatenate([one.push_s for one in streams])),
        "cpu_ms_per_s": round(1e3 * sum(one.cpu_s for one in streams) / signal_s, 3),
        "classify_cpu_ms_per_beat": spread(np.concatenate(beats_ms)),
        "portion_s": PORTION_S,
        "machine": f"{platform.machine()}, Python {platform.python_version()}, 1 thread",
        "code_version": code_version(),
    }
    print(json.dumps(results, indent=2))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


HOW = ("whole recording", "stream")


def work_per_beat(classifier: Classifier, lead: Lead, peaks: Any) -> Any:
    """Milliseconds of the processor to cut, describe and class each beat, one at a time."""
    past, taken = PastInputs(), []
    after_s = intervals_after(peaks / lead.fs, lead.n_samples / lead.fs)
    for row in range(len(peaks)):
        one = slice(row, row + 1)
        begin = time.thread_time()
        windows = section_windows(lead, peaks[one], classifier.bundle.contract)
        classifier.classify_inputs(past.push(windows, peaks[one] / lead.fs, after_s[one]))
        taken.append(time.thread_time() - begin)
    return 1e3 * np.array(taken)


def scores(judged: dict[str, Any]) -> dict[str, Any]:
    described = describe_classes(judged)
    return {
        "n": described["n"],
        "f1": {name: one["f1"] for name, one in described["per_class"].items()},
        "macro_f1_nsvf": described["macro_f1_nsvf"],
        "gross": described["gross"],
    }


def spread(values: Any) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 3),
        "p99": round(float(np.percentile(values, 99)), 3),
        "p99_9": round(float(np.percentile(values, 99.9)), 3),
        "max": round(float(values.max()), 3),
    }


if __name__ == "__main__":
    main()
