"""Events of the core on which several rooms act, each after the other."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Event, Instance, SaleSession, StockLot, hookimpl

from .catalogue.grantor import send_changed_items, send_stock_level
from .linked_catalogues.backorders.plan import plan_session
from .orders.hub import send_session_orders
from .platforms.notifying import notify_of_change
from .runtime import federation_of


@hookimpl
def listing_changed(instance: Instance, event: Event, item_ids: Sequence[str]) -> None:
    """Sends changed items to the hubs that may see them, and notifies platforms of a change."""
    federation = federation_of(instance)
    send_changed_items(federation, event.enterprise_id, item_ids)
    with instance.store.write() as tx:
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
