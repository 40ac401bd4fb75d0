"""Numbers as text, as tables, cards and messages have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def number(value: float | None, digits: int = 4, *, signed: bool = False) -> str:
    """Print a number, or a dash where there is none.

    Examples
    --------
    >>> number(0.93756), number(None), number(0.01, signed=True)
    ('0.9376', '-', '+0.0100')
    """
    if value is None:
        return "-"
    rounded = round(value, digits) or 0.0  # no minus before a zero
    return f"{rounded:{'+' if signed else ''}.{digits}f}"


def percent(share: float | None, digits: int = 2) -> str:
    """Print a share in percent, without the sign, or a dash where there is none.

    Examples
    --------
    >>> percent(0.98765), percent(1, 0), percent(None)
    ('98.77', '100', '-')
    """
    return number(None if share is None else 100 * share, digits)


def p_text(p: float | None) -> str:
    """Print a p value; what rounds to 0 is called smaller than the last digit.

    Examples
    --------
    >>> p_text(0.0312), p_text(0.0001), p_text(None)
    ('0.031', '< 0.001', '-')
    """
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def with_spread(one: Mapping[str, float | None], digits: int = 4, *, interval: bool = True) -> str:
    """Print mean, standard deviation over seeds, and interval, as far as they are known.

    Examples
    --------
    >>> with_spread({"mean": 0.9, "sd": 0.01, "low": 0.88, "high": 0.92}, 2)
    '0.90 ± 0.01 [0.88, 0.92]'
    >>> with_spread({"mean": 0.9, "sd": None}, 2)
    '0.90'
    """
    text = number(one["mean"], digits)
    if one.get("sd") is not None:
        text += f" ± {number(one['sd'], digits)}"
    if interval and one.get("low") is not None:
        text += f" [{number(one['low'], digits)}, {number(one['high'], digits)}]"
    return text


def percent_with_spread(one: Mapping[str, float | None], digits: int = 2) -> str:
    """Print shares in percent as `with_spread` prints numbers.

    Examples
    --------
    >>> percent_with_spread({"mean": 0.9, "sd": 0.01}, 1)
    '90.0 ± 1.0'
    """
    return with_spread({k: None if v is None else 100 * v for k, v in one.items()}, digits)
