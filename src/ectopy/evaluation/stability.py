"""Whether a finder finds the same beats when a recording only changes its form.

A recording at another sampling frequency, upside down, or at another gain shows the same heart, so
a finder should find the same beats in it at the same times.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ectopy.errors import ProtocolError
from ectopy.evaluation.finder_runs import for_each, load_lead, require_records, run_finder
from ectopy.signal.conditioning import resample
from ectopy.signal.matching import MATCH_WINDOW_S, match_beats

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.evaluation.finder_runs import FinderRun
    from ectopy.evaluation.peers import Finder

RATES_HZ = (125.0, 250.0, 500.0, 1000.0)
GAINS = (0.2, 5.0)

SAME_BEAT_S = 0.020
"""Farthest that a beat may have moved to count as found again."""

UNCHANGED = "unchanged"
"""Name of the recording as it is, where a finder fails on it."""

# Beats at different sampling frequencies are compared in whole microseconds.
_TICKS_PER_S = 1_000_000


class _Form(NamedTuple):
    """One form of a lead: its signal, sampling frequency and what was done to it."""

    signal_mv: NDArray[np.float32]
    fs: float
    meaning: str


class _Compared(NamedTuple):
    """Beats found in the lead as it is, and again, only there and only in one form of it."""

    beats: int
    found_again: int
    moved: int
    new: int
    problem: str | None


def stability(
    find: Finder,
    records: Sequence[str],
    *,
    rates_hz: Sequence[float] = RATES_HZ,
    gains: Sequence[float] = GAINS,
    lead: str = "index0",
    folder: Path | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """Count the beats that a finder finds again in other forms of the same recordings.

    No reference is asked: what a finder finds in the recording as it is, right or wrong, is
    compared with what it finds when the recording is resampled, turned upside down, or multiplied.

    Parameters
    ----------
    find : callable
        The finder.
    records : sequence of str
        Records of the MIT-BIH Arrhythmia Database.
    rates_hz : sequence of float
        Sampling frequencies to resample to.
    gains : sequence of float
        What to multiply the signal by.
    lead, folder, jobs
        As in `ectopy.evaluation.finding.evaluate_finder`.

    Returns
    -------
    dict
        Ready for JSON. `forms` has for each form its `meaning` in words, the `beats` found in the
        recordings as they are, how many of them were `found_again` within 20 ms and which `share`
        that is, how many were `lost`, and how many beats are `new`: found in this form only. Of
        the lost, those `moved` have a new one within 150 ms: such a beat was found, but placed
        elsewhere. `failed` names the records that the finder failed on, by form; a record that it
        failed on as it is counts nowhere. `per_record` has `lost` and `new` of each record.

    Raises
    ------
    ProtocolError
        If no record, or no form, is asked for.
    DataError
        If a record is not there.
    MissingExtra
        If the finder's package is not installed.
    """
    require_records(records)
    if not (len(rates_hz) or len(gains)):
        msg = "there is no form to compare with; give a sampling frequency or a gain"
        raise ProtocolError(msg)
    compare = partial(_compare_forms, find, tuple(rates_hz), tuple(gains), lead, folder)
    outcomes = dict(zip(records, for_each(compare, records, jobs), strict=True))
    meanings = next(meanings for meanings, _ in outcomes.values())
    compared = {record: forms for record, (_, forms) in outcomes.items()}
    failed: dict[str, dict[str, str]] = {}
    for record, forms in compared.items():
        for form, one in forms.items():
            if one.problem is not None:
                failed.setdefault(form, {})[record] = one.problem
    return {
        "records": list(records),
        "lead": lead,
        "same_beat_s": SAME_BEAT_S,
        "forms": {
            form: {
                "meaning": meaning,
                **_sum([forms[form] for forms in compared.values() if form in forms]),
            }
            for form, meaning in meanings.items()
        },
        "failed": failed,
        "per_record": {
            record: {
                form: {"lost": one.beats - one.found_again, "new": one.new}
                for form, one in forms.items()
            }
            for record, forms in compared.items()
            if UNCHANGED not in forms
        },
    }


def _forms(
    signal_mv: NDArray[np.float32], fs: float, rates_hz: Sequence[float], gains: Sequence[float]
) -> dict[str, _Form]:
    forms = {
        f"{rate:g} Hz": _Form(
            resample(signal_mv, fs, rate), rate, f"resampled from {fs:g} to {rate:g} Hz"
        )
        for rate in rates_hz
    }
    forms["inverted"] = _Form(-signal_mv, fs, "turned upside down")
    for gain in gains:
        louder = (signal_mv * gain).astype(np.float32)
        forms[f"gain {gain:g}"] = _Form(louder, fs, f"every sample multiplied by {gain:g}")
    return forms


def _compare_forms(
    find: Finder,
    rates_hz: Sequence[float],
    gains: Sequence[float],
    lead: str,
    folder: Path | None,
    record: str,
) -> tuple[dict[str, str], dict[str, _Compared]]:
    """Meaning of each form of one record, and what was found in it."""
    loaded = load_lead(record, lead, folder)
    forms = _forms(loaded.signal_mv, loaded.fs, rates_hz, gains)
    meanings = {name: form.meaning for name, form in forms.items()}
    usual = run_finder(find, loaded.signal_mv, loaded.fs)
    if usual.problem is not None:
        return meanings, {UNCHANGED: _Compared(0, 0, 0, 0, usual.problem)}
    times = _ticks(usual, loaded.fs)
    compared = {}
    for name, form in forms.items():
        run = run_finder(find, form.signal_mv, form.fs)
        found = _ticks(run, form.fs)
        again, _ = match_beats(times, found, SAME_BEAT_S * _TICKS_PER_S)
        near, _ = match_beats(times, found, MATCH_WINDOW_S * _TICKS_PER_S)
        compared[name] = _Compared(
            beats=len(times),
            found_again=len(again),
            moved=len(near) - len(again),
            new=len(run.peaks) - len(again),
            problem=run.problem,
        )
    return meanings, compared


def _ticks(run: FinderRun, fs: float) -> NDArray[np.int64]:
    return np.round(run.peaks / fs * _TICKS_PER_S).astype(np.int64)


def _sum(compared: Sequence[_Compared]) -> dict[str, Any]:
    """Sum of all records of one form."""
    beats = sum(one.beats for one in compared)
    found_again = sum(one.found_again for one in compared)
    return {
        "beats": beats,
        "found_again": found_again,
        "share": found_again / beats if beats else None,
        "lost": beats - found_again,
        "moved": sum(one.moved for one in compared),
        "new": sum(one.new for one in compared),
    }
