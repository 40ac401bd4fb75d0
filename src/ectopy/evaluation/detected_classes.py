"""Judge a model that classes beats on beats found in the raw signal, as ANSI/AAMI EC57 says.

A class is worth nothing where the beat was not found, and a beat that is none gets a class all the
same. So the whole chain is judged: the beat finder finds the beats of a record, the model classes
all of them at once, and what comes out is compared with the reference by `ectopy.evaluation.ec57`.
Escape beats (e, j) are N, as everywhere here; the same under the class map of `bxb`, which has them
in S, stands beside.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy._version import code_version
from ectopy.beats import CLASSES
from ectopy.data.protocols import DETECTED, SAME_SUBJECT, get_protocol
from ectopy.errors import ProtocolError
from ectopy.evaluation.ec57 import START_S, compare, marks_of_beats, score, summarise
from ectopy.evaluation.evaluate import describe_finder, find_leak
from ectopy.evaluation.finder_runs import for_each, load_lead, missed_beats, require_records
from ectopy.evaluation.metrics import matrix_scores
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import detect_beats, shipped_finder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.evaluation.ec57 import Comparison, Marks
    from ectopy.models.bundle import Bundle

MOST_S_BEATS = "232"
"""Record with three quarters of the S beats of DS2; without it S is another question."""

LEFT_OUT = ((MOST_S_BEATS,), tuple(SAME_SUBJECT), (*SAME_SUBJECT, MOST_S_BEATS))
"""Records without which everything is scored again, where they are among those judged."""

_SUMS = ("gross", "average", "average_of", "matrix")


class JudgedRecord(NamedTuple):
    """One record's classes compared with the reference.

    Attributes
    ----------
    lead : str
        Name of the lead that was worked on.
    aami, bxb : Comparison
        The comparison under either class map, see `ectopy.evaluation.ec57_counting.CLASS_MAPS`.
    """

    lead: str
    aami: Comparison
    bxb: Comparison


def evaluate_detected_classes(
    bundle: Bundle,
    records: Sequence[str],
    *,
    title: str = "chosen records",
    allow_leak: bool = False,
    folder: Path | None = None,
    start_s: float = START_S,
    jobs: int = 1,
) -> dict[str, Any]:
    """Find the beats of some records, class them, and score both against the reference.

    Parameters
    ----------
    bundle : Bundle
        A model that classes beats.
    records : sequence of str
        Records of the MIT-BIH Arrhythmia Database to judge it on.
    title : str
        What these records are called.
    allow_leak : bool
        Judge even on records that the model or the finder was trained on; the result says so.
    folder : Path, optional
        Folder of the database.
    start_s : float
        Seconds at the start of each record that are not scored.
    jobs : int
        Number of processes.

    Returns
    -------
    dict
        Ready for JSON: what `describe_classes` says of all records, the same under ``without``
        without those of `LEFT_OUT`, ``per_record`` (as `ectopy.evaluation.ec57.summarise` gives,
        with `lead`, beats `missed` of each class, beats `made_up`, and the scores under
        ``bxb_map``), the ``finder``, the model with its parameters and hash, ``leak`` and
        ``notes``.

    Raises
    ------
    ProtocolError
        If the model or the finder was trained on one of the records, or there is no record.
    DataError
        If a record is not there.
    """
    require_records(records)
    names = list(dict.fromkeys(records))
    inter = get_protocol("inter")
    asked = replace(inter, name=DETECTED, test_records=tuple(names))
    leak = "; ".join(
        f"{who.full_name}: {what}" if who.finds else what
        for who in (bundle, shipped_finder().bundle)
        if (what := find_leak(who, asked))
    )
    if leak and not allow_leak:
        msg = f"{bundle.full_name} may not be judged on these records: {leak}"
        raise ProtocolError(f"{msg}; --allow-leak judges it all the same and says so")
    # A loaded network cannot be sent to another process; there, each record loads it anew.
    judge = partial(_judge, bundle if jobs > 1 else Classifier(bundle), folder, start_s)
    judged = dict(zip(names, for_each(judge, names, jobs), strict=True))
    summary = summarise({name: one.aami for name, one in judged.items()})
    finder = describe_finder(names)
    return {
        "model": bundle.full_name,
        "protocol": DETECTED,
        "protocol_title": (
            f"beats found in the raw signal of {title} and classed, scored as EC57; lead MLII by "
            "name"
        ),
        "leak": leak or None,
        **{key: summary[key] for key in ("class_map", "start_s", "window_s")},
        **{key: summary[key] for key in ("matrix_rows", "matrix_columns")},
        **describe_classes(judged),
        "without": _without(judged),
        "per_record": {
            name: summary["per_record"][name] | _describe_record(one)
            for name, one in judged.items()
        },
        "finder": finder,
        "params": bundle.n_parameters,
        "weights_sha256": bundle.weights_sha256,
        "code_version": code_version(),
        "notes": [*_notes(judged), finder["note"]],
    }


def _judge(
    model: Bundle | Classifier, folder: Path | None, start_s: float, record: str
) -> JudgedRecord:
    classifier = model if isinstance(model, Classifier) else Classifier(model)
    loaded = load_lead(record, "name", folder)
    peaks = detect_beats(loaded.signal_mv, loaded.fs)
    # All beats of the record at once: a model may look at the rhythm around each.
    probabilities = classifier.classify(loaded.signal_mv, loaded.fs, peaks)
    return compare_classes(
        loaded.marks,
        peaks,
        probabilities.argmax(axis=1).astype(np.int8),
        lead=loaded.lead,
        start_s=start_s,
        stop_s=loaded.duration_s,
    )


def compare_classes(
    reference: Marks,
    peaks: NDArray[np.int64],
    classes: NDArray[np.int8],
    *,
    lead: str = "MLII",
    start_s: float = START_S,
    stop_s: float | None = None,
) -> JudgedRecord:
    """Compare found and classed beats with the reference under both class maps.

    Parameters
    ----------
    reference : Marks
        All marks of the reference.
    peaks : ndarray of int64, shape (beats,)
        Sample index of each found beat at the reference's `fs`, ascending.
    classes : ndarray of int8, shape (beats,)
        Index into `ectopy.beats.CLASSES` of each.
    lead : str
        The lead's name.
    start_s : float
        Seconds at the start that are not scored.
    stop_s : float, optional
        Length of the recording in seconds, see `ectopy.evaluation.ec57.compare`.

    Returns
    -------
    JudgedRecord
    """
    test = marks_of_beats(peaks, classes, reference.fs)
    aami, bxb = (
        compare(reference, test, class_map=class_map, start_s=start_s, stop_s=stop_s)
        for class_map in ("aami", "bxb")
    )
    return JudgedRecord(lead, aami, bxb)


def describe_classes(judged: Mapping[str, JudgedRecord]) -> dict[str, Any]:
    """Score some records as a whole.

    Parameters
    ----------
    judged : mapping of str to JudgedRecord
        By the records' names; one or more.

    Returns
    -------
    dict
        Ready for JSON: the ``records``; ``gross``, ``average``, ``average_of`` and ``matrix`` as
        `ectopy.evaluation.ec57.summarise` gives them; what `class_scores` says of the matrix; and
        the first four under the class map of `bxb` in ``bxb_map``.
    """
    aami = summarise({name: one.aami for name, one in judged.items()})
    bxb = summarise({name: one.bxb for name, one in judged.items()})
    return {
        "records": list(judged),
        **{key: aami[key] for key in _SUMS},
        **class_scores(np.array(aami["matrix"])),
        "bxb_map": {key: bxb[key] for key in _SUMS},
    }


def class_scores(matrix: NDArray[np.int64]) -> dict[str, Any]:
    """Score each class by itself: a missed beat is an error, and so is one that was made up.

    Unlike the scores for ventricular and supraventricular beats of EC57, these excuse nothing.

    Parameters
    ----------
    matrix : ndarray of int64, shape (7, 7)
        As in `ectopy.evaluation.ec57.Comparison`.

    Returns
    -------
    dict
        ``n``, all reference beats; ``confusion_matrix`` (5, 5) of those found; ``missed``, for each
        true class the beats `missed` and `of` how many; ``made_up``, for each class given the beats
        that are none; ``per_class`` with `n`, `precision`, `recall` and `f1`, None for a class that
        does not occur; ``macro_f1`` over the classes that occur, and ``macro_f1_nsvf`` without Q.

    Examples
    --------
    >>> matrix = np.zeros((7, 7), dtype=np.int64)
    >>> matrix[0, 0], matrix[2, 2], matrix[2, 5], matrix[5, 2] = 90, 3, 1, 1
    >>> class_scores(matrix)["per_class"]["V"]
    {'n': 4, 'precision': 0.75, 'recall': 0.75, 'f1': 0.75}
    """
    k = len(CLASSES)
    found, made_up = matrix[:k, :k], matrix[k:, :k].sum(axis=0)
    # One row and one column more: no beat at all.
    whole = np.zeros((k + 1, k + 1), dtype=np.int64)
    whole[:k, :k], whole[:k, k], whole[k, :k] = found, matrix[:k, k:].sum(axis=1), made_up
    scores = matrix_scores(whole)
    f1 = scores["f1"][:k]
    return {
        "n": int(matrix[:k].sum()),
        "confusion_matrix": found.tolist(),
        "missed": missed_beats(matrix),
        "made_up": dict(zip(CLASSES, made_up.tolist(), strict=True)),
        "per_class": {
            name: {
                "n": int(matrix[row].sum()),
                **{key: _known(scores[key][row]) for key in ("precision", "recall", "f1")},
            }
            for row, name in enumerate(CLASSES)
        },
        "macro_f1": _known(f1[~np.isnan(f1)].mean()) if (~np.isnan(f1)).any() else None,
        "macro_f1_nsvf": _known(scores["macro_f1_nsvf"]),
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _without(judged: Mapping[str, JudgedRecord]) -> dict[str, Any]:
    """Score everything again without each group of `LEFT_OUT` that is there."""
    table = {}
    for names in LEFT_OUT:
        rest = {name: one for name, one in judged.items() if name not in names}
        if rest and set(names) <= set(judged):
            table["+".join(names)] = describe_classes(rest)
    return table


def _describe_record(one: JudgedRecord) -> dict[str, Any]:
    return {
        "lead": one.lead,
        "missed": missed_beats(one.aami.matrix),
        "made_up": len(one.aami.extra),
        "bxb_map": score(one.bxb),
    }


def _notes(judged: Mapping[str, JudgedRecord]) -> list[str]:
    notes = [
        "escape beats (e, j) count as N (de Chazal et al. 2004); bxb counts them as S: see bxb map",
        "as EC57 has it, F and Q called V are no false VEB, and Q called S is no false SVEB",
        "beats found in ventricular flutter, in which no beats are marked, count nowhere",
    ]
    notes += [
        f"records {one} and {other} are one subject, on both sides of the split as published"
        for one, other in SAME_SUBJECT.items()
        if one in judged
    ]
    row = CLASSES.index("S")
    beats = {name: int(one.aami.matrix[row].sum()) for name, one in judged.items()}
    if beats.get(MOST_S_BEATS):
        share = beats[MOST_S_BEATS] / sum(beats.values())
        notes.append(f"record {MOST_S_BEATS} holds {share:.0%} of the S beats that are scored")
    return notes
