"""Leases over the API: who holds what, and what a producer may do about it."""

from __future__ import annotations

from commensal import Call, Conflict, Page, Paging, Routes, page_of

from ..messages.bodies.leases import Lease
from ..runtime import federation_of
from .lender import accept_late, force_return
from .questions import lease_of, leases

routes = Routes("federation_leases", where_off=True)


@routes.get("/leases", scope="operator")
def all_leases(call: Call, query: Paging) -> Page[Lease]:
    """All leases of this instance, on either side."""
    return page_of(leases(call.tx, after=query.after, limit=query.limit), query.limit, lambda one: one.id)


@routes.get("/enterprises/{enterprise}/leases", scope="grants:read")
def enterprise_leases(call: Call, enterprise: str, query: Paging) -> Page[Lease]:
    """Who holds units of the enterprise's stock."""
    found = leases(call.tx, enterprise_id=enterprise, after=query.after, limit=query.limit)
    return page_of(found, query.limit, lambda one: one.id)


@routes.post("/enterprises/{enterprise}/leases/{lease}/force", scope="sales:write")
def force_lease(call: Call, enterprise: str, lease: str) -> Lease:
    """Takes back all that the holder has not sold, as far as is known: its hub is gone, or does not answer."""
    lease_of(call.tx, enterprise, lease, role="lender")
    force_return(federation_of(call.instance), call.tx, lease)
    return lease_of(call.tx, enterprise, lease, role="lender")


@routes.post("/enterprises/{enterprise}/leases/{lease}/accept-late", scope="sales:write")
def accept_late_sales(call: Call, enterprise: str, lease: str) -> Lease:
    """Grants what was sold late after all, out of what is free."""
    found = lease_of(call.tx, enterprise, lease, role="lender")
    if not accept_late(federation_of(call.instance), call.tx, lease):
        text = "Less is free than the {late} {unit} that were sold late: count your stock, or refuse the order's line."
        raise Conflict("not_enough", text, late=found.late, unit=found.unit)
    return lease_of(call.tx, enterprise, lease, role="lender")
