"""Compare models over seeds on the same test beats, and give everything as plain data.

Tables and figures are made from what `compare_runs` gives, and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy._version import code_version
from ectopy.beats import CLASSES, count_classes
from ectopy.data.protocols import SAME_SUBJECT, get_protocol
from ectopy.evaluation.calibration import BINS
from ectopy.evaluation.compare_details import (
    calibration,
    class_curve_means,
    epoch_means,
    per_record,
    referral,
)
from ectopy.evaluation.compare_pairs import compare_pairs, multiplicity
from ectopy.evaluation.compare_scores import WHOLE, summarise
from ectopy.evaluation.evaluate import protocol_notes
from ectopy.evaluation.intervals import LEVEL, RESAMPLES, SEED
from ectopy.evaluation.metrics import score_classes
from ectopy.evaluation.panel import Panel
from ectopy.evaluation.published import published_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ectopy.evaluation.runs import RunResult

FORMAT = 1

# Records whose part in the scores has to be seen, by protocol, and why.
LEFT_OUT = {
    "inter": {
        "202": f"record {SAME_SUBJECT['202']} of the training part is of the same subject",
        "232": "it alone holds most of the S beats",
    }
}
"""Records without which everything is given as well."""


def compare_runs(
    runs: Sequence[RunResult],
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Compare runs of any number of models and seeds under one protocol.

    Parameters
    ----------
    runs : sequence of RunResult
        All on the same test beats.
    pairs : sequence of (str, str), optional
        Models to compare, the first minus the second. All pairs there are unless given.
    resamples : int
        Draws of the bootstrap.

    Returns
    -------
    dict
        Ready for JSON, and the same for the same runs:

        - ``protocol``, ``protocol_title``, ``n``, ``counts``, ``code_version``, ``notes``;
        - ``intervals``: level, unit and number of draws; ``multiplicity``: how many tests there
          are and how their p are corrected;
        - ``models``: by name ``seeds``, ``parameters``, ``multiply_adds``, ``runs``; ``scores``
          and ``per_class`` with mean and standard deviation over seeds, and ``low`` and ``high`` of
          the interval where one is drawn; ``confusion_matrix``, summed over seeds; ``calibration``,
          ``risk_coverage``, ``curves``, ``epochs``; under a patient-wise protocol ``per_record``;
        - ``comparisons``: one a pair, see `ectopy.evaluation.compare_pairs`;
        - ``without``: where the protocol asks for it, scores and comparisons once more without a
          record, by record;
        - ``always_n``: scores of calling every beat N; ``published``: results of others on these
          beats.

    Raises
    ------
    RunError
        If there is no run, the runs are not about the same beats, or a pair names a model that is
        not there.
    ProtocolError
        If there is no such protocol.

    Examples
    --------
    >>> from ectopy.evaluation.runs import RunResult
    >>> runs = [
    ...     RunResult(
    ...         model=name, protocol="intra", seed=0, records=np.array(["100"] * 4),
    ...         peaks=np.arange(4) * 300, classes=np.array([0, 0, 0, 2], dtype=np.int8),
    ...         probabilities=np.eye(5, dtype=np.float32)[answers], parameters=1000,
    ...     )
    ...     for name, answers in {"cnn-kan": [0, 0, 0, 2], "cnn-mlp": [0, 2, 0, 0]}.items()
    ... ]
    >>> results = compare_runs(runs, resamples=100)
    >>> results["models"]["cnn-mlp"]["scores"]["accuracy"]["mean"]
    0.5
    >>> results["comparisons"][0]["differences"]["accuracy"]["point"]
    0.5
    """
    panel = Panel.of(runs, resamples)
    protocol = get_protocol(panel.protocol)
    comparisons = compare_pairs(panel, pairs)
    counts = count_classes(panel.true)
    return {
        "format": FORMAT,
        "protocol": protocol.name,
        "protocol_title": protocol.title,
        "n": len(panel.true),
        "counts": counts,
        "records": sorted(set(panel.records.tolist())),
        "code_version": code_version(),
        "intervals": {
            "level": LEVEL,
            "unit": panel.unit,
            "resamples": resamples,
            "seed": SEED,
            "method": f"percentile bootstrap over {panel.unit}, mean over seeds in each draw",
        },
        "models": {name: _describe(panel, name) for name in panel.models},
        "comparisons": comparisons,
        "multiplicity": multiplicity(comparisons),
        "without": {
            record: _without(panel, record, reason, pairs)
            for record, reason in LEFT_OUT.get(protocol.name, {}).items()
            if record in panel.records and len(set(panel.records.tolist())) > 1
        },
        "always_n": _always_n(panel),
        "published": published_results(protocol.name, counts),
        "notes": _notes(panel),
    }


def _describe(panel: Panel, model: str) -> dict[str, Any]:
    """Everything about one model."""
    rows = panel.models[model]
    first = panel.runs[rows[0]]
    described = {
        "seeds": [panel.runs[row].seed for row in rows],
        "parameters": first.parameters,
        # Older runs have not counted; those that have agree.
        "multiply_adds": next((n for row in rows if (n := panel.runs[row].multiply_adds)), None),
        "runs": [_about_run(panel, row) for row in rows],
        **summarise(panel, model),
        "calibration": calibration(panel, model),
        "risk_coverage": referral(panel, model),
        "curves": class_curve_means(panel, model),
        "epochs": epoch_means([panel.runs[row] for row in rows]),
    }
    if panel.unit == "records":
        described["per_record"] = per_record(panel, model)
    return described


def _about_run(panel: Panel, row: int) -> dict[str, Any]:
    run = panel.runs[row]
    names = ("seed", "weights_sha256", "code_version", "selected_by", "selected_value")
    return {
        **{name: getattr(run, name) for name in names},
        "temperature": run.temperature,
        **{name: float(panel.scores[name][row]) for name in ("accuracy", "macro_f1")},
        "macro_f1_nsvf": float(panel.scores["macro_f1_nsvf"][row]),
    }


def _without(
    panel: Panel, record: str, reason: str, pairs: Sequence[tuple[str, str]] | None
) -> dict[str, Any]:
    """Scores and comparisons without one record."""
    rest = panel.without_record(record)
    return {
        "reason": reason,
        "n": len(rest.true),
        "counts": count_classes(rest.true),
        "models": {name: summarise(rest, name) for name in rest.models},
        "comparisons": compare_pairs(rest, pairs),
    }


def _always_n(panel: Panel) -> dict[str, Any]:
    """Scores of a model that has learned nothing, as the floor."""
    answers = np.zeros((len(panel.true), len(CLASSES)), dtype=np.float32)
    answers[:, CLASSES.index("N")] = 1
    scores = score_classes(panel.true, answers, with_auc=False)
    return {key: scores[key] for key in WHOLE}


def _notes(panel: Panel) -> list[str]:
    notes = protocol_notes(panel.protocol)
    if panel.unit == "beats":
        notes.append("intervals and tests take beats as independent; beats of a patient are not")
    else:
        notes.append(
            f"intervals and tests are over {len(set(panel.records.tolist()))} records, which are "
            "few: a difference has to hold in many of them to show"
        )
    if concentrated := _concentrated(panel):
        notes.append(f"{concentrated}: intervals and tests of such a class rest on that record")
    notes.append("SD is over training seeds; intervals are over test data, for the mean of seeds")
    notes.append(
        f"calibration error over {BINS} groups of equal size, before the temperature that a "
        "bundle brings and as the bundle gives its probabilities, which all other numbers are of"
    )
    plain = [
        name
        for name, rows in panel.models.items()
        if all(panel.runs[row].temperature == 1 for row in rows)
    ]
    if plain:
        notes.append(f"no temperature was fitted for: {', '.join(plain)}")
    few = [name for name, rows in panel.models.items() if len(rows) < 5]
    if few:
        notes.append(f"fewer than five seeds: {', '.join(few)}")
    return notes


def _concentrated(panel: Panel) -> str:
    """Name the classes that lie mostly in one record, where records are what is drawn."""
    if panel.unit == "beats":
        return ""
    found = []
    for c, name in enumerate(CLASSES):
        records, n = np.unique(panel.records[panel.true == c], return_counts=True)
        if len(n) and 2 * n.max() > n.sum():
            found.append(
                f"{100 * n.max() / n.sum():.0f} % of the {name} beats in {records[n.argmax()]}"
            )
    return ", ".join(found)
