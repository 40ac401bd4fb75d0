"""Read recordings and reference beats from files.

One module reads one format; `formats` tells which a file is for by what is in it. Opening a
recording reads its header alone, parts of it are read when they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ectopy.beats import ReferenceBeats
    from ectopy.readers.source import Source
    from ectopy.recording import Recording


def open_recording(
    path: str | PathLike[str],
    *,
    fs: float | None = None,
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
    part: int | None = None,
) -> Source:
    """Open a recording, to read parts of it.

    Parameters
    ----------
    path : path
        A file in WFDB, EDF, BDF, ISHNE, DICOM, HL7 aECG, text (CSV and the like), Parquet, NPY or
        NPZ, or a WFDB record's name (`100`). Always local, never an address.
    fs : float, optional
        Sampling frequency in Hz of a table that does not say it.
    unit : str or float, optional
        Unit of a table that does not say it: ``"mV"``, ``"uV"``, ``"V"``, ``"nV"``, or counts of
        the converter per mV.
    columns : sequence of str or int, optional
        Columns of a table that are leads, by name or by number from 0; all numeric ones if not.
    part : int, optional
        Which part, from 1, of an EDF+ recording with gaps, which is not read as one.

    Returns
    -------
    Source
        Leads that measure a voltage, in millivolts.

    Raises
    ------
    RecordingError
        If there is no such recording, it is damaged, holds no voltage, or an option does not go
        with its format.
    UnsupportedFormat
        If the file is there but no reader knows it.
    MissingExtra
        If the package that reads it is not installed.

    Examples
    --------
    >>> source = open_recording("night.edf")  # doctest: +SKIP
    >>> source.leads, source.read(0, 5000).shape  # doctest: +SKIP
    (('II', 'V5'), (5000, 2))
    """
    from ectopy.readers.formats import ReadOptions, open_source

    return open_source(path, ReadOptions(fs, unit, columns, part))


def read(
    path: str | PathLike[str],
    *,
    fs: float | None = None,
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
    part: int | None = None,
) -> Recording:
    """Read a whole recording into memory; the options are those of `open_recording`.

    Parameters
    ----------
    path : path
    fs, unit, columns, part
        What the file leaves open.

    Returns
    -------
    Recording
        Every lead that measures a voltage, in millivolts.

    Raises
    ------
    RecordingError
        As `open_recording`, or if it does not fit into memory.
    UnsupportedFormat, MissingExtra
        As `open_recording`.

    Examples
    --------
    >>> recording = read("mitdb/100")  # doctest: +SKIP
    >>> recording.leads, recording.fs, recording.signal_mv.shape  # doctest: +SKIP
    (('MLII', 'V5'), 360.0, (650000, 2))
    """
    from ectopy.errors import RecordingError

    source = open_recording(path, fs=fs, unit=unit, columns=columns, part=part)
    try:
        return source.recording()
    except MemoryError as error:
        msg = (
            f"{str(path)!r} has {source.n_samples:,} samples of {len(source.leads)} leads, more "
            "than fit into memory; open it with open_recording and read parts"
        )
        raise RecordingError(msg) from error


def read_annotations(path: str | PathLike[str], extension: str = "atr") -> ReferenceBeats:
    """Read the reference beats of a recording.

    Parameters
    ----------
    path : path
        The WFDB record, given as for `read`.
    extension : str
        Suffix of its annotation file: the annotator's name.

    Returns
    -------
    ReferenceBeats
        The beats; other marks, such as changes of rhythm, are dropped.

    Raises
    ------
    RecordingError
        If the annotation file is missing or damaged, marks samples that the recording does not
        have, marks no beat, or marks two beats on one sample.

    Examples
    --------
    >>> beats = read_annotations("mitdb/100")  # doctest: +SKIP
    >>> len(beats), int(beats.peaks[0]), str(beats.symbols[0])  # doctest: +SKIP
    (2273, 77, 'N')
    """
    from ectopy.readers.wfdb_annotations import read_beats

    return read_beats(path, extension)
