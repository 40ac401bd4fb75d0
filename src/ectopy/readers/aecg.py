"""Read annotated ECG of HL7 (aECG), the XML format of the FDA for ECG of trials.

Only the rhythm is read: time and leads of each sequence set of each series whose code is RHYTHM.
Averaged beats and annotations are left out, and of the patient nothing is read at all. Documents
that declare entities or a type are refused, so that a small file stays small. Format: HL7 aECG
Implementation Guide, final of 21 March 2005.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers.aecg_document import Document
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.strips import join_strips
from ectopy.readers.text_bytes import encoding_of

if TYPE_CHECKING:
    from os import PathLike

    from ectopy.readers.strips import StripSource

_ROOT = re.compile(r"<(?:[\w.-]+:)?AnnotatedECG[\s>/]")
_HEAD_BYTES = 8192
_PIECE_BYTES = 256 * 1024


def is_aecg(head: bytes) -> bool:
    """Whether the first bytes of a file, a few kB, are those of an annotated ECG.

    Examples
    --------
    >>> is_aecg(b'<?xml version="1.0"?><AnnotatedECG xmlns="urn:hl7-org:v3">'), is_aecg(b"<svg>")
    (True, False)
    """
    encoding, mark = encoding_of(head)
    text = head[mark:].decode(encoding, errors="replace")
    return text.lstrip().startswith("<") and _ROOT.search(text) is not None


def open_aecg(path: str | PathLike[str]) -> StripSource:
    """Open an annotated ECG.

    The document is read once, because XML cannot be read from the middle; its samples then lie in
    a temporary file. Several strips of rhythm are put after one another; the time between them, up
    to a day in all, is missing samples, and so are leads that a strip lacks.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    StripSource
        Its notes are device and software, as the series name them, and the offset of its start
        from UTC.

    Raises
    ------
    RecordingError
        If the document is damaged or cut short, declares entities, has no rhythm in volts, leads
        of different lengths, or strips of different sampling frequencies or at the same time.
    UnsupportedFormat
        If it is no annotated ECG.

    Examples
    --------
    >>> open_aecg("trial/ecg-0001.xml").leads  # doctest: +SKIP
    ('I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6')
    """
    path = Path(path)
    file = path.name
    with clear_errors(path), path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if not head.strip():
            msg = f"{file} is empty; get the file again"
            raise RecordingError(msg)
        if not is_aecg(head):
            msg = f"{file} is no annotated ECG: it does not begin with <AnnotatedECG>"
            raise UnsupportedFormat(msg + "; export it anew as HL7 aECG")
        stream.seek(0)
        with Document(file) as document:
            while piece := stream.read(_PIECE_BYTES):
                document.feed(piece)
            strips, notes = document.finish()
        if not strips:
            msg = f"{file} has no rhythm in volts; only series with the code RHYTHM are read"
            raise RecordingError(msg)
        try:
            return join_strips(path, strips, notes)
        except OverflowError as error:
            msg = f"{file} has times that no recording has; correct them"
            raise RecordingError(msg) from error
