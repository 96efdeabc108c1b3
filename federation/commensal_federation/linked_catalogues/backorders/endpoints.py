"""Orders at distant platforms over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from commensal import Call, Page, Paging, Routes, page_of

from ...messages.bodies.orders import Cut
from ...orders.questions import cuts_of
from .questions import backorder_of, backorders
from .retrying import retry_backorder
from .shown import ShownBackorder, shown

routes = Routes("federation_backorders", where_off=True)
_ORDERS = "/enterprises/{enterprise}/backorders"

Id = Annotated[str, msgspec.Meta(max_length=64)]


class OfSession(Paging, frozen=True, kw_only=True):
    """Only those of one sale, where it is named."""

    session: Id = ""


@routes.get(_ORDERS, scope="orders:read")
def enterprise_backorders(call: Call, enterprise: str, query: OfSession) -> Page[ShownBackorder]:
    """What the enterprise's sales have ordered at linked platforms, the newest first, and how far that is."""
    found = backorders(call.tx, enterprise, session_id=query.session, after=query.after, limit=query.limit)
    return page_of([shown(one) for one in found], query.limit, lambda one: one.id)


@routes.get(f"{_ORDERS}/{{backorder}}", scope="orders:read")
def enterprise_backorder(call: Call, enterprise: str, backorder: str) -> ShownBackorder:
    """One order at a linked platform."""
    return shown(backorder_of(call.tx, enterprise, backorder))


@routes.get(f"{_ORDERS}/{{backorder}}/cuts", scope="orders:read")
def backorder_cuts(call: Call, enterprise: str, backorder: str) -> Sequence[Cut]:
    """What was taken off customers' orders because it will not come, and what is owed back to them."""
    return cuts_of(call.tx, [backorder_of(call.tx, enterprise, backorder).id])


@routes.post(f"{_ORDERS}/{{backorder}}/retry", scope="orders:write", status=202)
def retry_enterprise_backorder(call: Call, enterprise: str, backorder: str) -> ShownBackorder:
    """Tells it again now, after a person has looked. One that the platform has cancelled is ordered anew."""
    return shown(retry_backorder(call.tx, enterprise, backorder))
