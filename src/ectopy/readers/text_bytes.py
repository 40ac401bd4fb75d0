"""Text files as blocks of whole lines in UTF-8, whatever they are encoded in."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD_BYTES = 256 * 1024
"""Bytes that are enough to see how a table is written."""

_BLOCK_BYTES = 4 * 1024 * 1024
_FEW = 8  # bytes that are too few to tell UTF-16
_LONGEST_LINE = 1024 * 1024

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What no text holds: control characters but tab, line feed, form feed, carriage return and the
# end-of-file sign of old systems.
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")
# What a row without an end is made of.
_ROW = re.compile(r"[-+\d.,;:|\t eE]+")
_LONG_ROW = 8192  # bytes
# Minus signs as typeset, and spaces that are none to a parser.
_TYPESET = ((b"\xe2\x88\x92", b"-"), (b"\xc2\xa0", b" "), (b"\xe2\x80\xaf", b" "))


def encoding_of(head: bytes) -> tuple[str, int]:
    """Tell the encoding of a text by its first bytes, and the length of its mark.

    Parameters
    ----------
    head : bytes
        The first bytes of a file, a few kB or more.

    Returns
    -------
    encoding : str
        "utf-8", "utf-16-le", "utf-16-be" or "latin-1", which is what no other fits.
    mark : int
        Bytes of the byte order mark before the text.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, len(bom)
    # Tables are digits: in UTF-16 every other byte of them is zero.
    pairs = head[: len(head) // 2 * 2][:4096]
    if len(pairs) >= _FEW:
        even, odd = pairs[::2].count(0), pairs[1::2].count(0)
        enough = len(pairs) // 2 * 0.7
        if odd > enough and not even:
            return "utf-16-le", 0
        if even > enough and not odd:
            return "utf-16-be", 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1", 0
    return "utf-8", 0


def decoded(head: bytes) -> str | None:
    """Decode the first bytes of a file, lines ending in line feeds; None where they are no text."""
    encoding, mark = encoding_of(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[mark:])
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(text):
        return None
    return _typeset(text.replace("\r\n", "\n").replace("\r", "\n").encode()).decode()


def is_text(head: bytes) -> bool:
    r"""Whether the first bytes of a file are those of a table of numbers as text.

    A table has lines. Markup (XML, HTML) and JSON are text too, but no table; headers of WFDB look
    like one, so that they have to be looked for before.

    Examples
    --------
    >>> is_text(b"time,ECG\n0,0.1\n"), is_text(b"<?xml version='1.0'?>"), is_text(b"\x00\x01")
    (True, False, False)
    """
    text = decoded(head)
    if text is None:
        return False
    start = text.strip()
    if start.startswith(("<", "{")):
        return False
    if "\n" not in start:  # the beginning of a row of very many numbers, which a reader will name
        return len(head) >= _LONG_ROW and _ROW.fullmatch(start) is not None
    return any(char.isdigit() for char in start)


def read_head(path: Path) -> tuple[str, bool]:
    """Read the first lines of a text file, and whether they are all of it.

    Raises
    ------
    UnsupportedFormat
        If the file holds no text.
    RecordingError
        If it is empty.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES + 1)
    if not head.strip():
        msg = f"{path.name} is empty; get the file again"
        raise RecordingError(msg)
    text = decoded(head[:HEAD_BYTES])
    if text is None:
        msg = f"{path.name} holds binary data, not text; export it anew as a table"
        raise UnsupportedFormat(msg)
    return text, len(head) <= HEAD_BYTES


def blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read a text file in blocks of whole lines.

    Yields
    ------
    line : int
        Number of the first line of the block in the file, from 1.
    block : bytes
        Lines in UTF-8, each with a line feed at its end.

    Raises
    ------
    RecordingError
        If a line is longer than a megabyte, or holds binary data.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        encoding, mark = encoding_of(head)
        old_mac = b"\n" not in head and b"\r" in head
        stream.seek(mark)
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        line, rest = 1, b""
        while chunk := stream.read(_BLOCK_BYTES):
            rest += _utf8(chunk, decoder, encoding)
            if old_mac:
                rest = rest.replace(b"\r", b"\n")
            end = rest.rfind(b"\n") + 1
            if len(rest) - end > _LONGEST_LINE:
                line += rest.count(b"\n")
                msg = f"{path.name}, line {line} is over a megabyte long; expected a row a sample"
                raise RecordingError(msg)
            if end:
                block = _checked(rest[:end], path, line)
                yield line, block
                line += block.count(b"\n")
                rest = rest[end:]
        rest += decoder.decode(b"", final=True).encode() if encoding.startswith("utf-16") else b""
        if rest:
            yield line, _checked(rest + b"\n", path, line)


def _utf8(chunk: bytes, decoder: codecs.IncrementalDecoder, encoding: str) -> bytes:
    # UTF-8 is taken as it is, which is several times faster; what is not is seen in the cells.
    if encoding == "utf-8" or (encoding == "latin-1" and chunk.isascii()):
        return chunk
    return decoder.decode(chunk).encode()


def _checked(block: bytes, path: Path, line: int) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in block:
        line += block[: block.index(b"\0")].count(b"\n")
        msg = f"{path.name}, line {line} holds binary data; the file is damaged, get it again"
        raise RecordingError(msg)
    return block if block.isascii() else _typeset(block)


def _typeset(block: bytes) -> bytes:
    for typeset, plain in _TYPESET:
        block = block.replace(typeset, plain)
    return block
