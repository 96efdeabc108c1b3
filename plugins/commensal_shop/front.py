"""The front page, and the page of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from commensal import Sale, Visit, find_enterprise, is_open, list_enterprises, sales

from .showing import show

_AT_ONCE = 100  # sales, and hubs


def front_page(visit: Visit) -> Response:
    """Sales that are open or coming, and hubs; all, or those of hubs that were searched for."""
    sought = visit.query.get("q", "").strip()
    with visit.read() as tx:
        hubs = list_enterprises(tx, kind="hub", search=sought, limit=_AT_ONCE)
        found: Sequence[Sale] = sales(tx, openness="both", limit=_AT_ONCE)
        now = tx.now
    if sought:
        theirs = {hub.id for hub in hubs}
        found = [sale for sale in found if sale.shop.id in theirs]
    return show(visit, "front", hubs=hubs, sought=sought, **_by_openness(found, now))


def hub_page(visit: Visit) -> Response:
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        found = sales(tx, openness="both", shop_id=hub.id)
        now = tx.now
    return show(visit, "hub", hub=hub, **_by_openness(found, now))


def _by_openness(found: Sequence[Sale], now: datetime) -> dict[str, Any]:
    """Those that close first, then those that open first."""
    coming = [sale for sale in found if not is_open(sale.session, now)]
    return {
        "open": [sale for sale in found if is_open(sale.session, now)],
        "coming": sorted(coming, key=lambda sale: sale.session.opens_at),
    }
