"""Read the beats, or every mark, of WFDB annotation files.

The format is that of the WFDB Applications Guide, annot(5): 16-bit words, each with a code in its
upper 6 bits and, mostly, the time since the preceding annotation in its lower 10.
"""

from __future__ import annotations

import re
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ectopy.beats import ReferenceBeats
from ectopy.errors import RecordingError
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.wfdb_header import read_header
from ectopy.readers.wfdb_record import count_frames, samples_per_frame

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

# Symbol of each annotation code, from 1 on; a blank where a code has none.
_SYMBOLS = dict(enumerate('NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r', start=1))
_LAST_CODE = 49

# Words that are no annotations but belong to one.
_SKIP, _NUMBER, _SUBTYPE, _CHANNEL, _TEXT = 59, 60, 61, 62, 63

# How an annotation file of another kind begins, which may have the suffix of this one.
_ISHNE_MAGIC = b"ANN  1.0"

# Samples of the recording for one that the file counts, at most.
_MAX_STEP = 1e6

# Of what a file begins with: notes, and the code 0 that some writers end its description with.
_DESCRIBING = {0, 22}
_RESOLUTION = re.compile(rb"## time resolution: (\d+\.?\d*)")


def read_beats(path: str | PathLike[str], extension: str) -> ReferenceBeats:
    """Read the beats of a WFDB annotation file.

    Parameters
    ----------
    path : path
        Any file of the record, or the record name without a suffix.
    extension : str
        Suffix of the annotation file.

    Returns
    -------
    ReferenceBeats
        Their peaks at the sampling frequency of the recording beside the file, as `open_wfdb`
        gives it; as they are in the file where there is none.

    Raises
    ------
    RecordingError
        If the file is missing, damaged, does not fit the recording beside it, marks no beat, or
        marks two on one sample.
    """
    extension = extension.removeprefix(".")
    if not re.fullmatch(r"[^./\\]+", extension):
        msg = f"{extension!r} is no suffix of an annotation file; expected one such as 'atr'"
        raise RecordingError(msg)
    with clear_errors(path):
        file = _annotation_path(Path(path), extension)
        marks = _read_marks(file)
        samples = _at_recording_fs(file, marks)
    symbols = [_SYMBOLS.get(code, " ") for code in marks.codes]
    beats = ReferenceBeats.from_annotations(samples, symbols)
    if len(beats) == 0:
        msg = f"{file} marks no beat among {len(symbols)} marks; choose another annotation file"
        raise RecordingError(msg)
    repeated = beats.peaks[1:][np.diff(beats.peaks) == 0]
    if len(repeated):
        msg = (
            f"{file} marks more than one beat on sample {repeated[0]}, {len(repeated)} times in "
            "all; keep one mark a beat"
        )
        raise RecordingError(msg)
    return beats


class FileMarks(NamedTuple):
    """Every mark of an annotation file, in the order of time.

    Attributes
    ----------
    samples : ndarray of int64, shape (marks,)
        Sample index of each mark, ascending; several marks may share one. Counted as the file
        does: at `resolution`, or else in frames of the recording, each of which may hold several
        samples of a lead.
    symbols : ndarray of str, shape (marks,)
        WFDB symbol of each; a blank where its code has none.
    subtypes : ndarray of int8, shape (marks,)
        WFDB subtype of each, 0 unless the file gives one.
    resolution : float or None
        Samples a second that the file counts in, where it says.
    """

    samples: NDArray[np.int64]
    symbols: NDArray[np.str_]
    subtypes: NDArray[np.int8]
    resolution: float | None


def read_marks(file: str | PathLike[str]) -> FileMarks:
    """Read every mark of a WFDB annotation file, beat or not.

    Nothing but the file itself is looked at, so there may be two beats on one sample, or beats
    beyond the end of the recording. An empty file has no marks.

    Parameters
    ----------
    file : path
        The annotation file itself.

    Returns
    -------
    FileMarks

    Raises
    ------
    RecordingError
        If the file is missing or damaged.
    """
    path = Path(file)
    with clear_errors(path):
        is_empty = path.stat().st_size == 0
        marks = _Marks(np.zeros(0, dtype=np.int64), [], [], None) if is_empty else _read_marks(path)
    _check_codes_and_order(path, marks)
    # A subtype is the lower byte of its word, and has a sign.
    subtypes = np.array(marks.subtypes, dtype=np.int64).astype(np.uint8).view(np.int8)
    symbols = np.array([_SYMBOLS.get(code, " ") for code in marks.codes], dtype="<U1")
    return FileMarks(marks.samples, symbols, subtypes, marks.resolution)


class _Marks(NamedTuple):
    """Annotations of a file, and the samples a second that it counts in, where it says."""

    samples: NDArray[np.int64]
    codes: list[int]
    subtypes: list[int]
    resolution: float | None


def _annotation_path(path: Path, extension: str) -> Path:
    """Annotation file of the record that a path means."""
    if path.name:
        for record in (path, path.with_suffix("")):
            file = record.with_name(f"{record.name}.{extension}")
            if file.is_file():
                return file
    if path.is_dir():
        msg = f"{path} is a folder; name one recording in it, such as {path / '100'}"
        raise RecordingError(msg)
    if (kind := _other_format(path)) is not None:
        msg = (
            f"there is no annotation file {path.with_suffix('')}.{extension}: beats of {path.name} "
            f"({kind}) are read from a WFDB annotation file of that name alone, not from what the "
            "recording itself may hold; add the file or let the beats be detected"
        )
        raise RecordingError(msg)
    is_named = path.with_name(path.name + ".hea").is_file() if path.name else False
    record = path if is_named or not path.is_file() else path.with_suffix("")
    msg = (
        f"there is no annotation file {record}.{extension}; "
        "check the recording's name and the annotator's suffix"
    )
    raise RecordingError(msg)


def _other_format(path: Path) -> str | None:
    """Name the format of a recording that is not WFDB; None where it is, or is none."""
    from ectopy.readers.formats import WFDB, format_of

    try:
        kind = format_of(path)
    except RecordingError:
        return None
    return None if kind == WFDB else kind


def _read_marks(file: Path) -> _Marks:
    content = file.read_bytes()
    if content.startswith(_ISHNE_MAGIC):
        msg = f"{file} holds annotations of the ISHNE, which are not read"
        raise RecordingError(f"{msg}; convert them to a WFDB annotation file")
    if not content:
        msg = f"{file} is empty; get the annotation file again"
        raise RecordingError(msg)
    words: list[int] = np.frombuffer(content[: len(content) // 2 * 2], dtype="<u2").tolist()
    samples: list[int] = []
    codes: list[int] = []
    subtypes: list[int] = []
    time = at = 0
    resolution = None
    while at < len(words) and words[at] != 0:
        code, value = divmod(words[at], 1024)
        at += 1
        if code == _SKIP:
            # A time of 32 bits, upper half first.
            upper, lower, *_ = [*words[at : at + 2], 0, 0]
            time += upper * 65536 + lower - (2**32 if upper >= 32768 else 0)
            at += 2
        elif code == _TEXT:
            found = _RESOLUTION.match(content[2 * at : 2 * at + value])
            # Only the notes that a file begins with describe the file itself.
            if found and time == 0 and set(codes) <= _DESCRIBING and not any(subtypes):
                resolution = float(found[1])
            at += (value + 1) // 2
        elif code == _SUBTYPE:
            subtypes[-1:] = [value] if subtypes else []
        elif code not in (_NUMBER, _CHANNEL):
            time += value
            samples.append(time)
            codes.append(code)
            subtypes.append(0)
    if at >= len(words):
        msg = f"{file} is cut short: it has no end mark; get the annotation file again"
        raise RecordingError(msg)
    return _Marks(np.array(samples, dtype=np.int64), codes, subtypes, resolution)


def _check_codes_and_order(file: Path, marks: _Marks) -> None:
    """Refuse marks that cannot be."""
    # Code 0 is no annotation, but some writers end a file's own description with it.
    is_known = all(code <= _LAST_CODE for code in marks.codes)
    if not is_known or (np.diff(marks.samples, prepend=0) < 0).any():
        msg = f"{file} is damaged or no annotation file; get it again"
        raise RecordingError(msg)


def _at_recording_fs(file: Path, marks: _Marks) -> NDArray[np.int64]:
    """Sample of each mark, at the sampling frequency of the recording beside the file.

    A file counts frames of the recording unless it names another frequency, as annot(5) says;
    where a frame holds several samples of a lead, the recording has more samples than frames.
    """
    _check_codes_and_order(file, marks)
    if not file.with_suffix(".hea").is_file():
        return marks.samples
    header = read_header(file.with_suffix(".hea"))
    per_frame = samples_per_frame(header)
    fs = header.fs * per_frame
    counted = header.fs if marks.resolution is None else marks.resolution
    # Other ratios than whole ones would move beats by a part of a sample.
    step = round(fs / counted) if counted > fs / _MAX_STEP else 0
    if not isclose(step * counted, fs, rel_tol=1e-6):
        msg = (
            f"{file.name} counts {counted:g} samples a second, but the recording has {fs:g}; "
            "write the annotations at the recording's own fs"
        )
        raise RecordingError(msg)
    n_samples = (header.n_samples or count_frames(header)) * per_frame
    last = max(marks.samples.tolist(), default=0) * step
    if last >= n_samples:
        msg = (
            f"{file.name} marks sample {last}, but the recording ends after {n_samples}; "
            "check that both belong together"
        )
        raise RecordingError(msg)
    return marks.samples * step
