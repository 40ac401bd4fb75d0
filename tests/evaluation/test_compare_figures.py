"""Figures of a comparison."""

from __future__ import annotations

import io
import json

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ectopy.beats import CLASSES
from ectopy.errors import OutputError
from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_curve_plots import draw_reliability, draw_risk_coverage, draw_roc
from ectopy.evaluation.compare_figures import FIGURES, write_figures
from ectopy.evaluation.compare_files import write_comparison
from ectopy.evaluation.compare_score_plots import (
    draw_confusion,
    draw_efficiency,
    draw_f1,
    draw_radar,
    short_count,
)
from ectopy.evaluation.figure_style import LOOKS, plain_settings

NAMES = ("cnn-kan", "cnn-mlp", "rhythm-kan", "rhythm-mlp", "fifth", "sixth", "seventh")


@pytest.fixture(scope="module")
def make_results(made_up_run):
    def make(n_models: int = 2, **changes: object) -> dict:
        runs = [
            made_up_run(name, seed, right=0.9 - 0.02 * place, **changes)
            for place, name in enumerate(NAMES[:n_models])
            for seed in range(2)
        ]
        return compare_runs(runs, resamples=50)

    return make


def pixels(data: bytes) -> np.ndarray:
    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(data), format="png")[..., :3]


def published_row(results: dict) -> dict:
    scores = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 1}
    return {
        "name": "CNN+MLP, published",
        "model": "cnn-mlp",
        "parameters": 9000,
        "macro_f1": 0.5,
        "per_class": dict.fromkeys(CLASSES, scores),
    }


@pytest.mark.parametrize("n_models", [1, 4])
def test_every_figure_shows_every_model(make_results, tmp_path, n_models):
    results = make_results(n_models)
    files = write_figures(results, tmp_path / "figures")
    assert [file.stem for file in files] == list(FIGURES)
    assert sorted(tmp_path.joinpath("figures").iterdir()) == sorted(files)
    for file in files:
        image = pixels(file.read_bytes())
        assert min(image.shape[:2]) >= 480
        assert 0.02 < (image.min(axis=2) < 0.95).mean() < 0.8, file.stem  # neither blank nor full
        if file.stem == "confusion_matrices":
            continue
        for colour, _, _ in LOOKS[:n_models]:
            near = np.abs(image - to_rgb(colour)).max(axis=2) < 0.02
            assert near.sum() > 30, (file.stem, colour)


def test_figures_are_the_same_from_a_file_and_with_a_user_s_own_settings(make_results, tmp_path):
    results = make_results()
    usual = write_figures(results, tmp_path / "usual")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 10}):
        other = write_figures(json.loads(json.dumps(results)), tmp_path / "other")
        assert mpl.rcParams["font.size"] == 30
    for one, again in zip(usual, other, strict=True):
        assert one.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("roc", "radar")])
@pytest.mark.parametrize("n_models", [1, 2, 6])
def test_nothing_is_cut_off_and_panels_do_not_overlap(make_results, name, n_models):
    results = make_results(n_models)
    with plain_settings():
        figure = FIGURES[name](results)
        assert figure is not None
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * figure.dpi
        panels = [panel for panel in figure.axes if panel.get_visible() and panel.axison]
        boxes = [panel.get_tightbbox() for panel in panels]
        boxes += [legend.get_window_extent() for legend in figure.legends]
        boxes.append(figure._suptitle.get_window_extent())
    for row, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[row + 1 :])


def test_confusion_matrices_have_shares_and_beats(make_results):
    results = make_results()
    panels = draw_confusion(results).axes
    matrix = np.array(results["models"]["cnn-kan"]["confusion_matrix"])
    texts = [text.get_text() for text in panels[0].texts]
    assert texts[0] == f"{100 * matrix[0, 0] / matrix[0].sum():.1f} %\n{matrix[0, 0]:,}"
    assert len(texts) == 25
    assert panels[1].get_title() == "cnn-mlp, 2 seeds"


def test_bars_are_as_high_as_the_scores(make_results):
    results = make_results()
    results["published"] = [published_row(results)]
    (panel,) = draw_f1(results).axes
    bars = [bar for bar in panel.patches if bar.get_height() > 0][:10]
    expected = [
        results["models"][name]["per_class"][c]["f1"]["mean"]
        for name in ("cnn-kan", "cnn-mlp")
        for c in CLASSES
    ]
    assert [bar.get_height() for bar in bars] == pytest.approx(expected)
    crosses = [line for line in panel.lines if line.get_marker() == "x" and len(line.get_xdata())]
    (cross,) = crosses
    assert cross.get_ydata().tolist() == [0.5] * 5
    # over the bars of the model whose architecture it is
    assert cross.get_xdata().tolist() == pytest.approx(
        [bar.get_x() + bar.get_width() / 2 for bar in bars[5:]]
    )
    assert panel.get_ylim()[0] == 0


def test_efficiency_has_both_sizes(make_results):
    results = make_results()
    results["published"] = [published_row(results)]
    left, right = draw_efficiency(results).axes
    xs = [line.get_xdata()[0] for line in left.lines if line.get_marker() in "os"]
    assert xs == [7000, 7000, 9000]  # cnn-kan, cnn-mlp, and what is published, an open square
    assert left.lines[-1].get_fillstyle() == "none"
    assert [line.get_xdata()[0] for line in right.lines if line.get_marker() in "os"] == [
        140_000, 140_000,
    ]  # fmt: skip
    assert (left.get_xlabel(), right.get_xlabel()) == (
        "Trained parameters", "Multiply-adds for one beat",
    )  # fmt: skip


def test_short_counts():
    assert [short_count(n) for n in (175_973, 1_000, 999, 12_345_678)] == [
        "176 k", "1 k", "999", "12.3 M",
    ]  # fmt: skip


def test_the_radar_starts_below_the_lowest_score(make_results):
    results = make_results()
    figure = draw_radar(results)
    (panel,) = figure.axes
    lowest = min(one.get_ydata().min() for one in panel.lines)
    inner, outer = panel.get_ylim()
    assert inner <= lowest < inner + 0.1
    assert outer == 1
    assert f"the centre is {inner:.1f}, the rim 1" in figure.get_suptitle()


def test_roc_curves_and_their_areas(make_results):
    results = make_results()
    figure = draw_roc(results)
    panel, legend = figure.axes[0], figure.axes[5]
    curves = results["models"]["cnn-mlp"]["curves"]
    assert panel.lines[1].get_ydata().tolist() == curves["classes"]["N"]["sensitivity"][1:]
    assert panel.get_xscale() == "log"
    cells = legend.tables[0].get_celld()
    area = results["models"]["cnn-mlp"]["per_class"]["V"]["auc"]["mean"]
    assert cells[2, 2].get_text().get_text() == f"{area:.4f}"
    assert [text.get_text() for text in legend.get_legend().get_texts()] == ["cnn-kan", "cnn-mlp"]


def test_reliability_tells_groups_without_an_error(make_results):
    results = make_results(1)
    table = results["models"]["cnn-kan"]["calibration"]["as_given"]
    panel = draw_reliability(results).axes[1]
    wrong = [1 - row["accuracy"] for row in table if row["accuracy"] < 1]
    assert panel.lines[1].get_ydata().tolist() == pytest.approx(wrong)
    assert len(panel.lines[2].get_xdata()) == len(table) - len(wrong)
    assert panel.lines[2].get_fillstyle() == "none"


def test_risk_falls_from_the_error_rate(make_results):
    results = make_results(1)
    (panel,) = draw_risk_coverage(results).axes
    error = 1 - results["models"]["cnn-kan"]["scores"]["accuracy"]["mean"]
    assert panel.lines[0].get_ydata()[0] == pytest.approx(100 * error, abs=1e-3)
    assert panel.get_ylim()[0] == 0


def test_what_is_not_known_is_not_drawn(make_results, tmp_path):
    """No epochs, no multiply-adds, and four classes without a beat."""
    results = make_results(2, epochs=(), multiply_adds=None, classes=np.zeros(600, np.int8))
    names = [file.stem for file in write_figures(results, tmp_path)]
    assert names == [name for name in FIGURES if name != "training_curves"]
    texts = [text.get_text() for text in draw_roc(results).axes[1].texts]
    assert texts == ["no beats"]
    assert draw_efficiency(results).axes[1].texts[0].get_text() == "not counted"


def test_too_many_models(make_results, tmp_path):
    with pytest.raises(OutputError) as caught:
        write_figures(make_results(7), tmp_path / "figures")
    message = "7 models cannot be told apart in one figure; compare 6 at most"
    assert str(caught.value) == message
    with pytest.raises(OutputError):
        write_comparison(make_results(7), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []  # no tables without figures


def test_all_files_or_none(make_results, tmp_path):
    results = make_results()
    files = write_comparison(results, tmp_path / "out")
    assert [file.name for file in files[:3]] == ["results.json", "results.csv", "table.md"]
    assert all(file.stat().st_size > 1000 for file in files)
    (tmp_path / "other" / "table.md").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"'table\.md' in it is a folder"):
        write_comparison(results, tmp_path / "other")
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "figures").write_text("a file")
    with pytest.raises(OutputError, match=r"figures' is a file, not a folder"):
        write_comparison(results, tmp_path / "third")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["table.md"]
    assert [path.name for path in (tmp_path / "third").iterdir()] == ["figures"]


def test_inter_figures_say_records(make_results):
    results = make_results()
    runs_by_record = dict(results, intervals=results["intervals"] | {"unit": "records"})
    assert "95 % intervals over records" in draw_f1(runs_by_record).get_suptitle()
