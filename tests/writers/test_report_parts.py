"""What the report chooses to show: beats, runs, ticks, marks and densities."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from report_page import long_analysis, section, text_of, tree_of

from ectopy.beats import BeatTable
from ectopy.measures.runs import RunTable
from ectopy.signal.second_flags import SecondsQuality
from ectopy.writers.report_axes import TimeAxis
from ectopy.writers.report_beats import SAMPLED, SHOWN, class_shapes
from ectopy.writers.report_charts import MOST_MARKS, tachogram, thinned, trends
from ectopy.writers.report_runs import LONG_S, _windows, run_order, shown_places
from ectopy.writers.report_signal import signal_section
from ectopy.writers.report_svg import Times, picture, png
from ectopy.writers.report_tables import decimal
from ectopy.writers.report_tiles import duration_text
from ectopy.writers.report_words import accuracy_tables, accuracy_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]


def with_certainty(analysis: Analysis, certainty: np.ndarray) -> BeatTable:
    """The same beats and classes, each with a probability of its own."""
    beats = analysis.beats
    odds = np.repeat(((1 - certainty) / 4)[:, np.newaxis], 5, axis=1).astype(np.float32)
    odds[np.arange(len(beats)), beats.classes] = certainty
    return BeatTable(beats.peaks, odds, beats.fs)


def test_typical_beats_look_alike_and_uncertain_ones_are_least_certain(make_analysis: Make) -> None:
    n, fs = 60, 250.0
    analysis = make_analysis("V" * n, duration_s=60.0, fs=fs)
    signal = analysis.signal_mv.copy()
    odd = [7, 20, 33]  # of another shape, and just as certain
    for beat in odd:
        peak = analysis.beats.peaks[beat]
        signal[peak - 20 : peak + 20] -= 1.5
    certainty = np.full(n, 0.9)
    doubtful = [50, 3, 41, 12, 28, 5, 59, 17, 36, 22]
    certainty[doubtful] = np.linspace(0.3, 0.5, 10)
    analysis = make_analysis(
        "V" * n, duration_s=60.0, fs=fs, signal_mv=signal, beats=with_certainty(analysis, certainty)
    )
    (shape,) = class_shapes(analysis)
    assert shape.uncertain.tolist() == doubtful
    assert len(shape.typical) == SHOWN
    assert set(shape.typical.tolist()).isdisjoint(odd + doubtful)
    assert shape.n == n
    assert shape.median_mv[np.argmin(np.abs(shape.times_s))] == pytest.approx(1.0, abs=0.02)
    again = class_shapes(analysis)[0]
    np.testing.assert_array_equal(again.typical, shape.typical)


def test_few_beats_are_all_typical(make_analysis: Make) -> None:
    shapes = {shape.index: shape for shape in class_shapes(make_analysis("NNNNNVNN"))}
    assert sorted(shapes[0].typical.tolist()) == [0, 1, 2, 3, 4, 6, 7]
    assert shapes[2].typical.tolist() == [5]
    assert len(shapes[0].uncertain) == len(shapes[2].uncertain) == 0


def test_of_many_beats_a_sample_is_read() -> None:
    analysis = long_analysis(24, 100_000)
    shapes = class_shapes(analysis)
    assert all(shape.sampled == SAMPLED for shape in shapes)
    assert analysis.signal_mv.total == 5 * SAMPLED * round(0.8 * 360)  # type: ignore[union-attr]
    # From one end of the recording to the other.
    times = analysis.beats.peaks[shapes[0].typical] / 360 / 3600
    assert times.min() < 8
    assert times.max() > 16


def table_of(beats: list[int], rates: list[float]) -> RunTable:
    n = np.array(beats)
    length = 60 * (n - 1) / np.array(rates)
    return RunTable(10 * np.arange(len(n)), n, 100.0 * np.arange(len(n)), length)


def test_runs_go_from_the_longest_and_the_fastest_others_are_shown() -> None:
    runs = table_of([3, 9, 4, 9], [100, 120, 90, 150])
    assert run_order(runs).tolist() == [3, 1, 2, 0]
    rates = [*np.linspace(90, 99, 40), 200.0, 190.0]
    runs = table_of([4] * 40 + [3, 3], rates)
    order = run_order(runs)
    shown = order[shown_places(runs, order)]
    assert len(shown) == 30
    assert {40, 41} <= set(shown.tolist())
    assert shown_places(runs, order)[:20].tolist() == list(range(20))


def test_windows_lie_around_what_they_show() -> None:
    short, long, longer, last = _windows([(10, 2), (50, 9), (100, 60), (300, 20)], rows=6)
    assert short.span == (11 - LONG_S / 2, 11 + LONG_S / 2)
    assert short.remark == ""
    assert long.span == pytest.approx((50 - 1.4, 50 - 1.4 + 2 * LONG_S))
    assert longer.span[1] - longer.span[0] == pytest.approx(2 * LONG_S)  # one row is kept
    assert longer.remark == "; the first 12.6 s are shown"
    assert last.span[1] - last.span[0] == pytest.approx(LONG_S)


def test_every_ectopic_beat_has_a_mark_of_its_class(make_analysis: Make) -> None:
    labels = "NNVNNSNNFNNQNV" * 3
    analysis = make_analysis(labels, duration_s=40.0)
    chart = tree_of(str(tachogram(analysis, TimeAxis(Times(None, 40.0)))))
    marks = {
        path.get("class"): path.get("d", "").count("M")
        for path in chart.iter("path")
        if path.get("class", "").startswith("m")
    }
    # A triangle, a square and a ring each start once; the cross has two strokes.
    assert marks == {"m0": 26, "m1": 3, "m2": 6, "m3": 3, "m4": 3}


def test_many_beats_are_drawn_as_density() -> None:
    analysis = long_analysis(24, 90_000)
    chart = tree_of(str(tachogram(analysis, TimeAxis(Times(None, 86400.0)))))
    (image,) = chart.iter("image")
    assert image.get("href", "").startswith("data:image/png;base64,")
    for path in chart.iter("path"):
        if path.get("class", "").startswith("m"):
            assert 0 < path.get("d", "").count("M") <= MOST_MARKS


def test_thinning_keeps_one_of_each_place() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 160, 50_000), rng.uniform(0, 60, 50_000)
    kept = thinned(x, y, 3000)
    assert 1000 < len(kept) <= 3000
    few = thinned(np.array([1.0, 1.01, 5.0]), np.array([2.0, 2.01, 2.0]), 3000)
    assert few.tolist() == [0, 2]


def test_the_picture_is_a_png_of_these_levels() -> None:
    from PIL import Image

    levels = np.arange(32, dtype=np.uint8).reshape(2, 16) % 16
    image = Image.open(io.BytesIO(png(levels, "#0072B2"))).convert("RGBA")
    pixels = np.asarray(image)
    assert pixels.shape == (2, 16, 4)
    assert (pixels[..., :3] == (0x00, 0x72, 0xB2)).all()
    np.testing.assert_array_equal(pixels[..., 3], levels * 17)
    assert 'width="3" height="4.5"' in picture(levels, "#0072B2", 1, 2, 3, 4.5)


def test_trends_count_beats_a_minute(make_analysis: Make) -> None:
    analysis = make_analysis("NV" * 150, duration_s=300.0)
    chart, step_s = trends(analysis, TimeAxis(Times(None, 300.0)))
    assert step_s == 5
    texts = [text.text for text in tree_of(str(chart)).iter("text")]
    assert "36" in texts  # at most 3 of 5 beats in 5 s are V
    assert "V" in texts
    assert "S" not in texts


def test_rates_leave_out_what_could_not_be_used(make_analysis: Make) -> None:
    analysis = make_analysis("N" * 60, duration_s=60.0)
    axis = TimeAxis(Times(None, 60.0))
    unusable = SecondsQuality(np.full(60, 1, dtype=np.uint8))
    assert "no heart rate" in str(trends(analysis, axis, unusable)[0])
    assert "no heart rate" not in str(trends(analysis, axis)[0])


@pytest.mark.parametrize(
    ("start", "seconds", "first", "last"),
    [
        (None, 30.0, "0:00", "0:30"),
        (None, 86400.0, "0:00 h", "24:00 h"),
        (None, 14 * 86400.0, "0 d", "14 d"),
        (datetime(2024, 5, 3, 14, 23, 5), 86400.0, "16:00", "14:00"),
        (datetime(2024, 5, 3, 14, 23, 5), 14 * 86400.0, "05-05", "05-17"),
        (datetime(2024, 5, 3, 23, 59, 58), 12.0, "23:59:58", "00:00:10"),
    ],
)
def test_ticks_are_round_times(
    start: datetime | None, seconds: float, first: str, last: str
) -> None:
    axis = TimeAxis(Times(start, seconds))
    ticks, labels = axis._ticks()
    assert (labels[0], labels[-1]) == (first, last)
    assert 3 <= len(ticks) <= 13
    assert ticks[0] >= 0
    assert ticks[-1] <= seconds + 1e-6


def test_times_have_a_date_where_the_day_changes() -> None:
    start = datetime(2024, 5, 3, 23, 0)
    assert Times(start, 600).both(65) == "1:05 (23:01:05)"
    assert Times(start, 7200).clock(3600) == "2024-05-04 00:00:00"
    assert Times(None, 600).both(65) == "1:05"


def test_unusable_signal_has_its_reasons() -> None:
    flags = np.zeros(3600, dtype=np.uint8)
    flags[100:160] = 1
    flags[2000:2010] = 8
    flags[3000:3500] = 16
    quality = SecondsQuality(flags)
    part = signal_section(quality, TimeAxis(Times(None, 3600.0)))
    words, chart, table = part.blocks
    assert "98.1 % of the seconds can be used" in words.text  # type: ignore[union-attr]
    picture_tree = tree_of(str(chart.picture))  # type: ignore[union-attr]
    names = [text.text for text in picture_tree.iter("text")]
    assert [n for n in names if n in ("unusable", "missing", "flat", "noise", "mains hum")] == [
        "unusable", "missing", "noise", "mains hum",
    ]  # fmt: skip
    assert [row[1:] for row in table.rows] == [  # type: ignore[union-attr]
        ["1:40", "60", "missing"],
        ["33:20", "10", "noise"],
    ]
    good = signal_section(SecondsQuality(flags[:50]), TimeAxis(Times(None, 50.0)))
    assert [block.kind for block in good.blocks] == ["words"]


def test_the_section_on_the_signal_is_there_once_it_was_looked_at(make_analysis: Make) -> None:
    from ectopy.writers.report import report_page

    analysis = make_analysis("NNNN", duration_s=8.0)
    object.__setattr__(
        analysis, "quality", SecondsQuality(np.array([0, 0, 1, 1, 0, 0, 0, 0], "u1"))
    )
    text = text_of(section(tree_of(report_page(analysis)), "signal"))
    assert "75.0 % of the seconds can be used" in text


def test_accuracy_is_what_was_measured() -> None:
    model = {
        "name": "m",
        "measured": {
            "protocol": "inter", "n": 12345, "accuracy": 0.9876, "macro_f1": 0.5, "note": "a note",
            "per_class": {
                "N": {"n": 12000, "se": 0.99, "ppv": 0.98},
                "F": {"n": 345, "se": 0.2, "ppv": 0.6},
            },
        },
        "from_signal": {
            "records": 22, "leak": None, "qrs": {"n": 9, "se": 0.9997, "ppv": 0.9},
            "veb": {"n": 5, "se": 0.95, "ppv": 0.91}, "sveb": {"n": 4, "se": 0.7, "ppv": 0.6},
        },
    }  # fmt: skip
    annotated, found = accuracy_tables(model)
    assert annotated.rows == [["N", "12,000", "99.0", "98.0"], ["F", "345", "20.0", "60.0"]]
    assert [row[1:] for row in found.rows] == [
        ["9", "99.97", "90.00"], ["5", "95.0", "91.0"], ["4", "70.0", "60.0"],
    ]  # fmt: skip
    words = " ".join(accuracy_words(model))
    assert "Accuracy 98.8 %, macro F1 0.500; a note." in words
    assert "Of class F half or more were missed or made up" in words
    assert accuracy_tables({"name": "m"}) == []
    assert accuracy_words({"measured": None}) == ["How well this model does has not been measured."]


def test_numbers_as_text() -> None:
    assert [decimal(value, 1) for value in (None, float("nan"), -0.04, -1.25, 7)] == [
        "\N{EN DASH}", "\N{EN DASH}", "0.0", "\N{MINUS SIGN}1.2", "7.0",
    ]  # fmt: skip
    assert duration_text(3600) == "1 h 00 min"
