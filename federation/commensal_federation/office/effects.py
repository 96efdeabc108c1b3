"""Who is affected when trade with a peer stops: which sales, which orders, how many people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from commensal import Transaction, enterprises_by_id
from commensal.parts.distribution import lines_of_product

from ..grants.questions import grants_between
from ..messages.catalogue import Grant
from ..orders.tables import federation_order, federation_order_line

_order, _line = federation_order.c, federation_order_line.c
_MOST = 200  # orders
_RECENT = timedelta(days=1)  # since the distribution began
_OPEN = (
    select(
        _order.id,
        _order.role,
        _order.enterprise_id,
        _order.other_name,
        _order.session_id,
        _order.session_name,
        _order.begins_at,
        func.sum(_line.quantity).label("pieces"),
    )
    .join(federation_order_line, _line.order_id == _order.id)
    .where(_order.state != "Cancelled", _line.quantity > 0)
    .group_by(
        _order.id,
        _order.role,
        _order.enterprise_id,
        _order.other_name,
        _order.session_id,
        _order.session_name,
        _order.begins_at,
    )
    .order_by(_order.begins_at, _order.id)
    .limit(_MOST)
)


@dataclass(frozen=True, kw_only=True)
class OpenOrder:
    """An order between an enterprise here and one of the peer's that is not given out yet; of a hub here, one for which
    customers wait.

    is_ours: a hub here has ordered; else a hub of the peer has ordered from a producer here
    people:  orders of customers in it; None where only the other side knows
    """

    is_ours: bool
    enterprise: str
    other: str
    sale: str
    begins_at: datetime | None
    pieces: int
    people: int | None


@dataclass(frozen=True, kw_only=True)
class Effects:
    """`selling` and `offering` are pairs: an enterprise here, and the one of the peer whose goods it sells, or to which
    it offers its own."""

    selling: list[tuple[str, str]]
    offering: list[tuple[str, str]]
    orders: list[OpenOrder]


def effects_of_ending(tx: Transaction, peer_id: str) -> Effects:
    """What stops when the peer is suspended or revoked, and what is left to settle between people."""
    grants = [grant for grant in grants_between(tx, peer_id=peer_id) if grant.state in ("offered", "accepted")]
    names = {
        id: enterprise.name
        for id, enterprise in enterprises_by_id(tx, {grant.enterprise_id for grant in grants}).items()
    }
    return Effects(
        selling=_pairs(grants, names, "received"),
        offering=_pairs(grants, names, "given"),
        orders=_open_orders(tx, _order.peer_id == peer_id),
    )


def orders_between(tx: Transaction, enterprise_id: str, other_iri: str) -> list[OpenOrder]:
    """The orders between an enterprise here and another one elsewhere that are not given out yet."""
    return _open_orders(tx, _order.enterprise_id == enterprise_id, _order.other_iri == other_iri)


def _open_orders(tx: Transaction, *conditions: ColumnElement[bool]) -> list[OpenOrder]:
    rows = [
        row
        for row in tx.all(_OPEN.where(*conditions))
        if row["begins_at"] is None or row["begins_at"] > tx.now - _RECENT
    ]
    ours = enterprises_by_id(tx, {row["enterprise_id"] for row in rows})
    orders = [
        OpenOrder(
            is_ours=row["role"] == "buyer",
            enterprise=ours[row["enterprise_id"]].name,
            other=row["other_name"],
            sale=row["session_name"],
            begins_at=row["begins_at"],
            pieces=int(row["pieces"]),
            people=_people(tx, row["id"], row["session_id"]) if row["role"] == "buyer" else None,
        )
        for row in rows
        if row["enterprise_id"] in ours
    ]
    return [order for order in orders if order.people != 0]


def _pairs(grants: Sequence[Grant], names: Mapping[str, str], direction: str) -> list[tuple[str, str]]:
    return sorted(
        (names.get(grant.enterprise_id, ""), grant.other_name) for grant in grants if grant.direction == direction
    )


def _people(tx: Transaction, order_id: str, session_id: str) -> int:
    """The number of customers' orders with goods of this order."""
    products = [row["product_id"] for row in tx.all(select(_line.product_id).where(_line.order_id == order_id))]
    return len({line.order_id for product in products for line in lines_of_product(tx, session_id, product)})
