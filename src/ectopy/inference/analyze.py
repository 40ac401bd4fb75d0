"""Analyse a recording: find every beat, class it, sum up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ectopy._version import __version__
from ectopy.analysis import Analysis
from ectopy.beats import BeatTable
from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import RecordingError, SignalError
from ectopy.inference.description import describe_finder, describe_model, describe_settings
from ectopy.inference.doubts import doubts, noise_doubt, pause_doubt
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import shipped_finder
from ectopy.inference.inputs import (
    ANNOTATED,
    DETECTED,
    check_peaks,
    open_input,
    read_reference,
)
from ectopy.inference.inverted import Usable, looks_inverted
from ectopy.inference.leads import choose_lead
from ectopy.inference.one_pass import find_and_classify
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.readers.formats import ReadOptions
from ectopy.readers.lead import Lead
from ectopy.readers.source import BLOCK_SAMPLES, Source
from ectopy.signal.quality import LeadCheck
from ectopy.signal.rhythm import MIN_BEATS
from ectopy.signal.seconds import QualityMeter, SecondsQuality
from ectopy.signal.sure_beats import spare_sure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ectopy.recording import Recording
    from ectopy.signal.parts import Part


FINDING, CLASSING = "finding beats", "classing beats"
MIN_FS = 50.0
"""Lowest sampling frequency in Hz at which a beat's shape can be seen; finding it takes 80."""


def analyze(
    source: str | Path | Source | Recording | ArrayLike,
    *,
    fs: float | None = None,
    model: str | Path | Bundle = DEFAULT_MODEL,
    lead: str | int | None = None,
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
    seen = _Seen(signal)
    reference, found, probabilities, beat_source = None, None, None, ANNOTATED
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
        found, probabilities = find_and_classify(
            shipped_finder(),
            bundle,
            signal,
            seen=seen,
            all_seen=seen.finish,
            searched=progress and partial(_tell, progress, FINDING, signal),
            classed=progress and partial(_tell, progress, CLASSING, signal),
        )
        peaks, beat_source = found.peaks, DETECTED
    else:
        peaks = check_peaks(beats, recording.n_samples)
    if beat_source != DETECTED:
        for first in range(0, len(signal), BLOCK_SAMPLES):
            seen(signal[first : first + BLOCK_SAMPLES])
            if progress is not None:
                progress(FINDING, min(1.0, (first + BLOCK_SAMPLES) / len(signal)))
    lead_warnings, quality = seen.finish()
    warnings = [instead, *lead_warnings]
    if found is not None:
        quality = spare_sure(quality, peaks, found.confidences, recording.fs)
    if len(peaks) < MIN_BEATS:
        few = "no beat" if len(peaks) == 0 else "only 1 beat"
        msg = f"{few} in lead {signal.name!r} of {recording.name!r} ({recording.duration_s:.1f} s)"
        raise SignalError(f"{msg}; at least {MIN_BEATS} are needed: try --lead or a longer part")
    if probabilities is None:
        told = progress and partial(_tell_part, progress, len(peaks))
        probabilities = Classifier(bundle).classify_lead(signal, peaks, seen=told)
    usable = quality.beats_usable(peaks, recording.fs)
    warnings += [noise_doubt(signal.name, quality), looks_inverted(signal, Usable(peaks, usable))]
    table = BeatTable(peaks, probabilities, recording.fs, usable)
    warnings.append(pause_doubt(table, quality.usable))
    warnings += doubts(bundle, recording, column, probabilities, usable)
    return Analysis(
        recording=recording.name,
        fs=recording.fs,
        n_samples=recording.n_samples,
        start=recording.start,
        lead=signal.name,
        signal_mv=signal,
        beats=table,
        beat_source=beat_source,
        model=describe_model(bundle) | (describe_finder() if beat_source == DETECTED else {}),
        reference=reference,
        warnings=tuple(warning for warning in warnings if warning is not None),
        version=__version__,
        settings=describe_settings(
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


def _tell(progress: Callable[[str, float], None], what: str, lead: Lead, up_to_s: float) -> None:
    progress(what, min(1.0, up_to_s * lead.fs / len(lead)))


def _tell_part(progress: Callable[[str, float], None], n_beats: int, part: Part) -> None:
    progress(CLASSING, part.own.stop / n_beats)


class _Seen:
    """What happens to each slice of a lead beside finding beats in it."""

    def __init__(self, lead: Lead) -> None:
        self.check = LeadCheck(lead.fs, lead.name)
        self.meter = QualityMeter(lead.fs)
        self._found: tuple[tuple[str, ...], SecondsQuality] | None = None

    def __call__(self, block_mv: NDArray[np.float32]) -> None:
        self.check.push(block_mv)
        self.meter.push(block_mv)

    def finish(self) -> tuple[tuple[str, ...], SecondsQuality]:
        """Say what is wrong with the lead, and of which seconds; worked out once."""
        if self._found is None:
            self._found = self.check.finish(), self.meter.finish()
        return self._found
