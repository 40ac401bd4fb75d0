"""The benchmarks' page and figures are what the results give."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import page_text
import pytest
from figures import COMPARED, FIGURES, draw_all
from goals import Goal, chain_goals, startup_goals
from growth import growth
from keeping import keep
from pages import NOT_YET, page

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ANNOTATIONS, ALL_FILES, PEER = "ectopy, annotations", "ectopy, all files", "NeuroKit2 + PyTorch"


def chain_row(chain: str, hours: float, wall_s: float, peak_mb: float) -> dict[str, object]:
    return {
        "chain": chain, "hours": hours, "leads": 2, "fs_hz": 360.0, "rounds": 7, "wall_s": wall_s,
        "wall_least_s": 0.9 * wall_s, "wall_most_s": 1.2 * wall_s, "cpu_s": 1.5 * wall_s,
        "peak_mb": peak_mb, "output_mb": 1.5, "report_mb": 1.0,
    }  # fmt: skip


def keep_chain(folder: Path) -> None:
    hours = [0.5, 24, 336]
    rows = [
        *(chain_row(ANNOTATIONS, h, 1 + 0.1 * h, 200 + 0.01 * h) for h in hours),
        *(chain_row(ALL_FILES, h, 2 + 0.2 * h, 240 + 0.1 * h) for h in hours),
        chain_row(PEER, 24, 40.25, 1500),
    ]
    grown = {
        name: {
            key: growth(hours, [row[key] for row in rows if row["chain"] == name])
            for key in ("wall_s", "peak_mb")
        }
        for name in (ANNOTATIONS, ALL_FILES)
    }
    pairs = (
        (f"{ANNOTATIONS}, 336 h", f"{ANNOTATIONS}, 24 h", 10.2, 1.02),
        (f"{ALL_FILES}, 336 h", f"{ALL_FILES}, 24 h", 10.2, 1.13),
        (f"{PEER}, 24 h", f"{ANNOTATIONS}, 24 h", 11.84, 7.49),
    )
    ratios = [{"of": of, "to": to, "time": time, "memory": mb} for of, to, time, mb in pairs]
    keep("chain_long", rows, folder=folder, growth=grown, ratios=ratios)


def keep_startup(folder: Path) -> None:
    rows = [
        {
            "what": what, "group": group, "goal_s": goal, "rounds": 7, "median_s": seconds,
            "least_s": seconds / 2, "most_s": 2 * seconds, "cpu_s": seconds, "peak_mb": 20.5,
        }
        for what, group, goal, seconds in (
            ("python, nothing else", "floor", None, 0.0123),
            ("ectopy --help", "ectopy", 0.4, 0.2),
            ("first label of a 30 s CSV", "ectopy", 1.5, 1.7),
            ("import torch", "peer", None, 1.25),
        )
    ]  # fmt: skip
    keep("startup", rows, folder=folder)


def keep_stream(folder: Path) -> None:
    names = ("p50", "p99", "p99_9", "most")
    row = {"model": "rhythm-kan/inter", "minutes": 30, "rounds": 3, "beats": 2000}
    row |= {f"signal_s_{name}": 6.5 + k / 10 for k, name in enumerate(names)}
    row |= {f"processing_ms_{name}": 1.5 * (k + 1) for k, name in enumerate(names)}
    row |= {"first_beats_s_most": 19.2, "cpu_ms_per_s": 2.5}
    shares = [0, 50, 99, 99.9, 100]
    quantiles = {"signal_s": [6, 6.5, 6.6, 6.7, 6.8], "processing_ms": [1, 1.5, 3, 4.5, 6]}
    further = {"shares": shares, "quantiles": {"rhythm-kan/inter": quantiles}}
    keep("stream_latency", [row], folder=folder, **further)


def keep_finders(folder: Path) -> None:
    rows = [
        {
            "finder": name, "hours": hours, "rounds": 7, "median_s": seconds, "least_s": seconds,
            "most_s": seconds, "s_per_hour": seconds / hours, "hours_per_s": hours / seconds,
            "beats": 108144,
        }
        for name, hours, seconds in (("beat-finder, 2 threads", 24, 0.5), ("xqrs, 30 min", 0.5, 2))
    ]  # fmt: skip
    keep("finder_speed", rows, folder=folder, hours=24, fs=360.0, rounds=7)


def keep_network(folder: Path) -> None:
    rows = [
        {
            "model": model, "way": way, "engine": "ONNX Runtime", "threads": threads, "batch": 128,
            "beats": 2048, "ms_per_beat": 0.02, "beats_per_s": 50000.0 * threads,
            "least_ms_per_beat": 0.01, "most_ms_per_beat": 0.03,
        }
        for model in ("rhythm-kan/inter", "published CNN+MLP")
        for way in ("network", "signal to classes")
        for threads in (1, 2)
    ]  # fmt: skip
    ratio = {"what": "cnn-kan to cnn-mlp: time", "threads": 2, "value": 1.05, "goal": "<= 1.10"}
    single = {
        "model": "cnn-mlp/inter", "way": "network", "threads": 1, "calls": 500, "p50_ms": 0.2,
        "p99_ms": 0.3, "p99_to_p50": 1.5, "most_ms": 4.0,
    }  # fmt: skip
    goals = {"p50_ms": "<= 0.15", "p99_to_p50": "<= 3"}
    further = {"ratios": [ratio], "single_beats": [single], "goals": goals}
    keep("network", rows, folder=folder, note="made up", **further)


def keep_roofline(folder: Path) -> None:
    row = {
        "model": "cnn-mlp/inter", "threads": 1, "batch": 128, "flops_per_beat": 1e7,
        "bytes_per_beat": 6500.0, "intensity": 1500.0, "bound_flops": 2e11, "bound_by": "peak",
        "reached_flops": 1e11, "share_of_bound": 0.5, "ms_per_batch": 12.0,
    }  # fmt: skip
    probe = {"probe": "product of 512", "threads": 1, "of": "FLOP/s", "per_s": 2e11, "counts": True}
    figure = {
        "1": {
            "roof": {"intensity": [0.1, 10, 4000], "flops": [2e9, 2e11, 2e11]},
            "points": [{"model": "cnn-mlp/inter", "intensity": 1500.0, "flops": 1e11}],
        }
    }
    keep("roofline", [row], folder=folder, goal=0.4, probes=[probe], figure=figure)


KEEPERS = (keep_chain, keep_startup, keep_stream, keep_finders, keep_network, keep_roofline)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for keeper in KEEPERS:
        keeper(tmp_path)
    return tmp_path


def test_without_results_the_page_says_so(tmp_path):
    text = page(tmp_path)
    assert text.count(NOT_YET) > 5
    assert "figures/" not in text


def test_the_page_has_the_numbers_of_the_results(results):
    text = page(results)
    assert "| ectopy, all files | 14 days | 69.2 | 62.3 to 83.0 |" in text
    assert "time is 1.00 s and 0.100 s an hour of recording" in text
    assert "| first label of a 30 s CSV: seconds | ≤ 1.5 | 1.70 | **not met** |" in text
    assert "| ectopy --help: seconds | ≤ 0.4 | 0.200 | met |" in text
    assert "| 24 h, annotations: seconds | ≤ 4 | 3.40 | met |" in text
    assert "| 14 days to 24 h, all files: times the memory | ≤ 1.1 | 1.13 | **not met** |" in text
    assert "| 6.50 / 6.60 / 6.70 |" in text
    assert "100,000" in text
    assert text.count(NOT_YET) == 3  # heads, training, accuracy
    assert all(f"figures/{name}.png" in text for name in FIGURES)


def test_every_number_is_followed_by_machine_versions_and_commit(results):
    text = page(results)
    for name in ("chain_long", "startup", "stream_latency", "finder_speed", "network"):
        kept = json.loads((results / f"{name}.json").read_text())
        line = next(line for line in text.splitlines() if f"[{name}.json]" in line)
        assert kept["code_version"] in line
        assert kept["machine"]["processor"] in line
        assert kept["date"] in line
        assert f"numpy {kept['versions']['numpy']}" in line


def test_every_table_is_whole(results):
    lines = page(results).splitlines()
    for above, below in itertools.pairwise(lines):
        if above.startswith("| ") and below.startswith("|"):
            assert above.count("|") == below.count("|"), above


def test_the_figure_of_beats_a_second_draws_the_whole_way():
    pytest.importorskip("torch", reason="the benchmark of networks needs the extra train")
    from network import SIGNAL

    assert SIGNAL == COMPARED


def test_figures_are_drawn_small_and_of_what_is_there(results):
    folder = results / "figures"
    drawn = draw_all(results, folder)
    assert {path.stem for path in drawn} == set(FIGURES)
    for path in drawn:
        assert path.stat().st_size < 200_000
        height, width = matplotlib.image.imread(path).shape[:2]
        assert (width, height >= 200) == (1200, True)
    for name in ("chain_long", "network"):
        (results / f"{name}.json").unlink()
    again = draw_all(results, results / "again")
    assert set(FIGURES) - {path.stem for path in again} == {"growth", "throughput"}


def test_a_stale_page_is_noticed(results):
    command = [sys.executable, str(BENCHMARKS / "pages.py"), "--out", str(results)]
    subprocess.run(command, check=True)
    subprocess.run([*command, "--check"], check=True)
    path = results / "startup.json"
    path.write_text(path.read_text().replace('"median_s": 0.2,', '"median_s": 0.3,'))
    done = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "stale" in done.stderr


def test_the_page_is_what_the_kept_results_give():
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "pages.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_figures_that_the_page_shows_are_there():
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = {name for name in FIGURES if f"(figures/{name}.png)" in text}
    assert all((BENCHMARKS / "figures" / f"{name}.png").is_file() for name in shown)


def test_goals_that_were_not_measured_are_neither_met_nor_missed():
    goals = chain_goals(None, None)
    assert len(goals) == 8
    assert {goal.met for goal in goals} == {None}
    assert startup_goals(None) == []


@pytest.mark.parametrize(
    ("bound", "reached", "least", "met"),
    [(4, 3.9, False, True), (4, 4.1, False, False), (8, 8, True, True), (8, 7.99, True, False)],
)
def test_a_bound_is_a_most_or_a_least(bound, reached, least, met):
    assert Goal("what", bound, reached, least).met is met


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123456.7, "123,457"), (1234, "1,234"), (12.345, "12.3"), (0.0123456, "0.0123"),
        (9.996, "10.0"), (0, "0"), (None, "-"), (-1.5, "-1.50"), (999.7, "1,000"),
    ],
)  # fmt: skip
def test_numbers_have_as_many_digits_as_count(value, text):
    assert page_text.significant(value) == text
