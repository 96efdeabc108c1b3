"""``commensal export`` and ``commensal import``: move an instance to another server or database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ...base.clock import SystemClock
from ..backups.export import ExportResult, export, import_instance
from ..terminal.lists import console
from ..terminal.shell import spoken
from .backup import ProvingKey, Unproven, print_restored, refuse_both
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("export")
    def export_command(
        file: Annotated[Path, typer.Argument(help="The new archive, like instance.zip.")], instance: Folder = HERE
    ) -> None:
        """Writes the whole instance into one archive, which SQLite and PostgreSQL read alike."""
        exported = export(instance, file, clock=SystemClock())
        rows = sum(exported.manifest.counts.values())
        console.print(spoken("[green]written[/green] {file}: {rows:,} rows.", file=file, rows=rows), soft_wrap=True)
        console.print(
            spoken(
                "[bold yellow]It holds secrets[/bold yellow]: what people have told, and the keys that enterprises have"
                " set for their plugins, as those of payment providers. Only you can read it; keep it so, and delete it"
                " once it has arrived."
            ),
            soft_wrap=True,
        )
        for line in _left_out(exported):
            console.print(line, markup=False, soft_wrap=True)
        console.print(spoken("From here on, only one of the two instances may serve."))

    @app.command("import")
    def import_command(
        file: Annotated[Path, typer.Argument(help="A file that `commensal export` wrote.")],
        instance: Annotated[Path, typer.Option("--instance", help="A new or empty folder.", file_okay=False)],
        database: Annotated[str, typer.Option(help="The URL of an empty PostgreSQL database; else SQLite.")] = "",
        key: ProvingKey = None,
        unproven: Unproven = False,
    ) -> None:
        """Makes an instance from an export, in a new folder and in either database."""
        refuse_both(key, unproven=unproven)
        imported = import_instance(file, instance, database=database, key=key, unproven=unproven, clock=SystemClock())
        print_restored(imported, instance)


def _left_out(exported: ExportResult) -> Iterator[str]:
    if exported.manifest.left_out:
        yield spoken("Not in the archive; copy them yourself: {keys}.", keys=", ".join(exported.manifest.left_out))
    if exported.left_behind:
        yield spoken(
            "Not in the archive, since their plugins are not enabled: {names}.", names=", ".join(exported.left_behind)
        )
