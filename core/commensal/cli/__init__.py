"""The command ``commensal``: one file for each of its commands."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from ..errors import CommensalError
from ..logs import configure_logs
from . import (
    audit,
    backup,
    check,
    demo,
    enterprise,
    export,
    hooks,
    init,
    jobs,
    migrate,
    new_plugin,
    person,
    plugins,
    product_list,
    report,
    sale,
    serve,
    token,
    upgrade,
    user,
    work,
)
from .of_plugins import WithPlugins

app = typer.Typer(
    help="A federation of independent instances for short food chains. Plugins bring commands of their own, under "
    "their ids.",
    no_args_is_help=True,
    add_completion=False,
    cls=WithPlugins,
)
_ROOMS = (
    init, user, token, enterprise, product_list, report, sale, plugins, hooks, new_plugin, serve, work, jobs, migrate,
    upgrade, check, audit, person, backup, export, demo,
)  # fmt: skip
for _room in _ROOMS:
    _room.add_to(app)


def main() -> None:
    """Runs a command. Errors of ours are told in a sentence; everything else keeps its traceback."""
    # Answers go to stdout, logs do not. `serve` and `work` configure them anew, as instance.toml says.
    configure_logs(sys.stderr, level="warning")
    try:
        app()
    except CommensalError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False)
        sys.exit(1)
