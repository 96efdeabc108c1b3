"""``commensal hooks``: prints the reference of hooks, which is also the page plugins/HOOKS.md."""

from __future__ import annotations

import typer

from ..plugin_kit.describing import hooks_page


def add_to(app: typer.Typer) -> None:
    @app.command("hooks")
    def hooks() -> None:
        """Prints every hook with its contract, in Markdown. Needs no instance."""
        typer.echo(hooks_page(), nl=False)
