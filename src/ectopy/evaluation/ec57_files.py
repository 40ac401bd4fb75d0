"""Score folders of annotation files: which records, at which frequency, and none dropped unsaid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ectopy.errors import ProtocolError, RecordingError
from ectopy.evaluation.ec57 import (
    START_S,
    WINDOW_S,
    Comparison,
    Marks,
    check_settings,
    compare,
    summarise,
)
from ectopy.readers.wfdb_annotations import read_marks
from ectopy.readers.wfdb_header import read_header

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from os import PathLike

# So many names fit into a message.
_SHOWN = 5


class Choice(NamedTuple):
    """The records to score, and those left out.

    Attributes
    ----------
    records : list of str
        Names of the records to score, sorted unless they were asked for by name.
    skipped : list of str
        Records that have a reference but no test annotations.
    excluded : list of str
        Records that were to be left out.
    without_reference : list of str
        Records that have test annotations but no reference, where no record was named.
    """

    records: list[str]
    skipped: list[str]
    excluded: list[str]
    without_reference: list[str]


def score_folders(
    reference_dir: str | PathLike[str],
    test_dir: str | PathLike[str],
    *,
    annotator: str,
    reference_annotator: str = "atr",
    class_map: str = "aami",
    start_s: float = START_S,
    window_s: float = WINDOW_S,
    records: Sequence[str] | None = None,
    exclude: Collection[str] = (),
    skip_missing: bool = False,
) -> dict[str, Any]:
    """Score the test annotations in one folder against the reference in another.

    Parameters
    ----------
    reference_dir : path
        Folder of the reference annotations and the headers. Where a record has no header, its
        length is unknown and its frequency is the one an annotation file names.
    test_dir : path
        Folder of the test annotations, which may be the same.
    annotator, reference_annotator : str
        Suffixes of the test and the reference annotation files.
    class_map : str
        A key of `ectopy.evaluation.ec57.CLASS_MAPS`.
    start_s : float
        Seconds of each record that are left out.
    window_s : float
        Largest distance of two beats that match, in seconds.
    records : sequence of str, optional
        Names of the records to score; by default all that have reference annotations.
    exclude : collection of str
        Names of records to leave out, such as those with paced beats, which EC57 excludes.
    skip_missing : bool
        Whether to leave out a record without test annotations, rather than refuse.

    Returns
    -------
    dict
        As `ectopy.evaluation.ec57.summarise` gives, and the `annotator`, the
        `reference_annotator`, the records `excluded`, `skipped` and found `without_reference`, and
        `rescaled`: annotation files that count at a frequency other than the record's, and that
        frequency.

    Raises
    ------
    RecordingError
        If a folder or a file is missing or damaged.
    ProtocolError
        If a setting cannot be followed, or a record is shorter than `start_s`.
    """
    check_settings(class_map=class_map, start_s=start_s, window_s=window_s)
    reference_suffix, test_suffix = _suffix(reference_annotator), _suffix(annotator)
    folders = _folder(reference_dir, "reference"), _folder(test_dir, "test")
    choice = choose_records(
        (folders[0], reference_suffix),
        (folders[1], test_suffix),
        records=records,
        exclude=exclude,
        skip_missing=skip_missing,
    )
    comparisons: dict[str, Comparison] = {}
    rescaled: dict[str, float] = {}
    for name in choice.records:
        reference_file = folders[0] / f"{name}.{reference_suffix}"
        test_file = folders[1] / f"{name}.{test_suffix}"
        pair = _read_pair(folders[0] / f"{name}.hea", reference_file, test_file)
        for file, marks in ((reference_file, pair.reference), (test_file, pair.test)):
            if marks.fs != pair.fs:
                rescaled[file.name] = marks.fs
        try:
            comparisons[name] = compare(
                pair.reference.at(pair.fs),
                pair.test,
                class_map=class_map,
                start_s=start_s,
                stop_s=pair.length_s,
                window_s=window_s,
            )
        except ProtocolError as error:
            msg = f"record {name!r}: {error}"
            raise ProtocolError(msg) from error
    return {
        "annotator": test_suffix,
        "reference_annotator": reference_suffix,
        **summarise(comparisons),
        "excluded": choice.excluded,
        "skipped": choice.skipped,
        "without_reference": choice.without_reference,
        "rescaled": rescaled,
    }


def choose_records(
    reference: tuple[Path, str],
    test: tuple[Path, str],
    *,
    records: Sequence[str] | None = None,
    exclude: Collection[str] = (),
    skip_missing: bool = False,
) -> Choice:
    """Choose the records to score.

    Parameters
    ----------
    reference, test : tuple of Path and str
        Folder and suffix of the annotation files.
    records, exclude, skip_missing
        As `score_folders` takes them.

    Raises
    ------
    RecordingError
        If no record is left, one that was named has no reference, or one has no test annotations
        and `skip_missing` is not set.
    """
    have_reference, have_test = _names(*reference), _names(*test)
    named = sorted(have_reference) if records is None else list(dict.fromkeys(records))
    unknown = [name for name in named if name not in have_reference]
    if unknown or not named:
        of_which = f" of {_list(unknown)}" if unknown else ""
        msg = (
            f"there are no reference annotations *.{reference[1]}{of_which} in "
            f"{str(reference[0])!r}; check the folder, the names and the reference annotator"
        )
        raise RecordingError(msg)
    wanted = [name for name in named if name not in exclude]
    chosen = [name for name in wanted if name in have_test]
    skipped = [name for name in wanted if name not in have_test]
    where = f"*.{test[1]} in {str(test[0])!r}"
    if not chosen:
        msg = f"no record to score has test annotations {where}; check the folder and the annotator"
        raise RecordingError(msg)
    if skipped and not skip_missing:
        msg = (
            f"{len(skipped)} of {len(wanted)} records have no test annotations {where}: "
            f"{_list(skipped)}; add them, or leave these records out with --skip-missing"
        )
        raise RecordingError(msg)
    lonely = sorted(have_test - have_reference - set(exclude)) if records is None else []
    return Choice(chosen, skipped, [name for name in named if name in exclude], lonely)


class _Pair(NamedTuple):
    """Both annotation files of a record, and what its header says."""

    reference: Marks
    test: Marks
    fs: float
    length_s: float | None


def _read_pair(header_file: Path, reference_file: Path, test_file: Path) -> _Pair:
    """Read what there is of a record; without a header, its frequency is that of a file."""
    files = [read_marks(file) for file in (reference_file, test_file)]
    if header_file.is_file():
        header = read_header(header_file)
        fs, n_samples = header.fs, header.n_samples
    else:
        named = [file.resolution for file in files if file.resolution is not None]
        if not named:
            msg = (
                f"there is no header {header_file}, and the annotation files do not name a "
                "sampling frequency; add the header"
            )
            raise RecordingError(msg)
        fs, n_samples = named[0], None
    reference, test = (
        # A file that names no frequency counts the samples of the recording.
        Marks(file.samples, file.symbols, file.resolution or fs, file.subtypes)
        for file in files
    )
    return _Pair(reference, test, fs, None if n_samples is None else n_samples / fs)


def _folder(path: str | PathLike[str], what: str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "missing"
        msg = f"{str(path)!r} is {found}; name the folder of the {what} annotations"
        raise RecordingError(msg)
    return folder


def _suffix(annotator: str) -> str:
    suffix = annotator.removeprefix(".")
    if not re.fullmatch(r"[^./\\*?\[]+", suffix):
        msg = f"{annotator!r} is no suffix of an annotation file; expected one such as 'atr'"
        raise RecordingError(msg)
    return suffix


def _names(folder: Path, suffix: str) -> set[str]:
    """Names of the records that have an annotation file of a suffix."""
    try:
        return {path.stem for path in folder.glob(f"*.{suffix}") if path.is_file()}
    except OSError as error:
        msg = f"cannot read {str(folder)!r}: {error.strerror or error}; check its permissions"
        raise RecordingError(msg) from error


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
