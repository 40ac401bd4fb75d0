"""The 48 records of the MIT-BIH Arrhythmia Database, with the beats that cardiologists marked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.data.registry import DATA_VARIABLE, database_dir, fetch_command
from ectopy.errors import DataError, RecordingError
from ectopy.readers import read, read_annotations
from ectopy.readers.wfdb_annotations import read_marks

if TYPE_CHECKING:
    import os

    from ectopy.beats import ReferenceBeats
    from ectopy.recording import Recording

# fmt: off
RECORDS = (
    "100", "101", "102", "103", "104", "105", "106", "107", "108", "109", "111", "112",
    "113", "114", "115", "116", "117", "118", "119", "121", "122", "123", "124", "200",
    "201", "202", "203", "205", "207", "208", "209", "210", "212", "213", "214", "215",
    "217", "219", "220", "221", "222", "223", "228", "230", "231", "232", "233", "234",
)
# fmt: on
"""Names of the 48 records, in the database's own order."""

_SUFFIXES = (".hea", ".dat", ".atr")


def load(
    record: str, folder: str | os.PathLike[str] | None = None
) -> tuple[Recording, ReferenceBeats]:
    """Read one record: both leads, and the reference beats.

    Parameters
    ----------
    record : str
        One of `RECORDS`.
    folder : path, optional
        Folder that holds the record's files; the database's own folder if not given.

    Returns
    -------
    recording : Recording
        The signal in millivolts, float32, shape (650000, 2), at 360 Hz. Lead names are the
        header's own; records 102, 104 and 114 do not have MLII first, so pick leads by name.
    beats : ReferenceBeats
        The beats of the ``atr`` annotator; marks that are not beats (rhythm changes, noise,
        ventricular flutter waves and so on) are dropped.

    Raises
    ------
    DataError
        If there is no record of that name, or if its files are missing or damaged.

    Examples
    --------
    >>> recording, beats = load("100")  # doctest: +SKIP
    >>> recording.leads, recording.duration_s, len(beats)  # doctest: +SKIP
    (('MLII', 'V5'), 1805.5555555555557, 2273)
    """
    if record not in RECORDS:
        msg = f"mitdb has no record {record!r}; its {len(RECORDS)} records: {', '.join(RECORDS)}"
        raise DataError(msg)
    place = database_dir("mitdb") if folder is None else Path(folder)
    _require_files(record, place)

    path = place / record
    try:
        return read(path), read_annotations(path)
    except RecordingError as error:
        raise DataError(_damaged(record, place, str(error))) from error


def load_flutter(
    record: str, folder: str | os.PathLike[str] | None = None
) -> list[tuple[int, int]]:
    """Find the stretches of ventricular flutter of one record, in which beats are not marked.

    Parameters
    ----------
    record, folder
        As in `load`.

    Returns
    -------
    list of (int, int)
        First and last sample of each stretch, from its mark ``[`` to its mark ``]``.

    Raises
    ------
    DataError
        As `load`.
    """
    place = database_dir("mitdb") if folder is None else Path(folder)
    _require_files(record, place)
    try:
        marks = read_marks(place / f"{record}.atr")
    except RecordingError as error:
        raise DataError(_damaged(record, place, str(error))) from error
    starts, stops = (marks.samples[marks.symbols == bracket].tolist() for bracket in "[]")
    return list(zip(starts, stops, strict=False))


def _damaged(record: str, folder: Path, problem: str) -> str:
    return (
        f"record {record} in {folder} is damaged ({problem}); "
        f"run `{fetch_command('mitdb', folder)}` to mend it"
    )


def _require_files(record: str, folder: Path) -> None:
    names = [record + suffix for suffix in _SUFFIXES]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        msg = (
            f"{', '.join(missing)} of mitdb not found in {folder}: "
            f"run `{fetch_command('mitdb', folder)}`, "
            f"or set {DATA_VARIABLE} to the folder that holds mitdb"
        )
        raise DataError(msg)
