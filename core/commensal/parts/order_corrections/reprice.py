"""Puts today's price into orders that were placed at a wrong one, such as a slip of the hand that was corrected since.

A price at which a customer has ordered binds the shop (French Code civil, art. 1103 and 1193). So nobody pays more
without having agreed; whoever pays less is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import and_, select

from ...base.errors import Conflict
from ...base.money import Money
from ...catalogs.tables import offer
from ...hooks.dispatcher import Hooks
from ...orders.lines import lines_for
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.proof import known_customer_of
from ...orders.rewrite import rewrite
from ...orders.sale_context import sale_context
from ...orders.tables import customer_order, order_line
from ...orders.values import Order
from ...pricing.lines import with_amount
from ...storage.database import Transaction

_order, _line = customer_order.c, order_line.c


@dataclass(frozen=True, kw_only=True)
class OtherPrice:
    """Pieces on an order at a price that its item has for nobody any more. Amounts are minor units, for one piece.

    today: the price for everybody; None: it has prices for groups only
    """

    item_id: str
    item: str
    order_id: str
    number: int
    name: str
    phone: str
    currency: str
    pieces: int
    price: int
    today: int | None


def orders_at_other_prices(
    tx: Transaction, enterprise_id: str, item_ids: Collection[str] | None = None
) -> list[OtherPrice]:
    """Returns the lines of orders that are still to be handed over, in any sale of the shop, at a price that their item
    has neither for everybody nor for a group; by item and number. Substitutes are left out. One statement."""
    everybody = select(offer.c.price).where(offer.c.item_id == _line.item_id, offer.c.category_id.is_(None))
    is_current = select(offer.c.id).where(offer.c.item_id == _line.item_id, offer.c.price == _line.price).exists()
    going = and_(_order.state.in_(("Held", "Complete")), _order.fulfilment_state != "Fulfilled")
    statement = (
        select(
            _line.item_id,
            _line.name.label("item"),
            _line.order_id,
            _order.number,
            _order.name,
            _order.phone,
            _order.currency,
            _line.quantity.label("pieces"),
            _line.price,
            everybody.scalar_subquery().label("today"),
        )
        .join(customer_order, _order.id == _line.order_id)
        .where(_order.enterprise_id == enterprise_id, going, _line.quantity > 0, ~is_current)
        .where(_line.substitutes_id.is_(None))
        .order_by(_line.name, _line.item_id, _order.number, _line.position)
    )
    if item_ids is not None:
        statement = statement.where(_line.item_id.in_(sorted(item_ids)))
    return [OtherPrice(**row) for row in tx.all(statement)]


def reprice_order(
    tx: Transaction, hooks: Hooks, order: Order, item_id: str, *, agreed: bool = False, by: str | None = None
) -> Order:
    """Gives the pieces of an item on the locked `order` the price at which the item is on sale to its customer now.

    The customer gets an e-mail. Raises `Conflict` for an order that was handed over or cancelled, for an item that is
    not on sale to them, if nothing would change, and if they would pay more and have not `agreed`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    (today,) = lines_for(tx, shop, {item_id: 1}, customer.category_ids, after_cut_off=True)
    lines = tuple(
        with_amount(replace(line, price=today.price, list_price=today.list_price))
        if line.item_id == item_id and not line.substitutes_id
        else line
        for line in order.lines
    )
    before = {line.price for old, line in zip(lines, order.lines, strict=True) if old != line}
    if not before:
        raise Conflict("same_price", "Order {number} has the price of today already.", number=order.number or 0)
    changed = rewrite(tx, hooks, shop, customer, order, lines, by=by)
    if not agreed and (changed.total > order.total or today.price > min(before)):
        text = "Order {number} would cost more, {total}: ask its customer first."
        raise Conflict("dearer", text, number=order.number or 0, total=Money(changed.total, order.currency))
    tx.trace(
        "repriced",
        "customer_order",
        order.id,
        enterprise_id=order.enterprise_id,
        item=today.name,
        price=[max(before), today.price],
        agreed=agreed,
    )
    return changed
