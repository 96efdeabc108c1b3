"""Bank statements on the command line: ``commensal bank_transfer import|open|settle``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commensal import (
    HERE,
    Folder,
    Money,
    hookimpl,
    named_enterprise,
    open_file_of_caller,
    open_instance,
    plugin_settings,
    print_line,
)

from .entries import entries, settle
from .importing import import_movements
from .settings import Settings
from .statements.read import read_movements

_Shop = Annotated[str, typer.Option("--enterprise", help="The shop: its id or its name in addresses.")]


@hookimpl
def commands(app: typer.Typer) -> None:
    @app.command("import")
    def import_statement(
        file: Annotated[Path, typer.Argument(help="CSV or camt.053.", exists=True, dir_okay=False)],
        enterprise: _Shop,
        instance: Folder = HERE,
    ) -> None:
        """Imports a statement of the shop's account; importing it twice records nothing twice."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                shop = named_enterprise(tx, enterprise)
                settings = plugin_settings(tx, opened.hooks, shop.id, "bank_transfer", Settings)
            with open_file_of_caller(file) as stream:
                content = stream.read()
            movements = read_movements(content, settings, shop.currency)
            result = opened.store.transact(lambda tx: import_movements(tx, shop.id, movements))
        print_line(
            "recorded {recorded}, waiting for you {waiting}, known before {known}",
            recorded=result.matched,
            waiting=result.open,
            known=result.known,
        )
        if result.outgoing:
            print_line("outgoing, to decide in the office: {number}", number=result.outgoing)

    @app.command("open")
    def open_entries(enterprise: _Shop, instance: Folder = HERE) -> None:
        """Lists credits without a valid reference."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for credit in entries(tx, named_enterprise(tx, enterprise).id, limit=200):
                amount = Money(credit.amount, credit.currency)
                typer.echo(f"{credit.id}  {credit.booked_on}  {amount}  {credit.payer}  {credit.text}")

    @app.command("settle")
    def settle_entry(
        entry: Annotated[str, typer.Argument(help="The id of the credit.")],
        order: Annotated[int, typer.Option(help="The number of the order that it is for.")],
        enterprise: _Shop,
        instance: Folder = HERE,
    ) -> None:
        """Records a credit for an order."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            settle(tx, named_enterprise(tx, enterprise).id, entry, order, person_id=None)
        print_line("Recorded for order {number}.", number=order)

    del import_statement, open_entries, settle_entry
