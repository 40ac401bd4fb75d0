"""Analyse a recording: find every beat, class it, sum up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy._version import __version__
from ectopy.analysis import Analysis
from ectopy.beats import BeatTable, ReferenceBeats
from ectopy.data.protocols import SAME_SUBJECT
from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import RecordingError, SignalError
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import shipped_finder
from ectopy.inference.inverted import Usable, looks_inverted
from ectopy.inference.leads import choose_lead
from ectopy.mapped import PIECE, pieces, release
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.models.card import certainty, limits
from ectopy.readers.formats import ReadOptions, open_source
from ectopy.readers.lead import Lead
from ectopy.readers.source import BLOCK_SAMPLES, MemorySource, Source
from ectopy.recording import Recording, select_lead
from ectopy.signal.quality import LeadCheck
from ectopy.signal.second_flags import NOISE, REASONS
from ectopy.signal.seconds import QualityMeter
from ectopy.signal.sure_beats import spare_sure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ectopy.signal.second_flags import SecondsQuality

DETECTED, ANNOTATED = "detected", "annotated"
FINDING, CLASSING = "finding beats", "classing beats"
RECORD_FS, RECORD_SAMPLES = 360.0, 650_000  # of every record of the database trained on
LOW_CONFIDENCE = 0.9
"""Median confidence below which a warning is due.

Of a model of single beats the 48 records of the database have at least 0.994 in the lead that is
taken by name; upside down, half of them have less than 0.65 (`cnn-mlp/intra`) or 0.76
(`cnn-kan/intra`). Of a rhythm model they have at least 0.90 either way up.
"""

MOST_SAMPLED = 200_000
"""Of more beats than this only some, evenly spread, make that median."""

MIN_FS = 50.0
"""Lowest sampling frequency in Hz at which a beat's shape can be seen; finding it takes 80."""

NOISE_PERCENT = 5.0
"""Seconds per 100 that are buried in noise from which on it is warned of."""

MIN_BEATS = 2
"""Fewer beats have no interval between them, and so no heart rate."""


def analyze(
    source: str | Path | Source | Recording | ArrayLike,
    *,
    fs: float | None = None,
    model: str | Path | Bundle = DEFAULT_MODEL,
    lead: str | None = None,
    beats: str | NDArray[np.int64] = DETECTED,
    annotator: str = "atr",
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
    part: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Analysis:
    """Find and class every beat of a recording.

    Parameters
    ----------
    source : str, Path, Source, Recording or array
        A file of any format that `ectopy.open_recording` knows, a recording that is open or in
        memory, or a signal in mV of shape (samples,) or (samples, leads).
    fs : float, optional
        Sampling frequency in Hz; needed for an array and for a table that does not say it, refused
        for anything that has its own.
    model : str, Path or Bundle
        A shipped model's name, such as ``"cnn-kan"`` or ``"cnn-kan/intra"``, or a bundle's folder.
    lead : str, optional
        Lead to analyse; where it is not given MLII or II, else the one with the most usable
        signal: see `ectopy.inference.leads`.
    beats : "detected", "annotated" or ndarray of int64, shape (beats,)
        Where beats are: found in the signal, taken from the recording's annotation file, or given
        as sample indices.
    annotator : str
        Suffix of the annotation file for ``"annotated"``.
    unit, columns, part
        As in `ectopy.open_recording`, for files.
    progress : callable, optional
        Is told what is being done, `FINDING` or `CLASSING`, and how much of that is done, up to 1.

    Returns
    -------
    Analysis
        With the table of beats in ``.beats`` and the numbers in ``.summary``. Beats where the
        signal is too poor are found but not classed, see ``.quality``.

    Raises
    ------
    RecordingError, LeadNotFound, SignalError, BundleError
        If the recording cannot be read, holds no usable signal or fewer than two beats, or the
        model cannot be found.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> recording, truth = simulate(30, seed=1)
    >>> len(analyze(recording).beats) > 20
    True
    """
    bundle = model if isinstance(model, Bundle) else find_bundle(model)
    recording = open_input(source, ReadOptions(fs, unit, columns, part))
    if recording.fs < MIN_FS:
        msg = f"fs = {recording.fs:g} Hz is too low to see a beat's shape; at least {MIN_FS:g} Hz"
        raise SignalError(f"{msg} are needed")
    column, instead = choose_lead(recording, lead, bundle.contract.lead_preference)
    signal = Lead(recording, column)
    seen = _Seen(signal, progress)
    reference, found, beat_source = None, None, ANNOTATED
    if isinstance(beats, str) and beats == ANNOTATED:
        reference = read_reference(source, annotator)
        peaks = reference.peaks
        if len(peaks) and peaks[-1] >= recording.n_samples:
            msg = (
                f"the {annotator!r} annotations of {recording.name!r} mark sample {peaks[-1]}, but "
                f"it ends after {recording.n_samples}; check that both belong together"
            )
            raise RecordingError(msg)
    elif isinstance(beats, str) and beats == DETECTED:
        found = shipped_finder().find_lead(signal, seen=seen)
        peaks, beat_source = found.peaks, DETECTED
    else:
        peaks = _check_peaks(beats, recording.n_samples)
    if beat_source != DETECTED:
        for first in range(0, len(signal), BLOCK_SAMPLES):
            seen(signal[first : first + BLOCK_SAMPLES])
    warnings = [instead, *seen.check.finish()]
    quality = seen.meter.finish()
    if found is not None:
        quality = spare_sure(quality, peaks, found.confidences, recording.fs)
    if len(peaks) < MIN_BEATS:
        few = "no beat" if len(peaks) == 0 else "only 1 beat"
        msg = f"{few} in lead {signal.name!r} of {recording.name!r} ({recording.duration_s:.1f} s)"
        raise SignalError(f"{msg}; at least {MIN_BEATS} are needed: try --lead or a longer part")
    probabilities = Classifier(bundle).classify_lead(
        signal,
        peaks if found is None else found.positions,
        seen=progress and (lambda part: progress(CLASSING, part.own.stop / len(peaks))),
    )
    usable = quality.beats_usable(peaks, recording.fs)
    warnings += [_noise(signal.name, quality), looks_inverted(signal, Usable(peaks, usable))]
    warnings += _doubts(bundle, recording, column, probabilities, usable)
    return Analysis(
        recording=recording.name,
        fs=recording.fs,
        n_samples=recording.n_samples,
        start=recording.start,
        lead=signal.name,
        signal_mv=signal,
        beats=BeatTable(peaks, probabilities, recording.fs, usable),
        beat_source=beat_source,
        model=describe_model(bundle) | (_describe_finder() if beat_source == DETECTED else {}),
        reference=reference,
        warnings=tuple(warning for warning in warnings if warning is not None),
        version=__version__,
        settings=_settings(
            source,
            recording,
            bundle,
            model=model,
            lead=lead,
            beats=beats,
            annotator=annotator,
            fs=fs,
            unit=unit,
            columns=columns,
            part=part,
        ),
        quality=quality,
    )


def _settings(source: object, recording: Source, bundle: Bundle, **given: Any) -> dict[str, Any]:
    """Say what was asked for and of what, without the folders that files lie in."""
    if not isinstance(given["beats"], str):
        given["beats"] = "given as sample indices"
    if given["beats"] != ANNOTATED:
        del given["annotator"]
    if not isinstance(given["model"], str) or Path(given["model"]).is_dir():
        given["model"] = bundle.full_name
    if given["columns"] is not None:
        given["columns"] = list(given["columns"])
    return {
        "source": Path(source).name if isinstance(source, str | Path) else "in memory",
        **{name: value for name, value in given.items() if value is not None},
        "leads": list(recording.leads),
        "notes": dict(recording.notes),
    }


class _Seen:
    """What happens to each slice of a lead once beats have been found in it."""

    def __init__(self, lead: Lead, progress: Callable[[str, float], None] | None) -> None:
        self.check = LeadCheck(lead.fs, lead.name)
        self.meter = QualityMeter(lead.fs)
        self._lead, self._progress, self._n = lead, progress, 0

    def __call__(self, block_mv: NDArray[np.float32]) -> None:
        self.check.push(block_mv)
        self.meter.push(block_mv)
        self._n += len(block_mv)
        if self._progress is not None:
            self._progress(FINDING, self._n / len(self._lead))


def describe_model(bundle: Bundle) -> dict[str, Any]:
    """Name of a bundle, its exact weights, its limits, and how well it was measured to do.

    Returns
    -------
    dict
        `name`, `weights_sha256`; `limits` and `certainty`, sentences of its model card; `measured`
        (None, or protocol, n, accuracy, macro_f1, note, and `per_class` with n, se and ppv of
        each class that has test beats); `from_signal` (None, or the same of ventricular and
        supraventricular ectopic beats among those found in raw signals, scored as ANSI/AAMI EC57).
    """
    results = bundle.results()
    measured = None
    if results is not None:
        shown = ("protocol", "n", "accuracy", "macro_f1")
        measured = {key: results[key] for key in shown}
        measured["note"] = (
            "patients of the test beats were also in training"
            if bundle.protocol == "intra"
            else f"patients of the test beats were not in training{_but_for(bundle)}"
        )
        measured["per_class"] = {
            name: {"n": one["n"], "se": one["recall"], "ppv": one["precision"]}
            for name, one in results["per_class"].items()
            if one["n"]
        }
    return {
        "name": bundle.full_name,
        "weights_sha256": bundle.weights_sha256,
        "limits": limits(bundle),
        "certainty": certainty(bundle),
        "measured": measured,
        "from_signal": _from_signal(bundle),
    }


def _from_signal(bundle: Bundle) -> dict[str, Any] | None:
    """How its classes were measured to do on beats found in raw signals; None where unknown."""
    results = bundle.results("detected")
    if results is None:
        return None
    gross = results["gross"]
    return {
        "records": len(results["records"]),
        "leak": results["leak"],
        **{
            group: {
                "n": gross[group]["tp"] + gross[group]["fn"],
                "se": gross[group]["se"],
                "ppv": gross[group]["ppv"],
            }
            for group in ("qrs", "veb", "sveb")
        },
    }


def _but_for(bundle: Bundle) -> str:
    """Name the test records of subjects that were in training under another record's name."""
    trained = set(bundle.config["training"]["records"])
    both = [one for one, other in SAME_SUBJECT.items() if other in trained and one not in trained]
    return f", but for the one of record {', '.join(both)}" if both else ""


def _describe_finder() -> dict[str, Any]:
    bundle = shipped_finder().bundle
    results, measured = bundle.results("detected"), None
    if results is not None:
        one = results["finders"][bundle.config["model"]]
        gross = one["gross"]
        measured = {"records": len(one["records"]), "n": gross["tp"] + gross["fn"]}
        measured |= {"se": gross["se"], "ppv": gross["ppv"]}
    finder = {"name": bundle.full_name, "weights_sha256": bundle.weights_sha256}
    return {"finder": finder | {"measured": measured}}


def _noise(name: str, quality: SecondsQuality) -> str | None:
    """Warn of a lead of which much is noise; what is missing or flat is warned of elsewhere."""
    share = quality.reason_percents.get(REASONS[NOISE], 0.0)
    if share < NOISE_PERCENT:
        return None
    return f"lead {name} is buried in noise for {share:.1f} % of its time; no beat is classed there"


def _typical_confidence(probabilities: NDArray[np.float32], usable: NDArray[np.bool_]) -> float:
    """Median probability of the most probable class; 1 without a usable beat."""
    step = 1 + len(probabilities) // MOST_SAMPLED
    sample = [np.empty(0, dtype=np.float32)]
    for rows in pieces(len(probabilities), step * PIECE):
        part = probabilities[rows][::step][usable[rows][::step]]
        sample.append(part.max(axis=1))
        release(probabilities)
    confidences = np.concatenate(sample)
    return float(np.median(confidences)) if len(confidences) else 1.0


def _doubts(
    bundle: Bundle,
    recording: Source,
    column: int,
    probabilities: NDArray[np.float32],
    usable: NDArray[np.bool_],
) -> list[str]:
    """Say why the classes of this recording may be better or worse than the model's figures."""
    doubts = []
    same_form = (recording.fs, recording.n_samples) == (RECORD_FS, RECORD_SAMPLES)
    if same_form and recording.name in bundle.config["training"]["records"]:
        contract = bundle.contract
        trained = (
            0
            if contract.lead_by == "index"
            else select_lead(recording.leads, None, contract.lead_preference)
        )
        doubts.append(
            f"{bundle.full_name} was trained on beats of MIT-BIH record {recording.name}, lead "
            f"{recording.leads[trained]}: "
            + (
                "its classes here look better than they would on another recording"
                if column == trained
                else "it has seen this patient, but never this lead"
            )
        )
    confidence = _typical_confidence(probabilities, usable)
    if confidence < LOW_CONFIDENCE:
        why = (
            "it may never have met such a rhythm or such shapes; look at the classes yourself"
            if bundle.contract.reads_rhythm
            else "are the electrodes reversed, or is this lead unlike MLII?"
        )
        doubts.append(
            f"the model is unsure of these beats (median confidence {confidence:.2f}): {why}"
        )
    return doubts


def open_input(source: str | Path | Source | Recording | ArrayLike, options: ReadOptions) -> Source:
    """Open what `analyze` was given.

    Raises
    ------
    RecordingError, SignalError
        If it cannot be read, is no signal, or options are given that do not go with it.
    """
    if isinstance(source, str | Path):
        return open_source(source, options)
    fs, *others = options.fs, *(name for name in options.given() if name != "fs")
    if others:
        msg = f"{others[0]} goes with a file; leave it out"
        raise RecordingError(msg)
    if isinstance(source, Source | Recording):
        if fs is not None:
            msg = f"fs = {fs} Hz was given, but the recording states its own; leave fs out"
            raise RecordingError(msg)
        return MemorySource.of(source) if isinstance(source, Recording) else source
    if fs is None:
        msg = "a signal in memory does not say its sampling frequency; give fs in Hz"
        raise RecordingError(msg)
    if not isinstance(fs, int | float | np.number) or not np.isfinite(fs) or fs <= 0:
        msg = f"fs = {fs!r} Hz is no sampling frequency; give it in Hz, above 0"
        raise SignalError(msg)
    try:
        signal = np.asarray(source, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"the signal is not numeric ({error}); give millivolts as an array of numbers"
        raise SignalError(msg) from error
    if signal.ndim not in (1, 2) or signal.size == 0:
        msg = f"signal of shape {signal.shape}; expected (samples,) or (samples, leads), in mV"
        raise SignalError(msg)
    if signal.ndim == 2 and signal.shape[0] < signal.shape[1]:
        msg = f"signal of shape {signal.shape} has more leads than samples; expected "
        raise SignalError(f"{msg}(samples, leads): transpose it")
    signal = signal.reshape(len(signal), -1)
    leads = tuple(f"lead{i + 1}" for i in range(signal.shape[1]))
    return MemorySource.of(Recording(signal_mv=signal, fs=float(fs), leads=leads, name="signal"))


def read_reference(
    source: str | Path | Source | Recording | ArrayLike, annotator: str
) -> ReferenceBeats:
    """Read the annotations beside a recording.

    Raises
    ------
    RecordingError
        If it is no file, or has none.
    """
    from ectopy.readers import read_annotations

    if not isinstance(source, str | Path):
        msg = "annotated beats are read from a file beside the recording; give its path"
        raise RecordingError(msg)
    return read_annotations(source, annotator)


def _check_peaks(beats: str | NDArray[np.int64], n_samples: int) -> NDArray[np.int64]:
    if isinstance(beats, str):
        msg = f"beats = {beats!r}; expected 'detected', 'annotated' or an array of sample indices"
        raise RecordingError(msg)
    peaks = np.asarray(beats)
    if peaks.ndim != 1 or (peaks.size and not np.issubdtype(peaks.dtype, np.integer)):
        msg = f"beats of shape {peaks.shape} and type {peaks.dtype}; expected sample indices"
        raise RecordingError(msg)
    peaks = peaks.astype(np.int64)  # before comparing: unsigned differences wrap around
    if peaks.size and (peaks.min() < 0 or peaks.max() >= n_samples or (np.diff(peaks) <= 0).any()):
        msg = f"beats must ascend within 0..{n_samples - 1}, the samples of the recording"
        raise RecordingError(msg)
    return peaks
