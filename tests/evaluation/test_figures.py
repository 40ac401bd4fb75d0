"""Figures from results."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ectopy.errors import OutputError
from ectopy.evaluation import figures
from ectopy.evaluation.figures import plot_noise_curves

LEVELS = (None, 24.0, 6.0, -6.0)


def curve(start: float, step: float) -> list[dict]:
    return [
        {"snr_db": level, "se": start - row * step, "ppv": start - 2 * row * step, "f1": None}
        for row, level in enumerate(LEVELS)
    ]


def make_results(n_finders: int = 4) -> dict:
    names = ("ectopy", "sleepecg", "xqrs", "neurokit2", "fifth", "sixth", "seventh")[:n_finders]
    curves = {name: curve(1 - 0.01 * row, 0.05 + 0.01 * row) for row, name in enumerate(names)}
    return {
        "records": ["101", "106"],
        "noise": {"meaning": "electrode motion"},
        "curves": {"continuous": curves, "alternating": curves},
    }


def drawn(results: dict, **options: object):
    chosen = {"schedule": "continuous", "measures": ("se", "ppv")} | options
    return figures._draw(results, chosen["schedule"], chosen["measures"])


def pixels(path: Path) -> np.ndarray:
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(path.read_bytes()), format="png")[..., :3]


def test_the_file(tmp_path):
    path = plot_noise_curves(make_results(), tmp_path / "noise.png")
    assert path == tmp_path / "noise.png"
    assert [file.name for file in tmp_path.iterdir()] == ["noise.png"]
    image = pixels(path)
    assert image.shape == (figures.HEIGHT_PX, figures.WIDTH_PX, 3)
    for colour, _, _ in figures.LOOKS[:4]:  # every finder is there, in its colour
        assert (np.abs(image - to_rgb(colour)).max(axis=2) < 0.02).sum() > 200


def test_the_file_is_the_same_whatever_a_user_s_settings_are(tmp_path):
    usual = plot_noise_curves(make_results(), tmp_path / "usual.png").read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 10}):
        other = plot_noise_curves(make_results(), tmp_path / "other.png").read_bytes()
        assert mpl.rcParams["font.size"] == 30
    assert usual == other


def test_lines_run_from_clean_to_most_noise_in_percent():
    results = make_results()
    for points in results["curves"]["continuous"].values():
        points.reverse()
    sensitivity, predictivity = drawn(results).axes
    ticks = [label.get_text() for label in sensitivity.get_xticklabels()]
    assert ticks == ["clean", "24", "6", "\N{MINUS SIGN}6"]
    assert sensitivity.lines[0].get_ydata().tolist() == pytest.approx([100, 95, 90, 85])
    assert predictivity.lines[0].get_ydata().tolist() == pytest.approx([100, 90, 80, 70])
    assert predictivity.lines[3].get_ydata()[0] == pytest.approx(97)
    for panel in (sensitivity, predictivity):
        bottom, top = panel.get_ylim()
        assert top == 101
        # Panels share the axis, and the lowest point is in the second.
        assert bottom < min(line.get_ydata().min() for line in predictivity.lines)


def test_a_rate_that_is_not_defined_leaves_a_gap():
    results = make_results(1)
    results["curves"]["continuous"]["ectopy"][2]["se"] = None
    line = drawn(results).axes[0].lines[0]
    assert np.isnan(line.get_ydata()).tolist() == [False, False, True, False]


def test_words():
    figure = drawn(make_results(), schedule="alternating", measures=("se",))
    assert figure.get_suptitle() == (
        "Finding beats in electrode motion noise, two minutes with, two without\n"
        "2 records of the MIT-BIH Arrhythmia Database"
    )
    (panel,) = figure.axes
    assert panel.get_xlabel() == "Signal-to-noise ratio, dB (more noise to the right)"
    assert panel.get_ylabel() == "Sensitivity (beats found), %"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["ectopy", "sleepecg", "xqrs", "neurokit2"]


def test_nothing_overlaps_or_is_cut_off():
    figure = drawn(make_results(6))
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [panel.get_tightbbox() for panel in figure.axes]
    boxes += [figure.legends[0].get_window_extent(), figure._suptitle.get_window_extent()]
    for row, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[row + 1 :])


def test_looks_differ_in_colour_marker_and_line():
    lines = drawn(make_results(6)).axes[0].lines
    assert len({line.get_color() for line in lines}) == 6
    assert len({line.get_marker() for line in lines}) == 6
    assert len({dashes for _, _, dashes in figures.LOOKS}) == len(figures.LOOKS) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"schedule": "often"},
            "the results have no schedule 'often'; they have: continuous, alternating",
        ),
        ({"measures": ("se", "fame")}, "cannot draw a measure 'fame'; choose from: se, ppv, f1"),
        ({"measures": ()}, "cannot draw a panel without a measure; choose from: se, ppv, f1"),
        ({"path": "noise.gif"}, "cannot draw 'noise.gif'; name a file that ends in .png"),
        (
            {"results": make_results(7)},
            "7 finders cannot be told apart in one figure; draw 6 at most",
        ),
    ],
)
def test_what_cannot_be_drawn(tmp_path, change, message):
    options = {"results": make_results(), "path": "noise.png"} | change
    options["path"] = tmp_path / options["path"]
    with pytest.raises(OutputError) as error:
        plot_noise_curves(**options)
    assert str(error.value) == message
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="cannot write to"):
        plot_noise_curves(make_results(), tmp_path / "nowhere" / "noise.png")
