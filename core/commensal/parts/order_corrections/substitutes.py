"""Replaces pieces that cannot be delivered by another product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...base.errors import Conflict, Invalid, Problem
from ...hooks.dispatcher import Hooks
from ...orders.cancel import cancel_order
from ...orders.emails import Withdrawn
from ...orders.lines import lines_for
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.proof import known_customer_of
from ...orders.rewrite import rewrite
from ...orders.sale_context import sale_context
from ...orders.values import Order
from ...pricing.lines import with_amount, with_quantity
from ...storage.database import Transaction


def substitute(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    *,
    line_id: str,
    item_id: str,
    quantity: int,
    replaced: int | None = None,
    price: int | None = None,
    by: str | None = None,
) -> Order:
    """Replaces `replaced` pieces of a line (None: all) by `quantity` pieces of another item. Returns the order.

    `price` is the price of one piece in minor units. None means the price of the other item's offer, but for all of
    them no more than what is replaced costs: customers pay no more for what they did not choose. Both lines stay on the
    order; what the supplier gets does not follow what the customer pays.
    Raises `Invalid`, `Conflict`, `SoldOut`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    line = next((line for line in order.lines if line.id == line_id), None)
    if line is None:
        raise Invalid([Problem("no_line", "This order has no such line.", "/line_id")])
    replaced_pieces = line.quantity if replaced is None else replaced
    if not 1 <= replaced_pieces <= line.quantity:
        text = "Between 1 and {most} pieces of it can be replaced."
        raise Invalid([Problem("quantity", text, "/replaced", {"most": line.quantity})])
    shop = sale_context(tx, order.session_id)
    customer = known_customer_of(tx, order)
    (new_line,) = lines_for(tx, shop, {item_id: quantity}, customer.category_ids, after_cut_off=True)
    if price is None:
        price = min(new_line.price, line.price * replaced_pieces // quantity)
    remaining = with_quantity(line, line.quantity - replaced_pieces)
    list_price = new_line.price if new_line.list_price is None else new_line.list_price
    substitute_line = replace(
        new_line, price=price, list_price=None if list_price == price else list_price, substitutes_id=line.id
    )
    lines = (
        *(remaining if order_line.id == line_id else order_line for order_line in order.lines),
        with_amount(substitute_line),
    )
    return rewrite(tx, hooks, shop, customer, order, lines, by=by)


# Takes pieces that cannot be delivered off an order, also after the close.


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
