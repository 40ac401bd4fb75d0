"""`ectopy score` as a user runs it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb

SAMPLES = [110_000, 115_000, 120_000, 125_000, 130_000]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ectopy", "score", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def write(folder: Path, record: str, extension: str, symbols: str, samples=SAMPLES) -> None:
    folder.mkdir(exist_ok=True)
    wfdb.wrann(record, extension, np.array(samples), list(symbols), write_dir=str(folder))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    reference, test = tmp_path / "reference", tmp_path / "test"
    for record, symbols in (("100", "NNVjA"), ("a long record name", "NNNNF")):
        write(reference, record.replace(" ", "_"), "atr", symbols)
        file = reference / f"{record.replace(' ', '_')}.atr"
        file.rename(reference / f"{record}.atr")
        (reference / f"{record}.hea").write_text(f"{record} 1 360 144000\n{record}.dat 16\n")
        write(test, record.replace(" ", "_"), "qrs", "NNVNV")
        (test / f"{record.replace(' ', '_')}.qrs").rename(test / f"{record}.qrs")
    return reference, test


def table_rows(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """First word of each line, and the others."""
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    return {first: " ".join(others) for first, *others in lines}


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line on stderr, exit status 2, no traceback, nothing on stdout."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_a_table_in_80_columns_that_names_the_class_map(folders):
    done = run(*folders, "--annotator", "qrs")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "qrs against atr, EC57" in lines[0]
    rows = table_rows(done)
    assert rows["100"] == "5 100.00 100.00 100.00 50.00 25.000 0.00 - 0.000"
    assert rows["gross"] == "10 100.00 100.00 100.00 33.33 25.000 0.00 - 0.000"
    assert rows["average"] == "100.00 100.00 100.00 25.00 25.000 0.00 - 0.000"
    assert rows["N"] == "6 0 1 0 0 0 0"
    assert rows["S"] == "0 0 1 0 0 0 0"
    assert rows["F"] == "0 0 1 0 0 0 0"
    assert rows["O"] == "0 0 0 0 0"
    assert "class map aami, from 300 s on, window 150 ms" in done.stdout


def test_another_window(folders):
    _, test = folders
    write(test, "100", "qrs", "NNVNV", [sample + 50 for sample in SAMPLES])
    rows = table_rows(run(*folders, "--annotator", "qrs", "--records", "100"))
    assert rows["100"].startswith("5 100.00")  # 139 ms late
    done = run(*folders, "--annotator", "qrs", "--records", "100", "--window", "0.1")
    assert table_rows(done)["100"].startswith("5 0.00")
    assert "window 100 ms" in done.stdout
    for window in ("-1", "150", "nan"):
        refused = run(*folders, "--annotator", "qrs", "--window", window)
        assert_refused(refused, f"{float(window)} s", "0 to 1 s")


def test_the_other_class_map(folders):
    done = run(*folders, "--annotator", "qrs", "--class-map", "bxb")
    assert "class map bxb, from 300 s on" in done.stdout
    rows = table_rows(done)
    assert rows["S"] == "1 0 1 0 0 0 0"


def test_results_as_json_and_csv(folders, tmp_path):
    files = tmp_path / "out" / "scores.json", tmp_path / "scores.csv"
    done = run(*folders, "--annotator", "qrs", "--json", files[0], "--csv", files[1])
    assert done.returncode == 0, done.stderr

    def no_constants(name: str) -> float:
        raise AssertionError(name)

    results = json.loads(files[0].read_text(), parse_constant=no_constants)
    assert results["class_map"] == "aami"
    assert results["per_record"]["100"]["class_map"] == "aami"
    assert results["per_record"]["100"]["veb"]["fp"] == 1
    assert results["gross"]["sveb"]["ppv"] is None
    assert results["average_of"]["veb"] == {"se": 1, "ppv": 2, "fpr": 2}
    with files[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["record"] for row in rows] == ["100", "a long record name", "gross", "average"]
    assert {row["class_map"] for row in rows} == {"aami"}
    assert rows[0]["qrs_tp"] == "5"
    assert rows[0]["veb_ppv"] == "0.5"
    assert rows[0]["sveb_ppv"] == ""
    assert rows[-1]["qrs_tp"] == ""
    assert rows[-1]["veb_ppv"] == "0.25"


def test_records_left_out_are_named(folders):
    reference, test = folders
    write(reference, "200", "atr", "NNNNN")
    write(test, "300", "qrs", "NNNNN")
    assert_refused(
        run(reference, test, "--annotator", "qrs"),
        "1 of 3 records have no test annotations *.qrs",
        "'200'",
        "--skip-missing",
    )
    more = ["--annotator", "qrs", "--skip-missing", "--exclude", "a long record name"]
    # Names are separated by commas; blanks belong to them.
    done = run(reference, test, *more)
    assert done.returncode == 0, done.stderr
    assert "note: excluded as asked: a long record name" in done.stdout
    assert "note: skipped, no test annotations: 200" in done.stdout
    assert "note: not scored, no reference annotations: 300" in done.stdout
    done = run(reference, test, "--annotator", "qrs", "--records", "100")
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stdout


def test_another_frequency_is_told(folders):
    reference, test = folders
    samples = np.array(SAMPLES) // 2
    wfdb.wrann("100", "qrs", samples, list("NNVNV"), write_dir=str(test), fs=180)
    done = run(reference, test, "--annotator", "qrs", "--records", "100")
    assert "100.qrs (180 Hz)" in done.stdout
    assert "5  100.00  100.00" in done.stdout


def test_another_start(folders):
    done = run(*folders, "--annotator", "qrs", "--start", "350", "--records", "100")
    assert "from 350 s on" in done.stdout
    rows = table_rows(done)
    assert rows["100"].split()[0] == "1"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--class-map", "aha"], ["there is no class map 'aha'", "'aami' or 'bxb'"]),
        (["--start", "-5"], ["scoring cannot start at -5.0 s"]),
        (["--start", "500"], ["record '100'", "the recording ends at 400 s"]),
        (["--records", "100,101"], ["no reference annotations *.atr of '101'"]),
        (["--records", " ,"], ["there are no reference annotations"]),
        (["--reference-annotator", "ref"], ["there are no reference annotations *.ref"]),
    ],
)
def test_what_cannot_be_scored_is_one_line(folders, more, words):
    assert_refused(run(*folders, "--annotator", "qrs", *more), *words)


def test_missing_folders_are_one_line(folders, tmp_path):
    missing = tmp_path / "nowhere"
    assert_refused(run(missing, folders[1], "--annotator", "qrs"), "nowhere", "is missing")
    assert_refused(run(folders[0], missing, "--annotator", "qrs"), "nowhere", "is missing")
    blocked = folders[0] / "100.atr" / "scores.json"
    assert_refused(run(*folders, "--annotator", "qrs", "--json", blocked), "is a file")
