"""Patients of a few kinds, made up for tests of what rhythm models train on."""

from __future__ import annotations

import numpy as np

from ectopy.beats import CLASSES
from ectopy.signal.rhythm import LONG_PERCENTILE, log_intervals
from ectopy.signal.typical import BeatInputs, beat_inputs
from ectopy.training.rhythm_beats import MARGIN, PEAK, WIDTH, RhythmBeats

X = np.arange(WIDTH) - PEAK


def bump(place: float, width: float, size: float) -> np.ndarray:
    return size * np.exp(-(((X - place) / width) ** 2) / 2)


P, QRS, T = bump(-58, 8, 0.15), bump(0, 4, 1.0), bump(95, 12, 0.3)
SHAPES = {"N": P + QRS + T, "S": QRS + T, "V": bump(4, 17, 1.6), "F": bump(2, 9, 1.2), "Q": QRS}
INTERVAL_S = {"N": 0.8, "S": 0.5, "V": 0.55, "F": 0.75, "Q": 0.8}


def patients(
    records: dict[str, str], *, noise: float = 0.0, sizes: dict[str, float] | None = None
) -> RhythmBeats:
    """Beats of records, each given by the letters of its beats; `sizes` scales whole records."""
    rng = np.random.default_rng(0)
    parts, classes, peaks, usual = [], [], [], []
    for name, letters in records.items():
        size = (sizes or {}).get(name, 1.0)
        windows = size * np.stack([SHAPES[letter] for letter in letters])
        windows += rng.normal(0, noise, windows.shape)
        times = np.cumsum([INTERVAL_S[letter] for letter in letters])
        parts.append(beat_inputs(windows.astype(np.float32), times, margin=MARGIN))
        classes.append([CLASSES.index(letter) for letter in letters])
        peaks.append(np.round(times * 360).astype(np.int64))
        usual.append(np.exp(np.percentile(log_intervals(times), LONG_PERCENTILE)))
    blocks = np.cumsum([0, *(len(part.local) for part in parts[:-1])])
    joined = BeatInputs(
        windows=np.concatenate([part.windows for part in parts]),
        overall=np.concatenate([part.overall for part in parts]),
        piece=np.repeat(np.arange(len(parts)), [len(one) for one in classes]),
        local=np.concatenate([part.local for part in parts]),
        block=np.concatenate(
            [part.block + first for part, first in zip(parts, blocks, strict=True)]
        ),
        rhythm=np.concatenate([part.rhythm for part in parts]),
    )
    letters = "".join(records.values())
    return RhythmBeats(
        inputs=joined,
        classes=np.concatenate(classes).astype(np.int64),
        symbols=np.array(list(letters.replace("S", "A"))),
        records=tuple(records),
        peaks=np.concatenate(peaks),
        usual_s=np.asarray(usual),
        whole=np.ones(len(letters), dtype=np.bool_),
    )
