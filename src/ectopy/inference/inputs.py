"""What an analysis is given: a file, a recording or an array, and where its beats are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError, SignalError
from ectopy.readers.formats import ReadOptions, open_source
from ectopy.readers.source import MemorySource, Source
from ectopy.recording import Recording

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ectopy.beats import ReferenceBeats

DETECTED, ANNOTATED = "detected", "annotated"
"""Where beats come from: found in the signal, or read from the annotation file."""


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


def check_peaks(beats: str | NDArray[np.int64], n_samples: int) -> NDArray[np.int64]:
    """Take sample indices of beats for what they are.

    Raises
    ------
    RecordingError
        If they are no whole numbers that ascend within the recording.
    """
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
