"""Score found beats against reference annotations, as ANSI/AAMI EC57 says.

Test annotations are compared with the reference beat by beat. Two beats match when they lie at most
150 ms apart, and each counts once. The first 5 minutes are left out, as a time to learn. Beats
found while the reference marks ventricular flutter or fibrillation count nowhere.

EC57 leaves details open; all are those of its reference implementation, `bxb` (bxb(1), WFDB
Applications Guide), so that with the class map "bxb" every count comes out as in its tables, and
the sums as in those of `sumstats`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import ProtocolError, RecordingError
from ectopy.evaluation.ec57_counting import CLASS_MAPS, count, labels
from ectopy.evaluation.ec57_matching import NEVER, Match, Track, match, read_track
from ectopy.evaluation.ec57_scores import COLUMNS, ROWS, average, gross, scores_of_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

START_S = 300.0
"""Seconds at the start of a recording that are not scored."""

WINDOW_S = 0.150
"""Largest distance in seconds of two beats that match."""

MOST_WINDOW_S = 1.0
"""Widest window that can be asked for: milliseconds taken for seconds are noticed."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Every mark of an annotation file, beat or not, in the order of time.

    Attributes
    ----------
    samples : ndarray of int64, shape (marks,)
        Sample index of each mark, ascending; several marks may share one.
    symbols : ndarray of str, shape (marks,)
        WFDB symbol of each.
    fs : float
        Samples a second that `samples` counts in, Hz.
    subtypes : ndarray of int8, shape (marks,), optional
        WFDB subtype of each, which says whether a quality mark `~` begins a stretch that cannot be
        read; all 0 unless given.

    Raises
    ------
    RecordingError
        If the arrays do not fit each other, samples are negative or not in order, or `fs` is no
        frequency.
    """

    samples: NDArray[np.int64]
    symbols: NDArray[np.str_]
    fs: float
    subtypes: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        n_subtypes = len(self.samples) if self.subtypes is None else len(self.subtypes)
        if not len(self.samples) == len(self.symbols) == n_subtypes:
            msg = (
                f"{len(self.samples)} samples, {len(self.symbols)} symbols and {n_subtypes} "
                "subtypes do not make marks; give as many of each"
            )
            raise RecordingError(msg)
        backward = np.flatnonzero(np.diff(self.samples, prepend=0) < 0)
        if len(backward):
            msg = (
                f"mark {backward[0]}, on sample {self.samples[backward[0]]}, lies before the mark "
                "ahead of it or before the recording; sort the marks by time"
            )
            raise RecordingError(msg)
        if not (isfinite(self.fs) and self.fs > 0):
            msg = f"marks at {self.fs} samples a second cannot be placed; expected more than 0"
            raise RecordingError(msg)

    def __len__(self) -> int:
        return len(self.samples)

    def at(self, fs: float) -> Marks:
        """Count at another sampling frequency, in Hz.

        Each mark goes to the nearest sample, halves up, as in the WFDB library.
        """
        if fs == self.fs:
            return self
        samples = np.floor(self.samples * (fs / self.fs) + 0.5)
        return Marks(np.asarray(samples, dtype=np.int64), self.symbols, fs, self.subtypes)


def marks_of_beats(peaks: NDArray[np.int64], classes: NDArray[np.int8] | None, fs: float) -> Marks:
    """Make marks of found beats.

    Parameters
    ----------
    peaks : ndarray of int64, shape (beats,)
        Sample index of each beat, ascending.
    classes : ndarray of int8, shape (beats,), or None
        Index into `ectopy.beats.CLASSES`; None where no beat was classed: then all are "N".
    fs : float
        Sampling frequency in Hz.

    Examples
    --------
    >>> marks_of_beats(np.array([100, 400]), np.array([0, 2], dtype=np.int8), 360.0).symbols
    array(['N', 'V'], dtype='<U1')
    """
    chosen = np.zeros(len(peaks), dtype=np.int8) if classes is None else classes
    return Marks(np.asarray(peaks, dtype=np.int64), np.asarray(CLASSES)[chosen], fs)


@dataclass(frozen=True, eq=False)
class Comparison:
    """One recording, beat by beat.

    Attributes
    ----------
    class_map : str
        Name of the class map, a key of `CLASS_MAPS`.
    start_s, window_s : float
        Start of the test period and the match window, in seconds.
    stop_s : float or None
        End of the test period in seconds; None: the last reference beat.
    matrix : ndarray of int64, shape (7, 7)
        Beats of each pair of classes: rows are those of the reference, `rows`, columns those of
        the test annotations, `columns`.
    pairs : ndarray of int64, shape (pairs, 2)
        Row in the reference marks and row in the test marks of each pair of matched beats.
    missed : ndarray of int64, shape (missed,)
        Rows in the reference marks of beats without a counterpart.
    extra : ndarray of int64, shape (extra,)
        Rows in the test marks of beats without a counterpart.
    in_flutter : ndarray of int64, shape (found,)
        Rows in the test marks of beats without a counterpart that count nowhere, since the
        reference marks flutter or fibrillation there.
    flutter_s : float
        Seconds of the test period that the reference marks as flutter or fibrillation.
    shutdown_s : int
        Seconds that the test annotations mark as unreadable, before the test period as well, as
        `bxb` counts and rounds them.
    """

    class_map: str
    start_s: float
    stop_s: float | None
    window_s: float
    matrix: NDArray[np.int64]
    pairs: NDArray[np.int64]
    missed: NDArray[np.int64]
    extra: NDArray[np.int64]
    in_flutter: NDArray[np.int64]
    flutter_s: float
    shutdown_s: int

    rows = ROWS
    columns = COLUMNS


def compare(
    reference: Marks,
    test: Marks,
    *,
    class_map: str = "aami",
    start_s: float = START_S,
    stop_s: float | None = None,
    window_s: float = WINDOW_S,
) -> Comparison:
    """Compare test annotations with the reference, beat by beat.

    Parameters
    ----------
    reference, test : Marks
        All marks of both files. Test marks at another `fs` are counted at that of the reference,
        see `Marks.at`.
    class_map : str
        A key of `CLASS_MAPS`.
    start_s : float
        Start of the test period in seconds. Where it is less than `window_s`, a beat that close
        to the start of the recording may count nowhere, since for `bxb` something of no class
        stands on sample 0.
    stop_s : float, optional
        Length of the recording in seconds. Where it is not known, the comparison ends with the
        last reference beat, and nothing found after it is counted.
    window_s : float
        Largest distance of two beats that match, in seconds.

    Returns
    -------
    Comparison

    Raises
    ------
    ProtocolError
        If there is no such class map, or the period or the window cannot be.

    Examples
    --------
    >>> reference = marks_of_beats(np.array([400, 800, 1200]), None, 360.0)
    >>> found = marks_of_beats(np.array([410, 1150, 1500]), None, 360.0)
    >>> result = compare(reference, found, start_s=1, stop_s=5)
    >>> result.pairs.tolist(), result.missed.tolist(), result.extra.tolist()
    ([[0, 0], [2, 1]], [1], [2])
    """
    check_settings(class_map=class_map, start_s=start_s, stop_s=stop_s, window_s=window_s)
    fs = reference.fs
    start, window = _to_samples(start_s, fs), _to_samples(window_s, fs)
    stop = None if stop_s is None else _to_samples(stop_s, fs)
    tracks = [
        read_track(
            marks.samples,
            marks.symbols,
            np.zeros(len(marks), dtype=np.int8) if marks.subtypes is None else marks.subtypes,
            beat_symbols=CLASS_MAPS[class_map],
            window=window,
            stop=stop,
            is_reference=is_reference,
        )
        for marks, is_reference in ((reference, True), (test.at(fs), False))
    ]
    matched = match(tracks[0].times, tracks[1].times, start=start, stop=stop, window=window)
    counts = count(
        labels(reference.symbols.tolist(), class_map),
        labels(test.symbols.tolist(), class_map),
        tracks[0],
        tracks[1],
        matched,
    )
    end = stop if stop is not None else int(reference.samples[-1:].sum())
    return Comparison(
        class_map=class_map,
        start_s=float(start_s),
        stop_s=None if stop_s is None else float(stop_s),
        window_s=float(window_s),
        matrix=counts.matrix,
        pairs=counts.pairs,
        missed=counts.missed,
        extra=counts.extra,
        in_flutter=counts.in_flutter,
        flutter_s=_flutter_samples(tracks[0], start, end) / fs,
        shutdown_s=_shutdown_s(tracks[1], matched, fs),
    )


def check_settings(
    *,
    class_map: str = "aami",
    start_s: float = START_S,
    stop_s: float | None = None,
    window_s: float = WINDOW_S,
) -> None:
    """See whether `compare` can follow these settings, before anything is read.

    Raises
    ------
    ProtocolError
        If there is no such class map, or the period or the window cannot be.
    """
    if class_map not in CLASS_MAPS:
        options = " or ".join(repr(name) for name in CLASS_MAPS)
        msg = f"there is no class map {class_map!r}; choose {options}"
        raise ProtocolError(msg)
    if not (isfinite(start_s) and start_s >= 0):
        msg = f"scoring cannot start at {start_s} s; give the seconds to leave out, 0 or more"
        raise ProtocolError(msg)
    if not (isfinite(window_s) and 0 <= window_s <= MOST_WINDOW_S):
        msg = f"beats cannot match within {window_s} s; give a window of 0 to {MOST_WINDOW_S:g} s"
        raise ProtocolError(msg)
    if stop_s is not None and not (isfinite(stop_s) and stop_s > 0):
        msg = f"a recording cannot end at {stop_s} s; give its length in seconds"
        raise ProtocolError(msg)
    if stop_s is not None and stop_s < start_s:
        msg = (
            f"the recording ends at {stop_s:g} s, before scoring starts at {start_s:g} s; "
            "start earlier, such as at 0 s"
        )
        raise ProtocolError(msg)


def score(comparison: Comparison) -> dict[str, Any]:
    """Score one recording.

    Returns
    -------
    dict
        The `class_map`, and `qrs`, `veb` and `sveb` with counts and rates as
        `ectopy.evaluation.ec57_scores.scores_of_matrix` describes them; ready for JSON.

    Examples
    --------
    >>> beats = marks_of_beats(np.array([400, 800, 1200]), None, 360.0)
    >>> score(compare(beats, beats, start_s=0))["qrs"]
    {'tp': 3, 'fn': 0, 'fp': 0, 'se': 1.0, 'ppv': 1.0}
    """
    return {"class_map": comparison.class_map, **scores_of_matrix(comparison.matrix)}


def summarise(records: Mapping[str, Comparison]) -> dict[str, Any]:
    """Sum up the comparisons of several recordings.

    Parameters
    ----------
    records : mapping from str to Comparison
        One comparison a recording, all with the same settings.

    Returns
    -------
    dict
        Ready for JSON: the settings (`class_map`, `start_s`, `window_s`), the names of
        `matrix_rows` and `matrix_columns`, `per_record` (for each its `score`, its `matrix`,
        `stop_s`, `flutter_s`, `shutdown_s` and the number of found beats `in_flutter`), `gross`
        (all beats pooled), `average` (mean of the records' rates), `average_of` (the number of
        records in each mean) and `matrix`, the sum.

    Raises
    ------
    ProtocolError
        If there is no record, or not all were compared in the same way.
    """
    settings = {(c.class_map, c.start_s, c.window_s) for c in records.values()}
    if len(settings) != 1:
        found = f"{len(settings)} different settings" if settings else "no record"
        msg = f"cannot sum up {found}; compare one record or more, all in the same way"
        raise ProtocolError(msg)
    class_map, start_s, window_s = settings.pop()
    matrices = [comparison.matrix for comparison in records.values()]
    averages, records_in = average(matrices)
    return {
        "class_map": class_map,
        "start_s": start_s,
        "window_s": window_s,
        "matrix_rows": list(ROWS),
        "matrix_columns": list(COLUMNS),
        "per_record": {
            name: {
                **score(comparison),
                "matrix": comparison.matrix.tolist(),
                "stop_s": comparison.stop_s,
                "flutter_s": comparison.flutter_s,
                "shutdown_s": comparison.shutdown_s,
                "in_flutter": len(comparison.in_flutter),
            }
            for name, comparison in records.items()
        },
        "gross": gross(matrices),
        "average": averages,
        "average_of": records_in,
        "matrix": np.sum(matrices, axis=0).tolist(),
    }


def _to_samples(seconds: float, fs: float) -> int:
    """Nearest sample of a time, halves up, as the WFDB library has it (strtim, wfdb(3))."""
    return floor(seconds * fs + 0.5)


def _flutter_samples(track: Track, start: int, end: int) -> int:
    """Length of the flutter between two samples."""
    first, last = track.flutter.first, track.flutter.last
    # One that no mark ends lasts for ever, see `read_track`.
    last = np.where(last < first, NEVER, last)
    return int(np.clip(np.minimum(last, end) - np.maximum(first, start), 0, None).sum())


def _shutdown_s(test: Track, matched: Match, fs: float) -> int:
    """Seconds that cannot be read, as far as the file was read, rounded as `bxb` does."""
    total = int(test.unreadable_samples[matched.end[1] + 1])
    # Halves and whole seconds are whole samples there, and division is towards zero.
    return int((total + _to_samples(0.5, fs)) / max(1, _to_samples(1.0, fs)))
