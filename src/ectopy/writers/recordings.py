"""Recordings as WFDB records, written block by block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import OutputError
from ectopy.writers.output import staging
from ectopy.writers.wfdb_marks import CODES, MarkWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from ectopy.simulate import Block

GAIN = 200.0
"""Counts of the converter per millivolt, as in the MIT-BIH databases."""

MISSING = -32768
_MOST = 32767


def write_simulated(
    blocks: Iterable[Block],
    folder: Path,
    name: str,
    *,
    fs: float,
    leads: Sequence[str],
    seen: Callable[[int], None] | None = None,
) -> dict[str, Path]:
    """Write a simulated recording and its truth as a WFDB record of format 16.

    Parameters
    ----------
    blocks : iterable of Block
        Of `ectopy.simulate.stream`; one is held at a time.
    folder : Path
        Made, with its parents, where it is missing.
    name : str
        Name of the record: letters, digits, "-" and "_".
    fs : float
        Sampling frequency in Hz.
    leads : sequence of str
        Names of the leads.
    seen : callable, optional
        Is given the number of samples written so far.

    Returns
    -------
    dict of str to Path
        The files `header`, `signal` and `annotations` (`.atr`).

    Raises
    ------
    OutputError
        If the name is not one that all WFDB tools take, or the files cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        msg = f"record name {name!r}; WFDB tools take letters, digits, '-' and '_': choose such one"
        raise OutputError(msg)
    files = {"header": f"{name}.hea", "signal": f"{name}.dat", "annotations": f"{name}.atr"}
    with (
        staging(folder, make=True) as staged,
        (staged / files["signal"]).open("wb") as signal,
        (staged / files["annotations"]).open("wb") as annotations,
    ):
        counts = _Counts(signal, len(leads))
        marks = MarkWriter(annotations, fs)
        for block in blocks:
            counts.add(block.signal_mv)
            codes = np.array([CODES[symbol] for symbol in block.beats.symbols], dtype=np.uint8)
            marks.add(block.beats.peaks, codes)
            if seen is not None:
                seen(counts.n_samples)
        marks.close()
        head = [f"{name} {len(leads)} {fs:.12g} {counts.n_samples}"]
        head += [
            f"{files['signal']} 16 {GAIN:g}(0)/mV 16 0 {first} {total} 0 {lead}"
            for first, total, lead in zip(counts.first, counts.checksums, leads, strict=True)
        ]
        (staged / files["header"]).write_text("\n".join(head) + "\n", encoding="ascii")
    return {kind: folder / file for kind, file in files.items()}


class _Counts:
    """Samples as counts of the converter, in their file."""

    def __init__(self, file: BinaryIO, n_leads: int) -> None:
        self._file = file
        self._sums = np.zeros(n_leads, dtype=np.int64)
        self.first = [0] * n_leads
        self.n_samples = 0

    def add(self, signal_mv: NDArray[np.float32]) -> None:
        known = np.isfinite(signal_mv)
        counts = np.rint(np.where(known, signal_mv, 0) * GAIN).clip(-_MOST, _MOST)
        counts = np.where(known, counts, MISSING).astype("<i2")
        if self.n_samples == 0 and len(counts):
            self.first = counts[0].tolist()
        self._sums += counts.sum(axis=0, dtype=np.int64)
        self.n_samples += len(counts)
        self._file.write(counts.tobytes())

    @property
    def checksums(self) -> list[int]:
        """Sum of each lead's samples in 16 bits, signed, as header(5) asks for."""
        return ((self._sums + 32768) % 65536 - 32768).tolist()
