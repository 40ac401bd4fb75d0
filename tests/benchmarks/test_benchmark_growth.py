"""How a quantity grows with the length of a recording, on numbers whose growth is known."""

from __future__ import annotations

import pytest
from growth import growth

HOURS = [0.5, 4, 24, 336]


def test_a_line_is_found_again():
    found = growth(HOURS, [0.9 + 0.2 * hours for hours in HOURS])
    assert found["fixed"] == pytest.approx(0.9)
    assert found["per_hour"] == pytest.approx(0.2)
    assert found["worst"] == pytest.approx(0, abs=1e-9)
    assert 0.9 < found["last_slope"] < 1  # the fixed part hardly counts any more
    assert found["slope"] < found["last_slope"]


@pytest.mark.parametrize("power", [0, 1, 1.5])
def test_a_power_is_found_again(power):
    found = growth(HOURS, [3 * hours**power for hours in HOURS])
    assert found["slope"] == pytest.approx(power)
    assert found["last_slope"] == pytest.approx(power)


def test_more_than_linear_growth_shows():
    found = growth(HOURS, [0.01 * hours**1.5 for hours in HOURS])
    assert found["worst"] > 0.2


def test_the_order_of_lengths_does_not_matter():
    values = [1.0, 2.0, 7.0, 80.0]
    assert growth(HOURS[::-1], values[::-1]) == pytest.approx(growth(HOURS, values))
