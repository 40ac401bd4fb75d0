"""The files an analysis leaves: annotations, tables, a report and pictures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.defaults import DEFAULT_FILES
from ectopy.errors import MissingExtra, OutputError
from ectopy.writers.annotations import write_annotations
from ectopy.writers.output import staging
from ectopy.writers.parquet import write_parquet
from ectopy.writers.picture import write_picture, write_svg
from ectopy.writers.report import write_report
from ectopy.writers.tables import write_csv, write_json

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from ectopy.analysis import Analysis

__all__ = [
    "DEFAULT_FILES",
    "FILES",
    "check_files",
    "write_all",
    "write_annotations",
    "write_csv",
    "write_json",
    "write_parquet",
    "write_picture",
    "write_report",
    "write_svg",
]

FILES: dict[str, Callable[[Analysis, Path], Path]] = {
    "annotations": write_annotations,
    "csv": write_csv,
    "json": write_json,
    "html": write_report,
    "png": write_picture,
    "svg": write_svg,
    "parquet": write_parquet,
}
"""Every kind of file, and what writes it."""


def check_files(files: Iterable[str]) -> tuple[str, ...]:
    """Give the kinds of files in the order of `FILES`, each once.

    Parameters
    ----------
    files : iterable of str
        Names out of `FILES`.

    Raises
    ------
    OutputError
        If there is none, or one is unknown.
    MissingExtra
        If what one needs is not installed.

    Examples
    --------
    >>> check_files(["csv", "annotations", "csv"])
    ('annotations', 'csv')
    """
    if isinstance(files, str):
        msg = f"files = {files!r}; expected a list of names out of {', '.join(FILES)}"
        raise OutputError(msg)
    wanted = list(files)
    unknown = [name for name in wanted if name not in FILES]
    if unknown or not wanted:
        what = f"no kind of file {unknown[0]!r}" if unknown else "no kind of file is named"
        msg = f"{what}; name some of {', '.join(FILES)}"
        raise OutputError(msg)
    if "parquet" in wanted and find_spec("pyarrow") is None:
        msg = "a Parquet file needs pyarrow; install it with: pip install 'ectopy[parquet]'"
        raise MissingExtra(msg)
    return tuple(name for name in FILES if name in wanted)


def write_all(
    analysis: Analysis,
    out_dir: str | os.PathLike[str],
    *,
    files: Iterable[str] = DEFAULT_FILES,
    seen: Callable[[float], None] | None = None,
) -> dict[str, Path]:
    """Write the output files of an analysis, or none.

    The files are first written into a temporary folder inside `out_dir` and take their places, and
    those of earlier results, only when all are complete. Where that fails, `out_dir` stays as it
    was, or missing.

    Parameters
    ----------
    analysis : Analysis
    out_dir : path
        Folder for the files; made, with its parents, where it is missing.
    files : iterable of str
        Which ones: of `annotations` (`<recording>.ectopy`), `csv`, `json`, `html` (the report),
        `png` and `svg` (the page of `write_picture`), and `parquet`. All but the last two unless
        given.
    seen : callable, optional
        Is told how much is written after each file, up to 1.

    Returns
    -------
    dict of str to Path
        The files that were asked for, in the order above.

    Raises
    ------
    OutputError, MissingExtra
        If a name is unknown, something is not installed, or the files cannot be written there.
    """
    chosen = check_files(files)
    target = Path(out_dir)
    with staging(target, make=True) as staged:
        written = {}
        for kind in chosen:
            written[kind] = FILES[kind](analysis, staged)
            if seen is not None:
                seen(len(written) / len(chosen))
    return {kind: target / file.name for kind, file in written.items()}
