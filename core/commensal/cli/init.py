"""``commensal init``: a new instance in a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from ..instance.begin import USUAL, begin_instance
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("init")
    def init(
        instance: Folder = HERE,
        name: Annotated[str, typer.Option(prompt="What do people call this instance?")] = "",
        base_url: Annotated[
            str, typer.Option(prompt="Under which address do they reach it?")
        ] = "http://127.0.0.1:8000",
        language: Annotated[str, typer.Option(prompt="Which language by default (fr, en)?")] = "fr",
        timezone: Annotated[str, typer.Option(prompt="Which time zone?")] = "Europe/Paris",
        sender: Annotated[str, typer.Option(prompt="From which address are e-mails sent?")] = "commensal@localhost",
        database: Annotated[str, typer.Option(help="A PostgreSQL URL; empty for SQLite.")] = "",
        port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
        plugin: Annotated[list[str] | None, typer.Option(help="An installed plugin to enable too.")] = None,
    ) -> None:
        """Makes a new instance: settings, database. Asks what it is not told."""
        begin_instance(
            instance, name=name, base_url=base_url, language=language, timezone=timezone, sender=sender,
            database=database, port=port, plugins=tuple(dict.fromkeys([*USUAL, *(plugin or [])])),
        )  # fmt: skip
        typer.echo(f"The instance is in {instance.resolve()}. Start it with: commensal serve --instance {instance}")
