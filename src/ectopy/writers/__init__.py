"""The files an analysis leaves: annotations, tables and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.writers.annotations import write_annotations
from ectopy.writers.output import staging
from ectopy.writers.picture import write_picture
from ectopy.writers.tables import write_csv, write_json

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ectopy.analysis import Analysis

__all__ = ["write_all", "write_annotations", "write_csv", "write_json", "write_picture"]


def write_all(
    analysis: Analysis, out_dir: str | os.PathLike[str], *, picture: bool = True
) -> dict[str, Path]:
    """Write every output file of an analysis, or none.

    The files are first written into a temporary folder inside `out_dir` and take their places, and
    those of earlier results, only when all are complete. Where that fails, `out_dir` stays as it
    was, or missing.

    Parameters
    ----------
    analysis : Analysis
    out_dir : path
        Folder for the files; made, with its parents, where it is missing.
    picture : bool
        Whether to draw the picture as well.

    Returns
    -------
    dict of str to Path
        The files `annotations` (`<recording>.ectopy`), `csv`, `json` and `picture` (`.png`).

    Raises
    ------
    OutputError
        If the files cannot be written there.
    """
    writers: dict[str, Callable[[Analysis, Path], Path]] = {
        "annotations": write_annotations,
        "csv": write_csv,
        "json": write_json,
    }
    if picture:
        writers["picture"] = write_picture

    target = Path(out_dir)
    with staging(target, make=True) as staged:
        files = {kind: write(analysis, staged) for kind, write in writers.items()}
    return {kind: target / file.name for kind, file in files.items()}
