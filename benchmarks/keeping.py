"""Keep what was measured, with the machine, the versions and the commit that it was measured on."""

from __future__ import annotations

import csv
import json
import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy._version import code_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "onnxruntime", "torch", "wfdb", "neurokit2", "sleepecg", "pykan")


def facts() -> dict[str, Any]:
    """Describe machine, versions and commit."""
    return {
        "code_version": code_version(),
        "date": date.today().isoformat(),
        "machine": {
            "processor": _processor(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "memory_gib": round(_memory_bytes() / 2**30, 1),
            "system": platform.system(),
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def keep(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    folder: Path = RESULTS,
    **further: Any,
) -> None:
    """Write one kind of benchmark as JSON, and its rows as CSV too.

    Parameters
    ----------
    name : str
        Of the two files.
    rows : sequence of mapping
        One a measured thing, all with the same keys, whose values are numbers or text.
    folder : Path
        Where to.
    **further
        What else there is to tell: settings, raw seconds, fits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {"benchmark": name, **facts(), **further, "rows": [dict(row) for row in rows]}
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def load(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """Read one kind of benchmark back; None where it was not run."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _processor() -> str:
    """Name of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
