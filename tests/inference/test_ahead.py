"""Work on parts, in threads, no further ahead than need be."""

from __future__ import annotations

import threading
import time

import pytest

from ectopy.inference.ahead import work_ahead


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads):
    def work(part: int) -> int:
        time.sleep(0.002 * (part % 3))
        return part * part

    assert list(work_ahead(work, range(20), threads)) == [part * part for part in range(20)]


def test_nothing_is_worked_on_far_ahead():
    begun: list[int] = []
    lock = threading.Lock()

    def work(part: int) -> int:
        with lock:
            begun.append(part)
        return part

    for result in work_ahead(work, range(50), 2):
        time.sleep(0.002)
        assert len(begun) <= result + 4


def test_what_is_raised_is_raised_and_the_rest_left():
    begun: list[int] = []

    def work(part: int) -> int:
        begun.append(part)
        if part == 3:
            msg = "no"
            raise ValueError(msg)
        return part

    with pytest.raises(ValueError, match="no"):
        list(work_ahead(work, range(100), 2))
    assert len(begun) < 10
