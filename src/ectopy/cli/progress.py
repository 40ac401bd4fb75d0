"""Say on the terminal how far long work has come, and how long it will take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console


@contextmanager
def shown_progress(console: Console | None = None) -> Iterator[Callable[[str, float], None]]:
    """Draw a bar with the time left for each thing that is done, and take it away at the end.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to; unless given standard error. Nothing is drawn where that is no terminal.

    Yields
    ------
    callable
        Takes what is being done, and how much of it is done, from 0 to 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeLeft())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        tasks = {}

        def tell(what: str, done: float) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=1.0)
            bars.update(tasks[what], completed=done)

        yield tell
