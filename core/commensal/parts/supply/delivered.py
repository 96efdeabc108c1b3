"""What customers of a sale got of suppliers' goods, by product: pieces, weights and what that costs the shop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import func, select

from ...orders.lock import CORRECTION
from ...orders.tables import adjustment, customer_order, order_line
from ...storage.database import Row, Transaction
from .owed import is_owed
from .purchase_prices import purchase_amount

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
