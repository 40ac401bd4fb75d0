"""Labels of the same recordings at other sampling frequencies, beats found and classed anew.

ECTOPY_DATA=FOLDER python benchmarks/rates.py --json benchmarks/results/rates.json
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly

import ectopy
from ectopy._version import code_version
from ectopy.data.mitdb import database_dir
from ectopy.data.protocols import DS1
from ectopy.readers import read
from ectopy.recording import Recording
from ectopy.signal.matching import match_beats

if TYPE_CHECKING:
    from ectopy.analysis import Analysis

FS = 360
RATES = (100, 125, 250, 500, 1000, 2000)
TOLERANCE_S = 0.05
MICROSECONDS = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = database_dir("mitdb")
    found: dict[int, dict[str, float]] = {fs: {} for fs in RATES}
    beats = {fs: [0, 0] for fs in RATES}
    name = ""
    for record in DS1:
        signal = read(folder / record).lead()[1]
        at_360 = ectopy.analyze(recording(signal, FS))
        name = at_360.model["name"]
        for fs in RATES:
            ratio = Fraction(fs, FS)
            values = resample_poly(signal.astype(float), ratio.numerator, ratio.denominator)
            n, same = same_labels(at_360, ectopy.analyze(recording(values, fs)))
            found[fs][record] = same / n
            beats[fs][0] += n
            beats[fs][1] += same
        print(record, {fs: round(100 * found[fs][record], 2) for fs in RATES}, flush=True)
    rates = [
        {
            "fs_hz": fs,
            "beats": beats[fs][0],
            "same": beats[fs][1] / beats[fs][0],
            "least": min(found[fs].values()),
            "least_record": min(found[fs], key=lambda record: found[fs][record]),
        }
        for fs in RATES
    ]
    for one in rates:
        print(one)
    if options.json:
        content = {"code_version": code_version(), "model": name, "records": list(DS1)}
        options.json.write_text(json.dumps({**content, "rates": rates}, indent=2) + "\n")


def recording(signal_mv: np.ndarray, fs: float) -> Recording:
    return Recording(signal_mv.astype(np.float32)[:, None], fs, ("MLII",), "rec")


def same_labels(one: Analysis, other: Analysis) -> tuple[int, int]:
    """Beats of the one with more, and those that both find with one class."""
    times = [np.round(a.beats.peaks / a.fs * MICROSECONDS).astype(np.int64) for a in (one, other)]
    rows, found = match_beats(*times, TOLERANCE_S * MICROSECONDS)
    same = one.beats.classes[rows] == other.beats.classes[found]
    return max(map(len, times)), int(same.sum())


if __name__ == "__main__":
    main()
