"""Judge beat finders: on clean recordings, in noise, and on the same recording in other forms.

A finder is a function from a lead in millivolts and its sampling frequency to sample indices, see
`ectopy.evaluation.peers.Finder`. A finder that fails on a record has found nothing there: all its
beats count as missed, and the record is named under `failed` with what the finder said.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.evaluation.ec57 import START_S, WINDOW_S
from ectopy.evaluation.finder_runs import (
    FinderRun,
    average_scores,
    compare_found,
    for_each,
    load_lead,
    missed_beats,
    qrs_scores,
    require_records,
    run_finder,
)
from ectopy.evaluation.noise_curves import noise_curves
from ectopy.evaluation.stability import stability

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.evaluation.ec57 import Comparison
    from ectopy.evaluation.peers import Finder

__all__ = ["evaluate_finder", "noise_curves", "stability"]


class _Judged(NamedTuple):
    """A finder's run on one record, compared with the reference."""

    lead: str
    run: FinderRun
    comparison: Comparison
    errors_ms: NDArray[np.float64]


def evaluate_finder(
    find: Finder,
    records: Sequence[str],
    *,
    lead: str = "index0",
    folder: Path | None = None,
    start_s: float = START_S,
    jobs: int = 1,
) -> dict[str, Any]:
    """Judge a finder on clean records of the MIT-BIH Arrhythmia Database, as EC57 says.

    Parameters
    ----------
    find : callable
        The finder.
    records : sequence of str
        Records to judge it on.
    lead : {"index0", "index1", "name"}
        The first lead of each record, the second, or MLII by name where there is one.
    folder : Path, optional
        Folder of the database; its own folder if not given.
    start_s : float
        Seconds at the start of each record that are not scored.
    jobs : int
        Number of processes. With more than one, the finder must be picklable, and the seconds it
        takes are longer than on an idle machine.

    Returns
    -------
    dict
        Ready for JSON. Scores are `tp`, `fn`, `fp`, sensitivity `se`, positive predictivity `ppv`
        and their harmonic mean `f1`: in `gross` over all beats, in `average` the mean of the
        records' rates, in `per_record`. `missed` has, for each class, the beats `missed` and `of`
        how many; `made_up` is the number of beats found where there is none, and `in_flutter` of
        those that count nowhere. `timing_ms` says how far found beats lie behind the annotators'
        marks: `mean`, `sd`, and `p95_abs`, which 95 % are not farther off than. `seconds` is the
        wall time the finder took, `hours` the length of what it worked on.

    Raises
    ------
    ProtocolError
        If no record, or no such lead, is asked for.
    DataError
        If a record is not there.
    MissingExtra
        If the finder's package is not installed.
    """
    require_records(records)
    judge = partial(_judge, find, lead, folder, start_s)
    judged = dict(zip(records, for_each(judge, records, jobs), strict=True))
    matrices = [j.comparison.matrix for j in judged.values()]
    return {
        "records": list(records),
        "lead": lead,
        "start_s": start_s,
        "window_s": WINDOW_S,
        "gross": qrs_scores(np.sum(matrices, axis=0)),
        "average": average_scores(matrices),
        "missed": missed_beats(np.sum(matrices, axis=0)),
        "made_up": sum(len(j.comparison.extra) for j in judged.values()),
        "timing_ms": _timing(np.concatenate([j.errors_ms for j in judged.values()])),
        "seconds": sum(j.run.seconds for j in judged.values()),
        "hours": sum(j.comparison.stop_s or 0.0 for j in judged.values()) / 3600,
        "failed": {name: j.run.problem for name, j in judged.items() if j.run.problem},
        "per_record": {name: _describe(j) for name, j in judged.items()},
    }


def _judge(find: Finder, lead: str, folder: Path | None, start_s: float, record: str) -> _Judged:
    loaded = load_lead(record, lead, folder)
    run = run_finder(find, loaded.signal_mv, loaded.fs)
    comparison = compare_found(loaded, run.peaks, start_s)
    rows, found = comparison.pairs.T
    behind = run.peaks[found] - loaded.marks.samples[rows]
    return _Judged(loaded.lead, run, comparison, behind / loaded.fs * 1000)


def _describe(judged: _Judged) -> dict[str, Any]:
    comparison = judged.comparison
    return {
        "lead": judged.lead,
        **qrs_scores(comparison.matrix),
        "missed": missed_beats(comparison.matrix),
        "made_up": len(comparison.extra),
        "in_flutter": len(comparison.in_flutter),
        "timing_ms": _timing(judged.errors_ms),
        "seconds": judged.run.seconds,
    }


def _timing(errors_ms: NDArray[np.float64]) -> dict[str, float | None]:
    if len(errors_ms) == 0:
        return {"mean": None, "sd": None, "p95_abs": None}
    return {
        "mean": float(errors_ms.mean()),
        "sd": float(errors_ms.std()),
        "p95_abs": float(np.percentile(np.abs(errors_ms), 95)),
    }
