"""Gives a customer something else for what cannot be delivered."""

from __future__ import annotations

from dataclasses import replace

from ...base.errors import Invalid, Problem
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..pricing.lines import priced
from .lines import lines_for
from .lock import refuse_if_handed_over, refuse_unless_placed
from .proof import known_of
from .rewrite import rewrite
from .selling import selling
from .values import Order


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
    """Replaces `replaced` pieces of a line (None: all of them) by `quantity` pieces of another item.

    `price` is what one piece costs the customer, in minor units; None: the lower of the other item's offer and, for
    equal counts, of the replaced one: nobody pays more for what they did not choose. Both lines stay on the order.
    Raises `Invalid`, `Conflict`, `SoldOut`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    line = next((one for one in order.lines if one.id == line_id), None)
    if line is None:
        raise Invalid([Problem("no_line", "This order has no such line.", "/line_id")])
    gone = line.quantity if replaced is None else replaced
    if not 1 <= gone <= line.quantity:
        text = "Between 1 and {most} pieces of it can be replaced."
        raise Invalid([Problem("quantity", text, "/replaced", {"most": line.quantity})])
    shop = selling(tx, order.session_id)
    known = known_of(tx, order)
    (other,) = lines_for(tx, shop, {item_id: quantity}, known.category_ids, after_cut_off=True)
    if price is None:
        price = min(other.price, line.price) if quantity == gone else other.price
    rest = priced(replace(line, quantity=line.quantity - gone, final_quantity=None))
    instead = priced(replace(other, price=price, substitutes_id=line.id))
    lines = (*(rest if one.id == line_id else one for one in order.lines), instead)
    return rewrite(tx, hooks, shop, known, order, lines, by=by)
