"""Say why the classes of a recording may be better or worse than a model's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.mapped import PIECE, pieces, release
from ectopy.measures.pauses import LONG_PAUSE_S, find_pauses
from ectopy.recording import select_lead
from ectopy.signal.second_flags import NOISE, REASONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ectopy.beats import BeatTable
    from ectopy.models.bundle import Bundle
    from ectopy.readers.source import Source
    from ectopy.signal.second_flags import SecondsQuality

RECORD_FS, RECORD_SAMPLES = 360.0, 650_000  # of every record of the database trained on
LOW_CONFIDENCE = 0.9
"""Median confidence below which a warning is due.

Of a model of single beats the 48 records of the database have at least 0.994 in the lead that is
taken by name; upside down, half of them have less than 0.65 (`cnn-mlp/intra`) or 0.76
(`cnn-kan/intra`). Of a rhythm model they have at least 0.90 either way up.
"""

MOST_SAMPLED = 200_000
"""Of more beats than this only some, evenly spread, make that median."""

NOISE_PERCENT = 5.0
"""Seconds per 100 that are buried in noise from which on it is warned of."""


def noise_doubt(name: str, quality: SecondsQuality) -> str | None:
    """Warn of a lead of which much is noise; what is missing or flat is warned of elsewhere."""
    share = quality.reason_percents.get(REASONS[NOISE], 0.0)
    if share < NOISE_PERCENT:
        return None
    return f"lead {name} is buried in noise for {share:.1f} % of its time; no beat is classed there"


def pause_doubt(beats: BeatTable, usable_s: NDArray[np.bool_]) -> str | None:
    """Warn of pauses that are too long to be believed without a look."""
    pauses = find_pauses(beats.times, beats.classes, usable_s)
    if pauses.n_long == 0 or pauses.longest is None:
        return None
    longest = float(pauses.length_s[pauses.longest])
    many = "1 pause" if pauses.n_long == 1 else f"{pauses.n_long} pauses"
    return (
        f"{many} of {LONG_PAUSE_S:g} s or more, the longest {longest:.1f} s: look at the signal, "
        "since beats may not be found in ventricular flutter and where artefacts hide them"
    )


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


def doubts(
    bundle: Bundle,
    recording: Source,
    column: int,
    probabilities: NDArray[np.float32],
    usable: NDArray[np.bool_],
) -> list[str]:
    """Say why the classes of this recording may be better or worse than the model's figures."""
    found = []
    same_form = (recording.fs, recording.n_samples) == (RECORD_FS, RECORD_SAMPLES)
    if same_form and recording.name in bundle.config["training"]["records"]:
        contract = bundle.contract
        trained = (
            0
            if contract.lead_by == "index"
            else select_lead(recording.leads, None, contract.lead_preference)
        )
        found.append(
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
        found.append(
            f"the model is unsure of these beats (median confidence {confidence:.2f}): {why}"
        )
    return found
