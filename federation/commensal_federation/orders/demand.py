"""Tells the core what hubs of other instances have ordered of a producer here, for its demand over all sales."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select

from commensal import SaleDemand, Transaction, hookimpl
from commensal.parts.supply import DemandLine

from ..grants.tables import federation_mirror
from ..messages.bodies.orders import InstanceOrder
from ..runtime import FEDERATION
from .questions import orders_where
from .tables import federation_order

_order = federation_order.c


@hookimpl
def demand_elsewhere(tx: Transaction, enterprise_id: str, since: datetime) -> Sequence[SaleDemand]:
    """Returns the orders of remote hubs whose distribution begins after `since`, or at an unknown time."""
    orders = orders_where(
        tx,
        _order.role == "supplier",
        _order.enterprise_id == enterprise_id,
        _order.state != "Cancelled",
        or_(_order.begins_at.is_(None), _order.begins_at > since),
    )
    copies = _copies(tx, {order.other_iri for order in orders})
    demands = [_demand(order, copies.get(order.other_iri, "")) for order in orders]
    return [demand for demand in demands if demand.lines]


def _copies(tx: Transaction, iris: Collection[str]) -> dict[str, str]:
    """The ids of the copies here of these hubs, by their IRIs."""
    query = select(federation_mirror).where(federation_mirror.c.iri.in_(iris))
    return {row["iri"]: row["enterprise_id"] for row in tx.all(query)} if iris else {}


def _demand(order: InstanceOrder, shop_id: str) -> SaleDemand:
    lines = tuple(
        DemandLine(
            product_id=line.product_id,
            name=line.name,
            unit_quantity=line.unit_quantity,
            unit=line.unit,
            quantity=line.coming,
            delivered=min(line.coming, line.received or 0),
        )
        for line in sorted(order.lines, key=lambda line: (line.name, line.item_iri))
        if line.coming
    )
    return SaleDemand(
        id=order.id,
        origin=FEDERATION,
        sale=order.session_name,
        shop_id=shop_id,
        shop_iri=order.other_iri,
        shop=order.other_name,
        cut_off=order.closes_at,
        final=order.state == "Complete",
        begins_at=order.begins_at,
        ends_at=None,
        lines=lines,
    )
