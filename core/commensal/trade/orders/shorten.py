"""Takes off an order what cannot be delivered, after the close too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...base.errors import Conflict
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..pricing.lines import priced
from .cancel import cancel_order
from .lock import refuse_if_handed_over, refuse_unless_placed
from .proof import known_of
from .rewrite import rewrite
from .selling import selling
from .values import Order


def shorten_order(
    tx: Transaction, hooks: Hooks, order: Order, fewer: Mapping[str, int], *, by: str | None = None
) -> Order:
    """The locked `order` with that many pieces `fewer`, by line id; what they held of their lots is free again.

    Where nothing is left the order is cancelled. The customer gets a mail; what they paid too much is owed to them.
    Raises `Conflict` for an order that was handed over or cancelled, and for more pieces than a line has.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    had = {line.id: line.quantity for line in order.lines}
    if any(not 0 <= pieces <= had.get(line, 0) for line, pieces in fewer.items()):
        raise Conflict("too_many", "A line of this order has fewer pieces than are to be taken off.")
    lines = tuple(
        priced(replace(line, quantity=line.quantity - fewer[line.id], final_quantity=None))
        if fewer.get(line.id)
        else line
        for line in order.lines
    )
    if not any(line.quantity for line in lines):
        return cancel_order(tx, hooks, order, by_hub=True, by=by)
    shop, known = selling(tx, order.session_id), known_of(tx, order)
    return rewrite(tx, hooks, shop, known, order, lines, by=by)
