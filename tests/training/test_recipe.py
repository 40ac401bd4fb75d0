"""Recipes: what they may say, and what is said of those that cannot be followed."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from ectopy.data.protocols import PROTOCOLS
from ectopy.errors import RecipeError
from ectopy.models import MODELS, KANLayer, create_model
from ectopy.models.bundle import FINDER
from ectopy.models.registry import create_finder
from ectopy.training.recipe import (
    AugmentSettings,
    DistortSettings,
    FinderRecipe,
    LossSettings,
    Recipe,
)
from ectopy.training.recipe_files import default_recipe, load_recipe, recipe_kind, shipped
from ectopy.training.rhythm_recipe import DisturbSettings, DressSettings, RhythmRecipe

KNOWN = (
    "augment, batch_size, description, ema_decay, gradient_clip, loss, max_epochs, model, monitor, "
    "name, normal_share, optimizer, patience, schedule"
)
KNOWN_TO_THE_FINDER = (
    "batch_size, batches_per_epoch, description, distort, ectopic_share, ema_decay, gradient_clip, "
    "max_epochs, model, monitor, name, optimizer, patience, placing_weight, schedule, segment_s, "
    "simulated_patients, simulated_share, threshold"
)


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(f'name = "mine"\ndescription = "A test."\n{text}\n')
    return str(path)


def error_of(name: str, kind: type[Recipe | FinderRecipe | RhythmRecipe] = Recipe) -> str:
    with pytest.raises(RecipeError) as caught:
        load_recipe(name, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_shipped_recipes():
    assert {"baseline", "beat-finder", "cnn-intra"} <= set(shipped())


def test_every_model_has_a_recipe_of_its_own():
    for model in (*MODELS, FINDER):
        for protocol in PROTOCOLS:
            name = default_recipe(model, protocol)
            assert name in shipped()
            assert load_recipe(name, recipe_kind(model)).name == name
    assert default_recipe("cnn-kan", "intra") == "cnn-intra"
    assert default_recipe("cnn-mlp", "inter") == "cnn-inter"
    assert default_recipe("rhythm-kan", "intra") == "rhythm-kan-intra"
    assert default_recipe("rhythm-mlp", "inter") == "rhythm-mlp-inter"
    assert default_recipe(FINDER, "inter") == FINDER
    kinds = {model: recipe_kind(model) for model in ("cnn-mlp", "rhythm-mlp", FINDER)}
    assert list(kinds.values()) == [Recipe, RhythmRecipe, FinderRecipe]


def test_every_shipped_recipe_is_of_one_kind():
    for name in shipped():
        kinds = []
        for kind in (Recipe, RhythmRecipe, FinderRecipe):
            try:
                recipe = load_recipe(name, kind)
            except RecipeError:
                continue
            kinds.append(kind)
            assert recipe.name == name
            assert recipe.description.endswith(".")
        assert len(kinds) == 1, name


@pytest.mark.parametrize("name", ["baseline", "cnn-intra", "cnn-inter"])
def test_a_shipped_recipe(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description.endswith(".")
    assert set(recipe.model) <= set(MODELS)
    for model in ("cnn-mlp", "cnn-kan"):
        create_model(model, recipe.model.get(model))
    assert json.loads(json.dumps(recipe.to_dict()))["optimizer"]["lr"] == recipe.optimizer.lr


@pytest.mark.parametrize("name", [name for name in shipped() if name.startswith("rhythm-")])
def test_a_shipped_recipe_of_the_rhythm_models(name):
    recipe = load_recipe(name, RhythmRecipe)
    models = [model for model in MODELS if recipe_kind(model) is RhythmRecipe]
    assert set(recipe.model) <= set(models)
    assert len(recipe.model) == 1
    assert name.startswith(f"{next(iter(recipe.model))}-")
    assert set(recipe.temperature) <= set(models)
    for model in models:
        create_model(model, recipe.model.get(model))
    assert sum(recipe.dress.shares[:4]) == pytest.approx(1)  # paced beats come on top
    assert (recipe.dress.q_share == 0) == name.endswith("-inter")
    table = json.loads(json.dumps(recipe.to_dict()))
    assert table["dress"]["n_share"] == recipe.dress.n_share
    assert table["disturb"]["shift"] == recipe.disturb.shift


def test_the_shipped_recipe_of_the_finder():
    recipe = load_recipe("beat-finder", FinderRecipe)
    assert recipe.name == "beat-finder"
    assert recipe.description.endswith(".")
    assert set(recipe.model) == {FINDER}
    plain, made = create_finder(), create_finder(recipe.model[FINDER])
    assert str(made) == str(plain)
    assert recipe.distort == DistortSettings()
    assert json.loads(json.dumps(recipe.to_dict()))["distort"]["noise"] == 0.65


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
        f"unknown recipe 'fancy'; give one of {', '.join(shipped())}, or a .toml file"
    )


def test_a_file_that_is_not_there():
    assert error_of("no/such.toml") == (
        f"no recipe file 'no/such.toml'; give a TOML file or one of: {', '.join(shipped())}"
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


@pytest.mark.parametrize(("name", "key"), [("cnn-intra", "augment"), ("baseline", "loss")])
def test_a_recipe_of_beat_models_for_the_finder(name, key):
    assert error_of(name, FinderRecipe) == (
        f"recipe {name!r} has the key {key!r}, which is for a model that sees single beats; "
        f"the beat finder takes 'beat-finder', or a TOML file with: {KNOWN_TO_THE_FINDER}"
    )


def test_the_recipe_of_the_finder_for_a_beat_model():
    assert error_of("beat-finder") == (
        "recipe 'beat-finder' has the key 'batches_per_epoch', which is for the beat finder; "
        "a model that sees single beats takes 'cnn-intra', 'cnn-inter' or 'baseline', or a "
        "TOML file with: "
        f"{KNOWN}"
    )


def test_an_unknown_key_of_the_finder(tmp_path):
    path = write(tmp_path, "segments = 3")
    assert error_of(path, FinderRecipe) == (
        f"recipe {path!r} has an unknown key 'segments'; known: {KNOWN_TO_THE_FINDER}"
    )
    path = write(tmp_path, "[distort]\nnois = 0.5")
    message = error_of(path, FinderRecipe)
    assert message.startswith(f"recipe '{path}: distort' has an unknown key 'nois'; known: burst, ")


@pytest.mark.parametrize(
    ("line", "key", "shown", "expected"),
    [
        ("monitor = 'val_loss'", "monitor", "'val_loss'", "'val_error'"),
        ("batches_per_epoch = 0", "batches_per_epoch", "0", "a whole number above 0"),
        ("simulated_patients = 0", "simulated_patients", "0", "a whole number above 0"),
        ("simulated_share = 1.1", "simulated_share", "1.1", "a number from 0 to 1"),
        ("ectopic_share = '1'", "ectopic_share", "'1'", "a number from 0 to 1"),
        ("threshold = 1", "threshold", "1", "a number of at least 0 and below 1"),
        ("placing_weight = -1", "placing_weight", "-1", "a number of at least 0"),
        ("segment_s = 'long'", "segment_s", "'long'", "a number of at least 0"),
        ("[distort]\nnoise = 1.5", "distort: noise", "1.5", "a number from 0 to 1"),
        ("[distort]\ngap = -1", "distort: gap", "-1", "a number from 0 to 1"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_for_the_finder(tmp_path, line, key, shown, expected):
    path = write(tmp_path, line)
    assert error_of(path, FinderRecipe) == (
        f"recipe value {path}: {key} = {shown}: expected {expected}"
    )


@pytest.mark.parametrize("seconds", ["9.9", "240.5", "0.0"])
def test_a_segment_of_a_length_that_is_not_to_be_had(tmp_path, seconds):
    path = write(tmp_path, f"segment_s = {seconds}")
    assert error_of(path, FinderRecipe) == (
        f"recipe value segment_s = {seconds}: expected 10 to 240"
    )


def test_a_threshold_that_every_step_reaches(tmp_path):
    assert error_of(write(tmp_path, "threshold = 0"), FinderRecipe) == (
        "recipe value threshold = 0: every step would be a beat; expected more than 0"
    )


def rhythm_keys() -> str:
    return ", ".join(sorted(one.name for one in fields(RhythmRecipe)))


def test_a_recipe_of_another_kind_for_a_rhythm_model():
    ending = (
        "; a rhythm model takes 'rhythm-mlp-inter', 'rhythm-kan-inter' or the like, or a TOML "
        "file with: "
        f"{rhythm_keys()}"
    )
    assert error_of("cnn-intra", RhythmRecipe) == (
        "recipe 'cnn-intra' has the key 'augment', which is for a model that sees single beats"
        f"{ending}"
    )
    assert error_of("beat-finder", RhythmRecipe) == (
        f"recipe 'beat-finder' has the key 'distort', which is for the beat finder{ending}"
    )


def test_a_recipe_of_the_rhythm_models_for_others():
    assert error_of("rhythm-mlp-inter").startswith(
        "recipe 'rhythm-mlp-inter' has the key 'batches_per_epoch', which is for a rhythm model; "
        "a model that sees single beats takes 'cnn-intra', 'cnn-inter' or 'baseline', or a "
        "TOML file with: "
    )
    assert error_of("rhythm-mlp-inter", FinderRecipe).startswith(
        "recipe 'rhythm-mlp-inter' has the key 'dress', which is for a rhythm model; "
        "the beat finder takes 'beat-finder', or a TOML file with: "
    )


def test_what_a_rhythm_recipe_leaves_out_has_its_default(tmp_path):
    text = "aberrated = true\n[dress]\nf_share = 0\n[disturb]\nshift = 2\n"
    text += "[temperature]\nrhythm-kan = 1.3"
    recipe = load_recipe(write(tmp_path, text), RhythmRecipe)
    assert recipe == RhythmRecipe(
        "mine",
        "A test.",
        aberrated=True,
        dress=DressSettings(f_share=0.0),
        disturb=DisturbSettings(shift=2.0),
        temperature={"rhythm-kan": 1.3},
    )
    assert isinstance(recipe.disturb.shift, float)


@pytest.mark.parametrize(
    ("line", "key", "shown", "expected"),
    [
        ("monitor = 'val_loss'", "monitor", "'val_loss'", "'val_macro_f1'"),
        ("made_up_patients = 0", "made_up_patients", "0", "a whole number above 0"),
        ("made_up_share = 1.1", "made_up_share", "1.1", "a number from 0 to 1"),
        ("flatten = -0.1", "flatten", "-0.1", "a number from 0 to 1"),
        ("smoothness = -1", "smoothness", "-1", "a number of at least 0"),
        ("aberrated = 1", "aberrated", "1", "true or false"),
        ("temperature = 2", "temperature", "2", "a table"),
        ("[dress]\nreal_s = 2", "dress: real_s", "2", "a number from 0 to 1"),
        ("[disturb]\nshift = -1", "disturb: shift", "-1", "a number of at least 0"),
    ],
)
def test_a_value_of_the_wrong_kind_for_a_rhythm_model(tmp_path, line, key, shown, expected):
    path = write(tmp_path, line)
    assert error_of(path, RhythmRecipe) == (
        f"recipe value {path}: {key} = {shown}: expected {expected}"
    )


@pytest.mark.parametrize("value", ["0", "-1.5", "'1'", "true", "nan", "inf"])
def test_a_temperature_that_is_none(tmp_path, value):
    path = write(tmp_path, f"[temperature]\nrhythm-mlp = {value}")
    shown = {"'1'": "'1'", "true": "True"}.get(value, value)
    assert error_of(path, RhythmRecipe) == (
        f"recipe value temperature: rhythm-mlp = {shown}: expected a number above 0"
    )


def test_made_up_beats_need_a_class(tmp_path):
    text = "[dress]\n" + "\n".join(f"{c}_share = 0" for c in "nsvfq")
    assert error_of(write(tmp_path, text), RhythmRecipe) == (
        "recipe value dress: all shares are 0; expected one above 0"
    )
