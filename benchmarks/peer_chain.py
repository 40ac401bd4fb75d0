"""What one builds from public parts today: a WFDB record in, an annotation file out.

python benchmarks/peer_chain.py RECORD FOLDER

wfdb reads the first lead, NeuroKit2 cleans it and finds the beats, a loop cuts a window around each
beat, the published CNN with an MLP head classes them in PyTorch, and wfdb writes one annotation a
beat. The first lead alone is read, which spares this chain what the second would cost.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREADS = 2
BEFORE, AFTER = 128, 128
SYMBOLS = np.array(["N", "S", "V", "F", "Q"])
ANNOTATOR = "peer"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/peer_chain.py RECORD FOLDER")
    annotate(Path(sys.argv[1]), Path(sys.argv[2]))


def annotate(record: Path, folder: Path) -> int:
    """Write the annotation file of a record; gives the number of beats."""
    import torch
    import wfdb
    from published import make_baseline

    torch.set_num_threads(THREADS)
    found = wfdb.rdrecord(str(record), channels=[0])
    signal_mv = found.p_signal[:, 0]
    peaks = find(signal_mv, round(found.fs))
    windows = np.array([signal_mv[peak - BEFORE : peak + AFTER] for peak in peaks], np.float32)
    classes = make_baseline("cnn-mlp")(windows)
    symbols = SYMBOLS[classes].tolist()
    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrann(record.name, ANNOTATOR, peaks, symbols, fs=found.fs, write_dir=str(folder))
    return len(peaks)


def find(signal_mv: NDArray[np.float64], fs: int) -> NDArray[np.int64]:
    """Find the beats whose window lies within the recording."""
    import neurokit2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cleaned = neurokit2.ecg_clean(signal_mv, sampling_rate=fs)
        _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=fs)
    peaks = np.unique(np.asarray(found["ECG_R_Peaks"], dtype=np.int64))
    return peaks[(peaks >= BEFORE) & (peaks < len(signal_mv) - AFTER)]


if __name__ == "__main__":
    main()
