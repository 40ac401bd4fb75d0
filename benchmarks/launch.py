"""Start a command, wait for it, and print as JSON what it took; `measuring` runs this.

python benchmarks/launch.py ANSWER COMMAND ...

The system counts the memory of whoever starts a process as the least that the process has had, so
this one is small and imports little. With ANSWER 1 the time ends at the command's first line, which
is given back; with 0 at its end.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    wants_answer, command, answer = sys.argv[1] == "1", sys.argv[2:], ""
    output = subprocess.PIPE if wants_answer else subprocess.DEVNULL
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=output)
    if process.stdout is not None:
        answer = process.stdout.readline().decode().strip()
        answered_s = time.perf_counter() - start
    _, status, usage = os.wait4(process.pid, 0)
    ended_s = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    took = {
        "wall_s": answered_s if wants_answer else ended_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * unit / 2**20,
    }
    print(json.dumps({"took": took, "answer": answer, "status": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main()
