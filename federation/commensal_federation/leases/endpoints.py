"""Leases over the API: which peer holds how much, and how a producer takes it back."""

from __future__ import annotations

from commensal import Call, Conflict, Page, Paging, Routes, page_of

from ..messages.leases import Lease
from ..runtime import federation_of
from .lender import accept_late, force_return
from .row import lease_of, leases

routes = Routes("federation_leases", where_off=True)


@routes.get("/leases", scope="operator")
def all_leases(call: Call, query: Paging) -> Page[Lease]:
    """Lists all leases of this instance, as lender and as holder."""
    return page_of(leases(call.tx, after=query.after, limit=query.limit), query.limit, lambda lease: lease.id)


@routes.get("/enterprises/{enterprise}/leases", scope="grants:read")
def enterprise_leases(call: Call, enterprise: str, query: Paging) -> Page[Lease]:
    """Lists the leases of the enterprise's stock."""
    rows = leases(call.tx, enterprise_id=enterprise, after=query.after, limit=query.limit)
    return page_of(rows, query.limit, lambda lease: lease.id)


@routes.post("/enterprises/{enterprise}/leases/{lease}/force", scope="sales:write")
def force_lease(call: Call, enterprise: str, lease: str) -> Lease:
    """Takes back all units that the holder has not reported as sold, for a hub that is gone or does not answer."""
    lease_of(call.tx, enterprise, lease, role="lender")
    force_return(federation_of(call.instance), call.tx, lease)
    return lease_of(call.tx, enterprise, lease, role="lender")


@routes.post("/enterprises/{enterprise}/leases/{lease}/accept-late", scope="sales:write")
def accept_late_sales(call: Call, enterprise: str, lease: str) -> Lease:
    """Grants the units that were sold late out of the free stock."""
    before = lease_of(call.tx, enterprise, lease, role="lender")
    if not accept_late(federation_of(call.instance), call.tx, lease):
        text = "Less is free than the {late} {unit} that were sold late: count your stock, or refuse the order's line."
        raise Conflict("not_enough", text, late=before.late, unit=before.unit)
    return lease_of(call.tx, enterprise, lease, role="lender")
