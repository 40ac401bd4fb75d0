"""The command line: one file a command, each thin over the Python interface.

Everything heavy is imported inside the commands, so that `ectopy --help` is quick.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ectopy._version import __version__
from ectopy.cli import analyze, data, demo, evaluate, models, train
from ectopy.errors import EctopyError

USER_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="ectopy",
    help="Find, class and explain every heartbeat of an ECG recording. "
    "Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("demo")(demo.demo)
app.command("evaluate")(evaluate.evaluate)
app.command("models")(models.models)
app.command("train")(train.train)
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"ectopy {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr and exit status 2."""
    try:
        app()
    except EctopyError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
