"""What the lines before a table say: sampling frequency, unit, lead, start and device.

Facts are known by the look of their values and not by the words before them, because phones write
those in the language of their owner. Nothing else of these lines is kept: they also hold name and
birth date of the patient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ectopy.readers.clock import offset_text
from ectopy.readers.columns import PATIENT_WORDS
from ectopy.readers.times import words
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMENT = re.compile(r"[ \t]*(?:#|%|//)")
"""How a line of comment begins."""

_SEPARATORS = ",;\t|:="
_NUMBER = r"[+]?(?P<number>\d+(?:[.,]\d+)?)"
# Hertz in the scripts of the languages that phones speak.
_HERTZ = re.compile(
    _NUMBER
    + r"\s*(?P<kilo>k?)(?:hz|hertz|herc|samples?\s*(?:/|per)\s*s|\u0433\u0435\u0440\u0446|\u8d6b"
    r"|\u30d8\u30eb\u30c4|\ud5e4\ub974\uce20|\u0647\u0631\u062a\u0632|\u05d4\u05e8\u05e5"
    r"|\u03c7\u03b5\u03c1\u03c4\u03b6)\S*",
    re.IGNORECASE,
)
_PLAIN = re.compile(_NUMBER + "(?P<kilo>)")
_SAMPLING = re.compile("sampl|abtast|chantillon|muestr|campion|amostr|bemonster", re.IGNORECASE)
_RATE = re.compile("rate|freq|fr\u00e9q|hz|tasa|taux|taxa", re.IGNORECASE)
_RATE_KEYS = {"fs", "sfreq", "freq", "frequency", "rate", "hz"}
_NO_RATE = re.compile("filt|notch|pass|band|cut|mains|netz|heart|herz|puls", re.IGNORECASE)
_LONGEST_LINE = 1000  # characters of a line that says something
_FASTEST = 1e6  # Hz

_STAMP = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,6})\d*)?"
    r"\s*(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_LEAD_VALUE = re.compile(
    r"[^\W\d_]+[ \u00a0]+(?P<lead>I{1,3}|aV[RLF]|V\d)|(?P<bare>II|III|MLII|aV[RLF]|V[1-9])"
)
_MODEL = re.compile(r"[A-Za-z]+\d+,\d+")  # Watch6,1; a device's own name may hold its owner's
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass
class Facts:
    """What lines before a table say of the recording.

    Attributes
    ----------
    fs : float, optional
        Sampling frequency in Hz.
    unit : str, optional
        A unit of voltage.
    lead : str, optional
        Name of the only lead.
    start : datetime, optional
        Wall-clock time of the first sample, without a zone.
    notes : mapping of str to str
        Device, software version and offset from UTC.
    lines : set of int
        Indices of the lines that said something.
    """

    fs: float | None = None
    unit: str | None = None
    lead: str | None = None
    start: datetime | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)

    @property
    def is_export(self) -> bool:
        """Whether the lines are those of a recorder's export of one lead."""
        return self.fs is not None and self.unit is not None


def read_facts(lines: Sequence[str]) -> Facts:
    """Read the lines before a table, comments among them.

    Examples
    --------
    >>> facts = read_facts(["Name,Jane Doe", 'Abtastrate,"512,5 Hertz"', "Einheit,uV"])
    >>> facts.fs, facts.unit, facts.notes
    (512.5, 'uV', {})
    """
    facts = Facts()
    notes: dict[str, str] = {}
    rates: list[tuple[bool, float]] = []
    units: list[str] = []
    for number, line in enumerate(lines):
        if len(line) > _LONGEST_LINE:
            continue
        key, value = _parted(line)
        if not value or not PATIENT_WORDS.isdisjoint(words(key)):
            continue
        before = len(rates), len(units), len(notes), facts.lead, facts.start
        rate = _rate(key, value)
        if rate is not None:
            rates.append(rate)
        elif mv_per_unit(value) is not None:
            units.append(value)
        elif stamp := _STAMP.fullmatch(value):
            _keep_start(facts, notes, stamp)
        elif lead := _LEAD_VALUE.fullmatch(value):
            facts.lead = lead["lead"] or lead["bare"]
        elif _MODEL.fullmatch(value):
            notes["device"] = value
        elif _VERSION.fullmatch(value) and "versi" in key.lower():
            notes["software"] = value
        if (len(rates), len(units), len(notes), facts.lead, facts.start) != before:
            facts.lines.add(number)
    sure = {fs for named, fs in rates if named} or {fs for _, fs in rates}
    facts.fs = sure.pop() if len(sure) == 1 else None
    facts.unit = units[0] if units and len({mv_per_unit(unit) for unit in units}) == 1 else None
    facts.notes = notes
    return facts


def _parted(line: str) -> tuple[str, str]:
    """Key and value of a line: what is before the first separator, and after it."""
    mark = COMMENT.match(line)
    text = (line[mark.end() :] if mark else line).strip()
    quoted = False
    for place, char in enumerate(text):
        quoted ^= char == '"'
        if char in _SEPARATORS and not quoted:
            value = text[place + 1 :].strip().strip("=").rstrip(",;\t").strip()
            return text[:place].strip().strip('"'), value.strip('"').strip()
    return "", ""


def _rate(key: str, value: str) -> tuple[bool, float] | None:
    """Tell the sampling frequency of a line, and whether its key says so, or None."""
    if _NO_RATE.search(key):
        return None
    named = not _RATE_KEYS.isdisjoint(words(key)) or (
        _SAMPLING.search(key) is not None and _RATE.search(key) is not None
    )
    found = _HERTZ.fullmatch(value) or (_PLAIN.fullmatch(value) if named else None)
    if found is None:
        return None
    fs = float(found["number"].replace(",", ".")) * (1000 if found["kilo"] else 1)
    # Without a word for sampling it may be a filter, such as one of 50 Hz.
    return (named, fs) if 0 < fs < _FASTEST and (named or fs >= 100) else None


def _keep_start(facts: Facts, notes: dict[str, str], stamp: re.Match[str]) -> None:
    """Keep the latest date-time: a recording comes after everything else of a patient."""
    try:
        start = datetime.fromisoformat(stamp["time"])
    except ValueError:
        return
    start = start.replace(microsecond=int((stamp["part"] or "").ljust(6, "0")))
    if facts.start is None or start > facts.start:
        facts.start = start
        notes.pop("utc offset", None)
        if stamp["zone"]:
            notes["utc offset"] = offset_text(stamp["zone"])
