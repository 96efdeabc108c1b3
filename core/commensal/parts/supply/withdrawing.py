"""Withdraws goods: takes them off every order that holds them, because they were recalled, have spoiled or cannot come.

It is a shortage of everything: customers' orders are shortened, stock follows, and orders to suppliers are revised.
Goods that were handed over already are not taken back by a computer; the shop learns whom to call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, or_, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.hidden_fields import Amount
from ...base.texts import is_blank, read_text
from ...catalogs.items import hide_items
from ...catalogs.tables import catalog, catalog_item
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...orders.emails import Withdrawn
from ...orders.lines import grains_of_line
from ...orders.lock import locked_order
from ...orders.tables import customer_order, order_line
from ...orders.values import Order
from ...sale_sessions.tables import coordination, sale_session
from ...stock.tables import stock_lot
from ...storage.database import Transaction
from ..copies.lending import write_off
from ..order_corrections.substitutes import shorten_order
from .purchase_orders import locked_orders, ordered_by_plugins, revise_order
from .tables import purchase_order, purchase_order_line

LATELY = timedelta(days=60)  # after a hand-over: who got the goods so lately may still have them
LONGEST_REASON = 200
_order, _line, _session, _purchase = customer_order.c, order_line.c, sale_session.c, purchase_order.c


@dataclass(frozen=True, kw_only=True)
class HeldGoods:
    """`pieces` of one product on an order that is still to be handed over, or was lately (`handed_over_at`, UTC).

    unit_quantity, unit: net content of one piece, in a DFC measure
    begins_at: of the sale's distribution (UTC)
    """

    order_id: str
    number: int
    name: str
    phone: str
    email: str
    session_id: str
    sale: str
    begins_at: datetime
    handed_over_at: datetime | None
    product_id: str
    lot_id: str
    product: str
    unit_quantity: Decimal
    unit: str
    supplier_id: str
    supplier: str
    pieces: int


@dataclass(frozen=True, kw_only=True)
class ShortenedOrder:
    """A customer's order that lost `pieces`. Totals are in minor units of `currency`; one that is cancelled has 0.

    to_give_back: what its customer has paid more than the order costs now
    added: labels of fees and discounts that the order did not have before
    """

    order_id: str
    number: int
    name: str
    pieces: int
    cancelled: bool
    currency: str
    total_before: Amount
    total_after: Amount
    to_give_back: Amount
    added: tuple[str, ...]


def goods_on_orders(tx: Transaction, enterprise_id: str, product_ids: Collection[str]) -> list[HeldGoods]:
    """Returns where these products, and other sizes of their lots, stand on orders of the shop, in one statement.

    By sale, the next distribution first, and number of the order. Orders count that are still to be handed over, and
    those that were handed over in the last 60 days.
    """
    lots = select(_line.lot_id).join(customer_order, _order.id == _line.order_id)
    lots = lots.where(_order.enterprise_id == enterprise_id, _line.product_id.in_(sorted(product_ids)))
    key = (
        _order.id,
        _order.number,
        _order.name,
        _order.phone,
        _order.email,
        _order.fulfilled_at,
        _session.id,
        _session.begins_at,
        coordination.c.name,
        _line.product_id,
        _line.lot_id,
        _line.unit_quantity,
        _line.unit,
        _line.supplier_id,
        enterprise.c.name,
    )
    statement = (
        select(
            _order.id.label("order_id"),
            _order.number,
            _order.name,
            _order.phone,
            _order.email,
            _session.id.label("session_id"),
            coordination.c.name.label("sale"),
            _session.begins_at,
            _order.fulfilled_at.label("handed_over_at"),
            _line.product_id,
            _line.lot_id,
            func.min(_line.name).label("product"),
            _line.unit_quantity,
            _line.unit,
            _line.supplier_id,
            enterprise.c.name.label("supplier"),
            func.sum(_line.quantity).label("pieces"),
        )
        .join_from(customer_order, order_line, _line.order_id == _order.id)
        .join(sale_session, _session.id == _order.session_id)
        .join(coordination, coordination.c.id == _session.coordination_id)
        .join(enterprise, enterprise.c.id == _line.supplier_id)
        .where(_order.enterprise_id == enterprise_id, _line.lot_id.in_(lots), _line.quantity > 0)
        .where(_order.state.in_(("Held", "Complete")))
        .where(or_(_order.fulfilled_at.is_(None), _order.fulfilled_at > tx.now - LATELY))
        .group_by(*key)
        .order_by(_session.begins_at, _session.id, _order.number, func.min(_line.name), _line.product_id)
    )
    return [HeldGoods(**{**row, "pieces": int(row["pieces"])}) for row in tx.all(statement)]


def withdraw_goods(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    product_ids: Collection[str],
    *,
    session_ids: Collection[str],
    reason: str,
    lost: bool = True,
    by: str | None = None,
) -> list[ShortenedOrder]:
    """Takes the products off every order of these sessions of the shop that is not handed over. Returns those orders.

    The shop no longer offers the products, until it shows them again. Customers get one e-mail each, with the `reason`;
    an order of which nothing is left is cancelled. Orders to suppliers are revised at once. With `lost` the pieces are
    written off the stock; goods whose supplier is of another instance or platform go back into its stock all the same,
    and its own instance hears of the smaller order.

    Raises `Invalid`; `Conflict` once the books of a session are closed.
    """
    _hide(tx, enterprise_id, product_ids)
    reason = _read_reason(reason)
    held = [
        goods
        for goods in goods_on_orders(tx, enterprise_id, product_ids)
        if goods.product_id in product_ids and goods.session_id in session_ids and goods.handed_over_at is None
    ]
    purchases = _purchase_orders(tx, held)
    locked_orders(tx, purchases)  # before those of customers, as an answer of a supplier locks them
    shortened, grains = [], dict[str, int]()
    for order_id in sorted({goods.order_id for goods in held}):
        before = locked_order(tx, order_id, enterprise_id=enterprise_id)
        fewer = _pieces_of(before, product_ids)
        if fewer:
            shortened.append(_shorten(tx, hooks, before, fewer, reason, by))
            _add_grains(grains, before, fewer)
    if lost:
        _write_off(tx, hooks, enterprise_id, grains, {goods.lot_id: goods.supplier_id for goods in held})
    for purchase_id in purchases:
        _note_reason(tx, purchase_id, product_ids, reason)
        revise_order(tx, purchase_id)
    return sorted(shortened, key=lambda order: order.number)


def _read_reason(reason: str) -> str:
    problems: list[Problem] = []
    reason = read_text(reason, "/reason", problems, most=LONGEST_REASON)
    if is_blank(reason):
        problems.append(Problem("reason_missing", "Say why: customers read it in their e-mail.", "/reason"))
    if problems:
        raise Invalid(problems)
    return reason


def _hide(tx: Transaction, enterprise_id: str, product_ids: Collection[str]) -> None:
    item = catalog_item.c
    own = select(item.id).join(catalog, catalog.c.id == item.catalog_id)
    of_products = own.where(catalog.c.enterprise_id == enterprise_id, item.product_id.in_(sorted(product_ids)))
    hide_items(tx, enterprise_id, [row["id"] for row in tx.all(of_products)])


def _purchase_orders(tx: Transaction, held: Sequence[HeldGoods]) -> list[str]:
    """Returns the ids of orders that have told the suppliers of these goods what to bring, and are not history."""
    pairs = {(goods.session_id, goods.supplier_id) for goods in held}
    statement = (
        select(_purchase.id, _purchase.session_id, _purchase.supplier_id)
        .join(sale_session, _session.id == _purchase.session_id)
        .where(_purchase.session_id.in_(sorted({session_id for session_id, _ in pairs})), _session.ends_at > tx.now)
        .order_by(_purchase.id)
    )
    return [row["id"] for row in tx.all(statement) if (row["session_id"], row["supplier_id"]) in pairs]


def _pieces_of(order: Order, product_ids: Collection[str]) -> dict[str, int]:
    """Returns the pieces of the products by line id; none of an order that was handed over or cancelled meanwhile."""
    if order.fulfilment_state == "Fulfilled" or order.state == "Cancelled":
        return {}
    return {line.id: line.quantity for line in order.lines if line.product_id in product_ids and line.quantity}


def _shorten(
    tx: Transaction, hooks: Hooks, before: Order, fewer: Mapping[str, int], reason: str, by: str | None
) -> ShortenedOrder:
    names = tuple(dict.fromkeys(line.name for line in before.lines if line.id in fewer))
    after = shorten_order(tx, hooks, before, fewer, by=by, withdrawn=Withdrawn(names=names, reason=reason))
    tx.trace(
        "withdrawn",
        "customer_order",
        before.id,
        enterprise_id=before.enterprise_id,
        goods=", ".join(names),
        reason=reason,
    )
    cancelled = after.state == "Cancelled"
    total = 0 if cancelled else after.total
    return ShortenedOrder(
        order_id=before.id,
        number=before.number or 0,
        name=before.name,
        pieces=sum(fewer.values()),
        cancelled=cancelled,
        currency=before.currency,
        total_before=before.total,
        total_after=total,
        to_give_back=max(0, after.paid_total - total),
        added=() if cancelled else _added(before, after),
    )


def _added(before: Order, after: Order) -> tuple[str, ...]:
    known = {adjustment.label for adjustment in before.adjustments}
    return tuple(dict.fromkeys(each.label for each in after.adjustments if each.label not in known))


def _add_grains(grains: dict[str, int], order: Order, fewer: Mapping[str, int]) -> None:
    for line in order.lines:
        if line.id in fewer:
            grains[line.lot_id] = grains.get(line.lot_id, 0) + grains_of_line(line)


def _write_off(
    tx: Transaction, hooks: Hooks, enterprise_id: str, grains: Mapping[str, int], suppliers: Mapping[str, str]
) -> None:
    """Writes the grains off their lots, except of suppliers of whom a plugin orders: their own instance counts them."""
    elsewhere = ordered_by_plugins(tx, hooks, enterprise_id, set(suppliers.values()))
    counted = select(stock_lot.c.id).where(stock_lot.c.id.in_(sorted(grains)), ~stock_lot.c.unlimited)
    for row in tx.all(counted.order_by(stock_lot.c.id)):
        lot_id = row["id"]
        if suppliers[lot_id] not in elsewhere and not write_off(tx, lot_id, grains[lot_id], note="withdrawn"):
            raise Conflict("stock_changed", "The stock of these goods has just changed; please try again.")


def _note_reason(tx: Transaction, purchase_id: str, product_ids: Collection[str], reason: str) -> None:
    of_products = (purchase_order_line.c.order_id == purchase_id, purchase_order_line.c.product_id.in_(product_ids))
    tx.execute(update(purchase_order_line).where(*of_products).values(reason=reason))
