"""Which reader a file is for: told by what is in it, not by what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy.errors import RecordingError, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ectopy.readers.source import Source

HEAD_BYTES = 8192
"""Of a file that are looked at."""

WFDB, EDF, ISHNE, DICOM = "WFDB", "EDF", "ISHNE", "DICOM"
NUMPY, PARQUET, AECG, TEXT = "NumPy", "Parquet", "HL7 aECG", "text"
TABLES = (NUMPY, PARQUET, TEXT)
"""Formats that may leave sampling frequency and unit open, and hold columns that are no leads."""

# Text of such a name is read for itself, also where the header of a WFDB record lies beside it.
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".asc")

SPOKEN = "WFDB, EDF, BDF, ISHNE, DICOM, HL7 aECG, CSV and other text, Parquet, NPY and NPZ"


@dataclass(frozen=True)
class ReadOptions:
    """What a user says of a file beside its path.

    Attributes
    ----------
    fs : float, optional
        Sampling frequency in Hz of a table that does not say it.
    unit : str or float, optional
        ``"mV"``, ``"uV"``, ``"V"``, ``"nV"``, or counts of the converter per mV, of a table.
    columns : sequence of str or int, optional
        Columns of a table that are leads, by name or by number from 0.
    part : int, optional
        Which part of an EDF+ recording with gaps, from 1.
    """

    fs: float | None = None
    unit: str | float | None = None
    columns: Sequence[str | int] | None = None
    part: int | None = None

    def given(self) -> dict[str, Any]:
        """Those that were given."""
        return {name: value for name, value in vars(self).items() if value is not None}


_NONE = ReadOptions()
_FITS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(TABLES, ("fs", "unit", "columns")),
    EDF: ("part",),
}


def open_source(path: str | PathLike[str], options: ReadOptions = _NONE) -> Source:
    """Open a recording of any format, to read parts of it.

    Parameters
    ----------
    path : path
        A file, or the name of a WFDB record without a suffix. Always local, never an address.
    options : ReadOptions
        What the file leaves open.

    Returns
    -------
    Source

    Raises
    ------
    RecordingError
        If there is no such recording, it is damaged, holds no voltage, or an option does not go
        with its format.
    UnsupportedFormat
        If no reader knows it.
    MissingExtra
        If the package that reads it is not installed.
    """
    kind = format_of(path)
    fits = _FITS.get(kind, ())
    for name in options.given():
        if name not in fits:
            flag = "column" if name == "columns" else name
            others = [other for other, known in _FITS.items() if name in known]
            msg = (
                f"--{flag} goes with {' and '.join(others)} files, and {str(path)!r} is {kind}, "
                "which says it itself; leave it out"
            )
            raise RecordingError(msg)
    if kind == EDF:
        from ectopy.readers.edf import open_edf

        return open_edf(path, options.part)
    if kind == ISHNE:
        from ectopy.readers.ishne import open_ishne

        return open_ishne(path)
    if kind == DICOM:
        from ectopy.readers.dicom import open_dicom

        return open_dicom(path)
    if kind == AECG:
        from ectopy.readers.aecg import open_aecg

        return open_aecg(path)
    if kind in TABLES:
        return _open_table(kind, path, options)
    from ectopy.readers.wfdb import open_wfdb

    return open_wfdb(path)


def _open_table(kind: str, path: str | PathLike[str], options: ReadOptions) -> Source:
    facts: dict[str, Any] = {name: getattr(options, name) for name in ("fs", "unit", "columns")}
    if kind == NUMPY:
        from ectopy.readers.arrays import open_array

        return open_array(path, **facts)
    if kind == PARQUET:
        from ectopy.readers.parquet import open_parquet

        return open_parquet(path, **facts)
    from ectopy.readers.text import open_text

    try:
        return open_text(path, **facts)
    except RecordingError:
        if Path(path).suffix.lower() == ".hea" and not options.given():
            from ectopy.readers.wfdb import open_wfdb

            return open_wfdb(path)  # a damaged header, most likely: its reader says what is wrong
        raise


def format_of(path: str | PathLike[str]) -> str:
    """Tell the format of a recording.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        One of the names above, such as ``"EDF"``.

    Raises
    ------
    RecordingError
        If there is nothing of that name, or it cannot be read.
    UnsupportedFormat
        If no reader knows it.
    """
    from ectopy.readers.wfdb import is_wfdb

    file = Path(path)
    try:
        is_file = file.is_file()
    except (OSError, ValueError):  # no name of any file
        is_file = False
    if not is_file:  # a record's name, or nothing: the reader of WFDB says what is missing
        return WFDB
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError as error:
        msg = f"{str(path)!r} cannot be read ({error.strerror}); check the file"
        raise RecordingError(msg) from error
    if kind := _by_signature(file, head):
        return kind
    from ectopy.readers.text_bytes import decoded, is_text

    table = is_text(head)
    if not (table and file.suffix.lower() in _TABLE_SUFFIXES) and is_wfdb(file):
        return WFDB
    if table:
        return TEXT
    what = "is empty" if not head else "is none of them"
    if head.strip() and decoded(head) is not None:
        what = "is text without a table of numbers"
    msg = f"ectopy reads {SPOKEN}; {str(path)!r} {what}"
    raise UnsupportedFormat(msg + ": give it in one of these formats")


def _by_signature(path: Path, head: bytes) -> str | None:
    """Tell formats that begin in a way of their own, whatever lies beside the file."""
    from ectopy.readers.aecg import is_aecg
    from ectopy.readers.arrays import is_npy, is_npz
    from ectopy.readers.dicom import is_dicom
    from ectopy.readers.edf import is_edf
    from ectopy.readers.ishne import is_ishne
    from ectopy.readers.parquet import is_parquet

    by_head = {AECG: is_aecg, PARQUET: is_parquet}
    # A DICOM file may begin with anything, so that those known by their very beginning go first.
    by_path = {ISHNE: is_ishne, EDF: is_edf, DICOM: is_dicom}
    if is_npy(head) or is_npz(head):
        return NUMPY
    found = [kind for kind, known in by_head.items() if known(head)]
    found += [kind for kind, known in by_path.items() if known(path)]
    return found[0] if found else None
