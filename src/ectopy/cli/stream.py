"""`ectopy stream`: samples in on standard input, classed beats out as soon as they are certain."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ectopy.defaults import DEFAULT_MODEL
from ectopy.errors import RecordingError, SignalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from ectopy.inference.stream import StreamBeats

READ_BYTES = 1 << 16
UNIT_S = 2.0
"""Seconds of whole numbers without a unit after which one is asked for."""


def stream(
    fs: Annotated[float, typer.Option(help="Sampling frequency in Hz, at least 80.")],
    unit: Annotated[
        str | None,
        typer.Option(
            help="mV, uV, V, nV, or counts of the converter per mV; mV unless the numbers are "
            "whole.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="The lead's column, by name in the first line or number from 0."),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="Raw little-endian samples instead of text: int16 or float32."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Model, MODEL/PROTOCOL, or a bundle's folder.")
    ] = DEFAULT_MODEL,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of JSON Lines.")] = False,
) -> None:
    """Class beats while they are recorded: samples of one lead on standard input, beats out.

    A beat is printed within 6.45 s, with a rhythm model within another 4 s.
    The first 16 beats of a rhythm model come together.

    Signal quality is not judged: beats in noise are classed, too. Blank lines
    and nan are missing samples. The last beats are printed at the
    end of the input, or on Ctrl-C (exit status 130).
    """
    from ectopy.inference.stream import Stream
    from ectopy.readers.options import given_unit
    from ectopy.readers.portions import RawPortions, TextPortions

    if dtype is not None and column is not None:
        msg = f"--column {column} goes with text; raw samples are of one lead: leave it out"
        raise RecordingError(msg)
    number = int(column) if column is not None and column.isdecimal() else column
    portions = RawPortions(dtype) if dtype is not None else TextPortions(number)
    scale = _Scale(given_unit(unit), fs)
    beats = Stream(fs, model)
    show = _shower(as_csv=as_csv)
    with _interruptible() as read:
        while data := read():
            show(beats.push(scale.to_mv(portions.push(data))))
    interrupted = read.interrupted
    try:
        if not interrupted:  # or the last line may be cut short
            show(beats.push(scale.to_mv(portions.finish(), at_end=True)))
        last = beats.finish()
        show(last)
        if last.given + len(last) == 0:
            typer.echo("no beat found; is that the lead, and its --fs?", err=True)
    except SignalError:  # too little of it
        if not interrupted:
            raise
    if interrupted:
        raise KeyboardInterrupt


class _Scale:
    """Brings samples to millivolts, and asks for a unit where it cannot be mV."""

    def __init__(self, mv_per_unit: float | None, fs: float) -> None:
        self._mv_per_unit, self._fs = mv_per_unit, fs
        self._asks = mv_per_unit is None
        self._seen, self._lowest, self._highest = 0, float("inf"), float("-inf")

    def to_mv(self, values: NDArray[np.float64], *, at_end: bool = False) -> NDArray[np.float64]:
        if self._asks:
            self._look(values, at_end=at_end)
        return values if self._mv_per_unit is None else values * self._mv_per_unit

    def _look(self, values: NDArray[np.float64], *, at_end: bool) -> None:
        import numpy as np

        known = values[np.isfinite(values)]
        if (known != np.rint(known)).any():
            self._asks = False
            return
        self._seen += len(known)
        self._lowest = min(self._lowest, *known.tolist(), float("inf"))
        self._highest = max(self._highest, *known.tolist(), float("-inf"))
        enough = at_end or self._seen >= UNIT_S * self._fs
        if enough and self._highest > self._lowest:
            msg = "standard input holds whole numbers of unknown size; give the ADC counts per mV "
            raise RecordingError(msg + "with --unit, such as 200, or their unit")


def _shower(*, as_csv: bool) -> Callable[[StreamBeats], None]:
    """Print beats, each at once."""
    import csv

    from ectopy.analysis import BEAT_COLUMNS

    table = csv.DictWriter(sys.stdout, BEAT_COLUMNS, lineterminator="\n")

    def show(beats: StreamBeats) -> None:
        if not len(beats):
            return
        rows = beats.rows()
        if as_csv:
            table.writerows(rows)
        else:
            sys.stdout.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        sys.stdout.flush()

    if as_csv:
        table.writeheader()
        sys.stdout.flush()
    return show


class _Reader:
    """Reads what has come of standard input. Ctrl-C ends a wait, and never the work between."""

    def __init__(self) -> None:
        self.interrupted = False
        self._waits = False

    def __call__(self) -> bytes:
        """Wait for bytes; none at the end of the input, or on Ctrl-C."""
        self._waits = True
        try:
            if self.interrupted:
                return b""
            data: bytes = sys.stdin.buffer.read1(READ_BYTES)  # type: ignore[union-attr]
        except KeyboardInterrupt:
            return b""
        finally:
            self._waits = False
        return data

    def on_interrupt(self, *_: Any) -> None:
        """Note Ctrl-C; the second one is not waited for."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.interrupted = True
        if self._waits:
            raise KeyboardInterrupt


@contextmanager
def _interruptible() -> Iterator[_Reader]:
    reader = _Reader()
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else the caller ignores it, or knows better
        signal.signal(signal.SIGINT, reader.on_interrupt)
    try:
        yield reader
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
