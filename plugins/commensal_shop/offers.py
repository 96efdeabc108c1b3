"""The offers of a sale to a visitor, at their prices."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Sale, Transaction, known_customer
from commensal.pages import Visit
from commensal.sale_sessions import VisibleOffer, offers_for


def visible_offers(tx: Transaction, visit: Visit, sale: Sale, item_ids: list[str] | None = None) -> list[VisibleOffer]:
    """All offers of the sale to this visitor, or those of these items."""
    return offers_for(tx, sale.session.id, categories_of(tx, visit, sale), item_ids=item_ids)


def categories_of(tx: Transaction, visit: Visit, sale: Sale) -> Collection[str]:
    """The customer categories of the visitor at the shop of the sale."""
    return known_customer(tx, sale.shop.id, visit.actor.person_id).category_ids
