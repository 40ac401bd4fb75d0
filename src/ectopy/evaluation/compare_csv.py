"""A comparison as CSV, made from its results and from nothing else."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

from ectopy.evaluation import compare_scores
from ectopy.evaluation.compare_tables import RATES, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CSV_COLUMNS = (
    "protocol", "part", "model", "class", "score", "n", "seeds",
    "mean", "sd", "low", "high", "p", "p_holm", "p_flip", "p_flip_holm",
)  # fmt: skip


def as_csv(results: Mapping[str, Any]) -> str:
    """Make one line a number, for spreadsheets and data frames.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.

    Returns
    -------
    str
        CSV with a header. ``part`` is ``all``, ``without RECORD``, ``record RECORD``,
        ``published`` or ``floor``; of a difference, ``model`` is ``FIRST minus SECOND`` and
        ``mean`` the difference. Parameters and multiply-adds are scores of ``all``. Cells for which
        there is no number are empty.
    """
    text = StringIO()
    writer = csv.DictWriter(text, _CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _csv_rows(results):
        writer.writerow({"protocol": results["protocol"], **row})
    return text.getvalue()


def _csv_rows(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    parts = {"all": results}
    parts |= {f"without {record}": rest for record, rest in results["without"].items()}
    for part, one in parts.items():
        for model, summary in one["models"].items():
            seeds = len(results["models"][model]["seeds"])
            head = {"part": part, "model": model, "seeds": seeds}
            yield from (head | row for row in _summary_rows(summary, one["n"]))
        for pair in one["comparisons"]:
            head = {"part": part, "model": f"{pair['first']} minus {pair['second']}"}
            yield from (head | row for row in _difference_rows(pair))
    for model, summary in results["models"].items():
        for size in ("parameters", "multiply_adds"):
            if summary[size] is not None:
                head = {"part": "all", "model": model, "seeds": len(summary["seeds"])}
                yield head | {"score": size, "mean": summary[size]}
    for model, summary in results["models"].items():
        for record, classes in summary.get("per_record", {}).items():
            for name, cell in classes.items():
                for key in ("found", "missed", "false"):
                    yield {
                        "part": f"record {record}", "model": model, "class": name, "score": key,
                        "n": cell["n"], "seeds": len(summary["seeds"]), "mean": cell[key],
                    }  # fmt: skip
    for one in results["published"]:
        head = {"part": "published", "model": one["name"], "seeds": 1}
        yield from (head | {"score": key, "mean": one[key]} for key in WHOLE)
        for name, scores in one["per_class"].items():
            for rate in compare_scores.RATES:
                yield head | {"class": name, "score": rate, "mean": scores[rate], "n": scores["n"]}
    for key, value in results["always_n"].items():
        yield {"part": "floor", "model": "always N", "score": key, "mean": value}


def _summary_rows(summary: Mapping[str, Any], n: int) -> Iterable[dict[str, Any]]:
    for key, value in summary["scores"].items():
        yield {"score": key, "n": n, **value}
    for name, scores in summary["per_class"].items():
        for rate in RATES:
            yield {"class": name, "score": rate, "n": scores["n"], **scores[rate]}


def _difference_rows(pair: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for key, difference in pair["differences"].items():
        others = {name: value for name, value in difference.items() if name != "point"}
        yield {"score": key, "mean": difference["point"], **others}
    if "mcnemar" in pair:
        yield {"score": "mcnemar", **{name: pair["mcnemar"][name] for name in ("p", "p_holm")}}
