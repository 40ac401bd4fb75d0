"""Leads that the beat finder learns from: frames, where beats are, and where nobody can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load, load_flutter
from ectopy.data.nstdb import KINDS, load_noise
from ectopy.signal.frames import BLOCK, FRAME_HZ, Rate, resample_to_frames
from ectopy.training.noises import RecordedNoise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.beats import ReferenceBeats
    from ectopy.recording import Recording

# Annotators begin and end with a whole beat, not at the first and last sample.
_ENDS_S = 0.5
_FLUTTER_MARGIN_S = 0.1
_TYPICAL_PERCENTILE = 60
_LEAST_AMPLITUDE_MV = 0.02

SIMULATED_S = 420.0
"""Length in seconds of the simulated recordings that are trained on."""

_SIMULATED_SEED = 1000


@dataclass(frozen=True, eq=False)
class Leads:
    """Both leads of a recording at the rate of frames.

    Attributes
    ----------
    name : str
    frames : ndarray of float32, shape (2, frames)
        Each in units of its usual deflection.
    peaks : ndarray of float64, shape (beats,)
        Places of the beats in frames.
    ectopic : ndarray of float64
        Those of the beats that are not N.
    unsure : ndarray of bool, shape (frames,)
        Where annotators marked no single beats: flutter, and the recording's ends.
    """

    name: str
    frames: NDArray[np.float32]
    peaks: NDArray[np.float64]
    ectopic: NDArray[np.float64]
    unsure: NDArray[np.bool_]


def record_leads(names: Sequence[str], folder: Path | None = None) -> list[Leads]:
    """Read records of the MIT-BIH Arrhythmia Database for training.

    Parameters
    ----------
    names : sequence of str
    folder : Path, optional
        Folder of the database.

    Raises
    ------
    DataError
        If the database is not there.
    """
    return [_leads(*load(name, folder), load_flutter(name, folder)) for name in names]


def simulated_leads(n: int) -> list[Leads]:
    """Simulate recordings of `n` patients with mixed rhythms, the same ones every time."""
    from ectopy.simulate import simulate

    found = (simulate(SIMULATED_S, fs=360, seed=_SIMULATED_SEED + i) for i in range(n))
    return [_leads(recording, beats, []) for recording, beats in found]


def noise_frames(folder: Path | None = None) -> dict[str, RecordedNoise]:
    """Noise that may be trained on, by kind."""
    return {kind: RecordedNoise.of(_frames(load_noise(kind, "train", folder))) for kind in KINDS}


def _leads(
    recording: Recording, beats: ReferenceBeats, flutter: Sequence[tuple[int, int]]
) -> Leads:
    frames = _frames(recording)
    rate = Rate.of(recording.fs)
    peaks = beats.peaks * rate.up / rate.down
    unsure = np.zeros(frames.shape[1], dtype=np.bool_)
    ends = round(_ENDS_S * FRAME_HZ)
    unsure[:ends] = unsure[-ends:] = True
    margin = _FLUTTER_MARGIN_S * recording.fs
    for start, stop in flutter:
        first, last = ((edge * rate.up) / rate.down for edge in (start - margin, stop + margin))
        unsure[max(0, int(first)) : int(last)] = True
    return Leads(
        name=recording.name,
        frames=frames / _amplitude(frames),
        peaks=peaks,
        ectopic=peaks[beats.classes != CLASSES.index("N")],
        unsure=unsure,
    )


def _frames(recording: Recording) -> NDArray[np.float32]:
    rate = Rate.of(recording.fs)
    leads = np.ascontiguousarray(recording.signal_mv.T)
    return np.stack([resample_to_frames(s, recording.fs, rate, float(s[0])) for s in leads])


def _amplitude(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Usual range of a second, halved, of each lead; shape (leads, 1)."""
    whole = frames.shape[1] // BLOCK * BLOCK
    blocks = frames[:, :whole].reshape(len(frames), -1, BLOCK)
    usual = np.percentile(np.ptp(blocks, axis=-1), _TYPICAL_PERCENTILE, axis=-1) / 2
    return np.asarray(np.maximum(usual, _LEAST_AMPLITUDE_MV)[:, None], dtype=np.float32)
