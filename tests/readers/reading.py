"""What holds for every reader that reads part by part."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ectopy.readers.source import Source


def check_memory(opened: Callable[[], Source], n_leads: int, middle: int | None = None) -> None:
    """Opening a long file and reading little of it takes little; reading much, what it has to."""
    opened().read(0, 10)
    tracemalloc.start()
    try:
        source = opened()
        first = source.n_samples // 2 if middle is None else middle
        assert source.read(first, first + 3600).shape == (3600, n_leads)
        assert tracemalloc.get_traced_memory()[1] < 500_000
        tracemalloc.reset_peak()
        part = source.read(0, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < part.nbytes + 40 * 200_000
    finally:
        tracemalloc.stop()
