"""Small tables to read, and what an opener says of bad ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ectopy.errors import EctopyError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ectopy.readers.source import Source

APPLE = """Name,Jane Doe
Date of Birth,"Feb 5, 1952"
Recorded Date,2020-05-04 10:11:12 +0200
Classification,Sinus Rhythm
Symptoms,
Software Version,1.90
Device,"Watch6,1"
Sample Rate,512.5 hertz


Lead,Lead I
Unit,µV

-48.673
-59.681
100
0.5
"""

APPLE_GERMAN = """Name,Jane Doe
Geburtsdatum,05.02.1952
Aufgezeichnet,2020-05-04 10:11:12 +0200
Klassifizierung,Sinusrhythmus
Symptome,
Softwareversion,1.90
Gerät,"Watch6,1"
Abtastrate,"512,5 Hertz"


Ableitung,Ableitung I
Einheit,µV

"""


def refusal(
    opener: Callable[..., Source],
    path: Path,
    kind: type[Exception] = RecordingError,
    **options: Any,
) -> str:
    """The one line that an opener refuses a file with."""
    with pytest.raises(kind) as caught:
        opener(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def either_or(opener: Callable[..., Source], path: Path, **options: Any) -> None:
    """A file is either read to its end or refused in one line."""
    message = ""
    try:
        opener(path, **options).recording()
    except EctopyError as error:
        message = str(error)
    assert "\n" not in message


def check_parts(source: Source, seed: int = 0, times: int = 30) -> None:
    """Parts read at random, of leads at random, are those of the whole."""
    whole = source.read()
    assert whole.shape == (source.n_samples, len(source.leads))
    assert whole.dtype == np.float32
    random = np.random.default_rng(seed)
    for _ in range(times):
        first, stop = sorted(random.integers(0, source.n_samples + 1, 2).tolist())
        columns = random.permutation(len(source.leads))[: random.integers(1, 4)].tolist()
        part = source.read(first, stop, columns)
        np.testing.assert_array_equal(part, whole[first:stop][:, columns])
    recording = source.recording()
    np.testing.assert_array_equal(recording.signal_mv, whole)
    assert (recording.fs, recording.leads) == (source.fs, source.leads)
