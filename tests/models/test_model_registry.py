"""Models by name."""

from __future__ import annotations

import pytest

import ectopy.models
from ectopy.errors import RecipeError
from ectopy.models import MODELS, create_model
from ectopy.models.finder import BeatFinderNet
from ectopy.models.registry import create_finder


def test_models_by_name():
    assert list(MODELS) == ["cnn-mlp", "cnn-kan", "rhythm-mlp", "rhythm-kan"]
    for name, kind in MODELS.items():
        assert type(create_model(name)) is kind


def test_settings_reach_the_model():
    model = create_model("cnn-kan", {"intervals": 7, "grid_range": [-2, 2]})
    assert model.kan_head.kan2.spline_weight.shape == (5, 64, 10)
    assert model.kan_head.kan2.grid[0, 3].item() == -2.0


def error_of(name, settings=None) -> str:
    with pytest.raises(RecipeError) as caught:
        create_model(name, settings)
    return str(caught.value)


def test_unknown_model():
    assert error_of("resnet") == (
        "unknown model 'resnet'; the models are: cnn-mlp, cnn-kan, rhythm-mlp, rhythm-kan, "
        "beat-finder"
    )


def test_unknown_setting():
    assert error_of("cnn-mlp", {"depth": 3}) == (
        "model 'cnn-mlp' does not take these settings: "
        "ECGCNN.__init__() got an unexpected keyword argument 'depth'"
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("cnn-mlp", {"dropouts": [0.1, 0.1]}),
        ("cnn-mlp", {"dropouts": [0.1, 0.1, 0.1, 1.5]}),
        ("cnn-mlp", {"head_dropouts": [0.1]}),
        ("cnn-kan", {"grid_range": [1.0]}),
        ("cnn-kan", {"intervals": "five"}),
        ("rhythm-mlp", {"channels": [8, 8]}),
        ("rhythm-mlp", {"spline_noise": 0.1}),
        ("rhythm-kan", {"embedding": "wide"}),
        ("rhythm-kan", {"dropout": 1.5}),
    ],
)
def test_settings_that_make_no_model(name, settings):
    assert error_of(name, settings).startswith(f"model {name!r} does not take these settings: ")


def test_a_grid_that_is_none_says_so():
    assert error_of("cnn-kan", {"grid_range": [1.0, -1.0]}).startswith("spline grid of 5 intervals")


def test_the_finder_has_its_own_maker():
    assert type(create_finder()) is BeatFinderNet
    assert create_finder({"width": 8, "dilations": [1, 5]}).reach == (104, 20)
    assert error_of("beat-finder") == (
        "model 'beat-finder' finds beats and does not class them; make it with create_finder"
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"depth": 3}, "BeatFinderNet.__init__() got an unexpected keyword argument 'depth'"),
        ({"kernel": 4}, "kernel = 4 and first_kernel = 17 must be odd"),
        (
            {"width": -1, "dilations": [1]},
            "width = -1, kernel = 3, first_kernel = 17 and dilations = [1] must all be above 0",
        ),
    ],
)
def test_settings_that_make_no_finder(settings, reason):
    with pytest.raises(RecipeError) as caught:
        create_finder(settings)
    assert str(caught.value) == f"model 'beat-finder' does not take these settings: {reason}"


@pytest.mark.parametrize("settings", [{"dilations": 3}, {"width": "wide"}, {"dilations": ["one"]}])
def test_settings_of_the_wrong_kind_make_no_finder(settings):
    with pytest.raises(RecipeError, match=r"^model 'beat-finder' does not take these settings: "):
        create_finder(settings)


def test_the_package_has_its_names():
    assert set(ectopy.models._HOME) == set(ectopy.models.__all__)
    assert {kind.__name__ for kind in MODELS.values()} < set(ectopy.models.__all__)
    for name in ectopy.models.__all__:
        assert getattr(ectopy.models, name) is not None


def test_the_package_has_only_these_names():
    with pytest.raises(AttributeError, match=r"^module 'ectopy.models' has no attribute 'CNN'$"):
        _ = ectopy.models.CNN
