from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from ectopy.cli import main
from ectopy.models.detected_card import detected_table


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["ectopy", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["cnn-mlp/intra", "--protocol", "detected"],
            "cnn-mlp/intra may not be judged on these records: it was trained on beats of 22 of "
            "the 22 test records (100, 103, 105, ...); --allow-leak judges it all the same and "
            "says so",
        ),
        (
            ["cnn-mlp/intra", "--protocol", "detected", "--allow-leak", "--figure", "noise.png"],
            "--peers, --noise, --forms and --figure judge what finds beats, and cnn-mlp/intra "
            "classes them; leave them out",
        ),
        (
            ["cnn-mlp", "--protocol", "intra", "--peers"],
            "--peers, --noise, --forms and --figure go with --protocol detected, not 'intra'; "
            "leave them out or change the protocol",
        ),
        (
            ["beat-finder", "--protocol", "detected", "--predictions", "kept"],
            "--predictions goes with intra and inter, not 'detected'; leave it out",
        ),
        (
            ["cnn-mlp", "--protocol", "intra", "--beats", "detected", "--predictions", "kept"],
            "predictions are kept for comparing models on the annotated beats of patients or beats "
            "they were not trained on; leave --predictions out",
        ),
        (  # without a protocol, the bundle's own
            ["beat-finder", "--predictions", "kept"],
            "--predictions goes with intra and inter, not 'detected'; leave it out",
        ),
        (
            ["rhythm-mlp/inter", "--noise"],
            "--peers, --noise, --forms and --figure go with --protocol detected, not 'inter'; "
            "leave them out or change the protocol",
        ),
        (
            ["beat-finder/inter", "--protocol", "inter"],
            "beat-finder/inter finds beats and does not class them; judge it with "
            "--protocol detected",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(monkeypatch, capsys, arguments, message):
    assert run(monkeypatch, "evaluate", *arguments) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_classes_of_found_beats_are_shown_and_kept(
    monkeypatch, capsys, tmp_path, mitdb_dir, untrained_bundle
):
    assert mitdb_dir.is_dir()
    monkeypatch.setattr("ectopy.evaluation.detected.DS2", ("202", "232"))
    folder = tmp_path / "bundle"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    file = tmp_path / "d.json"
    options = ("--protocol", "detected", "--json", str(file), "--record", "--jobs", "2")
    assert run(monkeypatch, "evaluate", str(folder), *options) == 0
    results = json.loads(file.read_text(encoding="utf-8"))
    assert list(results["per_record"]) == ["202", "232"]
    assert results["leak"] is None
    assert json.loads((folder / "results" / "detected.json").read_text()) == results
    assert detected_table(results) in (folder / "README.md").read_text()
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "…" not in shown
    lines = [line.split() for line in shown.splitlines()]
    firsts = [line[0] for line in lines if line]
    for first in ("202", "232", "gross", "average"):
        assert first in firsts
    assert firsts.count("no") == 2 * 2  # without 232 and without 202, under both class maps
    ours = results["per_record"]["202"]
    rates = [ours[group][rate] for group in ("qrs", "veb", "sveb") for rate in ("se", "ppv")]
    row = next(line for line in lines if line and line[0] == "202")
    assert row[1] == str(sum(map(sum, np.array(ours["matrix"])[:5].tolist())))
    for rate, cell in zip(rates, [row[i] for i in (2, 3, 4, 5, 7, 8)], strict=True):
        assert cell == ("-" if rate is None else f"{100 * rate:.2f}")
    assert "LEAK" not in shown


@pytest.mark.slow
def test_the_finder_is_judged_with_its_peers(monkeypatch, capsys, tmp_path, mitdb_dir):
    pytest.importorskip("neurokit2")
    monkeypatch.setattr("ectopy.evaluation.detected.DS2", ("100",))
    file = tmp_path / "f.json"
    code = run(
        monkeypatch,
        *("evaluate", "beat-finder", "--protocol", "detected", "--peers", "--json", str(file)),
    )
    assert code == 0
    results = json.loads(file.read_text(encoding="utf-8"))
    assert list(results["finders"]) == ["beat-finder", "sleepecg", "xqrs", "neurokit2"]
    shown = capsys.readouterr().out
    assert all(name in shown for name in results["finders"])
