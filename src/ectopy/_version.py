"""The version, in one place."""

from __future__ import annotations

import subprocess
from pathlib import Path

__version__ = "0.1.0"


def code_version() -> str:
    """Version of the code, with the commit where it runs from a checkout.

    Returns
    -------
    str
        Such as ``"0.1.0"``, ``"0.1.0+g1a2b3c4"``, or ``"0.1.0+g1a2b3c4.dirty"`` where the sources
        differ from the commit.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return __version__
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=.dirty", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - a fixed command on our own folder
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__}+g{found.stdout.strip()}"
