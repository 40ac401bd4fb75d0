"""Recipes: what they may say, and what is said of those that cannot be followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ectopy.errors import RecipeError
from ectopy.models import MODELS, KANLayer, create_model
from ectopy.training.recipe import AugmentSettings, LossSettings, Recipe, load_recipe, shipped

KNOWN = (
    "augment, batch_size, description, ema_decay, gradient_clip, loss, max_epochs, model, monitor, "
    "name, normal_share, optimizer, patience, schedule"
)


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(f'name = "mine"\ndescription = "A test."\n{text}\n')
    return str(path)


def error_of(name: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_both_recipes_are_shipped():
    assert shipped() == ["baseline", "default"]


@pytest.mark.parametrize("name", ["baseline", "default"])
def test_a_shipped_recipe(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description.endswith(".")
    assert set(recipe.model) <= set(MODELS)
    for model in MODELS:
        create_model(model, recipe.model.get(model))
    assert json.loads(json.dumps(recipe.to_dict()))["optimizer"]["lr"] == recipe.optimizer.lr


def test_the_published_recipe():
    recipe = load_recipe("baseline")
    assert (recipe.optimizer.name, recipe.optimizer.lr) == ("adam", 1e-3)
    assert recipe.optimizer.weight_decay == 1e-4
    assert (recipe.schedule.name, recipe.schedule.factor, recipe.schedule.patience) == (
        "plateau", 0.5, 5,
    )  # fmt: skip
    assert (recipe.max_epochs, recipe.patience, recipe.batch_size) == (50, 10, 128)
    assert recipe.loss == LossSettings(balance=1.0)
    assert recipe.augment == AugmentSettings()
    assert (recipe.normal_share, recipe.ema_decay) == (1.0, 0.0)
    assert recipe.monitor == "val_loss"


def test_the_published_base_weights():
    settings = load_recipe("baseline").model["cnn-kan"]
    layers = [module for module in create_model("cnn-kan", settings).modules()
              if isinstance(module, KANLayer)]  # fmt: skip
    assert len(layers) == 2
    assert all((layer.base_weight == 1).all() for layer in layers)
    plain = create_model("cnn-kan").kan_head.kan1
    assert 0.9 / 16 < plain.base_weight.abs().max() <= 1 / 16  # 256 inputs


def test_unknown_base_weights():
    with pytest.raises(RecipeError) as caught:
        create_model("cnn-kan", {"base_init": "zeros"})
    assert str(caught.value) == "unknown base_init 'zeros'; give one of kaiming, ones"


def test_batches_that_an_epoch_can_fill():
    recipe = Recipe("mine", "A test.", batch_size=64)
    recipe.check_batches(64)
    recipe.check_batches(128, 2)
    with pytest.raises(RecipeError) as caught:
        recipe.check_batches(127, 2)
    assert str(caught.value) == (
        "recipe value batch_size = 64 on each of 2 devices: an epoch has 127 beats, "
        "so not one whole batch; expected at most 63"
    )


def test_what_is_left_out_has_its_default(tmp_path):
    recipe = load_recipe(write(tmp_path, "max_epochs = 3\n[optimizer]\nlr = 1"))
    assert recipe.max_epochs == 3
    assert recipe.optimizer.lr == 1.0
    assert isinstance(recipe.optimizer.lr, float)
    assert recipe.optimizer.name == "adamw"
    expected = Recipe("mine", "A test.", max_epochs=3)
    assert recipe.to_dict() | {"optimizer": None} == expected.to_dict() | {"optimizer": None}


def test_an_unknown_recipe():
    assert error_of("fancy") == (
        "unknown recipe 'fancy'; give one of baseline, default, or a .toml file"
    )


def test_a_file_that_is_not_there():
    assert error_of("no/such.toml") == (
        "no recipe file 'no/such.toml'; give a TOML file or one of: baseline, default"
    )


def test_a_file_that_is_not_toml(tmp_path):
    path = write(tmp_path, "max_epochs = ")
    message = error_of(path)
    assert message.startswith(f"recipe {path!r} is not valid TOML: Invalid value (at line 3")


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert error_of(str(path)).startswith(f"recipe {str(path)!r} is not valid TOML: ")


def test_an_unknown_key(tmp_path):
    path = write(tmp_path, "epochs = 3")
    assert error_of(path) == f"recipe {path!r} has an unknown key 'epochs'; known: {KNOWN}"


def test_an_unknown_key_in_a_table(tmp_path):
    path = write(tmp_path, "[optimizer]\nmomentum = 0.9")
    assert error_of(path) == (
        f"recipe '{path}: optimizer' has an unknown key 'momentum'; known: lr, name, weight_decay"
    )


def test_a_name_that_is_missing(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('description = "x"')
    assert error_of(str(path)) == (
        f"recipe {str(path)!r} is incomplete: "
        "Recipe.__init__() missing 1 required positional argument: 'name'"
    )


@pytest.mark.parametrize(
    ("line", "key", "shown", "expected"),
    [
        ("max_epochs = 'ten'", "max_epochs", "'ten'", "a whole number above 0"),
        ("max_epochs = 0", "max_epochs", "0", "a whole number above 0"),
        ("max_epochs = 2.0", "max_epochs", "2.0", "a whole number above 0"),
        ("batch_size = true", "batch_size", "True", "a whole number above 0"),
        ("gradient_clip = true", "gradient_clip", "True", "a number of at least 0"),
        ("gradient_clip = -1", "gradient_clip", "-1", "a number of at least 0"),
        ("gradient_clip = nan", "gradient_clip", "nan", "a number of at least 0"),
        ("gradient_clip = '1'", "gradient_clip", "'1'", "a number of at least 0"),
        ("normal_share = 1.5", "normal_share", "1.5", "a number from 0 to 1"),
        ("ema_decay = true", "ema_decay", "True", "a number of at least 0 and below 1"),
        ("ema_decay = 1.0", "ema_decay", "1.0", "a number of at least 0 and below 1"),
        ("monitor = 'acc'", "monitor", "'acc'", "'val_loss' or 'val_macro_f1'"),
        ("monitor = []", "monitor", "[]", "'val_loss' or 'val_macro_f1'"),
        ("optimizer = 3", "optimizer", "3", "a table"),
        ("model = 'cnn'", "model", "'cnn'", "a table"),
        ("[optimizer]\nname = 'sgd'", "optimizer: name", "'sgd'", "'adam' or 'adamw'"),
        ("[optimizer]\nlr = '1e-3'", "optimizer: lr", "'1e-3'", "a number of at least 0"),
        ("[schedule]\nwarmup = 2", "schedule: warmup", "2", "a number from 0 to 1"),
        (
            "[schedule]\nfactor = 1", "schedule: factor", "1",
            "a number of at least 0 and below 1",
        ),
        ("[schedule]\npatience = false", "schedule: patience", "False", "a whole number above 0"),
        ("[augment]\nprobability = -0.1", "augment: probability", "-0.1", "a number from 0 to 1"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind(tmp_path, line, key, shown, expected):
    path = write(tmp_path, line)
    assert error_of(path) == f"recipe value {path}: {key} = {shown}: expected {expected}"


def test_a_name_that_is_no_text(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = 3\ndescription = "x"')
    assert error_of(str(path)) == f"recipe value {path}: name = 3: expected text"


def test_a_run_needs_normal_beats(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text('name = "none"\ndescription = ""\nnormal_share = 0\n')
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path))
    assert str(caught.value) == (
        "recipe value normal_share = 0: without N beats there is nothing to learn; "
        "expected more than 0, at most 1"
    )
