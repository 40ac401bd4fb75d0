"""Contracts: what inference does is taken, anything else is refused in one clear line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import BundleError
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.models.contract import (
    MOST_FUTURE,
    MOST_PAST,
    FinderContract,
    InputContract,
    contract_to_dict,
    rhythm_contract,
)

UPDATE = "update ectopy or train the model again"
BOTH = pytest.mark.parametrize("kind", [InputContract, FinderContract])


def refused(error: pytest.ExceptionInfo[BundleError], name: str, found: Any, does: str) -> bool:
    return str(error.value) == (
        f"input contract asks for {name} = {found!r}, this version of ectopy does {does}; {UPDATE}"
    )


@BOTH
def test_what_is_written_is_read_back(kind):
    table = json.loads(json.dumps(contract_to_dict(kind())))
    assert kind.from_dict(table) == kind()


def test_what_a_bundle_may_choose_is_read_back():
    chosen = InputContract(fs=250, before=90, after=110, lead_by="index", lead_preference=("V5",))
    assert InputContract.from_dict(json.loads(json.dumps(contract_to_dict(chosen)))) == chosen
    finder = FinderContract(threshold=0.37, fiducial="R peak")
    assert FinderContract.from_dict(json.loads(json.dumps(contract_to_dict(finder)))) == finder


@BOTH
def test_an_unknown_entry_is_refused(kind):
    table = contract_to_dict(kind()) | {"zoom": 2, "angle": 1}
    with pytest.raises(BundleError) as error:
        kind.from_dict(table)
    assert str(error.value) == "input contract has an unknown entry 'angle'; update ectopy"


@BOTH
@pytest.mark.parametrize("table", [None, 3, ["fs"], "fs"])
def test_what_is_no_table_is_refused(kind, table):
    with pytest.raises(BundleError) as error:
        kind.from_dict(table)
    assert str(error.value) == f"input contract {table!r} is no table; fetch the bundle again"


@pytest.mark.parametrize(
    ("name", "found", "does"),
    [
        ("frame_hz", 100.0, "120.0"),
        ("filter", "none", repr(FinderContract().filter)),
        ("level", "none", repr(FinderContract().level)),
        ("gaps", "zeros", repr(FinderContract().gaps)),
        ("stride", 8, "4"),
        ("output", "logit", repr(FinderContract().output)),
        ("picking", "peaks", repr(FinderContract().picking)),
        ("past", MOST_PAST + 1, f"0 to {MOST_PAST} frames"),
        ("past", -1, f"0 to {MOST_PAST} frames"),
        ("future", MOST_FUTURE + 1, f"0 to {MOST_FUTURE} frames"),
        ("future", 3.0, f"0 to {MOST_FUTURE} frames"),
        ("future", True, f"0 to {MOST_FUTURE} frames"),
        ("refractory_s", 0.25, "0.2"),
        ("threshold", 0.0, "a number above 0 and below 1"),
        ("threshold", 1.0, "a number above 0 and below 1"),
        ("threshold", -0.5, "a number above 0 and below 1"),
        ("threshold", float("nan"), "a number above 0 and below 1"),
        ("threshold", True, "a number above 0 and below 1"),
        ("threshold", 1, "a number above 0 and below 1"),
        ("threshold", "0.5", "a number above 0 and below 1"),
        ("threshold", None, "a number above 0 and below 1"),
    ],
)
def test_a_finder_that_expects_what_is_not_done_is_refused(name, found, does):
    with pytest.raises(BundleError) as error:
        FinderContract.from_dict(contract_to_dict(FinderContract()) | {name: found})
    assert refused(error, name, found, does)


@pytest.mark.parametrize("name", ["picking", "past", "future"])
def test_a_finder_of_which_not_all_is_known_is_refused(name):
    table = contract_to_dict(FinderContract())
    del table[name]
    with pytest.raises(BundleError, match=f"^input contract does not say '{name}': the bundle was"):
        FinderContract.from_dict(table)


@pytest.mark.parametrize(
    ("name", "found", "does"),
    [
        ("normalisation", "none", repr(InputContract().normalisation)),
        ("rhythm_features", ("rr",), repr(rhythm_contract().rhythm_features)),
        ("typical_beats", "of the day", "'none'"),
        ("fs", -360.0, "a number above 0"),
        ("fs", True, "a number above 0"),
        ("before", 0, "a whole number above 0"),
        ("before", True, "a whole number above 0"),
        ("after", "128", "a whole number above 0"),
    ],
)
def test_a_classifier_that_expects_what_is_not_done_is_refused(name, found, does):
    with pytest.raises(BundleError) as error:
        InputContract.from_dict(contract_to_dict(InputContract()) | {name: found})
    assert refused(error, name, found, does)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("rhythm_features", rhythm_contract().rhythm_features[:-1]),
        ("rhythm_features", rhythm_contract().rhythm_features[::-1]),
        ("typical_beats", "none"),
        ("normalisation", InputContract().normalisation),
        ("fs", 250.0),
        ("before", 100),
        ("after", 100),
    ],
)
def test_a_rhythm_model_that_expects_what_is_not_done_is_refused(name, found):
    contract = rhythm_contract()
    with pytest.raises(BundleError) as error:
        InputContract.from_dict(contract_to_dict(contract) | {name: found})
    assert refused(error, name, found, repr(getattr(contract, name)))


def test_a_rhythm_contract_comes_back():
    for lead_by in ("index", "name"):
        contract = rhythm_contract(lead_by)
        assert contract.reads_rhythm
        assert contract.lead_by == lead_by
        assert len(set(contract.rhythm_features)) == len(contract.rhythm_features) == 23
        assert InputContract.from_dict(contract_to_dict(contract)) == contract
    assert not InputContract().reads_rhythm


# --- of a bundle ---------------------------------------------------------------------------------


def bundle_of(model: str, contract: InputContract | FinderContract) -> Bundle:
    config = {"model": model, "protocol": "inter", "input": contract_to_dict(contract)}
    return Bundle(Path("nowhere"), config)


def test_a_finder_is_no_classifier():
    bundle = bundle_of("beat-finder", FinderContract(threshold=0.6))
    assert bundle.finds
    assert bundle.finder_contract == FinderContract(threshold=0.6)
    message = (
        "beat-finder/inter finds beats and does not class them; "
        f"give a model that does, such as {DEFAULT_MODEL!r}"
    )
    with pytest.raises(BundleError, match=f"^{re.escape(message)}$"):
        bundle.contract  # noqa: B018  # reading it is what is refused


def test_a_classifier_is_no_finder():
    bundle = find_bundle("cnn-mlp/intra")
    assert not bundle.finds
    assert bundle.contract.before == 128
    message = (
        "cnn-mlp/intra classes beats and does not find them; "
        "give 'beat-finder' or the folder of one that was trained"
    )
    with pytest.raises(BundleError, match=f"^{re.escape(message)}$"):
        bundle.finder_contract  # noqa: B018  # reading it is what is refused


@pytest.mark.parametrize(
    ("model", "other", "entry"),
    [("beat-finder", InputContract(), "after"), ("cnn-mlp", FinderContract(), "frame_hz")],
)
def test_a_bundle_with_the_contract_of_the_other_kind_is_refused(model, other, entry):
    bundle = bundle_of(model, other)
    with pytest.raises(BundleError) as error:
        _ = bundle.finder_contract if bundle.finds else bundle.contract
    assert str(error.value) == f"input contract has an unknown entry {entry!r}; update ectopy"


def test_a_finder_of_another_version_is_refused_before_it_finds_anything():
    bundle = bundle_of("beat-finder", replace(FinderContract(), stride=2))
    with pytest.raises(BundleError) as error:
        bundle.finder_contract  # noqa: B018  # reading it is what is refused
    assert refused(error, "stride", 2, "4")
