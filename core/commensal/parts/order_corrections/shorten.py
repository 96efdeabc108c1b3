"""Takes pieces that cannot be delivered off an order, also after the close."""

from __future__ import annotations

from collections.abc import Mapping

from ...base.errors import Conflict
from ...hooks.dispatcher import Hooks
from ...orders.cancel import cancel_order
from ...orders.emails import Withdrawn
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.proof import known_customer_of
from ...orders.rewrite import rewrite
from ...orders.sale_context import sale_context
from ...orders.values import Order
from ...pricing.lines import with_quantity
from ...storage.database import Transaction


def shorten_order(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    fewer: Mapping[str, int],
    *,
    by: str | None = None,
    withdrawn: Withdrawn | None = None,
) -> Order:
    """Takes `fewer` pieces (by line id) off the locked `order`, frees their stock and returns the order.

    If nothing remains, the order is cancelled. The customer gets an e-mail, which says what was `withdrawn`; what
    they paid too much is owed to them.

    Raises `Conflict` for an order that was handed over or cancelled, and for more pieces than a line has.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    pieces_before = {line.id: line.quantity for line in order.lines}
    if any(not 0 <= pieces <= pieces_before.get(line, 0) for line, pieces in fewer.items()):
        raise Conflict("too_many", "A line of this order has fewer pieces than are to be taken off.")
    lines = tuple(with_quantity(line, line.quantity - fewer.get(line.id, 0)) for line in order.lines)
    if not any(line.quantity for line in lines):
        return cancel_order(tx, hooks, order, by_hub=True, by=by, withdrawn=withdrawn)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    return rewrite(tx, hooks, shop, customer, order, lines, by=by, withdrawn=withdrawn)
