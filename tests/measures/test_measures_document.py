"""Every number of the summary is defined in docs/measures.md, and nothing else is."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from beat_strings import FS, table

from ectopy.beats import BeatTable
from ectopy.measures.summary import Summary, summarise

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "measures.md"
NO_PARTS = {"counts", "hourly[].counts"}


@cache
def rich_summary() -> Summary:
    """A recording in which there is something of everything."""
    rng = np.random.default_rng(0)
    labels = "N" * 600 + "NVNVNVN" + "NNVNNVNNV" + "VVVVN" + "NSNSNSSSN" + "N" * 400
    gaps = np.concatenate([0.8 + 0.02 * rng.standard_normal(len(labels) - 401), np.zeros(400)])
    gaps[-400:] = rng.uniform(0.4, 1.1, 400)
    gaps[100] = 2.5
    made = table(labels, gaps.tolist())
    return summarise(made, int(made.peaks[-1]) + 500)


def keys(content: Any, name: str = "") -> set[str]:
    """Names of all leaves; items of lists are ``[]``, twins of class S those of V."""
    if isinstance(content, list):
        return set().union(*(keys(item, f"{name}[]") for item in content))
    if not isinstance(content, dict) or name in NO_PARTS:
        return {re.sub(r"^s_", "v_", name)}
    return set().union(*(keys(item, f"{name}.{key}".lstrip(".")) for key, item in content.items()))


def documented() -> set[str]:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_the_document_names_every_key_and_no_other() -> None:
    content = rich_summary().to_dict()
    assert content["v_patterns"]["fastest_run"] is not None
    assert content["s_patterns"]["run_list"] != []
    assert content["fibrillation"]["episodes"] > 0
    assert sorted(documented()) == sorted(keys(content))


def test_the_summary_is_strict_json() -> None:
    content = rich_summary().to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["hourly"][0]["usable_percent"] is None


class Marked(BeatTable):
    """Beats of which those with NaN for probabilities could not be classed."""

    @property
    def classes(self) -> np.ndarray:
        found = np.where(np.isnan(self.probabilities[:, 0]), -1, self.probabilities.argmax(axis=1))
        return found.astype(np.int8)


def test_beats_that_could_not_be_classed_are_counted_apart() -> None:
    made = table("NNVVVVNNNNVN", 0.5)
    probabilities = made.probabilities.copy()
    probabilities[[3, 8]] = np.nan
    usable = np.ones(8, dtype=bool)
    usable[0] = False
    summary = summarise(Marked(made.peaks, probabilities, FS), 8000, usable_s=usable)
    assert (summary.n_beats, summary.n_unusable) == (10, 2)
    assert summary.counts == {"N": 6, "S": 0, "V": 4, "F": 0, "Q": 0}
    assert summary.v_burden_percent == 40.0
    assert summary.usable_percent == 87.5
    assert (summary.v_runs.singles, summary.v_runs.couplets) == (2, 1)
    assert summary.hourly.unusable.tolist() == [2]
    assert summary.heart_rate_mean_bpm == 120.0


def test_only_beats_that_could_not_be_classed() -> None:
    made = table("NNN")
    beats = Marked(made.peaks, np.full_like(made.probabilities, np.nan), FS)
    content = summarise(beats, 3000).to_dict()
    assert (content["n_beats"], content["n_unusable"]) == (0, 3)
    assert content["v_burden_percent"] is content["heart_rate_mean_bpm"] is None


def test_a_day_takes_a_moment() -> None:
    """A fourteenth of 14 days; it takes a tenth of a second where nothing else runs."""
    rng = np.random.default_rng(1)
    n = 115_000
    labels = rng.choice(5, n, p=[0.93, 0.03, 0.03, 0.005, 0.005])
    probabilities = np.eye(5, dtype=np.float32)[labels]
    peaks = np.cumsum(rng.normal(750, 40, n)).astype(np.int64)
    begin = perf_counter()
    summary = summarise(BeatTable(peaks, probabilities, FS), int(peaks[-1]) + 1)
    assert perf_counter() - begin < 2.0
    assert len(summary.hourly) == 24


def test_the_document_has_the_recorded_results_of_the_screen() -> None:
    results = DOCUMENT.parents[1] / "benchmarks" / "results"
    parts = [
        json.loads((results / f"fibrillation_{part}.json").read_text(encoding="utf-8"))
        for part in ("ds1", "ds2")
    ]
    text = DOCUMENT.read_text(encoding="utf-8")
    for source, name in (
        ("annotated", "of the cardiologists"),
        ("detected", "found and classed in the signal"),
    ):
        cells = []
        for part in parts:
            every, rest = part[source]["beats"], part[source]["beats_without_flutter"]
            cells.append(f"{100 * every['sensitivity']:.1f} %")
            cells.append(f"{100 * every['specificity']:.1f} % ({100 * rest['specificity']:.1f} %)")
        assert f"| {name} | {' | '.join(cells)} |" in text
