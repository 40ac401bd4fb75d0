"""Score a bundle under a protocol, and refuse to score it on what it was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy._version import code_version
from ectopy.beats import CLASSES, count_classes
from ectopy.data.mitdb import load
from ectopy.data.protocols import SAME_SUBJECT, BeatSet, chosen_lead, get_protocol, load_test
from ectopy.errors import ProtocolError
from ectopy.evaluation.metrics import score_classes
from ectopy.evaluation.run_predictions import run_result
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import detect_beats, shipped_finder
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.signal.matching import MATCH_WINDOW_S, match_beats

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.data.protocols import Protocol


def evaluate(
    model: str | Path,
    protocol: str,
    *,
    beats: str = "annotated",
    allow_leak: bool = False,
    folder: Path | None = None,
    predictions: Path | None = None,
) -> dict[str, Any]:
    """Score a bundle on the test part of a protocol.

    Parameters
    ----------
    model : str or Path
        As in `ectopy.models.bundle.find_bundle`; a bare model name means the bundle that was
        trained for `protocol`.
    protocol : str
        ``"intra"`` or ``"inter"``.
    beats : {"annotated", "detected"}
        Whether windows lie around the annotated beats, or around those found in the signal, which
        can miss some.
    allow_leak : bool
        Score even where test patients or beats were trained on; the result says so.
    folder : Path, optional
        Folder of the database.
    predictions : Path, optional
        Folder to keep every beat's probabilities in, for `ectopy.evaluation.compare`; with
        annotated beats.

    Returns
    -------
    dict
        The scores of `ectopy.evaluation.metrics.score_classes` with model, protocol, parameters,
        hash of the weights, version of the code, and ``leak``: None, or what leaks. With detected
        beats also ``missed`` (reference beats not found, per class) and ``all_records``.

    Raises
    ------
    ProtocolError
        If the bundle was trained on patients or beats of the test part, or predictions are to be
        kept of detected beats, or of a bundle that leaks.
    RunError, OutputError
        If predictions cannot be kept.
    BundleError, DataError
        If the bundle or the database is not there.
    """
    chosen = get_protocol(protocol)
    if beats not in ("annotated", "detected"):
        msg = f"beats = {beats!r}; expected 'annotated' or 'detected'"
        raise ProtocolError(msg)
    bundle = find_bundle(model, protocol)
    if bundle.finds:
        msg = f"{bundle.full_name} finds beats and does not class them; "
        raise ProtocolError(msg + "judge it with --protocol detected")
    leak = find_leak(bundle, chosen)
    if leak and not allow_leak:
        msg = f"{bundle.full_name} may not be scored under {protocol!r}: {leak}"
        raise ProtocolError(f"{msg}; --allow-leak scores it all the same and says so")
    if predictions is not None and (leak or beats != "annotated"):
        msg = "predictions are kept for comparing models on the annotated beats of patients or "
        raise ProtocolError(msg + "beats they were not trained on; leave --predictions out")
    head = {
        "model": bundle.full_name,
        "protocol": protocol,
        "protocol_title": chosen.title,
        "beats": beats,
        "leak": leak,
    }
    tail: dict[str, Any] = {
        "params": bundle.n_parameters,
        "weights_sha256": bundle.weights_sha256,
        "code_version": code_version(),
        "notes": protocol_notes(protocol),
    }
    if beats == "detected":
        tail["finder"] = describe_finder(chosen.test_records)
        tail["notes"].append(tail["finder"]["note"])
    classifier = Classifier(bundle)
    test = load_test(protocol, folder=folder)
    if beats == "annotated":
        probabilities = _classify_annotated(classifier, chosen, test, folder)
        scores = score_classes(test.classes, probabilities)
        scores["per_record"] = _per_record(test, probabilities)
        if predictions is not None:
            run_result(bundle, protocol, test, probabilities).save(predictions)
    else:
        scores = _score_detected(classifier, chosen, test, folder)
    return head | scores | tail


def find_leak(bundle: Bundle, protocol: Protocol) -> str | None:
    """Say what of a protocol's test part a bundle was trained on, or None.

    A bundle that was trained on the training part of this very protocol is what the protocol is
    for. Any other may have seen the patients.
    """
    if bundle.protocol == protocol.name:
        return None
    trained = set(bundle.config["training"]["records"])
    shared = sorted(trained & set(protocol.test_records))
    if not shared:
        return None
    return (
        f"it was trained on beats of {len(shared)} of the {len(protocol.test_records)} test "
        f"records ({', '.join(shared[:3])}{', ...' if len(shared) > 3 else ''})"
    )


def protocol_notes(protocol: str) -> list[str]:
    """Say what has to be known about a protocol to read its scores."""
    if protocol == "intra":
        return [
            "random split: beats of the same patients are in training and test, so this compares "
            "models and says little about a new patient",
            "lead 0 by index, as published: V5 in records 102, 104 and 114",
        ]
    pairs = ", ".join(f"{a} and {b}" for a, b in SAME_SUBJECT.items())
    return [
        f"records {pairs} are one subject, on both sides of the split as published",
        "e and j count as N (de Chazal et al. 2004); bxb counts them as S",
        "record 232 holds 75 % of the S beats",
    ]


def describe_finder(records: Sequence[str]) -> dict[str, Any]:
    """Say which finder found the beats of some records, and which of the records it has seen."""
    bundle = shipped_finder().bundle
    seen = sorted(set(bundle.config["training"]["records"]) & set(records))
    note = (
        f"the beat finder was trained on {len(seen)} of these {len(records)} records "
        "and misses less there than on new patients; see protocol detected"
        if seen
        else "the beat finder was trained on none of these records"
    )
    return {
        "name": bundle.full_name,
        "weights_sha256": bundle.weights_sha256,
        "records_seen": seen,
        "note": note,
    }


def _per_record(test: BeatSet, probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """Correct beats and true beats of each class in each record."""
    predicted = probabilities.argmax(axis=1)
    table = {}
    for name in np.unique(test.records):
        rows = test.records == name
        true, right = test.classes[rows], (predicted == test.classes)[rows]
        table[str(name)] = {
            "n": int(rows.sum()),
            "accuracy": float(right.mean()),
            "true": count_classes(true),
            "right": count_classes(true[right]),
        }
    return table


@dataclass(frozen=True, eq=False)
class _Chain:
    """What came out of finding and classing the beats of one record.

    `probabilities` has one row for each reference beat, NaN where it was not found; `additional`
    has the classes given to what was found where there is no beat.
    """

    record: str
    peaks: NDArray[np.int64]
    classes: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    additional: NDArray[np.int8]

    def only(self, rows: NDArray[np.bool_]) -> _Chain:
        return replace(
            self,
            peaks=self.peaks[rows],
            classes=self.classes[rows],
            probabilities=self.probabilities[rows],
        )


def _classify_annotated(
    classifier: Classifier, protocol: Protocol, test: BeatSet, folder: Path | None
) -> NDArray[np.float32]:
    """Probabilities of the test beats; a model that reads rhythm is given all of their records."""
    if not classifier.reads_rhythm:
        return classifier.classify_windows(test.windows)
    out = np.empty((len(test), len(CLASSES)), dtype=np.float32)
    for name in np.unique(test.records):
        recording, reference = load(str(name), folder)
        signal = chosen_lead(recording, protocol.lead_by)
        probabilities = classifier.classify(signal, recording.fs, reference.peaks)
        rows = test.records == name
        out[rows] = probabilities[np.searchsorted(reference.peaks, test.peaks[rows])]
    return out


def _score_detected(
    classifier: Classifier, protocol: Protocol, test: BeatSet, folder: Path | None
) -> dict[str, Any]:
    """Find beats in the raw signal, class them, and compare with the reference beats."""
    chains = list(_run_chain(classifier, protocol, folder))
    in_test = {name: test.peaks[test.records == name] for name in protocol.test_records}
    tested = [c.only(np.isin(c.peaks, in_test[c.record])) for c in chains]
    scores = _summarise_chains(tested)
    scores["records"] = list(protocol.test_records)
    everything = _summarise_chains(chains)
    additional = np.concatenate([c.additional for c in chains])
    scores["all_records"] = {
        "note": (
            "every beat of the records, those of the training and validation part among them"
            if protocol.name == "intra"
            else "every beat of the test records"
        ),
        **{key: everything[key] for key in ("n", "accuracy", "accuracy_with_missed", "missed")},
        "macro_f1": everything["macro_f1"],
        "reference_beats": everything["reference_beats"],
        "positive_predictivity": everything["n"] / (everything["n"] + len(additional)),
        "additional": count_classes(additional),
        "additional_per_record": {c.record: len(c.additional) for c in chains},
    }
    return scores


def _run_chain(classifier: Classifier, protocol: Protocol, folder: Path | None) -> Iterator[_Chain]:
    for name in protocol.test_records:
        recording, reference = load(name, folder)
        signal = chosen_lead(recording, protocol.lead_by)
        found = detect_beats(signal, recording.fs)
        rows, pairs = match_beats(reference.peaks, found, MATCH_WINDOW_S * recording.fs)
        classed = classifier.classify(signal, recording.fs, found)
        probabilities = np.full((len(reference), len(CLASSES)), np.nan, dtype=np.float32)
        probabilities[rows] = classed[pairs]
        additional = np.delete(classed, pairs, axis=0).argmax(axis=1).astype(np.int8)
        yield _Chain(name, reference.peaks, reference.classes, probabilities, additional)


def _summarise_chains(chains: list[_Chain]) -> dict[str, Any]:
    """Scores over the beats that were found, and how many of each class were not."""
    classes = np.concatenate([c.classes for c in chains])
    probabilities = np.concatenate([c.probabilities for c in chains])
    found = ~np.isnan(probabilities[:, 0])
    scores = score_classes(classes[found], probabilities[found])
    n = len(classes)
    scores["reference_beats"] = count_classes(classes)
    scores["missed"] = count_classes(classes[~found])
    scores["accuracy_with_missed"] = scores["accuracy"] * scores["n"] / n if n else 0.0
    return scores
