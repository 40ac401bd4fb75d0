"""Run all benchmarks one after another, then draw the figures and write the pages.

python benchmarks/run.py             # the short forms, as `make bench`
python benchmarks/run.py --long      # the long ones, as `make bench-long`
python benchmarks/run.py chain startup    # some of them
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from keeping import RESULTS
from settings import command_line

HERE = Path(__file__).resolve().parent
SCRIPTS = (
    "network",
    "heads",
    "roofline",
    "training",
    "accuracy",
    "chain",
    "finders",
    "stream_latency",
    "startup",
)
PAGES = ("figures", "pages")


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"of: {', '.join(SCRIPTS)}")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in SCRIPTS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; choose from: {', '.join(SCRIPTS)}")
    begin, failed = time.perf_counter(), []
    chosen = [name for name in SCRIPTS if name in options.only or not options.only]
    for name in (*chosen, *PAGES):
        print(f"\n== {name} ({time.perf_counter() - begin:.0f} s so far)", flush=True)
        form = ["--long" if options.long else "--short", "--out", str(options.out)]
        if subprocess.run(
            [sys.executable, str(HERE / f"{name}.py"), *form], check=False
        ).returncode:
            failed.append(name)
    if options.out == RESULTS:  # the README has some of the numbers, too
        tool = HERE.parent / "tools" / "update_readme.py"
        if subprocess.run([sys.executable, str(tool)], check=False).returncode:
            failed.append(tool.name)
    print(f"\nall took {time.perf_counter() - begin:.0f} s")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
