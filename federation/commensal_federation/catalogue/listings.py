"""The hub's listings of granted goods: made by its people, or automatically with a margin."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import select

from commensal import Problem, Row, Transaction
from commensal.trade import Listing, list_products, listings_of, lots_by_id, products_by_id, set_price

from ..messages.bodies.catalogue import Grant, Hop, Proof, ReceivedItem
from ..provenance.stored import statements_by_name
from .tables import federation_item

_AT_ONCE = 500
_HIGHEST = 1000  # percent, of a margin
_item = federation_item.c


def list_automatically(tx: Transaction, grant: Grant, iris: Collection[str]) -> None:
    """Lists new items and updates prices, at the producer's price plus the margin. Does nothing without a margin."""
    if grant.catalog_id is None or grant.margin is None or not iris:
        return
    rows = tx.all(select(federation_item).where(_item.grant_id == grant.id, _item.iri.in_(sorted(iris))))
    prices = {row["product_id"]: with_margin(row["price"], grant.margin) for row in rows}
    list_at_prices(tx, grant.enterprise_id, grant.catalog_id, prices)


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


def list_all(tx: Transaction, grant: Grant) -> None:
    """Lists all items of the grant automatically."""
    query = select(_item.iri).where(_item.grant_id == grant.id, _item.gone_at.is_(None)).order_by(_item.iri)
    iris = [row["iri"] for row in tx.all(query)]
    for first in range(0, len(iris), _AT_ONCE):
        list_automatically(tx, grant, iris[first : first + _AT_ONCE])


def margin_problem(catalog_id: str | None, margin: Decimal | None) -> Problem | None:
    """Returns the problem of a margin, in percent, for automatic listing in this catalog; None when it is valid."""
    if (catalog_id is None) != (margin is None):
        return Problem("margin", "A catalog that follows by itself has a margin, and no other.", "/margin")
    if margin is not None and not (margin.is_finite() and -100 <= margin <= _HIGHEST):
        text = "A margin lies between -100 and {most} percent."
        return Problem("margin", text, "/margin", {"most": _HIGHEST})
    return None


def with_margin(price: int, margin: Decimal) -> int:
    """Returns the price plus the margin in percent, in minor units, rounded half up."""
    return int((price * (100 + margin) / 100).to_integral_value(ROUND_HALF_UP))


def received_items(tx: Transaction, grant: Grant, *, after: str = "", limit: int = 50) -> list[ReceivedItem]:
    """Returns the items of this grant that the hub may list, ordered by IRI, after the IRI `after`."""
    conditions = (_item.grant_id == grant.id, _item.gone_at.is_(None), _item.iri > after)
    rows = tx.all(select(federation_item).where(*conditions).order_by(_item.iri).limit(limit))
    listed = listings_of(tx, grant.enterprise_id, [row["product_id"] for row in rows])
    products = products_by_id(tx, [row["product_id"] for row in rows])
    lots = lots_by_id(tx, {row["lot_id"] for row in rows})
    statements = statements_by_name(tx, {row["statement"] for row in rows})
    items = []
    for row in rows:
        product, lot = products[row["product_id"]], lots[row["lot_id"]]
        grains = int((lot.free + lot.beyond) * lot.per_unit)
        items.append(
            ReceivedItem(
                iri=row["iri"], product_id=product.id, name=product.name, price=row["price"],
                currency=row["currency"], includes_vat=row["includes_vat"],
                provenance=tuple(Hop(*hop) for hop in row["provenance"]),
                proof=_proof(row, statements),
                left=None if lot.unlimited else grains // product.lot_quantity,
                item_ids=tuple(listed.get(product.id, ())),
            )
        )  # fmt: skip
    return items


def _proof(item: Row, statements: Mapping[str, Row]) -> Proof:
    if len(item["provenance"]) == 1:
        return "direct"
    statement = statements.get(item["statement"])
    return "proved" if statement is not None and statement["origin"] else "unproved"
