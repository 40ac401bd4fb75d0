"""The command line: one file a command, each thin over the Python interface.

Everything heavy is imported inside the commands, so that `ectopy --help` is quick.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ectopy._version import __version__
from ectopy.cli import (
    analyze,
    compare,
    data,
    demo,
    evaluate,
    explain,
    models,
    score,
    simulate,
    stream,
    train,
)
from ectopy.errors import EctopyError, OutputError

USER_ERROR = 2
INTERRUPTED = 130
TERMINATED = 143


class _Group(TyperGroup):
    """The commands, with one answer to what can end any of them."""

    def invoke(self, ctx: Any) -> Any:  # click's own types, which typer has begun to bundle
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Here, since typer itself would stop without a word, and some versions with status 1.
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            # Files have names. A reader that has seen enough (`| head`) is left to typer: silence.
            if error.filename is not None or error.errno == errno.EPIPE:
                raise
            _drop_output()
            msg = (
                f"cannot print the results: {(error.strerror or str(error)).lower()}; "
                "send them where there is space left"
            )
            raise OutputError(msg) from error


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, or Python would fail on it again at its end."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


app = typer.Typer(
    name="ectopy",
    cls=_Group,
    help="Find, class and explain every heartbeat of an ECG recording. "
    "Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("compare")(compare.compare)
app.command("demo")(demo.demo)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("models")(models.models)
app.command("score")(score.score)
app.command("simulate")(simulate.simulate)
app.command("stream")(stream.stream)
app.command("train")(train.train)
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"ectopy {__version__}")
        raise typer.Exit


def _stop(_signal: int, _frame: Any) -> None:
    """End as an exception does, so that temporary files and folders are removed."""
    raise SystemExit(TERMINATED)


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr and exit status 2."""
    signal.signal(signal.SIGTERM, _stop)
    if isinstance(sys.stdout, TextIOWrapper):
        # A file name may hold what the terminal's encoding does not, and is still to be shown.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except EctopyError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(USER_ERROR)
