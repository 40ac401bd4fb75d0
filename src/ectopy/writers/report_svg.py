"""Pictures as inline SVG: text made safe, lines as short paths, dense grids as PNG."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup, escape

from ectopy.beats import CLASSES
from ectopy.writers.paper import CLASS_COLOURS, time_text

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import ArrayLike, NDArray

UNUSABLE_MARK, UNUSABLE_COLOUR = "\N{MULTIPLICATION SIGN}", "#8a8a8a"
LETTERS = (*CLASSES, UNUSABLE_MARK)
"""Letter of each class index; index -1, a beat that is not usable, has the last one."""

COLOURS = (*CLASS_COLOURS.values(), UNUSABLE_COLOUR)

UNITS_MM = 40
"""Path units in a millimetre: whole numbers of 0.025 mm are short, and finer than any printer."""

PASSES, TOLERANCE_MM = 3, 0.02
"""A line may lie this far from its samples, once a pass: together well below its own width."""

COLUMN_MM = 0.1
"""Of more than two points on so little of a line, which is wider, its ends are seen alone."""

# What XML cannot hold, and what a page should not: control characters and lone surrogates.
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    r"""Text with a replacement character for each that a page cannot hold.

    Examples
    --------
    >>> clean("a\x00b")
    'a�b'
    """
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True)
class Times:
    """How the times of one recording are read out.

    Attributes
    ----------
    start : datetime or None
        Wall-clock time of the first sample.
    duration_s : float
        Length of the recording in seconds.
    """

    start: datetime | None
    duration_s: float

    def clock(self, seconds: float) -> str:
        """Wall-clock time, with the date where the recording goes on to another day; or nothing."""
        if self.start is None:
            return ""
        when = self.start + timedelta(seconds=seconds)
        days = (self.start + timedelta(seconds=self.duration_s)).date() != self.start.date()
        return f"{when:%Y-%m-%d %H:%M:%S}" if days else f"{when:%H:%M:%S}"

    def both(self, seconds: float) -> str:
        """Time from the start, and the wall-clock time in brackets where it is known."""
        clock = self.clock(seconds)
        return f"{time_text(seconds)} ({clock})" if clock else time_text(seconds)


def coordinate(value: float) -> str:
    """Millimetres with at most two decimals.

    Examples
    --------
    >>> coordinate(12.0), coordinate(0.1 + 0.2)
    ('12', '0.3')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(
    x: float, y: float, content: str, *, size: float = 2.6, anchor: str = "", **more: str
) -> str:
    """One line of text at (x, y) in millimetres; `more` are attributes, `_` for `-` in names."""
    if anchor:
        more["text_anchor"] = anchor
    place = f'x="{coordinate(x)}" y="{coordinate(y)}" font-size="{size:g}"'
    return f"<text {place}{_attributes(more)}>{escape(clean(content))}</text>"


def path(d: str, *, scaled: bool = False, **more: str) -> str:
    """Give a path; `scaled` where it is in `UNITS_MM`."""
    if scaled:
        more["transform"] = f"scale({1 / UNITS_MM:g})"
    return f'<path d="{d}"{_attributes(more)}/>'


def _attributes(given: dict[str, str]) -> str:
    """Attributes of an element; the trailing `_` of `class_` goes, another one becomes `-`."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in given.items()
    )


def svg(width_mm: float, height_mm: float, title: str, parts: list[str], kind: str) -> Markup:
    """Put parts together to a picture of true size, with a title that is read out.

    Every text in `parts` comes from `text`, which makes it safe; nothing else is free text.
    """
    w, h = coordinate(width_mm), coordinate(height_mm)
    body = "".join(parts)
    return Markup(  # noqa: S704
        f'<svg class="{kind}" role="img" width="{w}mm" height="{h}mm" viewBox="0 0 {w} {h}">'
        f"<title>{escape(clean(title))}</title>{body}</svg>"
    )


def polyline(x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]) -> str:
    """Path through points in millimetres, in `UNITS_MM`; it breaks where `y_mm` is NaN.

    Points that lie on the line between their neighbours, to `PASSES` times `TOLERANCE_MM`, are left
    out.

    Parameters
    ----------
    x_mm : ndarray of float64, shape (points,)
        Ascending.
    y_mm : ndarray of float64, shape (points,)

    Examples
    --------
    >>> polyline(np.arange(4.0), np.array([0.0, 0.5, 1.0, 0.0]))
    'M0 0l80 40 40-40'
    """
    seen = np.isfinite(y_mm)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]])))
    return "".join(
        _unbroken(x_mm[first:stop], y_mm[first:stop])
        for first, stop in edges.reshape(-1, 2).tolist()
    )


def _unbroken(x_mm: NDArray[np.float64], y_mm: NDArray[np.float64]) -> str:
    kept = corners(x_mm, y_mm)
    points = np.rint(np.stack([x_mm[kept], y_mm[kept]], axis=1) * UNITS_MM).astype(np.int64)
    start = f"M{points[0, 0]} {points[0, 1]}"
    if len(points) == 1:
        return start + "h1"  # a lone sample is seen as a dot
    steps = np.diff(points, axis=0).ravel().tolist()
    return start + "l" + " ".join(map(str, steps)).replace(" -", "-")


def corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose the points to keep, so that a line through them shows all others."""
    kept = _extremes(x, y)
    for _ in range(PASSES):
        before, middle, after = kept[:-2:2], kept[1:-1:2], kept[2::2]
        if len(middle) == 0:
            break
        share = (x[middle] - x[before]) / (x[after] - x[before])
        line = y[before] + share * (y[after] - y[before])
        between = np.abs(y[middle] - line) <= TOLERANCE_MM
        kept = np.delete(kept, 1 + 2 * np.flatnonzero(between))
    return kept


def _extremes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Keep the lowest and the highest point of each `COLUMN_MM`, where more of them lie in it."""
    step = int(COLUMN_MM * (len(x) - 1) / (x[-1] - x[0])) if len(x) > 1 else 1
    columns = len(x) // max(step, 1)
    if step <= 2 or columns == 0:
        return np.arange(len(x))
    grid = y[: columns * step].reshape(columns, step)
    starts = step * np.arange(columns)
    ends = [0, len(x) - 1, *range(columns * step, len(x))]
    return np.unique(
        np.concatenate([starts + grid.argmin(axis=1), starts + grid.argmax(axis=1), ends])
    )


# One mark a class, so that colour is never alone: dot, triangle, square, cross, ring; × unusable.
_MARKS = ("h1", "m-20 16l20-36 20 36z", "m-15-15h30v30h-30z", "m-20 0h40m-20-20v40",
          "m-16 0a16 16 0 1 0 32 0 16 16 0 1 0-32 0", "m-15-15l30 30m0-30l-30 30")  # fmt: skip


def marks(
    index: int, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64], *, size: float = 1.0
) -> str:
    """Draw the mark of a class, by its index, at each point in millimetres, as one path."""
    units = UNITS_MM / size
    points = np.rint(np.stack([x_mm, y_mm], axis=1) * units).astype(np.int64).tolist()
    shape = _MARKS[index]
    d = "".join(f"M{x} {y}{shape}" for x, y in points)
    kind = f"m{index % len(LETTERS)}"
    return path(d, transform=f"scale({coordinate(size)}) scale({1 / UNITS_MM:g})", class_=kind)


def class_mark(index: int) -> Markup:
    """Mark of a class alone, for a legend."""
    where = np.array([2.0])
    return svg(
        4, 4, f"mark of class {LETTERS[index]}", [marks(index, where, where, size=1.5)], "mark"
    )


def picture(levels: ArrayLike, colour: str, x: float, y: float, w: float, h: float) -> str:
    """Grid of whole levels, 0 clear and 15 opaque, stretched over a rectangle in millimetres."""
    data = base64.b64encode(png(np.asarray(levels, dtype=np.uint8), colour)).decode("ascii")
    place = f'x="{coordinate(x)}" y="{coordinate(y)}" width="{coordinate(w)}"'
    return (
        f'<image {place} height="{coordinate(h)}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>'
    )


def png(levels: NDArray[np.uint8], colour: str) -> bytes:
    """Write a picture of one colour in 16 levels of opacity as PNG (ISO/IEC 15948).

    Parameters
    ----------
    levels : ndarray of uint8, shape (rows, columns)
        0 is clear, 15 opaque.
    colour : str
        As ``"#rrggbb"``.
    """
    height, width = levels.shape
    # A byte of filter type, 0, before each row.
    rows = np.concatenate([np.zeros((height, 1), np.uint8), levels], axis=1)
    palette = bytes.fromhex(colour.removeprefix("#")) * 16
    opacity = bytes(17 * level for level in range(16))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, colours by palette
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"tRNS", opacity),
              (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
