"""What a report is made of: sections, and the blocks in them that the template knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading, which the table of contents leads to.

    Attributes
    ----------
    key : str
        Its anchor.
    title : str
    blocks : sequence
        Of the classes in this module.
    """

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    kind: str = "words"


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    points: Sequence[str]
    kind: str = "points"


@dataclass(frozen=True)
class Terms:
    """Terms, each with its mark, or nothing, and what it means."""

    terms: Sequence[tuple[str, Markup | str, str]]
    kind: str = "terms"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    caption : str
        What it shows.
    head : sequence of str
        Title of each column.
    rows : sequence of sequence of str
        Cells; the first one of each row names it.
    more : sequence of sequence of str
        Rows that unfold below.
    beyond : int
        Rows that are not listed.
    words : tuple of int
        Columns that hold words: all others are aligned as numbers.
    links : mapping of str to str
        Anchor that the first cell of a row leads to, by its text.
    quiet : bool
        Whether the caption is read out alone, since the heading says the same.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Markup]]
    more: Sequence[Sequence[str]] = ()
    beyond: int = 0
    words: tuple[int, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Chart:
    """A picture as wide as the page, and what to know when reading it."""

    picture: Markup
    caption: str
    kind: str = "chart"


@dataclass(frozen=True)
class Figure:
    """Strips that belong together, one below the other.

    Attributes
    ----------
    title : str
        What they show, in a few words.
    note : str
        Where in the recording, and numbers.
    strips : sequence of Markup
    key : str
        Anchor, or nothing.
    """

    title: str
    note: str
    strips: Sequence[Markup]
    key: str = ""


@dataclass(frozen=True)
class Strips:
    """Figures of strips under a heading of their own; short ones stand side by side."""

    title: str
    figures: Sequence[Figure]
    text: str = ""
    short: bool = False
    kind: str = "strips"


Block: TypeAlias = Words | Points | Terms | Table | Chart | Strips
