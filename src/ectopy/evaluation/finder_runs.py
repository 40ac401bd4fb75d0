"""What every judgement of a beat finder needs: a lead, a run that is survived, and scores."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load
from ectopy.data.registry import database_dir
from ectopy.errors import MissingExtra, ProtocolError
from ectopy.evaluation.ec57 import Marks, compare, marks_of_beats
from ectopy.evaluation.ec57_scores import average, scores_of_matrix
from ectopy.readers.wfdb_annotations import read_marks
from ectopy.recording import select_lead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.beats import ReferenceBeats
    from ectopy.evaluation.ec57 import Comparison
    from ectopy.evaluation.peers import Finder

LEADS = ("index0", "index1", "name")
"""Which lead of a record to work on: the first, the second, or MLII by name where there is one."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class LeadRecord:
    """One lead of a record with its reference.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        The lead, in millivolts.
    fs : float
        Sampling frequency in Hz.
    lead : str
        The lead's name.
    index : int
        Its number in the record.
    beats : ReferenceBeats
        The reference beats.
    marks : Marks
        Every mark of the reference, beat or not.
    """

    signal_mv: NDArray[np.float32]
    fs: float
    lead: str
    index: int
    beats: ReferenceBeats
    marks: Marks

    @property
    def duration_s(self) -> float:
        """Length of the record in seconds."""
        return len(self.signal_mv) / self.fs


class FinderRun(NamedTuple):
    """What a finder gave.

    Attributes
    ----------
    peaks : ndarray of int64, shape (beats,)
        What it found; nothing where it failed.
    seconds : float
        Wall time it took.
    problem : str or None
        Why it failed, where it did.
    """

    peaks: NDArray[np.int64]
    seconds: float
    problem: str | None


def load_lead(record: str, lead: str, folder: Path | None) -> LeadRecord:
    """Read one lead of a record of the MIT-BIH Arrhythmia Database, and its reference.

    Parameters
    ----------
    record : str
        One of `ectopy.data.mitdb.RECORDS`.
    lead : str
        One of `LEADS`.
    folder : Path, optional
        Folder of the database; its own folder if not given.

    Raises
    ------
    ProtocolError
        If there is no such way to choose a lead.
    DataError
        If the record is not there.
    """
    if lead not in LEADS:
        msg = f"cannot choose a lead by {lead!r}; choose one of: {', '.join(LEADS)}"
        raise ProtocolError(msg)
    recording, beats = load(record, folder)
    index = select_lead(recording.leads) if lead == "name" else LEADS.index(lead)
    place = database_dir("mitdb") if folder is None else folder
    marks = read_marks(place / f"{record}.atr")
    return LeadRecord(
        signal_mv=np.ascontiguousarray(recording.signal_mv[:, index]),
        fs=recording.fs,
        lead=recording.leads[index],
        index=index,
        beats=beats,
        marks=Marks(marks.samples, marks.symbols, recording.fs, marks.subtypes),
    )


def run_finder(find: Finder, signal_mv: NDArray[np.float32], fs: float) -> FinderRun:
    """Let a finder work on a lead, and take what it gives only if it can be a list of beats.

    Other people's finders raise whatever they raise, and one that fails on a record has found
    nothing in it; so every exception is kept as text, but for that of a package not installed.

    Parameters
    ----------
    find : callable
        See `ectopy.evaluation.peers.Finder`.
    signal_mv : ndarray of float32, shape (samples,)
        One lead in millivolts.
    fs : float
        Sampling frequency in Hz.

    Raises
    ------
    MissingExtra
        If the finder's package is not installed.
    """
    began = perf_counter()
    try:
        # A copy, for a finder that works on its input in place must not change it for the next.
        peaks = np.asarray(find(signal_mv.copy(), fs))
        problem = _what_is_wrong(peaks, len(signal_mv))
    except MissingExtra:
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
    seconds = perf_counter() - began
    if problem is not None:
        return FinderRun(np.empty(0, dtype=np.int64), seconds, problem)
    return FinderRun(peaks.astype(np.int64), seconds, None)


def _what_is_wrong(peaks: NDArray[np.int64], n_samples: int) -> str | None:
    if peaks.ndim != 1 or (len(peaks) and peaks.dtype.kind not in "iu"):
        return f"gave {peaks.dtype} of shape {peaks.shape}, not one list of sample indices"
    if len(peaks) and (peaks[0] < 0 or peaks[-1] >= n_samples or (np.diff(peaks) <= 0).any()):
        return f"gave indices that do not ascend within the {n_samples} samples of the signal"
    return None


def for_each(work: Callable[[T], R], items: Iterable[T], jobs: int) -> list[R]:
    """Do the same to each item, in several processes where more than one job is asked for.

    Parameters
    ----------
    work : callable
        Must be picklable for more than one job, as must what it returns.
    items : iterable
    jobs : int
        Number of processes, 1 for none but this one.

    Returns
    -------
    list
        In the order of the items.

    Raises
    ------
    ProtocolError
        If `jobs` is less than 1.
    """
    if jobs < 1:
        msg = f"cannot work with {jobs} jobs; give 1 or more"
        raise ProtocolError(msg)
    if jobs == 1:
        return [work(item) for item in items]
    # A forked process would inherit locks that threads of numerical libraries hold.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, items))


def require_records(records: Sequence[str]) -> None:
    """See that there is a record to work on.

    Raises
    ------
    ProtocolError
        If there is none.
    """
    if not records:
        msg = "there is no record to judge a finder on; name one or more"
        raise ProtocolError(msg)


def compare_found(loaded: LeadRecord, peaks: NDArray[np.int64], start_s: float) -> Comparison:
    """Compare what was found in a lead with the reference, from `start_s` to the record's end."""
    found = marks_of_beats(peaks, None, loaded.fs)
    return compare(loaded.marks, found, start_s=start_s, stop_s=loaded.duration_s)


def qrs_scores(matrix: NDArray[np.int64]) -> dict[str, Any]:
    """Scores of finding beats, whatever their class.

    Parameters
    ----------
    matrix : ndarray of int64, shape (7, 7)
        As in `ectopy.evaluation.ec57.Comparison`.

    Returns
    -------
    dict
        Counts `tp`, `fn` and `fp`, sensitivity `se`, positive predictivity `ppv` and their harmonic
        mean `f1`; a rate is None where nothing could be counted.
    """
    scores = scores_of_matrix(matrix)["qrs"]
    beats = 2 * scores["tp"] + scores["fn"] + scores["fp"]
    return {**scores, "f1": 2 * scores["tp"] / beats if beats else None}


def missed_beats(matrix: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    """Count the reference beats of each class that were not found, and all of them.

    Parameters
    ----------
    matrix : ndarray of int64, shape (7, 7)
        As in `ectopy.evaluation.ec57.Comparison`.

    Returns
    -------
    dict
        For each class how many were ``missed``, ``of`` how many.
    """
    beats = matrix[: len(CLASSES)].sum(axis=1)
    found = matrix[: len(CLASSES), : len(CLASSES)].sum(axis=1)
    return {
        name: {"missed": int(beats[row] - found[row]), "of": int(beats[row])}
        for row, name in enumerate(CLASSES)
    }


def average_scores(matrices: Sequence[NDArray[np.int64]]) -> dict[str, float | None]:
    """Mean over the records of each rate of `qrs_scores`, leaving out where it is None."""
    f1 = [rate for rate in (qrs_scores(matrix)["f1"] for matrix in matrices) if rate is not None]
    return {**average(matrices)[0]["qrs"], "f1": float(np.mean(f1)) if f1 else None}
