"""Who gets what on distribution day, as plain rows: by customer, and by product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from ..enterprises.tables import enterprise
from ..store import Transaction
from .tables import customer_order, order_line

_GOING = ("Held", "Complete")


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One line for one customer. `final_quantity` is what the scales said, in `unit`; None: as ordered."""

    order_number: int
    customer: str
    shipping: str
    supplier: str
    product: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    final_quantity: Decimal | None
    order_total: int
    payment_state: str


@dataclass(frozen=True, kw_only=True)
class Heap:
    """All of one product in one session: what its supplier brings."""

    supplier: str
    product: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    orders: int


def parcels(tx: Transaction, enterprise_id: str, session_id: str) -> Iterator[Parcel]:
    """Every line of every placed order of the shop's session, by order number; cancelled ones are left out. Streams."""
    row, line = customer_order, order_line
    found = tx.execute(
        select(
            row.c.number.label("order_number"),
            row.c.name.label("customer"),
            row.c.shipping_label.label("shipping"),
            enterprise.c.name.label("supplier"),
            line.c.name.label("product"),
            line.c.unit_quantity,
            line.c.unit,
            line.c.quantity,
            line.c.final_quantity,
            row.c.total.label("order_total"),
            row.c.payment_state,
        )
        .join(line, line.c.order_id == row.c.id)
        .join(enterprise, enterprise.c.id == line.c.supplier_id)
        .where(row.c.session_id == session_id, row.c.enterprise_id == enterprise_id, row.c.state.in_(_GOING))
        .where(line.c.quantity > 0)
        .order_by(row.c.number, line.c.position)
    )
    for one in found.mappings():
        yield Parcel(**one)


def heaps(tx: Transaction, enterprise_id: str, session_id: str) -> list[Heap]:
    """What each supplier brings to the shop's session, by supplier and product."""
    row, line = customer_order, order_line
    parts = (enterprise.c.name, line.c.name, line.c.unit_quantity, line.c.unit)
    found = tx.all(
        select(
            enterprise.c.name.label("supplier"),
            line.c.name.label("product"),
            line.c.unit_quantity,
            line.c.unit,
            func.sum(line.c.quantity).label("quantity"),
            func.count(row.c.id.distinct()).label("orders"),
        )
        .join(line, line.c.order_id == row.c.id)
        .join(enterprise, enterprise.c.id == line.c.supplier_id)
        .where(row.c.session_id == session_id, row.c.enterprise_id == enterprise_id, row.c.state.in_(_GOING))
        .where(line.c.quantity > 0)
        .group_by(*parts)
        .order_by(*parts)
    )
    return [Heap(**{**one, "quantity": int(one["quantity"])}) for one in found]
