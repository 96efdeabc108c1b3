"""Which items and prices a caller may see: a platform those that it pays, people of the enterprise all of them."""

from __future__ import annotations

from commensal import Transaction, customer_by_id
from commensal.catalogs import CatalogItem, Offer
from commensal.pages import Visit

from ..runtime import federation_of
from .scopes import caller_access

Categories = frozenset[str]  # ids of customer categories


def categories_of(visit: Visit, tx: Transaction, enterprise_id: str) -> Categories | None:
    """The customer categories in which the caller buys at the enterprise. None for a caller who sees all prices: a
    person of the enterprise, or a platform that may change its products."""
    if not visit.actor.client:
        return None
    access = caller_access(federation_of(visit.instance), tx, enterprise_id, visit.actor.client)
    if "WriteProducts" in access.scopes:
        return None
    if access.customer_id is None:
        return frozenset()
    return frozenset(customer_by_id(tx, enterprise_id, access.customer_id).categories)


def is_for_caller(visit: Visit, tx: Transaction, enterprise_id: str, category_id: str) -> bool:
    """Whether the caller may know of a customer category: a platform of those in which it buys."""
    categories = categories_of(visit, tx, enterprise_id)
    return categories is None or category_id in categories


def is_shown(item: CatalogItem, categories: Categories | None) -> bool:
    """Whether a buyer in these categories may order the item, and at which price."""
    if categories is None:
        return True
    is_for_buyer = not item.shown_to or bool(categories.intersection(item.shown_to))
    return not item.hidden and is_for_buyer and bool(visible_offers(item, categories))


def visible_offers(item: CatalogItem, categories: Categories | None) -> tuple[Offer, ...]:
    """The item's offers: all of them, or the only one by which such a buyer pays.

    That is the lowest price for the buyer's categories, else the one for everybody, as in a sale (`offers_for`).
    """
    if categories is None:
        return item.offers
    special = [offer for offer in item.offers if offer.category_id in categories]
    if special:
        return (min(special, key=lambda offer: (offer.price, offer.id)),)
    return tuple(offer for offer in item.offers if offer.category_id is None)
