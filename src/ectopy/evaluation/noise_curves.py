"""How well beat finders hold out as noise grows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.data.nstdb import KINDS, TEST_PART, load_noise
from ectopy.errors import ProtocolError
from ectopy.evaluation.ec57 import START_S, WINDOW_S
from ectopy.evaluation.finder_runs import (
    average_scores,
    compare_found,
    for_each,
    load_lead,
    qrs_scores,
    require_records,
    run_finder,
)
from ectopy.evaluation.noise import SCHEDULES, calibration_peaks, mix_noise, noise_amplitude

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.evaluation.peers import Finder

LEVELS_DB = (24.0, 18.0, 12.0, 6.0, 0.0, -6.0)
"""Signal-to-noise ratios of the records of the MIT-BIH Noise Stress Test Database."""

CALIBRATIONS = ("record", "part")
"""What noise is calibrated on: the first 300 s of its whole record, as `nst` does and as in the
records of the database, or the first 300 s of the part that is added."""


class _Stress(NamedTuple):
    """Everything about a noise test but the record."""

    finders: dict[str, Finder]
    noise_mv: NDArray[np.float32]
    noise_fs: float
    amplitude_mv: NDArray[np.float64]
    levels_db: tuple[float, ...]
    schedules: tuple[str, ...]
    lead: str
    folder: Path | None
    start_s: float


# Schedule and level; both None for the clean record.
_Condition = tuple[str | None, float | None]
_Outcome = tuple["NDArray[np.int64]", str | None]  # the matrix of a comparison, and what went wrong


def noise_curves(
    finders: Mapping[str, Finder],
    records: Sequence[str],
    *,
    kind: str = "em",
    levels_db: Sequence[float] = LEVELS_DB,
    schedules: Sequence[str] = SCHEDULES,
    calibrate_on: str = "record",
    lead: str = "index0",
    folder: Path | None = None,
    noise_folder: Path | None = None,
    start_s: float = START_S,
    jobs: int = 1,
) -> dict[str, Any]:
    """Judge finders on records with noise added, at several levels.

    The noise is the test part of a record of the MIT-BIH Noise Stress Test Database, added as
    `ectopy.evaluation.noise.mix_noise` does.

    Parameters
    ----------
    finders : mapping of str to callable
        Finders by name.
    records : sequence of str
        Clean records of the MIT-BIH Arrhythmia Database.
    kind : {"em", "bw", "ma"}
        Which noise.
    levels_db : sequence of float
        Signal-to-noise ratios. The clean record always comes as well.
    schedules : sequence of str
        Of `ectopy.evaluation.noise.SCHEDULES`. Scores of the alternating one are over all that
        comes after `start_s`, the stretches without noise among it.
    calibrate_on : {"record", "part"}
        See `CALIBRATIONS`.
    lead, folder, jobs
        As in `evaluate_finder`. Lead i gets channel i of the noise.
    noise_folder : Path, optional
        Folder of the noise records; their own folder if not given.
    start_s : float
        Where noise and scoring begin, in seconds.

    Returns
    -------
    dict
        Ready for JSON. `curves` has, by schedule and by finder, one entry a level, the clean
        record first with `snr_db` None: gross scores, `average` rates and `failed`, as in
        `evaluate_finder`. `noise` says what was added, by channel: the amplitude it was
        calibrated by, its own, and by how many decibels the latter is larger.

    Raises
    ------
    ProtocolError
        If there is no record to work on, or no such lead or calibration.
    SignalError
        If there is no such schedule.
    DataError
        If a record is not there.
    MissingExtra
        If a finder's package is not installed.
    """
    require_records(records)
    if calibrate_on not in CALIBRATIONS:
        msg = f"cannot calibrate on {calibrate_on!r}; choose one of: {', '.join(CALIBRATIONS)}"
        raise ProtocolError(msg)
    noise = load_noise(kind, "test", noise_folder)
    whole = noise if calibrate_on == "part" else load_noise(kind, "all", noise_folder)
    amplitude = noise_amplitude(whole.signal_mv, whole.fs)
    stress = _Stress(
        finders=dict(finders),
        noise_mv=noise.signal_mv,
        noise_fs=noise.fs,
        amplitude_mv=amplitude,
        levels_db=tuple(levels_db),
        schedules=tuple(schedules),
        lead=lead,
        folder=folder,
        start_s=start_s,
    )
    outcomes = for_each(partial(_stress_record, stress), records, jobs)
    own = noise_amplitude(noise.signal_mv, noise.fs)
    return {
        "records": list(records),
        "lead": lead,
        "start_s": start_s,
        "window_s": WINDOW_S,
        "noise": {
            "kind": kind,
            "meaning": KINDS[kind],
            "part_s": list(TEST_PART[kind]),
            "calibrated_on": calibrate_on,
            "calibrated_by_mv": amplitude.tolist(),
            "amplitude_mv": own.tolist(),
            "louder_than_calibrated_db": (20 * np.log10(own / amplitude)).tolist(),
        },
        "curves": {
            schedule: {
                name: [
                    _point(records, outcomes, name, condition)
                    for condition in ((None, None), *((schedule, level) for level in levels_db))
                ]
                for name in finders
            }
            for schedule in schedules
        },
    }


def _stress_record(stress: _Stress, record: str) -> dict[tuple[str, _Condition], _Outcome]:
    """Run every finder on one record, clean and with noise at every level."""
    loaded = load_lead(record, stress.lead, stress.folder)
    channel = loaded.index % stress.noise_mv.shape[1]
    conditions: list[_Condition] = [(None, None)]
    conditions += [(s, level) for s in stress.schedules for level in stress.levels_db]
    outcomes = {}
    for schedule, level in conditions:
        signal_mv = loaded.signal_mv
        if schedule is not None and level is not None:
            signal_mv = mix_noise(
                signal_mv,
                loaded.fs,
                calibration_peaks(loaded.beats),
                stress.noise_mv[:, [channel]],
                stress.noise_fs,
                level,
                schedule=schedule,
                start_s=stress.start_s,
                noise_amplitude_mv=stress.amplitude_mv[[channel]],
            )
        for name, find in stress.finders.items():
            run = run_finder(find, signal_mv, loaded.fs)
            matrix = compare_found(loaded, run.peaks, stress.start_s).matrix
            outcomes[name, (schedule, level)] = (matrix, run.problem)
    return outcomes


def _point(
    records: Sequence[str],
    outcomes: Sequence[dict[tuple[str, _Condition], _Outcome]],
    name: str,
    condition: _Condition,
) -> dict[str, Any]:
    """One point of a curve, over all records."""
    found = [outcome[name, condition] for outcome in outcomes]
    matrices = [matrix for matrix, _ in found]
    return {
        "snr_db": condition[1],
        **qrs_scores(np.sum(matrices, axis=0)),
        "average": average_scores(matrices),
        "failed": {
            record: problem
            for record, (_, problem) in zip(records, found, strict=True)
            if problem is not None
        },
    }
