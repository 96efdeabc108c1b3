"""Lists the whole range of a producer in another enterprise's catalog, at the producer's prices with a margin.

The producer's price of a product is the one for everybody in a catalog of its own: prices for groups, and items that
only a group sees, are nobody else's business. The margin is a percentage of the selling price, as in `purchase_terms`:
with 20 percent, what costs 8.00 is sold for 10.00. Prices are rounded up to a multiple of a step, so that the margin is
never less than wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

from sqlalchemy import func, select

from ...base.errors import Invalid, NotFound, Problem
from ...base.hidden_fields import Amount
from ...catalogs.catalogs import catalog_by_id, sellable_products
from ...catalogs.offers import PurchaseTerms, set_purchase_terms
from ...catalogs.product_listing import MOST, Listing, list_products
from ...catalogs.tables import catalog, catalog_item, item_shown_to, offer
from ...enterprises.enterprises import Enterprise, enterprise_by_id
from ...products.values import SuppliedProduct
from ...storage.database import Transaction

PRICE_STEPS = (1, 5, 10, 50, 100)  # minor units to which prices are rounded


@dataclass(frozen=True, kw_only=True)
class RangeLine:
    """A product of the range. Amounts are minor units of the listing enterprise's currency, for one piece, and include
    VAT as its prices do.

    item_id:        of the catalog, if it lists the product already
    purchase_price: what the producer asks; None: the producer has no price for it
    price:          what it is sold for: as listed, or as proposed; None without a purchase price, which it
                    tells where nothing is added
    """

    product: SuppliedProduct
    item_id: str | None
    purchase_price: Amount | None
    price: Amount | None

    @property
    def is_new(self) -> bool:
        """Whether listing the range adds it."""
        return self.item_id is None and self.price is not None


def plan_range(
    tx: Transaction, enterprise_id: str, catalog_id: str | None, producer_id: str, *, margin: Decimal, step: int = 1
) -> list[RangeLine]:
    """The products of a producer that the enterprise may sell, by name, as `list_range` would list them; in a new
    catalog if `catalog_id` is None.

    Raises `NotFound` for the catalog, and for a producer who lets the enterprise sell nothing; `Invalid` for a margin
    that is not between 0 and 95 percent, an unknown step, two currencies, and more than 1,000 products.
    """
    if catalog_id is not None:
        catalog_by_id(tx, enterprise_id, catalog_id)
    _refuse_rule(margin, step)
    products = [
        stocked.product for stocked in sellable_products(tx, enterprise_id, producer_id=producer_id, limit=MOST + 1)
    ]
    if not products:
        raise NotFound("no_range", "This producer has no goods that you may sell.")
    seller, producer = enterprise_by_id(tx, enterprise_id), enterprise_by_id(tx, producer_id)
    _refuse_range(seller, producer, len(products))
    listed = _listed(tx, catalog_id, products) if catalog_id is not None else {}
    prices = _prices(tx, producer_id, products)
    lines = []
    for product in products:
        purchase_price = price_for_seller(prices.get(product.id), product, producer, seller)
        lines.append(_line(product, listed.get(product.id), purchase_price, margin, step))
    return sorted(lines, key=lambda line: line.product.name)


def list_range(
    tx: Transaction, enterprise_id: str, catalog_id: str, producer_id: str, *, margin: Decimal, step: int = 1
) -> list[RangeLine]:
    """Lists the products of a producer that the catalog lacks and the producer has a price for, and notes that price as
    what the enterprise pays. Products that are listed keep their price. Returns the lines that are new.

    The number of statements does not depend on the number of products. Raises as `plan_range`.
    """
    lines = plan_range(tx, enterprise_id, catalog_id, producer_id, margin=margin, step=step)
    new = [line for line in lines if line.is_new]
    listings = [Listing(product_id=line.product.id, price=line.price or 0) for line in new]
    items = list_products(tx, enterprise_id, catalog_id, listings) if new else []
    if new:
        terms = {item_id: PurchaseTerms(price=line.purchase_price) for item_id, line in zip(items, new, strict=True)}
        set_purchase_terms(tx, enterprise_id, terms)
    return new


def _refuse_rule(margin: Decimal, step: int) -> None:
    problems = []
    if not margin.is_finite() or not 0 <= margin <= 95:
        problems.append(Problem("margin", "A margin must be between 0 and 95 percent of the selling price.", "/margin"))
    if step not in PRICE_STEPS:
        steps = ", ".join(map(str, PRICE_STEPS))
        problems.append(Problem("step", "Prices are rounded up to one of {steps}.", "/step", {"steps": steps}))
    if problems:
        raise Invalid(problems)


def _refuse_range(seller: Enterprise, producer: Enterprise, count: int) -> None:
    if count > MOST:
        text = "This range has more than {most} products; list them by a spreadsheet."
        raise Invalid([Problem("too_many", text, "", {"most": MOST})])
    if seller.currency != producer.currency:
        text = "This producer's prices are in {other}, yours in {own}."
        values = {"other": producer.currency, "own": seller.currency}
        raise Invalid([Problem("currency", text, "/producer", values)])


def _line(
    product: SuppliedProduct,
    listed: tuple[str, int | None] | None,
    purchase_price: int | None,
    margin: Decimal,
    step: int,
) -> RangeLine:
    if listed is not None:
        return RangeLine(product=product, item_id=listed[0], purchase_price=purchase_price, price=listed[1])
    price = None if purchase_price is None else with_margin(purchase_price, margin, step)
    return RangeLine(product=product, item_id=None, purchase_price=purchase_price, price=price)


def with_margin(purchase_price: int, margin: Decimal, step: int) -> int:
    """The selling price of which `margin` percent remain after the purchase price, rounded up to a multiple of
    `step`; all in minor units."""
    exact = Fraction(purchase_price) / (1 - Fraction(margin) / 100)
    return ceil(exact / step) * step


def price_for_seller(
    price: int | None, product: SuppliedProduct, producer: Enterprise, seller: Enterprise
) -> int | None:
    """The producer's price with VAT or without, as the seller's prices are; rounded up to a minor unit."""
    if price is None or producer.prices_include_vat == seller.prices_include_vat:
        return price
    factor = 1 + Fraction(product.vat_rate) / 100
    return ceil(price * factor) if seller.prices_include_vat else ceil(price / factor)


def _listed(tx: Transaction, catalog_id: str, products: Sequence[SuppliedProduct]) -> dict[str, tuple[str, int | None]]:
    """Item and price for everybody by product, of those that the catalog lists."""
    query = (
        select(catalog_item.c.product_id, catalog_item.c.id, offer.c.price)
        .outerjoin(offer, (offer.c.item_id == catalog_item.c.id) & offer.c.category_id.is_(None))
        .where(catalog_item.c.catalog_id == catalog_id, catalog_item.c.product_id.in_([each.id for each in products]))
    )
    return {row["product_id"]: (row["id"], row["price"]) for row in tx.all(query)}


def _prices(tx: Transaction, producer_id: str, products: Sequence[SuppliedProduct]) -> dict[str, int]:
    """The producer's own prices for everybody by product, in its currency; of several catalogs the lowest."""
    is_limited = select(item_shown_to.c.item_id).where(item_shown_to.c.item_id == catalog_item.c.id).exists()
    query = (
        select(catalog_item.c.product_id, func.min(offer.c.price).label("price"))
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .join(offer, offer.c.item_id == catalog_item.c.id)
        .where(catalog.c.enterprise_id == producer_id, offer.c.category_id.is_(None))
        .where(~catalog_item.c.hidden, ~is_limited, catalog_item.c.product_id.in_([each.id for each in products]))
        .group_by(catalog_item.c.product_id)
    )
    return {row["product_id"]: int(row["price"]) for row in tx.all(query)}
