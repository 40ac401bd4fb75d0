"""Tables in Markdown, and numbers as they stand in them."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def table(rows: Iterable[Any], columns: Mapping[str, Callable[[Any], str]]) -> str:
    """Write rows as a table; the first column is text, all others are set to the right."""
    lines = [line(columns), line([":--", *["--:"] * (len(columns) - 1)])]
    lines += [line(cell(row) for cell in columns.values()) for row in rows]
    return "\n".join(lines)


def plain_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as a table, their keys as the heads."""
    keys = list(rows[0])
    return table(
        rows, {key.replace("_", " "): (lambda row, key=key: text(row[key])) for key in keys}
    )


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def text(value: Any) -> str:
    """A value of any kind as text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return significant(value) if isinstance(value, float) else str(value)


def significant(value: float | None, digits: int = 3) -> str:
    """Print a number with so many digits that count, thousands apart, never as a power of ten.

    Examples
    --------
    >>> significant(123456), significant(0.012345), significant(9.996), significant(None)
    ('123,456', '0.0123', '10.0', '-')
    """
    if value is None:
        return "-"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - floor(log10(abs(rounded))))
    return f"{value if decimals == 0 else rounded:,.{decimals}f}"


def duration(hours: float) -> str:
    """Length of a recording as text."""
    if hours < 1:
        return f"{60 * hours:g} min"
    return f"{hours:g} h" if hours < 48 else f"{hours / 24:g} days"
