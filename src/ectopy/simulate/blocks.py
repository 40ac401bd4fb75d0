"""Labelled recordings of any length, as a whole or block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import ReferenceBeats
from ectopy.errors import SignalError
from ectopy.recording import Recording
from ectopy.simulate.noise import Contact, FibrillatoryWaves, Interference, draw_dropouts
from ectopy.simulate.render import NO_WAVES, REACH_S, draw, place_waves
from ectopy.simulate.rhythm import Beat, beats
from ectopy.simulate.settings import FIBRILLATION, Simulation
from ectopy.simulate.shapes import LEADS, SHAPE_SYMBOLS, draw_patient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PAGE_S = 30.0  # the signal is always computed in pages of this length, whatever the blocks are
BLOCK_S = 10.0
DEMO_SEED = 3  # a patient whose ventricular beats are upright in MLII, as most are
LONGEST_RR_S = 6.0  # no pause is longer, even at 30 beats a minute


@dataclass(frozen=True, eq=False)
class Block:
    """A stretch of a simulated recording.

    Attributes
    ----------
    offset : int
        Sample index of the first sample, from the start of the recording.
    signal_mv : ndarray of float32, shape (samples, 2)
        In mV; the leads are MLII and V1.
    beats : ReferenceBeats
        The beats whose peaks lie in this block. `peaks` count from the start of the recording.
    episodes : ndarray of str, shape (beats,)
        The rhythm that each beat belongs to, one of `RHYTHMS`.
    dropped : ndarray of bool, shape (samples,)
        True where an electrode drop-out hides the signal.
    """

    offset: int
    signal_mv: NDArray[np.float32]
    beats: ReferenceBeats
    episodes: NDArray[np.str_]
    dropped: NDArray[np.bool_]

    def _cut(self, start: int, stop: int) -> Block:
        first, last = np.searchsorted(self.beats.peaks, [self.offset + start, self.offset + stop])
        return Block(
            self.offset + start,
            self.signal_mv[start:stop],
            _select(self.beats, slice(first, last)),
            self.episodes[first:last],
            self.dropped[start:stop],
        )


def simulate(
    duration_s: float,
    fs: float = 360.0,
    *,
    seed: int = 0,
    **settings: Any,
) -> tuple[Recording, ReferenceBeats]:
    """Make a labelled recording.

    Parameters
    ----------
    duration_s : float
        Length in seconds.
    fs : float
        Sampling frequency in Hz, at least 50.
    seed : int
        Chooses the patient and every random event; the same seed gives the same recording.
    **settings
        Any other field of `Simulation`, such as `rhythm`, `v_share` or `noise_mv`.

    Returns
    -------
    recording : Recording
        Two leads, MLII and V1, in mV.
    truth : ReferenceBeats
        Every beat with its class; symbols are N, A, V, F and /. A peak is the sample nearest to
        the largest deflection of the QRS in MLII.

    Raises
    ------
    SignalError
        If a setting or the duration cannot be simulated.

    Examples
    --------
    >>> recording, truth = simulate(60, rhythm="bigeminy", seed=3)
    >>> recording.signal_mv.shape
    (21600, 2)
    >>> truth.symbols[:4].tolist()
    ['V', 'N', 'V', 'N']
    """
    return _collect(Simulation(fs=fs, seed=seed, **settings), duration_s, name="simulated")


def demo(duration_s: float = 600.0, seed: int = DEMO_SEED) -> tuple[Recording, ReferenceBeats]:
    """Make the recording of the demonstration: beats of each class but paced, moderate noise.

    The classes are about as frequent as in the MIT-BIH Arrhythmia Database: 2.5 % of the beats are
    supraventricular, 6.6 % ventricular and 0.7 % fusion; the rest are normal, a part of them in
    atrial fibrillation. Recordings of ten minutes hold them all; much shorter ones may not. Paced
    beats of a patient it has not seen are not known to the model that analyses by default, so that
    there are none: `simulate` makes them.

    Parameters
    ----------
    duration_s : float
        Length in seconds.
    seed : int
        Chooses the patient and every random event.

    Returns
    -------
    recording : Recording
        Two leads, MLII and V1, at 360 Hz.
    truth : ReferenceBeats

    Examples
    --------
    >>> recording, truth = demo(120)
    >>> recording.leads
    ('MLII', 'V1')
    """
    settings = Simulation(
        seed=seed,
        s_share=0.025,
        v_share=0.066,
        f_share=0.007,
        paced_share=0.0,
        af_share=0.06,
        noise_mv=0.02,
        wander_mv=0.08,
        mains_mv=0.01,
    )
    return _collect(settings, duration_s, name="demo")


def stream(
    settings: Simulation, duration_s: float | None = None, block_s: float = BLOCK_S
) -> Iterator[Block]:
    """Make a labelled recording block by block, in constant memory.

    Parameters
    ----------
    settings : Simulation
    duration_s : float, optional
        Length in seconds; endless where it is not given.
    block_s : float
        Length of a block in seconds. The last one may be shorter. Blocks joined are the same
        recording whatever their length.

    Yields
    ------
    Block

    Raises
    ------
    SignalError
        If `duration_s` or `block_s` is less than one sample.

    Examples
    --------
    >>> blocks = stream(Simulation(fs=250, rhythm="sinus"), duration_s=25)
    >>> [len(block.signal_mv) for block in blocks]
    [2500, 2500, 1250]
    """
    total = None if duration_s is None else _samples(duration_s, settings.fs, "duration_s")
    return _blocks(settings, total, _samples(block_s, settings.fs, "block_s"))


def dropouts(settings: Simulation, duration_s: float) -> NDArray[np.float64]:
    """Where the electrode drop-outs of a simulated recording lie.

    Parameters
    ----------
    settings : Simulation
    duration_s : float
        Length of the recording in seconds.

    Returns
    -------
    ndarray of float64, shape (dropouts, 2)
        Start and end of each in seconds; the signal lies flat from start up to the end.

    Examples
    --------
    >>> dropouts(Simulation(dropouts_per_hour=0), 60.0).shape
    (0, 2)
    """
    _samples(duration_s, settings.fs, "duration_s")
    drawn = draw_dropouts(settings.dropouts_per_hour, _random_streams(settings.seed)["dropouts"])
    spans = [
        (d.start_s, min(d.end_s, duration_s))
        for d in takewhile(lambda d: d.start_s < duration_s, drawn)
    ]
    return np.array(spans, dtype=np.float64).reshape(-1, 2)


def _samples(seconds: float, fs: float, name: str) -> int:
    if not (math.isfinite(seconds) and seconds * fs >= 1):
        msg = f"{name} {seconds:g} s holds no sample; give a positive length in seconds, such as 60"
        raise SignalError(msg)
    return round(seconds * fs)


def _collect(
    settings: Simulation, duration_s: float, name: str
) -> tuple[Recording, ReferenceBeats]:
    whole = _join(list(stream(settings, duration_s, PAGE_S)))
    return Recording(whole.signal_mv, float(settings.fs), LEADS, name), whole.beats


def _blocks(settings: Simulation, total: int | None, length: int) -> Iterator[Block]:
    """Cut the endless pages into blocks."""
    pages = _pages(settings)
    ready = next(pages)
    while total is None or ready.offset < total:
        stop = length if total is None else min(length, total - ready.offset)
        waiting, n = [ready], len(ready.signal_mv)
        while n <= stop:
            waiting.append(next(pages))
            n += len(waiting[-1].signal_mv)
        ready = _join(waiting)
        yield ready._cut(0, stop)
        ready = ready._cut(stop, n)


_STREAMS = ("patient", "rhythm", "variation", "fibrillation", "slow", "noise", "dropouts")


def _random_streams(seed: int) -> dict[str, np.random.Generator]:
    """Give each part of the simulation its own random stream, so that one leaves others alone."""
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {
        name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)
    }


def _pages(settings: Simulation) -> Iterator[Block]:
    """Endless stretches of equal length, always the same ones for the same settings."""
    rngs = _random_streams(settings.seed)
    fs, length = settings.fs, round(PAGE_S * settings.fs)
    patient = draw_patient(rngs["patient"])
    fibrillation = FibrillatoryWaves(rngs["fibrillation"])
    interference = Interference(settings, patient.breathing, rngs["slow"], rngs["noise"])
    contact = Contact(draw_dropouts(settings.dropouts_per_hour, rngs["dropouts"]), fs)
    coming = beats(settings, patient, rngs["rhythm"])
    near, waves, start = [next(coming)], NO_WAVES, 0
    waves = place_waves(near, patient, fs, rngs["variation"])
    while True:
        start_s, end_s = start / fs, (start + length) / fs
        new: list[Beat] = []
        while (new or near)[-1].time_s < end_s + REACH_S:
            new.append(next(coming))
        # At least the last beat before the page stays, for the rhythm at its first sample.
        near = [beat for beat in near if beat.time_s > start_s - LONGEST_RR_S] + new
        waves = waves.after(start_s - REACH_S).join(
            place_waves(new, patient, fs, rngs["variation"])
        )
        signal_mv = draw(waves, start, length, fs)
        _add_fibrillation(signal_mv, near, fibrillation, start, fs)
        signal_mv += interference.at(start, length)
        dropped = contact.apply(signal_mv, start)
        truth, episodes = _truth(near, start, start + length, fs)
        yield Block(start, signal_mv.astype(np.float32), truth, episodes, dropped)
        start += length


def _add_fibrillation(
    signal_mv: NDArray[np.float64],
    near: Sequence[Beat],
    waves: FibrillatoryWaves,
    start: int,
    fs: float,
) -> None:
    """Add the waves of fibrillating atria, fading over the beat before and behind an episode."""
    fibrillates = np.array([beat.episode == FIBRILLATION for beat in near], dtype=np.float64)
    if not fibrillates.any():
        return
    times_s = np.arange(start, start + len(signal_mv)) / fs
    strength = np.interp(times_s, [beat.time_s for beat in near], fibrillates)
    inside = strength > 0
    signal_mv[inside] += strength[inside, None] * waves.at(times_s[inside])


def _truth(
    near: Sequence[Beat], start: int, stop: int, fs: float
) -> tuple[ReferenceBeats, NDArray[np.str_]]:
    peaks = np.floor(np.array([beat.time_s for beat in near]) * fs + 0.5).astype(np.int64)
    inside = (peaks >= start) & (peaks < stop)
    symbols = SHAPE_SYMBOLS[[beat.shape for beat in near]][inside]
    episodes = np.array([beat.episode for beat in near], dtype=np.str_)[inside]
    return ReferenceBeats.from_annotations(peaks[inside], symbols), episodes


def _select(truth: ReferenceBeats, rows: slice) -> ReferenceBeats:
    return ReferenceBeats(truth.peaks[rows], truth.classes[rows], truth.symbols[rows])


def _join(blocks: Sequence[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        blocks[0].offset,
        np.concatenate([b.signal_mv for b in blocks]),
        ReferenceBeats(
            np.concatenate([b.beats.peaks for b in blocks]),
            np.concatenate([b.beats.classes for b in blocks]),
            np.concatenate([b.beats.symbols for b in blocks]),
        ),
        np.concatenate([b.episodes for b in blocks]),
        np.concatenate([b.dropped for b in blocks]),
    )
