"""The published JSON Schema, and files that keep to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from ectopy.beats import ReferenceBeats
from ectopy.inference.analyze import analyze
from ectopy.simulate import simulate
from ectopy.writers import write_json
from ectopy.writers.schema import json_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "analysis.schema.json"


MODEL = {
    "name": "mine/inter",
    "weights_sha256": "0" * 64,
    "measured": {
        "protocol": "inter",
        "n": 100,
        "accuracy": 0.98,
        "macro_f1": 0.9,
        "note": "patients of the test beats were not in training",
        "per_class": {"V": {"n": 10, "se": 0.9, "ppv": None}},
    },
}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_what_is_published_is_what_is_meant():
    """Made by: python -m ectopy.writers.schema > docs/analysis.schema.json."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("labels", ["NSVFQNNN", "VVVVVVNVNVNVN", "NN", "N", ""])
def test_small_analyses_keep_to_it(make_analysis, tmp_path, validator, labels):
    written = json.loads(write_json(make_analysis(labels, model=MODEL), tmp_path).read_text())
    validator.validate(written)


def test_an_analysis_with_everything_keeps_to_it(tmp_path, validator):
    recording, _ = simulate(900, fs=200, seed=2, dropouts_per_hour=40)
    signal = recording.signal_mv.copy()
    signal[20_000:30_000] = np.nan
    analysis = analyze(signal, fs=200)
    content = json.loads(write_json(analysis, tmp_path).read_text())
    validator.validate(content)
    assert (
        "unusable" in {beat["class"] for beat in content["beats"]}
        or (content["quality"]["unusable_stretches"])
    )


def test_references_keep_to_it(make_analysis, tmp_path, validator):
    reference = ReferenceBeats.from_annotations(np.array([10, 400]), ["N", "V"])
    written = write_json(make_analysis("NV", reference=reference, model=MODEL), tmp_path)
    validator.validate(json.loads(written.read_text()))


@pytest.mark.parametrize(
    ("key", "value"),
    [("fs_hz", 0), ("fs_hz", "360"), ("lead", None), ("beat_source", "guessed"), ("beats", None)],
)
def test_what_is_wrong_is_refused(make_analysis, tmp_path, validator, key, value):
    content = json.loads(
        write_json(make_analysis("NV", model={**MODEL, "measured": None}), tmp_path).read_text()
    )
    validator.validate(content)
    assert list(validator.iter_errors({**content, key: value}))
    del content[key]
    assert list(validator.iter_errors(content))
