"""Who gets what on distribution day, as plain rows: by customer, and by product."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, func, select

from ...storage.database import Transaction
from ..enterprises.tables import enterprise
from .tables import customer_order, order_consent, order_line

_GOING = ("Held", "Complete")
_order, _line = customer_order.c, order_line.c
_ORDERED = (
    select(
        _line.supplier_id, _line.product_id, func.min(_line.name).label("name"),
        func.sum(_line.quantity).label("quantity"),
    )
    .join(customer_order, _order.id == _line.order_id)
    .where(_order.session_id == bindparam("session"), _order.state.in_(_GOING), _line.quantity > 0)
    .where(_line.supplier_id.in_(bindparam("suppliers", expanding=True)))
    .group_by(_line.supplier_id, _line.product_id)
    .order_by(_line.supplier_id, _line.product_id)
)  # fmt: skip


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


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """All pieces of one product of a supplier in one session."""

    supplier_id: str
    product_id: str
    name: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class CustomersLine:
    """One customer's line, for who has to shorten some of them."""

    order_id: str
    line_id: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class AgreedPart:
    """Pieces of a product that a customer has ordered who agreed to something."""

    order_id: str
    product_id: str
    name: str
    quantity: int


def ordered_of(tx: Transaction, session_id: str, supplier_ids: Collection[str]) -> list[Ordered]:
    """What customers of a session have ordered of these suppliers, by supplier and product; substitutes count too."""
    found = tx.all(_ORDERED, {"session": session_id, "suppliers": sorted(supplier_ids)})
    return [Ordered(**{**one, "quantity": int(one["quantity"])}) for one in found]


def agreed_parts(tx: Transaction, session_id: str, supplier_id: str, request: str, *, limit: int) -> list[AgreedPart]:
    """What customers who agree to `request` have ordered of a supplier at a sale, the first order first; at most
    `limit`. Substitutes count too."""
    order, line, consent = customer_order.c, order_line.c, order_consent.c
    agreed = (
        select(consent.order_id)
        .where(consent.order_id == order.id, consent.request == request, consent.withdrawn_at.is_(None))
        .exists()
    )
    found = (
        select(line.order_id, line.product_id, order.name, func.sum(line.quantity).label("quantity"))
        .join(customer_order, order.id == line.order_id)
        .where(order.session_id == session_id, order.state.in_(_GOING), agreed)
        .where(line.supplier_id == supplier_id, line.quantity > 0)
        .group_by(line.order_id, line.product_id, order.name, order.placed_at)
        .order_by(order.placed_at, line.order_id, line.product_id)
        .limit(limit)
    )
    return [AgreedPart(**{**row, "quantity": int(row["quantity"])}) for row in tx.all(found)]


def lines_of_product(tx: Transaction, session_id: str, product_id: str) -> list[CustomersLine]:
    """Who ordered it at this session and has not got it yet, the newest order first."""
    row, line = customer_order, order_line
    found = tx.all(
        select(line.c.order_id, line.c.id.label("line_id"), line.c.quantity)
        .join(row, row.c.id == line.c.order_id)
        .where(row.c.session_id == session_id, row.c.state.in_(_GOING), row.c.fulfilment_state != "Fulfilled")
        .where(line.c.product_id == product_id, line.c.quantity > 0)
        .order_by(row.c.placed_at.desc(), row.c.id.desc(), line.c.id)
    )
    return [CustomersLine(**one) for one in found]


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
