"""``commensal sales`` and ``commensal distribution``: what is on sale, and who gets what."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from ..instance import open_instance
from ..orders.distribution import heaps, parcels
from ..printing import print_distribution, print_sales
from ..sale_sessions.questions import sale_by_id, sales
from .folder import HERE, Folder

_console = Console(highlight=False)


def add_to(app: typer.Typer) -> None:
    @app.command("sales")
    def sales_command(instance: Folder = HERE) -> None:
        """Lists the sales that are open or still to open."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            print_sales(_console, sales(tx, openness="both", limit=200), opened.settings.language)

    @app.command("distribution")
    def distribution(
        session: Annotated[str, typer.Argument(help="The id that `commensal sales` shows.")], instance: Folder = HERE
    ) -> None:
        """Prints who gets what at a sale's distribution, and what each supplier brings."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop = sale_by_id(tx, session).shop
            print_distribution(
                _console,
                parcels(tx, shop.id, session),
                heaps(tx, shop.id, session),
                currency=shop.currency,
                language=opened.settings.language,
            )
