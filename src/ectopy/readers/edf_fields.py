"""Fields of EDF and BDF headers: text of a fixed width, and the numbers that it spells."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError
from ectopy.readers.disk import one_line

if TYPE_CHECKING:
    from pathlib import Path

_WHOLE = re.compile(r"[-+]?\d{1,8}(?:\.0*)?")
DECIMAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")


def number(path: Path, what: str, field: bytes, least: int) -> int:
    """Whole number of a field, which is at least so much.

    Raises
    ------
    RecordingError
        If it is none.
    """
    said = text(field)
    value = whole(said)
    if value is None or value < least:
        msg = f"{path.name}: {said!r} is no {what}; expected a whole number of at least {least}"
        raise RecordingError(msg + ", get the file again")
    return value


def whole(said: str) -> int | None:
    """Whole number that a field says; None where it is none."""
    return int(said.split(".")[0]) if _WHOLE.fullmatch(said) else None


def decimal(said: str) -> float | None:
    """Decimal number that a field says; None where it is none, or has no end."""
    value = float(said) if DECIMAL.fullmatch(said) else float("nan")
    return value if isfinite(value) else None


def text(field: bytes) -> str:
    """Text of a field: ASCII, or what writers put in its place, in one line."""
    try:
        said = field.decode("utf-8")
    except UnicodeDecodeError:
        said = field.decode("latin-1")
    return one_line(said)
