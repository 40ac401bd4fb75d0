"""Markdown and CSV of a comparison."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from ectopy.beats import CLASSES
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_csv import as_csv
from ectopy.evaluation.compare_tables import markdown
from ectopy.printing import number, p_text, with_spread


@pytest.fixture(scope="module")
def results(made_up_run):
    """Both protocols: `published` only fits the real beats, so a row is put there by hand."""
    runs = [made_up_run("cnn-mlp", seed) for seed in range(2)] + [made_up_run("cnn-kan")]
    intra = compare_runs(runs, resamples=50)
    scores = dict.fromkeys(("accuracy", "macro_f1", "macro_f1_nsvf", "weighted_f1"), 0.5)
    rates = {"n": 1, "precision": 0.25, "recall": 0.25, "f1": 0.25}
    intra["published"] = [
        {
            "name": "CNN+MLP, published",
            "model": "cnn-mlp",
            "parameters": 1234,
            "macro_auc": 0.75,
            "per_class": dict.fromkeys(CLASSES, rates),
            **scores,
        }
    ]
    inter = [dataclasses.replace(run, protocol="inter") for run in runs]
    return {"intra": intra, "inter": compare_runs(inter, resamples=50)}


def tables(text: str) -> dict[str, list[list[str]]]:
    """Cells of each table by its heading."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| ") and not line.startswith("| ---"):
            found.setdefault(heading, []).append([c.strip() for c in line.strip("|").split("|")])
    return found


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_numbers():
    assert number(-0.00001) == "0.0000"
    assert number(-0.00001, signed=True) == "+0.0000"
    assert number(-0.25, 2, signed=True) == "-0.25"
    assert number(0.99996) == "1.0000"
    assert (p_text(1.0), p_text(0.0009999), p_text(0.001)) == ("1.000", "< 0.001", "0.001")
    assert with_spread({"mean": None, "sd": None, "low": None, "high": None}) == "-"


@pytest.mark.parametrize("protocol", ["intra", "inter"])
def test_every_table_is_as_wide_as_its_head(results, protocol):
    found = tables(markdown(results[protocol]))
    expected = ["Scores", "Classes", "Differences", "Certainty"]
    if protocol == "inter":
        expected += ["Without record 202", "Without record 232", "Records"]
    assert list(found) == [*expected, "Confusion matrices, summed over seeds"]
    for rows in found.values():
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1


def test_the_scores(results):
    one = results["intra"]["models"]["cnn-mlp"]
    head, kan, mlp, published, floor = tables(markdown(results["intra"]))["Scores"]
    assert head[:5] == ["model", "seeds", "parameters", "multiply-adds", "accuracy"]
    accuracy = one["scores"]["accuracy"]
    assert mlp[:5] == [
        "cnn-mlp", "2", "7,000", "140,000",
        f"{accuracy['mean']:.4f} ± {accuracy['sd']:.4f} "
        f"[{accuracy['low']:.4f}, {accuracy['high']:.4f}]",
    ]  # fmt: skip
    assert "±" not in kan[4]  # one seed
    assert published == [
        "CNN+MLP, published", "1", "1,234", "-", "0.5000", "0.5000", "0.5000", "0.5000", "0.7500",
    ]  # fmt: skip
    assert floor[0] == "always N"
    assert floor[4] == f"{results['intra']['always_n']['accuracy']:.4f}"


def test_the_differences_name_the_test_that_was_made(results):
    (comparison,) = results["intra"]["comparisons"]
    head, accuracy, macro, *_ = tables(markdown(results["intra"]))["Differences"]
    assert head[-2:] == ["p, McNemar", "Holm"]
    assert accuracy[0] == "cnn-kan minus cnn-mlp"
    assert accuracy[5] == p_text(comparison["mcnemar"]["p"])
    assert macro[5:] == ["-", "-"]
    (comparison,) = results["inter"]["comparisons"]
    head, _, macro, *_ = tables(markdown(results["inter"]))["Differences"]
    assert head[-2:] == ["p, swaps by record", "Holm"]
    macro_f1 = comparison["differences"]["macro_f1"]
    assert macro[5:] == [p_text(macro_f1["p_flip"]), p_text(macro_f1["p_flip_holm"])]
    assert macro[2].startswith(f"{macro_f1['point']:+.4f} [")


def test_notes_and_reasons_are_told(results):
    text = markdown(results["inter"])
    assert text.startswith("# Comparison under `inter`\n\nProtocol: DS1 -> DS2")
    for note in results["inter"]["notes"]:
        assert f"- {note}" in text
    reason = "Left out because record 201 of the training part is of the same subject; 450 beats"
    assert reason in text
    assert "None" not in text
    assert "nan" not in text


def test_one_model_has_no_differences(made_up_run):
    text = markdown(compare_runs([made_up_run()], resamples=50))
    assert "Differences" not in text
    assert "\n\n\n" not in text


def test_csv_holds_every_number(results):
    rows = rows_of(as_csv(results["inter"]))
    assert {row["protocol"] for row in rows} == {"inter"}
    assert {row["part"] for row in rows} == {
        "all", "without 202", "without 232", "record 100", "record 202", "record 213", "record 232",
        "floor",
    }  # fmt: skip

    def one(**wanted: str) -> dict[str, str]:
        (row,) = [row for row in rows if all(row[key] == wanted[key] for key in wanted)]
        return row

    models = results["inter"]["models"]
    f1 = one(part="all", model="cnn-mlp", score="f1", **{"class": "S"})
    expected = models["cnn-mlp"]["per_class"]["S"]
    assert {key: float(f1[key]) for key in ("mean", "sd", "low", "high")} == expected["f1"]
    assert (int(f1["n"]), f1["seeds"], f1["p"]) == (expected["n"], "2", "")
    assert one(part="all", model="cnn-kan", score="f1", **{"class": "S"})["sd"] == ""
    (pair,) = results["inter"]["without"]["202"]["comparisons"]
    row = one(part="without 202", model="cnn-kan minus cnn-mlp", score="macro_f1")
    for key in ("low", "high", "p", "p_holm", "p_flip", "p_flip_holm"):
        assert float(row[key]) == pair["differences"]["macro_f1"][key]
    assert float(row["mean"]) == pair["differences"]["macro_f1"]["point"]
    assert one(part="all", model="cnn-mlp", score="parameters")["mean"] == "7000"
    assert one(part="all", model="cnn-kan", score="multiply_adds")["mean"] == "140000"
    cell = models["cnn-mlp"]["per_record"]["213"]["V"]
    row = one(part="record 213", model="cnn-mlp", score="missed", **{"class": "V"})
    assert (float(row["mean"]), int(row["n"])) == (cell["missed"], cell["n"])


def test_what_is_not_counted_has_no_line(made_up_run):
    rows = rows_of(as_csv(compare_runs([made_up_run(multiply_adds=None)], resamples=20)))
    scores = {row["score"] for row in rows}
    assert "parameters" in scores
    assert "multiply_adds" not in scores


def test_csv_of_beats_has_mcnemar_and_what_is_published(results):
    rows = rows_of(as_csv(results["intra"]))
    (row,) = [row for row in rows if row["score"] == "mcnemar"]
    assert float(row["p"]) == results["intra"]["comparisons"][0]["mcnemar"]["p"]
    published = [row for row in rows if row["part"] == "published"]
    assert len(published) == 5 + 15
    assert {row["model"] for row in published} == {"CNN+MLP, published"}
