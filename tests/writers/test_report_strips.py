"""Strips of the report: true to scale, the right samples, letters where the beats are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from report_page import points_of, tree_of

from ectopy.writers.report_strips import LETTERS_MM, PULSE_MM, TALLEST_MM, Band, Paper, grid
from ectopy.writers.report_svg import (
    PASSES,
    TOLERANCE_MM,
    UNITS_MM,
    UNUSABLE_MARK,
    corners,
    polyline,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]

ERROR_MM = PASSES * TOLERANCE_MM + 1.5 / UNITS_MM
"""How far a drawn line may lie from its samples: what is left out, and rounding."""


def wavy(n: int, fs: float, scale: float = 1.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(2)
    t = np.arange(n) / fs
    wave = np.sin(7 * t) + 0.2 * np.sin(20 * t) + 0.005 * rng.standard_normal(n)
    return (scale * wave).astype(np.float32)


def traces(strip: Element) -> list[tuple[str, NDArray[np.float64]]]:
    """Class and points of each stretch of line, in millimetres of the strip's own signal."""
    found = []
    for path in strip.iter("path"):
        kind = path.get("class", "")
        if kind.split()[0] == "t":
            assert path.get("transform") == f"scale({1 / UNITS_MM:g})"
            found += [(kind, points) for points in points_of(path.get("d", ""))]
    return found


def drawn_mv(strip: Element, at_s: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Millivolts that the line shows at some seconds, but for a constant."""
    points = np.concatenate([points for _, points in traces(strip)])
    points = points[np.argsort(points[:, 0], kind="stable")]
    return -np.interp(at_s * 25.0, points[:, 0], points[:, 1]) / gain


@pytest.mark.parametrize("fs", [60.0, 250.0, 360.0, 477.3])
def test_a_strip_shows_its_samples_at_25_mm_a_second(make_analysis: Make, fs: float) -> None:
    signal = wavy(round(20 * fs), fs)
    analysis = make_analysis("NNVN", duration_s=20, fs=fs, signal_mv=signal)
    (svg,) = Paper(analysis).strips([(5.0, 12.0)])
    strip = tree_of(str(svg))
    first, stop = round(5 * fs), round(12 * fs)
    seconds = np.arange(stop - first) / fs
    shown = drawn_mv(strip, seconds, gain=10.0)
    wanted = signal[first:stop].astype(np.float64)
    # Places in time are rounded to a path unit as well, which matters where the line is steep.
    steepest = np.abs(np.diff(wanted)).max() * 10.0 / (25.0 / fs)
    allowed_mm = ERROR_MM + steepest * 0.5 / UNITS_MM
    assert allowed_mm < 0.2
    assert np.ptp(shown - wanted) / 2 * 10.0 <= allowed_mm
    width = float(strip.get("width", "").removesuffix("mm"))
    assert width == pytest.approx(PULSE_MM + (stop - first) / fs * 25.0, abs=0.006)
    # A unit of the picture is a millimetre, on paper as well as in numbers.
    height = strip.get("height", "").removesuffix("mm")
    assert strip.get("viewBox") == f"0 0 {strip.get('width', '').removesuffix('mm')} {height}"


def test_high_sampling_frequencies_keep_peaks_and_shorten_lines(make_analysis: Make) -> None:
    fs = 4000.0
    signal = wavy(round(10 * fs), fs)
    signal[20_000] += 1.0  # a spike of one sample
    analysis = make_analysis("NN", duration_s=10, fs=fs, signal_mv=signal)
    (svg,) = Paper(analysis).strips([(2.0, 9.0)])
    points = np.concatenate([points for _, points in traces(tree_of(str(svg)))])
    assert len(points) < 7 * 25 / 0.1 * 2.2
    assert np.ptp(points[:, 1]) == pytest.approx(10 * np.ptp(signal[8000:36000]), abs=2 * ERROR_MM)


def test_the_pulse_is_1_mv_and_a_fifth_of_a_second(make_analysis: Make) -> None:
    strip = tree_of(str(Paper(make_analysis()).strips([(0.0, 7.0)])[0]))
    (pulse,) = (path for path in strip.iter("path") if path.get("class") == "pulse")
    assert pulse.get("d", "").split("h1.5", 1)[1] == "v-10h5v10h1.5"


def test_the_grid_has_millimetres() -> None:
    fine, coarse = tree_of(str(grid())).iter("path")
    assert fine.get("d", "").startswith("M0 0v70M1 0v70M2 0v70")
    assert coarse.get("d", "").startswith("M0 0v70M5 0v70M10 0v70")


def test_letters_stand_over_their_beats(make_analysis: Make) -> None:
    analysis = make_analysis("NVSN", duration_s=8, peaks=[300, 600, 900, 1200])
    strip = tree_of(str(Paper(analysis).strips([(0.0, 7.0)])[0]))
    letters = {
        text.text: [float(x) for x in text.get("x", "").split()]
        for text in strip.iter("text")
        if text.get("class", "").startswith("l ")
    }
    assert letters == {"NN": [40.0, 130.0], "V": [70.0], "S": [100.0]}
    intervals = {
        float(text.get("x", "")): text.text
        for text in strip.iter("text")
        if text.get("class") == "rr"
    }
    assert intervals == {55.0: "1200", 85.0: "1200", 115.0: "1200"}


def test_ectopic_beats_have_their_colour_and_no_sample_is_lost(make_analysis: Make) -> None:
    analysis = make_analysis("NVN", duration_s=7, peaks=[400, 800, 1300])
    strip = tree_of(str(Paper(analysis).strips([(0.0, 7.0)], pulse=False)[0]))
    found = traces(strip)
    assert [kind for kind, _ in found] == ["t", "t", "t c2"]
    (coloured,) = (points for kind, points in found if kind == "t c2")
    # From 0.25 s before to 0.4 s after the beat at 3.2 s.
    assert coloured[0, 0] == pytest.approx(25 * 2.95, abs=0.2)
    assert coloured[-1, 0] == pytest.approx(25 * 3.6, abs=0.2)
    ends = sorted((points[0, 0], points[-1, 0]) for _, points in found)
    assert [round(a - b, 2) for (_, b), (a, _) in pairwise(ends)] == [0.0, 0.0]


def test_beats_that_are_not_usable_have_a_mark(make_analysis: Make) -> None:
    paper = Paper(make_analysis("NNN", duration_s=7))
    paper.classes = np.array([0, -1, 0], dtype=np.int8)
    strip = tree_of(str(paper.strips([(0.0, 7.0)])[0]))
    assert UNUSABLE_MARK in [text.text for text in strip.iter("text")]
    assert "t c5" in [kind for kind, _ in traces(strip)]


@pytest.mark.parametrize(("height_mv", "gain"), [(1.0, 10.0), (5.4, 10.0), (9.0, 5.0), (30.0, 2.5)])
def test_a_large_signal_has_a_smaller_gain_that_is_named(
    make_analysis: Make, height_mv: float, gain: float
) -> None:
    signal = wavy(5000, 250.0, scale=height_mv / 2.4)
    paper = Paper(make_analysis("NN", duration_s=20, signal_mv=signal))
    strip = tree_of(str(paper.strips([(2.0, 9.0)])[0]))
    named = [text.text for text in strip.iter("text") if text.get("class") == "gain"]
    assert named == ([] if gain == 10.0 else [f"{gain:g} mm/mV"])
    assert f"25 mm/s and {gain:g} mm/mV" in (strip.findtext("title") or "")
    assert float(strip.get("height", "").removesuffix("mm")) <= TALLEST_MM + LETTERS_MM + 1


def test_a_spike_flattens_nothing() -> None:
    values = np.sin(np.arange(2000) / 50)
    values[700] = 400.0
    band = Band.of(values)
    assert band.gain == 10.0
    assert band.high_mv < 1.2


def test_one_tall_strip_leaves_the_others_at_full_gain(make_analysis: Make) -> None:
    signal = wavy(10_000, 250.0)
    signal[5000:] *= 4
    paper = Paper(make_analysis("NN", duration_s=40, signal_mv=signal))
    small, again, tall = (tree_of(str(svg)) for svg in paper.strips([(1, 8), (9, 16), (25, 32)]))
    assert small.get("height") == again.get("height")
    assert "10 mm/mV" in (small.findtext("title") or "")
    assert "5 mm/mV" in (tall.findtext("title") or "")


def test_missing_samples_break_the_line(make_analysis: Make) -> None:
    signal = wavy(5000, 250.0)
    signal[1000:1500] = np.nan
    paper = Paper(make_analysis("NN", duration_s=20, peaks=[100, 4900], signal_mv=signal))
    strip = tree_of(str(paper.strips([(2.0, 9.0)], pulse=False)[0]))
    spans = [(points[0, 0], points[-1, 0]) for _, points in traces(strip)]
    assert spans == [pytest.approx((0.0, 49.9), abs=0.03), pytest.approx((100.0, 174.9), abs=0.03)]
    nothing = tree_of(str(paper.strips([(4.5, 5.5)])[0]))
    assert "no signal" in [text.text for text in nothing.iter("text")]


def test_a_window_beyond_the_recording_is_cut(make_analysis: Make) -> None:
    paper = Paper(make_analysis("NNNN", duration_s=4))
    (svg,) = paper.strips([(-2.0, 5.0)])
    assert svg.startswith('<svg class="strip" role="img" width="110mm"')
    assert len(paper.around([0, 3])) == 2


def test_only_what_a_line_shows_is_left_out() -> None:
    rng = np.random.default_rng(4)
    x = np.arange(3000) * 0.07
    y = np.cumsum(rng.normal(0, 0.05, 3000))
    kept = corners(x, y)
    assert 1 < len(kept) < 3000
    assert np.abs(np.interp(x, x[kept], y[kept]) - y).max() <= PASSES * TOLERANCE_MM
    straight = corners(x, 0.3 * x)
    assert len(straight) < 3000 / 2**PASSES + 2


def test_lone_samples_are_dots() -> None:
    assert polyline(np.arange(3.0), np.array([1.0, np.nan, 2.0])) == "M0 40h1M80 80h1"
    assert polyline(np.arange(2.0), np.full(2, np.nan)) == ""
