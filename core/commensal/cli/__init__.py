"""The command ``commensal``: one file for each of its commands."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from ..base.errors import CommensalError, Unavailable
from ..base.languages.shell import told
from ..base.logs import configure_logs
from .called import Called

app = typer.Typer(
    help="A federation of independent instances for short food chains. Plugins bring commands of their own, under "
    "their ids.",
    no_args_is_help=True,
    add_completion=False,
    cls=Called,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"commensal {version('commensal')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version  # it has its own callback, and commands are found when they are called


def main() -> None:
    """Runs a command. Errors of ours, of disks and of databases are told in a sentence; everything else keeps its
    traceback."""
    # Answers go to stdout, logs do not. `serve` and `work` configure them anew, as instance.toml says.
    configure_logs(sys.stderr, level="warning")
    try:
        app()
    except Unavailable as error:
        from .trouble import format_value

        _end(error, format_value(error) or told(error))
    except CommensalError as error:
        _end(error, told(error))
    except Exception as error:
        from .trouble import format_value  # it knows drivers, which most commands can do without

        if not (said := format_value(error)):
            raise
        _end(error, said)


def _end(error: Exception, said: str) -> NoReturn:
    named = f"[red]{type(error).__name__}[/red]: {escape(said)}"
    Console(stderr=True).print(named, highlight=False, soft_wrap=not sys.stderr.isatty())
    sys.exit(1)
