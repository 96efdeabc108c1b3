"""Lists many products at once, for example when a hub adds a producer's whole range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from ..base.errors import Conflict, Invalid, Problem
from ..base.money import price_problem
from ..enterprises.tables import customer_category
from ..events.announce import announce_listing
from ..products.tables import supplied_product
from ..storage.database import Transaction, insert_rows, refuse_conflict
from .catalogs import SELLING, catalog_by_id, grants_all
from .tables import catalog_item, offer

MOST = 1000  # products in one call


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A product to list, with the price of one piece for everybody, and the prices for customer categories.

    Prices are minor units of the enterprise's currency; `category_prices` has them by category id.
    """

    product_id: str
    price: int
    category_prices: Mapping[str, int] = field(default_factory=dict)


def list_products(tx: Transaction, enterprise_id: str, catalog_id: str, listings: Sequence[Listing]) -> list[str]:
    """Adds products with prices after the last item of the catalog. Returns the ids of the new items, in order.

    The rules are those of `add_item` and `set_price`; the number of statements does not depend on the number of
    products. Raises `NotFound` for the catalog, `Invalid` naming every wrong product, price and category, `Conflict` if
    one is listed already; then none is added.
    """
    catalog_by_id(tx, enterprise_id, catalog_id)
    problems = _problems(tx, enterprise_id, listings)
    if problems:
        raise Invalid(problems)
    last = select(func.coalesce(func.max(catalog_item.c.position), 0)).where(catalog_item.c.catalog_id == catalog_id)
    first = tx.value(last) + 1
    ids = [tx.new_id() for _ in listings]
    items = [
        {
            "id": item_id,
            "catalog_id": catalog_id,
            "product_id": listing.product_id,
            "position": position,
            "hidden": False,
            "created_at": tx.now,
            "version": 1,
        }
        for position, (item_id, listing) in enumerate(zip(ids, listings, strict=True), first)
    ]
    prices = [
        {"id": tx.new_id(), "item_id": item_id, "category_id": category_id, "price": price, "version": 1}
        for item_id, listing in zip(ids, listings, strict=True)
        for category_id, price in ({None: listing.price} | dict(listing.category_prices)).items()
    ]
    with refuse_conflict(tx, duplicate=Conflict("listed", "One of these products is in the catalog already.")):
        insert_rows(tx, catalog_item, items)
    insert_rows(tx, offer, prices)
    announce_listing(tx, catalog_item.c.id.in_(ids))
    return ids


def _problems(tx: Transaction, enterprise_id: str, listings: Sequence[Listing]) -> list[Problem]:
    if len(listings) > MOST:
        return [Problem("too_many", "At most {most} products can be listed at once.", "", {"most": MOST})]
    sellable, categories = _sellable(tx, enterprise_id, listings), _categories(tx, enterprise_id, listings)
    problems = []
    for index, listing in enumerate(listings):
        if listing.product_id not in sellable:
            text = "There is no such product that its producer lets this enterprise sell."
            problems.append(Problem("no_product", text, f"/{index}/product_id"))
        prices = (listing.price, *listing.category_prices.values())
        problems += [problem for price in prices if (problem := price_problem(price, f"/{index}/price"))][:1]
        if not categories.issuperset(listing.category_prices):
            text = "There is no such customer category."
            problems.append(Problem("no_category", text, f"/{index}/category_prices"))
    return problems


def _sellable(tx: Transaction, enterprise_id: str, listings: Sequence[Listing]) -> set[str]:
    product = supplied_product.c
    query = select(product.id).where(
        product.id.in_({listing.product_id for listing in listings}),
        product.archived_at.is_(None),
        grants_all(product.enterprise_id, enterprise_id, *SELLING),
    )
    return {row["id"] for row in tx.all(query)}


def _categories(tx: Transaction, enterprise_id: str, listings: Sequence[Listing]) -> set[str]:
    named_ids = {category_id for listing in listings for category_id in listing.category_prices}
    is_own = customer_category.c.enterprise_id == enterprise_id
    return {
        row["id"] for row in tx.all(select(customer_category.c.id).where(is_own, customer_category.c.id.in_(named_ids)))
    }
