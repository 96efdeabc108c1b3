"""Commands of the plugin: ``commensal federation …``. Each room adds its own."""

from __future__ import annotations

import typer

from commensal import hookimpl

from .dfc.commands import dfc
from .identity.commands import add_keys


@hookimpl
def commands(app: typer.Typer) -> None:
    """Adds one group of commands for each room."""
    add_keys(app)
    app.add_typer(dfc, name="dfc")
