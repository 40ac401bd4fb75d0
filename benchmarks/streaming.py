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
    judged: dict[str, dict[str, Any]] = {f"{m}, {how}": {} for m in MODELS for how in HOW}
    both = {name: np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64) for name in MODELS}
    delays, pushes, beats_ms, differing = [], [], [], 0
    Stream(360.0, classifiers[MODELS[0]]).push(np.zeros(3600))  # what is loaded once
    for record in RECORDS[options.records]:
        loaded = load_lead(record, "name", options.data)
        lead = Lead.of(loaded.signal_mv, loaded.fs)
        found, delay, push_s = streamed(Stream(loaded.fs, classifiers[MODELS[0]]), lead)
        delays.append(delay)
        pushes.append(push_s)
        for name, classifier in classifiers.items():
            causal = classifier.classify_lead(lead, found[0], causal=True).argmax(axis=1)
            whole = classifier.classify_lead(lead, found[0]).argmax(axis=1)
            both[name] += confusion_matrix(whole, causal)
            if name == MODELS[0]:
                differing += int((causal != found[1]).sum())
                beats_ms.append(work_per_beat(classifier, lead, found[0]))
            for how, classes in zip(HOW, (whole, causal), strict=True):
                one = compare_classes(loaded.marks, found[0], classes.astype(np.int8))
                judged[f"{name}, {how}"][record] = one
    results = {
        "records": options.records,
        "note": "trained on these records" if options.records == "DS1" else "test records",
        "scores": {name: scores(of) for name, of in judged.items()},
        "whole_by_stream": {name: matrix.tolist() for name, matrix in both.items()},
        "agreement": {name: float(m.trace() / m.sum()) for name, m in both.items()},
        "labels_of_stream_and_causal_that_differ": differing,
        "latency_s": spread(np.concatenate(delays)),
        "push_ms": spread(1e3 * np.concatenate(pushes)),
        "classify_cpu_ms_per_beat": spread(np.concatenate(beats_ms)),
        "portion_s": PORTION_S,
        "machine": f"{platform.machine()}, Python {platform.python_version()}, 1 thread",
        "code_version": code_version(),
    }
    print(json.dumps(results, indent=2))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


HOW = ("whole recording", "stream")


def streamed(stream: Stream, lead: Lead) -> tuple[tuple[Any, Any], Any, Any]:
    """Peaks and classes; seconds from each beat to what brought it out; seconds of each push."""
    signal, size = lead.read(), round(PORTION_S * lead.fs)
    parts, delays, seconds = [], [], []
    for start in range(0, len(signal), size):
        begin = time.perf_counter()
        part = stream.push(signal[start : start + size])
        seconds.append(time.perf_counter() - begin)
        parts.append(part)
        delays.append((min(start + size, len(signal)) - part.peaks) / lead.fs)
    parts.append(stream.finish())
    peaks, classes = (np.concatenate([getattr(p, k) for p in parts]) for k in ("peaks", "classes"))
    # The first beats of a rhythm model wait for each other.
    return (peaks, classes), np.concatenate(delays)[16:], np.array(seconds)


def work_per_beat(classifier: Classifier, lead: Lead, peaks: Any) -> Any:
    """Milliseconds of the processor to cut, describe and class each beat, one at a time."""
    past, taken = PastInputs(), []
    after_s = intervals_after(peaks, lead.n_samples, lead.fs)
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
        "max": round(float(values.max()), 3),
    }


if __name__ == "__main__":
    main()
