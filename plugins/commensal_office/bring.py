"""What I bring: what a producer harvests and brings, over all sales and instances, and when."""

from __future__ import annotations

from starlette.responses import Response

from commensal.pages import Visit
from commensal.trade import demand_of_supplier

from .desk import open_desk
from .showing import show


def bring_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "demand:read")
        demand = demand_of_supplier(tx, visit.instance.hooks, desk.enterprise.id)
        now = tx.now
    return show(visit, desk, "bring", at="bring", demand=demand, now=now)
