"""Values of an annotated ECG: numbers, times, and codes of leads."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ectopy.readers.strips import Moment

LEAD_CODE = "MDC_ECG_LEAD_"
"""How the code of a lead begins."""

_STAMP = re.compile(r"(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6})\d*)?([+-]\d{4})?")


def is_number(word: str) -> bool:
    """Whether a word is a number, as XML spells them."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word  # which Python takes for a separator of thousands


def lead_name(code: str) -> str:
    """Name of a lead as it is written: `MDC_ECG_LEAD_AVR` is aVR.

    Examples
    --------
    >>> lead_name("MDC_ECG_LEAD_AVR"), lead_name("MDC_ECG_LEAD_V1")
    ('aVR', 'V1')
    """
    name = code.removeprefix(LEAD_CODE)
    return f"a{name[1:]}" if name in ("AVR", "AVL", "AVF") else name


def moment(stamp: str) -> Moment | None:
    """Time on the clock of a time stamp of HL7, such as 20021122091000.000-0500."""
    found = _STAMP.fullmatch(stamp.strip())
    if found is None:
        return None
    day, hour, minute, second, part, zone = found.groups()
    try:
        wall = datetime.fromisoformat(day).replace(
            hour=int(hour or 0),
            minute=int(minute or 0),
            second=int(second or 0),
            microsecond=int((part or "").ljust(6, "0")),
        )
    except ValueError:
        return None
    if zone is None:
        return Moment(wall)
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return Moment(wall, -ahead if zone[0] == "-" else ahead)
