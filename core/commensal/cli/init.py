"""``commensal init``: a new instance in a folder, and what stands around it on a server."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingsError
from ..hosting import CONTAINER, UNITS, write_files, write_text
from ..instance.begin import USUAL, begin_instance
from ..languages.shell import print_line, spoken
from .folder import HERE, Folder


class Proxy(StrEnum):
    caddy = "caddy"
    nginx = "nginx"


def add_to(app: typer.Typer) -> None:
    @app.command("init")
    def init(
        instance: Folder = HERE,
        name: Annotated[str | None, typer.Option(help="What people call this instance.")] = None,
        base_url: Annotated[str | None, typer.Option(help="The address under which they reach it.")] = None,
        language: Annotated[str | None, typer.Option(help="By default: fr or en.")] = None,
        timezone: Annotated[str | None, typer.Option(help="Like Europe/Paris.")] = None,
        sender: Annotated[str | None, typer.Option(help="The address from which e-mails are sent.")] = None,
        database: Annotated[str, typer.Option(help="A PostgreSQL URL; empty for SQLite.")] = "",
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="The port to listen on; else the address's here, or 8000.")
        ] = None,
        backups: Annotated[
            Path | None, typer.Option(help="A folder, best on another disk, for a backup every night.", file_okay=False)
        ] = None,
        plugin: Annotated[list[str] | None, typer.Option(help="An installed plugin to enable too.")] = None,
        systemd: Annotated[bool, typer.Option("--systemd", help="Only print units of systemd for it.")] = False,
        proxy: Annotated[Proxy | None, typer.Option(help="Only print a reverse proxy's settings for it.")] = None,
        container: Annotated[bool, typer.Option("--container", help="Only print a Containerfile.")] = False,
        into: Annotated[Path | None, typer.Option(help="Write it into this folder instead.", exists=True)] = None,
    ) -> None:
        """Makes a new instance: settings, database. Asks what it is not told."""
        wanted = [*(UNITS if systemd else ()), *([proxy.value] if proxy else ()), *([CONTAINER] if container else ())]
        if into is not None:
            if not wanted:
                raise SettingsError("--into: say what to write there: --systemd, --proxy or --container.")
            for file in write_files(wanted, instance, into):
                print_line("Wrote {file}.", file=file)
            return
        if wanted:
            typer.echo("\n".join(write_text(one, instance) for one in wanted), nl=False)
            return
        begin_instance(
            instance,
            name=_asked(name, "What do people call this instance?"),
            base_url=_asked(base_url, "Under which address do they reach it?", "http://127.0.0.1:8000"),
            language=_asked(language, "Which language by default (fr, en)?", "fr"),
            timezone=_asked(timezone, "Which time zone?", "Europe/Paris"),
            sender=_asked(sender, "From which address are e-mails sent?", "commensal@localhost"),
            database=database, port=port, backups=backups.absolute() if backups else None,
            plugins=tuple(dict.fromkeys([*USUAL, *(plugin or [])])),
        )  # fmt: skip
        print_line(
            "The instance is in {folder}. Start it with: commensal serve --instance {instance}",
            folder=instance.resolve(), instance=instance,
        )  # fmt: skip
        if backups is None:
            print_line("Nobody backs it up: let backups.folder in instance.toml name a folder, best on another disk.")


def _asked(told: str | None, question: str, usual: str | None = None) -> str:
    return told if told is not None else str(typer.prompt(spoken(question), default=usual, prompt_suffix=" "))
