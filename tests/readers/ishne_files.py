"""Holter files of the ISHNE written field by field, also ones that no recorder would write."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

N_SAMPLES = 500

# Where the standard puts the fields that tests change: offset and type.
FIELDS = {
    "checksum": (8, "<H"),
    "variable_bytes": (10, "<i"),
    "n_samples": (14, "<i"),
    "begin": (22, "<i"),
    "date": (138, "<3h"),
    "time": (150, "<3h"),
    "n_leads": (156, "<h"),
    "codes": (158, "<12h"),
    "qualities": (182, "<12h"),
    "resolutions": (206, "<12h"),
    "recorder": (232, "40s"),
    "fs": (272, "<h"),
}


def digital(n_leads: int, n_samples: int = N_SAMPLES, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(-32767, 32768, (n_samples, n_leads)).astype("<i2")


def change(path: Path, **changes: object) -> Path:
    content = bytearray(path.read_bytes())
    for name, value in changes.items():
        offset, form = FIELDS[name]
        values = value if isinstance(value, (list, tuple)) else [value]
        struct.pack_into(form, content, offset, *values)
    path.write_bytes(bytes(content))
    return path


def write(path: Path, values: np.ndarray, variable: bytes = b"", **changes: object) -> Path:
    """Write a file field by field, with a name and a number of a patient in it."""
    n_leads = values.shape[1]
    header = bytearray(522)
    header[:8] = b"ISHNE1.0"
    header[28:40], header[68:80], header[108:118] = b"Erika-Maria ", b"Mustermann  ", b"PID-998877"
    path.write_bytes(bytes(header) + variable + values.astype("<i2").tobytes())
    absent = [-9] * (12 - n_leads)
    defaults = {
        "variable_bytes": len(variable),
        "n_samples": len(values),
        "begin": 522 + len(variable),
        "date": (24, 12, 2019),
        "time": (8, 15, 30),
        "n_leads": n_leads,
        "codes": [*range(5, 5 + n_leads), *absent],
        "qualities": [1] * n_leads + absent,
        "resolutions": [2500] * n_leads + absent,
        "recorder": b"digital H12+",
        "fs": 200,
    }
    return change(path, **(defaults | changes))
