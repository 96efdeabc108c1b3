"""Writes prices of goods from elsewhere: what the hub sells them for, and what it pays."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from commensal import Transaction
from commensal.catalogs import Listing, PurchaseTerms, list_products, listings_of, set_price, set_purchase_terms

_AT_ONCE = 500


def list_at_prices(
    tx: Transaction,
    enterprise_id: str,
    catalog_id: str,
    prices: Mapping[str, int],
    by_category: Mapping[str, Mapping[str, int]] | None = None,
) -> None:
    """Lists new products in this catalog, and sets the prices of those listed already, in minor units by product id.

    `by_category` holds prices of customer categories, by product and category id. Names, order and other properties
    that people have set stay as they are; other categories keep their prices.
    """
    existing, own = listings_of(tx, enterprise_id, prices), by_category or {}
    for product_id, item_ids in existing.items():
        for item_id in item_ids:
            set_price(tx, enterprise_id, item_id, prices[product_id])
            for category_id, price in own.get(product_id, {}).items():
                set_price(tx, enterprise_id, item_id, price, category_id=category_id)
    new = [
        Listing(product_id=product_id, price=price, category_prices=own.get(product_id, {}))
        for product_id, price in prices.items()
        if product_id not in existing
    ]
    for first in range(0, len(new), _AT_ONCE):
        list_products(tx, enterprise_id, catalog_id, new[first : first + _AT_ONCE])


def note_purchase_prices(tx: Transaction, enterprise_id: str, prices: Mapping[str, int]) -> None:
    """Notes what the enterprise pays for its items of these products, in minor units by product id."""
    listed = listings_of(tx, enterprise_id, prices)
    terms = [(item, PurchaseTerms(price=prices[product])) for product, items in listed.items() for item in items]
    for first in range(0, len(terms), _AT_ONCE):
        set_purchase_terms(tx, enterprise_id, dict(terms[first : first + _AT_ONCE]))


def with_margin(price: int, margin: Decimal) -> int:
    """Returns the price plus the margin in percent, in minor units, rounded half up."""
    return int((price * (100 + margin) / 100).to_integral_value(ROUND_HALF_UP))
