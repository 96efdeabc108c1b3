"""What came of suppliers' goods: what customers got, and what did not come and customers' orders hold all the same.

A shortage changes no order where the shop decides itself, or where goods are handed out already. Until those orders are
changed or corrected, their customers pay for these goods, and so the shop owes them to the supplier.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, and_, func, select

from ...orders.lock import CORRECTION
from ...orders.tables import adjustment, customer_order, order_line
from ...pricing.lines import split
from ...storage.database import Row, RowQuery, Transaction
from .owed import is_owed
from .purchase_prices import purchase_amount, purchase_price
from .tables import purchase_order, purchase_order_line


@dataclass(frozen=True, kw_only=True)
class HoldingOrder:
    """A customer's order that holds `pieces` of the goods; a part of them may have come."""

    id: str
    number: int
    name: str
    pieces: int
    handed_over: bool


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """`pieces` of one product that did not come, with the orders of customers that hold it, by their numbers.

    purchase_order_id: the order to the supplier that it was missing from
    amount: what the supplier is owed for them, with VAT and deposits, in minor units
    """

    purchase_order_id: str
    supplier_id: str
    name: str
    pieces: int
    amount: int
    orders: tuple[HoldingOrder, ...]


def undelivered_at_session(tx: Transaction, enterprise_id: str, session_id: str) -> list[Undelivered]:
    """Returns what customers of a shop's session still pay for although it did not come, in one statement.

    Pieces whose price was given back by a correction count no more, nor those that were weighed: their weight came.
    """
    purchase = purchase_order.c
    rows = tx.all(_statement(purchase.enterprise_id == enterprise_id, purchase.session_id == session_id))
    groups = (list(group) for _, group in groupby(rows, itemgetter("line_id")))
    return [goods for goods in map(_undelivered, groups) if goods.pieces]


def undelivered_at_sessions(
    tx: Transaction, session_ids: Collection[str], condition: ColumnElement[bool]
) -> dict[tuple[str, str], int]:
    """Returns what the same comes to by session and supplier, in minor units, in one statement. `condition` is on the
    orders to suppliers."""
    rows = tx.all(_statement(purchase_order.c.session_id.in_(sorted(session_ids)), condition))
    amounts: dict[tuple[str, str], int] = {}
    for _, group in groupby(rows, itemgetter("line_id")):
        lines = list(group)
        key = (lines[0]["session_id"], lines[0]["supplier_id"])
        amounts[key] = amounts.get(key, 0) + _undelivered(lines).amount
    return amounts


def _statement(*conditions: ColumnElement[bool]) -> RowQuery:
    purchase, line = purchase_order.c, purchase_order_line.c
    placed, held = customer_order.c, order_line.c
    corrected = (
        select(func.sum(-adjustment.c.amount))
        .where(adjustment.c.line_id == held.id, adjustment.c.kind == CORRECTION, adjustment.c.vat_rate.is_not(None))
        .correlate(order_line)
        .scalar_subquery()
    )
    same_goods = and_(
        held.product_id == line.product_id,
        held.unit_quantity == line.unit_quantity,
        held.unit == line.unit,
        held.vat_rate == line.vat_rate,
        held.supplier_id == purchase.supplier_id,
        held.quantity > 0,
    )
    joined = (
        purchase_order.join(purchase_order_line, line.order_id == purchase.id)
        .join(customer_order, placed.session_id == purchase.session_id)
        .join(order_line, and_(held.order_id == placed.id, same_goods))
    )
    return (
        select(
            purchase.id.label("purchase_order_id"),
            purchase.session_id,
            purchase.supplier_id,
            line.id.label("line_id"),
            line.name,
            line.price,
            line.vat_rate,
            line.confirmed,
            purchase.prices_include_vat,
            placed.id,
            placed.number,
            placed.name.label("customer"),
            placed.fulfilment_state,
            held.quantity,
            held.deposit,
            held.price.label("sold_for"),
            held.final_quantity,
            func.coalesce(corrected, 0).label("corrected"),
        )
        .select_from(joined)
        .where(*conditions, line.confirmed < line.quantity, placed.state.in_(("Held", "Complete")))
        .where(purchase_price() == line.price)
        .order_by(line.name, line.id, placed.number)
    )


def _undelivered(rows: list[Row]) -> Undelivered:
    """Adds up the lines of customers that hold the goods of one line of the order to the supplier."""
    first = rows[0]
    left = {row["id"]: 0 for row in rows}  # an order may hold the goods on several lines
    unweighed = 0
    for row in rows:
        pieces = row["quantity"] - _corrected_pieces(row)
        left[row["id"]] += pieces
        unweighed += pieces if row["final_quantity"] is None else 0
    pieces = min(max(sum(left.values()) - first["confirmed"], 0), unweighed)
    orders = {row["id"]: row for row in rows if left[row["id"]]}
    price = split(pieces * first["price"], first["vat_rate"], bool(first["prices_include_vat"]))
    return Undelivered(
        purchase_order_id=first["purchase_order_id"],
        supplier_id=first["supplier_id"],
        name=first["name"],
        pieces=pieces,
        amount=price.net + price.vat + pieces * first["deposit"],
        orders=tuple(
            HoldingOrder(
                id=row["id"],
                number=row["number"],
                name=row["customer"],
                pieces=left[row["id"]],
                handed_over=row["fulfilment_state"] == "Fulfilled",
            )
            for row in orders.values()
        ),
    )


def _corrected_pieces(row: Row) -> int:
    """Whole pieces of a line whose price was given back after the hand-over."""
    return min(int(row["corrected"]) // row["sold_for"], row["quantity"]) if row["sold_for"] else 0


# What customers of a sale got of suppliers' goods, by product: pieces, weights and what that costs the shop.

_order, _line, _entry = customer_order.c, order_line.c, adjustment.c


@dataclass(frozen=True, kw_only=True)
class DeliveredGoods:
    """Goods of one supplier that customers of a sale got, or are still to get.

    pieces:   of all orders for which the supplier is paid
    quantity: what they weigh or hold, in `unit`; a piece that was not weighed counts as what it was sold as
    weighed:  whether any of it was weighed
    amount:   at purchase prices, less corrections that the supplier bears, in minor units, with or without VAT as the
              shop's prices are; `vat_rate` in percent
    begun:    whether any of it was weighed, handed over or lost
    """

    supplier_id: str
    product_id: str
    vat_rate: Decimal
    pieces: int
    quantity: Decimal
    unit: str
    weighed: bool
    amount: int
    includes_vat: bool
    begun: bool


def delivered_goods(tx: Transaction, session_id: str, supplier_ids: Collection[str]) -> list[DeliveredGoods]:
    """Returns what customers got of these suppliers' goods, by supplier and product, in two statements."""
    of_sale = (_order.session_id == session_id, is_owed(), _line.supplier_id.in_(sorted(supplier_ids)))
    lines = (
        select(
            _line.supplier_id,
            _line.product_id,
            _line.vat_rate,
            _line.quantity,
            _line.unit_quantity,
            _line.unit,
            _line.final_quantity,
            purchase_amount().label("amount"),
            _order.prices_include_vat,
            _order.state,
            _order.fulfilment_state,
        )
        .select_from(order_line.join(customer_order, _order.id == _line.order_id))
        .where(*of_sale, _line.quantity > 0)
        .order_by(_line.supplier_id, _line.product_id)
    )
    corrections = (
        select(_line.supplier_id, _line.product_id, func.sum(_entry.amount).label("amount"))
        .join_from(adjustment, customer_order, _order.id == _entry.order_id)
        .join(order_line, _line.id == _entry.line_id)
        .where(*of_sale, _entry.payee == _line.supplier_id, _entry.kind == CORRECTION, _entry.vat_rate.is_not(None))
        .group_by(_line.supplier_id, _line.product_id)
    )
    goods: dict[tuple[str, str], DeliveredGoods] = {}
    for row in tx.all(lines):
        key, line = (row["supplier_id"], row["product_id"]), _read(row)
        goods[key] = line if key not in goods else _sum(goods[key], line)
    for row in tx.all(corrections):
        key = (row["supplier_id"], row["product_id"])
        goods[key] = replace(goods[key], amount=goods[key].amount + int(row["amount"]))
    return list(goods.values())


def _read(row: Row) -> DeliveredGoods:
    weight = row["final_quantity"]
    return DeliveredGoods(
        supplier_id=row["supplier_id"],
        product_id=row["product_id"],
        vat_rate=row["vat_rate"],
        pieces=row["quantity"],
        quantity=row["unit_quantity"] * row["quantity"] if weight is None else weight,
        unit=row["unit"],
        weighed=weight is not None,
        amount=int(row["amount"]),
        includes_vat=bool(row["prices_include_vat"]),
        begun=weight is not None or row["fulfilment_state"] == "Fulfilled" or row["state"] == "Cancelled",
    )


def _sum(first: DeliveredGoods, other: DeliveredGoods) -> DeliveredGoods:
    return replace(
        first,
        pieces=first.pieces + other.pieces,
        quantity=first.quantity + other.quantity,
        weighed=first.weighed or other.weighed,
        amount=first.amount + other.amount,
        begun=first.begun or other.begun,
    )
