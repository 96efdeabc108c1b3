"""Events and questions of the core that concern several rooms, each after the other."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from commensal import Event, Instance, SaleSession, StockLot, Transaction, hookimpl

from .catalogue.grantor import send_changed_items, send_stock_level
from .catalogue.listings import note_prices_of_items
from .linked_catalogues.backorders.plan import plan_session
from .linked_catalogues.tables import federation_linked_producer
from .orders.hub import producers_of, send_session_orders
from .platforms.notifying import notify_of_change
from .runtime import federation_of


@hookimpl
def listing_changed(instance: Instance, event: Event, item_ids: Sequence[str]) -> None:
    """Sends changed items to the hubs that may see them, and notifies platforms of a change. Of goods from elsewhere
    that people have listed, it notes what the hub pays."""
    federation = federation_of(instance)
    send_changed_items(federation, event.enterprise_id, item_ids)
    with instance.store.write() as tx:
        note_prices_of_items(federation, tx, event.enterprise_id, item_ids)
        notify_of_change(federation, tx, event.enterprise_id)


@hookimpl
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    """Sends hubs the obtainable stock, and notifies platforms of a change."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        send_stock_level(federation, tx, lot)
        notify_of_change(federation, tx, event.enterprise_id)


@hookimpl
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    """Sends the final orders to producers at once. Orders at linked platforms follow when the queued ones are done."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        send_session_orders(federation, tx, sale.id)
        plan_session(tx, sale.id)


@hookimpl
def ordered_by_plugin(tx: Transaction, enterprise_id: str, supplier_ids: Sequence[str]) -> Sequence[str]:
    """Returns the suppliers that are copies of this shop's producers at peers, or at linked platforms."""
    linked = federation_linked_producer.c
    copies = {producer.enterprise_id for producer in producers_of(tx, enterprise_id)}
    copies |= {
        row["producer_id"] for row in tx.all(select(linked.producer_id).where(linked.enterprise_id == enterprise_id))
    }
    return [supplier_id for supplier_id in supplier_ids if supplier_id in copies]
