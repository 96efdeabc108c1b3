"""``commensal migrate``: migrates the database to this version."""

from __future__ import annotations

import typer

from ...instance import open_instance
from ..terminal.shell import print_line
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("migrate")
    def migrate(instance: Folder = HERE) -> None:
        """Makes the tables of a new database, or brings them to this version without a backup; see upgrade."""
        with open_instance(instance, upgrade=True):
            print_line("The database is up to date.")
