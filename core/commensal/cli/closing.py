"""``commensal enterprise closing``: shows and changes what happens at the cut-offs of a hub's sales."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..base.languages.shell import spoken
from ..instance import open_instance
from ..interfaces.terminal import print_table
from ..trade.supply.policy import change_closing_policy, closing_policy_of
from .folder import HERE, Folder
from .named import named_enterprise


def add_to(app: typer.Typer) -> None:
    @app.command("closing")
    def closing_command(
        hub: Annotated[str, typer.Argument(help="The hub: its id or its name in addresses.")],
        telling: Annotated[
            str | None, typer.Option(help='When suppliers get their orders: "at the cut-off", or "by hand".')
        ] = None,
        shortage: Annotated[
            str | None, typer.Option(help='Whose order shrinks: "newest first", "pro rata", or "by hand".')
        ] = None,
        final_mail: Annotated[bool | None, typer.Option(help="Mail customers their final order.")] = None,
        reminder: Annotated[bool | None, typer.Option(help="Remind them on the evening before.")] = None,
        instance: Folder = HERE,
    ) -> None:
        """Shows what happens at the cut-offs of a hub's sales. With options, changes it."""
        options = {"telling": telling, "shortage": shortage, "final_mail": final_mail, "reminder": reminder}
        changes: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                enterprise_id = named_enterprise(tx, hub).id
                policy = closing_policy_of(tx, enterprise_id)
            if changes:
                with opened.store.write() as tx:
                    policy = change_closing_policy(tx, enterprise_id, **changes)
        rows = [
            ("--telling", policy.telling),
            ("--shortage", policy.shortage),
            ("--final-mail", spoken("yes") if policy.final_mail else spoken("no")),
            ("--reminder", spoken("yes") if policy.reminder else spoken("no")),
        ]
        print_table((spoken("option"), spoken("now")), rows, one_line=[spoken("option")])
