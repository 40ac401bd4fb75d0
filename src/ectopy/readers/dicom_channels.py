"""Channels of DICOM waveforms: what they are called, and how their samples become millivolts.

A channel is an item of the Channel Definition Sequence of DICOM PS3.3, C.10.9. Its source is coded
after PS3.16, CID 3001: lead numbers of SCP-ECG (EN 1064), in the schemes MDC (ISO/IEEE 11073) and
SCPECG.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.readers.disk import one_line
from ectopy.readers.limits import MAX_MV
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataset import Dataset

# Lead numbers of EN 1064, of which ISO/IEEE 11073 takes over those below 256.
_LEADS = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR"}
_LEADS |= {number + 2: f"V{number}" for number in range(1, 8)} | {66: "V8", 67: "V9"}
_LEADS |= {number + 8: f"V{number}R" for number in range(2, 8)}
_LEADS |= {16: "X", 17: "Y", 18: "Z", 19: "CC5", 20: "CM5"}

_MDC_CODE = re.compile(r"2:(\d{1,3})")
_SCPECG_CODE = re.compile(r"5\.6\.3-9-(\d{1,3})")
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)\s*$")


@dataclass(frozen=True)
class DICOMChannel:
    """What the file says of one channel.

    Attributes
    ----------
    label : str
        Name of its lead where its source is coded as one, else how it is labelled; may be empty.
    coded : bool
        Whether its source is coded as an ECG lead.
    unit : str
        Of its sensitivity; may be empty.
    sensitivity, correction, baseline : float
        `digital * sensitivity * correction + baseline` is in `unit`; NaN where sensitivity is not
        given, or one is no number.
    """

    label: str
    coded: bool
    unit: str
    sensitivity: float
    correction: float
    baseline: float

    @property
    def is_voltage(self) -> bool:
        """Whether its unit is one of voltage."""
        return mv_per_unit(self.unit) is not None

    @property
    def scale(self) -> tuple[float, float] | None:
        """Gain and offset to millivolts; None where they are no usable numbers."""
        to_mv = mv_per_unit(self.unit) or 0.0
        gain = self.sensitivity * self.correction * to_mv
        offset = self.baseline * to_mv
        return (gain, offset) if 0 < abs(gain) <= MAX_MV and abs(offset) <= MAX_MV else None


def read_channels(definitions: Iterable[Dataset]) -> tuple[DICOMChannel, ...]:
    """Read the items of a Channel Definition Sequence, in their order."""
    return tuple(_channel(definition) for definition in definitions)


def _channel(definition: Dataset) -> DICOMChannel:
    source = next(iter(definition.get("ChannelSourceSequence") or ()), None)
    unit = next(iter(definition.get("ChannelSensitivityUnitsSequence") or ()), None)
    number = None if source is None else _lead_number(_text(source, "CodeValue"))
    meaning = "" if source is None else _text(source, "CodeMeaning")
    named = "" if number is None else _LEADS.get(number, "")
    label = named or _text(definition, "ChannelLabel") or _IN_BRACKETS.sub("", meaning)
    return DICOMChannel(
        label=label,
        coded=number is not None,
        unit="" if unit is None else _text(unit, "CodeValue"),
        sensitivity=_number(definition, "ChannelSensitivity", float("nan")),
        correction=_number(definition, "ChannelSensitivityCorrectionFactor", 1.0),
        baseline=_number(definition, "ChannelBaseline", 0.0),
    )


def _lead_number(code: str) -> int | None:
    """Lead number that a code means; None where it is the code of something else."""
    found = _MDC_CODE.fullmatch(code) or _SCPECG_CODE.fullmatch(code)
    return int(found[1]) if found and int(found[1]) < 256 else None


def _text(item: Dataset, keyword: str) -> str:
    return one_line(str(item.get(keyword) or ""))[:64]


def _number(item: Dataset, keyword: str, default: float) -> float:
    """Return a number, `default` where it is absent or empty, and NaN where it is none."""
    value = item.get(keyword)
    if value is None or value == "":
        return default
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
