"""What suppliers are to bring: for the supplier over all sales and instances, and for the coordinator of a sale.

A supplier sees the running sums of a hub that grants it `ReadOrders`. Once its cut-off has passed, the sums are what
the hub orders of it, and need no grant. Customers, selling prices and other suppliers are never part of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import FromClause, and_, bindparam, case, func, or_, select

from ...enterprises.tables import enterprise, enterprise_grant
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.tables import customer_order, order_line
from ...sale_sessions.openness import cut_off
from ...sale_sessions.questions import coordination_by_id
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session
from ...storage.database import Row, RowQuery, Time, Transaction
from .tables import purchase_order

# What suppliers are to bring, in sums: nothing here names a customer.


@dataclass(frozen=True, kw_only=True)
class DemandLine:
    """Pieces of one product. `unit_quantity` is the net content of one piece in `unit`, a DFC measure; `delivered` are
    the pieces among them that the shop has received, or handed over."""

    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    quantity: int
    delivered: int = 0


@dataclass(frozen=True, kw_only=True)
class SaleDemand:
    """What one sale asks of a supplier.

    id:        the sale session's; for an order from elsewhere the id that the plugin `origin` gives it
    origin:    the plugin that brought it from another instance; "" for a sale of this instance
    shop:      name of the enterprise that sells, and buys from the supplier
    shop_id:   its id here: of one of another instance its copy's; "" where there is none
    shop_iri:  names it between instances, if it is of another one; "" for one of this instance
    cut_off:   after it customers order no more of this supplier; None: unknown
    final:     whether the cut-off has passed; only the hub changes the pieces after it
    begins_at, ends_at: of the distribution; None: unknown

    Moments are UTC.
    """

    id: str
    origin: str = ""
    sale: str
    shop_id: str
    shop_iri: str = ""
    shop: str
    cut_off: datetime | None
    final: bool
    begins_at: datetime | None
    ends_at: datetime | None
    lines: tuple[DemandLine, ...]

    @property
    def is_delivered(self) -> bool:
        """Whether nothing is left to be brought."""
        return all(line.delivered >= line.quantity for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class ProductDemand:
    """Pieces of one product over several sales that are still to be brought. `final` are those whose cut-off has
    passed; `running` may still change.

    `unit_quantity` and `unit` as in `DemandLine`.
    """

    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    running: int
    final: int


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a supplier is to bring: for each sale, the next distribution first, and over all of them by product name."""

    sales: tuple[SaleDemand, ...]
    products: tuple[ProductDemand, ...]


@dataclass(frozen=True, kw_only=True)
class SupplierTotals:
    """What one supplier brings to all shops of a sale together. `cut_off` is its latest one at any of them (UTC)."""

    supplier_id: str
    supplier: str
    cut_off: datetime
    products: tuple[ProductDemand, ...]


_order, _line, _session, _grant = customer_order.c, order_line.c, sale_session.c, enterprise_grant.c
_purchase = purchase_order.c
_LATEST = datetime.max.replace(tzinfo=UTC)
_NOW = bindparam("now", type_=Time)
_PIECES = func.sum(_line.quantity)
_PRODUCT = (_line.product_id, _line.unit_quantity, _line.unit)


def demand_of_supplier(
    tx: Transaction, hooks: Hooks, supplier_id: str, *, since: datetime | None = None, session_id: str | None = None
) -> Demand:
    """Returns what the supplier is to bring to distributions that end after `since` (None: now), or to one session.

    Orders that plugins brought from other instances are part of it, unless `session_id` names a sale of this instance.
    The number of statements is constant. Raises `PluginError` if a plugin fails, since incomplete sums would mislead.
    """
    since = since or tx.now
    parameters = {"supplier": supplier_id, "now": tx.now, "since": since, "session": session_id}
    sales = _sales(tx.all(_OF_SUPPLIER if session_id is None else _OF_SUPPLIER_AT_SESSION, parameters), tx.now)
    if session_id is None:
        answers = hooks.each(specifications.demand_elsewhere, None, tx=tx, enterprise_id=supplier_id, since=since)
        sales += [sale for answer in answers for sale in answer.value or ()]
    sales.sort(key=lambda sale: (sale.begins_at or _LATEST, sale.shop, sale.id))
    return Demand(sales=tuple(sales), products=_totals(sales))


def demand_of_coordination(tx: Transaction, coordination_id: str, coordinator_id: str) -> list[SupplierTotals]:
    """Returns what each supplier is to bring to all shops of this coordination together, by the supplier's name.

    Raises `NotFound`, also for a coordination of another enterprise.
    """
    coordination_by_id(tx, coordination_id, coordinator_id)
    rows = tx.all(_OF_COORDINATION, {"coordination": coordination_id, "now": tx.now})
    return [
        SupplierTotals(
            supplier_id=supplier_id,
            supplier=supplier,
            cut_off=max(row["cut_off"] for row in supplier_rows),
            products=tuple(_product(row) for row in supplier_rows),
        )
        for (supplier, supplier_id), supplier_rows in _grouped(rows, "supplier", "supplier_id")
    ]


# ------------------------------------------------------------------------------------------------ statements


def _ordered() -> FromClause:
    """Placed orders' lines joined with their sessions, coordinations, and the cut-offs of their suppliers."""
    supplied = and_(
        coordination_supplier.c.coordination_id == _session.coordination_id,
        coordination_supplier.c.enterprise_id == _line.supplier_id,
    )
    return (
        sale_session.join(coordination, coordination.c.id == _session.coordination_id)
        .join(customer_order, _order.session_id == _session.id)
        .join(order_line, _line.order_id == _order.id)
        .outerjoin(coordination_supplier, supplied)
    )


_GOING = (_order.state.in_(("Held", "Complete")), _line.quantity > 0)


def _of_supplier() -> RowQuery:
    """Rows by session and product, of sales at its own shop, at shops that grant it ReadOrders, and past cut-offs."""
    granted = and_(
        _grant.grantor_id == _session.enterprise_id,
        _grant.grantee_id == bindparam("supplier"),
        _grant.scope == "ReadOrders",
    )
    is_shown = or_(_session.enterprise_id == bindparam("supplier"), _grant.scope.is_not(None), cut_off() <= _NOW)
    sale = (
        _session.id,
        _session.enterprise_id,
        coordination.c.name,
        enterprise.c.name,
        _session.begins_at,
        _session.ends_at,
        _session.closes_at,
        coordination_supplier.c.closes_at,
        _purchase.received_at,
    )
    columns = (
        _session.id.label("session_id"),
        coordination.c.name.label("sale"),
        _session.enterprise_id.label("shop_id"),
        enterprise.c.name.label("shop"),
        cut_off().label("cut_off"),
        _session.begins_at,
        _session.ends_at,
        *_PRODUCT,
        func.min(_line.name).label("name"),
        _PIECES.label("quantity"),
        _purchase.received_at,
        func.sum(case((_order.fulfilment_state == "Fulfilled", _line.quantity), else_=0)).label("handed_over"),
    )
    at_supplier = and_(_purchase.session_id == _session.id, _purchase.supplier_id == _line.supplier_id)
    joined = (
        _ordered().join(enterprise, enterprise.c.id == _session.enterprise_id).outerjoin(purchase_order, at_supplier)
    )
    return (
        select(*columns)
        .select_from(joined.outerjoin(enterprise_grant, granted))
        .where(_line.supplier_id == bindparam("supplier"), *_GOING, is_shown)
        .group_by(*sale, *_PRODUCT)
        .order_by(_session.id, func.min(_line.name), *_PRODUCT)
    )


# The sessions to come, in a query of their own: else SQLite reads all lines that were ever ordered of the supplier.
_coming = sale_session.alias("coming")
_COMING = select(_coming.c.id).where(_coming.c.ends_at > bindparam("since", type_=Time))

# Built once.
_OF_SUPPLIER = _of_supplier().where(_order.session_id.in_(_COMING))
_OF_SUPPLIER_AT_SESSION = _of_supplier().where(_session.id == bindparam("session"))
_IS_FINAL = cut_off() <= _NOW
_OF_COORDINATION = (
    select(
        _line.supplier_id,
        enterprise.c.name.label("supplier"),
        func.max(cut_off(), type_=Time).label("cut_off"),
        *_PRODUCT,
        func.min(_line.name).label("name"),
        func.sum(case((_IS_FINAL, 0), else_=_line.quantity)).label("running"),
        func.sum(case((_IS_FINAL, _line.quantity), else_=0)).label("final"),
    )
    .select_from(_ordered().join(enterprise, enterprise.c.id == _line.supplier_id))
    .where(_session.coordination_id == bindparam("coordination"), *_GOING)
    .group_by(_line.supplier_id, enterprise.c.name, *_PRODUCT)
    .order_by(enterprise.c.name, _line.supplier_id, func.min(_line.name), *_PRODUCT)
)


# ------------------------------------------------------------------------------------------------ answers


def _sales(rows: Sequence[Row], now: datetime) -> list[SaleDemand]:
    keys = ("session_id", "sale", "shop_id", "shop", "cut_off", "begins_at", "ends_at")
    return [
        SaleDemand(
            id=session_id,
            sale=sale,
            shop_id=shop_id,
            shop=shop,
            cut_off=closes_at,
            final=closes_at <= now,
            begins_at=begins_at,
            ends_at=ends_at,
            lines=tuple(_demand_line(row) for row in session_rows),
        )
        for (session_id, sale, shop_id, shop, closes_at, begins_at, ends_at), session_rows in _grouped(rows, *keys)
    ]


def _demand_line(row: Row) -> DemandLine:
    pieces = int(row["quantity"])
    return DemandLine(
        product_id=row["product_id"],
        name=row["name"],
        unit_quantity=row["unit_quantity"],
        unit=row["unit"],
        quantity=pieces,
        delivered=int(row["handed_over"]) if row["received_at"] is None else pieces,
    )


def _product(row: Row) -> ProductDemand:
    return ProductDemand(
        product_id=row["product_id"],
        name=row["name"],
        unit_quantity=row["unit_quantity"],
        unit=row["unit"],
        running=int(row["running"]),
        final=int(row["final"]),
    )


def _totals(sales: Iterable[SaleDemand]) -> tuple[ProductDemand, ...]:
    """Adds up what is still to be brought to all sales, by product and size."""
    totals: dict[tuple[object, ...], ProductDemand] = {}
    for sale in sales:
        for line in sale.lines:
            to_bring = line.quantity - line.delivered
            if not to_bring:
                continue
            key = (line.product_id, line.unit_quantity, line.unit)
            before = totals.get(key)
            running, final = (before.running, before.final) if before else (0, 0)
            totals[key] = ProductDemand(
                product_id=line.product_id,
                name=before.name if before else line.name,
                unit_quantity=line.unit_quantity,
                unit=line.unit,
                running=running + (0 if sale.final else to_bring),
                final=final + (to_bring if sale.final else 0),
            )
    return tuple(sorted(totals.values(), key=attrgetter("name", "product_id", "unit_quantity")))


def _grouped(rows: Sequence[Row], *keys: str) -> list[tuple[tuple[Any, ...], list[Row]]]:
    """Groups rows that are sorted by these columns."""

    def key_of(row: Row) -> tuple[object, ...]:
        return tuple(row[name] for name in keys)

    return [(key, list(group)) for key, group in groupby(rows, key_of)]
