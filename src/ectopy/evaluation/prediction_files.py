"""Test predictions as one compressed file of arrays: small, exact where it matters, no pickle.

A probability is kept as float16, but not that of the predicted class, which is what the others
leave of 1. So both ends are fine: float16 alone has steps of 0.0005 just below 1, where nearly all
beats lie, and would make ties of beats that a ranking or a temperature has to tell apart.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SUM_TOLERANCE = 1e-3
"""How far the five probabilities of a beat may be from 1 together: float16 networks get there."""

# Of each array in the file: kind of its data type, and number of dimensions.
_ANSWERS = {"predicted": ("i", 1), "others": ("f", 2)}
_BEATS = {"record_names": ("U", 1), "record": ("u", 1), "sample": ("i", 1), "true": ("i", 1)}

Beats = tuple["NDArray[np.str_]", "NDArray[np.int64]", "NDArray[np.int8]"]
Arrays = tuple["NDArray[np.str_]", "NDArray[np.int64]", "NDArray[np.int8]", "NDArray[np.float32]"]


def write_arrays(
    path: Path,
    records: NDArray[np.str_],
    peaks: NDArray[np.int64],
    classes: NDArray[np.int8],
    probabilities: NDArray[np.floating[Any]],
    *,
    with_beats: bool = True,
) -> None:
    """Write predictions; the same predictions give the same bytes.

    Parameters
    ----------
    path : Path
        File to write.
    records : ndarray of str, shape (beats,)
        Record of each beat.
    peaks : ndarray of int64, shape (beats,)
        Sample index of each beat.
    classes : ndarray of int8, shape (beats,)
        True classes.
    probabilities : ndarray of float, shape (beats, 5)
        Rows sum to 1.
    with_beats : bool
        Whether records, peaks and true classes are written too.

    Raises
    ------
    RunError
        If there are no beats, or the arrays are not what is said above.
    """
    if problem := _problem(records, peaks, classes, probabilities):
        msg = f"cannot keep these predictions: {problem}; give one row a beat"
        raise RunError(msg)
    names, record = np.unique(records, return_inverse=True)
    predicted, others = _pack(probabilities)
    # One class after the other compresses a little better than one beat after the other.
    arrays: dict[str, Any] = {"predicted": predicted, "others": np.ascontiguousarray(others.T)}
    if with_beats:
        arrays["record_names"] = names
        arrays["record"] = record.astype(np.uint16)
        arrays["sample"] = peaks.astype(np.int32)
        arrays["true"] = classes.astype(np.int8)
    np.savez_compressed(path, **arrays)


def beats_sha256(
    records: NDArray[np.str_], peaks: NDArray[np.int64], classes: NDArray[np.int8]
) -> str:
    """SHA-256 of which beats these are and of their classes, as `write_arrays` has them."""
    digest = hashlib.sha256("\n".join(records.tolist()).encode())
    digest.update(peaks.astype("<i8").tobytes())
    digest.update(classes.astype("i1").tobytes())
    return digest.hexdigest()


def read_arrays(path: Path, beats: Beats | None = None) -> Arrays:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    path : Path
    beats : tuple of records, peaks, classes, optional
        As in `write_arrays`, where the file was written without them.

    Returns
    -------
    records, peaks, classes, probabilities
        As in `write_arrays`; probabilities as float32.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    wanted = _ANSWERS if beats else _BEATS | _ANSWERS
    try:
        # Opened here, since numpy leaves open what turns out to be no archive.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in wanted}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, " ".join(str(error).split())) from error
    for name, (kind, dimensions) in wanted.items():
        if arrays[name].dtype.kind != kind or arrays[name].ndim != dimensions:
            raise _damaged(path, f"array {name!r} is not what it should be")
    predicted, others = arrays["predicted"], arrays["others"].T
    lengths = {len(arrays[name]) for name in ("record", "sample", "true") if name in arrays}
    lengths |= {len(predicted)} | ({len(beats[0])} if beats else set())
    if lengths != {len(others)} or others.shape[1] != len(CLASSES):
        raise _damaged(path, "its arrays are of different lengths")
    if len(predicted) and not _in_range(predicted):
        raise _damaged(path, "an index points nowhere")
    if beats is None:
        names, record = arrays["record_names"], arrays["record"]
        if len(record) and record.max() >= len(names):
            raise _damaged(path, "an index points nowhere")
        beats = (
            names[record],
            arrays["sample"].astype(np.int64),
            arrays["true"].astype(np.int8),
        )
    found = (*beats, _unpack(predicted, others))
    if problem := _problem(*found):
        raise _damaged(path, problem)
    return found


def _problem(
    records: NDArray[np.str_],
    peaks: NDArray[np.int64],
    classes: NDArray[np.int8],
    probabilities: NDArray[np.floating[Any]],
) -> str | None:
    """Say what is wrong with predictions, or None."""
    n, shape = len(peaks), probabilities.shape
    if not n:
        return "there is no beat"
    if records.shape != (n,) or classes.shape != (n,) or shape != (n, len(CLASSES)):
        return (
            f"{n} peaks, {len(records)} records, {len(classes)} classes and probabilities of "
            f"shape {shape}"
        )
    if not _in_range(classes):
        return f"a class is not one of 0 to {len(CLASSES) - 1}"
    if peaks.min() < 0 or peaks.max() > np.iinfo(np.int32).max:
        return "a peak lies before its record's start or too late"
    if not np.isfinite(probabilities).all() or probabilities.min() < 0:
        return "a probability is negative or no number"
    if np.abs(probabilities.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        return "probabilities of a beat do not sum to 1"
    return None


def _in_range(classes: NDArray[np.integer[Any]]) -> bool:
    return bool(classes.min() >= 0 and classes.max() < len(CLASSES))


def _pack(
    probabilities: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Predicted class of each beat, and the probabilities of the others, 0 for its own."""
    top = probabilities.argmax(axis=1)
    others = probabilities.astype(np.float16)
    others[np.arange(len(top)), top] = 0
    predicted = top.astype(np.int8)
    # Rounding may make a runner-up overtake: lower the others, a step at a time, until none does.
    while len(wrong := np.flatnonzero(_unpack(predicted, others).argmax(axis=1) != top)):
        lower = np.nextafter(others[wrong], np.float16(0), dtype=np.float16)
        others[wrong] = lower
    return predicted, others


def _unpack(predicted: NDArray[np.int8], others: NDArray[np.float16]) -> NDArray[np.float32]:
    probabilities = others.astype(np.float64)
    rows = np.arange(len(predicted))
    probabilities[rows, predicted] = 0
    probabilities[rows, predicted] = 1 - probabilities.sum(axis=1)
    return probabilities.astype(np.float32)


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(f"predictions {str(path)!r} are damaged: {reason}; write them again")
