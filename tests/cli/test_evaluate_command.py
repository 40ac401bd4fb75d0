from __future__ import annotations

import json

import pytest

from ectopy.cli import main


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["ectopy", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["cnn-mlp", "--protocol", "detected"],
            "cnn-mlp/intra does not find beats; protocol 'detected' judges what does: "
            "give beat-finder",
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
