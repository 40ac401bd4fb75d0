"""`ectopy data`: fetch, verify and list the databases."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ectopy.data.transfer import FetchProgress

app = typer.Typer(
    help="Fetch and check the databases that models are trained and measured on.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Database, such as mitdb; `ectopy data list` has all.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the database's files; if not given, the folder of that name below "
        "ECTOPY_DATA or the user cache.",
        show_default=False,
    ),
]


@app.command()
def fetch(
    name: Name,
    folder: Folder = None,
    connections: Annotated[
        int, typer.Option(help="Files to download at the same time, 1 to 16.")
    ] = 4,
) -> None:
    """Download a database, check every file, and say what it asks of you.

    Files that are there and right are left alone; what was broken off goes on where it ended.
    """
    from ectopy.data.fetch import fetch as fetch_database
    from ectopy.data.registry import get_database

    database = get_database(name)
    with _progress_bar(database.name) as progress:
        place = fetch_database(database, folder, connections=connections, progress=progress)
    _say(
        f"{database.name} {database.version}: all {len(database.files)} files are right in {place}"
    )
    _say(f"Licence: {database.licence}")
    _say(f"Cite: {database.citation}")


@app.command()
def verify(name: Name, folder: Folder = None) -> None:
    """Check every file of a database against its SHA-256."""
    from ectopy.data.fetch import verify as verify_database
    from ectopy.data.registry import get_database
    from ectopy.errors import DataError

    report = verify_database(get_database(name), folder)
    if not report.ok:
        raise DataError(report.describe())
    _say(report.describe())


@app.command("list")
def list_databases() -> None:
    """Name the databases, their licences and their folders."""
    from ectopy.data.registry import DATABASES, database_dir

    for name, database in DATABASES.items():
        folder = database_dir(name)
        there = sum((folder / file).is_file() for file in database.files)
        _say(f"{name} {database.version}: {database.title}")
        _say(f"  {database.licence}")
        _say(f"  {there} of {len(database.files)} files in {folder}")


def _say(line: str) -> None:
    from rich.console import Console

    # Folder names may hold brackets, which are not markup, and must not be broken into lines.
    Console(markup=False, highlight=False, emoji=False, soft_wrap=True).print(line)


@contextmanager
def _progress_bar(name: str) -> Iterator[Callable[[FetchProgress], None]]:
    """Show files and bytes on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.filesize import decimal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[received]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"fetching {name}", total=None, received=decimal(0))

        def show(state: FetchProgress) -> None:
            bar.update(
                task,
                completed=state.files_done,
                total=state.files_total,
                received=decimal(state.bytes_received),
            )

        yield show
