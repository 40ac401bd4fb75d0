"""What is known of a finished run beside its predictions: read, and seen to be complete."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASSES
from ectopy.errors import OutputError, RunError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT, WITHOUT_BEATS = 2, 3
"""In format 1 probabilities were kept as they were before their temperature; format 3 lacks the
beats, which are those of the database."""
RUN_FILE = "run.json"
KIND = "ectopy predictions"
"""What a ``run.json`` of this kind says it is; a training run's own notes have another."""

# Of each key in run.json: the types it may have. bool is an int to Python, and never meant here.
_NUMBER = (int, float)
TYPES: dict[str, tuple[type, ...]] = {
    "model": (str,),
    "protocol": (str,),
    "seed": (int,),
    "parameters": (int,),
    "multiply_adds": (int, type(None)),
    "weights_sha256": (str,),
    "code_version": (str,),
    "selected_by": (str,),
    "selected_value": (int, float, type(None)),
    "temperature": _NUMBER,
    "epochs": (list,),
}


def read_notes(folder: Path) -> dict[str, Any]:
    """Read run.json and see that everything is in it, and of the right type."""
    try:
        notes = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise unusable(folder, f"it lacks {RUN_FILE}") from error
    except (OSError, ValueError) as error:
        raise unusable(folder, f"its {RUN_FILE} cannot be read ({error})") from error
    if not isinstance(notes, dict) or notes.get("kind") != KIND:
        raise unusable(folder, f"its {RUN_FILE} is not one of {KIND!r}")
    known = (1, FORMAT, WITHOUT_BEATS)
    if notes.get("format") not in known:
        expected = f"{', '.join(map(str, known[:-1]))} or {known[-1]}"
        msg = f"run {str(folder)!r} has format {notes.get('format')!r}, expected {expected}"
        raise RunError(msg + "; use the version of ectopy that wrote it")
    digests = ["predictions_sha256"]
    if notes["format"] == WITHOUT_BEATS or "beats_sha256" in notes:
        digests.append("beats_sha256")
    for key, types in (TYPES | dict.fromkeys(digests, (str,))).items():
        if key not in notes:
            raise unusable(folder, f"its {RUN_FILE} lacks {key!r}")
        if not isinstance(notes[key], types) or isinstance(notes[key], bool):
            raise unusable(folder, f"its {RUN_FILE} has {key} = {notes[key]!r}")
    if notes.get("class_order") != list(CLASSES):
        reason = f"its classes are {notes.get('class_order')}, expected {list(CLASSES)}"
        raise unusable(folder, reason)
    if not all(isinstance(row, dict) for row in notes["epochs"]):
        raise unusable(folder, f"the epochs in its {RUN_FILE} are no rows")
    if not 0 < notes["temperature"] < math.inf:
        raise unusable(folder, f"its {RUN_FILE} has temperature = {notes['temperature']!r}")
    return notes


def unusable(folder: Path, reason: str, cure: str = "write its predictions again") -> RunError:
    """Say why a run cannot be used and what to do."""
    return RunError(f"run {str(folder)!r} cannot be used: {reason}; {cure}")


def check_not_in_the_way(folder: Path) -> None:
    """Refuse to write over a training run's own run.json, without which it cannot be resumed.

    Raises
    ------
    OutputError
        If such a file is in the folder.
    """
    path = folder / RUN_FILE
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if not isinstance(notes, dict) or notes.get("kind") != KIND:
        msg = (
            f"{str(path)!r} is another kind of file; save the predictions in a folder of their own"
        )
        raise OutputError(msg)
