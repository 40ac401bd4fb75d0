"""Read recordings that were saved with NumPy: `.npy` and `.npz`.

What a header promises is counted against the bytes that are there before anything is allocated, and
Python objects are never unpickled, since that can run any code. An array of `.npy` is mapped into
memory, so that parts are read as they are asked for; one of `.npz`, which is compressed, is written
to a temporary file first. Format: NumPy Enhancement Proposal 1 (`numpy.lib.format`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.mapped import release
from ectopy.readers.array_files import Held, from_zip, mapped
from ectopy.readers.columns import Column, choose_leads
from ectopy.readers.file_errors import clear_errors
from ectopy.readers.options import (
    Rate,
    check_plausible,
    given_fs,
    refuse_whole,
    settle_fs,
    settle_units,
)
from ectopy.readers.source import Source, unique_names
from ectopy.readers.strips import MOST_LEADS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"


def is_npy(head: bytes) -> bool:
    """Whether the first bytes of a file are those of `.npy`."""
    return head.startswith(_NPY)


def is_npz(head: bytes) -> bool:
    """Whether the first bytes of a file are those of `.npz`: a zip of `.npy` files."""
    if not head.startswith(_ZIP) or len(head) < 30:
        return False
    return head[30 : 30 + int.from_bytes(head[26:28], "little")].endswith(b".npy")


@dataclass(frozen=True, eq=False)
class ArraySource(Source):
    """A recording in an array that is mapped into memory.

    Attributes
    ----------
    array : ndarray, shape (samples, columns)
        As it is in the file.
    taken : tuple of int
        The columns that are leads.
    mv_per_unit : tuple of float
        Millivolts per unit of each lead.
    """

    array: NDArray[Any] = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    taken: tuple[int, ...] = ()
    mv_per_unit: tuple[float, ...] = ()

    def _read(self, first: int, stop: int, columns: tuple[int, ...]) -> NDArray[np.float32]:
        part = np.asarray(self.array[first:stop, [self.taken[column] for column in columns]])
        factors = np.array([self.mv_per_unit[column] for column in columns])
        with np.errstate(over="ignore", invalid="ignore"):
            values: NDArray[np.float32] = (part.astype(np.float64) * factors).astype(np.float32)
        values[~np.isfinite(values)] = np.nan
        release(self.array)
        return values


def open_array(
    path: str | PathLike[str],
    *,
    fs: float | None = None,
    unit: str | float | None = None,
    columns: Sequence[str | int] | None = None,
) -> ArraySource:
    """Open a recording that was saved with `numpy.save`, `savez` or `savez_compressed`.

    The signal is an array of numbers of shape (samples,), (samples, leads) or (leads, samples):
    the longer axis is time, unless the file names as many leads as that axis is long. In `.npz` it
    is called `signal` or `ecg`, or is the only array; beside it there may be `fs` (Hz), `leads`
    (names), `units` (one for all, or one each) and `start` (ISO 8601). Columns in units that are no
    voltage are left out.

    Parameters
    ----------
    path : path
        The file.
    fs : float, optional
        Sampling frequency in Hz, where the file does not say it.
    unit : str or float, optional
        "mV", "uV", "V" or the ADC counts per mV, where the file does not say it. Without either,
        numbers with fractions are mV if their size makes that plausible; whole numbers are not.
    columns : sequence of str or int, optional
        The leads to take, by name or number from 0.

    Returns
    -------
    ArraySource

    Raises
    ------
    RecordingError
        If the file is damaged, promises more than it holds, holds Python objects or no numbers, or
        sampling frequency or unit are missing or contradict each other.
    UnsupportedFormat
        If it is neither `.npy` nor `.npz`.
    LeadNotFound
        If there is no lead of a name or number in `columns`.

    Examples
    --------
    >>> source = open_array("holter.npy", fs=250, unit="mV")  # doctest: +SKIP
    """
    path = Path(path)
    given = given_fs(fs)
    with clear_errors(path):
        with path.open("rb") as stream:
            head = stream.read(512)
        if not head:
            msg = f"{path.name} is empty; get the file again"
            raise RecordingError(msg)
        if is_npy(head):
            held = Held(mapped(path))
        elif head.startswith((_ZIP, b"PK\x05\x06")):
            held = from_zip(path)
        else:
            msg = f"{path.name} is neither .npy nor .npz; save the array again with numpy.save"
            raise UnsupportedFormat(msg)
        return _source(path, held, given, unit, columns)


def _source(
    path: Path,
    held: Held,
    fs: float | None,
    unit: str | float | None,
    wanted: Sequence[str | int] | None,
) -> ArraySource:
    file = path.name
    array = _table(file, held.array, len(held.leads))
    n_leads = array.shape[1]
    for what, texts, allowed in (
        ("leads", held.leads, (0, n_leads)), ("units", held.units, (0, 1, n_leads)),
    ):  # fmt: skip
        if len(texts) not in allowed:
            msg = f"{file} has {len(texts)} {what} for {n_leads} leads; give one for each"
            raise RecordingError(msg)
    labels = held.leads or ("",) * n_leads
    units: Sequence[str | None] = held.units if len(held.units) == n_leads else ()
    units = units or [*held.units, None][:1] * n_leads
    table = [Column(label, "number", own) for label, own in zip(labels, units, strict=True)]
    taken = choose_leads(file, table, wanted, None)
    names = unique_names([table[number].parts[0] for number in taken])
    own = [table[number].mv_per_unit for number in taken]
    factors = settle_units(file, unit, names, own)
    unknown = [number for number, factor in enumerate(factors) if factor is None]
    refuse_whole(file, factors, [array.dtype.kind != "f"] * len(factors))
    rates = [Rate(held.fs, "in the file")] if held.fs is not None else []
    source = ArraySource(
        name=path.stem,
        fs=settle_fs(file, fs, rates),
        leads=names,
        n_samples=len(array),
        start=held.start,
        notes=held.notes,
        array=array,
        taken=tuple(taken),
        mv_per_unit=tuple(1.0 if factor is None else factor for factor in factors),
    )
    if unknown:
        check_plausible(source, unknown, file)
    return source


def _table(file: str, array: NDArray[Any], n_leads: int) -> NDArray[Any]:
    """View an array as (samples, leads)."""
    shape = array.shape
    array = np.squeeze(array)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        hint = "a recording has thousands of samples" if array.ndim < 2 else "choose one recording"
        msg = f"{file} has shape {shape}; expected (samples, leads) or (leads, samples): {hint}"
        raise RecordingError(msg)
    rows, columns = array.shape
    if rows == columns != n_leads or min(rows, columns) > MOST_LEADS:
        msg = f"{file} has shape {shape}, which does not tell time from leads; reshape it"
        raise RecordingError(msg)
    by_names = n_leads in (rows, columns)
    return array.T if (rows == n_leads != columns if by_names else rows < columns) else array
