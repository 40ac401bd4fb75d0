"""Read recordings and reference beats from files.

One module reads one family of files; this one only picks. WFDB is the only family so far, the
format of PhysioNet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from ectopy.beats import ReferenceBeats
    from ectopy.recording import Recording


def read(path: str | PathLike[str]) -> Recording:
    """Read a recording.

    Parameters
    ----------
    path : path
        A WFDB record: its header (`100.hea`), any other of its files (`100.dat`, `100.atr`), or
        the bare record name (`100`). Always a local file, never an address.

    Returns
    -------
    Recording
        Every lead that measures a voltage, in millivolts.

    Raises
    ------
    RecordingError
        If there is no such recording, it is damaged, or holds no voltage.
    UnsupportedFormat
        If the file is there but no reader knows it.

    Examples
    --------
    >>> recording = read("mitdb/100")  # doctest: +SKIP
    >>> recording.leads, recording.fs, recording.signal_mv.shape  # doctest: +SKIP
    (('MLII', 'V5'), 360.0, (650000, 2))
    """
    from ectopy.readers.wfdb import read_record

    return read_record(path)


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
