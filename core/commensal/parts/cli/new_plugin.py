"""``commensal new-plugin``: writes the first version of a plugin into a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..plugin_kit.template.new_plugin import new_plugin
from ..terminal.shell import print_line, spoken
from .commands import COMMANDS


def add_to(app: typer.Typer) -> None:
    @app.command("new-plugin")
    def new_plugin_command(
        plugin: Annotated[str, typer.Argument(help="Its id: small letters, digits and underscores.")],
        payment: Annotated[bool, typer.Option("--payment", help="A way to pay.")] = False,
        shipping: Annotated[bool, typer.Option("--shipping", help="A way for the goods to reach customers.")] = False,
        price: Annotated[bool, typer.Option("--price", help="A fee, a discount.")] = False,
        report: Annotated[bool, typer.Option("--report", help="A list for whoever runs a shop.")] = False,
        page: Annotated[bool, typer.Option("--page", help="A page for visitors.")] = False,
        event: Annotated[bool, typer.Option("--event", help="Tells another service what happens.")] = False,
        field: Annotated[bool, typer.Option("--field", help="Fields of products and orders.")] = False,
        table: Annotated[bool, typer.Option("--table", help="A table, and a page with a form in the office.")] = False,
        message: Annotated[bool, typer.Option("--message", help="Messages to partner instances.")] = False,
        endpoint: Annotated[
            bool, typer.Option("--endpoint", help="Endpoints of the API, for a device or a program.")
        ] = False,
        folder: Annotated[Path | None, typer.Option(help="Where to write it; else into commensal-ID here.")] = None,
    ) -> None:
        """Writes a new plugin of one kind: it installs, does something small, and tests it."""
        kinds = {
            "payment": payment,
            "shipping": shipping,
            "price": price,
            "report": report,
            "page": page,
            "event": event,
            "field": field,
            "table": table,
            "message": message,
            "endpoint": endpoint,
        }
        chosen = [kind for kind, selected in kinds.items() if selected]
        if len(chosen) != 1:
            options = f"--{', --'.join(kinds)}"
            raise typer.BadParameter(spoken("say which kind, one of {options}.", options=options), param_hint="kind")
        place = folder or Path(f"commensal-{plugin.replace('_', '-')}")
        try:
            files = new_plugin(plugin, chosen[0], place, taken=COMMANDS)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="ID") from error
        for file in files:
            typer.echo(place / file)
        typer.echo()
        print_line("Now: {commands}", commands=f"cd {place} && pip install -e '.[dev]' && pytest")
