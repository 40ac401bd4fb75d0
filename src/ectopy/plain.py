"""Data as strict JSON can hold it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any, decimals: int | None = None) -> Any:
    """Turn data into what strict JSON can hold; what is not finite becomes None.

    Parameters
    ----------
    value : object
        Mappings, lists, tuples, NumPy scalars, and what JSON has itself, in any depth.
    decimals : int, optional
        Decimals that fractions are rounded to.

    Examples
    --------
    >>> plain({"rate": np.float64("nan"), "runs": (1, 2.34567)}, decimals=3)
    {'rate': None, 'runs': [1, 2.346]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, decimals) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, decimals) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if decimals is None else round(value, decimals)
    return value
