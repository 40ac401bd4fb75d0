"""Every lead of a recording, analysed one after the other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import SignalError
from ectopy.inference.analyze import analyze
from ectopy.inference.description import describe_settings
from ectopy.inference.inputs import ANNOTATED, DETECTED, open_input, read_reference
from ectopy.models.bundle import Bundle, find_bundle
from ectopy.readers.formats import ReadOptions
from ectopy.readers.source import unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ectopy.analysis import Analysis
    from ectopy.readers.source import Source
    from ectopy.recording import Recording


def analyze_leads(
    source: str | Path | Source | Recording | ArrayLike,
    *,
    fs: float | None = None,
    model: str | Path | Bundle = DEFAULT_MODEL,
    beats: str | NDArray[np.int64] = DETECTED,
    annotator: str = "atr",
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
    part: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Analysis]:
    """Find and class every beat in each lead of a recording, on its own.

    The recording is opened once, and model and finder are loaded once.

    Parameters
    ----------
    source, fs, model, beats, annotator, unit, columns, part, progress
        As in `ectopy.analyze`.

    Returns
    -------
    dict of str to Analysis
        By the leads' names, in their order. A lead that cannot be analysed, such as one without
        signal, is missing, and the warnings of the others say why.

    Raises
    ------
    SignalError
        If no lead can be analysed; the message is that of the first.
    RecordingError, BundleError
        As `ectopy.analyze`.

    Examples
    --------
    >>> from ectopy.simulate import simulate
    >>> list(analyze_leads(simulate(30, seed=1)[0]))
    ['MLII', 'V1']
    """
    bundle = model if isinstance(model, Bundle) else find_bundle(model)
    recording = open_input(source, ReadOptions(fs, unit, columns, part))
    asked: dict[str, Any] = {
        "model": model,
        "beats": beats,
        "annotator": annotator,
        "fs": fs,
        "unit": unit,
    }
    asked |= {"columns": columns, "part": part}
    reference = None
    if isinstance(beats, str) and beats == ANNOTATED:
        reference = read_reference(source, annotator)
        beats = reference.peaks
    found: dict[str, Analysis] = {}
    failed: list[SignalError] = []
    names = unique_names(recording.leads)
    for column, name in enumerate(names):
        try:
            analysis = analyze(
                recording,
                model=bundle,
                lead=column,
                beats=beats,
                progress=progress and partial(_of_lead, progress, name),
            )
        except SignalError as error:
            failed.append(error)
        else:
            settings = describe_settings(source, recording, bundle, **asked, lead=name)
            found[name] = replace(analysis, reference=reference, settings=settings)
    if not found:
        raise failed[0]
    left_out = tuple(f"not analysed: {error}" for error in failed)
    return {
        name: replace(analysis, warnings=(*analysis.warnings, *left_out))
        for name, analysis in found.items()
    }


def _of_lead(progress: Callable[[str, float], None], name: str, what: str, done: float) -> None:
    progress(f"{what}, lead {name}", done)
