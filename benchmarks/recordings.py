"""Simulated recordings for the benchmarks, made once and kept in a folder that git ignores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import run_process

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parents[1] / "out" / "bench"


def recording(
    hours: float,
    *,
    seed: int,
    dropouts_per_hour: float = 0.0,
    folder: Path = FOLDER,
    there: Mapping[float, Path] | None = None,
) -> Path:
    """Path of a WFDB record of that length, without suffix; simulated where it is not there yet.

    Parameters
    ----------
    hours : float
    seed : int
    dropouts_per_hour : float
        Times an hour that an electrode comes off.
    folder : Path
        Where recordings are kept.
    there : mapping of float to Path, optional
        Records to take for some lengths instead.
    """
    if there and hours in there:
        return there[hours]
    name = f"simulated_{60 * hours:g}min_seed{seed}_dropouts{dropouts_per_hour:g}"
    record = folder / name.replace(".", "_")  # WFDB allows no other signs in names
    if not record.with_name(f"{record.name}.hea").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"simulating {hours:g} h, once", flush=True)
        settings = ["--hours", f"{hours:g}", "--seed", str(seed)]
        drop_outs = ["--dropouts", f"{dropouts_per_hour:g}"]
        command = [sys.executable, "-m", "ectopy", "simulate", str(record)]
        run_process([*command, *settings, *drop_outs])
    return record


def read_through(record: Path) -> None:
    """Read a record's signal once, so that every contestant finds it in the system's cache."""
    with record.with_name(f"{record.name}.dat").open("rb") as file:
        while file.read(1 << 24):
            pass


def given_records(pairs: list[str]) -> dict[float, Path]:
    """Records named on the command line as HOURS=PATH."""
    found = {}
    for pair in pairs:
        hours, _, path = pair.partition("=")
        try:
            found[float(hours)] = Path(path)
        except ValueError:
            sys.exit(f"--record {pair!r} is not HOURS=PATH, as in 24=out/long/day")
        if not Path(f"{path}.hea").is_file():
            sys.exit(f"there is no WFDB record {path!r}; name it without suffix")
    return found
