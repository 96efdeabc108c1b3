"""The front page, and the page of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from commensal import Sale, list_enterprises, sales
from commensal.pages import Visit
from commensal.trade import find_enterprise, is_open

from .showing import show

_AT_ONCE = 100  # sales, and hubs


def front_page(visit: Visit) -> Response:
    """Shows open and coming sales, and hubs; all of them, or those of hubs that match a search."""
    search = visit.query.get("q", "").strip()
    with visit.read() as tx:
        hubs = list_enterprises(tx, kind="hub", search=search, limit=_AT_ONCE)
        shown_sales: Sequence[Sale] = sales(tx, openness="both", limit=_AT_ONCE)
        now = tx.now
    if search:
        hub_ids = {hub.id for hub in hubs}
        shown_sales = [sale for sale in shown_sales if sale.shop.id in hub_ids]
    return show(visit, "front", hubs=hubs, sought=search, **_by_openness(shown_sales, now))


def hub_page(visit: Visit) -> Response:
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        shown_sales = sales(tx, openness="both", shop_id=hub.id)
        now = tx.now
    return show(visit, "hub", hub=hub, **_by_openness(shown_sales, now))


def _by_openness(shown_sales: Sequence[Sale], now: datetime) -> dict[str, Any]:
    """Open sales in their order, and coming ones by opening time."""
    coming = [sale for sale in shown_sales if not is_open(sale.session, now)]
    return {
        "open": [sale for sale in shown_sales if is_open(sale.session, now)],
        "coming": sorted(coming, key=lambda sale: sale.session.opens_at),
    }
