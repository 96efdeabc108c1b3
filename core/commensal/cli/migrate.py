"""``commensal migrate``: brings the database to this version."""

from __future__ import annotations

import typer

from ..instance import open_instance
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("migrate")
    def migrate(instance: Folder = HERE) -> None:
        """Brings the database of the instance, and its plugins' tables, to this version."""
        with open_instance(instance, upgrade=True):
            typer.echo("The database is up to date.")
