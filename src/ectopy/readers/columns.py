"""Which columns of a table are leads, which is the time, and in what unit they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Literal

from ectopy.errors import LeadNotFound, RecordingError
from ectopy.readers.times import is_count_name, is_time_name, words
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kind = Literal["number", "time", "date", "text", "empty"]

_BRACKETS = re.compile(r"^(?P<name>.*?)[\s_:,/-]*[\[({](?P<unit>[^\])}]*)[\])}]\s*$")
_SUFFIX = re.compile(r"^(?P<name>.*?)[\s_:,/-]+(?P<unit>mv|[u\u00b5\u03bc]v)$", re.IGNORECASE)
# Units in brackets that are none of voltage; what else stands in brackets belongs to the name.
_OTHER_UNITS = {
    "bpm", "1/min", "/min", "rpm", "mmhg", "kpa", "cmh2o", "%", "s", "sec", "seconds", "ms", "us",
    "min", "h", "hz", "\u00b0c", "c", "g", "mg", "m/s2", "m/s^2", "m/s\u00b2", "ohm", "kohm",
    "lux", "deg", "deg/s", "l/min", "l", "ml", "ns", "\u00b5s", "\u03bcs",
}  # fmt: skip
_LEAD = re.compile(
    r"(?:i{1,3}|av[rlf]|-avr|[vm]\d{1,2}r?|mlii|mli|mliii|mv\d|mcl\d|cm\d|cc\d|cs\d|d[1-3]|[xyz]|"
    r"es|as|ai)",
    re.IGNORECASE,
)
_LEAD_WORDS = {
    "ecg", "ekg", "lead", "leads", "ableitung", "derivation", "channel", "ch", "kanal", "voltage",
    "signal", "amplitude", "spannung", "mv", "uv", "millivolt", "microvolt", "millivolts",
    "microvolts",
}  # fmt: skip
PATIENT_WORDS = {
    "name", "patient", "birth", "birthday", "dob", "born", "geburt", "geburtsdatum", "vorname",
    "nachname", "surname", "lastname", "firstname", "nom", "prenom", "pr\u00e9nom", "naissance",
    "nombre", "apellidos", "apellido", "nacimiento", "nome", "cognome", "nascita", "nascimento",
    "naam", "geboortedatum", "subject", "mrn", "ssn",
}  # fmt: skip
"""Words of columns and lines that may name the patient; they are never copied."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    label : str
        What the file calls it, as it stands there.
    kind : {"number", "time", "date", "text", "empty"}
        What its cells are; "time" is a time of day, with or without a date.
    unit : str, optional
        Unit that the file gives beside the label.
    """

    label: str
    kind: Kind
    unit: str | None = None

    @property
    def parts(self) -> tuple[str, str | None]:
        """Name without unit, and unit."""
        name, unit = split_label(self.label)
        return name, self.unit or unit

    @property
    def mv_per_unit(self) -> float | None:
        """Millivolts per unit; None where no unit of voltage is given."""
        unit = self.parts[1]
        return mv_per_unit(unit) if unit else None

    @property
    def is_patients(self) -> bool:
        """Whether it may name the patient."""
        return not PATIENT_WORDS.isdisjoint(words(self.label))

    @property
    def is_named_as_lead(self) -> bool:
        """Whether its name is that of an ECG lead and nothing else."""
        name = self.parts[0]
        return _LEAD.fullmatch(name) is not None or name.lower() in _LEAD_WORDS

    @property
    def looks_like_a_lead(self) -> bool:
        """Whether name or unit are those of an ECG lead."""
        name = self.parts[0]
        if self.mv_per_unit is not None:
            return True
        return _LEAD.fullmatch(name) is not None or not _LEAD_WORDS.isdisjoint(words(name))


def split_label(label: str) -> tuple[str, str | None]:
    """Part the label of a column into name and unit.

    Examples
    --------
    >>> split_label("II [mV]"), split_label("ecg_uV"), split_label("ECG (filtered)")
    (('II', 'mV'), ('ecg', 'uV'), ('ECG (filtered)', None))
    """
    label = label.strip()
    if mv_per_unit(label) is not None and label.lower() not in ("v", "volt", "volts"):
        return "", label
    found = _BRACKETS.match(label)
    if found:
        unit = found["unit"].strip()
        if mv_per_unit(unit) is not None or unit.lower() in _OTHER_UNITS:
            return found["name"].strip(), unit
    found = _SUFFIX.match(label)
    if found:
        return found["name"].strip(), found["unit"]
    return label, None


def find_time(
    columns: Sequence[Column], is_steady: Callable[[int], bool] | None = None
) -> int | None:
    """Find the column that holds the times, by what its cells are and by its name.

    Dates and clocks go before numbers, and times before numbers of samples.

    Parameters
    ----------
    columns : sequence of Column
        All of the table.
    is_steady : callable, optional
        Whether the cells of a column change from row to row. Where several columns are times, the
        first of those is taken: recorders also write when a packet of samples came.
    """
    if len(columns) < 2:
        return None
    # A first column without a name is the index that pandas writes, where others have names.
    named = any(column.label for column in columns)
    numbers = [
        (n, c)
        for n, c in enumerate(columns)
        if c.kind == "number" and (c.label or (n == 0 and named)) and not c.looks_like_a_lead
    ]
    found = [number for number, column in enumerate(columns) if column.kind == "time"]
    found += [number for number, column in numbers if _is_time(column)]
    found += [number for number, column in numbers if is_count_name(column.label)]
    if is_steady is not None and len(found) > 1:
        found = [number for number in found if is_steady(number)] or found
    return found[0] if found else None


def _is_time(column: Column) -> bool:
    name, unit = column.parts
    return is_time_name(name) or (unit is not None and unit.lower() in ("s", "ms", "us", "ns"))


def choose_leads(
    file: str,
    columns: Sequence[Column],
    wanted: Sequence[str | int] | str | int | None,
    time: int | None,
) -> list[int]:
    """Numbers of the columns that are leads.

    Where any column is called like an ECG lead, or has a unit of voltage, only such columns are
    taken; else all columns of numbers but those of other units.

    Parameters
    ----------
    file : str
        For messages.
    columns : sequence of Column
        All of the table.
    wanted : sequence of str or int, optional
        Names, with or without unit and in any case, or numbers from 0, of columns to take.
    time : int, optional
        The column of times.

    Raises
    ------
    LeadNotFound
        If there is no such column.
    RecordingError
        If a column that is asked for holds no numbers, or there is none to take.
    """
    if wanted is not None:
        listed = [wanted] if isinstance(wanted, (str, int)) else list(wanted)
        chosen = [_number_of(file, columns, one) for one in listed]
        if not chosen or len(set(chosen)) < len(chosen):
            msg = f"{file}: columns {listed!r} name none, or one twice; name each lead once"
            raise RecordingError(msg)
        for number in chosen:
            if columns[number].kind not in ("number", "empty"):
                msg = f"{file}: column {number} holds no numbers; choose one that does"
                raise RecordingError(msg)
        return chosen
    numbers = [n for n, c in enumerate(columns) if n != time and _may_be_lead(c)]
    leads = [n for n in numbers if columns[n].looks_like_a_lead] or numbers
    if not leads:
        msg = f"{file} has no column of numbers that may be an ECG lead; name one with --column"
        raise RecordingError(msg)
    return leads


def _may_be_lead(column: Column) -> bool:
    # A lead may be missing for as long as anybody looks.
    numbers = column.kind == "number" or (column.kind == "empty" and column.looks_like_a_lead)
    return numbers and not column.is_patients and not _is_other(column)


def _is_other(column: Column) -> bool:
    """Whether it measures something else, or counts samples."""
    name, unit = column.parts
    if unit is not None and mv_per_unit(unit) is None:
        return True
    named = bool(column.label) and not column.looks_like_a_lead
    return named and (is_time_name(name) or is_count_name(name))


def _number_of(file: str, columns: Sequence[Column], wanted: str | int) -> int:
    """Find a column by number or name."""
    if isinstance(wanted, str):
        low = wanted.strip().lower()
        for names in ([c.label for c in columns], [c.parts[0] for c in columns]):
            lowered = [" ".join(name.lower().split()) for name in names]
            if low in lowered and low:
                return lowered.index(low)
        if not low.isdecimal():
            known = ", ".join(c.label for c in columns if c.label and not c.is_patients)
            msg = f"{file} has no column {wanted!r}; it has: {known or 'no names, only numbers'}"
            raise LeadNotFound(msg)
        wanted = int(low)
    # Numbers that NumPy made are numbers, too.
    is_number = isinstance(wanted, Integral) and not isinstance(wanted, bool)
    if not is_number or not 0 <= wanted < len(columns):
        msg = f"{file} has no column {wanted!r}; its columns are 0 to {len(columns) - 1}"
        raise LeadNotFound(msg)
    return int(wanted)
