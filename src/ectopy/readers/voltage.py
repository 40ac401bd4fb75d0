"""Units of voltage, as files spell them."""

from __future__ import annotations

_MV_PER_UNIT = {
    "mv": 1.0,
    "millivolt": 1.0,
    "millivolts": 1.0,
    "v": 1e3,
    "volt": 1e3,
    "volts": 1e3,
    "uv": 1e-3,
    "\u00b5v": 1e-3,  # micro sign
    "\u03bcv": 1e-3,  # Greek mu
    "microvolt": 1e-3,
    "microvolts": 1e-3,
    "nv": 1e-6,
    "nanovolt": 1e-6,
    "nanovolts": 1e-6,
}


def mv_per_unit(unit: str) -> float | None:
    """Millivolts that one of a unit is; None where it is no unit of voltage.

    Examples
    --------
    >>> mv_per_unit("uV"), mv_per_unit("mmHg")
    (0.001, None)
    """
    return _MV_PER_UNIT.get(unit.strip().lower())
