"""What tests of the report share: a page as a tree, and a signal that is made when it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from defusedxml import ElementTree

from ectopy.writers.report_svg import UNITS_MM

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from ectopy.analysis import Analysis


def tree_of(page: str) -> Element:
    """The page as a tree: it is well-formed XML too, so that no tag is left open."""
    root: Element = ElementTree.fromstring(page)
    return root


def text_of(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def section(root: Element, key: str) -> Element:
    found = root.find(f".//section[@id='{key}']")
    assert found is not None, key
    return found


def strips_of(element: Element) -> list[Element]:
    return [svg for svg in element.iter("svg") if svg.get("class") == "strip"]


def points_of(d: str) -> list[NDArray[np.float64]]:
    """Points of a path made of M and l, in millimetres, one array a stretch."""
    stretches = []
    for part in re.findall(r"M[^M]*", d):
        start, _, steps = part[1:].partition("l")
        numbers = [int(n) for n in re.findall(r"-?\d+", steps)]
        first = [int(n) for n in re.findall(r"-?\d+", start)][:2]
        points = np.cumsum(
            np.array([first, *zip(numbers[::2], numbers[1::2], strict=True)]), axis=0
        )
        stretches.append(points / UNITS_MM)
    return stretches


class WaveSignal:
    """A lead of any length that is made when it is read, and counts what is read of it."""

    def __init__(self, n_samples: int, fs: float) -> None:
        self.n_samples, self.fs = n_samples, fs
        self.longest = self.total = 0

    def __len__(self) -> int:
        return self.n_samples

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        first, stop, step = part.indices(self.n_samples)
        assert step == 1
        self.longest = max(self.longest, stop - first)
        self.total += stop - first
        noise = np.random.default_rng(first).standard_normal(stop - first)
        wave = np.sin(np.arange(first, stop) / self.fs * 9)
        return (wave + 0.03 * noise).astype(np.float32)


def long_analysis(hours: float, n_beats: int, fs: float = 360.0) -> Analysis:
    """Beats of every class, many of them in runs, in a signal that lies nowhere."""
    from ectopy.analysis import Analysis
    from ectopy.beats import BeatTable

    rng = np.random.default_rng(3)
    n_samples = round(hours * 3600 * fs)
    steps = rng.uniform(0.6, 1.4, n_beats)
    peaks = (np.cumsum(steps) / (steps.sum() + 1) * n_samples).astype(np.int64)
    kinds = rng.choice(5, n_beats // 4 + 1, p=[0.5, 0.2, 0.2, 0.05, 0.05]).repeat(4)[:n_beats]
    sure = rng.uniform(0.4, 1.0, n_beats).astype(np.float32)
    odds = np.repeat(((1 - sure) / 4)[:, np.newaxis], 5, axis=1)
    odds[np.arange(n_beats), kinds] = sure
    return Analysis(
        recording="long",
        fs=fs,
        n_samples=n_samples,
        start=None,
        lead="II",
        signal_mv=WaveSignal(n_samples, fs),  # type: ignore[arg-type]
        beats=BeatTable(peaks, odds, fs),
        beat_source="detected",
        model={"name": "m"},
        reference=None,
        warnings=(),
        version="0",
    )
