"""EDF files written field by field, also ones that no library would write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIGNAL_FIELDS = [
    ("label", 16),
    ("transducer", 80),
    ("unit", 8),
    ("physical_min", 8),
    ("physical_max", 8),
    ("digital_min", 8),
    ("digital_max", 8),
    ("prefilter", 80),
    ("n_samples", 8),
    ("reserved", 32),
]
DEFAULTS = {
    "label": "ECG II",
    "unit": "mV",
    "physical_min": "-3.2768",
    "physical_max": "3.2767",
    "digital_min": "-32768",
    "digital_max": "32767",
    "n_samples": "100",
}


def field(value: object, width: int) -> bytes:
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1")
    assert len(raw) <= width, value
    return raw.ljust(width)


def header(signals: list[dict[str, object]], **changes: object) -> bytes:
    fields = {
        "version": "0",
        "patient": "MCH-0234567 F 02-MAY-1951 Haagse_Harry",
        "recording": "Startdate 02-MAR-2002 PSG-1234/2002 NN Telemetry03",
        "date": "17.04.01",
        "time": "11.25.09",
        "n_bytes": 256 * (len(signals) + 1),
        "reserved": "",
        "n_records": 3,
        "record_s": 1,
        "n_signals": len(signals),
    } | changes
    widths = [8, 80, 80, 8, 8, 8, 44, 8, 8, 4]
    fixed = b"".join(field(v, w) for v, w in zip(fields.values(), widths, strict=True))
    described = [
        b"".join(field((DEFAULTS | signal).get(name, ""), width) for signal in signals)
        for name, width in SIGNAL_FIELDS
    ]
    return fixed + b"".join(described)


def samples(signals: list[dict[str, object]], n_records: int, seed: int = 0) -> list[np.ndarray]:
    """Random digital values of each signal; shape (records, samples in a record)."""
    random = np.random.default_rng(seed)
    counts = [int(str((DEFAULTS | signal)["n_samples"])) for signal in signals]
    return [random.integers(-30000, 30000, (n_records, n)).astype("<i2") for n in counts]


def onsets(times_s: list[float], n_samples: int = 20) -> np.ndarray:
    """Samples of an annotation signal that says when each data record begins."""
    rows = [f"+{t:g}\x14\x14\0".encode().ljust(2 * n_samples, b"\0") for t in times_s]
    return np.frombuffer(b"".join(rows), dtype="<i2").reshape(len(times_s), n_samples)


def annotations(n_samples: int = 20) -> dict[str, object]:
    return {
        "label": "EDF Annotations",
        "unit": "",
        "physical_min": -1,
        "physical_max": 1,
        "n_samples": n_samples,
    }


def write_edf(
    path: Path,
    signals: list[dict[str, object]],
    values: list[np.ndarray] | None = None,
    **changes: object,
) -> list[np.ndarray]:
    """Write a file, and return the digital values of each signal."""
    n_records = changes.get("n_records", 3)
    values = values or samples(signals, 3 if n_records == -1 else int(str(n_records)))
    records = np.concatenate(values, axis=1).astype("<i2")
    path.write_bytes(header(signals, **changes) + records.tobytes())
    return [own.reshape(-1) for own in values]
