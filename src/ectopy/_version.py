"""The version, in one place."""

from __future__ import annotations

from pathlib import Path

__version__ = "0.1.0"

_RECORDED = "src/ectopy/weights/*/*"
_SOURCES = ("src", f":(exclude){_RECORDED}/results/*", f":(exclude){_RECORDED}/README.md")


def code_version() -> str:
    """Version of the code, with the commit where it runs from a checkout.

    Returns
    -------
    str
        Such as ``"0.1.0"``, ``"0.1.0+g1a2b3c4"``, or ``"0.1.0+g1a2b3c4.dirty"`` where the sources
        differ from the commit. Measured results that are kept with weights are no sources.
    """
    import subprocess  # takes as long to load as all that `import ectopy` needs

    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return __version__
    try:
        commit = _git(root, "rev-parse", "--short", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", *_SOURCES)
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__}+g{commit}{'.dirty' if changed else ''}"


def _git(root: Path, *arguments: str) -> str:
    import subprocess

    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed commands on our own folder
    return done.stdout.strip()
