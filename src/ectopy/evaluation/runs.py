"""A finished training run's test predictions, as two small files that are compared later.

Comparing models needs every beat's probabilities, not the scores alone: for paired tests, for
intervals, for curves. Everything else about a run that a comparison shows is in the second file.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.checksum import sha256_of
from ectopy.errors import RunError
from ectopy.evaluation.calibration import apply_temperature
from ectopy.evaluation.prediction_files import beats_sha256, read_arrays, write_arrays
from ectopy.evaluation.run_notes import (
    FORMAT,
    KIND,
    RUN_FILE,
    TYPES,
    WITHOUT_BEATS,
    check_not_in_the_way,
    read_notes,
    unusable,
)
from ectopy.writers.output import staging

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from numpy.typing import NDArray

    from ectopy.evaluation.prediction_files import Beats

PREDICTIONS_FILE = "predictions.npz"


@dataclass(frozen=True, eq=False)
class RunResult:
    """What one trained model said about each beat of a protocol's test part.

    Attributes
    ----------
    model : str
        Name of the model, such as ``"cnn-kan"``.
    protocol : str
        Protocol whose test part the beats are.
    seed : int
        Seed of the training run.
    records : ndarray of str, shape (beats,)
        Record that each beat is from.
    peaks : ndarray of int64, shape (beats,)
        Sample index of each beat in its record.
    classes : ndarray of int8, shape (beats,)
        True classes, as indices into `ectopy.beats.CLASSES`.
    probabilities : ndarray of float32, shape (beats, 5)
        As the bundle gives them: the softmax of the logits divided by `temperature`.
    parameters : int
        Number of trained parameters.
    multiply_adds : int or None
        Multiplications with addition for one beat; None where not counted.
    weights_sha256, code_version : str
        What was run.
    selected_by : str
        Validation score by which the epoch was chosen.
    selected_value : float or None
        Its value.
    temperature : float
        The one in `probabilities`, fitted on validation, see
        `ectopy.evaluation.calibration.fit_temperature`; 1 for none.
    epochs : tuple of dict
        One row an epoch: ``epoch``, ``train_loss``, ``val_loss``, ``val_macro_f1``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> run = RunResult(
    ...     model="cnn-mlp", protocol="intra", seed=0, records=np.array(["100"]),
    ...     peaks=np.array([370]), classes=np.array([0], dtype=np.int8),
    ...     probabilities=np.array([[0.75, 0.25, 0, 0, 0]], dtype=np.float32),
    ...     parameters=175_973,
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     _ = run.save(folder)
    ...     RunResult.load(folder).probabilities.tolist()
    [[0.75, 0.25, 0.0, 0.0, 0.0]]
    """

    model: str
    protocol: str
    seed: int
    records: NDArray[np.str_]
    peaks: NDArray[np.int64]
    classes: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    parameters: int
    multiply_adds: int | None = None
    weights_sha256: str = ""
    code_version: str = ""
    selected_by: str = "val_macro_f1"
    selected_value: float | None = None
    temperature: float = 1.0
    epochs: tuple[dict[str, float], ...] = field(default=())

    def __len__(self) -> int:
        return len(self.peaks)

    @property
    def title(self) -> str:
        """What a message calls the run."""
        return f"{self.model}, seed {self.seed}"

    @property
    def predicted(self) -> NDArray[np.int8]:
        """Most probable class of each beat, int8, shape (beats,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int8)

    def save(self, folder: str | os.PathLike[str], *, with_beats: bool = True) -> Path:
        """Write both files, or neither.

        Probabilities keep about three significant digits, however small they are; the most
        probable one is what the others leave of 1, and stays the most probable one.

        Parameters
        ----------
        folder : path
            Made where it is missing. It may hold a run of this kind, which is replaced.
        with_beats : bool
            Whether records, peaks and true classes are written too. Without them nothing of the
            database is in the files, and it has to be there when they are read.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        RunError
            If the run has no beats, or its arrays do not go together.
        OutputError
            If the files cannot be written, or another kind of ``run.json`` is in the way.
        """
        target = Path(folder)
        check_not_in_the_way(target)
        with staging(target, make=True) as staged:
            write_arrays(
                staged / PREDICTIONS_FILE, self.records, self.peaks, self.classes,
                self.probabilities, with_beats=with_beats,
            )  # fmt: skip
            facts = {key: getattr(self, key) for key in TYPES if key != "epochs"}
            notes = {
                "kind": KIND,
                "format": FORMAT if with_beats else WITHOUT_BEATS,
                **facts,
                "class_order": list(CLASSES),
                "n": len(self),
                "beats_sha256": beats_sha256(self.records, self.peaks, self.classes),
                "epochs": list(self.epochs),
                "predictions_sha256": sha256_of(staged / PREDICTIONS_FILE),
            }
            try:
                text = json.dumps(notes, indent=2, allow_nan=False)
            except ValueError as error:
                msg = f"the notes on {self.title} hold a number that is none; give None instead"
                raise RunError(msg) from error
            (staged / RUN_FILE).write_text(text + "\n", encoding="utf-8")
        return target

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> RunResult:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If a file is missing or damaged, or the two do not belong together.
        DataError, MissingExtra
            If it was saved without its beats, and the database is not there, or, under `intra`,
            scikit-learn, which draws the split.
        """
        source = Path(folder)
        notes = read_notes(source)
        arrays = source / PREDICTIONS_FILE
        if not arrays.is_file():
            raise unusable(source, f"it lacks {PREDICTIONS_FILE}")
        try:
            digest = sha256_of(arrays)
        except OSError as error:
            raise unusable(source, f"{PREDICTIONS_FILE} cannot be read ({error})") from error
        if digest != notes["predictions_sha256"]:
            reason = f"its {PREDICTIONS_FILE} is not the one that {RUN_FILE} names"
            raise unusable(source, reason)
        beats = None
        if notes["format"] == WITHOUT_BEATS:
            beats = _test_beats(notes["protocol"])
            if beats_sha256(*beats) != notes["beats_sha256"]:
                reason = f"its beats are not those that {notes['protocol']!r} tests on here"
                raise unusable(source, reason, "ectopy data verify mitdb tells what differs")
        records, peaks, classes, probabilities = read_arrays(arrays, beats)
        named = None if beats else notes.get("beats_sha256")  # those of the database are checked
        if named is not None and beats_sha256(records, peaks, classes) != named:
            raise unusable(source, f"its beats are not those that {RUN_FILE} names")
        if notes["format"] == 1 and notes["temperature"] != 1:
            scaled = apply_temperature(probabilities, notes["temperature"])
            probabilities = scaled.astype(np.float32)
        facts = {key: notes[key] for key in TYPES if key != "epochs"}
        return cls(
            records=records,
            peaks=peaks,
            classes=classes,
            probabilities=probabilities,
            epochs=tuple(notes["epochs"]),
            **facts,
        )


@functools.cache
def _test_beats(protocol: str) -> Beats:
    """Load the beats that a protocol tests on, from the database."""
    from ectopy.data.protocols import load_test

    test = load_test(protocol)
    return test.records, test.peaks, test.classes


def find_runs(
    folder: str | os.PathLike[str], protocol: str, models: Collection[str] = ()
) -> list[RunResult]:
    """Load every run of a protocol below a folder, at any depth.

    Parameters
    ----------
    folder : path
        Such as one with MODEL/seedK/predictions.npz in it.
    protocol : str
        Runs of other protocols are passed over.
    models : collection of str
        Runs of other models are passed over as well; none are unless given.

    Returns
    -------
    list of RunResult
        By model and seed.

    Raises
    ------
    RunError
        If there is no run of that protocol or of one of the models, one is damaged, or two are of
        one model and seed.
    DataError, MissingExtra
        If one was saved without its beats, and what `RunResult.load` needs for them is not there.
    """
    root = Path(folder)
    found: dict[tuple[str, int], tuple[Path, RunResult]] = {}
    others: set[str] = set()
    for file in sorted(root.rglob(PREDICTIONS_FILE)):
        notes = read_notes(file.parent)
        if notes["protocol"] != protocol:
            others.add(notes["protocol"])
            continue
        run = RunResult.load(file.parent)
        key = (run.model, run.seed)
        if key in found:
            msg = (
                f"{str(found[key][0])!r} and {str(file.parent)!r} are both {run.title}; "
                "keep one of them"
            )
            raise RunError(msg)
        found[key] = (file.parent, run)
    if not found:
        seen = f"; it has runs of: {', '.join(sorted(others))}" if others else ""
        msg = (
            f"no {PREDICTIONS_FILE} of protocol {protocol!r} in or below {str(root)!r}{seen}; "
            "name a folder that holds MODEL/seedK folders"
        )
        raise RunError(msg)
    known = {model for model, _ in found}
    if missing := [model for model in models if model not in known]:
        msg = f"no run of {missing[0]!r} in or below {str(root)!r}; it has runs of: "
        raise RunError(msg + f"{', '.join(sorted(known))}; train it first or leave it out")
    return [found[key][1] for key in sorted(found) if not models or key[0] in models]
