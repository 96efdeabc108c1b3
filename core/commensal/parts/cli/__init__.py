"""The command ``commensal``, with a module for each of its subcommands."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ...base.errors import CommensalError, Unavailable
from ...base.logs import configure_logs
from ..terminal.shell import told
from .commands import CommandGroup

app = typer.Typer(
    help="A federation of independent instances for short food chains. Plugins bring commands of their own, under "
    "their ids.",
    no_args_is_help=True,
    add_completion=False,
    cls=CommandGroup,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"commensal {version('commensal')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version  # its own callback handles it


def main() -> None:
    """Runs a command. Prints errors of Commensal, of disks and of databases as a sentence; other errors keep their
    traceback."""
    # Output goes to stdout, logs to stderr. `serve` and `work` configure logs again from instance.toml.
    configure_logs(sys.stderr, level="warning")
    try:
        app()
    except Exception as error:
        if not (sentence := sentence_about(error)):
            raise
        line = f"[red]{type(error).__name__}[/red]: {escape(sentence)}"
        Console(stderr=True).print(line, highlight=False, soft_wrap=not sys.stderr.isatty())
        sys.exit(1)


def sentence_about(error: Exception) -> str:
    """What an operator reads of an error, in the language of the shell; "" for a fault of the program."""
    if isinstance(error, CommensalError) and not isinstance(error, Unavailable):
        return told(error)
    from .output import explain_error  # it imports database drivers, which most commands do not need

    return explain_error(error) or (told(error) if isinstance(error, Unavailable) else "")
