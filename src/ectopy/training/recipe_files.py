"""Recipe files: find, read and check them."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ectopy.errors import RecipeError
from ectopy.models.bundle import FINDER
from ectopy.models.registry import MODELS
from ectopy.models.rhythm import RhythmModel
from ectopy.training.recipe import NUMBERS, FinderRecipe, Recipe
from ectopy.training.rhythm_recipe import RhythmRecipe

Settings = TypeVar("Settings")
Kind = type[Recipe] | type[FinderRecipe] | type[RhythmRecipe]

MADE_FOR: dict[Kind, tuple[str, str]] = {
    Recipe: ("a model that sees single beats", "'cnn-intra', 'cnn-inter' or 'baseline'"),
    RhythmRecipe: ("a rhythm model", "'rhythm-mlp-inter', 'rhythm-kan-inter' or the like"),
    FinderRecipe: ("the beat finder", "'beat-finder'"),
}
"""What each kind of recipe is for, and which are shipped."""


def reads_rhythm(model: str) -> bool:
    """Whether a model's classes depend on the other beats of the recording."""
    return issubclass(MODELS.get(model, object), RhythmModel)


def recipe_kind(model: str) -> Kind:
    """Kind of recipe that a model is trained by."""
    if model == FINDER:
        return FinderRecipe
    return RhythmRecipe if reads_rhythm(model) else Recipe


def default_recipe(model: str, protocol: str) -> str:
    """Name of the shipped recipe that a model is trained by where none is given."""
    if model == FINDER:
        return FINDER
    return f"{model}-{protocol}" if reads_rhythm(model) else f"cnn-{protocol}"


AnyRecipe = TypeVar("AnyRecipe", Recipe, FinderRecipe, RhythmRecipe)


def load_recipe(name: str, kind: type[AnyRecipe] = Recipe) -> AnyRecipe:  # type: ignore[assignment]  # default
    """Read a recipe by its shipped name or from a TOML file.

    Parameters
    ----------
    name : str
        A shipped one, see `shipped`, or the path of a file that ends in ``.toml``.
    kind : type
        `Recipe` for a model that sees single beats, `RhythmRecipe` for a rhythm model,
        `FinderRecipe` for the beat finder.

    Raises
    ------
    RecipeError
        If there is no such recipe, it is for the other kind of model, or it has an unknown key or a
        value of the wrong kind.

    Examples
    --------
    >>> load_recipe("baseline").batch_size
    128
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            msg = f"no recipe file {name!r}; give a TOML file or one of: {', '.join(shipped())}"
            raise RecipeError(msg)
        content = path.read_bytes()
    elif name in shipped():
        file = resources.files("ectopy.training") / "recipes" / f"{name}.toml"
        content = file.read_bytes()
    else:
        msg = f"unknown recipe {name!r}; give one of {', '.join(shipped())}, or a .toml file"
        raise RecipeError(msg)
    try:
        table = tomllib.loads(content.decode())
    except ValueError as error:  # neither TOML nor, perhaps, text at all
        msg = f"recipe {name!r} is not valid TOML: {error}"
        raise RecipeError(msg) from error
    _refuse_other_kind(kind, table, name)
    return _build(kind, table, name)


def shipped() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("ectopy.training") / "recipes"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith("toml"))


def _refuse_other_kind(kind: Kind, table: dict[str, Any], name: str) -> None:
    """Refuse a recipe with a key that only recipes of another kind have."""
    known = {one.name for one in fields(kind)}
    keys = {other: set(table) & {one.name for one in fields(other)} for other in MADE_FOR}
    # Kinds share keys: it is of the kind that has the most of them.
    for other in sorted(keys, key=lambda one: -len(keys[one])):
        theirs, foreign = MADE_FOR[other][0], sorted(keys[other] - known)
        if foreign:
            ours, shipped_ones = MADE_FOR[kind]
            msg = (
                f"recipe {name!r} has the key {foreign[0]!r}, which is for {theirs}; {ours} takes "
            )
            raise RecipeError(
                msg + f"{shipped_ones}, or a TOML file with: {', '.join(sorted(known))}"
            )


def _build(kind: type[Settings], table: dict[str, Any], where: str) -> Settings:
    """Fill a settings dataclass from a TOML table, strictly."""
    hints = get_type_hints(kind, include_extras=True)
    known = set(hints)
    unknown = set(table) - known
    if unknown:
        msg = (
            f"recipe {where!r} has an unknown key {sorted(unknown)[0]!r}; "
            f"known: {', '.join(sorted(known))}"
        )
        raise RecipeError(msg)
    values: dict[str, Any] = {}
    for key, value in table.items():
        values[key] = _convert(hints[key], value, f"{where}: {key}")
    try:
        return kind(**values)
    except TypeError as error:
        msg = f"recipe {where!r} is incomplete: {error}"
        raise RecipeError(msg) from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Check one value against its type."""
    if hasattr(hint, "__dataclass_fields__") and isinstance(value, dict):
        return _build(hint, value, where)
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        expected = " or ".join(repr(v) for v in get_args(hint))
    elif hint in NUMBERS:
        most, expected = NUMBERS[hint]
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
            return float(value)
    elif hint is int:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        expected = "a whole number above 0"
    else:
        wanted = get_origin(hint) or hint
        if isinstance(value, wanted):
            return value
        expected = {str: "text", bool: "true or false"}.get(wanted, "a table")
    msg = f"recipe value {where} = {value!r}: expected {expected}"
    raise RecipeError(msg)
