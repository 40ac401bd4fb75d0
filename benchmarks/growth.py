"""How a quantity grows with the length of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def growth(hours: Sequence[float], values: Sequence[float]) -> dict[str, float]:
    """Fit a power and a straight line through measured values.

    Both fits weigh relative errors: otherwise the longest recording alone would decide, and
    nothing would be learned of the cost of starting.

    Parameters
    ----------
    hours : sequence of float
        Lengths of the recordings, at least two different ones.
    values : sequence of float
        What was measured at each: seconds, or MB.

    Returns
    -------
    dict of str to float
        ``slope``: of the logarithms over all lengths, 1 where twice as long takes twice as much;
        ``last_slope``: between the two longest, where the fixed part hardly counts;
        ``fixed`` and ``per_hour``: of the straight line; ``worst``: its largest relative error.
    """
    order = np.argsort(hours)
    x, y = np.asarray(hours, dtype=float)[order], np.asarray(values, dtype=float)[order]
    log_x, log_y = np.log(x), np.log(y)
    columns = np.stack([np.ones_like(x), x], axis=1) / y[:, None]
    (fixed, per_hour), *_ = np.linalg.lstsq(columns, np.ones_like(y), rcond=None)
    return {
        "slope": float(np.polyfit(log_x, log_y, 1)[0]),
        "last_slope": float((log_y[-1] - log_y[-2]) / (log_x[-1] - log_x[-2])),
        "fixed": float(fixed),
        "per_hour": float(per_hour),
        "worst": float(np.abs((fixed + per_hour * x) / y - 1).max()),
    }
