"""What a KAN head learned: the head in NumPy, its curves, ranking, files and figure."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from ectopy.beats import CLASSES
from ectopy.errors import BundleError, OutputError
from ectopy.evaluation.feature_scales import FEATURE_SCALES
from ectopy.evaluation.figure_style import plain_settings
from ectopy.evaluation.kan_function_figure import axis_ticks, draw_functions
from ectopy.evaluation.kan_function_files import CSV_COLUMNS, write_functions
from ectopy.evaluation.kan_functions import (
    HELD_FIXED,
    KANFunctions,
    as_table,
    head_functions,
    kan_functions,
    not_linear,
)
from ectopy.evaluation.kan_head import LIMIT, KANHead, NumpyKANLayer, load_kan_head
from ectopy.models import rhythm
from ectopy.models.bundle import find_bundle
from ectopy.models.saving import load_model

NAMES = tuple(FEATURE_SCALES)
N_INPUTS = len(NAMES) + 8


@pytest.fixture(scope="module")
def changed(untrained_bundle, sign_bundle, tmp_path_factory):
    """Copy of the untrained rhythm-kan whose weights went through a function."""

    def make(change) -> Path:
        folder = tmp_path_factory.mktemp("changed") / "bundle"
        shutil.copytree(untrained_bundle("rhythm-kan"), folder)
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")
        sign_bundle(folder)
        return folder

    return make


@pytest.fixture(scope="module")
def rich(changed) -> Path:
    """Bundle whose functions are all bent, its features where trained ones are."""

    def change(weights):
        rng = np.random.default_rng(3)
        for name, values in weights.items():
            if name.startswith("head") and not name.endswith("grid"):
                noise = rng.normal(0, 0.4, values.shape)
                weights[name] = (values / np.abs(values).max().clip(1) + noise).astype(np.float32)
        weights["scale.running_mean"][:] = rng.normal(0, 0.2, len(NAMES))
        weights["scale.running_var"][:] = rng.uniform(0.02, 0.6, len(NAMES))

    return changed(change)


# The same numbers


def test_the_head_is_the_one_of_torch(rich):
    head = load_kan_head(find_bundle(rich))
    model = load_model(rich)
    generator = torch.Generator().manual_seed(4)
    x = 3 * torch.randn(200, N_INPUTS, generator=generator)
    with torch.inference_mode():
        logits = model.head(x).numpy()
        exact = model.head.double()(x.double()).numpy()
    assert np.abs(logits).max() > 1
    np.testing.assert_allclose(head(x.double().numpy()), logits, atol=1e-5)
    np.testing.assert_allclose(head(x.double().numpy()), exact, atol=1e-10)


def test_features_are_standardised_as_the_model_does(rich):
    head = load_kan_head(find_bundle(rich))
    scale = load_model(rich).scale
    x = torch.linspace(-5, 5, 50)[:, None].repeat(1, len(NAMES))
    with torch.inference_mode():
        expected = scale(x).clamp(-rhythm.LIMIT, rhythm.LIMIT).numpy()
    found = [head.standardised(x[:, 0].double().numpy(), number) for number in range(len(NAMES))]
    np.testing.assert_allclose(np.stack(found, axis=1), expected, atol=1e-5)
    assert rhythm.LIMIT == LIMIT


def test_a_curve_is_what_the_model_answers(rich):
    """All of it again in torch, for one feature: mean, embedding at 0, differences of logits."""
    functions = kan_functions(rich)
    model = load_model(rich)
    one = functions.features[5]
    features = model.scale.running_mean.repeat(len(one.x) + 1, 1)
    features[:-1, 5] = torch.from_numpy(one.x)
    with torch.inference_mode():
        named = model.scale(features).clamp(-rhythm.LIMIT, rhythm.LIMIT)
        logits = model.head(torch.cat([named, torch.zeros(len(named), 8)], dim=1)).numpy()
    np.testing.assert_allclose(one.logits, logits[:-1] - logits[-1], atol=1e-5)
    np.testing.assert_allclose(functions.reference_logits, logits[-1], atol=1e-5)
    np.testing.assert_allclose(one.effect("V"), one.logits[:, 2] - one.logits[:, 0])
    (at_mean,) = np.flatnonzero(one.x == one.mean)
    np.testing.assert_allclose(one.logits[at_mean], 0, atol=1e-12)


def test_no_torch_is_needed(rich):
    code = (
        "import sys; from ectopy.evaluation.kan_functions import kan_functions; "
        f"print(len(kan_functions({str(rich)!r}).features), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(NAMES)} False\n"


# A head of known functions

CURVES = {"line": lambda c, h: c, "square": lambda c, h: c**2 - h**2 / 3}
"""Coefficients of splines that are x and x²: their blossoms at three knots around the centre."""


def known_layer(n_in: int, n_out: int, reach: float, functions: dict) -> NumpyKANLayer:
    """Layer of nothing but ``{(output, input): (curve, factor)}``."""
    step = 2 * reach / 5
    knots = np.arange(-3, 9) * step - reach
    centres = knots[2:-2]
    spline = np.zeros((n_out, n_in, 8))
    for (output, number), (curve, factor) in functions.items():
        spline[output, number] = factor * CURVES[curve](centres, step)
    return NumpyKANLayer(np.tile(knots, (n_in, 1)), np.zeros((n_out, n_in)), spline)


@pytest.fixture(scope="module")
def known() -> KANFunctions:
    """S: 2 a + 0.5 b², V: b², N: -a, where a and b are the first two features, standardised."""
    first = known_layer(N_INPUTS, 6, LIMIT, {(0, 0): ("line", 1), (1, 1): ("square", 1)})
    second = {
        (0, 0): ("line", -1), (1, 0): ("line", 1), (1, 1): ("line", 0.5), (2, 1): ("line", 1),
    }  # fmt: skip
    head = KANHead(
        names=NAMES,
        mean=np.full(len(NAMES), -0.1),
        sd=np.full(len(NAMES), 0.2),
        layers=(first, known_layer(6, 5, 30, second)),
    )
    features, reference = head_functions(head)
    return KANFunctions("rhythm-kan/inter", "0" * 64, 1.0, features, reference)


def test_known_functions_give_known_curves(known):
    np.testing.assert_allclose(known.reference_logits, 0, atol=1e-9)
    a, b, *others = known.features
    z = (a.x + 0.1) / 0.2
    assert (z[0], z[-1]) == pytest.approx((-4, 4))
    np.testing.assert_allclose(a.effect("S"), 2 * z, atol=1e-9)
    np.testing.assert_allclose(a.logits[:, 1], z, atol=1e-9)
    np.testing.assert_allclose(a.effect("V"), z, atol=1e-9)  # N alone moves
    np.testing.assert_allclose(b.effect("S"), 0.5 * z**2, atol=1e-9)
    np.testing.assert_allclose(b.effect("V"), z**2, atol=1e-9)
    for one in others:
        np.testing.assert_allclose(one.logits, 0, atol=1e-9)


def test_ranking_is_by_the_middle(known):
    """Over ±2 SD: a moves S by 8 and V by 4, b moves S by 2 and V by 4; F by a alone."""
    a, b = known.features[:2]
    assert [one.name for one in known.ranking("S")[:2]] == ["before_to_median", "after_to_median"]
    expected = {"S": [8, 2], "V": [4, 4], "F": [4, 0]}
    for name, ranges in expected.items():
        assert [one.importance(name) for one in (a, b)] == pytest.approx(ranges)
    assert a.middle == pytest.approx((-0.5, 0.3))
    irregularity = known.features[NAMES.index("irregularity")]
    assert irregularity.middle == pytest.approx((-0.1, 0.3))  # from the mean: none below 0


def test_how_much_is_not_linear(known):
    a, b, *others = known.features
    assert a.first_layer_not_linear == pytest.approx(0, abs=1e-12)
    assert b.first_layer_not_linear == pytest.approx(1)
    assert (a.curve_not_linear("S"), b.curve_not_linear("V")) == pytest.approx((0, 1), abs=0.01)
    assert {one.first_layer_not_linear for one in others} == {None}
    assert others[0].curve_not_linear("S") is None
    z = np.linspace(-1, 1, 2001)
    cubic = not_linear(z, (z**3)[:, None])
    assert cubic == pytest.approx(4 / 25, abs=1e-3)  # 1 - r², r² = 21 / 25
    larger = not_linear(z, np.stack([10 * z, z**3], axis=1))
    assert larger is not None
    assert larger < 0.001


# Files


def test_files_hold_the_curves_and_the_ranking(rich, tmp_path):
    functions = kan_functions(rich)
    files = write_functions(functions, tmp_path / "new" / "out")
    assert [file.name for file in files] == ["functions.csv", "functions.json", "functions.png"]
    assert sorted((tmp_path / "new" / "out").iterdir()) == files
    with files[0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 5 * sum(len(one.x) for one in functions.features)
    one = functions.features[1]
    mine = [row for row in rows if (row["class"], row["feature"]) == ("V", one.name)]
    for column, values in (
        ("x", one.x), ("x_plain", np.exp(one.x)), ("effect", one.effect("V")),
        ("effect_on_logit", one.logits[:, 2]),
    ):  # fmt: skip
        found = [float(row[column]) for row in mine]
        np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-5)
    assert {row["unit"] for row in mine} == {"ratio"}
    table = json.loads(files[1].read_text(encoding="utf-8"))
    assert table == json.loads(json.dumps(as_table(functions)))
    assert table["weights_sha256"] == find_bundle(rich).weights_sha256
    assert (table["model"], table["held_fixed"]) == ("rhythm-kan/inter", HELD_FIXED)
    x = np.linspace(-2, 2, 81)
    even = x * np.tanh(x / 2) / 2  # silu(x) is this and x / 2
    share = even.var() / (even.var() + x.var() / 4)
    assert table["settings"]["not_linear_of_base_term"] == pytest.approx(share)
    assert list(table["importance"]) == list(CLASSES[1:])
    for name, ranked in table["importance"].items():
        sizes = [row["importance"] for row in ranked]
        assert sizes == sorted(sizes, reverse=True)
        assert {row["feature"] for row in ranked} == set(NAMES)
        rows = functions.ranking(name)[0].in_middle()
        effect = functions.ranking(name)[0].effect(name)[rows]
        assert sizes[0] == effect.max() - effect.min()
        assert (ranked[0]["effect_at_low"], ranked[0]["effect_at_high"]) == (effect[0], effect[-1])


def test_the_same_files_each_time(rich, tmp_path):
    once, again = (write_functions(kan_functions(rich), tmp_path / name) for name in "ab")
    assert [f.read_bytes() for f in once] == [f.read_bytes() for f in again]


def test_all_files_or_none(known, tmp_path):
    (tmp_path / "out" / "functions.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"'functions\.png' in it is a folder"):
        write_functions(known, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["functions.png"]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file' is a file, not a folder"):
        write_functions(known, tmp_path / "file")


# Figure


@pytest.fixture(params=["rich", "known"])
def either(request) -> KANFunctions:
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, KANFunctions) else kan_functions(found)


def test_nothing_is_cut_off_and_panels_do_not_overlap(either):
    with plain_settings():
        figure = draw_functions(either)
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * figure.dpi
        boxes = [panel.get_tightbbox() for panel in figure.axes]
        boxes += [legend.get_window_extent() for legend in figure.legends]
        boxes.append(figure._suptitle.get_window_extent())
        for panel in figure.axes:
            labels = [one.get_window_extent() for one in panel.get_xticklabels()]
            labels.sort(key=lambda one: one.x0)
            assert all(a.x1 < b.x0 for a, b in pairwise(labels))
    assert len(figure.axes) == 18
    for row, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[row + 1 :])


def test_every_title_fits_above_any_panel(known):
    """Whichever features come first: the widest label and the widest facts."""
    with plain_settings():
        figure = draw_functions(known)
        panel = figure.axes[0]
        boxes = []
        for scale in FEATURE_SCALES.values():
            panel.set_title(f"{scale.label}\nrange 11.9; first layer 100 % bent", fontsize=10)
            panel.set_xlabel(scale.unit, fontsize=10)
            figure.draw_without_rendering()
            boxes += [panel.title.get_window_extent(), panel.xaxis.label.get_window_extent()]
        pitch = figure.axes[1].get_window_extent().x0 - panel.get_window_extent().x0
    assert max(box.width for box in boxes) < pitch


def test_panels_show_the_ranking_on_one_scale_a_row(known):
    figure = draw_functions(known)
    rows = np.array(figure.axes).reshape(3, 6)
    titles = [panel.get_title() for panel in rows[0, :2]]
    assert titles == [
        "RR before / median RR\nrange 8.0; first layer 0 % bent",
        "RR after / median RR\nrange 2.0; first layer 100 % bent",
    ]
    assert rows[0, 2].get_title().endswith("\nrange 0.0")
    for row, name in zip(rows, "SVF", strict=True):
        assert len({panel.get_ylim() for panel in row}) == 1
        assert row[0].get_ylabel() == f"effect on logit {name} \N{MINUS SIGN} logit N"
        for panel, one in zip(row, known.ranking(name), strict=False):
            curve = panel.lines[1]
            assert curve.get_xdata().tolist() == one.x.tolist()
            assert curve.get_ydata().tolist() == one.effect(name).tolist()
    title = figure.get_suptitle()
    assert title == f"What rhythm-kan/inter learned of its named features\n{HELD_FIXED}"


def test_axes_of_ratios_are_labelled_with_ratios(known):
    places, labels = axis_ticks(known.features[0])  # from exp(-0.9) to exp(0.7)
    assert labels == ["1", "0.5", "2", "0.7", "1.5"]
    np.testing.assert_allclose(places, np.log([1, 0.5, 2, 0.7, 1.5]), atol=1e-12)


# What has no such functions


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("beat-finder", "beat-finder/inter finds beats and does not class them"),
        ("cnn-kan/intra", "cnn-kan/intra has a head whose inputs have no names"),
        ("cnn-mlp/intra", "cnn-mlp/intra has a head whose inputs have no names"),
        ("rhythm-mlp", "rhythm-mlp/inter has a head that is no KAN"),
    ],
)
def test_models_without_functions_of_names(name, reason, untrained_bundle):
    with pytest.raises(BundleError) as caught:
        kan_functions(untrained_bundle(name) if name == "rhythm-mlp" else name)
    assert str(caught.value) == (
        f"{reason}, so that there are no functions to read; give a rhythm-kan or the folder of "
        "one that was trained"
    )


def without(name):
    return lambda weights: weights.pop(name)


def cut(name, axis=0):
    return lambda weights: weights.update({name: np.delete(weights[name], -1, axis).copy()})


def spoil(weights):
    weights["head.3.base_weight"][0, 0] = np.nan


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("head.2.base_weight"), "there is no 'head.2.base_weight'"),
        (without("scale.running_var"), "there is no 'scale.running_var'"),
        (without("head.2.layer_norm.bias"), "there is no 'head.2.layer_norm.bias'"),
        (cut("scale.running_var"), "its head does not read 44 named features"),
        (cut("head.2.grid", 1), "the layers of its head do not fit together"),
        (cut("head.3.base_weight", 1), "the layers of its head do not fit together"),
        (cut("head.3.layer_norm.weight"), "the layers of its head do not fit together"),
        (spoil, "they hold values that are no numbers"),
    ],
)
def test_weights_that_do_not_fit(changed, change, reason):
    folder = changed(change)
    with pytest.raises(BundleError) as caught:
        kan_functions(folder)
    assert str(caught.value) == (
        f"weights of bundle {str(folder)!r} do not load: {reason}; fetch them again"
    )


def test_features_of_another_version(changed):
    folder = changed(cut("scale.running_mean"))
    with pytest.raises(BundleError) as caught:
        kan_functions(folder)
    assert str(caught.value) == (
        f"rhythm-kan/inter has {len(NAMES) - 1} named features, this version of ectopy "
        f"{len(NAMES)}; train it again, or use the version that wrote it"
    )


def test_weights_that_are_no_safetensors(changed, sign_bundle):
    folder = changed(lambda weights: None)
    (folder / "model.safetensors").write_bytes(b"x" * 2000)
    sign_bundle(folder)
    with pytest.raises(BundleError, match=r"^weights of bundle .* do not load: .*; fetch them"):
        kan_functions(folder)
