"""Protocols: named ways to split the MIT-BIH Arrhythmia Database and to score on it.

`intra` is the split of the published baseline: beats drawn at random, so that a patient's beats lie
on both sides. `inter` is the patient-wise split of de Chazal et al. (2004) that ANSI/AAMI EC57
evaluations use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ectopy.beats import count_classes
from ectopy.data.mitdb import RECORDS, load
from ectopy.errors import MissingExtra, ProtocolError
from ectopy.signal.windows import cut_windows, window_fits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.recording import Recording

# de Chazal, O'Dwyer, Reilly (2004), IEEE Trans Biomed Eng 51(7):1196-1206, table III.
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
PACED = ("102", "104", "107", "217")
"""Records of patients with pacemakers, left out of DS1 and DS2 as AAMI EC57 asks."""

SAME_SUBJECT = {"202": "201"}
"""Records 201 and 202 come from one subject; `inter` as published has one on each side."""

# Whole patients of DS1 with N, S, V and F among them but few enough to leave most S and F beats for
# training: of DS1's 944 S, 3,788 V and 415 F beats these hold 306, 1,099 and 23.
DS1_VALIDATION = ("106", "114", "118", "124", "220", "223")

DS1_FOLDS = (
    ("101", "118", "223", "203"),
    ("207", "106", "124", "122"),
    ("209", "208", "112", "114"),
    ("220", "201", "119", "215", "230"),
    ("205", "108", "109", "115", "116"),
)
"""Patients of DS1 in five groups, for choosing recipes by patients held out in turn. S, V and
fibrillation are spread over them as far as few patients with many beats allow."""

BEFORE = AFTER = 128
"""Window of the published baseline in samples at 360 Hz: from peak - 128 up to peak + 128."""

TEST_SHARE = VALIDATION_SHARE = 0.15
SPLIT_SEED = 42


@dataclass(frozen=True, eq=False)
class BeatSet:
    """Beats of many records with the signal around each.

    Attributes
    ----------
    windows : ndarray of float32, shape (beats, before + after + 2 * margin)
        Signal around each beat in mV, at the database's 360 Hz.
    classes : ndarray of int8, shape (beats,)
        Index into `ectopy.beats.CLASSES`.
    records : ndarray of str, shape (beats,)
        Record that the beat is from.
    peaks : ndarray of int64, shape (beats,)
        Sample index of the beat in its record.
    margin : int
        Samples kept on each side beyond the model's window, for augmentation by shifting.
    """

    windows: NDArray[np.float32]
    classes: NDArray[np.int8]
    records: NDArray[np.str_]
    peaks: NDArray[np.int64]
    margin: int = 0

    def __len__(self) -> int:
        return len(self.peaks)

    def take(self, rows: NDArray[np.int64]) -> BeatSet:
        """Only the beats of these rows, in this order."""
        return replace(
            self,
            windows=self.windows[rows],
            classes=self.classes[rows],
            records=self.records[rows],
            peaks=self.peaks[rows],
        )

    def counts(self) -> dict[str, int]:
        """Beats of each class."""
        return count_classes(self.classes)


@dataclass(frozen=True)
class Protocol:
    """One way to split the database.

    Attributes
    ----------
    name : str
    title : str
        One line for tables.
    train_records, test_records : tuple of str
        Records whose beats may be trained on, and are scored.
    lead_by : {"index", "name"}
        Whether the first lead is taken, or MLII by name where the record has it.
    whole_windows : bool
        Whether beats too close to the ends of the record are left out.
    """

    name: str
    title: str
    train_records: tuple[str, ...]
    test_records: tuple[str, ...]
    lead_by: Literal["index", "name"]
    whole_windows: bool


PROTOCOLS = {
    "intra": Protocol(
        name="intra",
        title="random stratified split of all beats; patients are on both sides",
        train_records=RECORDS,
        test_records=RECORDS,
        lead_by="index",
        whole_windows=True,
    ),
    "inter": Protocol(
        name="inter",
        title="DS1 -> DS2, no record on both sides (201 and 202 are one subject)",
        train_records=DS1,
        test_records=DS2,
        lead_by="name",
        whole_windows=False,
    ),
}

DETECTED = "detected"
"""Protocol that splits as `inter` does, finds the beats in the raw signal and scores as EC57."""


def get_protocol(name: str) -> Protocol:
    """Look a protocol up.

    Raises
    ------
    ProtocolError
        If there is none of that name.
    """
    if name not in PROTOCOLS:
        msg = f"unknown protocol {name!r}; the protocols are: {', '.join(PROTOCOLS)}"
        raise ProtocolError(msg)
    return PROTOCOLS[name]


def chosen_lead(recording: Recording, lead_by: Literal["index", "name"]) -> NDArray[np.float32]:
    """Signal in mV, shape (samples,), of the lead that a protocol takes; see `Protocol`."""
    return recording.signal_mv[:, 0] if lead_by == "index" else recording.lead()[1]


def load_beats(
    records: Sequence[str],
    *,
    lead_by: Literal["index", "name"],
    whole_windows: bool,
    margin: int = 0,
    folder: Path | None = None,
) -> BeatSet:
    """Cut every annotated beat out of some records of the database.

    Parameters
    ----------
    records : sequence of str
        Record names, in the order in which their beats shall come.
    lead_by, whole_windows
        As in `Protocol`.
    margin : int
        Extra samples on each side.
    folder : Path, optional
        Folder of the database; found as `ectopy.data.registry.database_dir` does otherwise.

    Raises
    ------
    DataError
        If the database is not there.
    """
    parts: list[tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.int64]]] = []
    for name in records:
        recording, beats = load(name, folder)
        signal = chosen_lead(recording, lead_by)
        peaks, classes = beats.peaks, beats.classes
        if whole_windows:
            fits = window_fits(peaks, len(signal), BEFORE, AFTER)
            peaks, classes = peaks[fits], classes[fits]
        parts.append((cut_windows(signal, peaks, BEFORE + margin, AFTER + margin), classes, peaks))
    return BeatSet(
        windows=np.concatenate([windows for windows, _, _ in parts]),
        classes=np.concatenate([classes for _, classes, _ in parts]),
        records=np.repeat(np.asarray(records, dtype=np.str_), [len(p) for _, _, p in parts]),
        peaks=np.concatenate([peaks for _, _, peaks in parts]),
        margin=margin,
    )


@dataclass(frozen=True, eq=False)
class Split:
    """The three parts of a protocol."""

    train: BeatSet
    validation: BeatSet
    test: BeatSet


def load_split(name: str, *, margin: int = 0, folder: Path | None = None) -> Split:
    """Load the database as a protocol splits it.

    Parameters
    ----------
    name : str
        One of `PROTOCOLS`.
    margin, folder
        As in `load_beats`.

    Returns
    -------
    Split
        For `intra` 76,615 + 16,418 + 16,418 beats; for `inter` DS1 by whole patients into training
        and validation, and DS2.
    """
    protocol = get_protocol(name)
    options: dict[str, Any] = {
        "lead_by": protocol.lead_by,
        "whole_windows": protocol.whole_windows,
        "margin": margin,
        "folder": folder,
    }
    if name == "intra":
        beats = load_beats(protocol.train_records, **options)
        train, validation, test = intra_parts(beats.classes)
        return Split(beats.take(train), beats.take(validation), beats.take(test))
    ds1 = load_beats(protocol.train_records, **options)
    held_out = np.isin(ds1.records, DS1_VALIDATION)
    return Split(
        train=ds1.take(np.flatnonzero(~held_out)),
        validation=ds1.take(np.flatnonzero(held_out)),
        test=load_beats(protocol.test_records, **options),
    )


def load_test(name: str, *, folder: Path | None = None) -> BeatSet:
    """Load only the test part of a protocol."""
    if name == "intra":
        return load_split(name, folder=folder).test
    protocol = get_protocol(name)
    return load_beats(
        protocol.test_records,
        lead_by=protocol.lead_by,
        whole_windows=protocol.whole_windows,
        folder=folder,
    )


def intra_parts(
    classes: NDArray[np.int8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the training, validation and test part of `intra`, exactly as published.

    Parameters
    ----------
    classes : ndarray of int8, shape (beats,)
        Classes of all 109,451 beats in record order.

    Returns
    -------
    train, validation, test : ndarray of int64
    """
    try:
        from sklearn.model_selection import train_test_split
    except ModuleNotFoundError as error:
        msg = (
            "protocol 'intra' draws its split with scikit-learn; "
            "install it with: pip install 'ectopy[train]'"
        )
        raise MissingExtra(msg) from error
    rest, test = train_test_split(
        np.arange(len(classes)), test_size=TEST_SHARE, stratify=classes, random_state=SPLIT_SEED
    )
    train, validation = train_test_split(
        rest,
        test_size=VALIDATION_SHARE / (1 - TEST_SHARE),
        stratify=classes[rest],
        random_state=SPLIT_SEED,
    )
    return train, validation, test
