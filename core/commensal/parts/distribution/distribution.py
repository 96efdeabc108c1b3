"""Lists for distribution day, as plain rows: by customer, and by product."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, func, select

from ...base.hidden_fields import Amount, WithMoney
from ...enterprises.tables import enterprise
from ...orders.tables import customer_order, order_consent, order_line
from ...sale_sessions.tables import sale_session
from ...storage.database import Transaction

_GOING = ("Held", "Complete")
_order, _line = customer_order.c, order_line.c
_ORDERED = (
    select(
        _line.supplier_id,
        _line.product_id,
        func.min(_line.name).label("name"),
        func.sum(_line.quantity).label("quantity"),
    )
    .join(customer_order, _order.id == _line.order_id)
    .where(_order.session_id == bindparam("session"), _order.state.in_(_GOING), _line.quantity > 0)
    .where(_line.supplier_id.in_(bindparam("suppliers", expanding=True)))
    .group_by(_line.supplier_id, _line.product_id)
    .order_by(_line.supplier_id, _line.product_id)
)

_BY_COST = (
    select(_line.product_id, _line.cost, func.sum(_line.quantity).label("quantity"))
    .join(customer_order, _order.id == _line.order_id)
    .where(_order.session_id == bindparam("session"), _order.state.in_(_GOING), _line.quantity > 0)
    .where(_line.supplier_id == bindparam("supplier"))
    .group_by(_line.product_id, _line.cost)
    .order_by(_line.product_id, func.min(_line.id))
)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One line for one customer. `final_quantity` is the weight measured at packing, in `unit`; None: as ordered."""

    order_number: int
    customer: str
    shipping: str
    supplier: str
    product: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    final_quantity: Decimal | None
    order_total: Amount
    payment_state: WithMoney[str]


@dataclass(frozen=True, kw_only=True)
class ProductTotal:
    """All pieces of one product in one session: what its supplier brings."""

    supplier: str
    product: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    orders: int


@dataclass(frozen=True, kw_only=True)
class OrderedProduct:
    """All pieces of one product of a supplier in one session."""

    supplier_id: str
    product_id: str
    name: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class CustomersLine:
    """One customer's line, for code that shortens some of them."""

    order_id: str
    line_id: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class AgreedPart:
    """Pieces of a product in an order whose customer has given a certain consent."""

    order_id: str
    product_id: str
    name: str
    quantity: int


def ordered_of(tx: Transaction, session_id: str, supplier_ids: Collection[str]) -> list[OrderedProduct]:
    """Returns what a session's customers ordered of these suppliers, by supplier and product, with substitutes."""
    rows = tx.all(_ORDERED, {"session": session_id, "suppliers": sorted(supplier_ids)})
    return [OrderedProduct(**{**row, "quantity": int(row["quantity"])}) for row in rows]


def pieces_ordered_since(
    tx: Transaction, enterprise_id: str, product_ids: Collection[str], since: datetime
) -> dict[str, int]:
    """Returns how many pieces of these products customers have ordered of a shop, at sales whose orders close after
    `since`, by product; without those of which there are none."""
    session = sale_session.c
    statement = (
        select(_line.product_id, func.sum(_line.quantity).label("quantity"))
        .join_from(sale_session, customer_order, _order.session_id == session.id)
        .join(order_line, _line.order_id == _order.id)
        .where(session.enterprise_id == enterprise_id, session.closes_at > since, _order.state.in_(_GOING))
        .where(_line.product_id.in_(sorted(product_ids)), _line.quantity > 0)
        .group_by(_line.product_id)
    )
    return {row["product_id"]: int(row["quantity"]) for row in tx.all(statement)}


def pieces_by_cost(tx: Transaction, session_id: str, supplier_id: str) -> dict[str, dict[int, int]]:
    """Returns how many pieces of a supplier's products a session's customers ordered at each purchase price, in minor
    units, by product; the price at which a product was ordered first comes first."""
    pieces: dict[str, dict[int, int]] = {}
    for row in tx.all(_BY_COST, {"session": session_id, "supplier": supplier_id}):
        pieces.setdefault(row["product_id"], {})[row["cost"]] = int(row["quantity"])
    return pieces


def agreed_parts(tx: Transaction, session_id: str, supplier_id: str, request: str, *, limit: int) -> list[AgreedPart]:
    """Returns what customers who agree to `request` have ordered of a supplier at a sale, with substitutes.

    The earliest order comes first; at most `limit` rows.
    """
    order, line, consent = customer_order.c, order_line.c, order_consent.c
    has_agreed = (
        select(consent.order_id)
        .where(consent.order_id == order.id, consent.request == request, consent.withdrawn_at.is_(None))
        .exists()
    )
    statement = (
        select(line.order_id, line.product_id, order.name, func.sum(line.quantity).label("quantity"))
        .join(customer_order, order.id == line.order_id)
        .where(order.session_id == session_id, order.state.in_(_GOING), has_agreed)
        .where(line.supplier_id == supplier_id, line.quantity > 0)
        .group_by(line.order_id, line.product_id, order.name, order.placed_at)
        .order_by(order.placed_at, line.order_id, line.product_id)
        .limit(limit)
    )
    return [AgreedPart(**{**row, "quantity": int(row["quantity"])}) for row in tx.all(statement)]


def lines_of_product(tx: Transaction, session_id: str, product_id: str) -> list[CustomersLine]:
    """Returns the lines of a product at this session that are not handed over yet, the newest order first."""
    order, line = customer_order, order_line
    rows = tx.all(
        select(line.c.order_id, line.c.id.label("line_id"), line.c.quantity)
        .join(order, order.c.id == line.c.order_id)
        .where(order.c.session_id == session_id, order.c.state.in_(_GOING), order.c.fulfilment_state != "Fulfilled")
        .where(line.c.product_id == product_id, line.c.quantity > 0)
        .order_by(order.c.placed_at.desc(), order.c.id.desc(), line.c.id)
    )
    return [CustomersLine(**row) for row in rows]


def parcels(tx: Transaction, enterprise_id: str, session_id: str) -> Iterator[Parcel]:
    """Streams the lines of the placed orders of the shop's session by order number, without cancelled orders."""
    order, line = customer_order, order_line
    result = tx.execute(
        select(
            order.c.number.label("order_number"),
            order.c.name.label("customer"),
            order.c.shipping_label.label("shipping"),
            enterprise.c.name.label("supplier"),
            line.c.name.label("product"),
            line.c.unit_quantity,
            line.c.unit,
            line.c.quantity,
            line.c.final_quantity,
            order.c.total.label("order_total"),
            order.c.payment_state,
        )
        .join(line, line.c.order_id == order.c.id)
        .join(enterprise, enterprise.c.id == line.c.supplier_id)
        .where(order.c.session_id == session_id, order.c.enterprise_id == enterprise_id, order.c.state.in_(_GOING))
        .where(line.c.quantity > 0)
        .order_by(order.c.number, line.c.position)
    )
    for row in result.mappings():
        yield Parcel(**row)


def product_totals(tx: Transaction, enterprise_id: str, session_id: str) -> list[ProductTotal]:
    """Returns what each supplier brings to the shop's session, by supplier and product."""
    order, line = customer_order, order_line
    product_columns = (enterprise.c.name, line.c.name, line.c.unit_quantity, line.c.unit)
    rows = tx.all(
        select(
            enterprise.c.name.label("supplier"),
            line.c.name.label("product"),
            line.c.unit_quantity,
            line.c.unit,
            func.sum(line.c.quantity).label("quantity"),
            func.count(order.c.id.distinct()).label("orders"),
        )
        .join(line, line.c.order_id == order.c.id)
        .join(enterprise, enterprise.c.id == line.c.supplier_id)
        .where(order.c.session_id == session_id, order.c.enterprise_id == enterprise_id, order.c.state.in_(_GOING))
        .where(line.c.quantity > 0)
        .group_by(*product_columns)
        .order_by(*product_columns)
    )
    return [ProductTotal(**{**row, "quantity": int(row["quantity"])}) for row in rows]
