"""The noise records of the MIT-BIH Noise Stress Test Database, parted for training and testing.

A finder that is trained on mixtures with this noise must be tested on noise it never heard. Halves
of a record will not do: two of the three half-hour records were put together from shorter
recordings that come back again and again, sample for sample. What `em` holds after 9:47 it held
before, 278.74, 544.93, 823.68, 858.05 or 1136.79 seconds ago, and its seconds 290 to 325 are its
seconds 7 to 42 again. What `bw` holds after 10:27 it held 627.47 or 902.34 seconds ago. `ma` holds
nothing twice. So the parts here are stretches of which nothing comes back in the other part.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ectopy.data.registry import DATA_VARIABLE, database_dir, fetch_command
from ectopy.errors import DataError, RecordingError
from ectopy.readers import read
from ectopy.recording import Recording

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

KINDS: Mapping[str, str] = MappingProxyType(
    {"bw": "baseline wander", "em": "electrode motion", "ma": "muscle activity"}
)
"""What each noise record mostly holds. Electrode motion is the hardest: it looks like beats."""

# The few seconds between the parts keep slow waves from reaching from one into the other.
TRAIN_PART: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"bw": (0.0, 310.0), "em": (0.0, 285.0), "ma": (0.0, 900.0)}
)
"""First and last second of each record that a finder may be trained on."""

TEST_PART: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"bw": (315.0, 625.0), "em": (330.0, 585.0), "ma": (905.0, 1805.0)}
)
"""First and last second of each record that finders are tested on."""

_PARTS = {"train": TRAIN_PART, "test": TEST_PART}
_CHOICES = (*_PARTS, "all")
_SUFFIXES = (".hea", ".dat")


def load_noise(kind: str, part: str, folder: str | os.PathLike[str] | None = None) -> Recording:
    """Read the noise of one record, or the part of it that is for training or for testing.

    Parameters
    ----------
    kind : {"bw", "em", "ma"}
        One of `KINDS`.
    part : {"train", "test", "all"}
        Which part: `TRAIN_PART`, `TEST_PART`, or the whole record, which is what noise levels are
        calibrated on and nothing is trained on.
    folder : path, optional
        Folder that holds the database's files; its own folder if not given.

    Returns
    -------
    Recording
        Two channels at 360 Hz. The header gives no gain, so its millivolts are nominal; noise is
        scaled before it is added to a recording.

    Raises
    ------
    DataError
        If there is no record or part of that name, or the record's files are missing or damaged.

    Examples
    --------
    >>> load_noise("em", "test").duration_s  # doctest: +SKIP
    255.0
    """
    if kind not in KINDS:
        msg = f"nstdb has no noise {kind!r}; choose one of: {', '.join(KINDS)}"
        raise DataError(msg)
    if part not in _CHOICES:
        msg = f"noise has no part {part!r}; choose one of: {', '.join(_CHOICES)}"
        raise DataError(msg)
    noise = _read(kind, database_dir("nstdb") if folder is None else Path(folder))
    if part == "all":
        return noise
    first, last = (round(second * noise.fs) for second in _PARTS[part][kind])
    if last > noise.n_samples:
        msg = (
            f"noise record {kind} lasts {noise.duration_s:g} s, but its {part} part ends at "
            f"{_PARTS[part][kind][1]:g} s; it is not the record of nstdb"
        )
        raise DataError(msg)
    return Recording(
        signal_mv=noise.signal_mv[first:last], fs=noise.fs, leads=noise.leads, name=noise.name
    )


def _read(kind: str, place: Path) -> Recording:
    missing = [kind + suffix for suffix in _SUFFIXES if not (place / (kind + suffix)).is_file()]
    if missing:
        msg = (
            f"{', '.join(missing)} of nstdb not found in {place}: "
            f"run `{fetch_command('nstdb', place)}`, "
            f"or set {DATA_VARIABLE} to the folder that holds nstdb"
        )
        raise DataError(msg)
    try:
        return read(place / kind)
    except RecordingError as error:
        msg = (
            f"noise record {kind} in {place} is damaged ({error}); "
            f"run `{fetch_command('nstdb', place)}` to mend it"
        )
        raise DataError(msg) from error
