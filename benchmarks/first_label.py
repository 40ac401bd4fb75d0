"""Print the class of the first beat of a table, as soon as it is known.

python benchmarks/first_label.py FILE.csv FS
"""

from __future__ import annotations

import sys

import ectopy


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/first_label.py FILE.csv FS")
    path, fs = sys.argv[1], float(sys.argv[2])
    beats = ectopy.analyze(ectopy.open_recording(path, fs=fs, unit="mV")).beats
    print(beats.labels[0], flush=True)


if __name__ == "__main__":
    main()
