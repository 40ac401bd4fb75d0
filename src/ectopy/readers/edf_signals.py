"""Signals of EDF and BDF files, as headers describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError
from ectopy.readers.edf_fields import decimal, number, text, whole
from ectopy.readers.limits import MAX_MV
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from pathlib import Path

_SIGNAL_FIELDS = {
    "label": 16,
    "transducer": 80,
    "unit": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "prefilter": 80,
    "n_samples": 8,
    "reserved": 32,
}


@dataclass(frozen=True)
class EDFSignal:
    """What the header says of one signal; checked by `scale` only, as not every signal is read.

    Attributes
    ----------
    number : int
        Its place in the file, from 1 on.
    label, unit : str
        As they are in the file.
    ranges : tuple of str
        Physical minimum and maximum, digital minimum and maximum.
    n_samples : int
        Samples in a data record.
    first : int
        Place of the first of these in a data record, in samples.
    """

    number: int
    label: str
    unit: str
    ranges: tuple[str, str, str, str]
    n_samples: int
    first: int

    @property
    def is_annotation(self) -> bool:
        """Whether it holds times and texts in place of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")

    def scale(self, file: str) -> tuple[float, float]:
        """Gain and offset of its samples: `digital * gain + offset` is in millivolts.

        Raises
        ------
        RecordingError
            If its ranges are no numbers, or empty.
        """
        low, high = (decimal(said) for said in self.ranges[:2])
        digital_low, digital_high = (whole(said) for said in self.ranges[2:])
        to_mv = mv_per_unit(self.unit)
        if (
            low is not None
            and high is not None
            and digital_low is not None
            and digital_high is not None
            and to_mv is not None
            and low != high
            and max(abs(low), abs(high)) * to_mv <= MAX_MV
            and digital_low < digital_high
        ):
            gain = (high - low) / (digital_high - digital_low)
            return gain * to_mv, (low - gain * digital_low) * to_mv
        msg = (
            f"{file}: signal {self.label!r} has the range {' to '.join(self.ranges[:2])} "
            f"{self.unit} for digital values {' to '.join(self.ranges[2:])}; expected two "
            "different numbers and two ascending whole numbers, correct the header"
        )
        raise RecordingError(msg)


def read_signals(path: Path, described: bytes, n_signals: int) -> tuple[EDFSignal, ...]:
    """Read the part of a header that describes the signals.

    Parameters
    ----------
    path : Path
        For messages.
    described : bytes
        What comes behind the first `FIXED_BYTES` of a file.
    n_signals : int

    Raises
    ------
    RecordingError
        If a signal does not say how many samples it has in a data record.
    """
    columns, at = {}, 0
    for name, width in _SIGNAL_FIELDS.items():
        ends = range(at + width, at + width * n_signals + 1, width)
        columns[name] = [described[end - width : end] for end in ends]
        at += width * n_signals
    ranges = ("physical_min", "physical_max", "digital_min", "digital_max")
    signals, first = [], 0
    for i in range(n_signals):
        label = text(columns["label"][i])
        what = f"samples in a record of signal {i + 1} ({label!r})"
        n_samples = number(path, what, columns["n_samples"][i], 0)
        low, high, digital_low, digital_high = (text(columns[name][i]) for name in ranges)
        signal = EDFSignal(
            i + 1,
            label,
            text(columns["unit"][i]),
            (low, high, digital_low, digital_high),
            n_samples,
            first,
        )
        signals.append(signal)
        first += n_samples
    return tuple(signals)
