"""Orders at linked platforms over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from commensal import Call, Page, Paging, Routes, page_of

from ...messages.bodies.orders import Cut
from ...orders.questions import cuts_of
from .questions import ShownBackorder, backorder_of, backorder_view, backorders
from .sending import retry_backorder

routes = Routes("federation_backorders", where_off=True)
_ORDERS = "/enterprises/{enterprise}/backorders"

Id = Annotated[str, msgspec.Meta(max_length=64)]


class BackorderFilter(Paging, frozen=True, kw_only=True):
    """`session`: only the orders of this sale; empty: all."""

    session: Id = ""


@routes.get(_ORDERS, scope="orders:read")
def enterprise_backorders(call: Call, enterprise: str, query: BackorderFilter) -> Page[ShownBackorder]:
    """Lists the orders of the enterprise's sales at linked platforms, the newest first, with their progress."""
    rows = backorders(call.tx, enterprise, session_id=query.session, after=query.after, limit=query.limit)
    return page_of([backorder_view(row) for row in rows], query.limit, lambda row: row.id)


@routes.get(f"{_ORDERS}/{{backorder}}", scope="orders:read")
def enterprise_backorder(call: Call, enterprise: str, backorder: str) -> ShownBackorder:
    """Returns one order at a linked platform."""
    return backorder_view(backorder_of(call.tx, enterprise, backorder))


@routes.get(f"{_ORDERS}/{{backorder}}/cuts", scope="orders:read")
def backorder_cuts(call: Call, enterprise: str, backorder: str) -> Sequence[Cut]:
    """Lists the cuts to customers' orders of pieces that will not be delivered, with the refunds owed."""
    return cuts_of(call.tx, [backorder_of(call.tx, enterprise, backorder).id])


@routes.post(f"{_ORDERS}/{{backorder}}/retry", scope="orders:write", status=202)
def retry_enterprise_backorder(call: Call, enterprise: str, backorder: str) -> ShownBackorder:
    """Sends an order again, after a person has looked at it. One that the platform has cancelled is placed anew."""
    return backorder_view(retry_backorder(call.tx, enterprise, backorder))
