"""A comparison of runs as plain data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from ectopy.beats import CLASSES, count_classes
from ectopy.errors import ProtocolError, RunError
from ectopy.evaluation.calibration import (
    apply_temperature,
    expected_calibration_error,
    risk_coverage,
)
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_pairs import COMPARED
from ectopy.evaluation.metrics import confusion_matrix, score_classes
from ectopy.evaluation.published import published_results
from ectopy.evaluation.significance import majority_right, mcnemar, sign_flip_p

DRAWS = 200


@pytest.fixture(scope="module")
def runs(made_up_run):
    return [
        *(made_up_run("cnn-mlp", seed, right=0.85) for seed in range(3)),
        *(made_up_run("cnn-kan", seed, right=0.9) for seed in range(2)),
    ]


@pytest.fixture(scope="module")
def intra(runs):
    return compare_runs(runs, resamples=DRAWS)


@pytest.fixture(scope="module")
def inter_runs(runs):
    return [dataclasses.replace(run, protocol="inter") for run in runs]


@pytest.fixture(scope="module")
def inter(inter_runs):
    return compare_runs(inter_runs, resamples=DRAWS)


def scores_of(run, rows=slice(None)):
    return score_classes(run.classes[rows], run.probabilities[rows])


def test_it_is_plain_data_and_the_same_each_time(runs, intra):
    assert json.loads(json.dumps(intra, allow_nan=False)) == intra
    assert compare_runs(runs[::-1], resamples=DRAWS) == intra  # in whatever order runs come


def test_what_was_compared(intra, runs):
    assert (intra["protocol"], intra["n"]) == ("intra", 600)
    assert intra["counts"] == count_classes(runs[0].classes)
    assert intra["records"] == ["100", "202", "213", "232"]
    assert intra["intervals"]["unit"] == "beats"
    assert intra["intervals"]["resamples"] == DRAWS
    assert list(intra["models"]) == ["cnn-kan", "cnn-mlp"]
    one = intra["models"]["cnn-mlp"]
    assert (one["seeds"], one["parameters"], one["multiply_adds"]) == ([0, 1, 2], 7000, 140_000)
    assert [run["seed"] for run in one["runs"]] == [0, 1, 2]
    assert one["runs"][1]["selected_value"] == 0.8
    assert "fewer than five seeds: cnn-kan, cnn-mlp" in intra["notes"]
    assert "per_record" not in one
    assert intra["without"] == {}


@pytest.mark.parametrize("key", ["accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1"])
def test_scores_are_means_over_seeds(intra, runs, key):
    values = [scores_of(run)[key] for run in runs[:3]]
    score = intra["models"]["cnn-mlp"]["scores"][key]
    assert score["mean"] == pytest.approx(np.mean(values))
    assert score["sd"] == pytest.approx(np.std(values, ddof=1))
    assert score["low"] < score["mean"] < score["high"]
    assert [run["macro_f1"] for run in intra["models"]["cnn-mlp"]["runs"]] == pytest.approx(
        [scores_of(run)["macro_f1"] for run in runs[:3]]
    )


def test_scores_of_classes_and_areas(intra, runs):
    scores = [scores_of(run) for run in runs[:3]]
    one = intra["models"]["cnn-mlp"]
    for name in CLASSES:
        for key in ("precision", "recall", "f1", "auc"):
            values = [score["per_class"][name][key] for score in scores]
            assert one["per_class"][name][key]["mean"] == pytest.approx(np.mean(values))
        assert one["per_class"][name]["n"] == scores[0]["per_class"][name]["n"]
    areas = [score["macro_auc"] for score in scores]
    assert one["scores"]["macro_auc"]["mean"] == pytest.approx(np.mean(areas))
    assert one["scores"]["macro_auc"]["sd"] == pytest.approx(np.std(areas, ddof=1))
    matrices = [confusion_matrix(run.classes, run.predicted) for run in runs[:3]]
    assert one["confusion_matrix"] == np.sum(matrices, axis=0).tolist()


def test_one_seed_has_no_standard_deviation(made_up_run):
    score = compare_runs([made_up_run()], resamples=50)["models"]["cnn-mlp"]["scores"]["accuracy"]
    assert score["sd"] is None
    assert score["low"] is not None


def test_differences(intra, runs):
    (one,) = intra["comparisons"]
    assert (one["first"], one["second"]) == ("cnn-kan", "cnn-mlp")
    assert tuple(one["differences"]) == COMPARED
    models = intra["models"]
    for key, difference in one["differences"].items():
        means = [
            (model["per_class"][key[-1]]["f1"] if key.startswith("f1_") else model["scores"][key])[
                "mean"
            ]
            for model in (models["cnn-kan"], models["cnn-mlp"])
        ]
        assert difference["point"] == pytest.approx(means[0] - means[1])
        assert difference["low"] < difference["high"]
        assert difference["p"] <= difference["p_holm"] <= 1
        assert "p_flip" not in difference
    right = [
        majority_right(runs[0].classes, np.array([run.predicted for run in some]))
        for some in (runs[3:], runs[:3])
    ]
    assert one["mcnemar"] == {**mcnemar(*right)._asdict(), "p_holm": mcnemar(*right).p}
    assert intra["multiplicity"]["tests"] == len(COMPARED)


def test_patients_are_what_differs_under_a_patient_wise_protocol(inter, inter_runs):
    assert inter["intervals"]["unit"] == "records"
    (one,) = inter["comparisons"]
    assert "mcnemar" not in one
    assert (one["flips"], one["flips_exact"]) == (16, True)
    names = np.unique(inter_runs[0].records)

    def mean_matrices(some):
        return np.mean(
            [
                [
                    confusion_matrix(run.classes[run.records == r], run.predicted[run.records == r])
                    for r in names
                ]
                for run in some
            ],
            axis=0,
        )

    p = sign_flip_p(mean_matrices(inter_runs[3:]), mean_matrices(inter_runs[:3]))["p"]
    assert one["differences"]["macro_f1"]["p_flip"] == p["macro_f1"]
    assert one["differences"]["f1_S"]["p_flip"] == p["f1"][1]
    assert one["differences"]["f1_S"]["p_flip"] <= one["differences"]["f1_S"]["p_flip_holm"]
    width = {
        key: results["high"] - results["low"]
        for key, results in (
            ("records", inter["models"]["cnn-mlp"]["scores"]["accuracy"]),
            ("beats", compare_runs([dataclasses.replace(run, protocol="intra")
                                    for run in inter_runs], resamples=DRAWS)
                      ["models"]["cnn-mlp"]["scores"]["accuracy"]),
        )
    }  # fmt: skip
    assert width["records"] != width["beats"]


def test_without_a_record(inter, inter_runs):
    assert list(inter["without"]) == ["202", "232"]
    for record, rest in inter["without"].items():
        rows = inter_runs[0].records != record
        assert rest["n"] == rows.sum() == 450
        assert rest["counts"] == count_classes(inter_runs[0].classes[rows])
        values = [scores_of(run, rows) for run in inter_runs[:3]]
        one = rest["models"]["cnn-mlp"]
        expected = np.mean([value["per_class"]["S"]["f1"] for value in values])
        assert one["per_class"]["S"]["f1"]["mean"] == pytest.approx(expected)
        expected = np.mean([value["macro_f1"] for value in values])
        assert one["scores"]["macro_f1"]["mean"] == pytest.approx(expected)
        assert rest["comparisons"][0]["flips"] == 8
    assert inter["without"]["202"]["reason"] == (
        "record 201 of the training part is of the same subject"
    )


def test_a_record_that_is_not_there_is_not_left_out(inter_runs):
    rows = inter_runs[0].records != "232"
    names = ("records", "peaks", "classes", "probabilities")
    some = [
        dataclasses.replace(run, **{name: getattr(run, name)[rows] for name in names})
        for run in inter_runs
    ]
    assert list(compare_runs(some, resamples=50)["without"]) == ["202"]


def test_each_record(inter, inter_runs):
    table = inter["models"]["cnn-mlp"]["per_record"]
    assert list(table) == ["100", "202", "213", "232"]
    run = inter_runs[0]
    rows = run.records == "213"
    v = CLASSES.index("V")
    found = [((one.predicted == v) & (one.classes == v) & rows).sum() for one in inter_runs[:3]]
    called = [((one.predicted == v) & rows).sum() for one in inter_runs[:3]]
    n = int(((run.classes == v) & rows).sum())
    cell = table["213"]["V"]
    assert cell["n"] == n
    assert cell["found"] == pytest.approx(np.mean(found))
    assert cell["missed"] == pytest.approx(n - np.mean(found))
    assert cell["false"] == pytest.approx(np.mean(called) - np.mean(found))


def test_a_class_in_one_record_is_named(inter_runs):
    classes = np.where(inter_runs[0].classes == 3, 0, inter_runs[0].classes).astype(np.int8)
    classes[305:315] = 3  # all in 213
    notes = compare_runs(
        [dataclasses.replace(run, classes=classes) for run in inter_runs], resamples=50
    )["notes"]
    assert any(note.startswith("100 % of the F beats in 213: intervals") for note in notes)


def test_certainty(intra):
    one = intra["models"]["cnn-kan"]
    assert one["calibration"]["temperature"] == {"mean": 1.5, "sd": 0.0}
    for table in (one["calibration"]["unscaled"], one["calibration"]["as_given"]):
        assert sum(row["n"] for row in table) == 1200  # both seeds
    risk = one["risk_coverage"]
    assert risk["referred"] == [0, 0.01, 0.02, 0.05, 0.1]
    assert risk["errors"][0]["mean"] == pytest.approx(1 - one["scores"]["accuracy"]["mean"])
    assert risk["curve"]["error"][0] == pytest.approx(risk["errors"][0]["mean"], abs=1e-6)
    assert len(risk["curve"]["error"]) == len(risk["curve"]["referred"]) == 81
    assert one["scores"]["ece"]["mean"] != one["scores"]["ece_unscaled"]["mean"]


def test_certainties_are_those_of_the_bundle_and_told_beside_those_before(made_up_run):
    """What the run holds is what is scored; before its temperature, it was sharper."""
    run = made_up_run(temperature=2.0)
    raw = apply_temperature(run.probabilities, 0.5)
    one = compare_runs([run], resamples=20)["models"]["cnn-mlp"]
    given, before = (expected_calibration_error(run.classes, p) for p in (run.probabilities, raw))
    assert one["scores"]["ece"]["mean"] == pytest.approx(given)
    assert one["scores"]["ece_unscaled"]["mean"] == pytest.approx(before)
    sure = [
        np.mean([row["confidence"] for row in one["calibration"][key]])
        for key in ("as_given", "unscaled")
    ]
    assert sure[0] < sure[1]
    area = one["risk_coverage"]["area"]["mean"]
    right = run.predicted == run.classes
    assert area == pytest.approx(risk_coverage(right, run.probabilities.max(axis=1)).area)


def test_who_has_no_temperature_is_told(made_up_run):
    runs = [made_up_run(temperature=1.0), made_up_run("cnn-kan")]
    results = compare_runs(runs, resamples=20)
    assert "no temperature was fitted for: cnn-mlp" in results["notes"]
    scores = results["models"]["cnn-mlp"]["scores"]
    assert scores["ece"] == scores["ece_unscaled"]
    calibrated = compare_runs(runs[1:], resamples=20)["notes"]
    assert not any(note.startswith("no temperature") for note in calibrated)


def test_epochs_of_runs_that_stopped_at_different_times(intra):
    rows = intra["models"]["cnn-mlp"]["epochs"]
    assert [row["epoch"] for row in rows] == list(range(1, 8))
    assert [row["seeds"] for row in rows] == [3, 3, 3, 3, 3, 2, 1]
    assert rows[0]["train_loss"] == pytest.approx({"mean": 1.01, "low": 1.0, "high": 1.02})
    assert rows[6]["train_loss"]["mean"] == pytest.approx(1 / 7 + 0.02)


def test_an_epoch_measure_that_was_not_noted(made_up_run):
    run = made_up_run(epochs=({"epoch": 1, "train_loss": 0.5},))
    rows = compare_runs([run], resamples=50)["models"]["cnn-mlp"]["epochs"]
    assert rows == [
        {
            "epoch": 1,
            "seeds": 1,
            "train_loss": {"mean": 0.5, "low": 0.5, "high": 0.5},
            "val_loss": None,
            "val_macro_f1": None,
        }
    ]


def test_a_class_that_does_not_occur(made_up_run):
    runs = [
        made_up_run("cnn-kan", classes=np.zeros(600, np.int8), protocol="inter"),
        made_up_run("cnn-mlp", classes=np.zeros(600, np.int8), protocol="inter"),
    ]
    results = compare_runs(runs, resamples=50)
    json.dumps(results, allow_nan=False)
    one = results["models"]["cnn-mlp"]
    assert one["per_class"]["S"]["f1"] == {"mean": None, "sd": None, "low": None, "high": None}
    assert one["scores"]["macro_auc"]["mean"] is None
    assert one["curves"]["classes"]["S"] is None
    difference = results["comparisons"][0]["differences"]["f1_S"]
    assert {difference[key] for key in ("point", "low", "p", "p_holm", "p_flip")} == {None}


def test_the_floor(intra, runs):
    share = (runs[0].classes == 0).mean()
    assert intra["always_n"]["accuracy"] == pytest.approx(share)
    assert intra["always_n"]["macro_f1"] == pytest.approx(2 * share / (1 + share) / 5)


def test_published_results_only_on_the_published_beats(intra):
    assert intra["published"] == []
    counts = {"N": 13_589, "S": 417, "V": 1_085, "F": 121, "Q": 1_206}
    mlp, kan = published_results("intra", counts)
    assert published_results("inter", counts) == []
    # As the model card prints them.
    assert [round(mlp[key], 4) for key in ("accuracy", "macro_f1", "weighted_f1")] == [
        0.9800, 0.9019, 0.9809,
    ]  # fmt: skip
    assert [round(kan[key], 4) for key in ("accuracy", "macro_f1", "weighted_f1")] == [
        0.9476, 0.8167, 0.9540,
    ]  # fmt: skip
    assert [round(mlp["per_class"][c]["f1"], 4) for c in CLASSES] == [
        0.9889, 0.8111, 0.9577, 0.7589, 0.9930,
    ]  # fmt: skip
    assert [round(kan["per_class"][c]["f1"], 4) for c in CLASSES] == [
        0.9690, 0.5968, 0.9070, 0.6270, 0.9836,
    ]  # fmt: skip


def test_all_pairs_or_those_asked_for(made_up_run):
    names = ("a", "cnn-kan", "cnn-mlp", "rhythm-kan", "rhythm-mlp")
    runs = [made_up_run(name) for name in names]
    comparisons = compare_runs(runs, resamples=50)["comparisons"]
    pairs = [(one["first"], one["second"]) for one in comparisons]
    assert pairs[:2] == [("cnn-kan", "cnn-mlp"), ("rhythm-kan", "rhythm-mlp")]
    assert len(pairs) == len({frozenset(pair) for pair in pairs}) == 10
    asked = compare_runs(runs, pairs=[("rhythm-mlp", "cnn-mlp")], resamples=50)["comparisons"]
    assert [(one["first"], one["second"]) for one in asked] == [("rhythm-mlp", "cnn-mlp")]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("cnn-kan", "vit"),
         "there is no run of 'vit' to compare; there are runs of: cnn-kan, cnn-mlp"),
        (("cnn-kan", "cnn-kan"), "cannot compare 'cnn-kan' with itself; name two models"),
    ],
)  # fmt: skip
def test_pairs_that_are_none(runs, pair, message):
    with pytest.raises(RunError) as caught:
        compare_runs(runs, pairs=[pair], resamples=50)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "inter"},
         "cnn-kan, seed 0 is of protocol 'inter', cnn-mlp, seed 0 of 'intra'; "
         "compare runs of one protocol"),
        ({"peaks": np.arange(600)},
         "cnn-kan, seed 0 and cnn-mlp, seed 0 are not about the same beats: the peaks of 600 beats "
         "differ, first those of beat 0; write the predictions of both with one version of the "
         "data"),
        ({"model": "cnn-mlp"}, "two runs are both cnn-mlp, seed 0; give each run once"),
        ({"model": "cnn-mlp", "seed": 1, "parameters": 5},
         "cnn-mlp, seed 1 has parameters = 5, cnn-mlp, seed 0 has 7000; "
         "give another network another name"),
        ({"model": "cnn-mlp", "seed": 1, "parameters": 7000, "multiply_adds": 5},
         "cnn-mlp, seed 1 has multiply_adds = 5, cnn-mlp, seed 0 has 140000; "
         "give another network another name"),
    ],
)  # fmt: skip
def test_runs_that_do_not_go_together(made_up_run, changes, message):
    other = dataclasses.replace(made_up_run(), **({"model": "cnn-kan"} | changes))
    with pytest.raises(RunError) as caught:
        compare_runs([made_up_run(), other])
    assert str(caught.value) == message


def test_older_runs_that_have_not_counted_go_with_others(made_up_run):
    runs = [made_up_run(seed=seed, multiply_adds=n) for seed, n in enumerate((None, 9, None))]
    one = compare_runs(runs, resamples=20)["models"]["cnn-mlp"]
    assert one["multiply_adds"] == 9
    with pytest.raises(RunError, match=r"seed 3 has multiply_adds = 8, cnn-mlp, seed 1 has 9"):
        compare_runs([*runs, made_up_run(seed=3, multiply_adds=8)], resamples=20)
    assert compare_runs(runs[:1], resamples=20)["models"]["cnn-mlp"]["multiply_adds"] is None


def test_other_beats_and_none(made_up_run):
    run = made_up_run()
    names = ("records", "peaks", "classes", "probabilities")
    fewer = {name: getattr(run, name)[:-1] for name in names}
    with pytest.raises(RunError, match=r"same beats: 599 beats and 600; write the predictions"):
        compare_runs([run, made_up_run("cnn-kan", **fewer)])
    with pytest.raises(RunError) as caught:
        compare_runs([])
    assert str(caught.value) == "there is no run to compare; give one or more"
    with pytest.raises(ProtocolError, match=r"^unknown protocol 'mine'; the protocols are: "):
        compare_runs([made_up_run(protocol="mine")])
