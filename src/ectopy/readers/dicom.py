"""Read the ECG of DICOM waveform files, part by part.

The files are those of DICOM PS3.3, A.34: 12-lead, general and ambulatory ECG, hemodynamic and
electrophysiologic waveforms. What names the patient is not looked at.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.dicom_groups import PREAMBLE_BYTES, read_waveforms
from ectopy.readers.disk import existing_file, first_bytes
from ectopy.readers.ecg_labels import lead_name, pick_ecg
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.frames import Channel, FrameSource
from ectopy.readers.limits import MAX_FS
from ectopy.readers.source import unique_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from ectopy.readers.dicom_groups import Group, Waveforms

# Storage classes of ECG (12-lead, general, ambulatory, 32 bits) and hemodynamic waveforms, in which
# a voltage without a telling label is an ECG lead.
_ECG_CLASSES = ("1.2.840.10008.5.1.4.1.1.9.1.", "1.2.840.10008.5.1.4.1.1.9.2.")

_DATE_TIME = re.compile(r"(\d{14})(\.\d{1,6})?")
_SHOWN = 6


def is_dicom(path: str | PathLike[str]) -> bool:
    """Whether a file is DICOM, told by its preamble and not by its name.

    Parameters
    ----------
    path : path

    Returns
    -------
    bool
        True for images and reports too, which `open_dicom` refuses. False as well where there is no
        such file, or it cannot be read.
    """
    begin = first_bytes(path, PREAMBLE_BYTES + 2)
    # Behind the mark, which other files may hold there by chance, come elements of group 0002.
    return begin[PREAMBLE_BYTES - 4 :] in (b"DICM\2\0", b"DICM\2", b"DICM")


def open_dicom(path: str | PathLike[str]) -> FrameSource:
    """Open the ECG of a DICOM waveform file, to read parts of it.

    Of several multiplex groups it is the longest that has ECG leads: the rhythm, not the median
    beat. ECG leads are channels in mV, uV or V whose source is coded as one or whose label says so;
    others are left out. Leads have the names of their codes, or else of their labels; of several
    with one name the second becomes `II-2`, and so on. Samples of the padding value are missing.

    Parameters
    ----------
    path : path
        The file, with any suffix.

    Returns
    -------
    FrameSource

    Raises
    ------
    MissingExtra
        If pydicom is not installed.
    RecordingError
        If there is no such file, it is damaged, promises more than it holds, or has no ECG lead.
    UnsupportedFormat
        If it is another kind of file, or encoded in a way that is not read.

    Examples
    --------
    >>> source = open_dicom("ecg.dcm")  # doctest: +SKIP
    >>> source.read(0, 5000, [1]).shape  # doctest: +SKIP
    (5000, 1)
    """
    with clear_errors(path):
        found = existing_file(path)
        if not is_dicom(found):
            with found.open("rb") as stream:
                begin = stream.read(8)
            msg = (
                f"{found} is no DICOM file: it begins with {begin!r}; expected 'DICM' behind 128 "
                "bytes, export it as a DICOM waveform"
            )
            raise UnsupportedFormat(msg)
        waveforms = read_waveforms(found)
        group, chosen = _rhythm(found, waveforms)
        _check(found, group, found.stat().st_size)
    names = unique_names([lead_name(group.channels[place].label) for place in chosen])
    missing = _missing_value(group)
    return FrameSource(
        name=found.stem,
        fs=group.fs,
        leads=names,
        n_samples=group.n_samples,
        start=_start(waveforms.facts["AcquisitionDateTime"], group.offset_s),
        notes=_notes(waveforms, group, chosen),
        path=found,
        begin=group.begin,
        frame_values=group.n_channels,
        dtype=group.dtype,
        channels=tuple(
            Channel(place, *_scale(found, group, place, name), missing)
            for place, name in zip(chosen, names, strict=True)
        ),
    )


def _rhythm(path: Path, waveforms: Waveforms) -> tuple[Group, list[int]]:
    """Longest group with ECG leads, and the places of these."""
    if not waveforms.groups:
        msg = f"{path.name} holds no waveform; expected a DICOM ECG, choose the file of the ECG"
        raise RecordingError(msg)
    guess = waveforms.facts["SOPClassUID"].startswith(_ECG_CLASSES)
    found = [(group, _ecg_channels(group, guess)) for group in waveforms.groups]
    with_ecg = [(group, places) for group, places in found if places]
    if not with_ecg:
        channels = [channel for group in waveforms.groups for channel in group.channels]
        has = ", ".join(f"{c.label!r} in {c.unit or 'no unit'}" for c in channels[:_SHOWN])
        if len(channels) > _SHOWN:
            has += f" and {len(channels) - _SHOWN} more"
        msg = (
            f"{path.name} holds no ECG lead: it has {has or 'no channels'}; "
            "expected a channel in mV, uV or V whose source is an ECG lead"
        )
        raise RecordingError(msg)
    # The first of equally long ones; a group whose length cannot be told is refused, not passed by.
    return max(with_ecg, key=lambda pair: _length_s(pair[0]))


def _length_s(group: Group) -> float:
    known = group.n_samples > 0 and group.fs > 0
    return group.n_samples / group.fs if known else float("inf")


def _ecg_channels(group: Group, guess: bool) -> list[int]:
    """Places of the ECG leads among the channels of a group."""
    voltages = [place for place, channel in enumerate(group.channels) if channel.is_voltage]
    coded = {place for place in voltages if group.channels[place].coded}
    labels = [group.channels[place].label for place in voltages]
    named = {voltages[index] for index in pick_ecg(labels, guess=guess and not coded)}
    return sorted(coded | named)


def _check(path: Path, group: Group, size: int) -> None:
    """Refuse a group that cannot be, or that the file does not hold."""
    wrong = ""
    if not 0 < group.fs <= MAX_FS:
        wrong = f"a sampling frequency of {group.fs:g} Hz; expected more than 0, to {MAX_FS:g} Hz"
    elif group.n_samples < 1:
        wrong = f"{max(group.n_samples, 0)} samples; expected at least 1"
    elif group.n_channels != len(group.channels):
        wrong = f"{max(group.n_channels, 0)} channels, but describes {len(group.channels)}"
    if wrong:
        raise RecordingError(f"{path.name} says that its ECG has {wrong}; get the file again")
    if not group.dtype or (group.dtype == ">i1" or group.dtype == ">u1"):
        msg = (
            f"{path.name} stores its samples as {group.coding}, which is not read; convert it to "
            "Explicit VR Little Endian and whole numbers of 8, 16 or 32 bits"
        )
        raise UnsupportedFormat(msg)
    needed = group.n_samples * group.n_channels * np.dtype(group.dtype).itemsize
    held = min(group.n_bytes, max(0, size - group.begin))
    if needed > held:
        msg = (
            f"{path.name} is cut short: it holds {held} bytes of samples, but promises "
            f"{group.n_samples} samples of {group.n_channels} channels in {needed}; "
            "get the file again"
        )
        raise RecordingError(msg)


def _scale(path: Path, group: Group, place: int, name: str) -> tuple[float, float]:
    channel = group.channels[place]
    if channel.scale is None:
        msg = (
            f"{path.name} gives lead {name!r} a sensitivity of {channel.sensitivity:g} "
            f"{channel.unit}, a correction factor of {channel.correction:g} and a baseline of "
            f"{channel.baseline:g}; expected numbers, the first two other than 0, correct the file"
        )
        raise RecordingError(msg)
    return channel.scale


def _missing_value(group: Group) -> int | None:
    dtype = np.dtype(group.dtype)
    if len(group.padding) < dtype.itemsize:
        return None
    return int(np.frombuffer(group.padding[: dtype.itemsize], dtype)[0])


def _start(text: str, offset_s: float) -> datetime | None:
    """When the group starts, by the clock of the place; None where the file does not say."""
    found = _DATE_TIME.match(text)
    if found is None:
        return None
    try:
        seconds = float(found[2] or 0) + offset_s
        return datetime.strptime(found[1], "%Y%m%d%H%M%S") + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _notes(waveforms: Waveforms, group: Group, chosen: Sequence[int]) -> dict[str, str]:
    """Name the recorder, and say what was left out."""
    notes = {}
    maker, model = waveforms.facts["Manufacturer"], waveforms.facts["ManufacturerModelName"]
    device = " ".join(f"{maker} {model}".split())
    if device:
        notes["device"] = device
    left_out = [
        f"{channel.label or place + 1} ({'no ECG' if channel.is_voltage else 'no voltage'})"
        for place, channel in enumerate(group.channels)
        if place not in chosen
    ]
    if left_out:
        notes["left out"] = ", ".join(left_out)
    others = [
        f"{other.label or 'without a name'} ({other.n_samples} samples at {other.fs:g} Hz)"
        for other in waveforms.groups
        if other is not group
    ]
    if others:
        notes["other groups"] = ", ".join(others)
    return notes
