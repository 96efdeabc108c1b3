"""``commensal settings``: prints every setting with its meaning and default."""

from __future__ import annotations

import typer

from ..setup.named_files import project_file


def add_to(app: typer.Typer) -> None:
    @app.command("settings")
    def settings() -> None:
        """Prints every setting with its type, meaning and default, as a file instance.toml. Needs no instance."""
        typer.echo(project_file("instance.example.toml").read_text(encoding="utf-8"), nl=False)
