"""The JSON Schema of what `write_json` writes, so that other programs can rely on it."""

from __future__ import annotations

from typing import Any

from ectopy.analysis import BEAT_COLUMNS
from ectopy.beats import CLASSES
from ectopy.writers.tables import SCHEMA_VERSION

Schema = dict[str, Any]

_S, _BPM, _PERCENT = "seconds from the start", "beats per minute", "percent"


def json_schema() -> Schema:
    """Describe the JSON file of an analysis.

    A later version of the same `schema_version` may add keys; none goes, and none changes its
    meaning.

    Returns
    -------
    dict
        A JSON Schema of draft 2020-12.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"ectopy analysis, version {SCHEMA_VERSION}",
        "description": "The beats of one lead of an ECG recording, classed, and what they add up "
        "to. Measures are defined in docs/measures.md.",
        **_object(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "note": _text("what this is not for"),
                "recording": _text("name of the recording"),
                "start": _text("wall-clock time of the first sample, ISO 8601", null=True),
                "fs_hz": _number("sampling frequency", above=0),
                "n_samples": _count("samples of the lead"),
                "lead": _text("name of the lead"),
                "beat_source": {"enum": ["detected", "annotated"]},
                "model": _model(),
                "ectopy_version": _text("version that wrote the file"),
                "settings": {"type": "object", "description": "what was asked for"},
                "warnings": _list(_text("what a reader has to know")),
                "summary": _summary(),
                "quality": _quality(),
                "reference": _reference(),
                "beats": _list(_beat()),
            }
        ),
    }


def _model() -> Schema:
    class_scores = _object({"n": _count(), "se": _share(), "ppv": _or_null(_share())})
    measured = _object(
        {
            "protocol": _text(),
            "n": _count("test beats"),
            "accuracy": _share(),
            "macro_f1": _share(),
            "note": _text(),
        }
    )
    measured["properties"]["per_class"] = {
        "type": "object",
        "propertyNames": {"enum": list(CLASSES)},
        "additionalProperties": class_scores,
    }
    model = _object(
        {
            "name": _text("MODEL/PROTOCOL"),
            "weights_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "measured": _or_null(measured),
        }
    )
    model["properties"] |= {
        "limits": _list(_text("from the model card")),
        "certainty": _text("from the model card"),
        "from_signal": {"type": ["object", "null"], "description": "EC57 scores of found beats"},
        "finder": {"type": "object", "description": "what found the beats"},
    }
    return model


def _summary() -> Schema:
    return _object(
        {
            "duration_s": _number("seconds", least=0),
            "n_beats": _count("beats that have a class"),
            "n_unusable": _count("beats where the signal is too poor to class them"),
            "usable_percent": _percent(),
            "counts": _counts(),
            **_rates(),
            "v_burden_percent": _percent(),
            "s_burden_percent": _percent(),
            "ectopic_burden_percent": _percent(),
            "v_runs": _runs(),
            "s_runs": _runs(),
            "pauses": _count(),
            "long_pauses": _count(),
            "longest_pause_s": _or_null(_number("seconds")),
            "longest_pause_start_s": _or_null(_number(_S)),
            "pause_list": _list(_object({"start_s": _number(_S), "length_s": _number("seconds")})),
            "v_patterns": _patterns(),
            "s_patterns": _patterns(),
            "fibrillation": _object(
                {
                    "episodes": _count(),
                    "burden_percent": _percent(),
                    "screened_s": _number("seconds", least=0),
                    "longest_s": _or_null(_number("seconds")),
                    "longest_start_s": _or_null(_number(_S)),
                    "episode_list": _list(_span()),
                }
            ),
            "hourly": _list(_hour()),
            "variability": _variability(),
        }
    )


def _rates() -> Schema:
    return {f"heart_rate_{which}_bpm": _or_null(_number(_BPM)) for which in ("mean", "min", "max")}


def _runs() -> Schema:
    return _object(
        {
            "singles": _count(),
            "couplets": _count(),
            "runs": _count("runs of three beats or more"),
            "longest_beats": _count(),
            "longest_start_s": _or_null(_number(_S)),
            "longest_rate_bpm": _or_null(_number(_BPM)),
        }
    )


def _patterns() -> Schema:
    run = _object(
        {
            "start_s": _number(_S),
            "beats": _count(),
            "duration_s": _number("seconds"),
            "rate_bpm": _or_null(_number(_BPM)),
        }
    )
    rhythm = _object(
        {
            "episodes": _count(),
            "beats": _count(),
            "total_s": _number("seconds"),
            "longest_beats": _count(),
            "longest_start_s": _or_null(_number(_S)),
        }
    )
    counts = ("singles", "couplets", "triplets", "runs", "beats_in_runs", "tachycardias")
    return _object(
        {
            **{name: _count() for name in (*counts, "sustained_tachycardias", "slow_runs")},
            "longest_run": _or_null(run),
            "fastest_run": _or_null(run),
            "run_list": _list(run),
            **dict.fromkeys(("bigeminy", "trigeminy", "quadrigeminy"), rhythm),
        }
    )


def _hour() -> Schema:
    return _object(
        {
            "start_s": _number(_S),
            "stop_s": _number(_S),
            "clock": _text("wall-clock time of the start", null=True),
            "beats": _count(),
            "counts": _counts(),
            "unusable": _count(),
            "usable_percent": _percent(),
            **_rates(),
            "pauses": _count(),
            "v_runs": _count(),
            "s_runs": _count(),
        }
    )


def _variability() -> Schema:
    milliseconds = ("mean_nn", "sdnn", "sdann", "sdnn_index", "rmssd")
    return _object(
        {
            "n_nn": _count("intervals between normal beats"),
            "nn_percent": _percent(),
            **{f"{name}_ms": _or_null(_number("milliseconds")) for name in milliseconds},
            "pnn50_percent": _percent(),
            "segments": _count(),
            **{f"{band}_ms2": _or_null(_number("ms²")) for band in ("vlf", "lf", "hf")},
            "lf_hf": _or_null(_number("ratio")),
            "spectral_segments": _count(),
            "irregular_percent": _percent(),
            "note": _text(null=True),
        }
    )


def _quality() -> Schema:
    reasons = {"enum": ["missing", "flat", "clipped", "noise"]}
    stretch = _span()
    stretch["properties"]["reasons"] = _list(reasons)
    return _or_null(
        _object(
            {
                "usable_percent": _percent(),
                "unusable_percents": {
                    "type": "object",
                    "propertyNames": reasons,
                    "additionalProperties": _percent(),
                },
                "mains_percent": _percent(),
                "unusable_stretches": _list(stretch),
            }
        )
    )


def _reference() -> Schema:
    reference = _object({"n_beats": _count("annotated beats"), "counts": _counts()})
    reference["properties"]["samples"] = _list(_count())
    reference["properties"]["symbols"] = _list(_text())
    return _or_null(reference)


def _beat() -> Schema:
    columns = {
        "beat": _count("number of the beat, from 0"),
        "sample": _count("at fs_hz"),
        "time_s": _number(_S, least=0),
        "rr_s": _or_null(_number("seconds since the beat before", least=0)),
        "class": {"enum": [*CLASSES, "unusable"]},
        "confidence": _or_null(_share("probability of the class; null where unusable")),
        **{f"p_{name}": _or_null(_share()) for name in CLASSES},
    }
    return _object({name: columns[name] for name in BEAT_COLUMNS})


def _span() -> Schema:
    return _object({"start_s": _number(_S), "stop_s": _number(_S)})


def _counts() -> Schema:
    return _object({name: _count() for name in CLASSES})


def _object(properties: Schema) -> Schema:
    """Describe an object that has all of these keys, and maybe others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _text(what: str = "", *, null: bool = False) -> Schema:
    return {"type": ["string", "null"] if null else "string", **_what(what)}


def _count(what: str = "") -> Schema:
    return {"type": "integer", "minimum": 0, **_what(what)}


def _share(what: str = "") -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 1, **_what(what)}


def _percent() -> Schema:
    return _or_null({"type": "number", "minimum": 0, "maximum": 100, **_what(_PERCENT)})


def _number(what: str, *, least: float | None = None, above: float | None = None) -> Schema:
    limits = {"minimum": least, "exclusiveMinimum": above}
    kept = {name: limit for name, limit in limits.items() if limit is not None}
    return {"type": "number", **kept, **_what(what)}


def _what(what: str) -> Schema:
    return {"description": what} if what else {}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


if __name__ == "__main__":
    import json
    import sys

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
