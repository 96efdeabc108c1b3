"""``commensal sale``: opens, lists and closes sales, and prints their distribution."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ...base.errors import Conflict
from ...catalogs.catalogs import catalogs_of
from ...catalogs.items import producers_in
from ...instance import open_instance
from ...orders.fulfil import complete_due
from ...sale_sessions.coordinations import change_coordination, open_coordination
from ...sale_sessions.on_sale import put_on_sale
from ...sale_sessions.questions import coordination_by_id, sale_by_id, sales_of_instance
from ...sale_sessions.sessions import add_session
from ...sale_sessions.values import Supplier
from ..distribution.distribution import parcels, product_totals
from ..supply.reopening import reopen_sale
from ..terminal.lists import console, print_distribution, print_sales
from ..terminal.shell import spoken
from .named import HERE, Folder, moment, named_enterprise

Session = Annotated[str, typer.Argument(help="The id that `commensal sale list` shows.")]
Closes = Annotated[
    str, typer.Option(help="When orders close, by its clocks: '2026-06-06 20:00', or the next 'thursday 20:00'.")
]
Begins = Annotated[
    str,
    typer.Option(help="When the distribution begins, by its clocks: '2026-06-06 20:00', or the next 'thursday 20:00'."),
]
Ends = Annotated[
    str, typer.Option(help="When it ends, by its clocks: '2026-06-06 20:00', or the next 'thursday 20:00'.")
]


class SaleState(StrEnum):
    OPEN = "open"
    COMING = "coming"
    OVER = "over"


def add_to(app: typer.Typer) -> None:
    sale = typer.Typer(help="Sales: open, list, close, and who gets what.")
    app.add_typer(sale, name="sale")

    @sale.command("open")
    def open_command(
        enterprise: Annotated[str, typer.Argument(help="Who sells: its id or slug.")],
        closes: Closes,
        begins: Begins,
        ends: Ends,
        name: Annotated[str, typer.Option(help="What the sale is called.")] = "Vente",
        rhythm: Annotated[str | None, typer.Option(help="How it comes back (RFC 5545), like FREQ=WEEKLY.")] = None,
        empty: Annotated[bool, typer.Option("--empty", help="Open it even if nothing is on sale yet.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Opens a sale now, with everything in the enterprise's first catalog that may be sold."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop = named_enterprise(tx, enterprise)
            catalog = catalogs_of(tx, shop.id)[0]
            closes_at = moment(closes, shop.timezone, "--closes", after=tx.now)
            begins_at = moment(begins, shop.timezone, "--begins", after=closes_at)
            ends_at = moment(ends, shop.timezone, "--ends", after=begins_at)
            coordination = open_coordination(
                tx,
                coordinator_id=shop.id,
                name=name,
                opens_at=tx.now,
                rhythm=rhythm,
                closes_at=closes_at,
                suppliers=[Supplier(enterprise_id=id) for id in producers_in(tx, shop.id, catalog.id)],
            )
            session = add_session(
                tx,
                coordination.id,
                shop.id,
                shop_id=shop.id,
                catalog_id=catalog.id,
                begins_at=begins_at,
                ends_at=ends_at,
            )
            count = put_on_sale(tx, session.id, shop.id)
            if not count and not empty:
                text = "{shop} may sell nothing of {catalog} yet. Import products first, or open it with --empty."
                raise Conflict("nothing_on_sale", text, shop=shop.name, catalog=catalog.name)
            address = f"{opened.settings.base_url}/sales/{session.id}"
        console.print(spoken("{count} items are on sale at {address}", count=count, address=address))

    @sale.command("list")
    def list_command(
        state: Annotated[SaleState | None, typer.Option(help="Only those that are open, to come, or over.")] = None,
        limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 200,
        instance: Folder = HERE,
    ) -> None:
        """Lists the sales that are open, those to come, and those that are over, the latest first."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            sales = sales_of_instance(tx, state.value if state else None, limit=limit)
            print_sales(sales, opened.settings.language, tx.now)

    @sale.command("close")
    def close_command(session: Session, instance: Folder = HERE) -> None:
        """Closes a sale now: its orders are complete, and cannot be changed by their customers any more."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            closing_session = sale_by_id(tx, session).session
            coordination = coordination_by_id(tx, closing_session.coordination_id, closing_session.coordinator_id)
            change_coordination(
                tx, coordination.id, coordination.coordinator_id, coordination.version, closes_at=tx.now
            )
            complete_due(tx)
        text = "{name} is closed. Who gets what: commensal sale distribution {session}"
        console.print(spoken(text, name=closing_session.name, session=session))

    @sale.command("reopen")
    def reopen_command(session: Session, closes: Closes, instance: Folder = HERE) -> None:
        """Opens a closed sale again, before its distribution begins."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            sale_of_shop = sale_by_id(tx, session)
            closed_session = sale_of_shop.session
            closed = coordination_by_id(tx, closed_session.coordination_id, closed_session.coordinator_id)
            closes_at = moment(closes, sale_of_shop.shop.timezone, "--closes", after=tx.now)
            reopen_sale(tx, opened.hooks, closed.id, closed.coordinator_id, closed.version, closes_at)
        console.print(spoken("{name} is open again.", name=closed_session.name))

    @sale.command("distribution")
    def distribution(session: Session, instance: Folder = HERE) -> None:
        """Prints who gets what at a sale's distribution, and what each supplier brings."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop = sale_by_id(tx, session).shop
            shares, deliveries = parcels(tx, shop.id, session), product_totals(tx, shop.id, session)
            print_distribution(shares, deliveries, currency=shop.currency, language=opened.settings.language)
