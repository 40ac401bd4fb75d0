"""Classes of beats found in the raw signal: what counts, what is left out, what is refused."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.beats import CLASSES, BeatTable
from ectopy.data.mitdb import RECORDS
from ectopy.data.protocols import DS2
from ectopy.errors import ProtocolError
from ectopy.evaluation import detected_classes
from ectopy.evaluation.detected_classes import (
    class_scores,
    compare_classes,
    describe_classes,
    evaluate_detected_classes,
)
from ectopy.evaluation.ec57 import Marks
from ectopy.evaluation.ec57_files import score_folders
from ectopy.evaluation.ec57_scores import COLUMNS, ROWS
from ectopy.inference.engine import Classifier
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.writers.annotations import write_annotations

if TYPE_CHECKING:
    from ectopy.evaluation.detected_classes import JudgedRecord

FS = 360.0
START = 300 * 360
APART = 300
SHORT = {"start_s": 0.25}  # records that are made up last twelve seconds
RECORD_KEYS = {
    "class_map", "qrs", "veb", "sveb", "matrix", "stop_s", "flutter_s", "shutdown_s", "in_flutter",
    "lead", "missed", "made_up", "bxb_map",
}  # fmt: skip
SUMS = {"gross", "average", "average_of", "matrix"}
DESCRIPTION = SUMS | {
    "records", "n", "confusion_matrix", "missed", "made_up", "per_class", "macro_f1",
    "macro_f1_nsvf", "bxb_map",
}  # fmt: skip


def judge(*beats: str, start: int = START) -> JudgedRecord:
    """Compare beats such as "NS", N in the reference and S given; "-" is no beat at all."""
    where = start + APART * (1 + np.arange(len(beats)))
    both = [(at, *beat) for at, beat in zip(where, beats, strict=True)]
    reference = [(at, symbol) for at, symbol, _ in both if symbol != "-"]
    given = [(at, CLASSES.index(name)) for at, _, name in both if name != "-"]
    return compare_classes(
        Marks(np.array([at for at, _ in reference]), np.array([s for _, s in reference]), FS),
        np.array([at for at, _ in given], dtype=np.int64),
        np.array([c for _, c in given], dtype=np.int8),
        stop_s=600.0,
    )


def counts(*beats: str, group: str, bxb: bool = False) -> tuple[int, int, int]:
    """True positives, misses and false positives."""
    described = describe_classes({"100": judge("NN", *beats)})
    scores = (described["bxb_map"] if bxb else described)["gross"][group]
    return scores["tp"], scores["fn"], scores["fp"]


@pytest.mark.parametrize(
    ("beat", "veb", "sveb"),
    [
        ("VV", (1, 0, 0), (0, 0, 0)),
        ("EV", (1, 0, 0), (0, 0, 0)),
        ("VN", (0, 1, 0), (0, 0, 0)),
        ("V-", (0, 1, 0), (0, 0, 0)),  # a beat that is not found is not classed either
        ("NV", (0, 0, 1), (0, 0, 0)),
        ("-V", (0, 0, 1), (0, 0, 0)),  # one that is made up counts against its class
        ("FV", (0, 0, 0), (0, 0, 0)),  # nobody can tell those from V with confidence
        ("/V", (0, 0, 0), (0, 0, 0)),
        ("QV", (0, 0, 0), (0, 0, 0)),
        ("VF", (0, 1, 0), (0, 0, 0)),  # but a V beat is to be called V
        ("SV", (0, 0, 1), (0, 1, 0)),
        ("AS", (0, 0, 0), (1, 0, 0)),
        ("JS", (0, 0, 0), (1, 0, 0)),
        ("VS", (0, 1, 0), (0, 0, 1)),
        ("NS", (0, 0, 0), (0, 0, 1)),
        ("-S", (0, 0, 0), (0, 0, 1)),
        ("FS", (0, 0, 0), (0, 0, 1)),
        ("QS", (0, 0, 0), (0, 0, 0)),
        ("fS", (0, 0, 0), (0, 0, 0)),
        ("a-", (0, 0, 0), (0, 1, 0)),
    ],
)
def test_what_counts_for_ectopic_beats(beat, veb, sveb):
    assert counts(beat, group="veb") == veb
    assert counts(beat, group="sveb") == sveb
    assert counts(beat, group="veb", bxb=True) == veb
    assert counts(beat, group="sveb", bxb=True) == sveb


@pytest.mark.parametrize("symbol", ["e", "j"])
def test_escape_beats_are_normal_here_and_supraventricular_for_bxb(symbol):
    assert counts(symbol + "S", group="sveb") == (0, 0, 1)
    assert counts(symbol + "S", group="sveb", bxb=True) == (1, 0, 0)
    assert counts(symbol + "N", group="sveb") == (0, 0, 0)
    assert counts(symbol + "N", group="sveb", bxb=True) == (0, 1, 0)


def test_the_first_five_minutes_do_not_count():
    early = judge("NN", "VN", "-V", start=START - 5 * APART)
    assert early.aami.matrix.sum() == 0
    assert judge("NN", "VN", "-V").aami.matrix.sum() == 3


@pytest.mark.parametrize(("distance", "matched"), [(54, 1), (55, 0)])
def test_beats_match_within_150_ms(distance, matched):
    marks = Marks(np.array([START + 1000, START + 2000]), np.array(["V", "N"]), FS)
    peaks = np.array([START + 1000 + distance, START + 2000])
    judged = compare_classes(marks, peaks, np.array([2, 0], dtype=np.int8), stop_s=600.0)
    assert judged.aami.matrix[ROWS.index("V"), COLUMNS.index("v")] == matched
    assert len(judged.aami.missed) == len(judged.aami.extra) == 1 - matched


def test_gross_counts_beats_and_average_counts_records():
    described = describe_classes({
        "100": judge("NN", "VV", "VV", "VV"),
        "105": judge("NN", "VV", "VN"),
        "103": judge("NN"),  # has no rate, and takes no part
    })  # fmt: skip
    assert described["records"] == ["100", "105", "103"]
    assert described["gross"]["veb"]["se"] == 4 / 5
    assert described["average"]["veb"]["se"] == (1 + 1 / 2) / 2
    assert described["average_of"]["veb"] == {"se": 2, "ppv": 2, "fpr": 3}


def test_each_class_by_itself_with_nothing_excused():
    matrix = judge("NN", "NN", "NV", "VV", "VV", "V-", "FV", "-V", "-N", "-N").aami.matrix
    scores = class_scores(matrix)
    assert scores["n"] == 7
    assert scores["confusion_matrix"] == [
        [2, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip
    assert scores["missed"]["V"] == {"missed": 1, "of": 3}
    assert scores["missed"]["N"] == {"missed": 0, "of": 3}
    assert scores["made_up"] == {"N": 2, "S": 0, "V": 1, "F": 0, "Q": 0}
    per_class = scores["per_class"]
    assert per_class["V"] == {"n": 3, "precision": 2 / 5, "recall": 2 / 3, "f1": 1 / 2}
    assert per_class["N"] == {"n": 3, "precision": 1 / 2, "recall": 2 / 3, "f1": 4 / 7}
    assert per_class["F"] == {"n": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert per_class["S"] == {"n": 0, "precision": None, "recall": None, "f1": None}
    assert scores["macro_f1"] == scores["macro_f1_nsvf"] == pytest.approx((1 / 2 + 4 / 7) / 3)


def test_q_is_in_one_macro_f1_and_not_in_the_other():
    scores = class_scores(judge("NN", "QN").aami.matrix)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert scores["macro_f1_nsvf"] == pytest.approx(2 / 3)


def test_no_beat_at_all_is_no_score():
    scores = class_scores(np.zeros((7, 7), dtype=np.int64))
    assert scores["n"] == 0
    assert scores["macro_f1"] is None
    assert scores["macro_f1_nsvf"] is None


# The whole chain, on records that are made up


@pytest.fixture(scope="module")
def inter(untrained_bundle) -> Bundle:
    return find_bundle(untrained_bundle("cnn-mlp"))


def trained_on(bundle: Bundle, *records: str) -> Bundle:
    training = bundle.config["training"] | {"records": list(records)}
    return dataclasses.replace(bundle, config=bundle.config | {"training": training})


class AllVentricular(Classifier):
    """Calls every beat V, and keeps what it was asked."""

    asked: list[tuple[int, int]]

    def classify(self, signal_mv, fs, peaks):
        assert fs == 360
        type(self).asked.append((len(signal_mv), len(peaks)))
        return np.tile(np.eye(5, dtype=np.float32)[2], (len(peaks), 1))


def test_a_model_gets_all_beats_of_the_whole_record_at_once(inter, made_up_mitdb, monkeypatch):
    AllVentricular.asked = []
    monkeypatch.setattr(detected_classes, "Classifier", AllVentricular)
    results = evaluate_detected_classes(inter, ["100", "103"], folder=made_up_mitdb, **SHORT)
    assert [n_samples for n_samples, _ in AllVentricular.asked] == [4232, 4232]
    assert all(13 <= n_beats <= 16 for _, n_beats in AllVentricular.asked)
    veb = results["gross"]["veb"]
    found = results["n"] - sum(row["missed"] for row in results["missed"].values())
    assert veb["tp"] == results["missed"]["V"]["of"] - results["missed"]["V"]["missed"] > 0
    matrix = np.array(results["confusion_matrix"])
    assert matrix[:, 2].sum() == matrix.sum() == found
    # All that is neither V nor excused is a false positive.
    assert veb["fp"] == matrix[:2, 2].sum() + results["made_up"]["V"]
    assert results["per_class"]["V"]["recall"] == veb["se"]


def test_what_a_result_holds(inter, made_up_mitdb):
    records = ["100", "202", "232"]
    results = evaluate_detected_classes(
        inter, records, title="three records", folder=made_up_mitdb, **SHORT
    )
    assert set(results) == DESCRIPTION | {
        "model", "protocol", "protocol_title", "leak", "class_map", "start_s", "window_s",
        "matrix_rows", "matrix_columns", "without", "per_record", "finder", "params",
        "weights_sha256", "code_version", "notes",
    }  # fmt: skip
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert results["model"] == "cnn-mlp/inter"
    assert results["protocol"] == "detected"
    assert results["protocol_title"].startswith("beats found in the raw signal of three records ")
    assert results["leak"] is None
    assert (results["start_s"], results["window_s"]) == (0.25, 0.15)
    assert results["class_map"] == "aami"
    assert results["params"] == 175_973
    assert results["weights_sha256"] == inter.weights_sha256
    assert results["finder"]["name"] == "beat-finder/inter"
    assert results["finder"]["weights_sha256"] == find_bundle("beat-finder").weights_sha256
    assert results["finder"]["records_seen"] == []
    assert set(results["bxb_map"]) == SUMS
    assert list(results["per_record"]) == results["records"] == records
    for one in results["per_record"].values():
        assert set(one) == RECORD_KEYS
        assert one["lead"] == "MLII"
        assert {"qrs", "veb", "sveb"} < set(one["bxb_map"])
    whole = np.sum([one["matrix"] for one in results["per_record"].values()], axis=0)
    assert whole.tolist() == results["matrix"]
    assert results["n"] == whole[:5].sum()


def test_everything_again_without_the_two_records(inter, made_up_mitdb):
    options = {"folder": made_up_mitdb, **SHORT}
    results = evaluate_detected_classes(inter, ["100", "202", "232"], **options)
    assert {names: one["records"] for names, one in results["without"].items()} == {
        "232": ["100", "202"],
        "202": ["100", "232"],
        "202+232": ["100"],
    }
    alone = evaluate_detected_classes(inter, ["100", "202"], **options)
    assert results["without"]["232"] == {key: alone[key] for key in DESCRIPTION}
    assert list(alone["without"]) == ["202"]
    notes = "\n".join(alone["notes"])
    assert "records 202 and 201 are one subject" in notes
    assert "record 232" not in notes
    notes = "\n".join(evaluate_detected_classes(inter, ["100", "232"], **options)["notes"])
    assert "record 232 holds " in notes
    assert "one subject" not in notes
    assert evaluate_detected_classes(inter, ["232"], **options)["without"] == {}
    assert "escape beats (e, j) count as N" in notes


def test_mlii_is_taken_by_name(inter, made_up_mitdb):
    bundle = trained_on(inter, "101")
    results = evaluate_detected_classes(
        bundle, ["114", "102"], folder=made_up_mitdb, allow_leak=True, **SHORT
    )
    assert [one["lead"] for one in results["per_record"].values()] == ["MLII", "V5"]


def test_several_processes_find_the_same(inter, made_up_mitdb):
    options = {"folder": made_up_mitdb, **SHORT}
    one, two = (
        evaluate_detected_classes(inter, ["100", "103"], jobs=jobs, **options) for jobs in (1, 2)
    )
    assert one == two


def test_a_model_trained_on_one_of_the_records_is_refused(inter, tmp_path):
    with pytest.raises(ProtocolError) as caught:
        # Before any data are read.
        evaluate_detected_classes(trained_on(inter, "101", "202"), DS2, folder=tmp_path)
    assert str(caught.value) == (
        "cnn-mlp/inter may not be judged on these records: it was trained on beats of 1 of the 22 "
        "test records (202); --allow-leak judges it all the same and says so"
    )


def test_a_leak_that_is_allowed_is_noted(inter, made_up_mitdb):
    results = evaluate_detected_classes(
        trained_on(inter, "100"), ["100"], folder=made_up_mitdb, allow_leak=True, **SHORT
    )
    assert results["leak"] == "it was trained on beats of 1 of the 1 test records (100)"


def test_what_the_finder_was_trained_on_is_a_leak_as_well(inter, made_up_mitdb):
    bundle = trained_on(inter, "103")
    what = "beat-finder/inter: it was trained on beats of 1 of the 2 test records (101)"
    with pytest.raises(ProtocolError) as caught:
        evaluate_detected_classes(bundle, ["100", "101"], folder=made_up_mitdb)
    assert what in str(caught.value)
    results = evaluate_detected_classes(
        bundle, ["100", "101"], folder=made_up_mitdb, allow_leak=True, **SHORT
    )
    assert results["leak"] == what
    assert results["finder"]["records_seen"] == ["101"]


def test_no_record_is_refused(inter):
    with pytest.raises(ProtocolError, match=r"^there is no record to judge "):
        evaluate_detected_classes(inter, [])


# The real database


def test_it_is_what_analyze_and_score_say(mitdb_dir, tmp_path):
    import ectopy

    bundle = find_bundle("cnn-mlp/intra")
    assert set(bundle.config["training"]["records"]) == set(RECORDS)
    records = ["114", "222"]
    results = evaluate_detected_classes(bundle, records, folder=mitdb_dir, allow_leak=True)
    for name in records:
        analysis = ectopy.analyze(mitdb_dir / name, model=bundle)
        beats = analysis.beats
        # Scores are of every beat, in unusable signal too.
        beats = BeatTable(beats.peaks, beats.probabilities, beats.fs)
        write_annotations(replace(analysis, beats=beats), tmp_path)
    for class_map in ("aami", "bxb"):
        scored = score_folders(
            mitdb_dir, tmp_path, annotator="ectopy", class_map=class_map, records=records
        )
        ours = results if class_map == "aami" else results["bxb_map"]
        for key in SUMS:
            assert ours[key] == scored[key], (class_map, key)
    # Record 222 has escape beats, so that the maps differ.
    of = [sums["gross"]["sveb"] for sums in (results, results["bxb_map"])]
    assert of[0]["tp"] + of[0]["fn"] < of[1]["tp"] + of[1]["fn"]
    assert results["per_record"]["114"]["lead"] == "MLII"


@pytest.mark.slow
def test_the_beats_that_are_scored_are_those_of_bxb(inter, mitdb_dir):
    results = evaluate_detected_classes(inter, DS2, folder=mitdb_dir)
    of = {name: row["of"] for name, row in results["missed"].items()}
    assert of == {"N": 36_926, "S": 1_608, "V": 2_686, "F": 288, "Q": 7}
    sveb = results["bxb_map"]["gross"]["sveb"]
    assert sveb["tp"] + sveb["fn"] == 1_821
    assert list(results["without"]) == ["232", "202", "202+232"]
    assert results["leak"] is None
