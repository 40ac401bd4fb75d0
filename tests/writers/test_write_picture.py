"""The picture: what it shows, and that it can always be drawn."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from defusedxml import ElementTree
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread

from ectopy.beats import CLASSES, BeatTable, ReferenceBeats
from ectopy.signal.second_flags import SecondsQuality
from ectopy.writers import write_picture, write_svg
from ectopy.writers.paper import (
    CLASS_COLOURS,
    MM_PER_S,
    Sheet,
    annotated_otherwise,
    busiest_window,
    draw_paper,
    time_text,
)
from ectopy.writers.tachogram import UNUSABLE_SHADE, draw_tachogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]


def paper(analysis: Analysis) -> tuple[Sheet, Axes]:
    axes = Figure().add_subplot()
    sheet = Sheet.of(analysis)
    draw_paper(axes, analysis, sheet)
    return sheet, axes


def at(times_s: list[float], labels: str) -> BeatTable:
    peaks = np.round(np.array(times_s) * 100).astype(np.int64)
    one_hot = np.eye(5, dtype=np.float32)[[CLASSES.index(label) for label in labels]]
    return BeatTable(peaks, one_hot, 100.0)


def test_svg_is_the_page_and_the_same_each_time(make_analysis: Make, tmp_path: Path) -> None:
    path = write_svg(make_analysis(recording="<script>"), tmp_path)
    assert path == tmp_path / "_script_.svg"
    before = path.read_bytes()
    root = ElementTree.fromstring(before)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == "864pt"  # 1800 pixels at 150 to the inch
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names.isdisjoint({"script", "image", "text"})
    for element in root.iter():
        link = element.get("{http://www.w3.org/1999/xlink}href", "#")
        assert link.startswith("#")
    assert write_svg(make_analysis(recording="<script>"), tmp_path).read_bytes() == before


def test_svg_of_many_beats_holds_their_points_as_a_picture(
    make_analysis: Make, tmp_path: Path
) -> None:
    path = write_svg(make_analysis("NNNNV" * 1200, duration_s=4800.0, fs=60.0), tmp_path)
    assert path.stat().st_size < 1_000_000
    assert b"data:image/png;base64," in path.read_bytes()


def test_png_is_1800_pixels_wide(make_analysis: Make, tmp_path: Path) -> None:
    path = write_picture(make_analysis(), tmp_path)
    assert path == tmp_path / "r1.png"
    height, width, _ = imread(path).shape
    assert width == 1800
    assert 800 < height < 1400


@pytest.mark.parametrize(
    ("labels", "duration_s"), [("", 0.004), ("", 1.0), ("V", 1.0), ("NV", 1.0), ("NVN", 61.0)]
)
def test_few_beats_and_short_recordings(
    make_analysis: Make, tmp_path: Path, labels: str, duration_s: float
) -> None:
    assert write_picture(make_analysis(labels, duration_s=duration_s), tmp_path).stat().st_size


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 3000.0])
def test_signals_that_are_missing_flat_or_absurd(
    make_analysis: Make, tmp_path: Path, value: float
) -> None:
    signal_mv = np.full(2500, value, dtype=np.float32)
    assert write_picture(make_analysis(signal_mv=signal_mv), tmp_path).stat().st_size
    signal_mv[:1250] = 0.0
    assert write_picture(make_analysis(signal_mv=signal_mv), tmp_path).stat().st_size


def test_letters_that_the_font_lacks_and_formulas(make_analysis: Make, tmp_path: Path) -> None:
    name = "心电 $\\frac{$ \udcff Ärzte\n" + "W" * 200
    analysis = make_analysis(
        recording=name,
        lead="导联",
        start=datetime(2024, 3, 1, 22, 15, 3),
        warnings=("心电 $x", *["much to say " * 40] * 8),
        model={},
    )
    assert write_picture(analysis, tmp_path).stat().st_size


def test_a_day_is_drawn_into_less_than_a_megabyte(make_analysis: Make, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n_samples = 24 * 3600 * 50
    peaks = np.cumsum(rng.normal(50 * 0.8, 4, 105_000).astype(np.int64))
    analysis = make_analysis(
        "".join(rng.choice(list("NNNNNNSV"), len(peaks))),
        peaks=peaks.tolist(),
        fs=50.0,
        duration_s=24 * 3600.0,
        signal_mv=rng.normal(0, 0.2, n_samples).astype(np.float32),
    )
    assert write_picture(analysis, tmp_path).stat().st_size < 1_000_000


def test_same_picture_whatever_the_user_set(make_analysis: Make, tmp_path: Path) -> None:
    analysis = make_analysis()
    plain = write_picture(analysis, tmp_path).read_bytes()
    own = {"font.size": 30, "savefig.bbox": "tight", "axes.facecolor": "black", "lines.marker": "x"}
    with mpl.rc_context(own):
        assert write_picture(analysis, tmp_path).read_bytes() == plain
        assert mpl.rcParams["font.size"] == 30


def test_pyplot_is_left_alone() -> None:
    code = (
        f"import sys, tempfile; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from conftest import small_analysis\n"
        "from ectopy.writers import write_picture\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    write_picture(small_analysis(), folder)\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_each_beat_has_its_letter_above_it(make_analysis: Make) -> None:
    analysis = make_analysis("NSVFQ", peaks=[250, 750, 1250, 1750, 2250])
    _, axes = paper(analysis)
    letters = {text.get_text(): text for text in axes.texts if text.get_text() in CLASSES}
    assert list(letters) == list("NSVFQ")
    for name, second in zip("NSVFQ", (1, 3, 5, 7, 9), strict=True):
        assert letters[name].get_position()[0] == pytest.approx(second * MM_PER_S)
        assert letters[name].get_color() == CLASS_COLOURS[name]


def test_ectopic_beats_are_drawn_in_their_colour_where_they_are(make_analysis: Make) -> None:
    sheet, axes = paper(make_analysis("NVN", peaks=[250, 1250, 2250]))
    colour = CLASS_COLOURS["V"].lower()
    (line,) = [line for line in axes.lines if to_hex(line.get_color()) == colour]
    x, y = line.get_data()
    drawn = np.isfinite(y)
    assert x[drawn].min() == pytest.approx(4.75 * MM_PER_S, abs=0.2)
    assert x[drawn].max() == pytest.approx(5.4 * MM_PER_S, abs=0.2)
    assert x[np.nanargmax(y)] == pytest.approx(5 * MM_PER_S)
    # The bell is 1 mV high, on paper of so many millimetres a millivolt.
    assert np.nanmax(y) - sheet.baseline_mm(0) == pytest.approx(sheet.gain, rel=0.01)


def test_colours_meet_without_a_gap(make_analysis: Make) -> None:
    _, axes = paper(make_analysis("NVN", peaks=[250, 1250, 2250]))
    traces = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 2500]
    drawn = np.isfinite(np.array(traces, dtype=float))
    steps = drawn[:, 1:] & drawn[:, :-1]
    assert steps.any(axis=0).all()


def test_a_missing_stretch_is_not_drawn(make_analysis: Make) -> None:
    analysis = make_analysis("NNN", peaks=[250, 1250, 2250])
    analysis.signal_mv[500:1000] = np.nan
    _, axes = paper(analysis)
    (trace,) = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 2500]
    assert np.isnan(np.asarray(trace)[500:1000]).all()
    assert np.isfinite(np.asarray(trace)[:500]).all()


def test_a_row_without_signal_says_so(make_analysis: Make) -> None:
    analysis = make_analysis("NN", duration_s=20.0)
    analysis.signal_mv[2500:] = np.nan
    _, axes = paper(analysis)
    assert [text.get_text() for text in axes.texts].count("no signal") == 1


def test_spikes_do_not_change_the_scale(make_analysis: Make) -> None:
    quiet = make_analysis("N" * 60, duration_s=60.0)
    spiky = make_analysis("N" * 60, duration_s=60.0)
    spiky.signal_mv[[1000, 9000]] = 400.0, -400.0
    assert Sheet.of(spiky).gain == Sheet.of(quiet).gain == 10.0
    assert Sheet.of(spiky).high_mv == pytest.approx(Sheet.of(quiet).high_mv, abs=0.1)


def test_a_single_ectopic_beat_is_shown_whole(make_analysis: Make) -> None:
    analysis = make_analysis("N" * 30 + "V" + "N" * 29, duration_s=60.0)
    peak = analysis.beats.peaks[30]
    analysis.signal_mv[peak - 20 : peak + 20] = -2.0
    assert Sheet.of(analysis).low_mv < -2.0


@pytest.mark.parametrize(("scale", "gain"), [(0.3, 20.0), (1.0, 10.0), (4.0, 10.0), (6.0, 5.0)])
def test_gain_follows_the_height_of_the_signal(
    make_analysis: Make, scale: float, gain: float
) -> None:
    analysis = make_analysis("N" * 10)
    analysis.signal_mv[:] *= scale
    assert Sheet.of(analysis).gain == gain


def test_rows_lie_inside_the_paper_and_apart(make_analysis: Make) -> None:
    sheet = Sheet.of(make_analysis("N" * 60, duration_s=60.0))
    assert sheet.rows == 6
    tops = [sheet.baseline_mm(row) + sheet.high_mv * sheet.gain for row in range(6)]
    bottoms = [sheet.baseline_mm(row) + sheet.low_mv * sheet.gain for row in range(6)]
    assert tops[0] < 0
    assert bottoms[-1] > -sheet.height_mm
    assert all(bottom > top for bottom, top in zip(bottoms[:-1], tops[1:], strict=True))


def test_window_of_a_short_recording_is_all_of_it() -> None:
    assert busiest_window(at([1.0], "V"), 59.5) == (0.0, 59.5)


def test_window_holds_the_most_ectopic_beats() -> None:
    start, stop = busiest_window(at([100, 300, 301, 302, 500], "VVVVV"), 600.0)
    assert stop - start == 60.0
    assert start <= 300
    assert stop >= 302


def test_window_prefers_another_class_to_more_of_the_same() -> None:
    start, stop = busiest_window(at([100, 101, 102, 300, 301], "VVVVS"), 600.0)
    assert start <= 300
    assert stop >= 301


def test_window_puts_a_single_ectopic_beat_in_the_middle() -> None:
    start, _ = busiest_window(at([100, 200, 300], "NVN"), 600.0)
    assert start == pytest.approx(170, abs=1)


def test_window_reaches_the_very_end() -> None:
    assert busiest_window(at([60.4], "V"), 60.5) == (0.5, 60.5)


def test_window_without_an_ectopic_beat_is_the_first_minute() -> None:
    assert busiest_window(at([100, 200], "NQ"), 600.0) == (0.0, 60.0)


def test_annotations_that_say_something_else_stand_in_brackets(make_analysis: Make) -> None:
    samples = np.array([255, 750, 2000], dtype=np.int64)
    reference = ReferenceBeats.from_annotations(samples, ["N", "V", "F"])
    analysis = make_analysis("NNS", peaks=[250, 745, 1250], reference=reference)
    remarks = annotated_otherwise(analysis.beats, reference)
    assert remarks == [(745, "V"), (1250, "-"), (2000, "F")]
    _, axes = paper(analysis)
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if text.startswith("(")] == ["(V)", "(-)", "(F)"]


def test_annotations_next_to_no_beats_and_no_annotations() -> None:
    reference = ReferenceBeats.from_annotations(np.array([10], dtype=np.int64), ["V"])
    assert annotated_otherwise(at([], ""), reference) == [(10, "V")]
    assert annotated_otherwise(at([1.0], "N"), None) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.99, "0:59"), (600, "10:00"), (86399, "23:59:59")]
)
def test_time_text(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_unusable_beats_and_stretches_are_drawn(make_analysis: Make, tmp_path: Path) -> None:
    flags = np.array([0, 0, 0, 8, 8, 8, 0, 0, 0, 0], dtype=np.uint8)
    analysis = make_analysis("NVNVVNNV", unusable=(3, 4), quality=SecondsQuality(flags))
    sheet, axes = paper(analysis)
    letters = [text.get_text() for text in axes.texts if text.get_text() in {*CLASSES, "?"}]
    assert letters == list("NVN??NNV")
    chart = Figure().add_subplot()
    draw_tachogram(chart, analysis, sheet)
    (shade,) = chart.collections
    assert to_hex(shade.get_facecolor()[0]) == UNUSABLE_SHADE
    (path,) = shade.get_paths()
    assert path.get_extents().intervalx.tolist() == [3.0, 6.0]
    assert sum(len(line.get_xdata()) for line in chart.lines) == 4  # of 7 intervals
    assert write_picture(analysis, tmp_path).stat().st_size


def test_unusable_beats_do_not_disagree_with_annotations(make_analysis: Make) -> None:
    analysis = make_analysis("NVN", unusable=(1,))
    reference = ReferenceBeats.from_annotations(analysis.beats.peaks, ["N", "N", "V"])
    assert annotated_otherwise(analysis.beats, reference) == [(int(analysis.beats.peaks[2]), "V")]
